//! A host process as the kernel below the driver: settings in a table, Dxgkrnl as a connected function.
//!
//! A physical address is a virtual one here, so a page's frame number is its address divided by 4096.
//!
//! UNSAFETY: reads the UNICODE_STRING of a registry path and calls the connected Dxgkrnl.
#![expect(unsafe_code)]

use core::cell::Cell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::vec::Vec;

use gpup_core::os::level;
use gpup_core::{Error, PAGE_SIZE, Result};
use wddm::{
    DRIVER_INITIALIZATION_DATA, DRIVER_OBJECT, DXGKRNL_INITIALIZE, LUID, MDL, MDL_PAGES_LOCKED,
    MDL_SOURCE_IS_NONPAGED_POOL, NTSTATUS, STATUS_DEVICE_NOT_READY, UNICODE_STRING,
};

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

/// The CPU's performance counter.
pub(crate) fn performance_counter() -> u64 {
    gpup_core::os::now()
}

/// Runs `routine` where DxgkCbNotifyInterrupt may be called although no interrupt is connected.
/// A host process has no interrupt levels but the number that [`level`] keeps.
pub(crate) fn at_device_level(routine: &mut dyn FnMut()) {
    level::at(level::DEVICE_LEVEL, routine);
}

/// Memory of a device, which a host process must have mapped itself: a physical address is a virtual one.
pub(crate) struct DeviceMemory {
    base: NonNull<u8>,
}

// SAFETY: the memory is shared by all threads of the process.
unsafe impl Send for DeviceMemory {}
// SAFETY: as above; nothing here changes.
unsafe impl Sync for DeviceMemory {}

impl DeviceMemory {
    /// Reaches `bytes` at an address.
    ///
    /// # Safety
    /// They are mapped, and nothing else is done with them while this value lives.
    pub(crate) unsafe fn map(physical: u64, _bytes: usize) -> Option<Self> {
        let base = core::ptr::with_exposed_provenance_mut(usize::try_from(physical).ok()?);
        Some(Self { base: NonNull::new(base)? })
    }

    /// First byte of the mapping.
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }
}

/// A memory descriptor list over non-paged memory.
pub(crate) struct Mdl {
    /// The header, then one frame number a page; words, so that the header is aligned.
    words: Vec<u64>,
}

/// Words of the header before the frame numbers.
const HEADER_WORDS: usize = size_of::<MDL>() / size_of::<u64>();

impl Mdl {
    /// Describes `bytes` at `base`, both multiples of the page size.
    pub(crate) fn new(base: *mut u8, bytes: usize) -> Result<Self> {
        let page = PAGE_SIZE as usize;
        if !base.addr().is_multiple_of(page) || !bytes.is_multiple_of(page) || bytes == 0 {
            return Err(Error::Misaligned);
        }
        let pages = bytes / page;
        let mut words = vec![0u64; HEADER_WORDS];
        words.extend((0..pages).map(|index| base.expose_provenance() as u64 / PAGE_SIZE + index as u64));
        let header = MDL {
            Size: i16::try_from(words.len() * size_of::<u64>()).map_err(|_| Error::OutOfRange)?,
            MdlFlags: MDL_SOURCE_IS_NONPAGED_POOL | MDL_PAGES_LOCKED,
            MappedSystemVa: base.cast(),
            StartVa: base.cast(),
            ByteCount: u32::try_from(bytes).map_err(|_| Error::OutOfRange)?,
            ..MDL::zeroed()
        };
        // SAFETY: the vector begins with room for the header, aligned to 8 as the header is.
        unsafe { words.as_mut_ptr().cast::<MDL>().write(header) };
        Ok(Self { words })
    }

    /// The list, for Dxgkrnl. It lives as long as `self`.
    pub(crate) fn as_ptr(&self) -> *mut MDL {
        self.words.as_ptr().cast::<MDL>().cast_mut()
    }

    /// Physical address of the first page.
    pub(crate) fn physical_address(&self) -> u64 {
        self.words[HEADER_WORDS] * PAGE_SIZE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mdl_lists_every_page() {
        #[repr(align(4096))]
        struct Pages([u8; 12288]);
        let mut pages = Box::new(Pages([0; 12288]));
        let base = pages.0.as_mut_ptr();
        let mdl = Mdl::new(base, 12288).unwrap();
        assert_eq!(mdl.physical_address(), base.addr() as u64);
        assert_eq!(mdl.words[HEADER_WORDS + 2], base.addr() as u64 / 4096 + 2);
        // SAFETY: the list begins with its header.
        let header = unsafe { &*mdl.as_ptr() };
        assert_eq!(
            (header.ByteCount, header.ByteOffset, usize::try_from(header.Size)),
            (12288, 0, Ok(48 + 24))
        );
    }

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
