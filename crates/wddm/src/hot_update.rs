//! Keeping memory over an update of the driver.

use crate::base::{HANDLE, PVOID};
use crate::macros::{abi, bits, callbacks};
use crate::resources::MDL;
use crate::status::NTSTATUS;

bits! {
    /// The header's `DXGK_SAVEMEMORYFORHOTUPDATEFLAGS`.
    pub struct DXGK_SAVEMEMORYFORHOTUPDATEFLAGS: u32 [Value] {
        CancelHotUpdate = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// The header's `DXGK_RESTOREMEMORYFORHOTUPDATEFLAGS`.
    pub struct DXGK_RESTOREMEMORYFORHOTUPDATEFLAGS: u32 [Value] {
        RestoreComplete = 0,
    } reserved {
        Reserved = 1: 31,
    }
}

abi! {
    /// The header's `DXGKARG_SAVEMEMORYFORHOTUPDATE`.
    pub struct DXGKARG_SAVEMEMORYFORHOTUPDATE {
        Flags: DXGK_SAVEMEMORYFORHOTUPDATEFLAGS,
    }

    /// The header's `DXGKARG_RESTOREMEMORYFORHOTUPDATE`.
    pub struct DXGKARG_RESTOREMEMORYFORHOTUPDATE {
        Flags: DXGK_RESTOREMEMORYFORHOTUPDATEFLAGS,
        pDataMdl: *mut MDL,
        MetaDataSize: u32,
        pMetaData: PVOID,
    }

    /// The header's `DXGKARGCB_SAVEMEMORYFORHOTUPDATE`.
    pub struct DXGKARGCB_SAVEMEMORYFORHOTUPDATE {
        NumDataMemoryRanges: u32,
        pDataMemoryRanges: *mut DXGK_KSR_MEMORY_RANGE,
        pDataMdl: *mut MDL,
        DataSize: u32,
        pData: PVOID,
        MetaDataSize: u32,
        pMetaData: PVOID,
    }

    /// The header's `DXGK_KSR_MEMORY_RANGE`.
    pub struct DXGK_KSR_MEMORY_RANGE {
        MemoryRangeDesc: u64,
    }
}

callbacks! {
    /// The header's `DXGKDDI_SAVEMEMORYFORHOTUPDATE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SAVEMEMORYFORHOTUPDATE = DXGKDDI_SAVEMEMORYFORHOTUPDATE(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_SAVEMEMORYFORHOTUPDATE,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_RESTOREMEMORYFORHOTUPDATE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_RESTOREMEMORYFORHOTUPDATE = DXGKDDI_RESTOREMEMORYFORHOTUPDATE(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_RESTOREMEMORYFORHOTUPDATE,
    ) -> NTSTATUS;
}
