//! The conformance checker in this kernel: every rule that needs nothing but the driver's table.

use alloc::sync::Arc;

use dxgksim::check;
use dxgksim::dxgkrnl::{AdapterOptions, Driver};
use gpup_scene::checked::Checked;

/// Checks `driver` on adapters of the checker's own, of the device and with the settings of one that has started, beside
/// those that have. The calls in the report are all since the driver was loaded.
pub fn run(driver: &Arc<Driver>, started: AdapterOptions) -> Checked {
    let options = AdapterOptions { paging_va_bytes: 16 << 20, staging_bytes: 64 << 10, ..started };
    let findings = check::run(driver, &options, |_| true);
    Checked::new(&findings, driver.contract())
}
