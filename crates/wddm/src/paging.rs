//! Paging operations that a driver turns into commands: transfers, fills, page-table updates, residency.

use crate::base::{
    D3DGPU_PHYSICAL_ADDRESS, D3DGPU_VIRTUAL_ADDRESS, DXGK_ADL, HANDLE, PHYSICAL_ADDRESS, PVOID, SIZE_T,
};
use crate::gpu_mmu::{DXGK_PAGETABLEUPDATEADDRESS, DXGK_PAGETABLEUPDATEMODE, DXGK_PTE};
use crate::macros::{abi, bits, callbacks, open_enum};
use crate::resources::MDL;
use crate::status::NTSTATUS;

open_enum! {
    /// Paging operations; the value selects the member of the union in [`DXGKARG_BUILDPAGINGBUFFER`].
    pub enum DXGK_BUILDPAGINGBUFFER_OPERATION {
        DXGK_OPERATION_TRANSFER = 0,
        DXGK_OPERATION_FILL = 1,
        DXGK_OPERATION_DISCARD_CONTENT = 2,
        DXGK_OPERATION_READ_PHYSICAL = 3,
        DXGK_OPERATION_WRITE_PHYSICAL = 4,
        DXGK_OPERATION_MAP_APERTURE_SEGMENT = 5,
        DXGK_OPERATION_UNMAP_APERTURE_SEGMENT = 6,
        DXGK_OPERATION_SPECIAL_LOCK_TRANSFER = 7,
        DXGK_OPERATION_VIRTUAL_TRANSFER = 8,
        DXGK_OPERATION_VIRTUAL_FILL = 9,
        DXGK_OPERATION_INIT_CONTEXT_RESOURCE = 10,
        DXGK_OPERATION_UPDATE_PAGE_TABLE = 11,
        DXGK_OPERATION_FLUSH_TLB = 12,
        DXGK_OPERATION_UPDATE_CONTEXT_ALLOCATION = 13,
        DXGK_OPERATION_COPY_PAGE_TABLE_ENTRIES = 14,
        DXGK_OPERATION_NOTIFY_RESIDENCY = 15,
        DXGK_OPERATION_SIGNAL_MONITORED_FENCE = 16,
        DXGK_OPERATION_MAP_APERTURE_SEGMENT2 = 17,
        DXGK_OPERATION_NOTIFY_FENCE_RESIDENCY = 18,
        DXGK_OPERATION_MAP_MMU = 19,
        DXGK_OPERATION_UNMAP_MMU = 20,
        DXGK_OPERATION_NOTIFY_RESIDENCY2 = 21,
        DXGK_OPERATION_NOTIFY_ALLOC = 22,
    }

    /// Direction of a transfer; local is video memory.
    pub enum DXGK_MEMORY_TRANSFER_DIRECTION {
        DXGK_MEMORY_TRANSFER_LOCAL_TO_SYSTEM = 0,
        DXGK_MEMORY_TRANSFER_SYSTEM_TO_LOCAL = 1,
        DXGK_MEMORY_TRANSFER_LOCAL_TO_LOCAL = 2,
    }
}

