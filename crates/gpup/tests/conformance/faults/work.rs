//! Altered answers of FlexIOV, objects, paging, engines and tools.

use std::mem::offset_of;
use std::sync::atomic::{AtomicU32, Ordering};

use wddm::*;

use super::{Case, OK, after, fail, nth, vf};
use crate::world::fault;
use crate::wrap::{Call, Fault, put};

pub(super) fn cases() -> Vec<Case> {
    [flexiov(), objects(), paging(), engines(), tools()].into_iter().flatten().collect()
}

fn flexiov() -> Vec<Case> {
    vec![
        (
            "flexiov.resource.again",
            after("DxgkDdiGetBackingResource", |c, world| {
                if vf(c) == 0 && c.at::<u16>(1, 4) == 0 && world.last == c.name {
                    c.put(1, 16, c.at::<usize>(1, 16) + 64);
                }
            }),
        ),
        (
            "flexiov.ranges.longer",
            fault(|c, _| {
                (c.name == "DxgkDdiGetMmioRanges" && c.at::<u32>(1, 8) == 6).then(|| {
                    let result = c.forward();
                    c.put(1, 8, 9u32);
                    result
                })
            }),
        ),
        (
            "mitigable.count",
            fault(|c, _| {
                (c.name == "DxgkDdiQueryMitigatedRanges" && c.at::<u32>(1, 8) == 3).then(|| {
                    let result = c.forward();
                    c.put(1, 8, 2u32);
                    result
                })
            }),
        ),
    ]
}

fn objects() -> Vec<Case> {
    vec![
        (
            "process.own",
            after("DxgkDdiCreateProcess", |c, world| {
                if world.last == c.name {
                    c.put(1, offset_of!(DXGKARG_CREATEPROCESS, hKmdProcess), world.last_process);
                }
            }),
        ),
        (
            "allocation.standard.sizes",
            after("DxgkDdiGetStandardAllocationDriverData", |c, _| {
                let args: DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA = c.read(1);
                if !args.pAllocationPrivateDriverData.is_null() && args.pResourcePrivateDriverData.is_null() {
                    let at =
                        offset_of!(DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA, AllocationPrivateDriverDataSize);
                    c.put(1, at, args.AllocationPrivateDriverDataSize + 8);
                }
            }),
        ),
        (
            "allocation.create.all-or-none",
            fault(|c, _| {
                let args: DXGKARG_CREATEALLOCATION =
                    if c.name == "DxgkDdiCreateAllocation" { c.read(1) } else { return None };
                (args.NumAllocations == 2).then(|| {
                    let result = c.forward();
                    put(
                        args.pAllocationInfo as usize + offset_of!(DXGK_ALLOCATIONINFO, hAllocation),
                        0x5Ausize,
                    );
                    result
                })
            }),
        ),
        (
            "allocation.create.segment",
            after("DxgkDdiCreateAllocation", |c, _| {
                let args: DXGKARG_CREATEALLOCATION = c.read(1);
                let at = offset_of!(DXGK_ALLOCATIONINFO, SupportedWriteSegmentSet);
                put(args.pAllocationInfo as usize + at, 0u32);
            }),
        ),
        (
            "allocation.create.priority",
            after("DxgkDdiCreateAllocation", |c, _| {
                let args: DXGKARG_CREATEALLOCATION = c.read(1);
                put(
                    args.pAllocationInfo as usize + offset_of!(DXGK_ALLOCATIONINFO, AllocationPriority),
                    0u32,
                );
            }),
        ),
    ]
}

const INSUFFICIENT: usize = STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER.0 as u32 as usize;
pub(super) const BUSY: usize = STATUS_GRAPHICS_ALLOCATION_BUSY.0 as u32 as usize;

/// A paging operation: its number, the bytes of its buffer, and its arguments.
pub(super) fn operation(c: &Call<'_>) -> Option<(i32, DXGKARG_BUILDPAGINGBUFFER)> {
    (c.name == "DxgkDdiBuildPagingBuffer").then(|| {
        let args: DXGKARG_BUILDPAGINGBUFFER = c.read(1);
        (args.Operation.0, args)
    })
}

/// Bytes and destination of a VIRTUAL_FILL.
pub(super) fn fill(c: &Call<'_>) -> Option<(u64, u64)> {
    let (9, _) = operation(c)? else { return None };
    let at = offset_of!(DXGKARG_BUILDPAGINGBUFFER, u);
    let fill: DXGK_BUILDPAGINGBUFFER_FILLVIRTUAL = c.at(1, at);
    Some((fill.FillSizeInBytes, fill.DestinationVirtualAddress))
}

/// Where the rules' own fills go, which are built and not submitted.
pub(super) const BUILT: u64 = 0x20_0000;

