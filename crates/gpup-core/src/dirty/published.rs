//! A value that writers read without a lock and that is replaced behind a grace period.
//!
//! UNSAFETY: lends a value through a pointer that a replacement takes away; grace periods keep it alive.
#![expect(unsafe_code)]

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::section::{Inside, Sections};
use crate::sync::atomic::{AtomicPtr, Ordering};

/// A value for the sections of `sections` to read.
pub(super) struct Published<T> {
    sections: Arc<Sections>,
    current: AtomicPtr<T>,
}

// SAFETY: the value is owned through the pointer; moving the owner moves the value.
unsafe impl<T: Send> Send for Published<T> {}
// SAFETY: several threads get `&T`, and whichever thread frees the last value drops a `T`.
unsafe impl<T: Send + Sync> Sync for Published<T> {}

impl<T> Published<T> {
    /// Publishes a first value.
    pub(super) fn new(sections: Arc<Sections>, value: Box<T>) -> Self {
        Self { sections, current: AtomicPtr::new(Box::into_raw(value)) }
    }

    /// The value, for as long as the section is open.
    pub(super) fn get<'a>(&'a self, inside: &'a Inside<'_>) -> &'a T {
        assert!(inside.belongs_to(&self.sections), "a section of another tracker keeps nothing alive here");
        let current = self.current.load(Ordering::Acquire);
        // SAFETY: the pointer came from Box::into_raw. Its value is freed only after a grace period that
        // began when it was no longer published, and that grace period waits for this section.
        unsafe { &*current }
    }

    /// Publishes another value. The old one waits in the answer until its readers are gone.
    pub(super) fn replace(&self, value: Box<T>) -> Retired<'_, T> {
        let old = self.current.swap(Box::into_raw(value), Ordering::AcqRel);
        Retired { sections: &self.sections, value: old }
    }
}

impl<T> Drop for Published<T> {
    fn drop(&mut self) {
        let last = self.current.load(Ordering::Relaxed);
        // SAFETY: the pointer came from Box::into_raw, is published no longer, and no borrow of `self` is left.
        drop(unsafe { Box::from_raw(last) });
    }
}

/// A value that is no longer published. Dropping it leaks the value: see [`Retired::reclaim`].
#[must_use = "the old value leaks unless it is reclaimed"]
pub(super) struct Retired<'a, T> {
    sections: &'a Sections,
    value: *mut T,
}

impl<T> Retired<'_, T> {
    /// Waits until no section can hold the value, and gives it back.
    pub(super) fn reclaim(self, relax: impl FnMut(u32)) -> Box<T> {
        self.sections.grace(relax);
        // SAFETY: the pointer came from Box::into_raw, was taken out of `current` once, and every section
        // that could have read it there has ended.
        unsafe { Box::from_raw(self.value) }
    }
}
