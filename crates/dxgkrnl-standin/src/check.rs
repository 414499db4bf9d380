//! The conformance checker in this kernel: every rule that needs nothing but the driver's table.

use alloc::string::String;
use alloc::sync::Arc;

use dxgksim::check;
use dxgksim::dxgkrnl::{AdapterOptions, Driver};
use gpup_scene::checked::Checked;

/// Checks `driver` on adapters of the checker's own, which find their settings under `registry_path`, beside those that
/// have started. The calls in the report are all since the driver was loaded.
pub fn run(driver: &Arc<Driver>, registry_path: String) -> Checked {
    let options = AdapterOptions {
        registry_path,
        // A root-enumerated device has no interrupt.
        interrupt_connected: false,
        paging_va_bytes: 16 << 20,
        staging_bytes: 64 << 10,
        ..AdapterOptions::default()
    };
    let findings = check::run(driver, &options, |_| true);
    Checked::new(&findings, driver.contract())
}
