//! What a scenario file may not say, although every value by itself is one.

use gpup_core::sched::Scheduler;

use super::scenario::{Group, Migration, Role, Scenario, Ticks, Wants};
use crate::units::seconds;

/// Most VFs of a scenario.
const MAX_VFS: u32 = 1024;
/// Shortest scenario.
const SHORTEST: u64 = 1_000_000;

/// The error names the key and says what to write.
pub(super) fn check(scenario: &Scenario) -> Result<(), String> {
    let vfs = scenario.groups.iter().try_fold(0u32, |sum, group| sum.checked_add(group.count));
    let vfs = vfs.filter(|vfs| (1..=MAX_VFS).contains(vfs));
    let vfs = vfs.ok_or_else(|| format!("vf: between 1 and {MAX_VFS} VFs in all: change the counts"))?;
    if scenario.length.0 < SHORTEST {
        return Err("length: at least 1ms: write how long to simulate, such as \"60s\"".into());
    }
    for (index, group) in scenario.groups.iter().enumerate() {
        check_group(group).map_err(|(key, what)| format!("vf[{index}].{key}: {what}"))?;
    }
    if let Some(pf) = &scenario.pf {
        let fault = pf.packets.fault();
        fault.map_or(Ok(()), |what| Err(format!("pf.packets: {what}")))?;
        check_demand(pf.demand).map_err(|(key, what)| format!("pf.{key}: {what}"))?;
    }
    if Scheduler::new(vfs, scenario.engine.limits()).is_err() {
        return Err("engine: every time above 0s and at most 1000s, pf_weight above 0".into());
    }
    if scenario.engine.switch.0 >= scenario.engine.limits().chunk {
        return Err("engine.switch: shorter than engine.chunk, or paging never gets anything done".into());
    }
    for (index, migration) in scenario.migrations.iter().enumerate() {
        let name = |(key, what): Fault| format!("migration[{index}].{key}: {what}");
        check_migration(migration, vfs, scenario.length).map_err(name)?;
        if scenario.migrations[..index].iter().any(|other| other.vf == migration.vf) {
            return Err(name(("vf", format!("VF {} migrates only once: choose another", migration.vf))));
        }
    }
    Ok(())
}

/// A key and what is wrong with it.
type Fault = (&'static str, String);

fn fault<T>(key: &'static str, what: impl Into<String>) -> Result<T, Fault> {
    Err((key, what.into()))
}

fn check_group(group: &Group) -> Result<(), Fault> {
    let parameters = group.parameters();
    if group.count == 0 {
        return fault("count", "at least 1");
    }
    if parameters.weight == 0 {
        return fault("weight", "at least 1; the usual weight is 1024");
    }
    if parameters.within_limits() != parameters {
        let key = if parameters.within_limits().quantum_us == parameters.quantum_us {
            "preempt_timeout"
        } else {
            "quantum"
        };
        return fault(key, "a quantum lasts 100us to 100ms, a preempt timeout 0s (none) to 10s");
    }
    if let Some(what) = group.packets.fault() {
        return fault("packets", what);
    }
    check_demand(group.demand)
}

fn check_demand(demand: Wants) -> Result<(), Fault> {
    match demand {
        Wants::Closed(Ticks(0)) => fault("demand", "no think time means demand = \"saturated\""),
        _ => Ok(()),
    }
}

fn check_migration(migration: &Migration, vfs: u32, length: Ticks) -> Result<(), Fault> {
    if migration.vf >= vfs {
        return fault("vf", format!("no VF {}: this scenario has VFs 0 to {}", migration.vf, vfs - 1));
    }
    if migration.prepare.0 == 0 {
        return fault("prepare", "later than 0s, so that there is a before to compare with");
    }
    let brownout_ends = match (migration.role, migration.pause) {
        (Role::Source, Some(pause)) if pause > migration.prepare => pause,
        (Role::Source, Some(_)) => return fault("pause", "later than prepare"),
        (Role::Source, None) => {
            return fault("pause", "missing: write when the VF is paused, or role = \"target\"");
        }
        (Role::Target, Some(_)) => {
            return fault("pause", "a target's VF is paused from prepare on: leave it out");
        }
        (Role::Target, None) => migration.prepare,
    };
    if migration.end <= brownout_ends {
        return fault("end", "later than prepare and pause");
    }
    if migration.end > length {
        let length = seconds(length.0 as f64 / 1e9);
        return fault("end", format!("not later than the scenario's length of {length}"));
    }
    if migration.chunk == Some(Ticks(0)) {
        return fault("chunk", "longer than 0s, such as \"250us\"");
    }
    let steps = migration.throttle.iter();
    if let Some(step) = steps.clone().find(|step| step.at < migration.prepare || step.at >= brownout_ends) {
        let at = seconds(step.at.0 as f64 / 1e9);
        return fault("throttle", format!("a step at {at} is not between prepare and pause"));
    }
    Ok(())
}
