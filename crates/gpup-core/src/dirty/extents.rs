//! Regions of the segment laid end to end as bits: the shape of a memory basis and of a ledger.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::device::Region;
use crate::{Error, Result};

/// A run of pages and the bit of its first page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// First page in the segment.
    pub(super) page: u64,
    /// Pages.
    pub(super) pages: u64,
    /// Bit of the first page.
    pub(super) bit: u64,
}

impl Extent {
    /// First page after the extent.
    pub(super) const fn end(&self) -> u64 {
        self.page + self.pages
    }
}

/// Disjoint extents, one bit a page, packed in the order they were given.
pub(super) struct Extents {
    given: Box<[Extent]>,
    sorted: Box<[Extent]>,
    bits: u64,
}

impl Extents {
    /// Checks `regions`: at least one, none empty, whole pages of a segment of `limit` pages, pairwise disjoint.
    pub(super) fn new(regions: &[Region], page_bytes: u64, limit: u64) -> Result<Self> {
        let mut given = Vec::new();
        given.try_reserve_exact(regions.len()).map_err(|_| Error::NoResources)?;
        let mut bits = 0;
        for region in regions {
            if region.bytes == 0 {
                return Err(Error::InvalidParameter);
            }
            if !region.offset.is_multiple_of(page_bytes) || !region.bytes.is_multiple_of(page_bytes) {
                return Err(Error::Misaligned);
            }
            let extent =
                Extent { page: region.offset / page_bytes, pages: region.bytes / page_bytes, bit: bits };
            // Neither sum can overflow: a page is at least two bytes.
            if extent.end() > limit {
                return Err(Error::OutOfRange);
            }
            bits += extent.pages;
            given.push(extent);
        }
        let mut sorted = Vec::new();
        sorted.try_reserve_exact(given.len()).map_err(|_| Error::NoResources)?;
        sorted.extend_from_slice(&given);
        sorted.sort_unstable_by_key(|extent| extent.page);
        if sorted.is_empty() || sorted.windows(2).any(|pair| pair[0].end() > pair[1].page) {
            return Err(Error::InvalidParameter);
        }
        Ok(Self { given: given.into_boxed_slice(), sorted: sorted.into_boxed_slice(), bits })
    }

    /// Pages, and bits, in all.
    pub(super) const fn bits(&self) -> u64 {
        self.bits
    }

    /// The extents in the order they were given, which is the order of their bits.
    pub(super) fn given(&self) -> &[Extent] {
        &self.given
    }

    /// First page and first page after the last.
    pub(super) fn bounds(&self) -> (u64, u64) {
        (self.sorted[0].page, self.sorted[self.sorted.len() - 1].end())
    }

    /// The parts of `count` bits from `first`, in order.
    pub(super) fn of_bits(&self, first: u64, count: u64) -> impl Iterator<Item = Extent> {
        let end = first + count;
        let from = self.given.partition_point(|extent| extent.bit + extent.pages <= first);
        self.given[from..].iter().take_while(move |extent| extent.bit < end).map(move |extent| {
            let bit = extent.bit.max(first);
            let pages = end.min(extent.bit + extent.pages) - bit;
            Extent { page: extent.page + (bit - extent.bit), pages, bit }
        })
    }

    /// The parts of `pages` pages from `page` that lie here, by address.
    pub(super) fn of_pages(&self, page: u64, pages: u64) -> impl Iterator<Item = Extent> {
        let end = page + pages;
        let from = self.sorted.partition_point(|extent| extent.end() <= page);
        self.sorted[from..].iter().take_while(move |extent| extent.page < end).map(move |extent| {
            let first = extent.page.max(page);
            Extent {
                page: first,
                pages: end.min(extent.end()) - first,
                bit: extent.bit + (first - extent.page),
            }
        })
    }

    /// The extent given as number `number`.
    pub(super) fn nth(&self, number: u64) -> Option<&Extent> {
        usize::try_from(number).ok().and_then(|number| self.given.get(number))
    }
}
