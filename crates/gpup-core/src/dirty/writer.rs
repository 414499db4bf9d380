//! The only way to write VRAM: a writer marks what it writes, inside sections that harvesters wait for.
//!
//! UNSAFETY: passes a raw source pointer on to the VRAM.
#![expect(unsafe_code)]

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::map::Map;
use super::section::Seat;
use super::shared::Shared;
use crate::device::Region;
use crate::vram::{Vram, check_range};
use crate::{Error, Result, boxed};

/// Most bytes that a writer writes in one section: a harvester waits for some ten microseconds at most.
pub const SECTION_BYTES: u64 = 64 * 1024;

/// Bytes that a copy within VRAM moves at a time.
const BOUNCE_BYTES: usize = 4096;

/// Writes VRAM and marks what it writes. Each engine and each control path has one of its own.
pub struct Writer {
    shared: Arc<Shared>,
    seat: Seat,
    bounce: Box<[u8]>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, seat: Seat) -> Result<Self> {
        Ok(Self { shared, seat, bounce: boxed::slice(BOUNCE_BYTES, || 0)? })
    }

    /// The segment, to read.
    pub fn vram(&self) -> &dyn Vram {
        &*self.shared.vram
    }

    /// Does several small writes in one section. Keep it to [`SECTION_BYTES`] and a few microseconds, and wait
    /// for nothing in it: harvesters wait for its end.
    pub fn batch<R>(&mut self, body: impl FnOnce(&mut Section<'_>) -> R) -> R {
        let inside = self.seat.enter();
        let map = self.shared.map.get(&inside);
        body(&mut Section { shared: &self.shared, map })
    }

    /// Copies `data` to `offset`.
    pub fn write(&mut self, offset: u64, data: &[u8]) -> Result<()> {
        // SAFETY: a shared slice is valid for reads of its length and nothing writes it.
        unsafe { self.copy_from_raw(offset, data.as_ptr(), data.len()) }
    }

    /// Repeats `pattern` (little-endian) over `bytes` bytes at `offset`; both multiples of 8.
    pub fn fill(&mut self, offset: u64, bytes: u64, pattern: u64) -> Result<()> {
        if !offset.is_multiple_of(8) || !bytes.is_multiple_of(8) {
            return Err(Error::Misaligned);
        }
        self.pieces(offset, bytes, |section, at, bytes| section.fill(at, bytes, pattern))
    }

    /// Copies `bytes` bytes from `src` to `offset`.
    ///
    /// # Safety
    /// `src` is valid for reads of `bytes` bytes, and nothing writes them meanwhile.
    pub unsafe fn copy_from_raw(&mut self, offset: u64, src: *const u8, bytes: usize) -> Result<()> {
        self.pieces(offset, bytes as u64, |section, at, bytes| {
            let src = src.wrapping_add((at - offset) as usize);
            // SAFETY: the pieces lie one after the other in the range that the caller vouches for.
            unsafe { section.copy_from_raw(at, src, bytes as usize) }
        })
    }

    /// Copies `bytes` bytes of VRAM from `from` to `to`, forward: where the ranges overlap with `to` above
    /// `from`, what was just written is copied again.
    pub fn copy(&mut self, from: u64, to: u64, bytes: u64) -> Result<()> {
        check_range(self.shared.vram.bytes(), from, bytes)?;
        check_range(self.shared.vram.bytes(), to, bytes)?;
        let mut done = 0;
        while done < bytes {
            let step = (bytes - done).min(BOUNCE_BYTES as u64);
            let inside = self.seat.enter();
            let section = Section { shared: &self.shared, map: self.shared.map.get(&inside) };
            let bounce = &mut self.bounce[..step as usize];
            section.shared.vram.read(from + done, bounce)?;
            section.write(to + done, bounce)?;
            done += step;
        }
        Ok(())
    }

    /// Marks every page that `region` touches, without writing.
    pub fn mark(&mut self, region: Region) -> Result<()> {
        // A mark is cheap: the piece of one section may be long.
        check_range(self.shared.vram.bytes(), region.offset, region.bytes)?;
        self.batch(|section| section.mark(region))
    }

    /// Cuts a range at multiples of [`SECTION_BYTES`] and gives each piece a section. Nothing happens when the
    /// range reaches outside.
    fn pieces(
        &mut self,
        offset: u64,
        bytes: u64,
        mut piece: impl FnMut(&Section<'_>, u64, u64) -> Result<()>,
    ) -> Result<()> {
        check_range(self.shared.vram.bytes(), offset, bytes)?;
        let end = offset + bytes;
        let mut at = offset;
        while at < end {
            let next = end.min((at / SECTION_BYTES + 1) * SECTION_BYTES);
            let inside = self.seat.enter();
            piece(&Section { shared: &self.shared, map: self.shared.map.get(&inside) }, at, next - at)?;
            at = next;
        }
        Ok(())
    }
}

/// An open section of a [`Writer`].
pub struct Section<'a> {
    shared: &'a Shared,
    map: &'a Map,
}

impl Section<'_> {
    /// The segment, to read.
    pub fn vram(&self) -> &dyn Vram {
        &*self.shared.vram
    }

    /// Copies `data` to `offset`.
    pub fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        self.shared.vram.write(offset, data)?;
        self.mark(Region { offset, bytes: data.len() as u64 })
    }

    /// Repeats `pattern` (little-endian) over `bytes` bytes at `offset`; both multiples of 8.
    pub fn fill(&self, offset: u64, bytes: u64, pattern: u64) -> Result<()> {
        self.shared.vram.fill(offset, bytes, pattern)?;
        self.mark(Region { offset, bytes })
    }

    /// Copies `bytes` bytes from `src` to `offset`.
    ///
    /// # Safety
    /// `src` is valid for reads of `bytes` bytes, and nothing writes them meanwhile.
    pub unsafe fn copy_from_raw(&self, offset: u64, src: *const u8, bytes: usize) -> Result<()> {
        // SAFETY: the caller vouches for `src`.
        unsafe { self.shared.vram.write_raw(offset, src, bytes) }?;
        self.mark(Region { offset, bytes: bytes as u64 })
    }

    /// Marks every page that `region` touches, without writing.
    #[inline]
    pub fn mark(&self, region: Region) -> Result<()> {
        check_range(self.shared.vram.bytes(), region.offset, region.bytes)?;
        if region.bytes == 0 || self.shared.faults.no_marks() {
            return Ok(());
        }
        let first = region.offset >> self.shared.page_shift;
        let last = (region.end() - 1) >> self.shared.page_shift;
        self.map.mark(first, last - first + 1);
        Ok(())
    }
}