bits! {
    /// How a physical transfer runs.
    pub struct DXGK_TRANSFERFLAGS: u32 [Value] {
        Swizzle = 0,
        Unswizzle = 1,
        AllocationIsIdle = 2,
        TransferStart = 3,
        TransferEnd = 4,
    } reserved {
        Reserved = 5: 27,
    }

    /// How content is discarded.
    pub struct DXGK_DISCARDCONTENTFLAGS: u32 [Value] {
        AllocationIsIdle = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// How pages are mapped into an aperture.
    pub struct DXGK_MAPAPERTUREFLAGS: u32 [Value] {
        CacheCoherent = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// Page sizes of a virtual transfer.
    pub struct DXGK_TRANSFERVIRTUALFLAGS: u32 [Flags] {
        Src64KBPages = 0,
        Dst64KBPages = 1,
    } reserved {
        Reserved = 2: 30,
    }

    /// How entries are written.
    pub struct DXGK_UPDATEPAGETABLEFLAGS: u32 [] {
        Repeat = 0,
        InitialUpdate = 1,
        NotifyEviction = 2,
        Use64KBPages = 3,
        NativeFence = 4,
    } reserved {
        Reserved = 5: 27,
    }

    /// The bit-fields of [`DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY`].
    pub struct DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY_BITS: u32 [] {
        Resident = 0,
    } reserved {
        Reserved = 0: 31,
    }

    /// `Flags` of [`DXGK_BUILDPAGINGBUFFER_NOTIFY_FENCE_RESIDENCY`].
    pub struct DXGK_BUILDPAGINGBUFFER_NOTIFY_FENCE_RESIDENCY_FLAGS: u32 [Reserved] {
    }

    /// The bit-fields of [`DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2`].
    pub struct DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2_BITS: u32 [] {
        Resident = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// What happens to the allocation.
    pub struct DXGK_NOTIFYALLOCFLAGS: u32 [Value] {
        Eviction = 0,
        IoMmuUnmap = 1,
    } reserved {
        Reserved = 2: 30,
    }
}

abi! {
    /// Operation 8: copy between virtual addresses of the paging process.
    pub struct DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL {
        hAllocation: HANDLE,
        /// For information; the addresses already contain it.
        AllocationOffsetInBytes: u64,
        TransferSizeInBytes: u64,
        SourceVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
        DestinationVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
        /// Only with the legacy behaviour SourcePageTableVaInTransfer.
        SourcePageTable: D3DGPU_VIRTUAL_ADDRESS,
        TransferDirection: DXGK_MEMORY_TRANSFER_DIRECTION,
        Flags: DXGK_TRANSFERVIRTUALFLAGS,
        /// Only with the legacy behaviour SourcePageTableVaInTransfer.
        DestinationPageTable: D3DGPU_VIRTUAL_ADDRESS,
    }

    /// Operation 9: fill a virtual range of the paging process.
    pub struct DXGK_BUILDPAGINGBUFFER_FILLVIRTUAL {
        hAllocation: HANDLE,
        /// For information; the address already contains it.
        AllocationOffsetInBytes: u64,
        FillSizeInBytes: u64,
        FillPattern: u32,
        DestinationVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    }

    /// Operation 11: write entries of one page table.
    pub struct DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE {
        PageTableLevel: u32,
        hAllocation: HANDLE,
        PageTableAddress: DXGK_PAGETABLEUPDATEADDRESS,
        pPageTableEntries: *mut DXGK_PTE,
        StartIndex: u32,
        NumPageTableEntries: u32,
        Reserved0: u32,
        Flags: DXGK_UPDATEPAGETABLEFLAGS,
        DriverProtection: u64,
        AllocationOffsetInBytes: u64,
        hProcess: HANDLE,
        UpdateMode: DXGK_PAGETABLEUPDATEMODE,
        pPageTableEntries64KB: *mut DXGK_PTE,
        FirstPteVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    }

    /// Operation 12: forget cached translations of a range.
    pub struct DXGK_BUILDPAGINGBUFFER_FLUSHTLB {
        RootPageTableAddress: D3DGPU_PHYSICAL_ADDRESS,
        hProcess: HANDLE,
        StartVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
        EndVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    }

    /// Operation 14: copy entries between page tables.
    pub struct DXGK_BUILDPAGINGBUFFER_COPYPAGETABLEENTRIES {
        NumRanges: u32,
        pRanges: *mut DXGK_BUILDPAGINGBUFFER_COPY_RANGE,
    }

    /// Operation 13: let the driver write a context allocation.
    pub struct DXGK_BUILDPAGINGBUFFER_UPDATECONTEXTALLOCATION {
        ContextAllocation: D3DGPU_VIRTUAL_ADDRESS,
        ContextAllocationSize: u64,
        pDriverPrivateData: PVOID,
        DriverPrivateDataSize: u32,
    }

    /// Operation 15: an allocation became resident or stopped being so.
    pub struct DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY {
        hAllocation: HANDLE,
        PhysicalAddress: D3DGPU_PHYSICAL_ADDRESS,
        Bits: DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY_BITS,
    }

    /// Operation 16: write a monitored fence's value.
    pub struct DXGK_BUILDPAGINGBUFFER_SIGNALMONITOREDFENCE {
        MonitoredFenceGpuVa: D3DGPU_VIRTUAL_ADDRESS,
        MonitoredFenceValue: u64,
    }

    /// Operation 18: where native fences lie now.
    pub struct DXGK_BUILDPAGINGBUFFER_NOTIFY_FENCE_RESIDENCY {
        NumFences: u32,
        Flags: DXGK_BUILDPAGINGBUFFER_NOTIFY_FENCE_RESIDENCY_FLAGS,
        FenceResidencyInfo: *mut DXGK_FENCE_RESIDENCY_INFO,
    }

    /// Operation 19: map pages in one MMU.
    pub struct DXGK_BUILDPAGINGBUFFER_MAPMMU {
        hAllocation: HANDLE,
        VirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
        MmuId: u16,
        SegmentId: u16,
        AllocationOffsetInPages: u32,
        Adl: DXGK_ADL,
    }

    /// Operation 20: unmap pages in one MMU.
    pub struct DXGK_BUILDPAGINGBUFFER_UNMAPMMU {
        hAllocation: HANDLE,
        VirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
        MmuId: u16,
        Reserved0: u16,
        AllocationOffset: u32,
        NumberOfPages: u32,
    }

    /// The anonymous union of [`DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2`].
    pub union DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2_U {
        PhysicalAddress: D3DGPU_PHYSICAL_ADDRESS,
        Mdl: *mut MDL,
    }

    /// Operation 21: part of an allocation became resident or stopped being so.
    pub struct DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2 {
        hAllocation: HANDLE,
        AllocationOffsetInPages: u32,
        SizeInPages: u32,
        SegmentId: u16,
        Padding0: u16,
        u: DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2_U,
        Bits: DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2_BITS,
    }

    /// Operation 22: an allocation is evicted or unmapped.
    pub struct DXGK_BUILDPAGINGBUFFER_NOTIFYALLOC {
        hAllocation: HANDLE,
        hKmdProcessHandle: HANDLE,
        Flags: DXGK_NOTIFYALLOCFLAGS,
        OffsetInBytes: u64,
        SizeInBytes: u64,
        GpuVirtualAddressAtOffset: D3DGPU_VIRTUAL_ADDRESS,
    }

    /// The anonymous union of [`DXGKARG_BUILDPAGINGBUFFER_TRANSFER_SOURCE`].
    pub union DXGKARG_BUILDPAGINGBUFFER_TRANSFER_SOURCE_U {
        SegmentAddress: PHYSICAL_ADDRESS,
        pMdl: *mut MDL,
    }

    /// `Source` of [`DXGKARG_BUILDPAGINGBUFFER_TRANSFER`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_TRANSFER_SOURCE {
        SegmentId: u32,
        u: DXGKARG_BUILDPAGINGBUFFER_TRANSFER_SOURCE_U,
    }

    /// The anonymous union of [`DXGKARG_BUILDPAGINGBUFFER_TRANSFER_DESTINATION`].
    pub union DXGKARG_BUILDPAGINGBUFFER_TRANSFER_DESTINATION_U {
        SegmentAddress: PHYSICAL_ADDRESS,
        pMdl: *mut MDL,
    }

    /// `Destination` of [`DXGKARG_BUILDPAGINGBUFFER_TRANSFER`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_TRANSFER_DESTINATION {
        SegmentId: u32,
        u: DXGKARG_BUILDPAGINGBUFFER_TRANSFER_DESTINATION_U,
    }

    /// `Transfer` of [`DXGKARG_BUILDPAGINGBUFFER`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_TRANSFER {
        hAllocation: HANDLE,
        TransferOffset: u32,
        TransferSize: SIZE_T,
        Source: DXGKARG_BUILDPAGINGBUFFER_TRANSFER_SOURCE,
        Destination: DXGKARG_BUILDPAGINGBUFFER_TRANSFER_DESTINATION,
        Flags: DXGK_TRANSFERFLAGS,
        /// In pages.
        MdlOffset: u32,
    }

    /// `Destination` of [`DXGKARG_BUILDPAGINGBUFFER_FILL`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_FILL_DESTINATION {
        SegmentId: u32,
        SegmentAddress: PHYSICAL_ADDRESS,
    }

    /// `Fill` of [`DXGKARG_BUILDPAGINGBUFFER`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_FILL {
        hAllocation: HANDLE,
        FillSize: SIZE_T,
        FillPattern: u32,
        Destination: DXGKARG_BUILDPAGINGBUFFER_FILL_DESTINATION,
    }

    /// `DiscardContent` of [`DXGKARG_BUILDPAGINGBUFFER`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_DISCARDCONTENT {
        hAllocation: HANDLE,
        Flags: DXGK_DISCARDCONTENTFLAGS,
        SegmentId: u32,
        SegmentAddress: PHYSICAL_ADDRESS,
    }

    /// `ReadPhysical` of [`DXGKARG_BUILDPAGINGBUFFER`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_READPHYSICAL {
        SegmentId: u32,
        PhysicalAddress: PHYSICAL_ADDRESS,
    }

    /// `WritePhysical` of [`DXGKARG_BUILDPAGINGBUFFER`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_WRITEPHYSICAL {
        SegmentId: u32,
        PhysicalAddress: PHYSICAL_ADDRESS,
    }

    /// `MapApertureSegment` of [`DXGKARG_BUILDPAGINGBUFFER`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_MAPAPERTURESEGMENT {
        hDevice: HANDLE,
        hAllocation: HANDLE,
        SegmentId: u32,
        OffsetInPages: SIZE_T,
        NumberOfPages: SIZE_T,
        pMdl: *mut MDL,
        Flags: DXGK_MAPAPERTUREFLAGS,
        MdlOffset: u32,
    }

    /// `UnmapApertureSegment` of [`DXGKARG_BUILDPAGINGBUFFER`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_UNMAPAPERTURESEGMENT {
        hDevice: HANDLE,
        hAllocation: HANDLE,
        SegmentId: u32,
        OffsetInPages: SIZE_T,
        NumberOfPages: SIZE_T,
        DummyPage: PHYSICAL_ADDRESS,
    }

    /// The anonymous union of [`DXGKARG_BUILDPAGINGBUFFER_SPECIALLOCKTRANSFER_SOURCE`].
    pub union DXGKARG_BUILDPAGINGBUFFER_SPECIALLOCKTRANSFER_SOURCE_U {
        SegmentAddress: PHYSICAL_ADDRESS,
        pMdl: *mut MDL,
    }

    /// `Source` of [`DXGKARG_BUILDPAGINGBUFFER_SPECIALLOCKTRANSFER`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_SPECIALLOCKTRANSFER_SOURCE {
        SegmentId: u32,
        u: DXGKARG_BUILDPAGINGBUFFER_SPECIALLOCKTRANSFER_SOURCE_U,
    }

    /// The anonymous union of [`DXGKARG_BUILDPAGINGBUFFER_SPECIALLOCKTRANSFER_DESTINATION`].
    pub union DXGKARG_BUILDPAGINGBUFFER_SPECIALLOCKTRANSFER_DESTINATION_U {
        SegmentAddress: PHYSICAL_ADDRESS,
        pMdl: *mut MDL,
    }

    /// `Destination` of [`DXGKARG_BUILDPAGINGBUFFER_SPECIALLOCKTRANSFER`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_SPECIALLOCKTRANSFER_DESTINATION {
        SegmentId: u32,
        u: DXGKARG_BUILDPAGINGBUFFER_SPECIALLOCKTRANSFER_DESTINATION_U,
    }

    /// `SpecialLockTransfer` of [`DXGKARG_BUILDPAGINGBUFFER`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_SPECIALLOCKTRANSFER {
        hAllocation: HANDLE,
        TransferOffset: u32,
        TransferSize: SIZE_T,
        Source: DXGKARG_BUILDPAGINGBUFFER_SPECIALLOCKTRANSFER_SOURCE,
        Destination: DXGKARG_BUILDPAGINGBUFFER_SPECIALLOCKTRANSFER_DESTINATION,
        Flags: DXGK_TRANSFERFLAGS,
        SwizzlingRangeId: u32,
        SwizzlingRangeData: u32,
    }

    /// The anonymous union of [`DXGKARG_BUILDPAGINGBUFFER_INITCONTEXTRESOURCE_DESTINATION`].
    pub union DXGKARG_BUILDPAGINGBUFFER_INITCONTEXTRESOURCE_DESTINATION_U {
        SegmentAddress: PHYSICAL_ADDRESS,
        pMdl: *mut MDL,
    }

    /// `Destination` of [`DXGKARG_BUILDPAGINGBUFFER_INITCONTEXTRESOURCE`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_INITCONTEXTRESOURCE_DESTINATION {
        SegmentId: u32,
        u: DXGKARG_BUILDPAGINGBUFFER_INITCONTEXTRESOURCE_DESTINATION_U,
        VirtualAddress: PVOID,
        GpuVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    }

    /// `InitContextResource` of [`DXGKARG_BUILDPAGINGBUFFER`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_INITCONTEXTRESOURCE {
        hAllocation: HANDLE,
        Destination: DXGKARG_BUILDPAGINGBUFFER_INITCONTEXTRESOURCE_DESTINATION,
    }

    /// `MapApertureSegment2` of [`DXGKARG_BUILDPAGINGBUFFER`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_MAPAPERTURESEGMENT2 {
        hDevice: HANDLE,
        hAllocation: HANDLE,
        SegmentId: u32,
        OffsetInPages: SIZE_T,
        NumberOfPages: SIZE_T,
        Adl: DXGK_ADL,
        Flags: DXGK_MAPAPERTUREFLAGS,
        AdlOffset: u32,
        CpuVisibleAddress: PVOID,
    }

    /// `Reserved` of [`DXGKARG_BUILDPAGINGBUFFER`].
    pub struct DXGKARG_BUILDPAGINGBUFFER_RESERVED {
        Reserved: [u32; 64],
    }

    /// The anonymous union of [`DXGKARG_BUILDPAGINGBUFFER`].
    pub union DXGKARG_BUILDPAGINGBUFFER_U {
        Transfer: DXGKARG_BUILDPAGINGBUFFER_TRANSFER,
        Fill: DXGKARG_BUILDPAGINGBUFFER_FILL,
        DiscardContent: DXGKARG_BUILDPAGINGBUFFER_DISCARDCONTENT,
        ReadPhysical: DXGKARG_BUILDPAGINGBUFFER_READPHYSICAL,
        WritePhysical: DXGKARG_BUILDPAGINGBUFFER_WRITEPHYSICAL,
        MapApertureSegment: DXGKARG_BUILDPAGINGBUFFER_MAPAPERTURESEGMENT,
        UnmapApertureSegment: DXGKARG_BUILDPAGINGBUFFER_UNMAPAPERTURESEGMENT,
        SpecialLockTransfer: DXGKARG_BUILDPAGINGBUFFER_SPECIALLOCKTRANSFER,
        InitContextResource: DXGKARG_BUILDPAGINGBUFFER_INITCONTEXTRESOURCE,
        TransferVirtual: DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL,
        FillVirtual: DXGK_BUILDPAGINGBUFFER_FILLVIRTUAL,
        UpdatePageTable: DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE,
        FlushTlb: DXGK_BUILDPAGINGBUFFER_FLUSHTLB,
        CopyPageTableEntries: DXGK_BUILDPAGINGBUFFER_COPYPAGETABLEENTRIES,
        UpdateContextAllocation: DXGK_BUILDPAGINGBUFFER_UPDATECONTEXTALLOCATION,
        NotifyResidency: DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY,
        SignalMonitoredFence: DXGK_BUILDPAGINGBUFFER_SIGNALMONITOREDFENCE,
        MapApertureSegment2: DXGKARG_BUILDPAGINGBUFFER_MAPAPERTURESEGMENT2,
        NotifyFenceResidency: DXGK_BUILDPAGINGBUFFER_NOTIFY_FENCE_RESIDENCY,
        MmapMmu: DXGK_BUILDPAGINGBUFFER_MAPMMU,
        UnmapMmu: DXGK_BUILDPAGINGBUFFER_UNMAPMMU,
        NotifyResidency2: DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY2,
        NotifyAllocation: DXGK_BUILDPAGINGBUFFER_NOTIFYALLOC,
        Reserved: DXGKARG_BUILDPAGINGBUFFER_RESERVED,
    }

    /// Argument of [`DXGKDDI_BUILDPAGINGBUFFER`]: one operation, and the buffer for its commands. `Operation`
    /// says which member of the union holds.
    pub struct DXGKARG_BUILDPAGINGBUFFER {
        /// NULL: do it at once, with the CPU.
        pDmaBuffer: PVOID,
        /// Bytes left in the buffer.
        DmaSize: u32,
        pDmaBufferPrivateData: PVOID,
        DmaBufferPrivateDataSize: u32,
        Operation: DXGK_BUILDPAGINGBUFFER_OPERATION,
        /// The driver's own, kept when it is called again for a new buffer; 0 at first.
        MultipassOffset: u32,
        u: DXGKARG_BUILDPAGINGBUFFER_U,
        hSystemContext: HANDLE,
        DmaBufferGpuVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
        DmaBufferWriteOffset: u32,
    }

    /// A run of entries to copy.
    pub struct DXGK_BUILDPAGINGBUFFER_COPY_RANGE {
        NumPageTableEntries: u32,
        SrcPageTableAddress: D3DGPU_VIRTUAL_ADDRESS,
        DstPageTableAddress: D3DGPU_VIRTUAL_ADDRESS,
        SrcStartPteIndex: u32,
        DstStartPteIndex: u32,
    }

    /// Where one native fence lies.
    pub struct DXGK_FENCE_RESIDENCY_INFO {
        hGlobalNativeFence: HANDLE,
        CurrentValuePhysicalAddress: D3DGPU_PHYSICAL_ADDRESS,
        MonitoredValuePhysicalAddress: D3DGPU_PHYSICAL_ADDRESS,
        CurrentValueKernelCpuVa: PVOID,
        MonitoredValueKernelCpuVa: PVOID,
    }
}

callbacks! {
    /// Writes the commands of one paging operation. Only success, STATUS_GRAPHICS_ALLOCATION_BUSY or
    /// STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER; anything else is a bug check.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 1 (GPU scheduler class).
    pub type PDXGKDDI_BUILDPAGINGBUFFER = DXGKDDI_BUILDPAGINGBUFFER(
        hAdapter: HANDLE,
        pBuildPagingBuffer: *mut DXGKARG_BUILDPAGINGBUFFER,
    ) -> NTSTATUS;
}
