//! Slices of the heap that may fail to be made: the pool of a kernel runs out, and a driver answers that.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::{Error, Result};

/// `length` elements, each made by `make`.
pub(crate) fn slice<T>(length: usize, make: impl FnMut() -> T) -> Result<Box<[T]>> {
    let mut elements = Vec::new();
    elements.try_reserve_exact(length).map_err(|_| Error::NoResources)?;
    elements.resize_with(length, make);
    Ok(elements.into_boxed_slice())
}

/// A copy of `elements`.
pub(crate) fn copy<T: Copy>(elements: &[T]) -> Result<Box<[T]>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(elements.len()).map_err(|_| Error::NoResources)?;
    copy.extend_from_slice(elements);
    Ok(copy.into_boxed_slice())
}
