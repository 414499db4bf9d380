//! BuildPagingBuffer: each operation in buffers that are long enough and too short, and what the engine makes of it.
//!
//! The buffers are built and looked at, not submitted; what is submitted goes through VidMm's own channels.

use alloc::vec;

use wddm::*;

use super::bench::{handle, read_page, write_page};
use super::{Bench, Outcome, Stop, broken, declare};
use crate::memory::Pages;
use crate::vidmm::{Run, eviction};

const BUILD: &str = "DXGKDDI_BUILDPAGINGBUFFER callback function (d3dkmddi.h)";
const ARGS: &str = "DXGKARG_BUILDPAGINGBUFFER structure (d3dkmddi.h)";
const TRANSFER: &str = "DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL structure (d3dkmddi.h)";
const FILL: &str = "DXGK_BUILDPAGINGBUFFER_FILLVIRTUAL structure (d3dkmddi.h)";
const UPDATE: &str = "DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE structure (d3dkmddi.h)";
const FLUSH: &str = "DXGK_BUILDPAGINGBUFFER_FLUSHTLB structure (d3dkmddi.h)";
const COPY: &str = "DXGK_BUILDPAGINGBUFFER_COPYPAGETABLEENTRIES structure (d3dkmddi.h)";
const SIGNAL: &str = "DXGK_BUILDPAGINGBUFFER_SIGNALMONITOREDFENCE structure (d3dkmddi.h)";
const CONTEXT: &str = "DXGK_BUILDPAGINGBUFFER_UPDATECONTEXTALLOCATION structure (d3dkmddi.h)";
const RECOVERY: &str = "Thread Synchronization and TDR";
const ARTICLE: &str = "System paging process";

type Operation = DXGK_BUILDPAGINGBUFFER_OPERATION;

declare! {
    "paging.transfer.moves" Answer TRANSFER, "What is moved into VRAM comes out of it again.", moves;
    "paging.fill.fills" Answer FILL, "A fill writes its pattern over the range and nothing beside it.", fills;
    "paging.transfer.short" Size TRANSFER,
        "A buffer without room gets INSUFFICIENT_DMA_BUFFER, and nothing is written.",
        |b| short(b, Operation::DXGK_OPERATION_VIRTUAL_TRANSFER, transfer());
    "paging.fill.short" Size FILL,
        "A buffer without room gets INSUFFICIENT_DMA_BUFFER, and nothing is written.",
        |b| short(b, Operation::DXGK_OPERATION_VIRTUAL_FILL, fill());
    "paging.signal.short" Size SIGNAL,
        "A buffer without room gets INSUFFICIENT_DMA_BUFFER, and nothing is written.",
        |b| short(b, Operation::DXGK_OPERATION_SIGNAL_MONITORED_FENCE, signal());
    "paging.flush.short" Size FLUSH,
        "A buffer without room gets INSUFFICIENT_DMA_BUFFER, and nothing is written.",
        |b| short(b, Operation::DXGK_OPERATION_FLUSH_TLB, flush());
    "paging.update.short" Size UPDATE,
        "A buffer without room gets INSUFFICIENT_DMA_BUFFER, and nothing is written.",
        update_short;
    "paging.update.goes-on" Size UPDATE,
        "An update that outgrows its buffer goes on in the next one, to its end.",
        goes_on;
    "paging.copy.none" Answer COPY, "No ranges to copy is success.", |b| {
        let ranges = DXGK_BUILDPAGINGBUFFER_COPYPAGETABLEENTRIES::zeroed();
        let u = DXGKARG_BUILDPAGINGBUFFER_U { CopyPageTableEntries: ranges };
        idle(b, Operation::DXGK_OPERATION_COPY_PAGE_TABLE_ENTRIES, u)
    };
    "paging.context.none" Answer CONTEXT, "No private data to write is success.", |b| {
        let update = DXGK_BUILDPAGINGBUFFER_UPDATECONTEXTALLOCATION::zeroed();
        let u = DXGKARG_BUILDPAGINGBUFFER_U { UpdateContextAllocation: update };
        idle(b, Operation::DXGK_OPERATION_UPDATE_CONTEXT_ALLOCATION, u)
    };
    "paging.notify" Answer ARGS, "A notification of residency needs no command.",
        |b| idle(b, Operation::DXGK_OPERATION_NOTIFY_RESIDENCY, DXGKARG_BUILDPAGINGBUFFER_U::zeroed());
    "paging.discard" Answer ARGS, "Discarding the content of an idle allocation is success.", |b| {
        let mut discard = DXGKARG_BUILDPAGINGBUFFER_DISCARDCONTENT::zeroed();
        discard.Flags = DXGK_DISCARDCONTENTFLAGS::AllocationIsIdle;
        idle(b, Operation::DXGK_OPERATION_DISCARD_CONTENT, DXGKARG_BUILDPAGINGBUFFER_U { DiscardContent: discard })
    };
    "paging.eviction" Answer RECOVERY,
        "A TRANSFER of no bytes tells of an eviction after a reset: it is success, whatever else it says.",
        |b| idle(b, Operation::DXGK_OPERATION_TRANSFER, eviction(handle(0), DXGK_TRANSFERFLAGS::empty()));
    "paging.again" Answer BUILD, "The same operation takes the same room each time.", again;
    "paging.self-test" Answer ARTICLE,
        "A process of its own reaches VRAM through the page tables that paging wrote.",
        |b| {
        match b.adapter.self_test() {
            Ok(crate::dxgkrnl::SelfTest::Copied) => Ok(()),
            Ok(other) => broken!("expected a copy, came {other:?}"),
            Err(error) => broken!("the copy failed: {error}"),
        }
    };
}

