//! The interrupt routine and its DPC. How an engine's fence becomes an interrupt: see [`crate::miniport::notify`].

use wddm::{BOOLEAN, FALSE, PVOID};

use crate::miniport::{self, Miniport};

wddm::ddi! {
    /// DxgkDdiInterruptRoutine. DIRQL, nonpaged. "DXGKDDI_INTERRUPT_ROUTINE callback function (dispmprt.h)".
    ///
    /// The engines are software and raise no line, so an interrupt on a shared one is never this device's.
    pub(crate) fn interrupt_routine(_adapter: PVOID, _message: u32) -> BOOLEAN {
        FALSE
    }

    /// DxgkDdiDpcRoutine. DISPATCH_LEVEL, nonpaged. "DXGKDDI_DPC_ROUTINE callback function (dispmprt.h)".
    pub(crate) fn dpc_routine(adapter: PVOID) {
        let Ok(dpc) = miniport::enter_dpc(adapter) else { return };
        if let Some(Ok(started)) = dpc.miniport().map(Miniport::started) {
            started.dxgkrnl.notify_dpc();
        }
    }
}
