//! The adapter's local segments and what is free in them.

use alloc::vec::Vec;

use crate::dxgkrnl::Caps;
use crate::host::Mutex;

/// A range of a segment, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// Offset of its first byte.
    pub offset: u64,
    /// Its length.
    pub bytes: u64,
}

impl Range {
    /// Offset of the byte behind it.
    pub(crate) fn end(&self) -> u64 {
        self.offset + self.bytes
    }
}

struct Segment {
    id: u32,
    /// Free ranges in order, none empty, no two touching.
    free: Vec<Range>,
}

/// The free memory of all local segments.
pub(crate) struct SegmentMemory(Mutex<Vec<Segment>>);

impl SegmentMemory {
    pub(crate) fn new(caps: &Caps) -> Self {
        let local = caps.segments.iter().filter(|segment| segment.is_local());
        let segments = local.map(|segment| Segment {
            id: segment.id,
            free: Vec::from([Range { offset: 0, bytes: segment.bytes }]),
        });
        Self(Mutex::new(segments.collect()))
    }

    /// Takes `bytes` of a segment at a multiple of `align` inside `window`.
    pub(crate) fn take(&self, segment: u32, bytes: u64, align: u64, window: Range) -> Option<Range> {
        let mut segments = self.0.lock();
        let free = &mut segments.iter_mut().find(|it| it.id == segment)?.free;
        let fits = |range: &Range| {
            let offset = range.offset.max(window.offset).checked_next_multiple_of(align.max(1))?;
            let end = offset.checked_add(bytes)?;
            (end <= range.end().min(window.end())).then_some(Range { offset, bytes })
        };
        let (at, taken) = free.iter().enumerate().find_map(|(at, range)| Some((at, fits(range)?)))?;
        carve(free, at, taken);
        Some(taken)
    }

    /// Takes `bytes` of a segment in pieces of at most `piece` bytes, every other one left free while that goes.
    pub(crate) fn take_scattered(
        &self,
        segment: u32,
        bytes: u64,
        piece: u64,
        window: Range,
    ) -> Option<Vec<Range>> {
        let (mut pieces, mut gaps, mut left) = (Vec::new(), Vec::new(), bytes);
        while left > 0 {
            let Some(range) = self.take(segment, piece.min(left), piece, window) else { break };
            left -= range.bytes;
            pieces.push(range);
            gaps.extend(self.take(segment, piece, piece, window));
        }
        for gap in gaps {
            self.give(segment, gap);
        }
        while left > 0 {
            let Some(range) = self.take(segment, piece.min(left), piece, window) else { break };
            left -= range.bytes;
            pieces.push(range);
        }
        if left == 0 {
            // No order is promised, so the last comes first.
            pieces.reverse();
            return Some(pieces);
        }
        for range in pieces {
            self.give(segment, range);
        }
        None
    }

    /// Gives a range back.
    pub(crate) fn give(&self, segment: u32, range: Range) {
        let mut segments = self.0.lock();
        let Some(segment) = segments.iter_mut().find(|it| it.id == segment) else { return };
        let at = segment.free.partition_point(|free| free.offset < range.offset);
        segment.free.insert(at, range);
        segment.free.dedup_by(|next, last| {
            let touching = last.end() == next.offset;
            if touching {
                last.bytes += next.bytes;
            }
            touching
        });
    }

    /// Free bytes of a segment.
    pub(crate) fn free_bytes(&self, segment: u32) -> u64 {
        let segments = self.0.lock();
        segments.iter().filter(|it| it.id == segment).flat_map(|it| &it.free).map(|range| range.bytes).sum()
    }
}

fn carve(free: &mut Vec<Range>, at: usize, taken: Range) {
    let whole = free.remove(at);
    let behind = Range { offset: taken.end(), bytes: whole.end() - taken.end() };
    let before = Range { offset: whole.offset, bytes: taken.offset - whole.offset };
    for part in [behind, before] {
        if part.bytes > 0 {
            free.insert(at, part);
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use alloc::vec;

    const ALL: Range = Range { offset: 0, bytes: u64::MAX };

    fn memory(bytes: u64) -> SegmentMemory {
        crate::host::std_host::install();
        SegmentMemory(Mutex::new(vec![Segment { id: 1, free: vec![Range { offset: 0, bytes }] }]))
    }

    #[test]
    fn what_is_taken_is_aligned_inside_its_window_and_comes_back() {
        let memory = memory(1 << 20);
        let a = memory.take(1, 4096, 4096, ALL).unwrap();
        let b = memory.take(1, 8192, 65536, ALL).unwrap();
        assert_eq!((a.offset, b.offset), (0, 65536));
        let high = memory.take(1, 4096, 4096, Range { offset: 1 << 19, bytes: 1 << 19 }).unwrap();
        assert_eq!(high.offset, 1 << 19);
        assert!(memory.take(1, 1 << 20, 1, ALL).is_none());
        assert!(memory.take(2, 1, 1, ALL).is_none());
        for range in [b, a, high] {
            memory.give(1, range);
        }
        assert_eq!(memory.take(1, 1 << 20, 1, ALL), Some(Range { offset: 0, bytes: 1 << 20 }));
    }

    #[test]
    fn a_scattered_reserve_has_holes_and_no_byte_twice() {
        let memory = memory(1 << 20);
        let mut pieces = memory.take_scattered(1, 6 << 16, 1 << 16, ALL).unwrap();
        assert_eq!(pieces.iter().map(|range| range.bytes).sum::<u64>(), 6 << 16);
        pieces.sort_by_key(|range| range.offset);
        assert!(pieces.windows(2).all(|two| two[0].end() < two[1].offset));
        assert_eq!(memory.free_bytes(1), 10 << 16);
        assert!(memory.take_scattered(1, 11 << 16, 1 << 16, ALL).is_none());
        assert_eq!(memory.free_bytes(1), 10 << 16);
    }
}
