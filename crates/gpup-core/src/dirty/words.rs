//! The memory of planes and ledgers: zeroed words in pages of the operating system, under a pool tag of their own.
//!
//! loom's atomics are no plain words, so its runs keep them in a box.
//!
//! UNSAFETY: owns memory of the operating system and lends it as a slice.
#![cfg_attr(not(loom), expect(unsafe_code))]

#[cfg(loom)]
use alloc::boxed::Box;
use core::sync::atomic::AtomicU64;
#[cfg(not(loom))]
use core::{marker::PhantomData, ops, ptr::NonNull, slice};

use super::bits::words_for;
use crate::Result;
#[cfg(not(loom))]
use crate::os::{Purpose, os};

/// Words that hold bits: what their default is, no bit set, is all zeros in memory.
pub(super) trait Word: Default {}
impl Word for u64 {}
impl Word for AtomicU64 {}
#[cfg(loom)]
impl Word for loom::sync::atomic::AtomicU64 {}

/// A number of words.
#[cfg(loom)]
pub(super) type Words<T> = Box<[T]>;

/// Zeroed words for `bits` bits.
#[cfg(loom)]
pub(super) fn zeroed<T: Word>(bits: u64) -> Result<Words<T>> {
    crate::boxed::slice(words_for(bits), T::default)
}

/// A number of words.
#[cfg(not(loom))]
pub(super) struct Words<T> {
    base: NonNull<u64>,
    count: usize,
    of: PhantomData<T>,
}

// SAFETY: the memory belongs to this value, as a box's does.
#[cfg(not(loom))]
unsafe impl<T: Send> Send for Words<T> {}
// SAFETY: as above.
#[cfg(not(loom))]
unsafe impl<T: Sync> Sync for Words<T> {}

/// Zeroed words for `bits` bits.
#[cfg(not(loom))]
pub(super) fn zeroed<T: Word>(bits: u64) -> Result<Words<T>> {
    const { assert!(size_of::<T>() == size_of::<u64>() && align_of::<T>() == align_of::<u64>()) };
    let count = words_for(bits);
    let base = match count {
        0 => NonNull::dangling(),
        _ => {
            let pages = os().allocate_pages(Purpose::Dirty, count * size_of::<u64>());
            NonNull::new(pages.cast()).ok_or(crate::Error::NoResources)?
        }
    };
    Ok(Words { base, count, of: PhantomData })
}

#[cfg(not(loom))]
impl<T: Word> ops::Deref for Words<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: `count` zeroed words live as long as `self`; a Word is a u64 or an atomic one, and zero is a value
        // of either.
        unsafe { slice::from_raw_parts(self.base.as_ptr().cast(), self.count) }
    }
}

#[cfg(not(loom))]
impl<T: Word> ops::DerefMut for Words<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and `self` is borrowed for as long.
        unsafe { slice::from_raw_parts_mut(self.base.as_ptr().cast(), self.count) }
    }
}

#[cfg(not(loom))]
impl<T> Drop for Words<T> {
    fn drop(&mut self) {
        if self.count > 0 {
            let bytes = self.count * size_of::<u64>();
            // SAFETY: `zeroed` got as many bytes for the same purpose, and no borrow of `self` is left.
            unsafe { os().free_pages(Purpose::Dirty, self.base.as_ptr().cast(), bytes) };
        }
    }
}
