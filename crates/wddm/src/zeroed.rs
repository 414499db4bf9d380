//! The all-zero value of every type of the interface.
//!
//! Both sides start from zeroed structures and fill in what they know. Every declared type has a `const fn zeroed()`
//! of its own; the trait is for generic code. No unsafe code is needed for it: a structure's zero value is made of its
//! fields', and a union is written through its `bytes` field, which spans all the others.

/// A type with a value whose bytes, apart from padding, are all zero.
pub trait Zeroed: Copy {
    /// The all-zero value.
    const ZERO: Self;

    /// Names offset and size of every run of bytes that is no padding, for a value that lies at `at`.
    fn spans(at: usize, span: &mut dyn FnMut(usize, usize)) {
        span(at, size_of::<Self>());
    }
}

macro_rules! zero_is {
    ($($type:ty = $zero:expr),* $(,)?) => { $(impl Zeroed for $type { const ZERO: Self = $zero; })* };
}

zero_is! { u8 = 0, u16 = 0, u32 = 0, u64 = 0, usize = 0, i8 = 0, i16 = 0, i32 = 0, i64 = 0, isize = 0 }

impl<T> Zeroed for *const T {
    const ZERO: Self = core::ptr::null();
}

impl<T> Zeroed for *mut T {
    const ZERO: Self = core::ptr::null_mut();
}

impl<T: Zeroed, const N: usize> Zeroed for [T; N] {
    const ZERO: Self = [T::ZERO; N];

    fn spans(at: usize, span: &mut dyn FnMut(usize, usize)) {
        (0..N).for_each(|index| T::spans(at + index * size_of::<T>(), span));
    }
}

/// An empty callback slot is a null pointer.
macro_rules! empty_slot {
    ($($arg:ident),*) => {
        impl<R, $($arg),*> Zeroed for Option<ddi_type!(unsafe fn($($arg),*) -> R)> {
            const ZERO: Self = None;
        }
    };
}

empty_slot!();
empty_slot!(A);
empty_slot!(A, B);
empty_slot!(A, B, C);
empty_slot!(A, B, C, D);
empty_slot!(A, B, C, D, E);
empty_slot!(A, B, C, D, E, F);
empty_slot!(A, B, C, D, E, F, G);

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec;
    use std::vec::Vec;

    use super::Zeroed;
    use crate::{DXGK_DRIVERCAPS, DXGK_SEGMENTDESCRIPTOR4};

    fn padding<T: Zeroed>() -> Vec<usize> {
        let mut known = vec![false; size_of::<T>()];
        T::spans(0, &mut |at, bytes| known[at..at + bytes].fill(true));
        (0..known.len()).filter(|at| !known[*at]).collect()
    }

    #[test]
    fn spans_leave_the_padding_out_and_nothing_else() {
        assert_eq!(padding::<u64>(), []);
        assert_eq!(padding::<[u16; 3]>(), []);
        // Between MaxAllocationListSlotId and ApertureSegmentCommitLimit, among others.
        let caps = padding::<DXGK_DRIVERCAPS>();
        assert!(caps.starts_with(&[12, 13, 14, 15]), "{caps:?}");
        // Flags, before BaseAddress.
        assert!(padding::<DXGK_SEGMENTDESCRIPTOR4>().starts_with(&[4, 5, 6, 7]));
    }
}
