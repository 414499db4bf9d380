//! The interrupt routine and its DPC. How an engine's fence becomes an interrupt: see [`crate::miniport::notify`].
//!
//! UNSAFETY: looks an adapter up within its own callback.
#![expect(unsafe_code)]

use wddm::{BOOLEAN, FALSE, PVOID};

use crate::miniport;

wddm::ddi! {
    /// DxgkDdiInterruptRoutine. DIRQL, nonpaged. "DXGKDDI_INTERRUPT_ROUTINE callback function (dispmprt.h)".
    ///
    /// The engines are software and raise no line, so an interrupt on a shared one is never this device's.
    pub(crate) unsafe fn interrupt_routine(_adapter: PVOID, _message: u32) -> BOOLEAN {
        FALSE
    }

    /// DxgkDdiDpcRoutine. DISPATCH_LEVEL, nonpaged. "DXGKDDI_DPC_ROUTINE callback function (dispmprt.h)".
    pub(crate) unsafe fn dpc_routine(adapter: PVOID) {
        // SAFETY: within a DDI of the adapter, and the reference ends with it.
        if let Ok(started) = unsafe { miniport::started(adapter) } {
            started.dxgkrnl.notify_dpc();
        }
    }
}
