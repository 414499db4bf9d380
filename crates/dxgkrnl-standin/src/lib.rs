//! The simulated Dxgkrnl as a kernel driver, `dxgkrnl.sys`, for kernels that have none: Wine's.
//!
//! ```text
//! image      finds an export of a loaded image
//! scenario   a live migration between two started adapters, and its report. Portable, and tested on the host
//! check      the driver against every rule of the conformance checker, and its report. Likewise
//! control    what the test program asks over IOCTL
//! kernel     the driver: registration, PnP, IOCTLs. Only with the feature `kernel`
//! ```
//! It never stands in for the real Dxgkrnl on Windows, where the service key belongs to the system.

#![cfg_attr(feature = "kernel", no_std)]

extern crate alloc;

pub mod check;
pub mod control;
pub mod image;
pub mod scenario;

#[cfg(all(windows, feature = "kernel"))]
mod kernel;
