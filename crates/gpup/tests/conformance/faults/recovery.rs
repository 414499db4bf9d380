//! Resets under load, D3cold, and the power of an adapter.

use std::mem::offset_of;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use wddm::*;

use super::answers::scribble;
use super::dirty::clear;
use super::{Case, OK, after, deny, fail, fault};
use crate::world::World;
use crate::wrap::{Call, Fault, direct};

const RESET: &str = "DxgkDdiResetEngine";
const RESTART: &str = "DxgkDdiRestartFromTimeout";
const POWER: &str = "DxgkDdiSetPowerState";
const NOTIFY: &str = "DxgkCbNotifyInterrupt";
const D0: u32 = 1;
const D3: i32 = 4;

pub(super) fn cases() -> Vec<Case> {
    [engine(), hangs(), adapter(), preemption(), cold()].into_iter().flatten().collect()
}

/// Ends VF 1's migration behind everybody's back.
fn end(c: &Call<'_>, world: &World) {
    if world.vf(1).role.is_some() {
        direct("DxgkDdiEndLiveMigration", c.args[0], 1);
    }
}

fn engine() -> Vec<Case> {
    const NONE: u32 = u32::MAX;
    let (aborted, stopped) = (offset_of!(DXGKARG_RESETENGINE, LastAbortedFenceId), AtomicU32::new(NONE));
    vec![
        (
            "timeout.engine.dropped",
            fault(move |c, world| {
                // The resets before are those of an idle engine; after a broken rule there is another adapter.
                if c.name != RESET || world.count(RESET) < 2 {
                    return None;
                }
                let stops = world.count("DxgkDdiStopDevice");
                let first = stopped.compare_exchange(NONE, stops, Ordering::SeqCst, Ordering::SeqCst);
                (first == Ok(NONE) || first == Err(stops)).then(|| {
                    c.put(1, aborted, 0u32);
                    OK
                })
            }),
        ),
        (
            "timeout.engine.pending",
            fault(|c, world| {
                let submits = c.name == "DxgkDdiSubmitCommandVirtual" && world.last == RESET;
                let paging = |c: &Call<'_>| {
                    c.read::<DXGKARG_SUBMITCOMMANDVIRTUAL>(1).Flags.contains(DXGK_SUBMITCOMMANDFLAGS::Paging)
                };
                (submits && paging(c)).then_some(STATUS_INVALID_PARAMETER.0 as u32 as usize)
            }),
        ),
        ("timeout.engine.again", fail(RESET, |_, world| world.last == RESET)),
        ("timeout.engine.others", after(RESET, |c, _| scribble(c.args[0], 0, 9))),
        ("timeout.engine.tracking", after(RESET, |c, world| clear(c.args[0], world.last_basis))),
        ("timeout.engine.migration", after(RESET, end)),
        (
            "timeout.status.busy",
            after("DxgkDdiQueryEngineStatus", |c, world| {
                if world.last == "DxgkDdiSubmitCommandVirtual" {
                    c.put(1, offset_of!(DXGKARG_QUERYENGINESTATUS, EngineStatus), 0u32);
                }
            }),
        ),
        (
            "ABORTED_FENCE",
            after(RESET, move |c, world| {
                // An engine that hangs would be taken for one that does not.
                if !world.hangs {
                    c.put(1, aborted, u32::MAX);
                }
            }),
        ),
    ]
}

