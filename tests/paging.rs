//! Paging through the callback table: tables written by CPU and by engine, transfers, fills, fences.
//!
//! UNSAFETY: it is the other side of the DDI.
#![expect(unsafe_code)]

mod support;

use std::sync::atomic::Ordering;

use gpup_core::os::level;
use support::TestAdapter;
use support::paging::{COPY, LOCAL_VA, PAGE, Paging, SYSTEM_VA, pte};
use wddm::DXGK_BUILDPAGINGBUFFER_OPERATION as Operation;
use wddm::DXGK_INTERRUPT_TYPE as Interrupt;
use wddm::*;

const MIB: u64 = 1 << 20;

fn fill(target: u64, bytes: u64, pattern: u32) -> DXGKARG_BUILDPAGINGBUFFER_U {
    let mut fill = DXGK_BUILDPAGINGBUFFER_FILLVIRTUAL::zeroed();
    (fill.DestinationVirtualAddress, fill.FillSizeInBytes, fill.FillPattern) = (target, bytes, pattern);
    DXGKARG_BUILDPAGINGBUFFER_U { FillVirtual: fill }
}

fn transfer(source: u64, target: u64, bytes: u64) -> DXGKARG_BUILDPAGINGBUFFER_U {
    let mut transfer = DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL::zeroed();
    transfer.SourceVirtualAddress = source;
    (transfer.DestinationVirtualAddress, transfer.TransferSizeInBytes) = (target, bytes);
    DXGKARG_BUILDPAGINGBUFFER_U { TransferVirtual: transfer }
}

#[test]
fn bytes_travel_to_scattered_vram_and_back() {
    for unconnected in [false, true] {
        let adapter = TestAdapter::start(&[("VramBytes", 64 * MIB)]);
        adapter.reports.unconnected.store(unconnected, Ordering::SeqCst);
        let mut paging = Paging::new(&adapter);
        let size = 16 * PAGE;
        for (index, byte) in paging.memory.bytes().iter_mut().enumerate() {
            *byte = (index * 7 / 4096) as u8 ^ index as u8;
        }
        let sent = paging.memory.bytes().to_vec();
        paging.run(Operation::DXGK_OPERATION_VIRTUAL_TRANSFER, transfer(SYSTEM_VA, LOCAL_VA, size), 4096);
        paging.run(Operation::DXGK_OPERATION_VIRTUAL_FILL, fill(SYSTEM_VA, size, 0xA5A5_A5A5), 4096);
        assert!(paging.memory.bytes().iter().all(|byte| *byte == 0xA5));
        paging.run(Operation::DXGK_OPERATION_VIRTUAL_TRANSFER, transfer(LOCAL_VA, SYSTEM_VA, size), 4096);
        assert_eq!(paging.memory.bytes(), &sent[..]);
        let fences: Vec<u32> = adapter.reports.interrupts().iter().map(|(_, fence, _)| *fence).collect();
        assert_eq!(fences, [1, 2, 3], "in order, none lost");
        adapter.run_dpc();
        assert_eq!(adapter.reports.dpcs.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn the_engine_writes_tables_in_as_many_buffers_as_it_takes() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 * MIB)]);
    let mut paging = Paging::new(&adapter);
    let entries: Vec<_> = (0..100).map(|page| pte(page % 2, 1000 + page)).collect();
    paging.run(Operation::DXGK_OPERATION_VIRTUAL_FILL, fill(LOCAL_VA, PAGE, 0xA5A5_A5A5), 4096);
    let mut update = DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE::zeroed();
    update.PageTableAddress.u.GpuVirtual = LOCAL_VA;
    update.UpdateMode = DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_GPU_VIRTUAL;
    update.pPageTableEntries = entries.as_ptr().cast_mut();
    (update.StartIndex, update.NumPageTableEntries) = (10, 100);
    let u = DXGKARG_BUILDPAGINGBUFFER_U { UpdatePageTable: update };
    assert_eq!(paging.run(Operation::DXGK_OPERATION_UPDATE_PAGE_TABLE, u, 24 + 8 * 30), 4);
    update.Flags = DXGK_UPDATEPAGETABLEFLAGS::Repeat;
    (update.StartIndex, update.NumPageTableEntries) = (200, 50);
    let u = DXGKARG_BUILDPAGINGBUFFER_U { UpdatePageTable: update };
    assert_eq!(paging.run(Operation::DXGK_OPERATION_UPDATE_PAGE_TABLE, u, 4096), 1);
    paging.run(Operation::DXGK_OPERATION_VIRTUAL_TRANSFER, transfer(LOCAL_VA, SYSTEM_VA, PAGE), 4096);
    let bytes = paging.memory.bytes()[..4096].to_vec();
    let word = |index: usize| u64::from_le_bytes(bytes[8 * index..8 * index + 8].try_into().unwrap());
    let beside = u64::from_ne_bytes([0xA5; 8]);
    assert_eq!([9, 110, 199, 250].map(word), [beside; 4], "nothing but the entries asked for");
    for index in 0..100u64 {
        // Odd pages were local, even ones system memory.
        let system = if index % 2 == 0 { 2 } else { 0 };
        assert_eq!(word(10 + index as usize), ((1000 + index) * PAGE) | system | 1);
    }
    assert!((200..250).all(|index| word(index) == (1000 * PAGE) | 3));
}

