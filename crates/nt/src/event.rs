//! An auto-reset event.
//!
//! UNSAFETY: calls the kernel with an event that does not move.
#![expect(unsafe_code)]

use alloc::boxed::Box;
use core::cell::UnsafeCell;

use wdk_sys::ntddk::{KeInitializeEvent, KeSetEvent, KeWaitForSingleObject};
use wdk_sys::{_EVENT_TYPE, _KWAIT_REASON, _MODE, FALSE, KEVENT, STATUS_SUCCESS};

use crate::clock::relative;
use crate::fields::large;

/// A synchronization event: one signal lets one waiter through. "Defining and Using an Event Object".
pub struct Event(Box<UnsafeCell<KEVENT>>);

// SAFETY: the kernel synchronizes the event.
unsafe impl Send for Event {}
// SAFETY: as above.
unsafe impl Sync for Event {}

impl Event {
    /// An unset event; none when there is no memory. <= DISPATCH_LEVEL.
    pub fn new() -> Option<Self> {
        let event = crate::try_box(UnsafeCell::new(KEVENT::default()))?;
        // SAFETY: the event is in non-paged memory that does not move, and nobody else knows it yet.
        unsafe { KeInitializeEvent(event.get(), _EVENT_TYPE::SynchronizationEvent, FALSE as u8) };
        Some(Self(event))
    }

    /// Lets one waiter through, now or when it comes. <= DISPATCH_LEVEL. "KeSetEvent function".
    pub fn signal(&self) {
        // SAFETY: `new` has initialized the event.
        unsafe { KeSetEvent(self.0.get(), 0, FALSE as u8) };
    }

    /// Waits for a signal, `ns` nanoseconds at most; true if it came. PASSIVE_LEVEL, or <= DISPATCH_LEVEL with 0.
    ///
    /// The system's clock interrupt ends a wait, so it may last one period of that longer.
    pub fn wait(&self, ns: u64) -> bool {
        let mut timeout = large(relative(ns));
        // SAFETY: `new` has initialized the event, and the timeout is a live variable.
        let status = unsafe {
            KeWaitForSingleObject(
                self.0.get().cast(),
                _KWAIT_REASON::Executive,
                _MODE::KernelMode as i8,
                FALSE as u8,
                &mut timeout,
            )
        };
        status == STATUS_SUCCESS
    }
}
