//! Handles that the driver gives Dxgkrnl: numbers that are looked up, never pointers that are followed.
//!
//! ```text
//! 63           32 31    28 27   24 23          0
//! [ generation  ] [adapter] [kind ] [  index   ]
//! ```
//! A generation is never zero, so no handle is NULL, and a handle that was closed is stale for good.

use alloc::vec::Vec;

use gpup_core::os::SpinLock;
use gpup_core::{Error, Result};
use wddm::HANDLE;

/// Most adapters that can live at once.
pub(crate) const MAX_ADAPTERS: usize = 16;
const INDEX_BITS: u32 = 24;
const MAX_OBJECTS: usize = 1 << INDEX_BITS;
/// Room that is made at first.
const LEAST_OBJECTS: usize = 16;

/// What a handle names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// An adapter: MiniportDeviceContext.
    Adapter = 1,
    /// A process: hKmdProcess.
    Process = 2,
    /// A device: hDevice.
    Device = 3,
    /// A context: hContext.
    Context = 4,
    /// An allocation: hAllocation.
    Allocation = 5,
    /// An allocation opened by a device: hDeviceSpecificAllocation.
    Opened = 6,
}

/// A handle taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) kind: u8,
    pub(crate) adapter: usize,
    pub(crate) index: usize,
    pub(crate) generation: u32,
}

impl Name {
    /// The parts of any handle; none of them need name anything.
    pub(crate) fn of(handle: HANDLE) -> Self {
        let bits = handle.addr() as u64;
        Self {
            kind: (bits >> INDEX_BITS) as u8 & 0xF,
            adapter: (bits >> 28) as usize & (MAX_ADAPTERS - 1),
            index: bits as usize & (MAX_OBJECTS - 1),
            generation: (bits >> 32) as u32,
        }
    }

    /// The handle with these parts.
    pub(crate) fn handle(self) -> HANDLE {
        let low = (self.adapter as u64) << 28 | u64::from(self.kind) << INDEX_BITS | self.index as u64;
        core::ptr::without_provenance_mut((u64::from(self.generation) << 32 | low) as usize)
    }
}

struct Slot<T> {
    generation: u32,
    object: Option<T>,
    /// The free slot after this free one.
    next: Option<u32>,
}

struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Option<u32>,
    alive: usize,
}

/// The objects of one kind of one adapter. A look-up is an index and a copy, so an object needs no memory but its slot.
pub(crate) struct Handles<T> {
    kind: Kind,
    adapter: usize,
    inner: SpinLock<Slots<T>>,
}

impl<T: Copy> Handles<T> {
    pub(crate) fn new(kind: Kind, adapter: usize) -> Self {
        Self { kind, adapter, inner: SpinLock::new(Slots { slots: Vec::new(), free: None, alive: 0 }) }
    }

    /// Gives `object` a handle.
    pub(crate) fn insert(&self, object: T) -> Result<HANDLE> {
        loop {
            if let Some((index, generation)) = self.inner.lock().place(object) {
                let name = Name { kind: self.kind as u8, adapter: self.adapter, index, generation };
                return Ok(name.handle());
            }
            self.grow()?;
        }
    }

    /// Makes room for as many objects again. Memory comes and goes while the lock is free.
    fn grow(&self) -> Result<()> {
        let present = self.inner.lock().slots.capacity();
        if present >= MAX_OBJECTS {
            return Err(Error::NoResources);
        }
        let mut room = Vec::new();
        room.try_reserve_exact((present * 2).clamp(LEAST_OBJECTS, MAX_OBJECTS))
            .map_err(|_| Error::NoResources)?;
        let mut inner = self.inner.lock();
        // Another thread may have been here meanwhile.
        if room.capacity() > inner.slots.capacity() {
            room.append(&mut inner.slots);
            core::mem::swap(&mut inner.slots, &mut room);
        }
        drop(inner);
        Ok(())
    }

    /// The object behind a handle.
    pub(crate) fn get(&self, handle: HANDLE) -> Result<T> {
        self.with(handle, |object| *object)
    }

