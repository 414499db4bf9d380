//! Memory segments and the CPU host aperture.

use crate::base::{DXGK_MEMORYRANGE, HANDLE, PHYSICAL_ADDRESS, PVOID, SIZE_T};
use crate::macros::{abi, bits, callbacks, open_enum};
use crate::status::NTSTATUS;

open_enum! {
    /// Where a segment's memory lies.
    pub enum DXGK_SEGMENTTYPE {
        DXGK_SEGMENTTYPE_SYSMEM = 0,
        DXGK_SEGMENTTYPE_LOCAL = 1,
    }

    /// Page sizes, as powers of two from 4 KiB.
    pub enum DXGK_PAGESIZE {
        DXGK_PAGESIZE_4KB = 0,
        DXGK_PAGESIZE_8KB = 1,
        DXGK_PAGESIZE_16KB = 2,
        DXGK_PAGESIZE_32KB = 3,
        DXGK_PAGESIZE_64KB = 4,
        DXGK_PAGESIZE_128KB = 5,
        DXGK_PAGESIZE_256KB = 6,
        DXGK_PAGESIZE_512KB = 7,
        DXGK_PAGESIZE_1MB = 8,
        DXGK_PAGESIZE_2MB = 9,
        DXGK_PAGESIZE_4MB = 10,
        DXGK_PAGESIZE_8MB = 11,
        DXGK_PAGESIZE_16MB = 12,
        DXGK_PAGESIZE_32MB = 13,
        DXGK_PAGESIZE_64MB = 14,
        DXGK_PAGESIZE_128MB = 15,
    }
}

bits! {
    /// What a segment is and can do.
    pub struct DXGK_SEGMENTFLAGS: u32 [Value] {
        Aperture = 0,
        Agp = 1,
        CpuVisible = 2,
        UseBanking = 3,
        CacheCoherent = 4,
        PitchAlignment = 5,
        PopulatedFromSystemMemory = 6,
        PreservedDuringStandby = 7,
        PreservedDuringHibernate = 8,
        PartiallyPreservedDuringHibernate = 9,
        DirectFlip = 10,
        Use64KBPages = 11,
        SupportsCpuHostAperture = 13,
        SupportsCachedCpuHostAperture = 14,
        ApplicationTarget = 15,
        VprSupported = 16,
        VprPreservedDuringStandby = 17,
        EncryptedPagingSupported = 18,
        LocalBudgetGroup = 19,
        NonLocalBudgetGroup = 20,
        PopulatedByReservedDDRByFirmware = 21,
    } reserved {
        ReservedSysMem = 12: 1,
        Reserved = 22: 10,
    }

    /// Banks to prefer, each with the end to start from.
    pub struct DXGK_SEGMENTBANKPREFERENCE: u32 [Value] {
        Direction0 = 7,
        Direction1 = 15,
        Direction2 = 23,
        Direction3 = 31,
    } wide {
        Bank0, with_Bank0 = 0: 7,
        Bank1, with_Bank1 = 8: 7,
        Bank2, with_Bank2 = 16: 7,
        Bank3, with_Bank3 = 24: 7,
    }

    /// Up to five segments in order of preference (0: none), each with the end to start from.
    pub struct D3DDDI_SEGMENTPREFERENCE: u32 [Value] {
        Direction0 = 5,
        Direction1 = 11,
        Direction2 = 17,
        Direction3 = 23,
        Direction4 = 29,
    } wide {
        SegmentId0, with_SegmentId0 = 0: 5,
        SegmentId1, with_SegmentId1 = 6: 5,
        SegmentId2, with_SegmentId2 = 12: 5,
        SegmentId3, with_SegmentId3 = 18: 5,
        SegmentId4, with_SegmentId4 = 24: 5,
    } reserved {
        Reserved = 30: 2,
    }
}

