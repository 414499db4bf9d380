//! Keeping memory over an update of the driver.

use crate::base::{HANDLE, PVOID};
use crate::macros::{abi, bits, callbacks};
use crate::resources::MDL;
use crate::status::NTSTATUS;

bits! {
    /// How memory is saved over a driver update.
    pub struct DXGK_SAVEMEMORYFORHOTUPDATEFLAGS: u32 [Value] {
        CancelHotUpdate = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// How far the restoring has come.
    pub struct DXGK_RESTOREMEMORYFORHOTUPDATEFLAGS: u32 [Value] {
        RestoreComplete = 0,
    } reserved {
        Reserved = 1: 31,
    }
}

abi! {
    /// Argument of [`DXGKDDI_SAVEMEMORYFORHOTUPDATE`].
    pub struct DXGKARG_SAVEMEMORYFORHOTUPDATE {
        Flags: DXGK_SAVEMEMORYFORHOTUPDATEFLAGS,
    }

    /// Argument of [`DXGKDDI_RESTOREMEMORYFORHOTUPDATE`].
    pub struct DXGKARG_RESTOREMEMORYFORHOTUPDATE {
        Flags: DXGK_RESTOREMEMORYFORHOTUPDATEFLAGS,
        pDataMdl: *mut MDL,
        MetaDataSize: u32,
        pMetaData: PVOID,
    }

    /// Argument of [`DXGKCB_SAVEMEMORYFORHOTUPDATE`](crate::DXGKCB_SAVEMEMORYFORHOTUPDATE).
    pub struct DXGKARGCB_SAVEMEMORYFORHOTUPDATE {
        NumDataMemoryRanges: u32,
        pDataMemoryRanges: *mut DXGK_KSR_MEMORY_RANGE,
        pDataMdl: *mut MDL,
        DataSize: u32,
        pData: PVOID,
        MetaDataSize: u32,
        pMetaData: PVOID,
    }

    /// A range of memory that survives the update.
    pub struct DXGK_KSR_MEMORY_RANGE {
        MemoryRangeDesc: u64,
    }
}

callbacks! {
    /// Saves what a new driver image needs.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SAVEMEMORYFORHOTUPDATE = DXGKDDI_SAVEMEMORYFORHOTUPDATE(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_SAVEMEMORYFORHOTUPDATE,
    ) -> NTSTATUS;

    /// Takes over what the old driver image saved.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_RESTOREMEMORYFORHOTUPDATE = DXGKDDI_RESTOREMEMORYFORHOTUPDATE(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_RESTOREMEMORYFORHOTUPDATE,
    ) -> NTSTATUS;
}
