//! Video memory: the bytes of the local segment, simulated or behind a PCI BAR.

use crate::Result;

/// The bytes of a local memory segment.
///
/// Offsets are bytes from the segment's start. Accesses may race with each other, as they do on a real
/// device: a reader then sees old or new bytes of each aligned eight. Nothing here marks a page dirty:
/// writers go through [`crate::dirty::TrackedVram`].
pub trait Vram: Send + Sync {
    /// Size in bytes, a multiple of the page size.
    fn bytes(&self) -> u64;
    /// Copies `out.len()` bytes at `offset` out.
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()>;
    /// Copies `data` to `offset`.
    fn write(&self, offset: u64, data: &[u8]) -> Result<()>;
    /// Repeats `pattern` (little-endian) over `bytes` bytes at `offset`; both multiples of 8.
    fn fill(&self, offset: u64, bytes: u64, pattern: u64) -> Result<()>;
}
