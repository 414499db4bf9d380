//! A host process as the kernel below the driver: settings in a table, Dxgkrnl as a connected function.
//!
//! A physical address is a virtual one here, so a page's frame number is its address divided by 4096. The one exception
//! is the memory of a PCI device that the process has opened: see [`pci`].
//!
//! UNSAFETY: reads the UNICODE_STRING of a registry path and calls the connected Dxgkrnl.
#![expect(unsafe_code)]

mod device_memory;
mod mdl;
#[cfg(unix)]
pub mod pci;

use core::cell::Cell;
use core::sync::atomic::{AtomicU32, Ordering};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use gpup_core::Result;
use gpup_core::os::level;
use wddm::{
    DEVICE_OBJECT, DRIVER_INITIALIZATION_DATA, DRIVER_OBJECT, DXGKRNL_INITIALIZE, LUID, NTSTATUS,
    STATUS_DEVICE_NOT_READY, UNICODE_STRING,
};

use super::Location;

pub(crate) use device_memory::DeviceMemory;
pub(crate) use mdl::Mdl;

/// Values under (software key, name), names in lower case: the registry does not tell cases apart.
static SETTINGS: Mutex<BTreeMap<(String, String), u64>> = Mutex::new(BTreeMap::new());

/// What DxgkInitialize leads to.
static DXGKRNL: Mutex<Option<DXGKRNL_INITIALIZE>> = Mutex::new(None);

/// Sets a value under the software key of an adapter, as an INF or an administrator would.
///
/// It counts from the next StartDevice of an adapter whose DeviceRegistryPath is `path`.
pub fn set_setting(path: &str, name: &str, value: u64) {
    let mut settings = SETTINGS.lock().unwrap_or_else(PoisonError::into_inner);
    settings.insert((path.to_lowercase(), name.to_lowercase()), value);
}

/// Deletes every value under a software key.
pub fn clear_settings(path: &str) {
    let path = path.to_lowercase();
    SETTINGS.lock().unwrap_or_else(PoisonError::into_inner).retain(|(key, _), _| *key != path);
}

/// Connects the function that DxgkInitialize calls from now on.
pub fn connect_dxgkrnl(initialize: DXGKRNL_INITIALIZE) {
    *DXGKRNL.lock().unwrap_or_else(PoisonError::into_inner) = Some(initialize);
}

/// Puts std below the adapter.
pub(crate) fn install() -> core::result::Result<(), NTSTATUS> {
    gpup_core::os::host::install();
    Ok(())
}

/// The host's services stay: other drivers and tests of this process use them too.
pub(crate) fn uninstall() {}

/// A value under a software key.
///
/// # Safety
/// `path` describes readable memory.
pub(crate) unsafe fn setting(path: &UNICODE_STRING, name: &str) -> Option<u64> {
    // SAFETY: the caller's promise.
    let path = unsafe { text(path) };
    let settings = SETTINGS.lock().unwrap_or_else(PoisonError::into_inner);
    settings.get(&(path.to_lowercase(), name.to_lowercase())).copied()
}

/// # Safety
/// `string` describes readable memory.
unsafe fn text(string: &UNICODE_STRING) -> String {
    if string.Buffer.is_null() {
        return String::new();
    }
    // SAFETY: the caller promises Length readable bytes at Buffer.
    let units = unsafe { core::slice::from_raw_parts(string.Buffer, usize::from(string.Length) / 2) };
    String::from_utf16_lossy(units)
}

/// Hands the table to Dxgkrnl.
///
/// # Safety
/// The arguments are DriverEntry's and a filled table.
pub(crate) unsafe fn dxgk_initialize(
    driver: *mut DRIVER_OBJECT,
    path: *mut UNICODE_STRING,
    table: &mut DRIVER_INITIALIZATION_DATA,
) -> NTSTATUS {
    let connected = *DXGKRNL.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(initialize) = connected else { return STATUS_DEVICE_NOT_READY };
    // SAFETY: the connected function is a Dxgkrnl; it gets what DxgkInitialize would give it.
    unsafe { initialize(driver, path, table) }
}

/// A LUID that nothing else of this process has.
pub(crate) fn luid() -> Result<LUID> {
    static NEXT: AtomicU32 = AtomicU32::new(0x1000);
    Ok(LUID { LowPart: NEXT.fetch_add(1, Ordering::Relaxed), HighPart: 0 })
}

thread_local! {
    static ADMINISTRATOR: Cell<bool> = const { Cell::new(true) };
}

/// Makes the calling thread one of an administrator's process, or of another; the former at first.
pub fn set_caller_is_administrator(administrator: bool) {
    ADMINISTRATOR.set(administrator);
}

/// Whether the calling thread's process is an administrator's.
pub(crate) fn caller_is_administrator() -> bool {
    ADMINISTRATOR.get()
}

/// Where a device is: a host process's is on no bus.
///
/// # Safety
/// None; the kernel's function has the same signature.
pub(crate) unsafe fn location(_device: *mut DEVICE_OBJECT) -> Location {
    Location::default()
}

/// The CPU's performance counter.
pub(crate) fn performance_counter() -> u64 {
    gpup_core::os::now()
}

/// Runs `routine` where DxgkCbNotifyInterrupt may be called although no interrupt is connected.
/// A host process has no interrupt levels but the number that [`level`] keeps.
pub(crate) fn at_device_level(routine: &mut dyn FnMut()) {
    level::at(level::DEVICE_LEVEL, routine);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_ignore_case_and_belong_to_a_key() {
        let units: Vec<u16> = "\\Key\\A".encode_utf16().collect();
        let path = UNICODE_STRING {
            Length: (units.len() * 2) as u16,
            MaximumLength: (units.len() * 2) as u16,
            Buffer: units.as_ptr().cast_mut(),
        };
        set_setting("\\key\\a", "NumberOfVFs", 7);
        // SAFETY: `units` outlives both calls.
        let found = unsafe { setting(&path, "numberofvfs") };
        assert_eq!(found, Some(7));
        clear_settings("\\KEY\\A");
        // SAFETY: as above.
        let found = unsafe { setting(&path, "numberofvfs") };
        assert_eq!(found, None);
    }
}
