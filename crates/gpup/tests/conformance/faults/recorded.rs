//! The rules that the simulated Dxgkrnl judges on every call. What a fault makes impossible is skipped by the others.

use std::collections::BTreeMap;
use std::mem::offset_of;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use wddm::*;

use super::work::{BUILT, BUSY, fill, operation};
use super::{Case, FAILED, NO_VF, OK, after, fault, lie, nth, vf};
use crate::wrap::{Call, Fault, callback, get, original, put};

const NO_MEMORY: usize = STATUS_NO_MEMORY.0 as u32 as usize;

/// A fill of two pages: only one rule asks for it, and without it is not judged.
fn two_pages(c: &Call<'_>) -> bool {
    fill(c).is_some_and(|(bytes, _)| bytes == 8192)
}

/// The output of a successful query of a type is altered.
fn output(kind: i32, edit: fn(usize)) -> Fault {
    after("DxgkDdiQueryAdapterInfo", move |c, _| {
        let args: DXGKARG_QUERYADAPTERINFO = c.read(1);
        if args.Type.0 == kind {
            edit(args.pOutputData as usize);
        }
    })
}

fn table(edit: fn(&mut DRIVER_INITIALIZATION_DATA)) -> Fault {
    fault(move |c, _| {
        (c.name == "table").then(|| {
            let mut table: DRIVER_INITIALIZATION_DATA = get(c.args[0]);
            edit(&mut table);
            put(c.args[0], table);
            OK
        })
    })
}

pub(super) fn cases() -> Vec<Case> {
    [statuses(), interrupts(), tables(), capabilities(), interfaces(), migration()]
        .into_iter()
        .flatten()
        .collect()
}

fn statuses() -> Vec<Case> {
    let submit = AtomicU32::new(0);
    vec![
        (
            "STATUS",
            fault(|c, _| {
                (c.name == "DxgkDdiEndLiveMigration" && c.args[1] as u32 == 0 && c.forward() == 0)
                    .then_some(STATUS_PENDING.0 as usize)
            }),
        ),
        ("NEVER_FAILS", super::deny("DxgkDdiRestartFromTimeout", |_, world| world.work)),
        ("PAGING_STATUS", fault(|c, _| two_pages(c).then_some(NO_MEMORY))),
        (
            "SUBMIT_STATUS",
            fault(move |c, _| {
                if two_pages(c) {
                    submit.store(1, Ordering::SeqCst);
                }
                let now = c.name == "DxgkDdiSubmitCommandVirtual" && submit.swap(0, Ordering::SeqCst) == 1;
                now.then_some(NO_MEMORY)
            }),
        ),
        (
            "BASIS_DESTROY",
            fault(|c, world| {
                if c.name != "DxgkDdiDestroyMemoryBasis" {
                    return None;
                }
                let basis = world.basis(c.args[1]);
                // Another rule destroys one that is tracked.
                (basis.starts <= basis.stops).then(|| {
                    c.forward();
                    FAILED
                })
            }),
        ),
        ("OUTPUT_OVERRUN", after("DxgkDdiGetVirtualGpuInfo", |c, _| c.put(1, 104, 0u64))),
        (
            "PAGING_BUFFER",
            fault(|c, world| {
                let transfer = operation(c).is_some_and(|(it, args)| it == 8 && args.DmaSize > 4);
                (transfer && world.work).then(|| {
                    let result = c.forward();
                    let at = offset_of!(DXGKARG_BUILDPAGINGBUFFER, pDmaBuffer);
                    c.put(1, at, c.at::<usize>(1, at) + (1 << 20));
                    result
                })
            }),
        ),
        (
            "PAGING_IMMEDIATE",
            fault(|c, _| {
                operation(c)
                    .is_some_and(|(it, args)| it == 11 && args.pDmaBuffer.is_null())
                    .then_some(STATUS_GRAPHICS_ALLOCATION_BUSY.0 as u32 as usize)
            }),
        ),
        ("BUSY_IDLE", fault(|c, _| fill(c).is_some_and(|(_, to)| to != BUILT).then_some(BUSY))),
        (
            "MULTIPASS",
            fault(|c, _| two_pages(c).then_some(STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER.0 as u32 as usize)),
        ),
    ]
}

/// The context of each DeviceHandle, from StartDevice.
static DEVICES: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());

/// The interface that StartDevice brings.
fn interface(c: &Call<'_>) -> Option<DXGKRNL_INTERFACE> {
    (c.name == "DxgkDdiStartDevice").then(|| {
        let interface: DXGKRNL_INTERFACE = c.read(2);
        DEVICES.lock().unwrap().insert(interface.DeviceHandle as usize, c.args[0]);
        interface
    })
}

/// One interrupt, with one thing about it changed before the driver's own is passed on.
fn before_notify(change: fn(&mut DXGKARGCB_NOTIFY_INTERRUPT_DATA)) -> Fault {
    fault(move |c, world| {
        (c.name == "DxgkCbNotifyInterrupt" && world.work).then(|| {
            let mut data: DXGKARGCB_NOTIFY_INTERRUPT_DATA = c.read(1);
            change(&mut data);
            crate::wrap::direct("DxgkCbNotifyInterrupt", c.args[0], &raw mut data as usize);
            c.forward()
        })
    })
}

