//! The pool counts that the shim for Wine keeps in every image it is linked into.
//!
//! UNSAFETY: reads a loaded image.
#![expect(unsafe_code)]

use core::slice;

use crate::image::{export, size};

/// The shim's export: blocks, then bytes, u64 each.
const POOL: &[u8] = b"ShimPool";
/// Bytes of an image's headers that are read before its size is known.
const HEADERS: usize = 4096;

/// Pool that an image has allocated and not freed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PoolCount {
    pub(super) blocks: u64,
    pub(super) bytes: u64,
}

/// Where a loaded image keeps its counts.
#[derive(Clone, Copy)]
pub(super) struct PoolCounter(*const u64);

// SAFETY: the counts are words that are only read, one at a time.
unsafe impl Send for PoolCounter {}

impl PoolCounter {
    /// That of the image at `start`; none if it does not count.
    ///
    /// # Safety
    /// An image is loaded at `start`, all of it is readable, and no code of it runs meanwhile.
    pub(super) unsafe fn of(start: *const u8) -> Option<Self> {
        // SAFETY: an image has a page of headers.
        let headers = unsafe { slice::from_raw_parts(start, HEADERS) };
        // SAFETY: the caller's promise; nothing writes it while no code of it runs.
        let image = unsafe { slice::from_raw_parts(start, size(headers)?) };
        let counts: *const u64 = start.wrapping_add(export(image, POOL)?).cast();
        counts.is_aligned().then_some(Self(counts))
    }

    /// The counts now.
    ///
    /// # Safety
    /// The image is still loaded.
    pub(super) unsafe fn read(self) -> PoolCount {
        // SAFETY: the caller's promise.
        let blocks = unsafe { self.0.read_volatile() };
        // SAFETY: the caller's promise; the bytes follow the blocks.
        let bytes = unsafe { self.0.wrapping_add(1).read_volatile() };
        PoolCount { blocks, bytes }
    }
}
