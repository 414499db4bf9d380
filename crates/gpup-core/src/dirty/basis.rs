//! One memory basis: its pages, its planes, and the residue that its queries drain and answer from.

use alloc::sync::Arc;
use core::num::NonZeroU64;

use super::bits;
use super::extents::Extents;
use super::planes::{Old, Planes};
use super::words::{self, Words};
use crate::{Error, Result};

/// Names a memory basis; never zero. A handle outlives its basis harmlessly: it is refused as stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BasisHandle(NonZeroU64);

impl BasisHandle {
    pub(super) fn new(slot: u32, generation: NonZeroU64) -> Self {
        Self(generation.saturating_mul(NonZeroU64::MIN.saturating_add(u64::from(u32::MAX))) | u64::from(slot))
    }

    /// Slot and generation.
    pub(super) fn parts(self) -> (usize, u64) {
        let raw = self.0.get();
        (bits::index(raw & u64::from(u32::MAX)), raw >> 32)
    }

    /// The handle as a number to give away.
    pub const fn to_raw(self) -> u64 {
        self.0.get()
    }

    /// The handle that [`BasisHandle::to_raw`] gave; `None` for zero. Any other number is a handle, though
    /// likely a stale one.
    pub const fn from_raw(raw: u64) -> Option<Self> {
        match NonZeroU64::new(raw) {
            Some(raw) => Some(Self(raw)),
            None => None,
        }
    }
}

/// What part of a basis a query is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All ranges, their bits packed without gaps in the order of the ranges.
    Whole,
    /// A stretch of one range.
    Range {
        /// Number of the range in the order they were given.
        index: u64,
        /// First byte, counted from the range's start; a multiple of the page size.
        offset: u64,
        /// Size in bytes; a multiple of the page size, not zero.
        bytes: u64,
    },
}

/// A stretch of a basis' bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) first: u64,
    pub(super) count: u64,
}

/// A memory basis, in the hands of whoever holds its slot's lock.
pub(super) struct Basis {
    pub(super) extents: Arc<Extents>,
    pub(super) planes: Arc<Planes>,
    /// Drained from the planes and not yet cleared by a query.
    pub(super) residue: Words<u64>,
    /// Starts without a Stop; tracked while there is one.
    pub(super) starts: u32,
}

impl Basis {
    pub(super) fn new(extents: Extents) -> Result<Self> {
        let bits = extents.bits();
        Ok(Self {
            planes: Arc::new(Planes::new(bits)?),
            residue: words::zeroed(bits)?,
            extents: Arc::new(extents),
            starts: 0,
        })
    }

    /// The bits that `part` names.
    pub(super) fn stretch(&self, part: Part, page_bytes: u64) -> Result<Stretch> {
        let Part::Range { index, offset, bytes } = part else {
            return Ok(Stretch { first: 0, count: self.extents.bits() });
        };
        let extent = self.extents.nth(index).ok_or(Error::OutOfRange)?;
        if bytes == 0 {
            return Err(Error::InvalidParameter);
        }
        if !offset.is_multiple_of(page_bytes) || !bytes.is_multiple_of(page_bytes) {
            return Err(Error::Misaligned);
        }
        let (page, pages) = (offset / page_bytes, bytes / page_bytes);
        if page + pages > extent.pages {
            return Err(Error::OutOfRange);
        }
        Ok(Stretch { first: extent.bit + page, count: pages })
    }

    /// Forgets every bit. Only while not tracked.
    pub(super) fn reset(&mut self) {
        self.planes.zero();
        self.residue.fill(0);
    }

    /// Moves all that was marked before into the residue; `grace` waits until the writers have left the old plane.
    pub(super) fn harvest(&mut self, grace: impl FnOnce()) {
        let old: Old = self.planes.flip();
        grace();
        self.planes.drain(old, &mut self.residue);
    }

    /// Gives the dirty pages that the basis shares with `extents` to `sink`, as words of the latter's bits.
    /// Answers whether any page is shared.
    pub(super) fn dirty_in(&self, extents: &Extents, mut sink: impl FnMut(usize, u64)) -> bool {
        let dirty = self.planes.with(&self.residue);
        let mut any = false;
        for mine in self.extents.given() {
            for shared in extents.of_pages(mine.page, mine.pages) {
                let from = mine.bit + (shared.page - mine.page);
                bits::transfer(&dirty, from, shared.bit, shared.pages, &mut sink);
                any = true;
            }
        }
        any
    }
}
