//! The fixed table of memory bases: a lock a slot, and handles that know when their basis is gone.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::num::NonZeroU64;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::MAX_BASES;
use super::basis::{Basis, BasisHandle};
use crate::os::Mutex;
use crate::{Error, Result};

struct Slot {
    taken: AtomicBool,
    state: Mutex<State>,
}

struct State {
    /// Generation of the basis in the slot, or of the last one; fits 32 bits.
    generation: NonZeroU64,
    basis: Option<Basis>,
}

/// All bases of a tracker.
pub(super) struct Slots {
    slots: Box<[Slot]>,
    alive: AtomicUsize,
}

impl Slots {
    pub(super) fn new() -> Result<Self> {
        let mut slots = Vec::new();
        slots.try_reserve_exact(MAX_BASES).map_err(|_| Error::NoResources)?;
        slots.resize_with(MAX_BASES, || Slot {
            taken: AtomicBool::new(false),
            state: Mutex::new(State { generation: NonZeroU64::MIN, basis: None }),
        });
        Ok(Self { slots: slots.into_boxed_slice(), alive: AtomicUsize::new(0) })
    }

    /// Bases that exist.
    pub(super) fn alive(&self) -> usize {
        self.alive.load(Ordering::Relaxed)
    }

    /// Puts a basis into a free slot, without a look at the locks of the others.
    pub(super) fn insert(&self, basis: Basis) -> Result<BasisHandle> {
        let free = self.slots.iter().position(|slot| {
            slot.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
        });
        let index = free.ok_or(Error::NoResources)?;
        let mut state = self.slots[index].state.lock();
        state.basis = Some(basis);
        self.alive.fetch_add(1, Ordering::Relaxed);
        Ok(BasisHandle::new(index as u32, state.generation))
    }

    /// Takes a basis out, if `may_go` agrees, which is told the slot too; its handle is stale from then on.
    pub(super) fn remove(
        &self,
        handle: BasisHandle,
        may_go: impl FnOnce(usize, &Basis) -> Result<()>,
    ) -> Result<Basis> {
        let slot = self.slot(handle)?;
        let mut state = slot.state.lock();
        may_go(handle.parts().0, state.named(handle)?)?;
        let basis = state.basis.take().ok_or(Error::StaleHandle)?;
        let next = state.generation.get() + 1;
        state.generation = NonZeroU64::new(next & u64::from(u32::MAX)).unwrap_or(NonZeroU64::MIN);
        drop(state);
        self.alive.fetch_sub(1, Ordering::Relaxed);
        slot.taken.store(false, Ordering::Release);
        Ok(basis)
    }

    /// Works with a basis under its lock; `work` is told the slot too.
    pub(super) fn with<R>(
        &self,
        handle: BasisHandle,
        work: impl FnOnce(usize, &mut Basis) -> Result<R>,
    ) -> Result<R> {
        let mut state = self.slot(handle)?.state.lock();
        work(handle.parts().0, state.named(handle)?)
    }

    /// The handles of the bases that exist.
    pub(super) fn handles(&self) -> impl Iterator<Item = BasisHandle> {
        (0u32..).zip(&self.slots).filter_map(|(index, slot)| {
            let state = slot.state.lock();
            state.basis.as_ref().map(|_| BasisHandle::new(index, state.generation))
        })
    }

    /// Works with the basis that is in a slot, if there is one.
    pub(super) fn visit<R>(&self, slot: usize, work: impl FnOnce(&mut Basis) -> R) -> Option<R> {
        self.slots[slot].state.lock().basis.as_mut().map(work)
    }

    fn slot(&self, handle: BasisHandle) -> Result<&Slot> {
        self.slots.get(handle.parts().0).ok_or(Error::StaleHandle)
    }
}

impl State {
    fn named(&mut self, handle: BasisHandle) -> Result<&mut Basis> {
        if handle.parts().1 != self.generation.get() {
            return Err(Error::StaleHandle);
        }
        self.basis.as_mut().ok_or(Error::StaleHandle)
    }
}
