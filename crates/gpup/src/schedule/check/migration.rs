//! When a migration's steps may come.

use super::{BRIEF, Fault, fault, within};
use crate::schedule::scenario::{Migration, Role, Scenario};
use crate::schedule::values::Ticks;

/// The error is one line.
pub(super) fn check(scenario: &Scenario, vfs: u64) -> Result<(), String> {
    for (index, migration) in scenario.migrations.iter().enumerate() {
        let name = |(key, what): Fault| format!("migration[{index}].{key}: {what}");
        one(migration, scenario, vfs).map_err(name)?;
        if scenario.migrations[..index].iter().any(|other| other.vf == migration.vf) {
            return Err(name(("vf", format!("VF {} migrates only once: choose another", migration.vf))));
        }
    }
    Ok(())
}

fn one(migration: &Migration, scenario: &Scenario, vfs: u64) -> Result<(), Fault> {
    let Migration { vf, prepare, end, .. } = *migration;
    if u64::from(vf) >= vfs {
        return fault("vf", format!("no VF {vf}: this scenario has VFs 0 to {}", vfs - 1));
    }
    if prepare.0 == 0 {
        return fault(
            "prepare",
            format!("{prepare} leaves no time before to compare with: write more than 0s"),
        );
    }
    match migration.role {
        Role::Source => source(migration)?,
        Role::Target => target(migration)?,
    }
    if end > scenario.length {
        let length = scenario.length;
        return fault("end", format!("{end} is past the scenario's length: write at most {length}"));
    }
    match migration.chunk {
        Some(chunk) => within("chunk", chunk, BRIEF, Ticks(scenario.engine.limits().chunk)),
        None => Ok(()),
    }
}

fn source(migration: &Migration) -> Result<(), Fault> {
    let Migration { prepare, end, .. } = *migration;
    let Some(pause) = migration.pause else {
        return fault("pause", "missing: write when the VF is paused, or role = \"target\"");
    };
    if pause <= prepare {
        return fault("pause", format!("{pause} is not later than prepare: write more than {prepare}"));
    }
    if end <= pause {
        return fault("end", format!("{end} is not later than pause: write more than {pause}"));
    }
    for (index, step) in migration.throttle.iter().enumerate() {
        if !(prepare..pause).contains(&step.at) {
            let at = step.at;
            let what = format!("a step at {at} is not between prepare, {prepare}, and pause, {pause}");
            return fault("throttle", what);
        }
        if migration.throttle[..index].iter().any(|other| other.at == step.at) {
            return fault("throttle", format!("two steps at {}: leave one of them out", step.at));
        }
    }
    Ok(())
}

fn target(migration: &Migration) -> Result<(), Fault> {
    let Migration { prepare, end, .. } = *migration;
    if migration.pause.is_some() {
        return fault("pause", "a target's VF is paused from prepare on: leave it out");
    }
    if !migration.throttle.is_empty() {
        return fault("throttle", "a target's VF has no work yet to slow down: leave it out");
    }
    if migration.cancelled {
        return fault("cancelled", "true is for a source, whose VF then runs on: leave it out");
    }
    if end <= prepare {
        return fault("end", format!("{end} is not later than prepare: write more than {prepare}"));
    }
    Ok(())
}
