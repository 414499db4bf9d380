//! Engines that hang: what kernel-mode testing is for. A loop that never ends is aborted by ResetEngine, one that lets
//! itself be preempted by PreemptCommand; and no call waits for either near the time that Dxgkrnl lets a thread stay in
//! the driver.
//!
//! Where the driver has no kernel-mode testing, nothing here is judged.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use wddm::*;

use super::{Bench, Outcome, Stop, broken, declare, needed, submission, testing};
use crate::contract::FenceState;
use crate::dxgkrnl::Recovery;
use crate::host::{MILLISECOND, Thread, sleep};
use crate::vidmm::TestProcess;

const OPERATION: &str = "D3DDDI_TESTCOMMANDBUFFEROP enumeration (d3dukmdt.h)";
const DELAY: &str = "Testing and debugging TDR during driver development";

/// Resets until the engine has come to the loop.
const ATTEMPTS: u32 = 1000;
/// A nap of who measures.
const NAP_NS: u64 = 10 * MILLISECOND;
/// Naps that a call may last: half of TdrDdiDelay, which is five seconds.
const NAPS: u64 = 250;

declare! {
    "hang.reset" State OPERATION,
        "A loop that never ends is aborted by ResetEngine, which names its fence, and the node works on.", reset;
    "hang.preempt" State OPERATION,
        "A loop that lets itself be preempted ends with PreemptCommand, and goes on when it is submitted again.",
        preempt;
    "hang.bound" Answer DELAY,
        "ResetEngine of an engine that hangs, and a reset of the adapter, are through in half of TdrDdiDelay.", bound;
}

fn endless(operation: D3DDDI_TESTCOMMANDBUFFEROP) -> D3DDDI_TESTCOMMANDBUFFER {
    let mut command = D3DDDI_TESTCOMMANDBUFFER::zeroed();
    command.Operation = operation;
    command
}

/// Starts a loop; its fence.
fn start(process: &mut TestProcess, operation: D3DDDI_TESTCOMMANDBUFFEROP) -> Result<u32, Stop> {
    let buffer = process.build(endless(operation))?;
    Ok(process.start(&buffer)?)
}

fn hang(process: &mut TestProcess) -> Result<u32, Stop> {
    start(process, D3DDDI_TESTCOMMANDBUFFEROP::D3DDDI_TESTCOMMANDBUFFEROP_INFINITE_LOOP)
}

/// Resets the engine until it has aborted `fence`. One that had not begun is not aborted, and is submitted again.
fn abort(b: &Bench, node: u32, fence: u32) -> Outcome {
    for _ in 0..ATTEMPTS {
        match b.adapter.reset_engine(node) {
            Ok(Recovery { last_aborted, .. }) if last_aborted >= fence => {
                return match b.core().interrupts.fence(node, fence) {
                    FenceState::Aborted => Ok(()),
                    other => broken!("fence {fence} is {other:?} after ResetEngine named {last_aborted}"),
                };
            }
            Ok(_) => sleep(MILLISECOND),
            Err(error) => broken!("{error}"),
        }
    }
    broken!("{ATTEMPTS} resets have not aborted a loop that never ends")
}

fn reset(b: &Bench) -> Outcome {
    let (_vgpu, mut process) = testing::process(b)?;
    let fence = hang(&mut process)?;
    abort(b, process.node(), fence)?;
    drop((process, _vgpu));
    submission::works(b, 0x61)
}

fn preempt(b: &Bench) -> Outcome {
    let (_vgpu, mut process) = testing::process(b)?;
    let node = process.node();
    start(&mut process, D3DDDI_TESTCOMMANDBUFFEROP::D3DDDI_TESTCOMMANDBUFFEROP_INFINITE_PREEMPTABLE_LOOP)?;
    let answered = super::timeout::preempted(b, node);
    if answered.is_ok() {
        let again = b.core().interrupts.submit_again(node, |args| b.core().submit_command_virtual(args));
        if again != 1 {
            broken!("{again} packets were to be submitted again")
        }
    }
    // Nothing but the loss of everything ends it for good. Dxgkrnl looks at the engine before.
    b.adapter.is_responsive(node)?;
    b.adapter.reset_adapter()?;
    match answered {
        Err(Stop::Skipped(what)) => broken!("{what}"),
        answered => answered,
    }
}

/// Naps of a thread that does nothing else, as many as it has while `call` lasts: on a busy machine both are slow.
fn naps(call: impl FnOnce() -> Outcome) -> Result<u64, Stop> {
    let (over, naps) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (theirs, count) = (Arc::clone(&over), Arc::clone(&naps));
    let thread = Thread::spawn("naps", move || {
        while !theirs.load(Ordering::Acquire) {
            sleep(NAP_NS);
            count.fetch_add(1, Ordering::AcqRel);
        }
    });
    let Some(thread) = thread else { return Err(super::bench::skip("no thread to measure with")) };
    let outcome = call();
    let lasted = naps.load(Ordering::Acquire);
    over.store(true, Ordering::Release);
    drop(thread);
    outcome.map(|()| lasted)
}

fn bound(b: &Bench) -> Outcome {
    let (_vgpu, mut process) = testing::process(b)?;
    let node = process.node();
    let fence = hang(&mut process)?;
    let mut longest = 0;
    let mut args = DXGKARG_RESETENGINE::zeroed();
    args.NodeOrdinal = node;
    b.core().interrupts.freeze(node);
    longest = longest.max(naps(|| needed("ResetEngine", b.reset_engine(&mut args)))?);
    b.core().interrupts.thaw(node, fence);
    longest = longest.max(naps(|| Ok(b.adapter.reset_adapter()?))?);
    if longest > NAPS {
        broken!("a reset lasted for {longest} naps of 10 ms, where {NAPS} are half of TdrDdiDelay")
    }
    Ok(())
}
