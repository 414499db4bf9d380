//! Sections and grace periods: how a harvester knows that every writer has left the old plane.
//!
//! # A grace period, and what it proves
//!
//! A writer's seat counts: odd while it is inside a section, even outside.
//!
//! ```text
//!   writer                              harvester
//!   ------                              ---------
//!   count := odd                        change what writers look at (epoch, map)
//!   full fence                          full fence
//!   look (epoch, map), write, mark      for every seat: if odd, wait for another value
//!   count := even   (release)           (acquire)
//! ```
//!
//! The two fences are ordered. If the writer's comes first, the harvester sees the odd count and waits for
//! that section's end. If the harvester's comes first, the writer sees the change. So after the grace
//! period no writer works with what was there before the change, and everything that was written and
//! marked under it is visible. The harvester waits for the sections it met, never for later ones, so
//! writers that never rest cannot starve it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use crate::{Error, Result};

/// One writer's count, alone in its cache lines.
#[repr(align(128))]
struct Count {
    taken: AtomicBool,
    count: AtomicU64,
}

/// The counts of all writers of a tracker.
pub(super) struct Sections {
    counts: Box<[Count]>,
}

impl Sections {
    /// Seats for `writers` writers.
    pub(super) fn new(writers: usize) -> Result<Arc<Self>> {
        let mut counts = Vec::new();
        counts.try_reserve_exact(writers).map_err(|_| Error::NoResources)?;
        counts.resize_with(writers, || Count { taken: AtomicBool::new(false), count: AtomicU64::new(0) });
        Ok(Arc::new(Self { counts: counts.into_boxed_slice() }))
    }

    /// Takes a free seat among those of `range`.
    pub(super) fn seat(self: &Arc<Self>, range: Range<usize>) -> Result<Seat> {
        for index in range {
            let taken = &self.counts[index].taken;
            if taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                return Ok(Seat { sections: self.clone(), index });
            }
        }
        Err(Error::NoResources)
    }

    /// Waits until every writer has left the section it is in now. `relax` is called while waiting, with the
    /// number of calls before.
    pub(super) fn grace(&self, mut relax: impl FnMut(u32)) {
        fence(Ordering::SeqCst);
        for Count { count, .. } in &self.counts {
            let met = count.load(Ordering::Acquire);
            let mut turns = 0u32;
            while met % 2 == 1 && count.load(Ordering::Acquire) == met {
                relax(turns);
                turns = turns.saturating_add(1);
            }
        }
    }
}

/// The right of one writer to open sections, one at a time.
pub(super) struct Seat {
    sections: Arc<Sections>,
    index: usize,
}

impl Seat {
    /// Opens a section. Keep it short: harvesters wait for its end.
    pub(super) fn enter(&mut self) -> Inside<'_> {
        let Count { count, .. } = &self.sections.counts[self.index];
        let next = count.load(Ordering::Relaxed) + 1;
        // Release: whoever meets this section has also met the end of those before it.
        count.store(next, Ordering::Release);
        fence(Ordering::SeqCst);
        Inside { sections: &self.sections, count, next: next + 1 }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.sections.counts[self.index].taken.store(false, Ordering::Release);
    }
}

/// An open section; dropping it leaves.
pub(super) struct Inside<'a> {
    sections: &'a Sections,
    count: &'a AtomicU64,
    next: u64,
}

impl Inside<'_> {
    /// Whether grace periods of `sections` wait for this section.
    pub(super) fn belongs_to(&self, sections: &Sections) -> bool {
        core::ptr::eq(self.sections, sections)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.count.store(self.next, Ordering::Release);
    }
}