fn moves(b: &Bench) -> Outcome {
    let vgpu = b.vf(0)?;
    for (page, byte) in [(0, 0x3C), (vgpu.pages() - 1, 0xC3)] {
        match write_page(&vgpu, page, byte).and_then(|()| read_page(&vgpu, page)) {
            Ok(page) if page.iter().all(|it| *it == byte) => {}
            Ok(_) => broken!("page {page} came back other than it went"),
            Err(Stop::Skipped(what) | Stop::Broken(what)) => broken!("page {page} was not moved: {what}"),
        }
    }
    Ok(())
}

fn fills(b: &Bench) -> Outcome {
    let vgpu = b.vf(0)?;
    for page in 1..4 {
        write_page(&vgpu, page, 0xEE)?;
    }
    vgpu.paging_channel()?.fill_zero(&[Run { first: 2, count: 1 }])?;
    for (page, byte) in [(1, 0xEE), (2, 0), (3, 0xEE)] {
        if read_page(&vgpu, page)?.iter().any(|it| *it != byte) {
            broken!("after a fill of page 2 with zeroes page {page} is not {byte:#x} all over")
        }
    }
    Ok(())
}

fn transfer() -> DXGKARG_BUILDPAGINGBUFFER_U {
    let mut transfer = DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL::zeroed();
    transfer.TransferSizeInBytes = 4096;
    (transfer.SourceVirtualAddress, transfer.DestinationVirtualAddress) = (0x10_0000, 0x20_0000);
    DXGKARG_BUILDPAGINGBUFFER_U { TransferVirtual: transfer }
}

fn fill() -> DXGKARG_BUILDPAGINGBUFFER_U {
    let mut fill = DXGK_BUILDPAGINGBUFFER_FILLVIRTUAL::zeroed();
    (fill.FillSizeInBytes, fill.DestinationVirtualAddress) = (4096, 0x20_0000);
    DXGKARG_BUILDPAGINGBUFFER_U { FillVirtual: fill }
}

fn signal() -> DXGKARG_BUILDPAGINGBUFFER_U {
    let mut signal = DXGK_BUILDPAGINGBUFFER_SIGNALMONITOREDFENCE::zeroed();
    (signal.MonitoredFenceGpuVa, signal.MonitoredFenceValue) = (0x20_0000, 7);
    DXGKARG_BUILDPAGINGBUFFER_U { SignalMonitoredFence: signal }
}

fn flush() -> DXGKARG_BUILDPAGINGBUFFER_U {
    let mut flush = DXGK_BUILDPAGINGBUFFER_FLUSHTLB::zeroed();
    flush.EndVirtualAddress = 0x1000;
    DXGKARG_BUILDPAGINGBUFFER_U { FlushTlb: flush }
}