#[test]
fn an_unmapped_address_is_a_page_fault() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 * MIB)]);
    let mut paging = Paging::new(&adapter);
    let mut args = DXGKARG_BUILDPAGINGBUFFER::zeroed();
    args.Operation = Operation::DXGK_OPERATION_VIRTUAL_FILL;
    args.u = fill(0x1F_0000, PAGE, 1);
    (args.pDmaBuffer, args.DmaSize) = (paging.dma.bytes().as_mut_ptr().cast(), 4096);
    // SAFETY: live arguments, and a buffer of that size.
    let status = unsafe { adapter.table.DxgkDdiBuildPagingBuffer.unwrap()(adapter.context, &mut args) };
    assert_eq!(status, STATUS_SUCCESS);
    paging.submit(32);
    adapter.reports.wait(Interrupt::DXGK_INTERRUPT_DMA_PAGE_FAULTED, 1, COPY);
    assert_eq!(adapter.reports.faulted_at(), 0x1F_0000);
    paging.run(Operation::DXGK_OPERATION_VIRTUAL_FILL, fill(LOCAL_VA, PAGE, 1), 4096);
}

#[test]
fn preemption_and_engine_reset_answer() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 * MIB)]);
    let mut paging = Paging::new(&adapter);
    paging.run(Operation::DXGK_OPERATION_VIRTUAL_FILL, fill(LOCAL_VA, PAGE, 1), 4096);
    let mut preempt = DXGKARG_PREEMPTCOMMAND::zeroed();
    (preempt.NodeOrdinal, preempt.PreemptionFenceId) = (COPY, 77);
    // SAFETY: live arguments.
    let status = level::at(level::DISPATCH_LEVEL, || unsafe {
        adapter.table.DxgkDdiPreemptCommand.unwrap()(adapter.context, &preempt)
    });
    assert_eq!(status, STATUS_SUCCESS);
    adapter.reports.wait(Interrupt::DXGK_INTERRUPT_DMA_PREEMPTED, 77, COPY);
    let mut group = DXGKARG_QUERYDEPENDENTENGINEGROUP::zeroed();
    group.NodeOrdinal = COPY;
    // SAFETY: as above.
    let status =
        unsafe { adapter.table.DxgkDdiQueryDependentEngineGroup.unwrap()(adapter.context, &mut group) };
    assert_eq!((status, group.DependentNodeOrdinalMask), (STATUS_SUCCESS, 2));
    let mut reset = DXGKARG_RESETENGINE::zeroed();
    reset.NodeOrdinal = COPY;
    // SAFETY: as above.
    let status = unsafe { adapter.table.DxgkDdiResetEngine.unwrap()(adapter.context, &mut reset) };
    assert_eq!((status, reset.LastAbortedFenceId), (STATUS_SUCCESS, 1));
    // SAFETY: as above.
    let status = unsafe { adapter.table.DxgkDdiResetFromTimeout.unwrap()(adapter.context) };
    assert_eq!(status, STATUS_SUCCESS);
    // SAFETY: as above.
    let status = unsafe { adapter.table.DxgkDdiRestartFromTimeout.unwrap()(adapter.context) };
    assert_eq!(status, STATUS_SUCCESS);
    paging.run(Operation::DXGK_OPERATION_VIRTUAL_FILL, fill(LOCAL_VA, PAGE, 1), 4096);
}

