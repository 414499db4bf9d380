//! Paging through the callback table: tables written by CPU and by engine, transfers, fills, fences.
//!
//! UNSAFETY: it is the other side of the DDI.
#![expect(unsafe_code)]

mod support;

use std::sync::atomic::Ordering;

use gpup_core::os::level;
use support::TestAdapter;
use wddm::DXGK_BUILDPAGINGBUFFER_OPERATION as Operation;
use wddm::DXGK_INTERRUPT_TYPE as Interrupt;
use wddm::*;

const MIB: u64 = 1 << 20;
const PAGE: u64 = 4096;
/// The node that pages.
const COPY: u32 = 1;
/// Where the test maps things in the paging process.
const DMA_VA: u64 = 0;
const SYSTEM_VA: u64 = 0x10_0000;
const LOCAL_VA: u64 = 0x18_0000;

/// Page-aligned system memory.
struct Pages {
    words: Vec<u64>,
    skip: usize,
}

impl Pages {
    fn new(pages: usize) -> Self {
        let words = vec![0u64; (pages + 1) * 512];
        let skip = words.as_ptr().align_offset(4096);
        let pages = Self { words, skip };
        pages.words.as_ptr().expose_provenance();
        pages
    }

    fn address(&self) -> u64 {
        self.words[self.skip..].as_ptr().addr() as u64
    }

    fn bytes(&mut self) -> &mut [u8] {
        let bytes = (self.words.len() - 512) * 8;
        // SAFETY: the vector is that much longer than what is skipped.
        unsafe { core::slice::from_raw_parts_mut(self.words[self.skip..].as_mut_ptr().cast(), bytes) }
    }
}

fn pte(segment: u64, page: u64) -> DXGK_PTE {
    DXGK_PTE { Flags: DXGK_PTE_FLAGS::Valid.with_Segment(segment), u: DXGK_PTE_U { PageAddress: page } }
}

/// The paging process of an adapter: three tables in system memory cover the first 2 MiB.
struct Paging<'a> {
    adapter: &'a TestAdapter,
    context: HANDLE,
    dma: Pages,
    memory: Pages,
    _tables: Pages,
    fence: u32,
}

impl<'a> Paging<'a> {
    fn new(adapter: &'a TestAdapter) -> Self {
        let table = &adapter.table;
        let mut process = DXGKARG_CREATEPROCESS::zeroed();
        process.Flags = DXGK_CREATEPROCESSFLAGS::SystemProcess;
        // SAFETY: live arguments.
        let status = unsafe { table.DxgkDdiCreateProcess.unwrap()(adapter.context, &mut process) };
        assert_eq!(status, STATUS_SUCCESS);
        let mut device = DXGKARG_CREATEDEVICE::zeroed();
        device.hKmdProcess = process.hKmdProcess;
        // SAFETY: as above.
        let status = unsafe { table.DxgkDdiCreateDevice.unwrap()(adapter.context, &mut device) };
        assert_eq!(status, STATUS_SUCCESS);
        let mut context = DXGKARG_CREATECONTEXT::zeroed();
        context.NodeOrdinal = COPY;
        context.Flags = DXGK_CREATECONTEXTFLAGS::SystemContext;
        // SAFETY: as above.
        let status = unsafe { table.DxgkDdiCreateContext.unwrap()(device.hDevice, &mut context) };
        assert_eq!(status, STATUS_SUCCESS);
        let tables = Pages::new(3);
        let root = tables.address();
        let paging = Self {
            adapter,
            context: context.hContext,
            dma: Pages::new(16),
            memory: Pages::new(16),
            _tables: tables,
            fence: 0,
        };
        paging.update_now(2, root, 0, &[pte(0, root / PAGE + 1)]);
        paging.update_now(1, root + PAGE, 0, &[pte(0, root / PAGE + 2)]);
        let leaf = root + 2 * PAGE;
        let map =
            |pages: &Pages| (0..16).map(|page| pte(0, pages.address() / PAGE + page)).collect::<Vec<_>>();
        let (dma, memory) = (map(&paging.dma), map(&paging.memory));
        paging.update_now(0, leaf, DMA_VA / PAGE, &dma);
        paging.update_now(0, leaf, SYSTEM_VA / PAGE, &memory);
        let local: Vec<_> = (0..16).map(|page| pte(1, 100 + 3 * page)).collect();
        paging.update_now(0, leaf, LOCAL_VA / PAGE, &local);
        let mut set = DXGKARG_SETROOTPAGETABLE::zeroed();
        set.hContext = paging.context;
        set.Address.SegmentOffset = root;
        set.NumEntries = 512;
        // SAFETY: as above.
        unsafe { table.DxgkDdiSetRootPageTable.unwrap()(adapter.context, &set) };
        paging
    }

