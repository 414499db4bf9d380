//! The GPU's own page tables: levels, entries, capabilities.

use crate::base::{D3DGPU_PHYSICAL_ADDRESS, D3DGPU_VIRTUAL_ADDRESS, HANDLE, PVOID, SIZE_T};
use crate::macros::{abi, bits, callbacks, open_enum};

open_enum! {
    /// Through which address page-table entries are written.
    pub enum DXGK_PAGETABLEUPDATEMODE {
        DXGK_PAGETABLEUPDATE_CPU_VIRTUAL = 0,
        DXGK_PAGETABLEUPDATE_GPU_VIRTUAL = 1,
        DXGK_PAGETABLEUPDATE_GPU_PHYSICAL = 2,
    }

    /// What one entry of the page table below covers.
    pub enum DXGK_PTE_PAGE_SIZE {
        DXGK_PTE_PAGE_TABLE_PAGE_4KB = 0,
        DXGK_PTE_PAGE_TABLE_PAGE_64KB = 1,
    }
}

bits! {
    /// Flags of an MMU, all reserved.
    pub struct DXGK_MMUFLAGS: u32 [Reserved, Value] {
    }

    /// The bit-fields of [`DXGK_GPUMMUCAPS`].
    pub struct DXGK_GPUMMUCAPS_VALUE: u32 [Value] {
        ReadOnlyMemorySupported = 0,
        NoExecuteMemorySupported = 1,
        ZeroInPteSupported = 2,
        ExplicitPageTableInvalidation = 3,
        CacheCoherentMemorySupported = 4,
        PageTableUpdateRequireAddressSpaceIdle = 5,
        LargePageSupported = 6,
        DualPteSupported = 7,
        AllowNonAlignedLargePageAddress = 8,
        SysMem64KBPageSupported = 9,
        InvalidTlbEntriesNotCached = 10,
        SysMemLargePageSupported = 11,
        CachedPageTables = 12,
    } reserved {
        Reserved = 13: 19,
    }

    /// What an older driver still needs.
    pub struct DXGK_GPUMMUCAPS_LEGACYBEHAVIORS: u32 [] {
        SourcePageTableVaInTransfer = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// Attributes of a page-table entry. Segment 0 is system memory.
    pub struct DXGK_PTE_FLAGS: u64 [Flags] {
        Valid = 0,
        Zero = 1,
        CacheCoherent = 2,
        ReadOnly = 3,
        NoExecute = 4,
        LargePage = 10,
    } wide {
        Segment, with_Segment = 5: 5,
        PhysicalAdapterIndex, with_PhysicalAdapterIndex = 11: 6,
        PageTablePageSize, with_PageTablePageSize = 17: 2,
    } reserved {
        SystemReserved0 = 19: 1,
        Reserved = 20: 44,
    }
}

abi! {
    /// Input of the MMU-count query.
    pub struct DXGK_QUERYMMUCOUNTIN {
        PhysicalAdapterIndex: u16,
        Padding: u16,
        Reserved: u32,
    }

    /// Answer to the MMU-count query.
    pub struct DXGK_QUERYMMUCOUNTOUT {
        MmuCount: u16,
        Padding: u16,
        Reserved: u32,
    }

    /// Input of the MMU query.
    pub struct DXGK_QUERYMMUSIN {
        PhysicalAdapterIndex: u16,
    }

    /// Answer to the MMU query.
    pub struct DXGK_QUERYMMUSOUT {
        MmuDescriptors: *mut DXGK_MMUDESCRIPTOR,
        DisplayMmuId: u16,
        Reserved0: u16,
        Reserved: [u32; 4],
    }

    /// One MMU.
    pub struct DXGK_MMUDESCRIPTOR {
        Flags: DXGK_MMUFLAGS,
        Size: u64,
    }

    /// Input of query 13, DXGKQAITYPE_GPUMMUCAPS.
    pub struct DXGK_QUERYGPUMMUCAPSIN {
        PhysicalAdapterIndex: u32,
    }

    /// Answer to query 13: the GPU's page tables.
    pub struct DXGK_GPUMMUCAPS {
        Value: DXGK_GPUMMUCAPS_VALUE,
        PageTableUpdateMode: DXGK_PAGETABLEUPDATEMODE,
        VirtualAddressBitCount: u32,
        LeafPageTableSizeFor64KPagesInBytes: u32,
        PageTableLevelCount: u32,
        LegacyBehaviors: DXGK_GPUMMUCAPS_LEGACYBEHAVIORS,
    }

    /// Input of query 14, DXGKQAITYPE_PAGETABLELEVELDESC.
    pub struct DXGK_QUERYPAGETABLELEVELDESCIN {
        LevelIndex: u16,
        PhysicalAdapterIndex: u16,
    }

    /// Answer to query 14: one level of the page tables, level 0 being the leaves.
    pub struct DXGK_PAGE_TABLE_LEVEL_DESC {
        PageTableIndexBitCount: u32,
        /// Which id means system memory is contradictory: see the facts.
        PageTableSegmentId: u32,
        PagingProcessPageTableSegmentId: u32,
        PageTableSizeInBytes: u32,
        PageTableAlignmentInBytes: u32,
    }

    /// Argument of [`DXGKDDI_SETROOTPAGETABLE`].
    pub struct DXGKARG_SETROOTPAGETABLE {
        hContext: HANDLE,
        Address: D3DGPU_PHYSICAL_ADDRESS,
        NumEntries: u32,
    }

    /// Argument of [`DXGKDDI_GETROOTPAGETABLESIZE`].
    pub struct DXGKARG_GETROOTPAGETABLESIZE {
        NumberOfPte: u32,
        PhysicalAdapterIndex: u32,
    }

    /// The anonymous union of [`DXGK_PAGETABLEUPDATEADDRESS`].
    pub union DXGK_PAGETABLEUPDATEADDRESS_U {
        CpuVirtual: PVOID,
        GpuPhysical: D3DGPU_PHYSICAL_ADDRESS,
        GpuVirtual: D3DGPU_VIRTUAL_ADDRESS,
    }

    /// Where a page table lies; the update mode says which member holds.
    pub struct DXGK_PAGETABLEUPDATEADDRESS {
        u: DXGK_PAGETABLEUPDATEADDRESS_U,
    }

    /// The anonymous union of [`DXGK_PTE`].
    pub union DXGK_PTE_U {
        /// In pages of 4096 bytes.
        PageAddress: u64,
        /// Of the table below, in pages of 4096 bytes.
        PageTableAddress: u64,
    }

    /// One page-table entry as VidMm writes it.
    pub struct DXGK_PTE {
        Flags: DXGK_PTE_FLAGS,
        u: DXGK_PTE_U,
    }
}

callbacks! {
    /// Sets a context's root page table; the context is idle.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SETROOTPAGETABLE = DXGKDDI_SETROOTPAGETABLE(
        hAdapter: HANDLE,
        pSetPageTable: *const DXGKARG_SETROOTPAGETABLE,
    );

    /// Gives a root page table's size in bytes for a number of entries.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETROOTPAGETABLESIZE = DXGKDDI_GETROOTPAGETABLESIZE(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARG_GETROOTPAGETABLESIZE,
    ) -> SIZE_T;
}
