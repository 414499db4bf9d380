//! Processes.

use crate::base::HANDLE;
use crate::macros::{abi, bits, callbacks};
use crate::status::NTSTATUS;

bits! {
    /// What the process is.
    pub struct DXGK_CREATEPROCESSFLAGS: u32 [Value] {
        SystemProcess = 0,
        GdiProcess = 1,
        VirtualMachineProcess = 2,
        VirtualMachineWorkerProcess = 3,
        SessionIsolatedContainer = 4,
    } reserved {
        Reserved = 5: 27,
    }
}

abi! {
    /// Argument of [`DXGKDDI_CREATEPROCESS`].
    pub struct DXGKARG_CREATEPROCESS {
        hDxgkProcess: HANDLE,
        hKmdProcess: HANDLE,
        Flags: DXGK_CREATEPROCESSFLAGS,
        NumPasid: u32,
        pPasid: *mut u32,
        hKmdVmWorkerProcess: HANDLE,
        ProcessNameLength: u32,
        pProcessName: *const u16,
    }
}

callbacks! {
    /// Makes the driver's record of a process.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_CREATEPROCESS = DXGKDDI_CREATEPROCESS(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARG_CREATEPROCESS,
    ) -> NTSTATUS;

    /// Destroys it.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_DESTROYPROCESS = DXGKDDI_DESTROYPROCESS(
        hAdapter: HANDLE,
        hKmdProcess: HANDLE,
    ) -> NTSTATUS;
}
