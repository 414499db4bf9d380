//! Timeout detection and recovery under load: engines and adapters that are reset while work is queued on them.
//!
//! A packet that never ends cannot be made by calls that every driver knows. What can is a queue that is full when
//! the reset comes; what a reset must leave alone is then the same.

use alloc::sync::Arc;
use alloc::vec::Vec;

use wddm::*;

use super::bench::{read_page, write_page};
use super::{Bench, Outcome, Stop, accepted, broken, declare, needed};
use crate::dxgkrnl::Recovery;
use crate::host::{Patience, sleep};
use crate::vgpu::Vgpu;
use crate::vidmm::{PagingChannel, PagingError, Run};

const RESET: &str = "DXGKDDI_RESETENGINE callback function (d3dkmddi.h)";
const STATUS: &str = "DXGKDDI_QUERYENGINESTATUS callback function (d3dkmddi.h)";
const TDR: &str = "TDR changes in Windows 8";
const ADAPTER: &str = "DXGKDDI_RESETFROMTIMEOUT callback function (d3dkmddi.h)";
const RESTART: &str = "DXGKDDI_RESTARTFROMTIMEOUT callback function (d3dkmddi.h)";
const PREEMPT: &str = "DXGKDDI_PREEMPTCOMMAND callback function (d3dkmddi.h)";

/// Fills of the packets that keep an engine busy: milliseconds of work.
const FILLS: u32 = 600;
/// Transfers that wait behind them.
const WAITING: u64 = 4;
/// Page that the first transfer begins at; the fills lie before it.
const FIRST: u64 = 16;
/// How long what must not come after a preemption is waited for, in nanoseconds.
const QUIET_NS: u64 = 20_000_000;
/// Between two looks at the node, in nanoseconds.
const POLL_NS: u64 = 100_000;
/// Attempts to reset an engine before it is through with its queue.
const ROUNDS: u32 = 20;

declare! {
    "timeout.engine.dropped" State RESET,
        "When ResetEngine returns nothing is left of the queue: no fence of it is reported any more.",
        dropped;
    "timeout.engine.pending" State TDR,
        "What a reset did not abort is taken again under its fence, is done in order, and arrives.",
        pending;
    "timeout.engine.again" State RESET, "An engine may be reset a second time.", again;
    "timeout.engine.others" State RESET, "The reset of an engine changes no VF's capabilities or config space.", |b| {
        others(b, |b| engine(b).map(drop))
    };
    "timeout.engine.tracking" State RESET, "The reset of an engine loses no dirty page.", |b| {
        tracking(b, |b| engine(b).map(drop))
    };
    "timeout.engine.migration" State RESET,
        "A source whose engine is reset while it runs can still be saved.",
        |b| migration(b, |b| engine(b).map(drop));
    "timeout.status.busy" Answer STATUS, "An engine that works through its queue is responsive.", busy_status;
    "timeout.adapter.dropped" State ADAPTER,
        "After ResetFromTimeout no fence of what was queued is reported, and after the restart the node works.",
        adapter_dropped;
    "timeout.adapter.others" State RESTART,
        "Reset and restart of the adapter change no VF's capabilities or config space.",
        |b| others(b, adapter);
    "timeout.adapter.tracking" State RESTART, "Reset and restart of the adapter lose no dirty page.",
        |b| tracking(b, adapter);
    "timeout.adapter.migration" State RESTART,
        "A source whose adapter is reset and restarted while it runs can still be saved.",
        |b| migration(b, adapter);
    "preempt.pending" State PREEMPT,
        "A preemption of a busy node is answered, and what was not done before the answer is not done after it.",
        preempt_pending;
}

fn node(b: &Bench) -> u32 {
    b.adapter.caps().paging_node
}

/// A node at work: packets of fills, and transfers of a page each behind them, with bytes of their own.
fn busy(vgpu: &Arc<Vgpu>) -> Result<Vec<PagingChannel>, Stop> {
    let mut channels = Vec::new();
    for _ in 0..=WAITING {
        channels.push(vgpu.paging_channel()?);
    }
    channels[0].start_fills(&[Run { first: 0, count: FIRST }], FILLS)?;
    for (page, channel) in (FIRST..).zip(&mut channels[1..]) {
        channel.buffer().fill(page as u8);
        channel.start_in(&[Run { first: page, count: 1 }])?;
    }
    Ok(channels)
}

/// Waits for what was queued; whether all of it is done.
fn finish(channels: Vec<PagingChannel>) -> Result<(), PagingError> {
    channels.into_iter().try_for_each(|mut channel| channel.wait().map(drop))
}