fn interrupts() -> Vec<Case> {
    let (first_dpc, unsettled) = (nth(0), nth(0));
    vec![
        (
            "CALLBACK_IRQL",
            fault(move |c, world| {
                if c.name == "DxgkDdiDpcRoutine" && world.work && first_dpc() {
                    let (guid, buffer) = (GUID::from_u128(1), [0u64; 64]);
                    let log = original("DxgkCbLogEtwEvent");
                    let (guid, buffer) = (&raw const guid as usize, buffer.as_ptr() as usize);
                    callback(log, [guid, 0, 300, buffer, 0, 0, 0]);
                }
                None
            }),
        ),
        (
            "NOTIFY_INTERRUPT_IRQL",
            fault(|c, world| {
                (c.name == "DxgkCbSynchronizeExecution" && world.work).then(|| {
                    let returned = callback(c.args[1], [c.args[2], 0, 0, 0, 0, 0, 0]) as u8;
                    put(c.args[4], returned);
                    OK
                })
            }),
        ),
        ("QUEUE_DPC", dpc_outside()),
        (
            "NOTIFY_DPC",
            fault(move |c, world| (c.name == "DxgkCbNotifyDpc" && world.work && unsettled()).then_some(OK)),
        ),
        (
            "INTERRUPT_TYPE",
            before_notify(|data| data.InterruptType = DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_CRTC_VSYNC),
        ),
        ("FENCE_ORDER", fences_swapped()),
        ("FENCE_ONCE", before_notify(|_| {})),
        ("FENCE_UNKNOWN", before_notify(|data| data.u.DmaCompleted.SubmissionFenceId = 0x00FF_FFFF)),
        (
            "DEVICE_HANDLE",
            fault(|c, _| {
                let _ = interface(c);
                let context = *DEVICES.lock().unwrap().get(c.args.first()?)?;
                (c.name == "DxgkCbQueueDpc").then(|| crate::wrap::direct("DxgkCbQueueDpc", context, 0))
            }),
        ),
        (
            "CALLBACK_MISUSED",
            fault(|c, _| {
                if let Some(it) = interface(c) {
                    let mut status = DXGK_CHILD_STATUS::zeroed();
                    let indicate = it.DxgkCbIndicateChildStatus.unwrap() as usize;
                    let status = &raw mut status as usize;
                    callback(indicate, [it.DeviceHandle as usize, status, 0, 0, 0, 0, 0]);
                }
                None
            }),
        ),
        (
            "LEAK",
            fault(|c, _| {
                if let Some(it) = interface(c) {
                    let mut mapped = 0usize;
                    let (map, place) = (it.DxgkCbMapMemory.unwrap() as usize, &raw mut mapped as usize);
                    callback(map, [it.DeviceHandle as usize, 0x1000, 0x1000, 0, 0, 0, place]);
                }
                None
            }),
        ),
    ]
}

/// QueueDpc comes only after the routine under SynchronizeExecution has returned.
fn dpc_outside() -> Fault {
    fault(|c, world| match c.name {
        "DxgkCbQueueDpc" if world.work => Some(1),
        "DxgkCbSynchronizeExecution" if world.work => {
            let result = c.forward();
            crate::wrap::direct("DxgkCbQueueDpc", c.args[0], 0);
            Some(result)
        }
        _ => None,
    })
}

/// Of two fences that are under way the first is reported with the second, and that is reported first.
fn fences_swapped() -> Fault {
    // Two channels have mapped their staging buffers by then, and each has started a transfer.
    let third = nth(2);
    fault(move |c, world| (c.name == "DxgkCbNotifyInterrupt" && world.work && third()).then_some(OK))
}

fn tables() -> Vec<Case> {
    vec![
        ("TABLE_REQUIRED", table(|table| table.DxgkDdiResetDevice = None)),
        (
            "TABLE_PROHIBITED",
            // Any function will do: a compute-only adapter's is never called.
            table(|table| {
                let any = table.DxgkDdiUnload.map_or(0, |unload| unload as usize);
                put(&raw mut table.DxgkDdiPresent as usize, any);
            }),
        ),
        ("TABLE_VERSION", table(|table| table.Version = DXGKDDI_INTERFACE_VERSION_WDDM3_1)),
        ("TABLE_MIGRATION", table(|table| table.DxgkDdiWriteVirtualizedInterrupt = None)),
    ]
}

/// The segment is not tracked, which the driver says in another way, and so nothing can migrate.
fn untracked() -> Fault {
    let before = AtomicU32::new(0);
    fault(move |c, _| {
        if c.name != "DxgkDdiQueryAdapterInfo" {
            return None;
        }
        let args: DXGKARG_QUERYADAPTERINFO = c.read(1);
        let kind = args.Type.0 as u32;
        match (before.swap(kind, Ordering::SeqCst), kind) {
            // As an adapter starts: the one query after the other.
            (39, 40) => Some(STATUS_NOT_SUPPORTED.0 as u32 as usize),
            (_, 30) => {
                let result = c.forward();
                if NTSTATUS(result as i32).is_success() {
                    put(args.pOutputData as usize, 8u32);
                }
                Some(result)
            }
            _ => None,
        }
    })
}

