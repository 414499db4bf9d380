//! A mutex for PASSIVE_LEVEL and a spin lock for DISPATCH_LEVEL, each one word and never poisoned.
//!
//! UNSAFETY: a lock hands out `&mut T` from `&self`; the word in it makes that exclusive.
#![expect(unsafe_code)]

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::AtomicUsize;

use super::os;

/// Mutual exclusion between threads at PASSIVE_LEVEL. A waiter blocks.
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
        os().lock(&self.word);
        MutexGuard { lock: self }
    }

    /// The value, without locking: the caller is the only one who has it.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
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
        os().unlock(&self.lock.word);
    }
}

/// Mutual exclusion up to DISPATCH_LEVEL. The holder never blocks and holds it for microseconds.
#[derive(Default)]
pub struct SpinLock<T> {
    word: AtomicUsize,
    value: UnsafeCell<T>,
}

// SAFETY: the lock gives the value to one thread at a time, so only T: Send is asked.
unsafe impl<T: Send> Send for SpinLock<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for SpinLock<T> {}

impl<T> SpinLock<T> {
    /// A free lock round `value`.
    pub const fn new(value: T) -> Self {
        Self { word: AtomicUsize::new(0), value: UnsafeCell::new(value) }
    }

    /// Takes the lock and raises to DISPATCH_LEVEL.
    pub fn lock(&self) -> SpinGuard<'_, T> {
        let irql = os().spin_lock(&self.word);
        SpinGuard { lock: self, irql }
    }
}

/// The right to use the value of a [`SpinLock`].
pub struct SpinGuard<'a, T> {
    lock: &'a SpinLock<T>,
    irql: u8,
}

impl<T> Deref for SpinGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock, so no other reference to the value exists.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for SpinGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock, so no other reference to the value exists.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for SpinGuard<'_, T> {
    fn drop(&mut self) {
        os().spin_unlock(&self.lock.word, self.irql);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutex_and_a_spin_lock_count_right_under_contention() {
        crate::os::host::install();
        let counts = (Mutex::new(0u32), SpinLock::new(0u32));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        *counts.0.lock() += 1;
                        *counts.1.lock() += 1;
                    }
                });
            }
        });
        assert_eq!((*counts.0.lock(), *counts.1.lock()), (4000, 4000));
    }
}
