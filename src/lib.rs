//! A WDDM 3.2 kernel-mode display miniport driver for a GPU-P host: compute-only, with live migration of its
//! virtual functions.
//!
//! ```text
//! Dxgkrnl -> table -> ddi -> gpup_core::adapter -> gpup_core::device
//! ```
//! [`DriverEntry`](driver_entry) registers the callbacks of `table`; `ddi` has one file a family, checks what comes
//! in and maps what goes out; the behaviour is in `gpup_core`. `os` is the only code that names the kernel below.

#![cfg_attr(feature = "kernel", no_std)]

extern crate alloc;
// The panic handler: a bug check with the file, the line and the column as its parameters.
#[cfg(feature = "kernel")]
extern crate wdk_panic;

mod ddi;
pub mod debug;
pub mod escape;
mod miniport;
pub mod os;
pub mod settings;
mod table;
mod text;

use wddm::{DRIVER_OBJECT, NTSTATUS, UNICODE_STRING};

wddm::ddi! {
    /// DriverEntry. PASSIVE_LEVEL. "DriverEntry of Display Miniport Driver routine".
    #[expect(unsafe_code, reason = "the entry point has a name that the system knows, and takes its pointers")]
    #[unsafe(export_name = "DriverEntry")]
    pub unsafe fn driver_entry(driver: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> NTSTATUS {
        if let Err(status) = os::install() {
            return status;
        }
        // A host process loads the driver more than once; a limit ends with the load it was set for.
        gpup_core::os::limit_traces(gpup_core::os::Level::Debug);
        let mut table = table::table();
        // SAFETY: the system's own arguments, and a filled table.
        let status = unsafe { os::dxgk_initialize(driver, path, &mut table) };
        if !status.is_success() {
            os::uninstall();
        }
        status
    }

    /// DxgkDdiUnload. PASSIVE_LEVEL. "DXGKDDI_UNLOAD callback function (dispmprt.h)".
    pub(crate) unsafe fn unload() {
        os::uninstall();
    }
}
