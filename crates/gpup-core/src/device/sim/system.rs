//! System memory as the engines reach it: by physical address, never across a page.
//!
//! UNSAFETY: the one place where the engines touch memory through mappings of the operating system.
#![expect(unsafe_code)]

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::PAGE_SIZE;
use crate::dirty::Writer;
use crate::os::os;
use crate::vram::Vram;

/// A piece of a page of system memory, mapped.
struct Mapping {
    at: *mut u8,
    bytes: usize,
}

impl Mapping {
    /// Maps `bytes` bytes that lie in one page; none when they do not or cannot be reached.
    fn new(physical: u64, bytes: usize) -> Option<Self> {
        if physical % PAGE_SIZE + bytes as u64 > PAGE_SIZE {
            return None;
        }
        let at = os().map_system(physical, bytes);
        (!at.is_null()).then_some(Self { at, bytes })
    }

    /// Maps one value of `T`, aligned.
    fn of<T>(physical: u64) -> Option<Self> {
        let bytes = size_of::<T>();
        if !physical.is_multiple_of(bytes as u64) {
            return None;
        }
        Self::new(physical, bytes)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        os().unmap_system(self.at, self.bytes);
    }
}

/// Reads 8 bytes, little-endian.
pub(super) fn load(physical: u64) -> Option<u64> {
    let mapping = Mapping::of::<u64>(physical)?;
    // SAFETY: 8 aligned bytes are mapped for as long as `mapping` lives.
    let word = unsafe { AtomicU64::from_ptr(mapping.at.cast()) };
    Some(u64::from_le(word.load(Ordering::Acquire)))
}

/// Writes 8 bytes, little-endian.
pub(super) fn store(physical: u64, value: u64) -> Option<()> {
    let mapping = Mapping::of::<u64>(physical)?;
    // SAFETY: 8 aligned bytes are mapped for as long as `mapping` lives.
    let word = unsafe { AtomicU64::from_ptr(mapping.at.cast()) };
    word.store(value.to_le(), Ordering::Release);
    Some(())
}

/// Sends an interrupt message: 4 bytes, little-endian.
pub(super) fn send(physical: u64, message: u32) -> Option<()> {
    let mapping = Mapping::of::<u32>(physical)?;
    // SAFETY: 4 aligned bytes are mapped for as long as `mapping` lives.
    let word = unsafe { AtomicU32::from_ptr(mapping.at.cast()) };
    word.store(message.to_le(), Ordering::Release);
    Some(())
}

/// Copies bytes out of system memory.
pub(super) fn read(physical: u64, out: &mut [u8]) -> Option<()> {
    let mapping = Mapping::new(physical, out.len())?;
    // SAFETY: as many bytes are mapped, and a page of the operating system is no part of `out`.
    unsafe { core::ptr::copy_nonoverlapping(mapping.at, out.as_mut_ptr(), out.len()) };
    Some(())
}

/// Copies bytes into system memory.
pub(super) fn write(physical: u64, data: &[u8]) -> Option<()> {
    let mapping = Mapping::new(physical, data.len())?;
    // SAFETY: as many bytes are mapped, and a page of the operating system is no part of `data`.
    unsafe { core::ptr::copy_nonoverlapping(data.as_ptr(), mapping.at, data.len()) };
    Some(())
}

/// Repeats `pattern` over system memory; both multiples of 8.
pub(super) fn fill(physical: u64, bytes: usize, pattern: u64) -> Option<()> {
    let mapping = Mapping::new(physical, bytes)?;
    if !physical.is_multiple_of(8) {
        return None;
    }
    for offset in (0..bytes).step_by(8) {
        let word = mapping.at.wrapping_add(offset).cast::<u64>();
        // SAFETY: the 8 bytes are aligned and inside what is mapped.
        unsafe { word.write(pattern.to_le()) };
    }
    Some(())
}

/// Copies VRAM at `offset` to system memory.
pub(super) fn from_vram(vram: &dyn Vram, offset: u64, physical: u64, bytes: usize) -> Option<()> {
    let mapping = Mapping::new(physical, bytes)?;
    // SAFETY: as many bytes are mapped, and the host lends them to this DMA until its fence.
    unsafe { vram.read_raw(offset, mapping.at, bytes) }.ok()
}

/// Copies system memory to VRAM at `offset`, marking it.
pub(super) fn to_vram(writer: &mut Writer, physical: u64, offset: u64, bytes: usize) -> Option<()> {
    let mapping = Mapping::new(physical, bytes)?;
    // SAFETY: as many bytes are mapped, and the host lends them to this DMA until its fence.
    unsafe { writer.copy_from_raw(offset, mapping.at, bytes) }.ok()
}

/// Copies system memory to system memory.
pub(super) fn copy(from: u64, to: u64, bytes: usize) -> Option<()> {
    let source = Mapping::new(from, bytes)?;
    let target = Mapping::new(to, bytes)?;
    // SAFETY: both are mapped for as many bytes; `copy` allows them to overlap.
    unsafe { core::ptr::copy(source.at, target.at, bytes) };
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_crosses_a_page_or_is_misaligned() {
        crate::os::host::install();
        let memory = vec![0u64; 2048];
        let base = (memory.as_ptr().expose_provenance() as u64).next_multiple_of(PAGE_SIZE);
        assert_eq!(read(base + PAGE_SIZE - 8, &mut [0; 16]), None);
        assert_eq!(load(base + 4), None);
        assert_eq!(store(base + 8, 7), Some(()));
        assert_eq!(load(base + 8), Some(7));
        assert_eq!(fill(base + PAGE_SIZE - 16, 24, 1), None);
        assert_eq!(fill(base + 64, 16, 0x0101_0101_0101_0101), Some(()));
        assert_eq!(load(base + 72), Some(0x0101_0101_0101_0101));
        assert_eq!(copy(base + 64, base + 128, 16), Some(()));
        assert_eq!(load(base + 136), Some(0x0101_0101_0101_0101));
    }
}
