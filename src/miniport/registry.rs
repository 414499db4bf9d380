//! The adapters of this driver: a fixed array, looked up by handle without a lock.
//!
//! Dxgkrnl lets no DDI run beside StopDevice and RemoveDevice, but a DPC that was queued before may still do. So a
//! DPC counts itself in at its seat before it looks, and what it could be using is freed only when the count is zero.
//!
//! UNSAFETY: hands out references to adapters that RemoveDevice frees.
#![expect(unsafe_code)]

use alloc::boxed::Box;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use gpup_core::os::os;
use gpup_core::{Error, Result};
use wddm::HANDLE;

use super::Miniport;
use super::handles::{Kind, MAX_ADAPTERS, Name};

struct Seat {
    generation: AtomicU32,
    /// DPCs that run now.
    dpcs: AtomicUsize,
    miniport: AtomicPtr<Miniport>,
}

static SEATS: [Seat; MAX_ADAPTERS] = [const {
    Seat {
        generation: AtomicU32::new(0),
        dpcs: AtomicUsize::new(0),
        miniport: AtomicPtr::new(ptr::null_mut()),
    }
}; MAX_ADAPTERS];

/// A DPC that has counted itself in.
pub(crate) struct InDpc(&'static Seat);

impl InDpc {
    /// The adapter, if it is still there.
    pub(crate) fn miniport(&self) -> Option<&Miniport> {
        let miniport = self.0.miniport.load(Ordering::SeqCst);
        // SAFETY: a non-null pointer is an adapter that `remove` frees only after this DPC has counted itself out.
        unsafe { miniport.as_ref() }
    }
}

impl Drop for InDpc {
    fn drop(&mut self) {
        self.0.dpcs.fetch_sub(1, Ordering::Release);
    }
}

/// Counts a DPC in. Any IRQL.
pub(crate) fn enter_dpc(adapter: HANDLE) -> Result<InDpc> {
    let seat = &SEATS[Name::of(adapter).adapter];
    seat.dpcs.fetch_add(1, Ordering::SeqCst);
    let inside = InDpc(seat);
    seat_of(adapter).map(|_| inside)
}

/// Waits until no DPC uses what it found before. PASSIVE_LEVEL.
pub(crate) fn wait_for_dpcs(seat: usize) {
    while SEATS[seat].dpcs.load(Ordering::SeqCst) > 0 {
        os().yield_now();
    }
}

/// Seats an adapter; the handle names it.
pub(crate) fn add(miniport: Box<Miniport>) -> Result<HANDLE> {
    let fresh = Box::into_raw(miniport);
    for (index, seat) in SEATS.iter().enumerate() {
        let free =
            seat.miniport.compare_exchange(ptr::null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire);
        if free.is_ok() {
            let generation = next(seat.generation.load(Ordering::Relaxed));
            seat.generation.store(generation, Ordering::Release);
            return Ok(Name { kind: Kind::Adapter as u8, adapter: index, index: 0, generation }.handle());
        }
    }
    // SAFETY: `fresh` came from Box::into_raw above and found no seat.
    drop(unsafe { Box::from_raw(fresh) });
    Err(Error::NoResources)
}

/// The adapter with this handle.
///
/// # Safety
/// Called within a DDI of that adapter; the reference is not kept beyond it.
pub(crate) unsafe fn find<'a>(adapter: HANDLE) -> Result<&'a Miniport> {
    let seat = seat_of(adapter)?;
    // SAFETY: the caller's promise.
    unsafe { occupant(seat) }.ok_or(Error::StaleHandle)
}

/// Takes an adapter from its seat.
pub(crate) fn remove(adapter: HANDLE) -> Result<Box<Miniport>> {
    let index = seat_of(adapter)?;
    let seat = &SEATS[index];
    let generation = next(seat.generation.load(Ordering::Relaxed));
    seat.generation.store(generation, Ordering::Release);
    let old = seat.miniport.swap(ptr::null_mut(), Ordering::SeqCst);
    if old.is_null() {
        return Err(Error::StaleHandle);
    }
    wait_for_dpcs(index);
    // SAFETY: the pointer came from Box::into_raw in `add` and was swapped out once; Dxgkrnl has no other call of
    // this adapter inside the driver during RemoveDevice.
    Ok(unsafe { Box::from_raw(old) })
}

/// Who has a seat.
///
/// # Safety
/// As for [`find`].
pub(super) unsafe fn occupant<'a>(seat: usize) -> Option<&'a Miniport> {
    let miniport = SEATS.get(seat)?.miniport.load(Ordering::Acquire);
    // SAFETY: a non-null pointer is an adapter that lives until RemoveDevice, which comes after the caller's DDI.
    unsafe { miniport.as_ref() }
}

/// Which seat a handle names.
pub(crate) fn seat_of(adapter: HANDLE) -> Result<usize> {
    let name = Name::of(adapter);
    let seat = &SEATS[name.adapter];
    let right = name.kind == Kind::Adapter as u8
        && name.index == 0
        && name.generation != 0
        && name.generation == seat.generation.load(Ordering::Acquire);
    if right { Ok(name.adapter) } else { Err(Error::StaleHandle) }
}

fn next(generation: u32) -> u32 {
    generation.wrapping_add(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_adapter_cannot_be_named() {
        gpup_core::os::host::install();
        let handle = add(Box::new(Miniport::new())).unwrap();
        // SAFETY: the adapter is removed only below.
        assert!(unsafe { find(handle) }.is_ok());
        drop(remove(handle).unwrap());
        // SAFETY: nothing is found, so nothing is kept.
        assert!(unsafe { find(handle) }.is_err());
        assert!(remove(handle).is_err());
        for bits in [0usize, usize::MAX, 0x1000] {
            // SAFETY: as above.
            assert!(unsafe { find(ptr::without_provenance_mut(bits)) }.is_err());
        }
    }
}
