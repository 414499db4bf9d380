//! Hung engines: status, dependencies and reset.

use crate::base::HANDLE;
use crate::macros::{abi, bits, callbacks, open_enum};
use crate::status::NTSTATUS;

open_enum! {
    /// What led to timeout detection and recovery.
    pub enum DXGK_TDR_TYPE {
        DXGK_TDR_TYPE_UNKNOWN = 0,
        DXGK_TDR_TYPE_FORCED = 1,
        DXGK_TDR_TYPE_PREEMPT_TIMEOUT = 2,
        DXGK_TDR_TYPE_VSYNC_TIMEOUT = 3,
        DXGK_TDR_TYPE_DOD_PRESENT_FORCED = 4,
        DXGK_TDR_TYPE_DOD_PRESENT_TIMEOUT = 5,
        DXGK_TDR_TYPE_ENGINE_TIMEOUT = 6,
        DXGK_TDR_TYPE_DOD_VSYNC_FORCED = 7,
        DXGK_TDR_TYPE_DOD_VSYNC_TIMEOUT = 8,
        DXGK_TDR_TYPE_ENGINE_TIMEOUT_PROMOTED = 9,
        DXGK_TDR_TYPE_PAGE_FAULT = 10,
        DXGK_TDR_TYPE_INVALID_FENCE = 11,
        DXGK_TDR_TYPE_ENGINE_PAGE_FAULT = 12,
        DXGK_TDR_TYPE_DISPLAY_ENGINE_FAULT = 13,
    }
}

bits! {
    /// Whether an engine responds.
    pub struct DXGK_ENGINESTATUS: u32 [Value] {
        Responsive = 0,
    } reserved {
        Reserved = 1: 31,
    }
}

abi! {
    /// Argument of [`DXGKDDI_RESETENGINE`].
    pub struct DXGKARG_RESETENGINE {
        NodeOrdinal: u32,
        EngineOrdinal: u32,
        /// Out: the last fence that will not complete.
        LastAbortedFenceId: u32,
    }

    /// Argument of [`DXGKDDI_QUERYENGINESTATUS`].
    pub struct DXGKARG_QUERYENGINESTATUS {
        NodeOrdinal: u32,
        EngineOrdinal: u32,
        EngineStatus: DXGK_ENGINESTATUS,
    }

    /// Argument of [`DXGKDDI_QUERYDEPENDENTENGINEGROUP`].
    pub struct DXGKARG_QUERYDEPENDENTENGINEGROUP {
        NodeOrdinal: u32,
        EngineOrdinal: u32,
        /// Out: a bit for every node.
        DependentNodeOrdinalMask: u64,
    }
}

callbacks! {
    /// Resets the adapter after a timeout.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 3.
    pub type PDXGKDDI_RESETFROMTIMEOUT = DXGKDDI_RESETFROMTIMEOUT(hAdapter: HANDLE) -> NTSTATUS;

    /// Starts it again.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 3.
    pub type PDXGKDDI_RESTARTFROMTIMEOUT = DXGKDDI_RESTARTFROMTIMEOUT(hAdapter: HANDLE) -> NTSTATUS;

    /// Says which engines a reset of this one also takes.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 1 (GPU scheduler class).
    pub type PDXGKDDI_QUERYDEPENDENTENGINEGROUP = DXGKDDI_QUERYDEPENDENTENGINEGROUP(
        hAdapter: HANDLE,
        pQueryDependentEngineGroup: *mut DXGKARG_QUERYDEPENDENTENGINEGROUP,
    ) -> NTSTATUS;

    /// Says whether an engine makes progress.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 1 (GPU scheduler class).
    pub type PDXGKDDI_QUERYENGINESTATUS = DXGKDDI_QUERYENGINESTATUS(
        hAdapter: HANDLE,
        pQueryEngineStatus: *mut DXGKARG_QUERYENGINESTATUS,
    ) -> NTSTATUS;

    /// Resets one engine and says which fence was lost.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 1 (GPU scheduler class).
    pub type PDXGKDDI_RESETENGINE = DXGKDDI_RESETENGINE(
        hAdapter: HANDLE,
        pResetEngine: *mut DXGKARG_RESETENGINE,
    ) -> NTSTATUS;
}
