//! The all-zero value of every type of the interface.
//!
//! Both sides start from zeroed structures and fill in what they know. Every declared type has a `const fn zeroed()`
//! of its own; the trait is for generic code. No unsafe code is needed for it: a structure's zero value is made of its
//! fields', and a union is written through its `bytes` field, which spans all the others.

/// A type with a value whose bytes, apart from padding, are all zero.
pub trait Zeroed: Copy {
    /// The all-zero value.
    const ZERO: Self;
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