#[test]
fn entries_are_copied_and_private_data_is_put_into_a_context_s_allocation() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 * MIB)]);
    let mut paging = Paging::new(&adapter);
    for (index, byte) in paging.memory.bytes().iter_mut().enumerate() {
        *byte = (index / 8) as u8;
    }
    let range = |source, target, count| {
        let mut range = DXGK_BUILDPAGINGBUFFER_COPY_RANGE::zeroed();
        (range.SrcPageTableAddress, range.DstPageTableAddress) = (SYSTEM_VA, SYSTEM_VA + PAGE);
        (range.SrcStartPteIndex, range.DstStartPteIndex, range.NumPageTableEntries) = (source, target, count);
        range
    };
    let mut ranges = [range(3, 100, 2), range(9, 50, 1)];
    let mut copy = DXGK_BUILDPAGINGBUFFER_COPYPAGETABLEENTRIES::zeroed();
    (copy.NumRanges, copy.pRanges) = (2, ranges.as_mut_ptr());
    let u = DXGKARG_BUILDPAGINGBUFFER_U { CopyPageTableEntries: copy };
    // Room for one range a buffer.
    assert_eq!(paging.run(Operation::DXGK_OPERATION_COPY_PAGE_TABLE_ENTRIES, u, 40), 2);
    let words: Vec<u8> = paging.memory.bytes()[4096..8192].chunks(8).map(|word| word[0]).collect();
    assert_eq!((words[99], &words[100..103], &words[49..52]), (99, &[3, 4, 102][..], &[49, 9, 51][..]));

    let mut private: [u8; 12] = core::array::from_fn(|index| 200 + index as u8);
    let mut update = DXGK_BUILDPAGINGBUFFER_UPDATECONTEXTALLOCATION::zeroed();
    (update.ContextAllocation, update.ContextAllocationSize) = (SYSTEM_VA + 4 * PAGE, PAGE);
    (update.pDriverPrivateData, update.DriverPrivateDataSize) = (private.as_mut_ptr().cast(), 12);
    let u = DXGKARG_BUILDPAGINGBUFFER_U { UpdateContextAllocation: update };
    assert_eq!(paging.run(Operation::DXGK_OPERATION_UPDATE_CONTEXT_ALLOCATION, u, 24), 2);
    let bytes = &paging.memory.bytes()[4 * 4096..][..24];
    assert_eq!((&bytes[..12], bytes[16]), (&private[..], 2), "the rest of the last word is zero");
}

#[test]
fn a_reset_adapter_runs_nothing_until_its_restart() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 * MIB)]);
    let mut paging = Paging::new(&adapter);
    paging.run(Operation::DXGK_OPERATION_VIRTUAL_FILL, fill(SYSTEM_VA, PAGE, 1), 4096);
    // SAFETY: live arguments.
    let status = unsafe { adapter.table.DxgkDdiResetFromTimeout.unwrap()(adapter.context) };
    assert_eq!(status, STATUS_SUCCESS);
    // The buffer of the fill is still there.
    paging.memory.bytes()[..4096].fill(0);
    let last = adapter.reports.interrupts().len();
    paging.submit(32);
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert_eq!((adapter.reports.interrupts().len(), paging.memory.bytes()[0]), (last, 0));
    // SAFETY: as above.
    let status = unsafe { adapter.table.DxgkDdiRestartFromTimeout.unwrap()(adapter.context) };
    assert_eq!(status, STATUS_SUCCESS);
    paging.wait();
    assert_eq!(paging.memory.bytes()[0], 1);
}

#[test]
fn entries_beyond_a_table_or_below_the_root_are_refused() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 * MIB)]);
    let levels = adapter
        .query::<DXGK_GPUMMUCAPS>(DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_GPUMMUCAPS, &0u32.to_le_bytes());
    let entries = [pte(0, 1); 2];
    let mut buffer = [0u64; 64];
    let mut update = |level, start| {
        let mut args = DXGKARG_BUILDPAGINGBUFFER::zeroed();
        args.Operation = Operation::DXGK_OPERATION_UPDATE_PAGE_TABLE;
        (args.pDmaBuffer, args.DmaSize) = (buffer.as_mut_ptr().cast(), 512);
        let mut update = DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE::zeroed();
        update.PageTableAddress.u.GpuVirtual = LOCAL_VA;
        update.UpdateMode = DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_GPU_VIRTUAL;
        update.pPageTableEntries = entries.as_ptr().cast_mut();
        (update.PageTableLevel, update.StartIndex, update.NumPageTableEntries) = (level, start, 2);
        args.u.UpdatePageTable = update;
        // SAFETY: live arguments, and a buffer of that size.
        unsafe { adapter.table.DxgkDdiBuildPagingBuffer.unwrap()(adapter.context, &mut args) }
    };
    let top = levels.PageTableLevelCount - 1;
    assert_eq!([(0, 510), (top, 0)].map(|(level, start)| update(level, start)), [STATUS_SUCCESS; 2]);
    for (level, start) in [(0, 511), (top + 1, 0), (0, u32::MAX)] {
        assert!(!update(level, start).is_success(), "level {level}, entry {start}");
    }
}
