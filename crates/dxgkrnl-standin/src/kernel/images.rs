//! The pool counts that the shim for Wine keeps in every image it is linked into.
//!
//! UNSAFETY: reads a loaded image.
#![expect(unsafe_code)]

use core::slice;

use crate::image::{export, size};

/// The shim's export: a [`PoolCount`].
const POOL: &[u8] = b"ShimPool";
/// Bytes of an image's headers that are read before its size is known.
const HEADERS: usize = 4096;

/// Pool that an image has allocated and not freed.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(super) struct PoolCount {
    pub(super) blocks: u64,
    pub(super) bytes: u64,
}

/// What the image at `start` has left; none if it does not count.
///
/// # Safety
/// An image is loaded at `start`, none of its code runs, and all of it is readable.
pub(super) unsafe fn pool_count(start: *const u8) -> Option<PoolCount> {
    // SAFETY: an image has a page of headers.
    let headers = unsafe { slice::from_raw_parts(start, HEADERS) };
    // SAFETY: the caller's promise; nothing writes it while no code of it runs.
    let image = unsafe { slice::from_raw_parts(start, size(headers)?) };
    let place = image.get(export(image, POOL)?..)?.first_chunk::<16>()?;
    let [blocks, bytes] = [0, 8].map(|at| {
        let word = place[at..].first_chunk::<8>();
        word.map_or(0, |word| u64::from_le_bytes(*word))
    });
    Some(PoolCount { blocks, bytes })
}
