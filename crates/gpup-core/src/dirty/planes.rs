//! The two planes of a memory basis, and the epoch that says which of them is live.
//!
//! # On losing no write
//!
//! Between reading a bit and clearing it a writer may write the page, see the bit still set, and leave it:
//! the harvester clears the bit, and a copy taken before the write is never renewed. Atomic
//! read-and-clear of every word repairs that at a locked instruction a word, but only if marks are
//! never test-first. Here a harvester never clears what a writer can still look at:
//!
//! ```text
//!             live plane 0, plane 1 empty
//!                |                    ^
//!          flip  |                    |  flip, grace, drain plane 1
//!                v                    |
//!          grace: sections that may still mark plane 0 end
//!                |                    |
//!                v                    |
//!          drain plane 0 into the residue, zero it
//!                |                    |
//!                v                    |
//!             live plane 1, plane 0 empty
//! ```
//!
//! * The old plane is still once the grace period is over, so plain reads drain it.
//! * A writer that finds a bit of the live plane set may leave it: whoever clears it must first flip, and
//!   then waits for that writer's section, write included.
//! * A plane is zeroed before it goes live, and the epoch is loaded with acquire, so no writer takes a bit
//!   of two epochs ago for its own.
//!
//! `loom_tests` runs these claims, and the near misses that do lose writes.

use super::bits::{self, Source};
use super::words::{self, Words};
use crate::Result;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Two planes and their epoch.
pub(super) struct Planes {
    live: AtomicUsize,
    planes: [Words<AtomicU64>; 2],
}

/// Names the plane that a flip took out of use.
pub(super) struct Old(usize);

impl Planes {
    /// Clean planes of `bits` pages.
    pub(super) fn new(bits: u64) -> Result<Self> {
        let plane = || words::zeroed(bits);
        Ok(Self { live: AtomicUsize::new(0), planes: [plane()?, plane()?] })
    }

    /// Marks `count` pages from bit `first`. Only inside a section that drains wait for.
    #[inline]
    pub(super) fn mark(&self, first: u64, count: u64) {
        let live = &self.planes[self.live.load(Ordering::Acquire)];
        for (word, mask) in bits::masks(first, count) {
            let word = &live[word];
            if word.load(Ordering::Relaxed) & mask != mask {
                word.fetch_or(mask, Ordering::Relaxed);
            }
        }
    }

    /// Makes the other plane live. Only for the one who holds the basis; drain the old plane before the next flip.
    pub(super) fn flip(&self) -> Old {
        let live = self.live.load(Ordering::Relaxed);
        self.live.store(1 - live, Ordering::Release);
        Old(live)
    }

    /// Moves the old plane into `residue`. Only after the grace period that follows the flip.
    pub(super) fn drain(&self, old: Old, residue: &mut [u64]) {
        for (word, residue) in self.planes[old.0].iter().zip(residue) {
            let bits = word.load(Ordering::Relaxed);
            if bits != 0 {
                *residue |= bits;
                word.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Cleans both planes. Only while not tracked: what is marked meanwhile, by a map that is out of date, may stay or go.
    pub(super) fn zero(&self) {
        for word in self.planes.iter().flat_map(|plane| plane.iter()) {
            word.store(0, Ordering::Relaxed);
        }
    }

    /// Everything dirty: the residue and both planes.
    pub(super) fn with<'a>(&'a self, residue: &'a [u64]) -> impl Source + 'a {
        Union { planes: self, residue }
    }
}

struct Union<'a> {
    planes: &'a Planes,
    residue: &'a [u64],
}

impl Source for Union<'_> {
    fn word(&self, index: usize) -> u64 {
        let Some(residue) = self.residue.get(index) else {
            return 0;
        };
        let [a, b] = &self.planes.planes;
        residue | a[index].load(Ordering::Relaxed) | b[index].load(Ordering::Relaxed)
    }
}
