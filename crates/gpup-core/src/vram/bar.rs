//! Video memory behind a PCI BAR, or anything else that is mapped and read and written as words.
//!
//! UNSAFETY: lends mapped memory as atomic words.
#![expect(unsafe_code)]

use core::ptr::NonNull;
use core::slice;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{Vram, VramStore, check_range, words};
use crate::{Error, PAGE_SIZE, Result};

/// A local segment that is mapped into the address space: the aperture of a resizable BAR that covers all of it.
pub struct BarVram {
    base: NonNull<AtomicU64>,
    bytes: usize,
}

// SAFETY: the memory is only ever touched through atomics.
unsafe impl Send for BarVram {}
// SAFETY: as above.
unsafe impl Sync for BarVram {}

impl BarVram {
    /// The segment of `bytes` bytes mapped at `base`: whole pages, page-aligned.
    ///
    /// # Safety
    /// The mapping is readable and writable as long as this value lives, and whatever else touches it, engines
    /// and hosts, does so atomically as far as this program can tell.
    pub unsafe fn new(base: NonNull<u8>, bytes: u64) -> Result<Self> {
        let aligned = (base.addr().get() as u64).is_multiple_of(PAGE_SIZE);
        if !aligned || bytes == 0 || !bytes.is_multiple_of(PAGE_SIZE) {
            return Err(Error::Misaligned);
        }
        let bytes = usize::try_from(bytes).map_err(|_| Error::OutOfRange)?;
        Ok(Self { base: base.cast(), bytes })
    }

    /// First byte of the mapping.
    pub(super) const fn base(&self) -> NonNull<u8> {
        self.base.cast()
    }

    fn words(&self) -> &[AtomicU64] {
        let words = self.bytes / size_of::<AtomicU64>();
        // SAFETY: `new` was promised a page-aligned mapping of `bytes` bytes that outlives `self`.
        unsafe { slice::from_raw_parts(self.base.as_ptr(), words) }
    }
}

impl Vram for BarVram {
    fn bytes(&self) -> u64 {
        self.bytes as u64
    }

    unsafe fn read_raw(&self, offset: u64, dst: *mut u8, bytes: usize) -> Result<()> {
        check_range(self.bytes(), offset, bytes as u64)?;
        // SAFETY: the caller vouches for `dst`.
        unsafe { words::copy_out(self.words(), offset as usize, dst, bytes) };
        Ok(())
    }
}

impl VramStore for BarVram {
    unsafe fn write_raw(&self, offset: u64, src: *const u8, bytes: usize) -> Result<()> {
        check_range(self.bytes(), offset, bytes as u64)?;
        // SAFETY: the caller vouches for `src`.
        unsafe { words::copy_in(self.words(), offset as usize, src, bytes) };
        Ok(())
    }

    fn fill(&self, offset: u64, bytes: u64, pattern: u64) -> Result<()> {
        check_range(self.bytes(), offset, bytes)?;
        if !offset.is_multiple_of(8) || !bytes.is_multiple_of(8) {
            return Err(Error::Misaligned);
        }
        let (first, count) = ((offset / 8) as usize, (bytes / 8) as usize);
        for word in &self.words()[first..first + count] {
            word.store(pattern.to_le(), Relaxed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(align(4096))]
    struct Aperture([u8; 8192]);

    #[test]
    fn vram_behind_a_bar_is_the_memory_that_is_mapped() {
        let mut aperture = Aperture([1; 8192]);
        let base = NonNull::from(&mut aperture.0).cast::<u8>();
        // SAFETY: the aperture outlives `vram` and is not touched otherwise while that is used.
        let vram = unsafe { BarVram::new(base, 8192) }.unwrap();
        vram.write(4095, &[2, 3]).unwrap();
        vram.fill(0, 8, 4).unwrap();
        assert_eq!(vram.write(8191, &[2, 3]), Err(Error::OutOfRange));
        assert_eq!(aperture.0[..9], [4, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(aperture.0[4094..4098], [1, 2, 3, 1]);
        // SAFETY: as above.
        assert_eq!(unsafe { BarVram::new(base, 100) }.err(), Some(Error::Misaligned));
    }
}
