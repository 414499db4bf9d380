//! The rules that the simulated Dxgkrnl judges on every call, and the work in whose course it does.

use alloc::vec::Vec;

use super::bench::read_page;
use super::{Bench, CheckRule, Judge, Kind, Outcome, needed};
use crate::contract;
use crate::vidmm::{PagingError, Run, fill};

/// An address that no process maps.
const NOWHERE: u64 = 0x3F_0000;

/// The contract's rules, as rules of the checker.
pub(super) fn rules() -> impl Iterator<Item = CheckRule> {
    contract::RULES.iter().map(|rule| CheckRule {
        id: rule.id,
        page: rule.page,
        demand: rule.text,
        kind: kind(rule.id),
        judge: Judge::Recorded,
    })
}

fn kind(id: &str) -> Kind {
    match id {
        "OUTPUT_OVERRUN" | "PAGING_BUFFER" | "MULTIPASS" | "INTERFACE_SIZE" | "SAVE_TWO_CALLS"
        | "DIRTY_BITS" => Kind::Size,
        "DEVICE_HANDLE" | "FENCE_UNKNOWN" => Kind::Handle,
        "IRQL_CHANGED"
        | "CALLBACK_IRQL"
        | "NOTIFY_INTERRUPT_IRQL"
        | "NOTIFY_REENTRANT"
        | "QUEUE_DPC"
        | "NOTIFY_DPC"
        | "FENCE_ORDER"
        | "FENCE_ONCE"
        | "LEAK" => Kind::State,
        "TABLE_REQUIRED" | "TABLE_PROHIBITED" | "TABLE_VERSION" | "TABLE_MIGRATION" | "CHILDREN" => {
            Kind::Start
        }
        _ => Kind::Answer,
    }
}

/// An engine that is preempted and reset while it has nothing to do.
fn recovery(b: &Bench) -> Outcome {
    let node = b.adapter.caps().paging_node;
    let mut args = wddm::DXGKARG_PREEMPTCOMMAND::zeroed();
    (args.NodeOrdinal, args.PreemptionFenceId) = (node, u32::MAX - 11);
    needed("PreemptCommand", b.preempt_command(&mut args))?;
    b.adapter.reset_engine(node)?;
    Ok(())
}

/// What user mode can bring about, and what is asked of the driver after it.
fn from_user_mode(b: &Bench) -> Outcome {
    super::submission::refusal(b)?;
    super::timeout::preempt_and_reset(b, b.adapter.caps().paging_node)?;
    // Where there is no kernel-mode testing, nobody can be made to fault.
    let Ok((_vgpu, mut process)) = super::testing::process(b) else { return Ok(()) };
    let faulted = process.run(fill(NOWHERE, 64, 1));
    if !matches!(faulted, Err(PagingError::Fault(_))) {
        return Err(super::bench::skip("a fill of what is not mapped does not fault"));
    }
    super::timeout::preempt_and_reset(b, process.node())?;
    Ok(b.adapter.reset_adapter()?)
}

/// What a migration makes of a driver, in short: paging on two channels, the two calls of both Save DDIs, a refusal
/// with its triage event, and a harvest. The adapter's start has asked for everything else.
pub(super) fn work(b: &Bench) -> Outcome {
    let one = b.vf(0)?;
    let mut channels = [one.paging_channel()?, one.paging_channel()?];
    for (page, channel) in (0..).zip(&mut channels) {
        channel.start_in(&[Run { first: page, count: 1 }])?;
    }
    for channel in &mut channels {
        channel.wait()?;
    }
    drop(channels);
    read_page(&one, 1)?;
    one.start_tracking()?;
    let mut words: Vec<u64> = alloc::vec![0; one.pages().div_ceil(64) as usize];
    one.query_dirty(true, &mut words)?;
    one.query_dirty_pages(false, 0, 10, &mut words)?;
    let larger = super::restore::larger(b)?;
    needed("PrepareLiveMigration", b.prepare_source(0))?;
    let (immutable, mutable) = (one.save_immutable()?, one.save_mutable()?);
    let two = b.vf(1)?;
    needed("PrepareLiveMigration", b.prepare_target(1))?;
    if two.restore_immutable(&larger).is_ok() {
        return Err(super::bench::skip("a target takes the data of a larger VF"));
    }
    needed("RestoreImmutableMigrationData", b.restore_immutable(1, &immutable))?;
    needed("RestoreMutableMigrationData", b.restore_mutable(1, &mutable))?;
    one.end()?;
    two.end()?;
    drop((one, two));
    recovery(b)?;
    from_user_mode(b)
}