fn paging() -> Vec<Case> {
    let short = |number: i32| {
        fault(move |c, _| {
            operation(c).is_some_and(|(it, args)| it == number && args.DmaSize == 4).then_some(OK)
        })
    };
    let idle =
        |number: i32| fault(move |c, _| operation(c).is_some_and(|(it, _)| it == number).then_some(BUSY));
    let third = nth(2);
    let busy_eviction = fault(|c, _| {
        let (0, _) = operation(c)? else { return None };
        let transfer: DXGKARG_BUILDPAGINGBUFFER_TRANSFER = c.at(1, offset_of!(DXGKARG_BUILDPAGINGBUFFER, u));
        (transfer.TransferSize == 0 && transfer.Flags.is_empty()).then_some(BUSY)
    });
    vec![
        ("paging.eviction", busy_eviction),
        ("paging.transfer.moves", first_transfer_lost()),
        (
            "paging.fill.fills",
            fault(|c, _| fill(c).is_some_and(|(bytes, at)| bytes == 4096 && at != BUILT).then_some(OK)),
        ),
        ("paging.transfer.short", short(8)),
        ("paging.fill.short", short(9)),
        ("paging.signal.short", short(16)),
        ("paging.flush.short", short(12)),
        ("paging.update.short", short(11)),
        (
            "paging.update.goes-on",
            fault(|c, _| {
                operation(c).is_some_and(|(it, args)| it == 11 && args.DmaSize == 256).then(|| {
                    let from: u32 = c.at(1, offset_of!(DXGKARG_BUILDPAGINGBUFFER, MultipassOffset));
                    c.forward();
                    c.put(1, offset_of!(DXGKARG_BUILDPAGINGBUFFER, MultipassOffset), from);
                    INSUFFICIENT
                })
            }),
        ),
        ("paging.copy.none", idle(14)),
        ("paging.context.none", idle(13)),
        ("paging.notify", idle(15)),
        ("paging.discard", idle(2)),
        (
            "paging.again",
            fault(move |c, _| {
                let built = fill(c).is_some_and(|(_, at)| at == BUILT)
                    && operation(c).is_some_and(|(_, args)| args.DmaSize > 4);
                (built && third()).then(|| {
                    let result = c.forward();
                    let at = offset_of!(DXGKARG_BUILDPAGINGBUFFER, pDmaBuffer);
                    c.put(1, at, c.at::<usize>(1, at) + 16);
                    result
                })
            }),
        ),
        (
            "paging.self-test",
            fault(|c, _| {
                (c.name == "DxgkDdiSubmitCommandVirtual" && c.at::<u64>(1, 8) == 0x12_0000)
                    .then_some(STATUS_INVALID_PARAMETER.0 as u32 as usize)
            }),
        ),
    ]
}

/// The first transfer after the rules of allocations, which come before those of paging, does nothing.
fn first_transfer_lost() -> Fault {
    let lost = AtomicU32::new(0);
    fault(move |c, world| {
        let transfer = operation(c).is_some_and(|(number, _)| number == 8);
        (transfer && world.count("DxgkDdiCloseAllocation") > 1 && lost.fetch_add(1, Ordering::SeqCst) == 0)
            .then_some(OK)
    })
}

fn engines() -> Vec<Case> {
    vec![
        (
            "preempt.idle",
            fail("DxgkDdiPreemptCommand", |c, world| c.at::<u32>(1, 4) == 1 && world.count(c.name) == 1),
        ),
        (
            "engine.status.idle",
            after("DxgkDdiQueryEngineStatus", |c, world| {
                if world.last == "DxgkDdiSubmitCommandVirtual" {
                    return;
                }
                c.put(1, offset_of!(DXGKARG_QUERYENGINESTATUS, EngineStatus), 0u32);
            }),
        ),
        (
            "engine.dependents.self",
            after("DxgkDdiQueryDependentEngineGroup", |c, _| {
                c.put(1, offset_of!(DXGKARG_QUERYDEPENDENTENGINEGROUP, DependentNodeOrdinalMask), 0u64);
            }),
        ),
        ("engine.reset.idle", fail("DxgkDdiResetEngine", |c, world| vf(c) == 1 && world.count(c.name) == 1)),
        (
            "clock.advances",
            after("DxgkDdiCalibrateGpuClock", |c, _| {
                c.put(3, offset_of!(DXGKARG_CALIBRATEGPUCLOCK, GpuFrequency), 0u64);
            }),
        ),
    ]
}

fn tools() -> Vec<Case> {
    let debug = |c: &Call<'_>| c.read::<DXGKARG_COLLECTDBGINFO>(1);
    vec![
        (
            "escape.garbage",
            fault(|c, _| {
                let args: DXGKARG_ESCAPE = if c.name == "DxgkDdiEscape" { c.read(1) } else { return None };
                (args.PrivateDriverDataSize == 160).then(|| {
                    let result = c.forward();
                    put(args.pPrivateDriverData as usize, 0u8);
                    result
                })
            }),
        ),
        ("debug.none", fail("DxgkDdiCollectDbgInfo", move |c, _| debug(c).BufferSize == 0)),
        (
            "debug.short",
            after("DxgkDdiCollectDbgInfo", move |c, _| {
                if debug(c).BufferSize == 16 {
                    put(debug(c).pBuffer as usize, 0u8);
                }
            }),
        ),
        (
            "debug.something",
            after("DxgkDdiCollectDbgInfo", move |c, _| {
                let args = debug(c);
                (0..args.BufferSize).for_each(|at| put(args.pBuffer as usize + at, 0u8));
            }),
        ),
        ("machine.none", fail("DxgkDdiSetVirtualMachineData", |c, _| c.at::<usize>(1, 0) == 0)),
    ]
}