/// The first call of `name` after a loop of this kind was built is altered.
fn after_a_loop(
    operation: D3DDDI_TESTCOMMANDBUFFEROP,
    name: &'static str,
    alter: fn(&Call<'_>) -> usize,
) -> Fault {
    let built = AtomicBool::new(false);
    fault(move |c, _| {
        let builds = c.name == "pfnBuildTestCommandBuffer";
        if builds && c.read::<DXGKARG_BUILDTESTCOMMANDBUFFER>(1).Command.Operation == operation {
            built.store(true, Ordering::SeqCst);
        }
        (c.name == name && built.swap(false, Ordering::SeqCst)).then(|| alter(c))
    })
}

fn hangs() -> Vec<Case> {
    type Operation = D3DDDI_TESTCOMMANDBUFFEROP;
    let forever = Operation::D3DDDI_TESTCOMMANDBUFFEROP_INFINITE_LOOP;
    let preemptible = Operation::D3DDDI_TESTCOMMANDBUFFEROP_INFINITE_PREEMPTABLE_LOOP;
    let built = AtomicU32::new(0);
    vec![
        (
            "hang.reset",
            // Its loop is the first, built in two calls; the other rules' come later.
            fault(move |c, _| {
                let loops = c.name == "pfnBuildTestCommandBuffer"
                    && c.read::<DXGKARG_BUILDTESTCOMMANDBUFFER>(1).Command.Operation == forever;
                if loops {
                    built.fetch_add(1, Ordering::SeqCst);
                }
                let first = c.name == RESET
                    && built.compare_exchange(2, 3, Ordering::SeqCst, Ordering::SeqCst).is_ok();
                first.then_some(super::FAILED)
            }),
        ),
        ("hang.preempt", after_a_loop(preemptible, "DxgkDdiPreemptCommand", |_| OK)),
        (
            "hang.bound",
            after_a_loop(forever, "DxgkDdiResetFromTimeout", |c| {
                let result = c.forward();
                // Naps like those that are counted beside it, and more of them.
                for _ in 0..300 {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                result
            }),
        ),
    ]
}

fn adapter() -> Vec<Case> {
    vec![
        (
            "timeout.adapter.dropped",
            fault(|c, world| {
                let busy = world.last == "DxgkDdiSubmitCommandVirtual";
                (c.name == "DxgkDdiResetFromTimeout" && busy).then_some(OK)
            }),
        ),
        ("timeout.adapter.others", after(RESTART, |c, _| scribble(c.args[0], 1, 9))),
        ("timeout.adapter.tracking", after(RESTART, |c, world| clear(c.args[0], world.last_basis))),
        ("timeout.adapter.migration", after(RESTART, end)),
    ]
}

/// Interrupts that answer a preemption.
fn preempted(alter: fn(&Call<'_>, &World) -> Option<usize>) -> Fault {
    fault(move |c, world| if kind(c) == PREEMPTED { alter(c, world) } else { None })
}

const COMPLETED: i32 = DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_COMPLETED.0;
const FAULTED: i32 = DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_FAULTED.0;
const PREEMPTED: i32 = DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_PREEMPTED.0;
const PAGE_FAULTED: i32 = DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_PAGE_FAULTED.0;

/// The kind of an interrupt, of a call that reports one.
fn kind(c: &Call<'_>) -> i32 {
    if c.name == NOTIFY { c.at::<i32>(1, 0) } else { -1 }
}

/// The node that an interrupt or a submission is about; none when it does not matter.
fn node_of(c: &Call<'_>) -> Option<usize> {
    let offset = match kind(c) {
        COMPLETED => 12,
        FAULTED | PREEMPTED => 16,
        PAGE_FAULTED => 8 + offset_of!(DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMAPAGEFAULTED, NodeOrdinal),
        _ if c.name == "DxgkDdiSubmitCommandVirtual" => 60,
        _ => return None,
    };
    Some(c.at::<u32>(1, offset) as usize).filter(|node| *node < 2)
}

/// Where the last thing that came of a node's fences before a preemption is `this`, the preemption is answered with a
/// fence that is one too old.
fn stale_after(this: fn(&Call<'_>, NTSTATUS) -> bool) -> Fault {
    let came = [const { AtomicBool::new(false) }; 2];
    fault(move |c, _| {
        if c.name == RESET {
            // What it aborts comes last.
            came.iter().for_each(|came| came.store(false, Ordering::SeqCst));
        }
        let node = node_of(c)?;
        if kind(c) == PREEMPTED {
            if came[node].swap(false, Ordering::SeqCst) {
                // LastCompletedFenceId of the union's DmaPreempted.
                c.put(1, 12, c.at::<u32>(1, 12) - 1);
            }
            return Some(c.forward());
        }
        let result = c.forward();
        let refused = c.name != NOTIFY && NTSTATUS(result as i32) != STATUS_SUCCESS;
        if this(c, NTSTATUS(result as i32)) {
            came[node].store(true, Ordering::SeqCst);
        } else if c.name == NOTIFY || refused {
            came[node].store(false, Ordering::SeqCst);
        }
        Some(result)
    })
}

fn preemption() -> Vec<Case> {
    vec![
        (
            "preempt.pending",
            // Engines that hang have a rule of their own.
            preempted(|_, world| (!world.hangs).then_some(0)),
        ),
        ("FAULTED_FENCE", stale_after(|c, _| kind(c) == FAULTED || kind(c) == PAGE_FAULTED)),
        (
            "REFUSED_FENCE",
            stale_after(|c, status| c.name == "DxgkDdiSubmitCommandVirtual" && status != STATUS_SUCCESS),
        ),
        ("PREEMPTED_FENCE", stale_after(|c, _| kind(c) == COMPLETED)),
    ]
}

/// The adapter comes back from D3.
fn awake(then: fn(&Call<'_>, &World)) -> Fault {
    after(POWER, move |c, world| {
        if c.args[2] as u32 == D0 && world.power == D3 {
            then(c, world);
        }
    })
}

fn cold() -> Vec<Case> {
    vec![
        (
            "power.cold.vfs",
            awake(|c, world| {
                if sleeps(world, 0) && sleeps(world, 1) {
                    scribble(c.args[0], 1, 9);
                }
            }),
        ),
        (
            "power.cold.memory",
            awake(|c, world| {
                if sleeps(world, 1) && !world.vf(0).alive {
                    let mut args = DXGKARG_RESETVIRTUALFUNCTION { VirtualFunctionIndex: 1 };
                    direct("DxgkDdiResetVirtualFunction", c.args[0], &raw mut args as usize);
                }
            }),
        ),
        (
            "power.cold.tracking",
            awake(|c, world| {
                if sleeps(world, 0) && !world.vf(1).alive {
                    clear(c.args[0], world.last_basis);
                }
            }),
        ),
        (
            "power.cold.count",
            after("DxgkDdiGetGpuPartitionInfo", |c, world| {
                if world.last == POWER {
                    c.put(1, offset_of!(DXGKARG_GETGPUPARTITIONINFO, CurrentGpuPartitionCount), 1u16);
                }
            }),
        ),
        (
            "power.cold.destroy",
            fail("DxgkDdiDestroyVirtualGpu", |_, world| world.power == D3 && world.last == POWER),
        ),
        ("power.stop", deny("DxgkDdiStopDevice", |_, world| world.power == D3)),
    ]
}

fn sleeps(world: &World, vf: u32) -> bool {
    world.vf(vf).alive && world.vf(vf).power == D3
}
