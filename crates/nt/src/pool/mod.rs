//! Non-paged memory: tagged blocks of ExAllocatePool2 that count themselves, the global allocator, physically
//! contiguous memory.
//!
//! Everything is no-execute and zeroed, and may be allocated and freed up to DISPATCH_LEVEL.

mod allocator;
mod count;
mod reserve;
mod selftest;

#[cfg(windows)]
mod kernel;

pub use allocator::Allocator;
pub use count::Count;
#[cfg(windows)]
pub use kernel::{Contiguous, KernelAllocator, Tag};
pub use selftest::self_test;

/// Bytes of a page on x64.
pub const PAGE: usize = 4096;
