//! The tracker: memory bases over the local segment, their queries, and the ledgers.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::MAX_LEDGERS;
use super::active::ActiveBases;
use super::basis::{Basis, BasisHandle, Part};
use super::bits;
use super::extents::Extents;
use super::fault::Faults;
use super::ledger::{Ledger, Ledgers, Outcome, SlotSet};
use super::map::{Active, Map};
use super::published::Published;
use super::section::Sections;
use super::shared::Shared;
use super::slots::Slots;
use super::writer::Writer;
use crate::device::Region;
use crate::os::os;
use crate::vram::{Vram, VramStore};
use crate::{Error, PAGE_SIZE, Result, boxed};

/// The memory bases over the local segment and the planes that writes mark.
///
/// Every method may be called from several threads at once, at PASSIVE_LEVEL. A method that names a basis or
/// a ledger never waits for a query of another.
pub struct Tracker {
    shared: Arc<Shared>,
    sections: Arc<Sections>,
    /// Seats for writers; those after them are the ledgers'.
    writers: usize,
    slots: Slots,
    ledgers: Ledgers,
    active: ActiveBases,
}

/// Spins before a waiter gives its processor away: most sections end sooner.
const SPINS: u32 = 200;

/// Passes a moment of waiting for a writer.
fn relax(turns: u32) {
    if turns < SPINS { core::hint::spin_loop() } else { os().yield_now() }
}

impl Tracker {
    /// A tracker over `vram` with pages of `page_bytes`, for at most `writers` writers at once.
    ///
    /// From now on `vram` is written through [`Writer`]s only.
    pub fn new(vram: Arc<dyn VramStore>, page_bytes: u64, writers: usize) -> Result<Self> {
        if !page_bytes.is_power_of_two() || page_bytes < PAGE_SIZE {
            return Err(Error::InvalidParameter);
        }
        if !vram.bytes().is_multiple_of(page_bytes) {
            return Err(Error::Misaligned);
        }
        let seats = writers.checked_add(MAX_LEDGERS).ok_or(Error::NoResources)?;
        let sections = Sections::new(seats)?;
        let shared = Shared {
            vram,
            page_shift: page_bytes.trailing_zeros(),
            map: Published::new(sections.clone(), Box::new(Map::empty())),
            faults: Faults::new(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            sections,
            writers,
            slots: Slots::new()?,
            ledgers: Ledgers::new()?,
            active: ActiveBases::new(),
        })
    }

    /// The segment, to read.
    pub fn vram(&self) -> &dyn Vram {
        &*self.shared.vram
    }

    /// Bytes of a page of the planes.
    pub fn page_bytes(&self) -> u64 {
        1 << self.shared.page_shift
    }

    /// A writer. Its seat is free again when it is dropped.
    pub fn writer(&self) -> Result<Writer> {
        Writer::new(self.shared.clone(), self.sections.seat(0..self.writers)?)
    }

    /// Makes a basis of `regions`: whole pages inside the segment, pairwise disjoint, in any order. It is not
    /// tracked yet.
    pub fn create(&self, regions: &[Region]) -> Result<BasisHandle> {
        self.slots.insert(Basis::new(self.extents(regions)?)?)
    }

    /// Ends a basis, and its tracking with it.
    pub fn destroy(&self, handle: BasisHandle) -> Result<()> {
        let gone = self.slots.remove(handle, |slot, basis| {
            if basis.starts > 0 {
                self.active.remove(slot, &self.shared.map, relax)?;
            }
            self.ledgers.forget(slot, basis);
            Ok(())
        });
        gone.map(drop)
    }

    /// The regions a basis was made of, in their order.
    pub fn regions(&self, handle: BasisHandle) -> Result<Box<[Region]>> {
        let extents = self.slots.with(handle, |_, basis| Ok(basis.extents.clone()))?;
        let mut given = extents.given().iter();
        boxed::slice(given.len(), || {
            let (page, pages) = given.next().map_or((0, 0), |extent| (extent.page, extent.pages));
            Region { offset: page << self.shared.page_shift, bytes: pages << self.shared.page_shift }
        })
    }

    /// The handles of the bases that exist.
    pub fn handles(&self) -> impl Iterator<Item = BasisHandle> {
        self.slots.handles()
    }

    /// Bases that exist: what an adapter that stops has leaked.
    pub fn leaked(&self) -> usize {
        self.slots.alive()
    }

    /// Whether any basis is tracked.
    pub fn is_active(&self) -> bool {
        !self.active.is_empty()
    }

    /// Starts tracking a basis: it begins clean, and every write after the return is in it. Starts are counted;
    /// a further one keeps what was gathered.
    pub fn start(&self, handle: BasisHandle) -> Result<()> {
        self.slots.with(handle, |slot, basis| {
            if basis.starts == 0 {
                basis.reset();
                let (extents, planes) = (basis.extents.clone(), basis.planes.clone());
                let active = Active { slot, extents, planes };
                self.active.insert(active, &self.shared.map, relax)?;
            }
            basis.starts = basis.starts.checked_add(1).ok_or(Error::NoResources)?;
            Ok(())
        })
    }

