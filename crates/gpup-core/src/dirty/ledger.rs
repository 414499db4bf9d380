//! The re-dirty ledger: which pages of a VF were taken from some basis since Prepare, so that a migration
//! that does not happen can give them back.
//!
//! Ledgers lie in a fixed table. A clearing query skips those whose bounds it does not touch without a lock,
//! and holds the others' locks only to count itself in; recording is by atomic OR.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::basis::{Basis, Stretch};
use super::bits::{self, runs};
use super::extents::Extents;
use super::map::Map;
use super::published::Published;
use super::section::Seat;
use super::words::{self, Words};
use super::{MAX_BASES, MAX_LEDGERS};
use crate::os::Mutex;
use crate::{Error, Result};

/// What becomes of the recorded pages when a ledger is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The VF lives on here: every recorded page is dirty again in all bases that are tracked and cover it.
    Restore,
    /// The VF has moved, or nothing was sent: the record is dropped.
    Discard,
}

/// A set of basis slots.
pub(super) type SlotSet = [u64; MAX_BASES / 64];

/// Words of the record that one section of a restore handles: 4096 pages.
const RESTORE_WORDS: usize = 64;

/// The record of one VF. Its bits are pages in the order of the regions it was opened with.
pub struct Ledger {
    pub(super) extents: Extents,
    recorded: Words<AtomicU64>,
    /// Slots of the bases that were queried with clearing inside the ledger's regions.
    harvested: [AtomicU64; MAX_BASES / 64],
    pub(super) seat: Mutex<Seat>,
    /// Queries that are recording now.
    users: AtomicUsize,
}

impl Ledger {
    /// An empty record that marks from `seat`.
    pub(super) fn new(extents: Extents, seat: Seat) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            recorded: words::zeroed(extents.bits())?,
            harvested: [const { AtomicU64::new(0) }; MAX_BASES / 64],
            seat: Mutex::new(seat),
            users: AtomicUsize::new(0),
            extents,
        }))
    }

    /// Pages of the VF, and bits of a bitmap over them.
    pub const fn pages(&self) -> u64 {
        self.extents.bits()
    }

    /// Words of a bitmap over the VF's pages.
    pub const fn words(&self) -> usize {
        bits::words_for(self.pages())
    }

    /// Pages recorded so far.
    pub fn recorded(&self) -> u64 {
        self.recorded.iter().map(|word| u64::from(word.load(Ordering::Relaxed).count_ones())).sum()
    }

    pub(super) fn harvested(&self) -> SlotSet {
        self.harvested.each_ref().map(|word| word.load(Ordering::Relaxed))
    }

    /// Records the bits of `stretch` that are in the residue of the basis in `slot`.
    fn record(&self, slot: usize, basis: &Basis, stretch: Stretch) {
        for asked in basis.extents.of_bits(stretch.first, stretch.count) {
            for shared in self.extents.of_pages(asked.page, asked.pages) {
                self.harvested[slot / 64].fetch_or(1 << (slot % 64), Ordering::Relaxed);
                let from = asked.bit + (shared.page - asked.page);
                bits::transfer(&basis.residue[..], from, shared.bit, shared.pages, |word, bits| {
                    self.recorded[word].fetch_or(bits, Ordering::Relaxed);
                });
            }
        }
    }

    /// Marks every recorded page.
    fn restore(&self, map: &Published<Map>) {
        let mut seat = self.seat.lock();
        for (group, words) in self.recorded.chunks(RESTORE_WORDS).enumerate() {
            let inside = seat.enter();
            let map = map.get(&inside);
            for (index, word) in words.iter().enumerate() {
                let bit = (group * RESTORE_WORDS + index) as u64 * 64;
                for run in runs(&[word.load(Ordering::Relaxed)]) {
                    for part in self.extents.of_bits(bit + run.start, run.end - run.start) {
                        map.mark(part.page, part.pages);
                    }
                }
            }
        }
    }
}

struct Slot {
    taken: AtomicBool,
    /// First page, and first page after the last; the latter is zero while no ledger is open here.
    first: AtomicU64,
    end: AtomicU64,
    ledger: Mutex<Option<Arc<Ledger>>>,
}

