//! BAR 0 of a VF: plain memory that the guest and the engines share, physically contiguous as a BAR is.
//!
//! Whatever the guest stores here harms only itself: the engines read the doorbells and the rings from it and
//! nothing else, and publish the other registers from copies of their own.
//!
//! UNSAFETY: lends pages of the operating system, which a guest writes at any time, as atomic words.
#![expect(unsafe_code)]

use core::ptr::NonNull;
use core::slice;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::device::BarPages;
use crate::device::abi::BAR_BYTES;
use crate::os::os;
use crate::{Error, Result};

/// The pages of a BAR.
pub(super) struct Bar {
    base: NonNull<u8>,
}

// SAFETY: the memory belongs to this value and is touched through atomics only.
unsafe impl Send for Bar {}
// SAFETY: as above.
unsafe impl Sync for Bar {}

impl Bar {
    /// A BAR of zeros.
    pub(super) fn new() -> Result<Self> {
        let base = NonNull::new(os().allocate_contiguous(BAR_BYTES)).ok_or(Error::NoResources)?;
        Ok(Self { base })
    }

    /// The pages, to map into a guest.
    pub(super) fn pages(&self) -> BarPages {
        BarPages { base: self.base.as_ptr(), bytes: BAR_BYTES }
    }

    fn halves(&self) -> &[AtomicU32] {
        // SAFETY: BAR_BYTES zeroed, page-aligned bytes live as long as `self`.
        unsafe { slice::from_raw_parts(self.base.as_ptr().cast(), BAR_BYTES / 4) }
    }

    fn words(&self) -> &[AtomicU64] {
        // SAFETY: BAR_BYTES zeroed, page-aligned bytes live as long as `self`.
        unsafe { slice::from_raw_parts(self.base.as_ptr().cast(), BAR_BYTES / 8) }
    }

    /// Reads a register; what its writer stored before it is visible afterwards.
    pub(super) fn load(&self, offset: usize) -> u32 {
        u32::from_le(self.halves()[offset / 4].load(Ordering::Acquire))
    }

    /// Writes a register; what was stored before it is visible to who reads it.
    pub(super) fn store(&self, offset: usize, value: u32) {
        self.halves()[offset / 4].store(value.to_le(), Ordering::Release);
    }

    /// Writes a register of 8 bytes, as [`Bar::store`].
    pub(super) fn store64(&self, offset: usize, value: u64) {
        self.words()[offset / 8].store(value.to_le(), Ordering::Release);
    }

    /// Copies bytes out; `offset` and the length are multiples of 8.
    pub(super) fn read(&self, offset: usize, out: &mut [u8]) {
        let words = &self.words()[offset / 8..][..out.len() / 8];
        for (out, word) in out.chunks_exact_mut(8).zip(words) {
            out.copy_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes());
        }
    }

    /// Copies bytes in; `offset` and the length are multiples of 8.
    pub(super) fn write(&self, offset: usize, data: &[u8]) {
        let words = &self.words()[offset / 8..][..data.len() / 8];
        for (data, word) in data.chunks_exact(8).zip(words) {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(data);
            word.store(u64::from_ne_bytes(bytes), Ordering::Relaxed);
        }
    }

    /// Zeroes everything.
    pub(super) fn clear(&self) {
        for word in self.words() {
            word.store(0, Ordering::Relaxed);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        // SAFETY: the pages came from allocate_contiguous(BAR_BYTES) and no borrow of `self` is left.
        unsafe { os().free_contiguous(self.base.as_ptr(), BAR_BYTES) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_and_bytes_are_the_same_memory() {
        crate::os::host::install();
        let bar = Bar::new().unwrap();
        bar.store(8, 0x0403_0201);
        bar.store64(16, 0x0807_0605_0403_0201);
        let mut bytes = [0; 16];
        bar.read(8, &mut bytes);
        assert_eq!(bytes, [1, 2, 3, 4, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        bar.write(8, &[9; 8]);
        assert_eq!(bar.load(12), 0x0909_0909);
        bar.clear();
        assert_eq!(bar.load(12), 0);
    }
}
