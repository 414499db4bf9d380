//! Faults of functions that are called seldom.

use std::mem::offset_of;
use std::sync::atomic::{AtomicBool, Ordering};

use wddm::*;

use super::{Case, FAILED, after, deny, fail, vf};
use crate::world::fault;
use crate::wrap::{Fault, put};

/// The VF of these rules.
pub(super) const VF: u32 = 3;

pub(super) fn cases() -> Vec<Case> {
    vec![
        ("engines.list", after("DxgkDdiGetGpuEngines", |c, _| c.put(1, 0, 0u32))),
        ("partition.resume", deny("DxgkDdiResumeVirtualGpu", |c, _| vf(c) == VF)),
        (
            "resources2.pieces",
            fail("DxgkDdiSetVirtualGpuResources2", |c, world| vf(c) == VF && world.last_ranges > 1),
        ),
        (
            "bar.memory",
            after("DxgkDdiGetResourceForBar", |c, _| {
                let args: DXGKARG_GETRESOURCEFORBAR = c.read(1);
                put(args.pResource as usize + offset_of!(CM_PARTIAL_RESOURCE_DESCRIPTOR, Type), 0u8);
            }),
        ),
        ("allocation.describe", fail("DxgkDdiDescribeAllocation", |_, _| true)),
        (
            "history.formatted",
            after("DxgkDdiFormatHistoryBuffer", |c, _| {
                c.put(1, offset_of!(DXGKARG_FORMATHISTORYBUFFER, Offset), 8u32);
            }),
        ),
        ("power.stable", unstable()),
        ("interrupt.stray", fault(|c, _| (c.name == "DxgkDdiInterruptRoutine").then_some(1))),
    ]
}

/// The first query after SetStablePowerState fails.
fn unstable() -> Fault {
    let entered = AtomicBool::new(false);
    fault(move |c, _| {
        match c.name {
            "DxgkDdiSetStablePowerState" => entered.store(true, Ordering::SeqCst),
            "DxgkDdiQueryAdapterInfo" => return entered.swap(false, Ordering::SeqCst).then_some(FAILED),
            _ => {}
        }
        None
    })
}
