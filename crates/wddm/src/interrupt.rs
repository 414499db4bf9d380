//! Interrupts: what a driver reports with DxgkCbNotifyInterrupt, and the routines around it.

use crate::base::{BOOLEAN, D3DGPU_VIRTUAL_ADDRESS, HANDLE, PHYSICAL_ADDRESS, PVOID};
use crate::macros::{abi, bits, callbacks, flag_enum, open_enum};
use crate::status::NTSTATUS;

open_enum! {
    /// What an interrupt reports; it selects the member of the union in [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub enum DXGK_INTERRUPT_TYPE {
        DXGK_INTERRUPT_DMA_COMPLETED = 1,
        DXGK_INTERRUPT_DMA_PREEMPTED = 2,
        DXGK_INTERRUPT_CRTC_VSYNC = 3,
        DXGK_INTERRUPT_DMA_FAULTED = 4,
        DXGK_INTERRUPT_DISPLAYONLY_VSYNC = 5,
        DXGK_INTERRUPT_DISPLAYONLY_PRESENT_PROGRESS = 6,
        DXGK_INTERRUPT_CRTC_VSYNC_WITH_MULTIPLANE_OVERLAY = 7,
        DXGK_INTERRUPT_MICACAST_CHUNK_PROCESSING_COMPLETE = 8,
        DXGK_INTERRUPT_DMA_PAGE_FAULTED = 9,
        DXGK_INTERRUPT_CRTC_VSYNC_WITH_MULTIPLANE_OVERLAY2 = 10,
        DXGK_INTERRUPT_MONITORED_FENCE_SIGNALED = 11,
        DXGK_INTERRUPT_HWQUEUE_PAGE_FAULTED = 12,
        DXGK_INTERRUPT_HWCONTEXTLIST_SWITCH_COMPLETED = 13,
        DXGK_INTERRUPT_PERIODIC_MONITORED_FENCE_SIGNALED = 14,
        DXGK_INTERRUPT_SCHEDULING_LOG_INTERRUPT = 15,
        DXGK_INTERRUPT_GPU_ENGINE_TIMEOUT = 16,
        DXGK_INTERRUPT_SUSPEND_CONTEXT_COMPLETED = 17,
        DXGK_INTERRUPT_CRTC_VSYNC_WITH_MULTIPLANE_OVERLAY3 = 18,
        DXGK_INTERRUPT_NATIVE_FENCE_SIGNALED = 19,
        DXGK_INTERRUPT_GPU_ENGINE_STATE_CHANGE = 20,
    }

    /// How a display-only present ended.
    pub enum DXGK_PRESENT_DISPLAY_ONLY_PROGRESS_ID {
        DXGK_PRESENT_DISPLAYONLY_PROGRESS_ID_COMPLETE = 0,
        DXGK_PRESENT_DISPLAYONLY_PROGRESS_ID_FAILED = 1,
    }

    /// Stages of a Miracast frame.
    pub enum DXGK_MIRACAST_CHUNK_TYPE {
        DXGK_MIRACAST_CHUNK_TYPE_UNKNOWN = 0,
        DXGK_MIRACAST_CHUNK_TYPE_COLOR_CONVERT_COMPLETE = 1,
        DXGK_MIRACAST_CHUNK_TYPE_ENCODE_COMPLETE = 2,
        DXGK_MIRACAST_CHUNK_TYPE_FRAME_START = 3,
        DXGK_MIRACAST_CHUNK_TYPE_FRAME_DROPPED = 4,
        DXGK_MIRACAST_CHUNK_TYPE_ENCODE_DRIVER_DEFINED_1 = -2147483648,
        DXGK_MIRACAST_CHUNK_TYPE_ENCODE_DRIVER_DEFINED_2 = -2147483647,
    }

    /// Where in the pipeline a fault happened.
    pub enum DXGK_RENDER_PIPELINE_STAGE {
        DXGK_RENDER_PIPELINE_STAGE_UNKNOWN = 0,
        DXGK_RENDER_PIPELINE_STAGE_INPUT_ASSEMBLER = 1,
        DXGK_RENDER_PIPELINE_STAGE_VERTEX_SHADER = 2,
        DXGK_RENDER_PIPELINE_STAGE_GEOMETRY_SHADER = 3,
        DXGK_RENDER_PIPELINE_STAGE_STREAM_OUTPUT = 4,
        DXGK_RENDER_PIPELINE_STAGE_RASTERIZER = 5,
        DXGK_RENDER_PIPELINE_STAGE_PIXEL_SHADER = 6,
        DXGK_RENDER_PIPELINE_STAGE_OUTPUT_MERGER = 7,
    }

    /// What a page fault was, and what it needs.
    pub enum DXGK_PAGE_FAULT_FLAGS {
        DXGK_PAGE_FAULT_WRITE = 1,
        DXGK_PAGE_FAULT_FENCE_INVALID = 2,
        DXGK_PAGE_FAULT_ADAPTER_RESET_REQUIRED = 4,
        DXGK_PAGE_FAULT_ENGINE_RESET_REQUIRED = 8,
        DXGK_PAGE_FAULT_FATAL_HARDWARE_ERROR = 16,
        DXGK_PAGE_FAULT_IOMMU = 32,
        DXGK_PAGE_FAULT_HW_CONTEXT_VALID = 64,
        DXGK_PAGE_FAULT_PROCESS_HANDLE_VALID = 128,
    }

    /// Faults that are not the device's own.
    pub enum DXGK_GENERAL_ERROR_CODE {
        DXGK_GENERAL_ERROR_PAGE_FAULT = 0,
        DXGK_GENERAL_ERROR_INVALID_INSTRUCTION = 1,
    }

    /// States of an engine that schedules itself.
    pub enum DXGK_ENGINE_STATE {
        DXGK_ENGINE_STATE_ACTIVE = 0,
        DXGK_ENGINE_STATE_TRANSITION_TO_F1 = 1,
        DXGK_ENGINE_STATE_HUNG = 2,
    }
}

