//! The VRAM that a VF has been given.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use wddm::HANDLE;

use super::memory::Range;
use super::{PagingError, Run};

/// A VF's memory: pieces of one segment, in the order in which the VF sees them.
pub(crate) struct Reserve {
    pub(crate) segment: u32,
    pub(crate) ranges: Vec<Range>,
    /// Bytes of a page that runs count in.
    pub(crate) page_bytes: u64,
    /// The driver's handle of the allocation, as a number.
    allocation: usize,
    gone: AtomicBool,
}

impl Reserve {
    pub(crate) fn new(segment: u32, ranges: Vec<Range>, page_bytes: u64, allocation: HANDLE) -> Self {
        let allocation = allocation.expose_provenance();
        Self { segment, ranges, page_bytes, allocation, gone: AtomicBool::new(false) }
    }

    pub(crate) fn allocation(&self) -> HANDLE {
        core::ptr::with_exposed_provenance_mut(self.allocation)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.ranges.iter().map(|range| range.bytes).sum()
    }

    pub(crate) fn pages(&self) -> u64 {
        self.bytes() / self.page_bytes
    }

    /// Nobody may move this memory any more.
    pub(crate) fn retire(&self) {
        self.gone.store(true, Ordering::Release);
    }

    /// Calls `piece(offset in the segment, bytes)` for the pieces of `runs`, in order; the answer is the sum of bytes.
    pub(crate) fn pieces(
        &self,
        runs: &[Run],
        limit: u64,
        mut piece: impl FnMut(u64, u64),
    ) -> Result<u64, PagingError> {
        if self.gone.load(Ordering::Acquire) {
            return Err(PagingError::Gone);
        }
        let (pages, mut total) = (self.pages(), 0u64);
        for run in runs {
            let end = run.first.checked_add(run.count).filter(|end| *end <= pages);
            let bytes = run.count * self.page_bytes;
            if end.is_none() || bytes > limit - total {
                return Err(PagingError::OutOfRange);
            }
            total += bytes;
            self.walk(run.first * self.page_bytes, bytes, &mut piece);
        }
        Ok(total)
    }

    fn walk(&self, start: u64, bytes: u64, piece: &mut impl FnMut(u64, u64)) {
        let (mut at, mut left) = (start, bytes);
        for range in &self.ranges {
            if left == 0 {
                break;
            }
            if at >= range.bytes {
                at -= range.bytes;
                continue;
            }
            let here = left.min(range.bytes - at);
            piece(range.offset + at, here);
            left -= here;
            at = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn runs_are_cut_where_the_memory_is() {
        let ranges = vec![Range { offset: 0x9000, bytes: 0x2000 }, Range { offset: 0x1000, bytes: 0x3000 }];
        let reserve = Reserve::new(1, ranges, 4096, core::ptr::null_mut());
        let mut pieces = Vec::new();
        let runs = [Run { first: 1, count: 3 }, Run { first: 4, count: 1 }];
        assert_eq!(reserve.pieces(&runs, 1 << 20, |at, bytes| pieces.push((at, bytes))), Ok(0x4000));
        assert_eq!(pieces, [(0xA000, 0x1000), (0x1000, 0x2000), (0x3000, 0x1000)]);
        for (bad, limit) in [(Run { first: 4, count: 2 }, 1 << 20), (Run { first: 0, count: 2 }, 4096)] {
            assert_eq!(reserve.pieces(&[bad], limit, |_, _| {}), Err(PagingError::OutOfRange));
        }
        reserve.retire();
        assert_eq!(reserve.pieces(&[], 0, |_, _| {}), Err(PagingError::Gone));
    }
}
