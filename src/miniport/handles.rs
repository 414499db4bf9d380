//! Handles that the driver gives Dxgkrnl: numbers that are looked up, never pointers that are followed.
//!
//! ```text
//! 63           32 31    28 27   24 23          0
//! [ generation  ] [adapter] [kind ] [  index   ]
//! ```
//! A generation is never zero, so no handle is NULL, and a handle that was closed is stale for good.

use alloc::sync::Arc;
use alloc::vec::Vec;

use gpup_core::os::SpinLock;
use gpup_core::{Error, Result};
use wddm::HANDLE;

/// Most adapters that can live at once.
pub(crate) const MAX_ADAPTERS: usize = 16;
const INDEX_BITS: u32 = 24;
const MAX_OBJECTS: usize = 1 << INDEX_BITS;

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
    object: Option<Arc<T>>,
}

struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

/// The objects of one kind of one adapter. A look-up is an index and a reference count.
pub(crate) struct Handles<T> {
    kind: Kind,
    adapter: usize,
    inner: SpinLock<Slots<T>>,
}

impl<T> Handles<T> {
    pub(crate) fn new(kind: Kind, adapter: usize) -> Self {
        Self { kind, adapter, inner: SpinLock::new(Slots { slots: Vec::new(), free: Vec::new() }) }
    }

    /// Gives `object` a handle.
    pub(crate) fn insert(&self, object: Arc<T>) -> Result<HANDLE> {
        let mut inner = self.inner.lock();
        let index = match inner.free.pop() {
            Some(index) => index as usize,
            None => {
                if inner.slots.len() == MAX_OBJECTS {
                    return Err(Error::NoResources);
                }
                inner.slots.push(Slot { generation: 0, object: None });
                inner.slots.len() - 1
            }
        };
        let slot = &mut inner.slots[index];
        slot.generation = slot.generation.wrapping_add(1).max(1);
        slot.object = Some(object);
        let name = Name { kind: self.kind as u8, adapter: self.adapter, index, generation: slot.generation };
        Ok(name.handle())
    }

    /// The object behind a handle.
    pub(crate) fn get(&self, handle: HANDLE) -> Result<Arc<T>> {
        let name = self.own(handle)?;
        let inner = self.inner.lock();
        let slot = inner.slots.get(name.index).filter(|slot| slot.generation == name.generation);
        slot.and_then(|slot| slot.object.clone()).ok_or(Error::StaleHandle)
    }

    /// Closes a handle; the object it named comes back.
    pub(crate) fn remove(&self, handle: HANDLE) -> Result<Arc<T>> {
        let name = self.own(handle)?;
        let mut inner = self.inner.lock();
        let slot = inner.slots.get_mut(name.index).filter(|slot| slot.generation == name.generation);
        let object = slot.and_then(|slot| slot.object.take()).ok_or(Error::StaleHandle)?;
        inner.free.push(name.index as u32);
        Ok(object)
    }

    /// How many objects live.
    pub(crate) fn len(&self) -> usize {
        let inner = self.inner.lock();
        inner.slots.len() - inner.free.len()
    }

    fn own(&self, handle: HANDLE) -> Result<Name> {
        let name = Name::of(handle);
        let own = name.kind == self.kind as u8 && name.adapter == self.adapter;
        if own { Ok(name) } else { Err(Error::StaleHandle) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_handle_stays_stale_when_its_slot_is_used_again() {
        gpup_core::os::host::install();
        let handles = Handles::new(Kind::Context, 3);
        let first = handles.insert(Arc::new(1)).unwrap();
        assert_eq!(*handles.get(first).unwrap(), 1);
        assert_eq!(*handles.remove(first).unwrap(), 1);
        let second = handles.insert(Arc::new(2)).unwrap();
        assert_eq!(Name::of(first).index, Name::of(second).index);
        assert_eq!(handles.get(first).unwrap_err(), Error::StaleHandle);
        assert_eq!(handles.remove(first).unwrap_err(), Error::StaleHandle);
        assert_eq!((*handles.get(second).unwrap(), handles.len()), (2, 1));
    }

    #[test]
    fn foreign_handles_name_nothing() {
        gpup_core::os::host::install();
        let handles = Handles::new(Kind::Device, 0);
        let handle = handles.insert(Arc::new(())).unwrap();
        assert!(!handle.is_null());
        let other = Handles::<()>::new(Kind::Device, 1);
        assert_eq!(other.get(handle).unwrap_err(), Error::StaleHandle);
        for bits in [0usize, 1, usize::MAX, 0xDEAD_BEEF] {
            let wrong = core::ptr::without_provenance_mut(bits);
            assert_eq!(handles.get(wrong).unwrap_err(), Error::StaleHandle);
        }
    }
}
