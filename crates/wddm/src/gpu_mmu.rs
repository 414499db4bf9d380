//! The GPU's own page tables: levels, entries, capabilities.

use crate::base::{D3DGPU_PHYSICAL_ADDRESS, D3DGPU_VIRTUAL_ADDRESS, HANDLE, PVOID, SIZE_T};
use crate::macros::{abi, bits, callbacks, open_enum};

open_enum! {
    /// The header's `DXGK_PAGETABLEUPDATEMODE`.
    pub enum DXGK_PAGETABLEUPDATEMODE {
        DXGK_PAGETABLEUPDATE_CPU_VIRTUAL = 0,
        DXGK_PAGETABLEUPDATE_GPU_VIRTUAL = 1,
        DXGK_PAGETABLEUPDATE_GPU_PHYSICAL = 2,
    }

    /// The header's `DXGK_PTE_PAGE_SIZE`.
    pub enum DXGK_PTE_PAGE_SIZE {
        DXGK_PTE_PAGE_TABLE_PAGE_4KB = 0,
        DXGK_PTE_PAGE_TABLE_PAGE_64KB = 1,
    }
}

bits! {
    /// The header's `DXGK_MMUFLAGS`.
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

    /// `LegacyBehaviors` of [`DXGK_GPUMMUCAPS`].
    pub struct DXGK_GPUMMUCAPS_LEGACYBEHAVIORS: u32 [] {
        SourcePageTableVaInTransfer = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// The bit-fields of [`DXGK_PTE`].
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
    /// The header's `DXGK_QUERYMMUCOUNTIN`.
    pub struct DXGK_QUERYMMUCOUNTIN {
        PhysicalAdapterIndex: u16,
        Padding: u16,
        Reserved: u32,
    }

    /// The header's `DXGK_QUERYMMUCOUNTOUT`.
    pub struct DXGK_QUERYMMUCOUNTOUT {
        MmuCount: u16,
        Padding: u16,
        Reserved: u32,
    }

    /// The header's `DXGK_QUERYMMUSIN`.
    pub struct DXGK_QUERYMMUSIN {
        PhysicalAdapterIndex: u16,
    }

    /// The header's `DXGK_QUERYMMUSOUT`.
    pub struct DXGK_QUERYMMUSOUT {
        MmuDescriptors: *mut DXGK_MMUDESCRIPTOR,
        DisplayMmuId: u16,
        Reserved0: u16,
        Reserved: [u32; 4],
    }

    /// The header's `DXGK_MMUDESCRIPTOR`.
    pub struct DXGK_MMUDESCRIPTOR {
        Flags: DXGK_MMUFLAGS,
        Size: u64,
    }

    /// The header's `DXGK_QUERYGPUMMUCAPSIN`.
    pub struct DXGK_QUERYGPUMMUCAPSIN {
        PhysicalAdapterIndex: u32,
    }

    /// The header's `DXGK_GPUMMUCAPS`.
    pub struct DXGK_GPUMMUCAPS {
        Value: DXGK_GPUMMUCAPS_VALUE,
        PageTableUpdateMode: DXGK_PAGETABLEUPDATEMODE,
        VirtualAddressBitCount: u32,
        LeafPageTableSizeFor64KPagesInBytes: u32,
        PageTableLevelCount: u32,
        LegacyBehaviors: DXGK_GPUMMUCAPS_LEGACYBEHAVIORS,
    }

    /// The header's `DXGK_QUERYPAGETABLELEVELDESCIN`.
    pub struct DXGK_QUERYPAGETABLELEVELDESCIN {
        LevelIndex: u16,
        PhysicalAdapterIndex: u16,
    }

    /// The header's `DXGK_PAGE_TABLE_LEVEL_DESC`.
    pub struct DXGK_PAGE_TABLE_LEVEL_DESC {
        PageTableIndexBitCount: u32,
        PageTableSegmentId: u32,
        PagingProcessPageTableSegmentId: u32,
        PageTableSizeInBytes: u32,
        PageTableAlignmentInBytes: u32,
    }

    /// The header's `DXGKARG_SETROOTPAGETABLE`.
    pub struct DXGKARG_SETROOTPAGETABLE {
        hContext: HANDLE,
        Address: D3DGPU_PHYSICAL_ADDRESS,
        NumEntries: u32,
    }

    /// The header's `DXGKARG_GETROOTPAGETABLESIZE`.
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

    /// The header's `DXGK_PAGETABLEUPDATEADDRESS`.
    pub struct DXGK_PAGETABLEUPDATEADDRESS {
        u: DXGK_PAGETABLEUPDATEADDRESS_U,
    }

    /// The anonymous union of [`DXGK_PTE`].
    pub union DXGK_PTE_U {
        PageAddress: u64,
        PageTableAddress: u64,
    }

    /// The header's `DXGK_PTE`.
    pub struct DXGK_PTE {
        Flags: DXGK_PTE_FLAGS,
        u: DXGK_PTE_U,
    }
}

callbacks! {
    /// The header's `DXGKDDI_SETROOTPAGETABLE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SETROOTPAGETABLE = DXGKDDI_SETROOTPAGETABLE(
        hAdapter: HANDLE,
        pSetPageTable: *const DXGKARG_SETROOTPAGETABLE,
    );

    /// The header's `DXGKDDI_GETROOTPAGETABLESIZE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETROOTPAGETABLESIZE = DXGKDDI_GETROOTPAGETABLESIZE(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARG_GETROOTPAGETABLESIZE,
    ) -> SIZE_T;
}
