//! A process of the GPU with page tables of its own, and a context to submit on.

use gpup_core::os::level;
use wddm::DXGK_BUILDPAGINGBUFFER_OPERATION as Operation;
use wddm::DXGK_INTERRUPT_TYPE as Interrupt;
use wddm::*;

use super::TestAdapter;

/// A page.
pub(crate) const PAGE: u64 = 4096;
/// The node that pages.
pub(crate) const COPY: u32 = 1;
/// Where the test maps things in the paging process.
pub(crate) const DMA_VA: u64 = 0;
pub(crate) const SYSTEM_VA: u64 = 0x10_0000;
pub(crate) const LOCAL_VA: u64 = 0x18_0000;

/// Page-aligned system memory.
pub(crate) struct Pages {
    words: Vec<u64>,
    skip: usize,
}

impl Pages {
    pub(crate) fn new(pages: usize) -> Self {
        let words = vec![0u64; (pages + 1) * 512];
        let skip = words.as_ptr().align_offset(4096);
        let pages = Self { words, skip };
        pages.words.as_ptr().expose_provenance();
        pages
    }

    pub(crate) fn address(&self) -> u64 {
        self.words[self.skip..].as_ptr().addr() as u64
    }

    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        let bytes = (self.words.len() - 512) * 8;
        // SAFETY: the vector is that much longer than what is skipped.
        unsafe { core::slice::from_raw_parts_mut(self.words[self.skip..].as_mut_ptr().cast(), bytes) }
    }
}

pub(crate) fn pte(segment: u64, page: u64) -> DXGK_PTE {
    DXGK_PTE { Flags: DXGK_PTE_FLAGS::Valid.with_Segment(segment), u: DXGK_PTE_U { PageAddress: page } }
}

/// The paging process of an adapter: three tables in system memory cover the first 2 MiB.
pub(crate) struct Paging<'a> {
    pub(crate) adapter: &'a TestAdapter,
    pub(crate) context: HANDLE,
    pub(crate) node: u32,
    pub(crate) dma: Pages,
    pub(crate) memory: Pages,
    _tables: Pages,
    pub(crate) fence: u32,
}

impl<'a> Paging<'a> {
    pub(crate) fn new(adapter: &'a TestAdapter) -> Self {
        let process = DXGK_CREATEPROCESSFLAGS::SystemProcess;
        Self::of(adapter, process, COPY, DXGK_CREATECONTEXTFLAGS::SystemContext)
    }

    /// Any process's, with a context on `node`. No private data is passed.
    pub(crate) fn of(
        adapter: &'a TestAdapter,
        process_flags: DXGK_CREATEPROCESSFLAGS,
        node: u32,
        context_flags: DXGK_CREATECONTEXTFLAGS,
    ) -> Self {
        let table = &adapter.table;
        let mut process = DXGKARG_CREATEPROCESS::zeroed();
        process.Flags = process_flags;
        // SAFETY: live arguments.
        let status = unsafe { table.DxgkDdiCreateProcess.unwrap()(adapter.context, &mut process) };
        assert_eq!(status, STATUS_SUCCESS);
        let mut device = DXGKARG_CREATEDEVICE::zeroed();
        device.hKmdProcess = process.hKmdProcess;
        // SAFETY: as above.
        let status = unsafe { table.DxgkDdiCreateDevice.unwrap()(adapter.context, &mut device) };
        assert_eq!(status, STATUS_SUCCESS);
        let mut context = DXGKARG_CREATECONTEXT::zeroed();
        context.NodeOrdinal = node;
        context.Flags = context_flags;
        // SAFETY: as above.
        let status = unsafe { table.DxgkDdiCreateContext.unwrap()(device.hDevice, &mut context) };
        assert_eq!(status, STATUS_SUCCESS);
        let tables = Pages::new(3);
        let root = tables.address();
        let paging = Self {
            adapter,
            context: context.hContext,
            node,
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
    pub(crate) fn update_now(&self, level: u32, table: u64, start: u64, entries: &[DXGK_PTE]) {
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
    pub(crate) fn run(&mut self, operation: Operation, u: DXGKARG_BUILDPAGINGBUFFER_U, room: usize) -> u32 {
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

    pub(crate) fn submit(&mut self, bytes: u32) {
        self.submit_with(bytes, DXGK_SUBMITCOMMANDFLAGS::empty());
    }

    pub(crate) fn submit_with(&mut self, bytes: u32, flags: DXGK_SUBMITCOMMANDFLAGS) {
        self.fence += 1;
        let mut args = DXGKARG_SUBMITCOMMANDVIRTUAL::zeroed();
        args.hContext = self.context;
        args.DmaBufferVirtualAddress = DMA_VA;
        args.DmaBufferSize = bytes;
        (args.SubmissionFenceId, args.Flags) = (self.fence, flags);
        args.NodeOrdinal = self.node;
        // SAFETY: live arguments.
        let status = level::at(level::DISPATCH_LEVEL, || unsafe {
            self.adapter.table.DxgkDdiSubmitCommandVirtual.unwrap()(self.adapter.context, &args)
        });
        assert_eq!(status, STATUS_SUCCESS);
    }

    pub(crate) fn wait(&self) {
        self.adapter.reports.wait(Interrupt::DXGK_INTERRUPT_DMA_COMPLETED, self.fence, self.node);
    }
}