/// The open ledgers of a tracker.
pub(super) struct Ledgers {
    slots: Box<[Slot]>,
}

/// Keeps a ledger from being closed while a query records in it.
struct Using(Arc<Ledger>);

impl Drop for Using {
    fn drop(&mut self) {
        self.0.users.fetch_sub(1, Ordering::Release);
    }
}

impl Slot {
    /// The ledger open here, if it may share pages `first..end`.
    fn using(&self, (first, end): (u64, u64)) -> Option<Using> {
        // Acquire: whoever sees an end also sees its first page.
        if self.end.load(Ordering::Acquire) <= first || self.first.load(Ordering::Relaxed) >= end {
            return None;
        }
        let open = self.ledger.lock();
        let ledger = open.as_ref()?;
        ledger.users.fetch_add(1, Ordering::Relaxed);
        Some(Using(ledger.clone()))
    }
}

impl Ledgers {
    pub(super) fn new() -> Result<Self> {
        let mut slots = Vec::new();
        slots.try_reserve_exact(MAX_LEDGERS).map_err(|_| Error::NoResources)?;
        slots.resize_with(MAX_LEDGERS, || Slot {
            taken: AtomicBool::new(false),
            first: AtomicU64::new(0),
            end: AtomicU64::new(0),
            ledger: Mutex::new(None),
        });
        Ok(Self { slots: slots.into_boxed_slice() })
    }

    /// Lets queries record in `ledger` from now on.
    pub(super) fn open(&self, ledger: &Arc<Ledger>) -> Result<()> {
        let free = self.slots.iter().find(|slot| {
            slot.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
        });
        let slot = free.ok_or(Error::NoResources)?;
        let (first, end) = ledger.extents.bounds();
        *slot.ledger.lock() = Some(ledger.clone());
        slot.first.store(first, Ordering::Relaxed);
        slot.end.store(end, Ordering::Release);
        Ok(())
    }

    /// Whether `ledger` is open here.
    pub(super) fn is_open(&self, ledger: &Arc<Ledger>) -> bool {
        self.find(ledger).is_some()
    }

    /// Takes `ledger` out; from the return on nobody records in it. Then does as `outcome` says.
    pub(super) fn close(
        &self,
        ledger: &Arc<Ledger>,
        outcome: Outcome,
        map: &Published<Map>,
        mut relax: impl FnMut(u32),
    ) -> Result<()> {
        let slot = self.find(ledger).ok_or(Error::StaleHandle)?;
        // Two may close at once: the one that takes it out goes on.
        let Some(ledger) = slot.ledger.lock().take_if(|open| Arc::ptr_eq(open, ledger)) else {
            return Err(Error::StaleHandle);
        };
        slot.end.store(0, Ordering::Relaxed);
        slot.taken.store(false, Ordering::Release);
        let mut turns = 0u32;
        while ledger.users.load(Ordering::Acquire) > 0 {
            relax(turns);
            turns = turns.saturating_add(1);
        }
        if outcome == Outcome::Restore {
            ledger.restore(map);
        }
        Ok(())
    }

    /// Records what a clearing query of the basis in `slot` takes.
    pub(super) fn record(&self, slot: usize, basis: &Basis, stretch: Stretch) {
        let bounds = basis.extents.bounds();
        for using in self.slots.iter().filter_map(|ledger| ledger.using(bounds)) {
            using.0.record(slot, basis, stretch);
        }
    }

    /// Forgets that the basis in `slot` was queried: it goes, and another may take the slot.
    pub(super) fn forget(&self, slot: usize, basis: &Basis) {
        let bounds = basis.extents.bounds();
        for using in self.slots.iter().filter_map(|ledger| ledger.using(bounds)) {
            using.0.harvested[slot / 64].fetch_and(!(1 << (slot % 64)), Ordering::Relaxed);
        }
    }

    fn find(&self, ledger: &Arc<Ledger>) -> Option<&Slot> {
        let (_, end) = ledger.extents.bounds();
        self.slots
            .iter()
            .filter(|slot| slot.end.load(Ordering::Acquire) == end)
            .find(|slot| slot.ledger.lock().as_ref().is_some_and(|open| Arc::ptr_eq(open, ledger)))
    }
}
