//! A scenario on the discrete-event model of an engine.

use gpup_core::sched::sim::{Change, Demand, Flow, Length, Sim, Step};
use gpup_core::sched::{Entity, Policy, Scheduler};

use super::record::{Record, Switched};
use super::scenario::{Group, Migration, Role, Scenario, Wants};
use super::window::windows;

/// The scenario's VFs in order: each one's group.
pub(super) fn vfs(scenario: &Scenario) -> Vec<&Group> {
    scenario.groups.iter().flat_map(|group| std::iter::repeat_n(group, group.count as usize)).collect()
}

/// A VF's part of the engine by the weights of all, the PF's where it has work.
pub(super) fn entitlement(scenario: &Scenario, group: &Group) -> f64 {
    let pf = scenario.pf.as_ref().map_or(0, |_| u64::from(scenario.engine.limits().pf_weight));
    let weight = |group: &Group| u64::from(group.parameters().weight);
    let all: u64 = scenario.groups.iter().map(|group| weight(group) * u64::from(group.count)).sum();
    weight(group) as f64 / (all + pf) as f64
}

/// Runs it.
pub(super) fn simulate(scenario: &Scenario) -> Record {
    let vfs = vfs(scenario);
    let mut sim = engine(scenario, &vfs);
    let mut switched = Vec::new();
    for (number, migration) in scenario.migrations.iter().enumerate() {
        plan(&mut sim, migration, vfs[migration.vf as usize], stream(scenario.seed, !(number as u64)));
        switched.extend(changes(migration));
    }
    let migrating = |vf: usize| scenario.migrations.iter().find(|migration| migration.vf as usize == vf);
    let claim = |(vf, group): (usize, &&Group)| {
        let until = match (migrating(vf), group.max) {
            (None, None) => u64::MAX,
            (Some(migration), None) => migration.prepare.0,
            (_, Some(_)) => 0,
        };
        (entitlement(scenario, group), until)
    };
    let claims: Vec<(f64, u64)> = vfs.iter().enumerate().map(claim).collect();
    let mut record = Record::new(windows(scenario), switched, &claims);
    loop {
        match sim.step(scenario.length.0) {
            Step::Ran(packet) => record.ran(&packet),
            Step::Idle(ticks) => record.idle(ticks, sim.now),
            Step::Done => break,
        }
    }
    record.ended(|vf| vfs[vf].demand == Wants::Saturated && migrating(vf).is_none());
    record
}

/// The seed of a flow's random stream.
fn stream(seed: u64, number: u64) -> u64 {
    seed.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7)
}

/// The engine with its VFs; flow i is VF i.
fn engine(scenario: &Scenario, vfs: &[&Group]) -> Sim {
    let scheduler = Scheduler::new(vfs.len() as u32, scenario.engine.limits());
    let mut sim = Sim::new(scheduler.expect("the scenario was checked"));
    sim.switch = scenario.engine.switch.0;
    for (vf, group) in (0..).zip(vfs) {
        let set = sim.scheduler.set_parameters(vf, group.parameters(), 0);
        let max = group.max.map_or(1_000_000, |part| part.permille * 1000);
        set.and(sim.scheduler.set_max(vf, max, 0)).expect("the scenario was checked");
    }
    for (vf, group) in (0..).zip(vfs) {
        let arrives = |migration: &Migration| migration.vf == vf && migration.role == Role::Target;
        let absent = scenario.migrations.iter().any(arrives);
        let demand = if absent { Demand::Silent } else { group.demand.demand() };
        let seed = stream(scenario.seed, u64::from(vf));
        sim.add(Flow::new(Entity::Vf(vf), demand, group.packets.length(), seed));
    }
    if let Some(pf) = &scenario.pf {
        let seed = stream(scenario.seed, vfs.len() as u64);
        sim.add(Flow::new(Entity::Pf, pf.demand.demand(), pf.packets.length(), seed));
    }
    sim
}

/// Enters a migration's changes; paging always has more to move.
fn plan(sim: &mut Sim, migration: &Migration, group: &Group, seed: u64) {
    let vf = migration.vf;
    let guest = vf as usize;
    let chunk = migration.chunk.map_or(u64::MAX, |chunk| chunk.0);
    let paging = sim.add(Flow::new(Entity::Paging(vf), Demand::Silent, Length::Fixed(chunk), seed));
    let (prepare, end) = (migration.prepare.0, migration.end.0);
    let policy = match migration.role {
        Role::Source => Policy::SourceBrownout,
        Role::Target => Policy::Target,
    };
    sim.at(prepare, Change::Policy(vf, policy));
    sim.at(prepare, Change::Demand(paging, Demand::Saturated));
    for step in &migration.throttle {
        sim.at(step.at.0, Change::Throttle(vf, step.speed.permille));
    }
    if let Some(pause) = migration.pause {
        sim.at(pause.0, Change::Policy(vf, Policy::SourceBlackout));
        sim.at(pause.0, Change::Demand(guest, Demand::Silent));
    }
    sim.at(end, Change::Demand(paging, Demand::Silent));
    sim.at(end, Change::Policy(vf, Policy::Normal));
    if migration.cancelled || migration.role == Role::Target {
        sim.at(end, Change::Demand(guest, group.demand.demand()));
    }
}

/// The changes of policy that are timed.
fn changes(migration: &Migration) -> impl Iterator<Item = Switched> {
    let vf = migration.vf;
    let change = move |what: &str, at| Switched {
        what: format!("VF {vf}: {what}"),
        vf,
        at,
        in_force: None,
        running: 0,
        first_paging: None,
    };
    let prepare = change("Prepare", migration.prepare.0);
    let pause = migration.pause.map(|pause| change("pause", pause.0));
    [Some(prepare), pause, Some(change("End", migration.end.0))].into_iter().flatten()
}
