//! The behaviour of a GPU-P host adapter, without a word of Windows in it.
//!
//! Data flows one way: the driver's DDI layer calls the [`adapter`], the adapter calls the
//! [`device`]. Nothing here knows an NTSTATUS; [`Error`] says what went wrong and the DDI layer maps it.

#![cfg_attr(not(any(test, feature = "std", loom)), no_std)]

extern crate alloc;

pub mod adapter;
mod boxed;
pub mod device;
pub mod dirty;
mod error;
pub mod migration;
pub mod os;
pub mod sched;
mod shared;
mod standing;
mod sync;
pub mod vf;
pub mod vram;

pub use error::{Error, Result};

/// Bytes in a page of GPU and system memory, and the granularity of dirty tracking.
pub const PAGE_SIZE: u64 = 4096;

/// Zero-based index of a virtual function: PartitionId, vfIndex and VirtualFunctionIndex of the DDI.
pub type VfIndex = u32;
