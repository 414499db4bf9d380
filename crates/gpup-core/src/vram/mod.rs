//! Video memory: the bytes of the local segment, simulated or behind a PCI BAR.
//!
//! Reading and writing are two traits, and the tracker keeps the writing one to itself: whoever holds a
//! `dyn Vram` cannot write behind the dirty plane's back, and every write goes through a
//! [`crate::dirty::Writer`], which marks it.

mod bar;
mod simulated;
mod words;

pub use bar::BarVram;
pub use simulated::SimulatedVram;

use crate::{Error, Result};

/// The bytes of a local memory segment, to read.
///
/// Offsets are bytes from the segment's start. Accesses may race with each other, as they do on a real
/// device: a reader then sees old or new bytes of each aligned eight.
///
/// Called by engines, paging and migration at PASSIVE_LEVEL. An access may be slow, and waits for no packet, VF or
/// harvester. It fails only with [`Error::OutOfRange`], before anything is copied.
pub trait Vram: Send + Sync {
    /// Size in bytes, a multiple of the page size.
    fn bytes(&self) -> u64;

    /// Copies `bytes` bytes at `offset` out to `dst`.
    ///
    /// # Safety
    /// `dst` is valid for writes of `bytes` bytes, and nothing else reads or writes them meanwhile.
    #[expect(unsafe_code, reason = "the destination is the caller's promise")]
    unsafe fn read_raw(&self, offset: u64, dst: *mut u8, bytes: usize) -> Result<()>;

    /// Copies `out.len()` bytes at `offset` out.
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        #[expect(unsafe_code, reason = "a slice keeps the promise of read_raw")]
        // SAFETY: an exclusive slice is valid for writes of its length and nothing else touches it.
        unsafe {
            self.read_raw(offset, out.as_mut_ptr(), out.len())
        }
    }
}

/// The bytes of a local memory segment, to write. Nothing here marks a page dirty.
///
/// Only a [`crate::dirty::Writer`] calls this, inside a section that harvesters wait for: no blocking. When a method
/// returns, whoever sees the section's end must see the bytes. A mapping whose stores the processor may keep back, as
/// write-combining does, owes a store fence for it.
pub trait VramStore: Vram {
    /// Copies `bytes` bytes at `src` to `offset`.
    ///
    /// # Safety
    /// `src` is valid for reads of `bytes` bytes, and nothing writes them meanwhile.
    #[expect(unsafe_code, reason = "the source is the caller's promise")]
    unsafe fn write_raw(&self, offset: u64, src: *const u8, bytes: usize) -> Result<()>;

    /// Repeats `pattern` (little-endian) over `bytes` bytes at `offset`; both multiples of 8.
    /// [`Error::Misaligned`] when they are not.
    fn fill(&self, offset: u64, bytes: u64, pattern: u64) -> Result<()>;

    /// Copies `data` to `offset`.
    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        #[expect(unsafe_code, reason = "a slice keeps the promise of write_raw")]
        // SAFETY: a shared slice is valid for reads of its length and nothing writes it.
        unsafe {
            self.write_raw(offset, data.as_ptr(), data.len())
        }
    }
}

/// Refuses a range that does not lie in the first `limit` bytes.
pub(crate) fn check_range(limit: u64, offset: u64, bytes: u64) -> Result<()> {
    match offset.checked_add(bytes) {
        Some(end) if end <= limit => Ok(()),
        _ => Err(Error::OutOfRange),
    }
}
