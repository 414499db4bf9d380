//! Priority bands, quanta and the scheduling log.

use crate::base::{D3DGPU_VIRTUAL_ADDRESS, HANDLE};
use crate::macros::{abi, bits, callbacks, open_enum};
use crate::status::NTSTATUS;

open_enum! {
    /// Priority bands, the lowest first.
    pub enum DXGK_SCHEDULING_PRIORITY_BAND {
        DXGK_SCHEDULING_PRIORITY_BAND_IDLE = 0,
        DXGK_SCHEDULING_PRIORITY_BAND_NORMAL = 1,
        DXGK_SCHEDULING_PRIORITY_BAND_FOCUS = 2,
        DXGK_SCHEDULING_PRIORITY_BAND_REALTIME = 3,
        DXGK_SCHEDULING_PRIORITY_BAND_COUNT = 4,
    }

    /// States of a context in the scheduling log.
    pub enum DXGK_SCHEDULING_LOG_CONTEXT_STATE {
        DXGK_SCHEDULING_LOG_CONTEXT_STATE_IDLE = 0,
        DXGK_SCHEDULING_LOG_CONTEXT_STATE_RUNNING = 1,
        DXGK_SCHEDULING_LOG_CONTEXT_STATE_READY = 2,
        DXGK_SCHEDULING_LOG_CONTEXT_STATE_READY_STANDBY = 3,
    }
}

bits! {
    /// Whether a power level is enough.
    pub struct DXGK_TRACKEDWORKLOAD_STATE_FLAGS: u32 [Value] {
        Saturated = 0,
        OptimalLevel = 1,
    } reserved {
        Reserved = 2: 30,
    }
}

abi! {
    /// Argument of [`DXGKDDI_NOTIFYCONTEXTPRIORITYCHANGE`].
    pub struct DXGKARG_NOTIFYCONTEXTPRIORITYCHANGE {
        hContext: HANDLE,
        SchedulingPriority: i32,
        InProcessPriority: i32,
    }

    /// Argument of [`DXGKDDI_SETUPPRIORITYBANDS`].
    pub struct DXGKARG_SETUPPRIORITYBANDS {
        gracePeriodForBand: [u64; 4],
        processQuantumForBand: [u64; 4],
        processGracePeriodForBand: [u64; 4],
        targetNormalBandPercentage: u32,
    }

    /// Argument of [`DXGKDDI_SETSCHEDULINGLOGBUFFER`].
    pub struct DXGKARG_SETSCHEDULINGLOGBUFFER {
        NodeOrdinal: u32,
        EngineOrdinal: u32,
        NumberOfEntries: u32,
        LogBufferCpuVa: *mut DXGK_SCHEDULING_LOG_BUFFER,
        LogBufferGpuVa: D3DGPU_VIRTUAL_ADDRESS,
        InterruptEntry: u32,
    }

    /// Argument of [`DXGKDDI_SETCONTEXTSCHEDULINGPROPERTIES`].
    pub struct DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES {
        hContext: HANDLE,
        priorityBand: DXGK_SCHEDULING_PRIORITY_BAND,
        realtimeBandPriorityLevel: i32,
        inProcessPriority: i32,
        quantum: u64,
        gracePeriodSamePriority: u64,
        gracePeriodLowerPriority: u64,
    }

    /// Argument of [`DXGKDDI_SETTRACKEDWORKLOADPOWERLEVEL`](crate::DXGKDDI_SETTRACKEDWORKLOADPOWERLEVEL).
    pub struct DXGKARG_SETTRACKEDWORKLOADPOWERLEVEL {
        PowerLevel: u32,
        EffectivePowerLevel: u32,
        Flags: DXGK_TRACKEDWORKLOAD_STATE_FLAGS,
    }

    /// An anonymous structure of [`DXGK_SCHEDULING_LOG_HEADER_U`].
    pub struct DXGK_SCHEDULING_LOG_HEADER_U_S {
        FirstFreeEntryIndex: u32,
        WraparoundCount: u32,
    }

    /// The anonymous union of [`DXGK_SCHEDULING_LOG_HEADER`].
    pub union DXGK_SCHEDULING_LOG_HEADER_U {
        s: DXGK_SCHEDULING_LOG_HEADER_U_S,
        AtomicWraparoundAndEntryIndex: u64,
    }

    /// Head of a scheduling log.
    pub struct DXGK_SCHEDULING_LOG_HEADER {
        u: DXGK_SCHEDULING_LOG_HEADER_U,
        NumberOfEntries: u64,
        Reserved: [u64; 2],
    }

    /// A context changed its state.
    pub struct DXGK_SCHEDULING_LOG_CONTEXT_STATE_CHANGE {
        hKmdContext: HANDLE,
        newContextState: DXGK_SCHEDULING_LOG_CONTEXT_STATE,
    }

    /// The anonymous union of [`DXGK_SCHEDULING_LOG_ENTRY`].
    pub union DXGK_SCHEDULING_LOG_ENTRY_U {
        ContextStateChange: DXGK_SCHEDULING_LOG_CONTEXT_STATE_CHANGE,
        ReservedOperationData: [u64; 2],
    }

    /// One entry of a scheduling log.
    pub struct DXGK_SCHEDULING_LOG_ENTRY {
        GpuTimeStamp: u64,
        OperationType: u32,
        ReservedOperationTypeBits: u32,
        u: DXGK_SCHEDULING_LOG_ENTRY_U,
    }

    /// A scheduling log, of variable length.
    pub struct DXGK_SCHEDULING_LOG_BUFFER {
        Header: DXGK_SCHEDULING_LOG_HEADER,
        Entries: [DXGK_SCHEDULING_LOG_ENTRY; 1],
    }
}

callbacks! {
    /// Reports a context's new priority.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_NOTIFYCONTEXTPRIORITYCHANGE = DXGKDDI_NOTIFYCONTEXTPRIORITYCHANGE(
        hAdapter: HANDLE,
        pNotifyContextPriorityChange: *const DXGKARG_NOTIFYCONTEXTPRIORITYCHANGE,
    ) -> NTSTATUS;

    /// Sets the log that an engine writes.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SETSCHEDULINGLOGBUFFER = DXGKDDI_SETSCHEDULINGLOGBUFFER(
        hAdapter: HANDLE,
        pSetSchedulingLogBuffer: *const DXGKARG_SETSCHEDULINGLOGBUFFER,
    ) -> NTSTATUS;

    /// Sets quanta and grace periods of the priority bands.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SETUPPRIORITYBANDS = DXGKDDI_SETUPPRIORITYBANDS(
        hAdapter: HANDLE,
        pSetupPriorityBands: *const DXGKARG_SETUPPRIORITYBANDS,
    ) -> NTSTATUS;

    /// Sets a context's band and quantum.
    ///
    /// IRQL: not stated. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDI_SETCONTEXTSCHEDULINGPROPERTIES (d3dkmddi.h)*.
    pub type PDXGKDDI_SETCONTEXTSCHEDULINGPROPERTIES = DXGKDDI_SETCONTEXTSCHEDULINGPROPERTIES(
        hAdapter: HANDLE,
        pSetContextSchedulingProperties: *mut DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES,
    ) -> NTSTATUS;
}