abi! {
    /// Input of query 11, DXGKQAITYPE_QUERYSEGMENT4.
    pub struct DXGK_QUERYSEGMENTIN4 {
        PhysicalAdapterIndex: u32,
    }

    /// Answer to query 11. Asked twice: first for the count, then with room for the descriptors.
    pub struct DXGK_QUERYSEGMENTOUT4 {
        /// 0 when only the count is asked for.
        NbSegment: u32,
        /// `NbSegment` descriptors, `SegmentDescriptorStride` bytes apart.
        pSegmentDescriptor: PVOID,
        PagingBufferSegmentId: u32,
        /// In bytes.
        PagingBufferSize: u32,
        PagingBufferPrivateDataSize: u32,
        SegmentDescriptorStride: SIZE_T,
    }

    /// A window through which the CPU sees pages of a segment.
    pub struct DXGK_CPUHOSTAPERTURE {
        PhysicalAddress: u64,
        /// Pages of 4096 bytes.
        SizeInPages: u32,
    }

    /// The anonymous union of [`DXGK_SEGMENTDESCRIPTOR4`].
    pub union DXGK_SEGMENTDESCRIPTOR4_U {
        CpuTranslatedAddress: PHYSICAL_ADDRESS,
        CpuHostAperture: DXGK_CPUHOSTAPERTURE,
    }

    /// One segment, in the answer to query 11.
    pub struct DXGK_SEGMENTDESCRIPTOR4 {
        Flags: DXGK_SEGMENTFLAGS,
        BaseAddress: PHYSICAL_ADDRESS,
        /// In bytes.
        Size: SIZE_T,
        /// In bytes.
        CommitLimit: SIZE_T,
        SystemMemoryEndAddress: SIZE_T,
        u: DXGK_SEGMENTDESCRIPTOR4_U,
        NumInvalidMemoryRanges: u32,
        VprRangeStartOffset: SIZE_T,
        VprRangeSize: SIZE_T,
        VprAlignment: u32,
        NumVprSupported: u32,
        VprReserveSize: u32,
        NumUEFIFrameBufferRanges: u32,
    }

    /// Answer to the segment query of the page-based memory manager.
    pub struct DXGK_QUERYSEGMENTOUT5 {
        SegmentDescriptors: *mut DXGK_SEGMENTDESCRIPTOR5,
        Reserved: [u32; 4],
    }

    /// The anonymous union of [`DXGK_SEGMENTDESCRIPTOR5`].
    pub union DXGK_SEGMENTDESCRIPTOR5_U {
        CpuTranslatedAddress: PHYSICAL_ADDRESS,
        CpuHostAperture: DXGK_CPUHOSTAPERTURE,
    }

    /// One segment of the page-based memory manager.
    pub struct DXGK_SEGMENTDESCRIPTOR5 {
        SegmentType: DXGK_SEGMENTTYPE,
        Flags: DXGK_SEGMENTFLAGS,
        BaseAddress: PHYSICAL_ADDRESS,
        Size: u64,
        SystemMemoryEndAddress: SIZE_T,
        u: DXGK_SEGMENTDESCRIPTOR5_U,
        VprRangeStartOffset: SIZE_T,
        VprRangeSize: SIZE_T,
        VprAlignment: u32,
        NumInvalidMemoryRanges: u32,
        NumVprSupported: u32,
        VprReserveSize: u32,
        NumUEFIFrameBufferRanges: u32,
        SlabSize: DXGK_PAGESIZE,
    }

    /// Input of the segment-count query.
    pub struct DXGK_QUERYSEGMENTCOUNTIN {
        PhysicalAdapterIndex: u16,
        Padding: u16,
        Reserved: u32,
    }

    /// Answer to the segment-count query.
    pub struct DXGK_QUERYSEGMENTCOUNTOUT {
        SegmentCount: u16,
        Padding: u16,
        Reserved: u32,
    }

    /// Input of the paging-buffer query.
    pub struct DXGK_QUERYPAGINGBUFFERINFOIN {
        PhysicalAdapterIndex: u16,
        Reserved: u16,
    }

    /// Answer to the paging-buffer query.
    pub struct DXGK_QUERYPAGINGBUFFERINFOOUT {
        PagingBufferSize: u32,
        PagingBufferPrivateDataSize: u32,
    }

    /// Input of the segment query of the page-based memory manager.
    pub struct DXGK_QUERYSEGMENTIN5 {
        PhysicalAdapterIndex: u16,
        Padding: u16,
        Reserved: u32,
    }

    /// The anonymous union of [`DXGK_QUERYSEGMENTMEMORYSTATE`].
    pub union DXGK_QUERYSEGMENTMEMORYSTATE_U {
        NumInvalidMemoryRanges: u32,
        NumUEFIFrameBufferRanges: u32,
    }

    /// Query 12, DXGKQAITYPE_SEGMENTMEMORYSTATE: ranges of a segment that must not be used.
    pub struct DXGK_QUERYSEGMENTMEMORYSTATE {
        DriverSegmentId: u16,
        PhysicalAdapterIndex: u16,
        u: DXGK_QUERYSEGMENTMEMORYSTATE_U,
        pMemoryRanges: *mut DXGK_MEMORYRANGE,
    }

    /// Argument of [`DXGKDDI_MAPCPUHOSTAPERTURE`].
    pub struct DXGKARG_MAPCPUHOSTAPERTURE {
        hAllocation: HANDLE,
        SegmentId: u16,
        PhysicalAdapterIndex: u16,
        NumberOfPages: u64,
        pCpuHostAperturePages: *const u32,
        pMemorySegmentPages: *const u64,
    }

    /// Argument of [`DXGKDDI_UNMAPCPUHOSTAPERTURE`].
    pub struct DXGKARG_UNMAPCPUHOSTAPERTURE {
        NumberOfPages: u64,
        pCpuHostAperturePages: *const u32,
        SegmentId: u16,
        PhysicalAdapterIndex: u16,
    }
}

callbacks! {
    /// Maps pages of a segment into the CPU host aperture.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_MAPCPUHOSTAPERTURE = DXGKDDI_MAPCPUHOSTAPERTURE(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_MAPCPUHOSTAPERTURE,
    ) -> NTSTATUS;

    /// Unmaps pages of the CPU host aperture.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_UNMAPCPUHOSTAPERTURE = DXGKDDI_UNMAPCPUHOSTAPERTURE(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_UNMAPCPUHOSTAPERTURE,
    ) -> NTSTATUS;
}
