//! Which active bases cover a page: what a writer looks up to mark.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::extents::{Extent, Extents};
use super::planes::Planes;
use crate::{Error, Result};

/// A basis that is being tracked.
pub(super) struct Active {
    /// Its slot.
    pub(super) slot: usize,
    /// Its pages.
    pub(super) extents: Arc<Extents>,
    /// Its planes.
    pub(super) planes: Arc<Planes>,
}

/// A stretch of pages that the same bases cover.
struct Interval {
    first: u64,
    end: u64,
    targets: core::ops::Range<usize>,
}

/// A basis under an interval.
struct Target {
    slot: usize,
    planes: Arc<Planes>,
    /// Bit of the interval's first page.
    bit: u64,
}

/// The active bases by page: disjoint intervals in order. Never changed, only replaced.
pub(super) struct Map {
    intervals: Vec<Interval>,
    targets: Vec<Target>,
}

fn push<T>(vec: &mut Vec<T>, value: T) -> Result<()> {
    vec.try_reserve(1).map_err(|_| Error::NoResources)?;
    vec.push(value);
    Ok(())
}

impl Map {
    /// No basis at all.
    pub(super) const fn empty() -> Self {
        Self { intervals: Vec::new(), targets: Vec::new() }
    }

    /// The map of `active`: sweeps over the pages at which some basis begins or ends.
    pub(super) fn build(active: &[Active]) -> Result<Self> {
        let mut spans = Vec::new();
        let mut bounds = Vec::new();
        for basis in active {
            for extent in basis.extents.given() {
                push(&mut spans, (*extent, basis))?;
                push(&mut bounds, extent.page)?;
                push(&mut bounds, extent.end())?;
            }
        }
        spans.sort_unstable_by_key(|(extent, _)| extent.page);
        bounds.sort_unstable();
        bounds.dedup();

        let mut map = Self::empty();
        let mut coming = spans.iter().peekable();
        let mut open = Vec::new();
        for pair in bounds.windows(2) {
            let (first, end) = (pair[0], pair[1]);
            open.retain(|(extent, _): &&(Extent, &Active)| extent.end() > first);
            while let Some(span) = coming.next_if(|(extent, _)| extent.page <= first) {
                push(&mut open, span)?;
            }
            if open.is_empty() {
                continue;
            }
            let from = map.targets.len();
            for (extent, basis) in &open {
                let bit = extent.bit + (first - extent.page);
                push(&mut map.targets, Target { slot: basis.slot, planes: basis.planes.clone(), bit })?;
            }
            push(&mut map.intervals, Interval { first, end, targets: from..map.targets.len() })?;
        }
        Ok(map)
    }

    /// Marks `pages` pages from `first` in every basis that covers them. Only inside a section.
    #[inline]
    pub(super) fn mark(&self, first: u64, pages: u64) {
        self.visit(first, pages, |target, bit, count| target.planes.mark(bit, count));
    }

    /// Names the slot of every basis that covers one of `pages` pages from `first`, some more than once.
    pub(super) fn slots(&self, first: u64, pages: u64, mut found: impl FnMut(usize)) {
        self.visit(first, pages, |target, _, _| found(target.slot));
    }

    #[inline]
    fn visit(&self, first: u64, pages: u64, mut visit: impl FnMut(&Target, u64, u64)) {
        let end = first + pages;
        let from = self.intervals.partition_point(|interval| interval.end <= first);
        for interval in &self.intervals[from..] {
            if interval.first >= end {
                break;
            }
            let start = interval.first.max(first);
            let count = interval.end.min(end) - start;
            for target in &self.targets[interval.targets.clone()] {
                visit(target, target.bit + (start - interval.first), count);
            }
        }
    }
}
