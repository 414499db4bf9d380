//! A simulated Dxgkrnl with VidMm and a VM worker.
//!
//! It drives any display miniport driver through DRIVER_INITIALIZATION_DATA and the interfaces of
//! QueryInterface, and through nothing else. It knows no driver: what runs in a VM comes as a [`guest::Guest`].
//!
//! ```text
//! host       the machine below: threads, locks, clock
//! contract   every call's documented contract, and what broke it
//! dxgkrnl    registration, adapter start and stop, callbacks, interrupts, capabilities
//! vidmm      segments, the paging process, channels that move VRAM
//! vgpu       one VF: memory, BAR, dirty tracking, migration DDIs
//! vm         a guest on a virtual processor
//! check      the conformance checker: the contract rule by rule
//! ```

#![cfg_attr(not(any(test, feature = "std")), no_std)]

extern crate alloc;

pub mod check;
pub mod contract;
pub mod dxgkrnl;
pub mod guest;
pub mod host;
pub mod memory;
pub mod report;
pub mod vgpu;
pub mod vidmm;
pub mod vm;