    /// Works with the object behind a handle, at DISPATCH_LEVEL.
    pub(crate) fn with<R>(&self, handle: HANDLE, work: impl FnOnce(&mut T) -> R) -> Result<R> {
        let name = self.own(handle)?;
        let mut inner = self.inner.lock();
        inner.named(name).and_then(|slot| slot.object.as_mut()).map(work).ok_or(Error::StaleHandle)
    }

    /// Closes a handle; the object it named comes back.
    pub(crate) fn remove(&self, handle: HANDLE) -> Result<T> {
        let name = self.own(handle)?;
        let mut inner = self.inner.lock();
        let free = inner.free;
        let slot = inner.named(name).ok_or(Error::StaleHandle)?;
        let object = slot.object.take().ok_or(Error::StaleHandle)?;
        slot.next = free;
        inner.free = Some(name.index as u32);
        inner.alive -= 1;
        Ok(object)
    }

    /// How many objects live.
    pub(crate) fn len(&self) -> usize {
        self.inner.lock().alive
    }

    fn own(&self, handle: HANDLE) -> Result<Name> {
        let name = Name::of(handle);
        let own = name.kind == self.kind as u8 && name.adapter == self.adapter;
        if own { Ok(name) } else { Err(Error::StaleHandle) }
    }
}

impl<T> Slots<T> {
    /// Puts an object where there is room; none when there is not.
    fn place(&mut self, object: T) -> Option<(usize, u32)> {
        let index = match self.free {
            Some(index) => index as usize,
            None if self.slots.len() < self.slots.capacity().min(MAX_OBJECTS) => {
                self.slots.push(Slot { generation: 0, object: None, next: None });
                self.slots.len() - 1
            }
            None => return None,
        };
        let slot = &mut self.slots[index];
        self.free = slot.next.take();
        slot.generation = slot.generation.wrapping_add(1).max(1);
        slot.object = Some(object);
        self.alive += 1;
        Some((index, slot.generation))
    }

    fn named(&mut self, name: Name) -> Option<&mut Slot<T>> {
        self.slots.get_mut(name.index).filter(|slot| slot.generation == name.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_handle_stays_stale_when_its_slot_is_used_again() {
        gpup_core::os::host::install();
        let handles = Handles::new(Kind::Context, 3);
        let first = handles.insert(1).unwrap();
        assert_eq!(handles.get(first).unwrap(), 1);
        assert_eq!(handles.remove(first).unwrap(), 1);
        let second = handles.insert(2).unwrap();
        assert_eq!(Name::of(first).index, Name::of(second).index);
        assert_eq!(handles.get(first).unwrap_err(), Error::StaleHandle);
        assert_eq!(handles.remove(first).unwrap_err(), Error::StaleHandle);
        assert_eq!((handles.get(second).unwrap(), handles.len()), (2, 1));
    }

    #[test]
    fn slots_are_used_again_before_there_are_more() {
        gpup_core::os::host::install();
        let handles = Handles::new(Kind::Allocation, 0);
        let made: Vec<_> = (0..100).map(|number| handles.insert(number).unwrap()).collect();
        assert!((0..).zip(&made).all(|(number, handle)| handles.get(*handle) == Ok(number)));
        assert!(made.iter().step_by(2).all(|handle| handles.remove(*handle).is_ok()));
        let again: Vec<_> = (0..50).map(|number| handles.insert(number).unwrap()).collect();
        assert!(again.iter().all(|handle| Name::of(*handle).index < 100));
        assert!((0..).zip(&again).all(|(number, handle)| handles.get(*handle) == Ok(number)));
        assert_eq!(handles.len(), 100);
    }

    #[test]
    fn foreign_handles_name_nothing() {
        gpup_core::os::host::install();
        let handles = Handles::new(Kind::Device, 0);
        let handle = handles.insert(()).unwrap();
        assert!(!handle.is_null());
        for other in [Handles::new(Kind::Device, 1), Handles::new(Kind::Context, 0)] {
            assert_eq!(Name::of(other.insert(()).unwrap()).index, Name::of(handle).index);
            assert_eq!(other.get(handle).unwrap_err(), Error::StaleHandle);
        }
        for bits in [0usize, 1, usize::MAX, 0xDEAD_BEEF] {
            let wrong = core::ptr::without_provenance_mut(bits);
            assert_eq!(handles.get(wrong).unwrap_err(), Error::StaleHandle);
        }
    }
}
