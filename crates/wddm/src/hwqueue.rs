//! Hardware contexts and queues, and fences. Optional: NULL slots unless hardware scheduling is offered.

use crate::base::{D3DGPU_VIRTUAL_ADDRESS, HANDLE, PVOID};
use crate::macros::{abi, bits, callbacks, open_enum};
use crate::status::NTSTATUS;
use crate::submission::DXGK_SUBMITCOMMANDFLAGS;

open_enum! {
    /// Who may wait for a native fence.
    pub enum D3DDDI_NATIVEFENCE_TYPE {
        D3DDDI_NATIVEFENCE_TYPE_DEFAULT = 0,
        D3DDDI_NATIVEFENCE_TYPE_INTRA_GPU = 1,
    }

    /// What a fence signal is appended to.
    pub enum DXGK_KERNEL_SUBMISSION_TYPE {
        DXGK_KERNEL_SUBMISSION_BUILD_PAGING_BUFFER = 0,
        DXGK_KERNEL_SUBMISSION_RENDERGDI = 1,
        DXGK_KERNEL_SUBMISSION_PRESENTBLT = 2,
    }
}

bits! {
    /// How a hardware queue is used.
    pub struct D3DDDI_CREATEHWQUEUEFLAGS: u32 [Value] {
        DisableGpuTimeout = 0,
        NoBroadcastSignal = 1,
        NoBroadcastWait = 2,
        NoKmdAccess = 3,
        UserModeSubmission = 4,
        NativeProgressFence = 5,
        TestQueue = 6,
    } reserved {
        Reserved = 7: 25,
    }

    /// Flags of a hardware context, all reserved.
    pub struct D3DDDI_CREATEHWCONTEXTFLAGS: u32 [Value] {
    } reserved {
        Reserved = 0: 32,
    }

    /// What a hardware context needs.
    pub struct DXGK_HWCONTEXT_CAPS: u32 [Value] {
        UseIoMmu = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// What becomes of a hardware context.
    pub struct DXGK_UPDATEHWCONTEXTSTATE_FLAGS: u32 [Value] {
        Suspended = 0,
        InterruptOnSwitchCompletion = 1,
    } reserved {
        Reserved = 2: 30,
    }
}

abi! {
    /// Argument of DxgkDdiCreateHwContext.
    pub struct DXGKARG_CREATEHWCONTEXT {
        hHwContext: HANDLE,
        NodeOrdinal: u32,
        EngineAffinity: u32,
        Flags: D3DDDI_CREATEHWCONTEXTFLAGS,
        PrivateDriverDataSize: u32,
        pPrivateDriverData: PVOID,
        ContextCaps: DXGK_HWCONTEXT_CAPS,
    }

    /// Argument of DxgkDdiCreateHwQueue.
    pub struct DXGKARG_CREATEHWQUEUE {
        hHwQueue: HANDLE,
        Flags: D3DDDI_CREATEHWQUEUEFLAGS,
        PrivateDriverDataSize: u32,
        pPrivateDriverData: PVOID,
        hHwQueueProgressFence: u32,
        HwQueueProgressFenceCPUVirtualAddress: PVOID,
        HwQueueProgressFenceGPUVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    }

    /// Argument of [`DXGKDDI_SUBMITCOMMANDTOHWQUEUE`].
    pub struct DXGKARG_SUBMITCOMMANDTOHWQUEUE {
        hHwQueue: HANDLE,
        HwQueueProgressFenceId: u64,
        DmaBufferVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
        DmaBufferSize: u32,
        DmaBufferPrivateDataSize: u32,
        pDmaBufferPrivateData: PVOID,
        Flags: DXGK_SUBMITCOMMANDFLAGS,
        HwQueueProgressFenceGpuVa: D3DGPU_VIRTUAL_ADDRESS,
        HwQueueProgressFenceCpuVa: PVOID,
    }

    /// Argument of [`DXGKDDI_SWITCHTOHWCONTEXTLIST`].
    pub struct DXGKARG_SWITCHTOHWCONTEXTLIST {
        hHwContextFirst: HANDLE,
        hHwContextSecond: HANDLE,
        NodeOrdinal: u32,
        EngineOrdinal: u32,
    }

    /// Argument of [`DXGKDDI_UPDATEHWCONTEXTSTATE`].
    pub struct DXGKARG_UPDATEHWCONTEXTSTATE {
        hHwContext: HANDLE,
        ContextSwitchFence: u64,
        Priority: u32,
        Flags: DXGK_UPDATEHWCONTEXTSTATE_FLAGS,
    }

    /// Argument of [`DXGKDDI_RESETHWENGINE`].
    pub struct DXGKARG_RESETHWENGINE {
        NodeOrdinal: u32,
        EngineOrdinal: u32,
    }

    /// Argument of [`DXGKDDI_RESUMEHWENGINE`].
    pub struct DXGKARG_RESUMEHWENGINE {
        NodeOrdinal: u32,
        EngineOrdinal: u32,
    }

    /// Argument of [`DXGKDDI_SUSPENDCONTEXT`].
    pub struct DXGKARG_SUSPENDCONTEXT {
        hContext: HANDLE,
        contextSuspendFence: u64,
    }

    /// Argument of [`DXGKDDI_RESUMECONTEXT`].
    pub struct DXGKARG_RESUMECONTEXT {
        hContext: HANDLE,
    }

    /// Argument of [`DXGKDDI_SIGNALMONITOREDFENCE`].
    pub struct DXGKARG_SIGNALMONITOREDFENCE {
        KernelSubmissionType: DXGK_KERNEL_SUBMISSION_TYPE,
        pDmaBuffer: PVOID,
        DmaBufferGpuVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
        DmaSize: u32,
        pDmaBufferPrivateData: PVOID,
        DmaBufferPrivateDataSize: u32,
        MultipassOffset: u32,
        MonitoredFenceGpuVa: D3DGPU_VIRTUAL_ADDRESS,
        MonitoredFenceValue: u64,
        MonitoredFenceCpuVa: PVOID,
        hHwQueue: HANDLE,
    }
}

callbacks! {
    /// Submits to a hardware queue.
    ///
    /// IRQL: PASSIVE_LEVEL or DISPATCH_LEVEL. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDI_SUBMITCOMMANDTOHWQUEUE (d3dkmddi.h)*.
    pub type PDXGKDDI_SUBMITCOMMANDTOHWQUEUE = DXGKDDI_SUBMITCOMMANDTOHWQUEUE(
        hAdapter: HANDLE,
        pSubmitCommandToHwQueue: *mut DXGKARG_SUBMITCOMMANDTOHWQUEUE,
    ) -> NTSTATUS;

    /// Switches an engine to other hardware contexts.
    ///
    /// IRQL: not stated. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDI_SWITCHTOHWCONTEXTLIST (d3dkmddi.h)*.
    pub type PDXGKDDI_SWITCHTOHWCONTEXTLIST = DXGKDDI_SWITCHTOHWCONTEXTLIST(
        hAdapter: HANDLE,
        pSwitchToHwContextList: *mut DXGKARG_SWITCHTOHWCONTEXTLIST,
    ) -> NTSTATUS;

    /// Resets an engine that schedules itself.
    ///
    /// IRQL: not stated. Synchronization level: not stated. Confidence: docs. Page: *DXGKDDI_RESETHWENGINE*.
    pub type PDXGKDDI_RESETHWENGINE = DXGKDDI_RESETHWENGINE(
        hAdapter: HANDLE,
        pResetHwEngine: *mut DXGKARG_RESETHWENGINE,
    ) -> NTSTATUS;

    /// Lets such an engine go on after a reset.
    ///
    /// IRQL: not stated. Synchronization level: not stated. Confidence: docs. Page: *DXGKDDI_RESUMEHWENGINE
    /// (d3dkmddi.h)*.
    pub type PDXGKDDI_RESUMEHWENGINE = DXGKDDI_RESUMEHWENGINE(
        hAdapter: HANDLE,
        pResumeHwEngine: *mut DXGKARG_RESUMEHWENGINE,
    ) -> NTSTATUS;

    /// Suspends a hardware context, or changes its priority.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDI_UPDATEHWCONTEXTSTATE (d3dkmddi.h)*.
    pub type PDXGKDDI_UPDATEHWCONTEXTSTATE = DXGKDDI_UPDATEHWCONTEXTSTATE(
        hAdapter: HANDLE,
        pUpdateHwContextState: *mut DXGKARG_UPDATEHWCONTEXTSTATE,
    ) -> NTSTATUS;

    /// Takes a context off its engine.
    ///
    /// IRQL: not stated. Synchronization level: not stated. Confidence: docs. Page: *DXGKDDI_SUSPENDCONTEXT
    /// (d3dkmddi.h)*.
    pub type PDXGKDDI_SUSPENDCONTEXT = DXGKDDI_SUSPENDCONTEXT(
        hAdapter: HANDLE,
        pSuspendContext: *mut DXGKARG_SUSPENDCONTEXT,
    ) -> NTSTATUS;

    /// Puts it back.
    ///
    /// IRQL: not stated. Synchronization level: not stated. Confidence: docs. Page: *DXGKDDI_RESUMECONTEXT
    /// (d3dkmddi.h)*.
    pub type PDXGKDDI_RESUMECONTEXT = DXGKDDI_RESUMECONTEXT(
        hAdapter: HANDLE,
        pResumeContext: *mut DXGKARG_RESUMECONTEXT,
    ) -> NTSTATUS;

    /// Writes the commands that signal a monitored fence.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDI_SIGNALMONITOREDFENCE (d3dkmddi.h)*.
    pub type PDXGKDDI_SIGNALMONITOREDFENCE = DXGKDDI_SIGNALMONITOREDFENCE(
        hContext: HANDLE,
        pSignalMonitoredFence: *mut DXGKARG_SIGNALMONITOREDFENCE,
    ) -> NTSTATUS;
}