/// A call with the first `room` bytes of a buffer: status, bytes used, where the operation goes on.
fn build(
    b: &Bench,
    operation: Operation,
    u: DXGKARG_BUILDPAGINGBUFFER_U,
    room: usize,
    from: u32,
) -> Result<(NTSTATUS, usize, u32, bool), Stop> {
    let bytes = b.adapter.caps().paging_buffer;
    let pages = Pages::new(bytes.bytes as usize, 4096).ok_or_else(|| super::bench::skip("no memory"))?;
    let mut private = vec![0u64; bytes.private_bytes.div_ceil(8) as usize + 1];
    let mut args = DXGKARG_BUILDPAGINGBUFFER::zeroed();
    (args.pDmaBuffer, args.DmaSize) = (pages.start().cast(), room as u32);
    args.pDmaBufferPrivateData = private.as_mut_ptr().cast();
    args.DmaBufferPrivateDataSize = bytes.private_bytes;
    (args.Operation, args.MultipassOffset, args.u) = (operation, from, u);
    args.hSystemContext = b.adapter.paging.context();
    args.DmaBufferGpuVirtualAddress = 4096;
    let status = b.core().build_paging_buffer(&mut args);
    let used = args.pDmaBuffer.addr().wrapping_sub(pages.start().addr());
    let touched = (0..16).any(|word| pages.word(4 * word).load(core::sync::atomic::Ordering::Relaxed) != 0);
    Ok((status, used, args.MultipassOffset, touched))
}

fn whole(b: &Bench) -> usize {
    b.adapter.caps().paging_buffer.bytes as usize
}

/// Four bytes are room for no command.
fn short(b: &Bench, operation: Operation, u: DXGKARG_BUILDPAGINGBUFFER_U) -> Outcome {
    let (status, used, ..) = build(b, operation, u, whole(b), 0)?;
    if status != STATUS_SUCCESS || used == 0 {
        broken!("{operation:?} in a whole buffer: {status}, {used} bytes")
    }
    let (status, used, _, touched) = build(b, operation, u, 4, 0)?;
    if status != STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER || used != 0 || touched {
        broken!(
            "{operation:?} in 4 bytes: expected INSUFFICIENT_DMA_BUFFER and nothing used, came {status}, {used} bytes"
        )
    }
    Ok(())
}

/// An operation with nothing to do.
fn idle(b: &Bench, operation: Operation, u: DXGKARG_BUILDPAGINGBUFFER_U) -> Outcome {
    let (status, used, ..) = build(b, operation, u, whole(b), 0)?;
    if status != STATUS_SUCCESS {
        broken!("{operation:?} with nothing to do: {status}, {used} bytes")
    }
    Ok(())
}

fn again(b: &Bench) -> Outcome {
    let ask = || build(b, Operation::DXGK_OPERATION_VIRTUAL_FILL, fill(), whole(b), 0);
    let (first, second) = (ask()?, ask()?);
    super::same("status and bytes of a fill", &(first.0, first.1), &(second.0, second.1))
}

/// An update of a leaf table in the mode that the driver reports, with entries that map nothing.
fn update(b: &Bench, entries: &mut [DXGK_PTE]) -> Option<DXGKARG_BUILDPAGINGBUFFER_U> {
    let mode = b.adapter.caps().mmu.update_mode;
    if mode == DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_CPU_VIRTUAL {
        return None;
    }
    let mut update = DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE::zeroed();
    update.UpdateMode = mode;
    update.pPageTableEntries = entries.as_mut_ptr();
    update.NumPageTableEntries = entries.len() as u32;
    update.hProcess = handle(0);
    if mode == DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_GPU_VIRTUAL {
        update.PageTableAddress.u.GpuVirtual = 0x20_0000;
    }
    Some(DXGKARG_BUILDPAGINGBUFFER_U { UpdatePageTable: update })
}

fn update_short(b: &Bench) -> Outcome {
    let mut entries = [DXGK_PTE::zeroed(); 4];
    match update(b, &mut entries) {
        Some(u) => short(b, Operation::DXGK_OPERATION_UPDATE_PAGE_TABLE, u),
        None => Ok(()),
    }
}

/// 512 entries in pieces of 256 bytes of buffer: every piece advances, and the last one says success.
fn goes_on(b: &Bench) -> Outcome {
    let count = b.adapter.caps().mmu.levels.first().map_or(0, |level| 1usize << level.index_bits.min(9));
    let mut entries = vec![DXGK_PTE::zeroed(); count];
    let Some(u) = update(b, &mut entries) else { return Ok(()) };
    let mut from = 0;
    for _ in 0..=count {
        let (status, used, next, _) = build(b, Operation::DXGK_OPERATION_UPDATE_PAGE_TABLE, u, 256, from)?;
        match status {
            STATUS_SUCCESS => return Ok(()),
            STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER if next > from && used > 0 => from = next,
            _ => broken!("an update at MultipassOffset {from}: {status}, then {next}, {used} bytes"),
        }
    }
    broken!("an update of {count} entries never ends")
}
