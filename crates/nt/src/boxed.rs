//! A box that may find no memory.
//!
//! UNSAFETY: turns a slice of one into the one.
#![expect(unsafe_code)]

use alloc::boxed::Box;
use alloc::vec::Vec;

/// `value` in a box; none when there is no memory. <= DISPATCH_LEVEL.
pub fn try_box<T>(value: T) -> Option<Box<T>> {
    let mut one = Vec::new();
    one.try_reserve_exact(1).ok()?;
    one.push(value);
    let slice = Box::into_raw(one.into_boxed_slice());
    // SAFETY: a boxed slice of one element was allocated as a box of the element is.
    Some(unsafe { Box::from_raw(slice.cast::<T>()) })
}
