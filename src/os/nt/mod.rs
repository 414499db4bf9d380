//! NT as the kernel below the driver.
//!
//! What runs at which IRQL, and how that is kept:
//!
//! | level | what runs there | may do |
//! |---|---|---|
//! | PASSIVE_LEVEL | DriverEntry, Unload, every DDI but those below; the engines' threads | all of it |
//! | up to DISPATCH_LEVEL | SubmitCommandVirtual, PreemptCommand, DpcRoutine | spin locks, signalling events, logging |
//! | a device's level | InterruptRoutine, the routine of SynchronizeExecution or [`at_device_level`] | NotifyInterrupt, QueueDpc |
//!
//! - No code and no data of the driver is pageable: there is no paged section, every allocation is non-paged pool. So
//!   nothing has to be locked down for the higher levels, at the price of some hundred KiB of resident memory.
//! - Whatever blocks asserts PASSIVE_LEVEL in builds with debug assertions: [`gpup_core::os::Os::lock`], waiting,
//!   yielding, starting and joining threads.
//! - The section under a spin lock allocates nothing and calls nothing that does.
//!
//! | file | has |
//! |---|---|
//! | `memory` | the global allocator, the pool's tags, descriptor lists, mappings |
//! | `services` | locks, events, threads and the clock for the adapter |
//! | `log` | the debugger and ETW |
//! | `dxgkrnl` | DxgkInitialize |

mod dxgkrnl;
mod log;
mod memory;
mod services;

use gpup_core::os::{self, Level};
use gpup_core::{Error, Result};
use wddm::{DEVICE_OBJECT, LUID, NTSTATUS, STATUS_NOT_SUPPORTED, UNICODE_STRING};

use super::Location;

pub(crate) use dxgkrnl::dxgk_initialize;
pub(crate) use memory::Mdl;
pub(crate) use nt::io::DeviceMemory;
pub(crate) use nt::security::caller_is_administrator;

/// Puts NT below the adapter. PASSIVE_LEVEL.
pub(crate) fn install() -> core::result::Result<(), NTSTATUS> {
    log::open();
    if !nt::lock::words_are_zero() {
        log::write(Level::Error, format_args!("a free push lock is not zero here: the driver does not load"));
        log::close();
        return Err(STATUS_NOT_SUPPORTED);
    }
    if let Err(status) = memory::FRAMES.reserve() {
        log::write(
            Level::Error,
            format_args!("no addresses are left to map pages at: the driver does not load"),
        );
        log::close();
        return Err(NTSTATUS(status));
    }
    os::install(&services::Nt);
    Ok(())
}

/// Takes it away, and says what is still allocated: nothing, or something has leaked. PASSIVE_LEVEL.
pub(crate) fn uninstall() {
    os::uninstall();
    memory::report();
    memory::FRAMES.release();
    log::close();
}

/// A REG_DWORD or REG_QWORD under a software key. PASSIVE_LEVEL.
///
/// # Safety
/// `path` describes readable memory.
#[expect(unsafe_code, reason = "reads a string that the caller vouches for")]
pub(crate) unsafe fn setting(path: &UNICODE_STRING, name: &str) -> Option<u64> {
    if path.Buffer.is_null() {
        return None;
    }
    // SAFETY: the caller promises Length readable bytes at Buffer.
    let units = unsafe { core::slice::from_raw_parts(path.Buffer, usize::from(path.Length) / 2) };
    nt::registry::Key::open(units).ok()?.number(name)
}

/// A LUID that nothing else has. PASSIVE_LEVEL.
pub(crate) fn luid() -> Result<LUID> {
    let id = nt::security::unique_id().map_err(|_| Error::NoResources)?;
    Ok(LUID { LowPart: id.LowPart, HighPart: id.HighPart })
}

/// Where a device is on its PCI bus; nowhere, all zero, when it is on none. PASSIVE_LEVEL.
///
/// # Safety
/// `device` is the physical device object of a device that is there.
#[expect(unsafe_code, reason = "asks about a device that the caller vouches for")]
pub(crate) unsafe fn location(device: *mut DEVICE_OBJECT) -> Location {
    // SAFETY: the caller's promise.
    match unsafe { nt::device::pci_location(device.cast()) } {
        // The address has the device in its high half and the function in its low one.
        Some((bus, address)) => Location { bus, function: (address >> 16 & 0x1F) << 3 | address & 0x7 },
        None => Location::default(),
    }
}

/// The performance counter. Any IRQL.
pub(crate) fn performance_counter() -> u64 {
    nt::clock::counter().0
}

/// Runs `routine` where DxgkCbNotifyInterrupt may be called although no interrupt is connected. <= DISPATCH_LEVEL.
///
/// A root-enumerated device has no interrupt line, and SynchronizeExecution then fails with STATUS_UNSUCCESSFUL.
/// NotifyInterrupt's page asks for an IRQL between DISPATCH_LEVEL and PROFILE_LEVEL: what it protects from is the
/// processor being taken by a DPC or another thread while Dxgkrnl's records are half written, and a second report
/// running into the first. The lowest device level gives the former, for DPCs and the scheduler run below it; the
/// caller's spin lock, taken before the raise and given back after it, gives the latter, as the interrupt's own spin
/// lock does under SynchronizeExecution. No interrupt routine of this device can come in between, since there is no
/// interrupt. QueueDpc may be called at any level.
pub(crate) fn at_device_level(routine: &mut dyn FnMut()) {
    nt::irql::at(nt::irql::LOWEST_DEVICE_LEVEL, routine);
}