    /// Has entries of a table written at once.
    fn update_now(&self, level: u32, table: u64, start: u64, entries: &[DXGK_PTE]) {
        let mut args = DXGKARG_BUILDPAGINGBUFFER::zeroed();
        args.Operation = Operation::DXGK_OPERATION_UPDATE_PAGE_TABLE;
        let mut update = DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE::zeroed();
        update.PageTableLevel = level;
        update.PageTableAddress.u.CpuVirtual = std::ptr::with_exposed_provenance_mut(table as usize);
        update.pPageTableEntries = entries.as_ptr().cast_mut();
        update.StartIndex = start as u32;
        update.NumPageTableEntries = entries.len() as u32;
        args.u.UpdatePageTable = update;
        // SAFETY: live arguments, and a table of 512 entries.
        let status =
            unsafe { self.adapter.table.DxgkDdiBuildPagingBuffer.unwrap()(self.adapter.context, &mut args) };
        assert_eq!((status, args.pDmaBuffer.is_null()), (STATUS_SUCCESS, true));
    }

    /// Builds an operation into buffers of `room` bytes and submits each; how many it took.
    fn run(&mut self, operation: Operation, u: DXGKARG_BUILDPAGINGBUFFER_U, room: usize) -> u32 {
        let mut args = DXGKARG_BUILDPAGINGBUFFER::zeroed();
        (args.Operation, args.u) = (operation, u);
        for buffers in 1.. {
            let start = self.dma.bytes().as_mut_ptr();
            (args.pDmaBuffer, args.DmaSize) = (start.cast(), room as u32);
            // SAFETY: live arguments, and a buffer of that size.
            let status = unsafe {
                self.adapter.table.DxgkDdiBuildPagingBuffer.unwrap()(self.adapter.context, &mut args)
            };
            let used = args.pDmaBuffer.addr() - start.addr();
            assert!(used <= room);
            if used > 0 {
                self.submit(used as u32);
                self.wait();
            }
            match status {
                STATUS_SUCCESS => return buffers,
                STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER => {}
                other => panic!("{other}"),
            }
        }
        unreachable!()
    }

    fn submit(&mut self, bytes: u32) {
        self.fence += 1;
        let mut args = DXGKARG_SUBMITCOMMANDVIRTUAL::zeroed();
        args.hContext = self.context;
        args.DmaBufferVirtualAddress = DMA_VA;
        args.DmaBufferSize = bytes;
        args.SubmissionFenceId = self.fence;
        args.NodeOrdinal = COPY;
        // SAFETY: live arguments.
        let status = level::at(level::DISPATCH_LEVEL, || unsafe {
            self.adapter.table.DxgkDdiSubmitCommandVirtual.unwrap()(self.adapter.context, &args)
        });
        assert_eq!(status, STATUS_SUCCESS);
    }

    fn wait(&self) {
        self.adapter.reports.wait(Interrupt::DXGK_INTERRUPT_DMA_COMPLETED, self.fence, COPY);
    }
}

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
    assert_eq!((word(9), word(110)), (0, 0));
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
