//! The only code of the driver that names the operating system below it.
//!
//! `gpup_core::os::Os` carries what the adapter needs: locks, threads, the clock. Here stands what only
//! the driver needs: its software key, Dxgkrnl's entry, memory descriptor lists. `nt` is written
//! against the kernel, `host.rs` against std; both have the same functions.

#[cfg(not(feature = "kernel"))]
pub mod host;
#[cfg(not(feature = "kernel"))]
use host as system;
#[cfg(feature = "kernel")]
mod nt;
#[cfg(feature = "kernel")]
use nt as system;

pub(crate) use system::{
    DeviceMemory, Mdl, at_device_level, caller_is_administrator, dxgk_initialize, install, location, luid,
    performance_counter, setting, uninstall,
};

/// A place on a PCI bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Location {
    /// Its bus.
    pub(crate) bus: u32,
    /// Device and function on the bus, as a requester id has them: five bits and three.
    pub(crate) function: u32,
}