/// Dxgkrnl's recovery of the paging node.
fn engine(b: &Bench) -> Result<Recovery, Stop> {
    b.adapter.reset_engine(node(b)).map_err(|error| Stop::Broken(alloc::format!("{error}")))
}

fn adapter(b: &Bench) -> Outcome {
    let (reset, restart) = b.timeout();
    accepted("ResetFromTimeout", reset)?;
    accepted("RestartFromTimeout", restart)
}

/// Whether nothing comes of what was queued on the paging node up to fence `last`, whose interrupts are ignored. A node
/// reports in the order of submission, so what comes comes before a `marker` that is submitted now.
fn quiet(b: &Bench, last: u32, marker: &mut PagingChannel, after: &str) -> Outcome {
    let interrupts = &b.core().interrupts;
    marker.start_fills(&[Run { first: 0, count: 1 }], 1)?;
    let (_, mark) = interrupts.freeze(node(b));
    let marked = await_node(b, || interrupts.ignored(node(b)).contains(&mark));
    match interrupts.ignored(node(b)).iter().filter(|fence| **fence <= last).count() {
        0 if marked => Ok(()),
        0 => broken!("nothing is reported any more after {after}"),
        late => broken!("{late} fences were reported after {after}"),
    }
}

/// Waits for something that the paging node does and that wakes nobody; whether it came.
fn await_node(b: &Bench, came: impl Fn() -> bool) -> bool {
    await_at(b, node(b), came)
}

/// Preempts a node, and waits for the answer.
pub(super) fn preempted(b: &Bench, node: u32) -> Outcome {
    // One that is not the last one's, whose answer may be there already.
    let fence =
        if b.core().interrupts.preempted(node) == u32::MAX - 31 { u32::MAX - 32 } else { u32::MAX - 31 };
    let mut args = DXGKARG_PREEMPTCOMMAND::zeroed();
    (args.NodeOrdinal, args.PreemptionFenceId) = (node, fence);
    needed("PreemptCommand", b.preempt_command(&mut args))?;
    match await_at(b, node, || b.core().interrupts.preempted(node) == fence) {
        true => Ok(()),
        false => Err(super::bench::skip("a preemption is not answered")),
    }
}

/// Preempts a node that has nothing to do, and resets its engine: both are answered with the last completed fence.
pub(super) fn preempt_and_reset(b: &Bench, node: u32) -> Outcome {
    preempted(b, node)?;
    b.adapter.reset_engine(node)?;
    Ok(())
}

fn await_at(b: &Bench, node: u32, came: impl Fn() -> bool) -> bool {
    let mut patience = Patience::of(b.adapter.options().paging_timeout_ns, POLL_NS);
    while !came() {
        let Some(nap) = patience.nap(b.core().interrupts.progress(node)) else { return false };
        sleep(nap);
    }
    true
}

/// Resets the node at work: nothing of its queue may be reported once `reset` has returned.
fn drops_all(b: &Bench, after: &str, reset: impl Fn() -> Outcome) -> Outcome {
    let vgpu = b.vf(0)?;
    let interrupts = &b.core().interrupts;
    for _ in 0..ROUNDS {
        let mut marker = vgpu.paging_channel()?;
        let channels = busy(&vgpu)?;
        let serial = b.adapter.paging.serial.lock();
        let (_, last) = interrupts.freeze(node(b));
        let verdict = reset();
        let seen = interrupts.abandon(node(b));
        drop(serial);
        let verdict = verdict.and_then(|()| quiet(b, last, &mut marker, after));
        let (_, all) = interrupts.freeze(node(b));
        interrupts.thaw(node(b), all);
        // What was queued is aborted, and says nothing of this rule.
        let _ = finish(channels);
        verdict?;
        // An engine that was through before the reset had nothing to drop.
        if !seen.contains(&last) {
            return Ok(());
        }
    }
    Ok(())
}

fn dropped(b: &Bench) -> Outcome {
    drops_all(b, "ResetEngine", || {
        let mut args = DXGKARG_RESETENGINE::zeroed();
        args.NodeOrdinal = node(b);
        accepted("ResetEngine of a busy engine", b.reset_engine(&mut args))
    })
}

fn pending(b: &Bench) -> Outcome {
    let vgpu = b.vf(0)?;
    for _ in 0..ROUNDS {
        let channels = busy(&vgpu)?;
        let recovery = engine(b)?;
        let done = finish(channels);
        // The engine may have been through, or a packet ended in the midst of the reset and counts as aborted.
        if recovery.adapter || (recovery.submitted_again == 0 && done.is_ok()) {
            continue;
        }
        if let Err(error) = done {
            broken!("after {recovery:?}: {error}")
        }
        for page in FIRST..FIRST + WAITING {
            if read_page(&vgpu, page)?.iter().any(|byte| *byte != page as u8) {
                broken!("page {page} did not arrive after {recovery:?}")
            }
        }
        return Ok(());
    }
    Ok(())
}