flag_enum! { DXGK_PAGE_FAULT_FLAGS }

bits! {
    /// Why an engine faulted, in general terms or in the device's own; one bit says which, the rest is the
    /// code.
    pub struct DXGK_FAULT_ERROR_CODE: u32 [] {
        IsDeviceSpecificCode = 0,
        IsDeviceSpecificCodeReservedBit = 0,
    } wide {
        GeneralErrorCode, with_GeneralErrorCode = 1: 31,
        DeviceSpecificCode, with_DeviceSpecificCode = 1: 31,
    }

    /// Number of a Miracast chunk: that of its frame, and of the part.
    pub struct DXGK_MIRACAST_CHUNK_ID: u64 [Value] {
    } wide {
        FrameNumber, with_FrameNumber = 0: 40,
        PartNumber, with_PartNumber = 40: 24,
    }

    /// Which parts of the interrupt data are valid.
    pub struct DXGKCB_NOTIFY_INTERRUPT_DATA_FLAGS: u32 [Value] {
        ValidPhysicalAdapterMask = 0,
        HsyncFlipCompletion = 1,
        EvaluateLegacyMonitoredFences = 2,
    } reserved {
        Reserved = 3: 29,
    }
}

abi! {
    /// End of a display-only present.
    pub struct DXGKARGCB_PRESENT_DISPLAYONLY_PROGRESS {
        VidPnSourceId: u32,
        ProgressId: DXGK_PRESENT_DISPLAY_ONLY_PROGRESS_ID,
    }

    /// A processed Miracast chunk.
    pub struct DXGK_MIRACAST_CHUNK_INFO {
        ChunkType: DXGK_MIRACAST_CHUNK_TYPE,
        ChunkId: DXGK_MIRACAST_CHUNK_ID,
        ProcessingTime: u32,
        EncodeRate: u32,
    }

    /// `DmaCompleted` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMACOMPLETED {
        SubmissionFenceId: u32,
        NodeOrdinal: u32,
        EngineOrdinal: u32,
    }

    /// `DmaPreempted` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMAPREEMPTED {
        PreemptionFenceId: u32,
        LastCompletedFenceId: u32,
        NodeOrdinal: u32,
        EngineOrdinal: u32,
    }

    /// `DmaFaulted` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMAFAULTED {
        FaultedFenceId: u32,
        Status: NTSTATUS,
        NodeOrdinal: u32,
        EngineOrdinal: u32,
    }

    /// `CrtcVsync` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_CRTCVSYNC {
        VidPnTargetId: u32,
        PhysicalAddress: PHYSICAL_ADDRESS,
        PhysicalAdapterMask: u32,
    }

    /// `DisplayOnlyVsync` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_DISPLAYONLYVSYNC {
        VidPnTargetId: u32,
    }

    /// `CrtcVsyncWithMultiPlaneOverlay` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_CRTCVSYNCWITHMULTIPLANEOVERLAY {
        VidPnTargetId: u32,
        PhysicalAdapterMask: u32,
        MultiPlaneOverlayVsyncInfoCount: u32,
        pMultiPlaneOverlayVsyncInfo: PVOID,
    }

    /// `MiracastEncodeChunkCompleted` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_MIRACASTENCODECHUNKCOMPLETED {
        VidPnTargetId: u32,
        ChunkInfo: DXGK_MIRACAST_CHUNK_INFO,
        pPrivateDriverData: PVOID,
        PrivateDataDriverSize: u32,
        Status: NTSTATUS,
    }

    /// `DmaPageFaulted` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMAPAGEFAULTED {
        FaultedFenceId: u32,
        FaultedPrimitiveAPISequenceNumber: u64,
        FaultedPipelineStage: DXGK_RENDER_PIPELINE_STAGE,
        FaultedBindTableEntry: u32,
        PageFaultFlags: DXGK_PAGE_FAULT_FLAGS,
        FaultedVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
        NodeOrdinal: u32,
        EngineOrdinal: u32,
        PageTableLevel: u32,
        FaultErrorCode: DXGK_FAULT_ERROR_CODE,
        FaultedProcessHandle: PVOID,
    }

    /// `CrtcVsyncWithMultiPlaneOverlay2` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_CRTCVSYNCWITHMULTIPLANEOVERLAY2 {
        VidPnTargetId: u32,
        PhysicalAdapterMask: u32,
        MultiPlaneOverlayVsyncInfoCount: u32,
        pMultiPlaneOverlayVsyncInfo: PVOID,
        GpuFrequency: u64,
        GpuClockCounter: u64,
    }

    /// `MonitoredFenceSignaled` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_MONITOREDFENCESIGNALED {
        NodeOrdinal: u32,
        EngineOrdinal: u32,
    }

    /// `HwContextListSwitchCompleted` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_HWCONTEXTLISTSWITCHCOMPLETED {
        NodeOrdinal: u32,
        EngineOrdinal: u32,
        ContextSwitchFence: u64,
    }

    /// The anonymous union of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA_HWQUEUEPAGEFAULTED`].
    pub union DXGKARGCB_NOTIFY_INTERRUPT_DATA_HWQUEUEPAGEFAULTED_U {
        FaultedHwQueue: PVOID,
        FaultedHwContext: PVOID,
        FaultedProcessHandle: PVOID,
    }

    /// `HwQueuePageFaulted` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_HWQUEUEPAGEFAULTED {
        FaultedFenceId: u64,
        FaultedVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
        FaultedPrimitiveAPISequenceNumber: u64,
        u: DXGKARGCB_NOTIFY_INTERRUPT_DATA_HWQUEUEPAGEFAULTED_U,
        NodeOrdinal: u32,
        EngineOrdinal: u32,
        FaultedPipelineStage: DXGK_RENDER_PIPELINE_STAGE,
        FaultedBindTableEntry: u32,
        PageFaultFlags: DXGK_PAGE_FAULT_FLAGS,
        PageTableLevel: u32,
        FaultErrorCode: DXGK_FAULT_ERROR_CODE,
    }

    /// `PeriodicMonitoredFenceSignaled` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_PERIODICMONITOREDFENCESIGNALED {
        VidPnTargetId: u32,
        NotificationID: u32,
    }

    /// `SchedulingLogInterrupt` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_SCHEDULINGLOGINTERRUPT {
        NodeOrdinal: u32,
        EngineOrdinal: u32,
    }

    /// `GpuEngineTimeout` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_GPUENGINETIMEOUT {
        NodeOrdinal: u32,
        EngineOrdinal: u32,
    }

    /// `SuspendContextCompleted` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_SUSPENDCONTEXTCOMPLETED {
        hContext: HANDLE,
        ContextSuspendFence: u64,
    }

    /// `CrtcVsyncWithMultiPlaneOverlay3` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_CRTCVSYNCWITHMULTIPLANEOVERLAY3 {
        VidPnTargetId: u32,
        PhysicalAdapterMask: u32,
        MultiPlaneOverlayVsyncInfoCount: u32,
        pMultiPlaneOverlayVsyncInfo: PVOID,
        GpuFrequency: u64,
        GpuClockCounter: u64,
    }

    /// `NativeFenceSignaled` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_NATIVEFENCESIGNALED {
        NodeOrdinal: u32,
        EngineOrdinal: u32,
        SignaledNativeFenceCount: u32,
        pSignaledNativeFenceArray: PVOID,
        hHWQueue: HANDLE,
    }

    /// `EngineStateChange` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_ENGINESTATECHANGE {
        NodeOrdinal: u32,
        EngineOrdinal: u32,
        NewState: DXGK_ENGINE_STATE,
    }

    /// `Reserved` of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_RESERVED {
        Reserved: [u32; 16],
    }

    /// The anonymous union of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
    pub union DXGKARGCB_NOTIFY_INTERRUPT_DATA_U {
        DmaCompleted: DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMACOMPLETED,
        DmaPreempted: DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMAPREEMPTED,
        DmaFaulted: DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMAFAULTED,
        CrtcVsync: DXGKARGCB_NOTIFY_INTERRUPT_DATA_CRTCVSYNC,
        DisplayOnlyVsync: DXGKARGCB_NOTIFY_INTERRUPT_DATA_DISPLAYONLYVSYNC,
        CrtcVsyncWithMultiPlaneOverlay: DXGKARGCB_NOTIFY_INTERRUPT_DATA_CRTCVSYNCWITHMULTIPLANEOVERLAY,
        DisplayOnlyPresentProgress: DXGKARGCB_PRESENT_DISPLAYONLY_PROGRESS,
        MiracastEncodeChunkCompleted: DXGKARGCB_NOTIFY_INTERRUPT_DATA_MIRACASTENCODECHUNKCOMPLETED,
        DmaPageFaulted: DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMAPAGEFAULTED,
        CrtcVsyncWithMultiPlaneOverlay2: DXGKARGCB_NOTIFY_INTERRUPT_DATA_CRTCVSYNCWITHMULTIPLANEOVERLAY2,
        MonitoredFenceSignaled: DXGKARGCB_NOTIFY_INTERRUPT_DATA_MONITOREDFENCESIGNALED,
        HwContextListSwitchCompleted: DXGKARGCB_NOTIFY_INTERRUPT_DATA_HWCONTEXTLISTSWITCHCOMPLETED,
        HwQueuePageFaulted: DXGKARGCB_NOTIFY_INTERRUPT_DATA_HWQUEUEPAGEFAULTED,
        PeriodicMonitoredFenceSignaled: DXGKARGCB_NOTIFY_INTERRUPT_DATA_PERIODICMONITOREDFENCESIGNALED,
        SchedulingLogInterrupt: DXGKARGCB_NOTIFY_INTERRUPT_DATA_SCHEDULINGLOGINTERRUPT,
        GpuEngineTimeout: DXGKARGCB_NOTIFY_INTERRUPT_DATA_GPUENGINETIMEOUT,
        SuspendContextCompleted: DXGKARGCB_NOTIFY_INTERRUPT_DATA_SUSPENDCONTEXTCOMPLETED,
        CrtcVsyncWithMultiPlaneOverlay3: DXGKARGCB_NOTIFY_INTERRUPT_DATA_CRTCVSYNCWITHMULTIPLANEOVERLAY3,
        NativeFenceSignaled: DXGKARGCB_NOTIFY_INTERRUPT_DATA_NATIVEFENCESIGNALED,
        EngineStateChange: DXGKARGCB_NOTIFY_INTERRUPT_DATA_ENGINESTATECHANGE,
        Reserved: DXGKARGCB_NOTIFY_INTERRUPT_DATA_RESERVED,
    }

    /// What an interrupt was; `InterruptType` says which member of the union holds.
    pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA {
        InterruptType: DXGK_INTERRUPT_TYPE,
        u: DXGKARGCB_NOTIFY_INTERRUPT_DATA_U,
        Flags: DXGKCB_NOTIFY_INTERRUPT_DATA_FLAGS,
    }
}

callbacks! {
    /// Serves an interrupt; true if it was this adapter's.
    ///
    /// IRQL: DIRQL. Synchronization level: 0.
    pub type PDXGKDDI_INTERRUPT_ROUTINE = DXGKDDI_INTERRUPT_ROUTINE(
        MiniportDeviceContext: PVOID,
        MessageNumber: u32,
    ) -> BOOLEAN;

    /// Does what the interrupt routine put off.
    ///
    /// IRQL: DISPATCH_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_DPC_ROUTINE = DXGKDDI_DPC_ROUTINE(MiniportDeviceContext: PVOID);

    /// Runs while the interrupt routine cannot.
    ///
    /// IRQL: DIRQL. Synchronization level: not stated. Confidence: docs. Page: *KSYNCHRONIZE_ROUTINE callback
    /// function (wdm.h)*.
    pub type PKSYNCHRONIZE_ROUTINE = KSYNCHRONIZE_ROUTINE(SynchronizeContext: PVOID) -> BOOLEAN;
}
