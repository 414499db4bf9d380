//! Video memory that is system memory: zeroed pages of the operating system.
//!
//! UNSAFETY: owns memory of the operating system.
#![expect(unsafe_code)]

use core::ptr::NonNull;

use super::{BarVram, Vram, VramStore};
use crate::os::{Purpose, os};
use crate::{Error, PAGE_SIZE, Result};

/// A local segment in system memory.
///
/// Any byte range can be read and written; ranges that begin and end on multiples of 8 are fastest.
pub struct SimulatedVram(BarVram);

impl SimulatedVram {
    /// A segment of `bytes` zeroed bytes, a multiple of the page size.
    pub fn new(bytes: u64) -> Result<Self> {
        if bytes == 0 || !bytes.is_multiple_of(PAGE_SIZE) {
            return Err(Error::Misaligned);
        }
        let size = usize::try_from(bytes).map_err(|_| Error::NoResources)?;
        let base = NonNull::new(os().allocate_pages(Purpose::Vram, size)).ok_or(Error::NoResources)?;
        // SAFETY: allocate_pages gave `bytes` zeroed, page-aligned bytes that only `drop` takes back.
        let memory = unsafe { BarVram::new(base, bytes) };
        memory.map(Self)
    }
}

impl Drop for SimulatedVram {
    fn drop(&mut self) {
        let (base, bytes) = (self.0.base(), self.bytes() as usize);
        // SAFETY: the pages came from allocate_pages(bytes) and no borrow of `self` is left.
        unsafe { os().free_pages(Purpose::Vram, base.as_ptr(), bytes) };
    }
}

impl Vram for SimulatedVram {
    fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    unsafe fn read_raw(&self, offset: u64, dst: *mut u8, bytes: usize) -> Result<()> {
        // SAFETY: the caller vouches for `dst`.
        unsafe { self.0.read_raw(offset, dst, bytes) }
    }
}

impl VramStore for SimulatedVram {
    unsafe fn write_raw(&self, offset: u64, src: *const u8, bytes: usize) -> Result<()> {
        // SAFETY: the caller vouches for `src`.
        unsafe { self.0.write_raw(offset, src, bytes) }
    }

    fn fill(&self, offset: u64, bytes: u64, pattern: u64) -> Result<()> {
        self.0.fill(offset, bytes, pattern)
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    fn vram(pages: u64) -> SimulatedVram {
        crate::os::host::install();
        SimulatedVram::new(pages * PAGE_SIZE).unwrap()
    }

    #[test]
    fn vram_begins_zeroed_and_refuses_odd_sizes() {
        let vram = vram(2);
        let mut out = vec![1u8; 8192];
        vram.read(0, &mut out).unwrap();
        assert!(out.iter().all(|byte| *byte == 0));
        assert_eq!(SimulatedVram::new(0).err(), Some(Error::Misaligned));
        assert_eq!(SimulatedVram::new(4097).err(), Some(Error::Misaligned));
    }

    #[test]
    fn vram_moves_any_byte_range() {
        let vram = vram(1);
        let background: [u8; 256] = core::array::from_fn(|i| i as u8);
        for start in 0..20usize {
            for length in (0..20usize).chain(60..90) {
                vram.write(0, &background).unwrap();
                let data: vec::Vec<u8> = (0..length).map(|i| 0x80 ^ (i * 7) as u8).collect();
                vram.write(start as u64, &data).unwrap();
                let mut expected = background;
                expected[start..start + length].copy_from_slice(&data);
                let mut all = [0u8; 256];
                vram.read(0, &mut all).unwrap();
                assert_eq!(all, expected, "{length} bytes at {start}");
                let mut out = vec![0u8; length];
                vram.read(start as u64, &mut out).unwrap();
                assert_eq!(out, data);
            }
        }
    }

    #[test]
    fn vram_refuses_what_lies_outside() {
        let vram = vram(1);
        let mut two = [9u8; 2];
        for offset in [4095, 4096, 4097, u64::MAX - 1, u64::MAX] {
            assert_eq!(vram.read(offset, &mut two), Err(Error::OutOfRange));
            assert_eq!(vram.write(offset, &two), Err(Error::OutOfRange));
        }
        assert_eq!(two, [9, 9]);
        assert_eq!(vram.fill(4088, 16, 1), Err(Error::OutOfRange));
        assert_eq!(vram.fill(4, 8, 1), Err(Error::Misaligned));
        assert_eq!(vram.fill(8, 4, 1), Err(Error::Misaligned));
        vram.read(4096, &mut []).unwrap();
    }

    #[test]
    fn vram_fill_repeats_little_endian() {
        let vram = vram(1);
        vram.fill(8, 16, 0x0807_0605_0403_0201).unwrap();
        let mut out = [0u8; 32];
        vram.read(0, &mut out).unwrap();
        assert_eq!(out[..8], [0; 8]);
        assert_eq!(out[8..16], [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(out[16..24], [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(out[24..], [0; 8]);
    }

    #[test]
    fn vram_neighbours_in_one_word_do_not_lose_each_others_bytes() {
        let vram = vram(1);
        std::thread::scope(|scope| {
            for lane in 0..2u64 {
                let vram = &vram;
                scope.spawn(move || {
                    for round in 0..20_000u64 {
                        let value = [(round % 251) as u8; 4];
                        vram.write(lane * 4, &value).unwrap();
                        let mut back = [0u8; 4];
                        vram.read(lane * 4, &mut back).unwrap();
                        assert_eq!(back, value);
                    }
                });
            }
        });
    }
}
