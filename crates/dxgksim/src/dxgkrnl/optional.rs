//! Calls of DDIs that a driver may leave out.
//!
//! Microsoft's pages: "DXGKDDI_CANCELCOMMAND", "DXGKDDI_CONTROL_ETW_LOGGING".
//!
//! UNSAFETY: calls the driver's functions.
#![expect(unsafe_code)]

use wddm::{BOOLEAN, DXGKARG_CANCELCOMMAND, NTSTATUS, STATUS_NOT_IMPLEMENTED};

use super::{Adapter, Core, guarded};
use crate::contract::calls;

impl Core {
    /// Commands that were built and will not be submitted.
    pub(crate) fn cancel_command(&self, args: &mut DXGKARG_CANCELCOMMAND) -> NTSTATUS {
        let Some(ddi) = self.table.0.DxgkDdiCancelCommand else { return STATUS_NOT_IMPLEMENTED };
        guarded(&self.contract, &calls::CANCEL_COMMAND, args, |args| {
            self.contract.call(&calls::CANCEL_COMMAND, || {
                // SAFETY: the function is the driver's, its context the one it gave, the structure ours.
                unsafe { ddi(self.context(), args) }
            })
        })
    }

    /// Whether the driver has the DDI, which names no adapter.
    pub(crate) fn control_etw_logging(&self, enable: bool, flags: u32, level: u8) -> bool {
        let Some(ddi) = self.table.0.DxgkDdiControlEtwLogging else { return false };
        self.contract.run(&calls::CONTROL_ETW_LOGGING, || {
            // SAFETY: the function is the driver's and takes no pointer.
            unsafe { ddi(BOOLEAN::from(enable), flags, level) };
        });
        true
    }
}

impl Adapter {
    /// DxgkDdiControlEtwLogging, for all adapters of the driver; whether the driver has it.
    pub fn control_etw_logging(&self, enable: bool, level: u8) -> bool {
        self.core.control_etw_logging(enable, 0, level)
    }
}
