//! Submitting, preempting and cancelling command buffers.

use crate::base::{D3DGPU_VIRTUAL_ADDRESS, HANDLE, PHYSICAL_ADDRESS, PVOID};
use crate::format::D3DDDI_FLIPINTERVAL_TYPE;
use crate::macros::{abi, bits, callbacks};
use crate::status::NTSTATUS;

bits! {
    /// The header's `DXGK_SUBMITCOMMANDFLAGS`.
    pub struct DXGK_SUBMITCOMMANDFLAGS: u32 [Value] {
        Paging = 0,
        Present = 1,
        RedirectedPresent = 2,
        NullRendering = 3,
        Flip = 4,
        FlipWithNoWait = 5,
        ContextSwitch = 6,
        Resubmission = 7,
        VirtualMachineData = 8,
    } reserved {
        Reserved = 9: 23,
    }

    /// The header's `DXGK_PREEMPTCOMMANDFLAGS`.
    pub struct DXGK_PREEMPTCOMMANDFLAGS: u32 [Reserved, Value] {
    }

    /// The header's `DXGK_PATCHFLAGS`.
    pub struct DXGK_PATCHFLAGS: u32 [Value] {
        Paging = 0,
        Present = 1,
        RedirectedPresent = 2,
        NullRendering = 3,
    } reserved {
        Reserved = 4: 28,
    }

    /// The header's `DXGK_VALIDATESUBMITCOMMANDFLAGS`.
    pub struct DXGK_VALIDATESUBMITCOMMANDFLAGS: u32 [Value] {
        HardwareQueueSubmission = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// The bit-fields of [`DXGK_ALLOCATIONLIST`].
    pub struct DXGK_ALLOCATIONLIST_BITS: u32 [] {
        WriteOperation = 0,
    } wide {
        SegmentId, with_SegmentId = 1: 5,
    } reserved {
        Reserved = 6: 26,
    }
}

abi! {
    /// The anonymous union of [`DXGKARG_SUBMITCOMMAND`].
    pub union DXGKARG_SUBMITCOMMAND_U {
        hDevice: HANDLE,
        hContext: HANDLE,
    }

    /// The header's `DXGKARG_SUBMITCOMMAND`.
    pub struct DXGKARG_SUBMITCOMMAND {
        u: DXGKARG_SUBMITCOMMAND_U,
        DmaBufferSegmentId: u32,
        DmaBufferPhysicalAddress: PHYSICAL_ADDRESS,
        DmaBufferSize: u32,
        DmaBufferSubmissionStartOffset: u32,
        DmaBufferSubmissionEndOffset: u32,
        pDmaBufferPrivateData: PVOID,
        DmaBufferPrivateDataSize: u32,
        DmaBufferPrivateDataSubmissionStartOffset: u32,
        DmaBufferPrivateDataSubmissionEndOffset: u32,
        SubmissionFenceId: u32,
        VidPnSourceId: u32,
        FlipInterval: D3DDDI_FLIPINTERVAL_TYPE,
        Flags: DXGK_SUBMITCOMMANDFLAGS,
        EngineOrdinal: u32,
        DmaBufferVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
        NodeOrdinal: u32,
    }

    /// The header's `DXGKARG_SUBMITCOMMANDVIRTUAL`.
    pub struct DXGKARG_SUBMITCOMMANDVIRTUAL {
        hContext: HANDLE,
        DmaBufferVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
        DmaBufferSize: u32,
        pDmaBufferPrivateData: PVOID,
        DmaBufferPrivateDataSize: u32,
        DmaBufferUmdPrivateDataSize: u32,
        SubmissionFenceId: u32,
        VidPnSourceId: u32,
        FlipInterval: D3DDDI_FLIPINTERVAL_TYPE,
        Flags: DXGK_SUBMITCOMMANDFLAGS,
        EngineOrdinal: u32,
        NodeOrdinal: u32,
    }

    /// The header's `DXGKARG_PREEMPTCOMMAND`.
    pub struct DXGKARG_PREEMPTCOMMAND {
        PreemptionFenceId: u32,
        NodeOrdinal: u32,
        EngineOrdinal: u32,
        Flags: DXGK_PREEMPTCOMMANDFLAGS,
    }

    /// The header's `DXGKARG_QUERYCURRENTFENCE`.
    pub struct DXGKARG_QUERYCURRENTFENCE {
        CurrentFence: u32,
        NodeOrdinal: u32,
        EngineOrdinal: u32,
    }

    /// The header's `DXGKARG_CANCELCOMMAND`.
    pub struct DXGKARG_CANCELCOMMAND {
        hContext: HANDLE,
        pDmaBuffer: PVOID,
        DmaBufferSize: u32,
        DmaBufferSubmissionStartOffset: u32,
        DmaBufferSubmissionEndOffset: u32,
        pDmaBufferPrivateData: PVOID,
        DmaBufferPrivateDataSize: u32,
        DmaBufferPrivateDataSubmissionStartOffset: u32,
        DmaBufferPrivateDataSubmissionEndOffset: u32,
        pAllocationList: *const DXGK_ALLOCATIONLIST,
        AllocationListSize: u32,
        pPatchLocationList: PVOID,
        PatchLocationListSize: u32,
        PatchLocationListSubmissionStart: u32,
        PatchLocationListSubmissionLength: u32,
        DmaBufferVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
        DmaBufferUmdPrivateDataSize: u32,
    }

    /// The anonymous union of [`DXGKARG_PATCH`].
    pub union DXGKARG_PATCH_U {
        hDevice: HANDLE,
        hContext: HANDLE,
    }

    /// The header's `DXGKARG_PATCH`.
    pub struct DXGKARG_PATCH {
        u: DXGKARG_PATCH_U,
        DmaBufferSegmentId: u32,
        DmaBufferPhysicalAddress: PHYSICAL_ADDRESS,
        pDmaBuffer: PVOID,
        DmaBufferSize: u32,
        DmaBufferSubmissionStartOffset: u32,
        DmaBufferSubmissionEndOffset: u32,
        pDmaBufferPrivateData: PVOID,
        DmaBufferPrivateDataSize: u32,
        DmaBufferPrivateDataSubmissionStartOffset: u32,
        DmaBufferPrivateDataSubmissionEndOffset: u32,
        pAllocationList: *const DXGK_ALLOCATIONLIST,
        AllocationListSize: u32,
        pPatchLocationList: PVOID,
        PatchLocationListSize: u32,
        PatchLocationListSubmissionStart: u32,
        PatchLocationListSubmissionLength: u32,
        SubmissionFenceId: u32,
        Flags: DXGK_PATCHFLAGS,
        EngineOrdinal: u32,
    }

    /// The header's `DXGKARG_RENDER`.
    pub struct DXGKARG_RENDER {
        pCommand: PVOID,
        CommandLength: u32,
        pDmaBuffer: PVOID,
        DmaSize: u32,
        pDmaBufferPrivateData: PVOID,
        DmaBufferPrivateDataSize: u32,
        pAllocationList: *mut DXGK_ALLOCATIONLIST,
        AllocationListSize: u32,
        pPatchLocationListIn: PVOID,
        PatchLocationListInSize: u32,
        pPatchLocationListOut: PVOID,
        PatchLocationListOutSize: u32,
        MultipassOffset: u32,
        DmaBufferSegmentId: u32,
        DmaBufferPhysicalAddress: PHYSICAL_ADDRESS,
    }

    /// The header's `DXGKARG_VALIDATESUBMITCOMMAND`.
    pub struct DXGKARG_VALIDATESUBMITCOMMAND {
        Commands: u64,
        CommandLength: u32,
        Flags: DXGK_VALIDATESUBMITCOMMANDFLAGS,
        ContextCount: u32,
        Context: [PVOID; 64],
        pPrivateDriverData: PVOID,
        PrivateDriverDataSize: u32,
        UmdPrivateDataSize: u32,
        HwQueueProgressFenceId: u64,
    }

    /// The anonymous union of [`DXGK_ALLOCATIONLIST`].
    pub union DXGK_ALLOCATIONLIST_U {
        PhysicalAddress: PHYSICAL_ADDRESS,
        VirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    }

    /// The header's `DXGK_ALLOCATIONLIST`.
    pub struct DXGK_ALLOCATIONLIST {
        hDeviceSpecificAllocation: HANDLE,
        Bits: DXGK_ALLOCATIONLIST_BITS,
        u: DXGK_ALLOCATIONLIST_U,
    }
}

callbacks! {
    /// The header's `DXGKDDI_SUBMITCOMMAND`.
    ///
    /// IRQL: DISPATCH_LEVEL. Synchronization level: 1 (GPU scheduler class).
    pub type PDXGKDDI_SUBMITCOMMAND = DXGKDDI_SUBMITCOMMAND(
        hAdapter: HANDLE,
        pSubmitCommand: *const DXGKARG_SUBMITCOMMAND,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_SUBMITCOMMANDVIRTUAL`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SUBMITCOMMANDVIRTUAL = DXGKDDI_SUBMITCOMMANDVIRTUAL(
        hAdapter: HANDLE,
        pSubmitCommand: *const DXGKARG_SUBMITCOMMANDVIRTUAL,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_PREEMPTCOMMAND`.
    ///
    /// IRQL: DISPATCH_LEVEL (low IRQL when LowIrqlPreemptCommand cap is set). Synchronization level: 1 (GPU
    /// scheduler class).
    pub type PDXGKDDI_PREEMPTCOMMAND = DXGKDDI_PREEMPTCOMMAND(
        hAdapter: HANDLE,
        pPreemptCommand: *const DXGKARG_PREEMPTCOMMAND,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_PATCH`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 1 (GPU scheduler class).
    pub type PDXGKDDI_PATCH = DXGKDDI_PATCH(hAdapter: HANDLE, pPatch: *const DXGKARG_PATCH) -> NTSTATUS;

    /// The header's `DXGKDDI_RENDER`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_RENDER = DXGKDDI_RENDER(hContext: HANDLE, pRender: *mut DXGKARG_RENDER) -> NTSTATUS;

    /// The header's `DXGKDDI_QUERYCURRENTFENCE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_QUERYCURRENTFENCE = DXGKDDI_QUERYCURRENTFENCE(
        hAdapter: HANDLE,
        pCurrentFence: *mut DXGKARG_QUERYCURRENTFENCE,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_CANCELCOMMAND`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_CANCELCOMMAND = DXGKDDI_CANCELCOMMAND(
        hAdapter: HANDLE,
        pCancelCommand: *const DXGKARG_CANCELCOMMAND,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_VALIDATESUBMITCOMMAND`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDI_VALIDATESUBMITCOMMAND (d3dkmddi.h)*.
    pub type PDXGKDDI_VALIDATESUBMITCOMMAND = DXGKDDI_VALIDATESUBMITCOMMAND(
        hContext: HANDLE,
        pArgs: *mut DXGKARG_VALIDATESUBMITCOMMAND,
    ) -> NTSTATUS;
}