fn capabilities() -> Vec<Case> {
    vec![
        (
            "CAP_REQUIRED",
            after("DxgkDdiQueryAdapterInfo", |c, _| {
                let args: DXGKARG_QUERYADAPTERINFO = c.read(1);
                let at = offset_of!(DXGK_DRIVERCAPS, SupportPerEngineTDR);
                if args.Type.0 == 1 && args.OutputDataSize as usize > at {
                    put(args.pOutputData as usize + at, 0u8);
                }
            }),
        ),
        (
            "CAP_PROHIBITED",
            after("DxgkDdiQueryAdapterInfo", |c, _| {
                let args: DXGKARG_QUERYADAPTERINFO = c.read(1);
                let at = offset_of!(DXGK_DRIVERCAPS, HybridDiscrete);
                if args.Type.0 == 1 && args.OutputDataSize as usize > at {
                    put(args.pOutputData as usize + at, 1u8);
                }
            }),
        ),
        (
            "CAP_TRACKING",
            fault(|c, _| {
                (c.name == "DxgkDdiQueryAdapterInfo" && c.at::<i32>(1, 0) == 40)
                    .then_some(STATUS_NOT_IMPLEMENTED.0 as u32 as usize)
            }),
        ),
        ("TRACKING_STATUS", untracked()),
        // Without the capability the memory goes as one offset and size, which the driver has not asked for.
        ("CONTIGUOUS", output(30, |at| put(at, get::<u32>(at) & !8))),
        ("CAP_PAGE_SIZE", output(40, |at| put(at, 6000u32))),
        ("CAP_PAGING", output(13, |at| put(at + offset_of!(DXGK_GPUMMUCAPS, VirtualAddressBitCount), 63u32))),
        (
            "QUERY_UNSUPPORTED",
            lie("DxgkDdiQueryAdapterInfo", |c, _, _| {
                c.at::<i32>(1, 0) == DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_DEVICE_TYPE_CAPS.0
            }),
        ),
        ("CHILDREN", after("DxgkDdiStartDevice", |c, _| put(c.args[3], 1u32))),
        (
            "SEGMENT_WALK",
            output(11, |at| {
                let out: DXGK_QUERYSEGMENTOUT4 = get(at);
                if !out.pSegmentDescriptor.is_null() {
                    put(at, out.NbSegment + 1);
                }
            }),
        ),
    ]
}

fn interfaces() -> Vec<Case> {
    vec![
        ("INTERFACE_SIZE", lie("DxgkDdiQueryInterface", |c, _, _| c.at::<u16>(1, 8) == 32)),
        (
            "PARTITION",
            after("DxgkDdiCreateVirtualGpu", |c, _| {
                let at = offset_of!(DXGKARG_CREATEVIRTUALGPU, SegmentInfo);
                c.put(1, at + offset_of!(DXGK_VIRTUALGPUSEGMENTINFO, Alignment), 100u32);
            }),
        ),
        (
            "BAR_COVERAGE",
            after("DxgkDdiGetMmioRanges", |c, _| {
                let at = c.at::<usize>(1, 16) + offset_of!(DXGK_MMIORANGEINFO, PageCount);
                put(at, get::<u32>(at) - 1);
            }),
        ),
        (
            "BAR_SIZE",
            after("DxgkDdiQueryProbedBars", |c, _| {
                if vf(c) != NO_VF {
                    put(c.at(1, 8), 0xFFF5_000Cu32);
                }
            }),
        ),
    ]
}

fn migration() -> Vec<Case> {
    let twice = nth(0);
    vec![
        (
            "SAVE_TWO_CALLS",
            after("DxgkDdiSaveMutableMigrationData", |c, _| {
                if c.at::<usize>(1, 16) != 0 {
                    put(c.at(1, 8), get::<u64>(c.at(1, 8)) + 1);
                }
            }),
        ),
        ("RESTORE_TRIAGE", fault(|c, _| (c.name == "DxgkCbLogEtwEvent").then_some(OK))),
        (
            "ETW_EVENT",
            fault(move |c, _| {
                if c.name == "DxgkCbLogEtwEvent" && twice() {
                    let log = original("DxgkCbLogEtwEvent");
                    callback(log, [c.args[0], c.args[1], 560, c.args[3], 0, 0, 0]);
                }
                None
            }),
        ),
        (
            "DIRTY_BITS",
            after("DxgkDdiQueryDirtyBitData", |c, _| {
                let args: DXGKARG_QUERYDIRTYBITDATA = c.read(1);
                if args.SubrangeSize == 10 * 4096 {
                    put(args.Buffer as usize + 1, 0x80u8);
                }
            }),
        ),
    ]
}
