//! A mutex, an event and a thread on the services of the [`Host`](super::Host).
//!
//! UNSAFETY: the lock hands out `&mut T` from `&self`; the word in it makes that exclusive.
#![expect(unsafe_code)]

use alloc::boxed::Box;
use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::AtomicUsize;

use super::{RawEvent, RawThread, host};

/// Mutual exclusion between threads.
#[derive(Default)]
pub struct Mutex<T> {
    word: AtomicUsize,
    value: UnsafeCell<T>,
}

// SAFETY: the lock gives the value to one thread at a time, so only T: Send is asked.
unsafe impl<T: Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    /// A free lock round `value`.
    pub const fn new(value: T) -> Self {
        Self { word: AtomicUsize::new(0), value: UnsafeCell::new(value) }
    }

    /// Takes the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        host().lock(&self.word);
        MutexGuard { lock: self }
    }
}

/// The right to use the value of a [`Mutex`].
pub struct MutexGuard<'a, T> {
    lock: &'a Mutex<T>,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock, so no other reference to the value exists.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock, so no other reference to the value exists.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        host().unlock(&self.lock.word);
    }
}

/// An auto-reset event.
pub struct Event(Box<dyn RawEvent>);

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl Event {
    /// An unset event.
    pub fn new() -> Self {
        Self(host().event())
    }

    /// Lets one waiter through, now or when it comes.
    pub fn signal(&self) {
        self.0.signal();
    }

    /// Waits for a signal, `timeout_ns` nanoseconds at most; true if it came.
    pub fn wait(&self, timeout_ns: u64) -> bool {
        self.0.wait(timeout_ns)
    }
}

/// A thread. Dropping it waits for its end: tell the body to stop first.
pub struct Thread(Box<dyn RawThread>);

impl Thread {
    /// Starts `body`.
    pub fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Option<Self> {
        host().spawn(name, Box::new(body)).map(Self)
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.0.join();
    }
}
