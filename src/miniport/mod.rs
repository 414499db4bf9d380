//! The driver's object behind MiniportDeviceContext, from AddDevice to RemoveDevice.
//!
//! Dxgkrnl gets handles, never pointers: see [`handles`]. A look-up takes no lock and waits for nobody.
//!
//! UNSAFETY: publishes adapters and what StartDevice made as raw pointers; Dxgkrnl's promise that no call is
//! inside the driver during StopDevice and RemoveDevice is what keeps them alive.
#![expect(unsafe_code)]

pub(crate) mod aperture;
pub(crate) mod bars;
pub(crate) mod dxgkrnl;
pub(crate) mod handles;
pub(crate) mod notify;
mod registry;
pub(crate) mod started;

use alloc::boxed::Box;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use gpup_core::{Error, Result};
use wddm::HANDLE;

use handles::Kind;

pub(crate) use registry::{add, enter_dpc, find, remove, seat_of, wait_for_dpcs};
pub(crate) use started::{Allocation, Context, Device, Origin, Process, Started};

/// An adapter that AddDevice has announced.
pub(crate) struct Miniport {
    started: AtomicPtr<Started>,
}

impl Miniport {
    pub(crate) fn new() -> Self {
        Self { started: AtomicPtr::new(ptr::null_mut()) }
    }

    /// What StartDevice made.
    pub(crate) fn started(&self) -> Result<&Started> {
        let started = self.started.load(Ordering::SeqCst);
        // SAFETY: a non-null pointer is a Started that lives until `withdraw`: Dxgkrnl calls StopDevice only when no
        // other call of this adapter is inside the driver, and a DPC has counted itself in.
        unsafe { started.as_ref() }.ok_or(Error::WrongState)
    }

    /// Makes what StartDevice made visible.
    pub(crate) fn publish(&self, started: Box<Started>) -> Result<()> {
        let fresh = Box::into_raw(started);
        let result =
            self.started.compare_exchange(ptr::null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire);
        if result.is_err() {
            // SAFETY: `fresh` came from Box::into_raw above and nobody else has seen it.
            drop(unsafe { Box::from_raw(fresh) });
            return Err(Error::WrongState);
        }
        Ok(())
    }

    /// Takes it back: from now on the adapter is not started. `quiet` waits for those who found it before.
    pub(crate) fn withdraw(&self, quiet: impl FnOnce()) -> Option<Box<Started>> {
        let old = self.started.swap(ptr::null_mut(), Ordering::SeqCst);
        quiet();
        // SAFETY: a non-null pointer came from Box::into_raw in `publish`, was swapped out once, and Dxgkrnl has no
        // other call inside the driver.
        (!old.is_null()).then(|| unsafe { Box::from_raw(old) })
    }
}

impl Drop for Miniport {
    fn drop(&mut self) {
        // Whoever drops it is the only one who has it.
        drop(self.withdraw(|| ()));
    }
}

/// The started adapter behind a MiniportDeviceContext.
///
/// # Safety
/// Called within a DDI of that adapter; the reference is not kept beyond it.
pub(crate) unsafe fn started<'a>(adapter: HANDLE) -> Result<&'a Started> {
    // SAFETY: the caller's promise.
    unsafe { find(adapter) }?.started()
}

/// The started adapter that a handle of one of its objects belongs to.
///
/// # Safety
/// As for [`started`].
pub(crate) unsafe fn owner<'a>(object: HANDLE) -> Result<&'a Started> {
    let name = handles::Name::of(object);
    // Any other number may name the seat of an adapter that is just being removed.
    if name.generation == 0 || ![Kind::Device as u8, Kind::Context as u8].contains(&name.kind) {
        return Err(Error::StaleHandle);
    }
    // SAFETY: the caller's promise.
    unsafe { registry::occupant(name.adapter) }.ok_or(Error::StaleHandle)?.started()
}
