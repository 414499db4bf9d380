//! What a scenario file may not say, although every value by itself is one. Errors name the key, the value and what may
//! be written in its place.

mod migration;

use gpup_core::sched::VfParameters;

use super::scenario::{Engine, Group, Packets, Scenario, Wants};
use super::values::{Micros, Pair, Ticks};

/// Most VFs of a scenario.
const MAX_VFS: u64 = 1024;
/// Shortest scenario.
const SHORTEST: Ticks = Ticks(1_000_000);
/// Shortest packet, piece of paging and rest between packets: with shorter ones a run would never be over.
const BRIEF: Ticks = Ticks(1_000);
/// Longest packet and turn: what is longer, the scheduler does not learn.
const LONG: Ticks = Ticks(100_000_000_000);

/// A key below the place that is checked, and what is wrong with its value.
type Fault = (&'static str, String);

fn fault<T>(key: &'static str, what: impl Into<String>) -> Result<T, Fault> {
    Err((key, what.into()))
}

/// The error is one line.
pub(super) fn check(scenario: &Scenario) -> Result<(), String> {
    let vfs: u64 = scenario.groups.iter().map(|group| u64::from(group.count)).sum();
    if !(1..=MAX_VFS).contains(&vfs) {
        return Err(format!("vf: {vfs} VFs in all: change the counts, to between 1 and {MAX_VFS}"));
    }
    if scenario.length < SHORTEST {
        return Err(format!("length: {} is too short: write {SHORTEST} or more", scenario.length));
    }
    for (index, group) in scenario.groups.iter().enumerate() {
        check_group(group, scenario.length).map_err(|(key, what)| format!("vf[{index}].{key}: {what}"))?;
    }
    if let Some(pf) = &scenario.pf {
        let work = check_packets(&pf.packets, scenario.length).and(check_demand(pf.demand, scenario.length));
        work.map_err(|(key, what)| format!("pf.{key}: {what}"))?;
    }
    let wants = |demand: Wants| demand != Wants::Silent;
    let works = scenario.groups.iter().any(|group| wants(group.demand))
        || scenario.pf.as_ref().is_some_and(|pf| wants(pf.demand));
    if !works && scenario.migrations.is_empty() {
        return Err("vf: all are silent, so nothing ever runs: give one another demand".into());
    }
    check_engine(&scenario.engine).map_err(|(key, what)| format!("engine.{key}: {what}"))?;
    migration::check(scenario, vfs)
}

/// Refuses a time that is not between the two.
fn within(key: &'static str, time: Ticks, least: Ticks, most: Ticks) -> Result<(), Fault> {
    match time {
        time if time < least => fault(key, format!("{time} is too short: write {least} to {most}")),
        time if time > most => fault(key, format!("{time} is too long: write {least} to {most}")),
        _ => Ok(()),
    }
}

fn check_weight(key: &'static str, weight: u32) -> Result<(), Fault> {
    match weight {
        1..=VfParameters::MOST_WEIGHT => Ok(()),
        _ => fault(
            key,
            format!("{weight} is no weight: write 1 to {}; the usual one is 1024", VfParameters::MOST_WEIGHT),
        ),
    }
}

fn check_engine(engine: &Engine) -> Result<(), Fault> {
    let limits = engine.limits();
    for (key, ticks) in [
        ("packet", limits.packet),
        ("chunk", limits.chunk),
        ("patience", limits.patience),
        ("pf_quantum", limits.pf_quantum),
    ] {
        within(key, Ticks(ticks), BRIEF, LONG)?;
    }
    check_weight("pf_weight", limits.pf_weight)?;
    if engine.switch.0 >= limits.chunk {
        let chunk = Ticks(limits.chunk);
        let what = format!("{} leaves paging nothing of a chunk: write less than {chunk}", engine.switch);
        return fault("switch", what);
    }
    Ok(())
}

fn check_group(group: &Group, length: Ticks) -> Result<(), Fault> {
    if group.count == 0 {
        return fault("count", "0 VFs are none: write at least 1, or leave the table out");
    }
    check_weight("weight", group.weight.unwrap_or(1))?;
    let (least, most) = (*VfParameters::QUANTUM_US.start(), *VfParameters::QUANTUM_US.end());
    if let Some(quantum) = group.quantum
        && !(u64::from(least)..=u64::from(most)).contains(&quantum.0)
    {
        let (least, most) = (Micros(least.into()), Micros(most.into()));
        return fault("quantum", format!("{quantum} is no quantum: write {least} to {most}"));
    }
    let most = Micros(VfParameters::MOST_PREEMPT_TIMEOUT_US.into());
    if let Some(timeout) = group.preempt_timeout
        && timeout.0 > most.0
    {
        let what = format!("{timeout} is no preempt timeout: write 0s (none) to {most}");
        return fault("preempt_timeout", what);
    }
    check_packets(&group.packets, length)?;
    check_demand(group.demand, length)
}

fn check_packets(packets: &Packets, length: Ticks) -> Result<(), Fault> {
    const KEY: &str = "packets";
    match packets {
        Packets::Uniform(Pair(low, high)) if low > high => {
            let what = format!("{low} is longer than {high}: write the shorter one first");
            return fault(KEY, what);
        }
        Packets::Mix(kinds) if kinds.iter().any(|Pair(_, often)| *often == 0) => {
            return fault(KEY, "a length that comes 0 times never comes: write 1 or more, or leave it out");
        }
        _ => {}
    }
    let Some((shortest, longest)) = packets.span() else {
        let example = "mix = [[\"50us\", 9], [\"20ms\", 1]]";
        return fault(
            KEY,
            format!("an empty mix is nothing: write lengths and how often each comes, {example}"),
        );
    };
    within(KEY, shortest, BRIEF, LONG)?;
    within(KEY, longest, BRIEF, LONG)?;
    if longest > length {
        let what = format!("{longest} is more than the scenario's length: write at most {length}");
        return fault(KEY, what);
    }
    Ok(())
}

fn check_demand(demand: Wants, length: Ticks) -> Result<(), Fault> {
    match demand {
        Wants::Closed(think) if think < BRIEF => {
            fault("demand", format!("a rest of {think} is none: write demand = \"saturated\""))
        }
        Wants::Closed(think) if think > length => {
            let what =
                format!("a rest of {think} outlasts the scenario: write at most {length}, or \"silent\"");
            fault("demand", what)
        }
        _ => Ok(()),
    }
}