    /// Takes back one start of a basis; the last ends its tracking.
    pub fn stop(&self, handle: BasisHandle) -> Result<()> {
        self.slots.with(handle, |slot, basis| {
            match basis.starts {
                0 => return Err(Error::WrongState),
                1 => self.active.remove(slot, &self.shared.map, relax)?,
                _ => {}
            }
            basis.starts -= 1;
            Ok(())
        })
    }

    /// Bytes that a query of `part` writes.
    pub fn needed(&self, handle: BasisHandle, part: Part) -> Result<usize> {
        self.slots.with(handle, |_, basis| Ok(bits::bytes_for(basis.stretch(part, self.page_bytes())?.count)))
    }

    /// Writes one bit a page of `part` to the first bytes of `out`, least significant bit first, and answers how
    /// many bytes that was; spare bits of the last are zero. With `clear` exactly those bits are cleared, and
    /// recorded in the ledgers that cover them. A refused query has written and cleared nothing.
    pub fn query(&self, handle: BasisHandle, part: Part, clear: bool, out: &mut [u8]) -> Result<usize> {
        self.slots.with(handle, |slot, basis| {
            let stretch = basis.stretch(part, self.page_bytes())?;
            let needed = bits::bytes_for(stretch.count);
            if basis.starts == 0 {
                return Err(Error::WrongState);
            }
            if out.len() < needed {
                return Err(Error::BufferTooSmall);
            }
            if clear {
                basis.harvest(|| self.grace());
                bits::extract(&basis.residue[..], stretch.first, stretch.count, out);
                if !self.shared.faults.ledger_off() {
                    self.ledgers.record(slot, basis, stretch);
                }
                bits::clear(&mut basis.residue, stretch.first, stretch.count);
            } else {
                let dirty = basis.planes.with(&basis.residue);
                bits::extract(&dirty, stretch.first, stretch.count, out);
            }
            Ok(needed)
        })
    }

    /// Opens the re-dirty ledger of a VF whose memory is `regions`, in the order of VF addresses. All its memory
    /// is allocated here. From the return on every bit of these pages that a clearing query takes from any basis
    /// is recorded.
    pub fn open_ledger(&self, regions: &[Region]) -> Result<Arc<Ledger>> {
        let seat = self.sections.seat(self.writers..self.writers + MAX_LEDGERS)?;
        let ledger = Ledger::new(self.extents(regions)?, seat)?;
        self.ledgers.open(&ledger)?;
        Ok(ledger)
    }

    /// Closes a ledger: no query records in it after the return. Allocates nothing.
    pub fn close_ledger(&self, ledger: &Arc<Ledger>, outcome: Outcome) -> Result<()> {
        self.ledgers.close(ledger, outcome, &self.shared.map, relax)
    }

    /// The VF's pages that are dirty and were not sent: in the bases that were queried with clearing since the
    /// ledger was opened, or, when none was, in all that are tracked. Bit `i` is the VF's page `i`; [`super::runs`]
    /// lists them. Answers how many there are. Allocates nothing.
    ///
    /// Call it when the VF is off every engine; what others write into its memory meanwhile may be missing.
    pub fn late_pages(&self, ledger: &Arc<Ledger>, out: &mut [u64]) -> Result<u64> {
        if !self.ledgers.is_open(ledger) {
            return Err(Error::StaleHandle);
        }
        let out = out.get_mut(..ledger.words()).ok_or(Error::BufferTooSmall)?;
        out.fill(0);
        // Whatever was being written when the caller took the VF off is marked now.
        self.grace();
        if !self.gather(ledger, &ledger.harvested(), out) {
            self.gather(ledger, &self.covering(ledger), out);
        }
        Ok(out.iter().map(|word| u64::from(word.count_ones())).sum())
    }

    /// ORs the dirty pages of the tracked bases in `slots` that share pages with the ledger; whether there was one.
    fn gather(&self, ledger: &Ledger, slots: &SlotSet, out: &mut [u64]) -> bool {
        let mut any = false;
        for slot in bits::runs(slots).flatten() {
            self.slots.visit(bits::index(slot), |basis| {
                if basis.starts > 0 {
                    any |= basis.dirty_in(&ledger.extents, |word, bits| out[word] |= bits);
                }
            });
        }
        any
    }

    /// The slots of all tracked bases that share pages with the ledger.
    fn covering(&self, ledger: &Ledger) -> SlotSet {
        let mut slots = SlotSet::default();
        let mut seat = ledger.seat.lock();
        for extent in ledger.extents.given() {
            let inside = seat.enter();
            let map = self.shared.map.get(&inside);
            map.slots(extent.page, extent.pages, |slot| slots[slot / 64] |= 1 << (slot % 64));
        }
        slots
    }

    fn extents(&self, regions: &[Region]) -> Result<Extents> {
        Extents::new(regions, self.page_bytes(), self.shared.vram.bytes() >> self.shared.page_shift)
    }

    fn grace(&self) {
        self.sections.grace(relax);
    }

    /// Breaks the tracker on purpose, for tests that must notice.
    #[cfg(any(test, feature = "fault-injection"))]
    pub fn set_fault(&self, fault: super::Fault) {
        self.shared.faults.set(fault);
    }
}
