//! Submitting, preempting and cancelling command buffers.

use crate::base::{D3DGPU_VIRTUAL_ADDRESS, HANDLE, PHYSICAL_ADDRESS, PVOID};
use crate::format::D3DDDI_FLIPINTERVAL_TYPE;
use crate::macros::{abi, bits, callbacks};
use crate::status::NTSTATUS;

bits! {
    /// What is submitted.
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

    /// Flags of a preemption, all reserved.
    pub struct DXGK_PREEMPTCOMMANDFLAGS: u32 [Value] {
    } reserved {
        Reserved = 0: 32,
    }

    /// What is patched.
    pub struct DXGK_PATCHFLAGS: u32 [Value] {
        Paging = 0,
        Present = 1,
        RedirectedPresent = 2,
        NullRendering = 3,
    } reserved {
        Reserved = 4: 28,
    }

    /// Where a command is headed.
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

    /// Argument of [`DXGKDDI_SUBMITCOMMAND`].
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

    /// Argument of [`DXGKDDI_SUBMITCOMMANDVIRTUAL`]: a command buffer by GPU virtual address, and the fence
    /// to report.
    pub struct DXGKARG_SUBMITCOMMANDVIRTUAL {
        hContext: HANDLE,
        DmaBufferVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
        /// In bytes.
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

    /// Argument of [`DXGKDDI_PREEMPTCOMMAND`].
    pub struct DXGKARG_PREEMPTCOMMAND {
        PreemptionFenceId: u32,
        NodeOrdinal: u32,
        EngineOrdinal: u32,
        Flags: DXGK_PREEMPTCOMMANDFLAGS,
    }

    /// Argument of [`DXGKDDI_QUERYCURRENTFENCE`].
    pub struct DXGKARG_QUERYCURRENTFENCE {
        CurrentFence: u32,
        NodeOrdinal: u32,
        EngineOrdinal: u32,
    }

    /// Argument of [`DXGKDDI_CANCELCOMMAND`].
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

    /// Argument of [`DXGKDDI_PATCH`].
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

    /// Argument of [`DXGKDDI_RENDER`].
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

    /// Argument of [`DXGKDDI_VALIDATESUBMITCOMMAND`].
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

    /// An allocation that a command buffer refers to.
    pub struct DXGK_ALLOCATIONLIST {
        hDeviceSpecificAllocation: HANDLE,
        Bits: DXGK_ALLOCATIONLIST_BITS,
        u: DXGK_ALLOCATIONLIST_U,
    }
}

callbacks! {
    /// Submits a command buffer by physical address.
    ///
    /// IRQL: DISPATCH_LEVEL. Synchronization level: 1 (GPU scheduler class).
    pub type PDXGKDDI_SUBMITCOMMAND = DXGKDDI_SUBMITCOMMAND(
        hAdapter: HANDLE,
        pSubmitCommand: *const DXGKARG_SUBMITCOMMAND,
    ) -> NTSTATUS;

    /// Submits a command buffer by GPU virtual address. Only success or STATUS_INVALID_PARAMETER; anything
    /// else is a bug check. Pages disagree about the IRQL: write it for DISPATCH_LEVEL.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SUBMITCOMMANDVIRTUAL = DXGKDDI_SUBMITCOMMANDVIRTUAL(
        hAdapter: HANDLE,
        pSubmitCommand: *const DXGKARG_SUBMITCOMMANDVIRTUAL,
    ) -> NTSTATUS;

    /// Preempts what an engine runs; the preemption's own fence reports the end.
    ///
    /// IRQL: DISPATCH_LEVEL (low IRQL when LowIrqlPreemptCommand cap is set). Synchronization level: 1 (GPU
    /// scheduler class).
    pub type PDXGKDDI_PREEMPTCOMMAND = DXGKDDI_PREEMPTCOMMAND(
        hAdapter: HANDLE,
        pPreemptCommand: *const DXGKARG_PREEMPTCOMMAND,
    ) -> NTSTATUS;

    /// Writes addresses into a command buffer.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 1 (GPU scheduler class).
    pub type PDXGKDDI_PATCH = DXGKDDI_PATCH(hAdapter: HANDLE, pPatch: *const DXGKARG_PATCH) -> NTSTATUS;

    /// Turns a user-mode command buffer into a DMA buffer.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_RENDER = DXGKDDI_RENDER(hContext: HANDLE, pRender: *mut DXGKARG_RENDER) -> NTSTATUS;

    /// Tells the last completed fence of an engine.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_QUERYCURRENTFENCE = DXGKDDI_QUERYCURRENTFENCE(
        hAdapter: HANDLE,
        pCurrentFence: *mut DXGKARG_QUERYCURRENTFENCE,
    ) -> NTSTATUS;

    /// Cleans up a command buffer that will not be submitted.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_CANCELCOMMAND = DXGKDDI_CANCELCOMMAND(
        hAdapter: HANDLE,
        pCancelCommand: *const DXGKARG_CANCELCOMMAND,
    ) -> NTSTATUS;

    /// Checks a submission from user mode.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDI_VALIDATESUBMITCOMMAND (d3dkmddi.h)*.
    pub type PDXGKDDI_VALIDATESUBMITCOMMAND = DXGKDDI_VALIDATESUBMITCOMMAND(
        hContext: HANDLE,
        pArgs: *mut DXGKARG_VALIDATESUBMITCOMMAND,
    ) -> NTSTATUS;
}