fn again(b: &Bench) -> Outcome {
    let first = engine(b)?;
    let second = b.adapter.reset_engine(node(b));
    let Ok(second) = second else { broken!("a second ResetEngine is legal, but {second:?}") };
    super::same("the last fence, when nothing was queued", &first.last_aborted, &second.last_aborted)
}

fn others(b: &Bench, reset: fn(&Bench) -> Outcome) -> Outcome {
    let (_one, two) = (b.vf(0)?, b.vf(1)?);
    needed("WriteVirtualFunctionConfig", b.write_config(0, 0x3C, &[0x5A]))?;
    needed("SetVirtualFunctionPauseState", b.pause(1, true))?;
    write_page(&two, 2, 0x66)?;
    let before = (b.state(0), b.state(1));
    reset(b)?;
    super::same("two VFs after the reset", &before, &(b.state(0), b.state(1)))?;
    if read_page(&two, 2)?.iter().any(|byte| *byte != 0x66) {
        broken!("the memory of VF 1 has changed")
    }
    needed("SetVirtualFunctionPauseState", b.pause(1, false))
}

fn tracking(b: &Bench, reset: fn(&Bench) -> Outcome) -> Outcome {
    let vgpu = b.vf(0)?;
    vgpu.start_tracking()?;
    let mut bits = alloc::vec![0u64; vgpu.pages().div_ceil(64) as usize];
    vgpu.query_dirty(true, &mut bits)?;
    write_page(&vgpu, 5, 1)?;
    reset(b)?;
    write_page(&vgpu, 9, 1)?;
    vgpu.query_dirty(false, &mut bits)?;
    super::same("dirty pages, one written before the reset and one after it", &(1 << 5 | 1 << 9), &bits[0])
}

fn migration(b: &Bench, reset: fn(&Bench) -> Outcome) -> Outcome {
    let _vgpu = b.vf(1)?;
    needed("PrepareLiveMigration", b.prepare_source(1))?;
    let verdict = reset(b).and_then(|()| {
        let (status, bytes) = b.save_immutable(1, None);
        accepted("SaveImmutableMigrationData after the reset", status)?;
        let mut data = alloc::vec![0; bytes as usize];
        accepted("SaveImmutableMigrationData after the reset", b.save_immutable(1, Some(&mut data)).0)?;
        accepted("SaveMutableMigrationData after the reset", b.save_mutable(1, None).0)
    });
    needed("EndLiveMigration", b.end(1))?;
    verdict
}

fn busy_status(b: &Bench) -> Outcome {
    let vgpu = b.vf(0)?;
    let channels = busy(&vgpu)?;
    let mut args = DXGKARG_QUERYENGINESTATUS::zeroed();
    args.NodeOrdinal = node(b);
    let status = b.query_engine_status(&mut args);
    finish(channels)?;
    accepted("QueryEngineStatus of a busy engine", status)?;
    if !args.EngineStatus.contains(DXGK_ENGINESTATUS::Responsive) {
        broken!("an engine that worked through its queue was not responsive")
    }
    Ok(())
}

fn adapter_dropped(b: &Bench) -> Outcome {
    drops_all(b, "ResetFromTimeout", || adapter(b))?;
    super::submission::works(b, 0x33)
}

fn preempt_pending(b: &Bench) -> Outcome {
    const FENCE: u32 = u32::MAX - 21;
    let vgpu = b.vf(0)?;
    let channels = busy(&vgpu)?;
    let interrupts = &b.core().interrupts;
    let serial = b.adapter.paging.serial.lock();
    let mut args = DXGKARG_PREEMPTCOMMAND::zeroed();
    (args.NodeOrdinal, args.PreemptionFenceId) = (node(b), FENCE);
    let status = b.preempt_command(&mut args);
    let answered = await_node(b, || interrupts.preempted(node(b)) == FENCE);
    interrupts.freeze(node(b));
    // A driver that goes on all the same has time to show it; one that does not is right after any time.
    sleep(QUIET_NS);
    let late = interrupts.ignored(node(b)).len();
    let verdict = accepted("PreemptCommand of a busy node", status);
    let (completed, _) = interrupts.freeze(node(b));
    interrupts.thaw(node(b), completed);
    interrupts.submit_again(node(b), |args| b.core().submit_command_virtual(args));
    drop(serial);
    let done = finish(channels);
    verdict?;
    if !answered {
        broken!("the preemption was not answered")
    }
    if late > 0 {
        broken!("{late} fences were reported after the preemption")
    }
    done.map_err(Stop::from)
}
