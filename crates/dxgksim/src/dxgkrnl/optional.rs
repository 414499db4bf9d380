//! Calls of DDIs that a driver may leave out, and what it collects of itself.
//!
//! Microsoft's pages: "DXGKDDI_COLLECTDBGINFO", "DXGKDDI_CANCELCOMMAND", "DXGKDDI_CONTROL_ETW_LOGGING".
//!
//! UNSAFETY: calls the driver's functions.
#![expect(unsafe_code)]

use alloc::vec::Vec;

use wddm::{BOOLEAN, DXGKARG_CANCELCOMMAND, DXGKARG_COLLECTDBGINFO, NTSTATUS, STATUS_NOT_IMPLEMENTED};

use super::{Adapter, Core, DdiError, guarded, succeed};
use crate::contract::{GuardedBytes, calls};

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
    /// DxgkDdiCollectDbgInfo for a reason, into a buffer of so many bytes.
    pub fn collect_debug_info(&self, reason: u32, bytes: usize) -> Result<Vec<u8>, DdiError> {
        let (core, ddi) = (&self.core, &calls::COLLECT_DBG_INFO);
        let mut buffer = GuardedBytes::zeroed(bytes);
        let mut args = DXGKARG_COLLECTDBGINFO::zeroed();
        (args.Reason, args.pBuffer, args.BufferSize) = (reason, buffer.as_mut_ptr(), bytes);
        let status = match core.table.0.DxgkDdiCollectDbgInfo {
            None => STATUS_NOT_IMPLEMENTED,
            Some(function) => core.contract.call(ddi, || {
                // SAFETY: the function is the driver's, its context the one it gave, structure and buffer ours.
                unsafe { function(core.context(), &raw const args) }
            }),
        };
        buffer.check(&core.contract, ddi.name);
        succeed(ddi.name, status)?;
        Ok(buffer.to_vec())
    }

    /// DxgkDdiControlEtwLogging, for all adapters of the driver; whether the driver has it.
    pub fn control_etw_logging(&self, enable: bool, level: u8) -> bool {
        self.core.control_etw_logging(enable, 0, level)
    }
}
