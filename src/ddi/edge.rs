//! Where Dxgkrnl's calls come in: handles and argument pointers become references, results become statuses.
//!
//! [`entries!`] declares the callbacks and names the function that does each one's work. That function is safe:
//! it gets the adapter and the arguments as references. Only pointers *inside* arguments are left for it, and
//! [`slice`] and its kin are for those.
//!
//! UNSAFETY: turns the pointers of a DDI call into references.
#![expect(unsafe_code)]

use gpup_core::{Error, Result};
use wddm::{HANDLE, NTSTATUS};

use super::status;
use crate::miniport::{self, Started};

/// The argument structure of a call, to read.
///
/// # Safety
/// `pointer` is null or what Dxgkrnl passed: readable, and written by nobody until the call returns.
pub(crate) unsafe fn input<'a, T>(pointer: *const T) -> Result<&'a T> {
    if !pointer.is_aligned() {
        return Err(Error::InvalidParameter);
    }
    // SAFETY: aligned, and null or readable as the caller promises.
    unsafe { pointer.as_ref() }.ok_or(Error::InvalidParameter)
}

/// The argument structure of a call, to read and write.
///
/// # Safety
/// `pointer` is null or what Dxgkrnl passed: the driver's alone until the call returns.
pub(crate) unsafe fn output<'a, T>(pointer: *mut T) -> Result<&'a mut T> {
    if !pointer.is_aligned() {
        return Err(Error::InvalidParameter);
    }
    // SAFETY: aligned, and null or the driver's alone as the caller promises.
    unsafe { pointer.as_mut() }.ok_or(Error::InvalidParameter)
}

/// `count` elements at a pointer inside an argument structure, to read.
///
/// # Safety
/// `pointer` is null or points to `count` readable elements that nobody writes until the call returns.
pub(crate) unsafe fn slice<'a, T>(pointer: *const T, count: usize) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    check(pointer, count)?;
    // SAFETY: not null, aligned, not too large, and readable as the caller promises.
    Ok(unsafe { core::slice::from_raw_parts(pointer, count) })
}

/// `count` elements at a pointer inside an argument structure, to write.
///
/// # Safety
/// `pointer` is null or points to `count` elements that are the driver's alone until the call returns.
pub(crate) unsafe fn slice_mut<'a, T>(pointer: *mut T, count: usize) -> Result<&'a mut [T]> {
    if count == 0 {
        return Ok(&mut []);
    }
    check(pointer, count)?;
    // SAFETY: not null, aligned, not too large, and the driver's alone as the caller promises.
    Ok(unsafe { core::slice::from_raw_parts_mut(pointer, count) })
}

fn check<T>(pointer: *const T, count: usize) -> Result<()> {
    let fits = count.checked_mul(size_of::<T>()).is_some_and(|bytes| isize::try_from(bytes).is_ok());
    if pointer.is_null() || !pointer.is_aligned() || !fits { Err(Error::InvalidParameter) } else { Ok(()) }
}

/// The elements of an argument structure's trailing array, of which only the first is declared: `offset` bytes into
/// the structure at `args`. The pointer must be the call's own, since a reference covers the declared element only.
///
/// # Safety
/// `args` is Dxgkrnl's, with `count` readable elements at `offset` that nobody writes until the call returns.
pub(crate) unsafe fn trailing<'a, T, E>(args: *const T, offset: usize, count: usize) -> Result<&'a [E]> {
    // SAFETY: the caller's promise.
    unsafe { slice(args.wrapping_byte_add(offset).cast::<E>(), count) }
}

/// Runs a callback that names an adapter and nothing else.
///
/// # Safety
/// Called from a DDI with its own handle.
pub(crate) unsafe fn adapter(handle: HANDLE, body: impl FnOnce(&Started) -> Result<()>) -> NTSTATUS {
    // SAFETY: within a DDI of the adapter, and the reference ends with it.
    status::of(unsafe { miniport::started(handle) }.and_then(body))
}

/// Runs a callback with an argument structure to read.
///
/// # Safety
/// Called from a DDI with its own arguments.
pub(crate) unsafe fn read<T>(
    handle: HANDLE,
    args: *const T,
    body: impl FnOnce(&Started, &T) -> Result<()>,
) -> NTSTATUS {
    // SAFETY: within a DDI of the adapter, and the reference ends with it.
    let started = unsafe { miniport::started(handle) };
    // SAFETY: Dxgkrnl's own arguments.
    let args = unsafe { input(args) };
    status::of(started.and_then(|started| body(started, args?)))
}

/// Runs a callback with an argument structure to read and write.
///
/// # Safety
/// Called from a DDI with its own arguments.
pub(crate) unsafe fn write<T>(
    handle: HANDLE,
    args: *mut T,
    body: impl FnOnce(&Started, &mut T) -> Result<()>,
) -> NTSTATUS {
    // SAFETY: within a DDI of the adapter, and the reference ends with it.
    let started = unsafe { miniport::started(handle) };
    // SAFETY: Dxgkrnl's own arguments.
    let args = unsafe { output(args) };
    status::of(started.and_then(|started| body(started, args?)))
}

/// Runs a callback of a device or context, with its arguments.
///
/// # Safety
/// Called from a DDI with its own arguments.
pub(crate) unsafe fn object<T>(
    handle: HANDLE,
    args: *const T,
    body: impl FnOnce(&Started, HANDLE, &T) -> Result<()>,
) -> NTSTATUS {
    // SAFETY: within a DDI of the adapter, and the reference ends with it.
    let started = unsafe { miniport::owner(handle) };
    // SAFETY: Dxgkrnl's own arguments.
    let args = unsafe { input(args) };
    status::of(started.and_then(|started| body(started, handle, args?)))
}

/// Runs a callback of a device or context, with arguments to write.
///
/// # Safety
/// Called from a DDI with its own arguments.
pub(crate) unsafe fn object_mut<T>(
    handle: HANDLE,
    args: *mut T,
    body: impl FnOnce(&Started, HANDLE, &mut T) -> Result<()>,
) -> NTSTATUS {
    // SAFETY: within a DDI of the adapter, and the reference ends with it.
    let started = unsafe { miniport::owner(handle) };
    // SAFETY: Dxgkrnl's own arguments.
    let args = unsafe { output(args) };
    status::of(started.and_then(|started| body(started, handle, args?)))
}

/// Declares callbacks by the shape of their arguments:
///
/// ```text
/// read  name(Args) => work;      NTSTATUS name(hAdapter, const Args *), work(&Started, &Args)
/// write name(Args) => work;      NTSTATUS name(hAdapter, Args *),       work(&Started, &mut Args)
/// void  name(Args) => work;      VOID     name(hAdapter, Args *),       work(&Started, &mut Args)
/// object name(Args) => work;     NTSTATUS name(hObject, const Args *),  work(&Started, HANDLE, &Args)
/// object_mut name(Args) => work; NTSTATUS name(hObject, Args *),        work(&Started, HANDLE, &mut Args)
/// handle name => work;           NTSTATUS name(hAdapter, HANDLE),       work(&Started, HANDLE)
/// close name => work;            NTSTATUS name(hObject),                work(&Started, HANDLE)
/// adapter name => work;          NTSTATUS name(hAdapter),               work(&Started)
/// ```
macro_rules! entries {
    () => {};
    ($(#[$meta:meta])* read $name:ident($args:ty) => $work:path; $($rest:tt)*) => {
        $crate::ddi::edge::entries! { @ [$(#[$meta])*] $name(adapter: wddm::HANDLE, args: *const $args) -> wddm::NTSTATUS,
            $crate::ddi::edge::read(adapter, args, $work) }
        $crate::ddi::edge::entries! { $($rest)* }
    };
    ($(#[$meta:meta])* write $name:ident($args:ty) => $work:path; $($rest:tt)*) => {
        $crate::ddi::edge::entries! { @ [$(#[$meta])*] $name(adapter: wddm::HANDLE, args: *mut $args) -> wddm::NTSTATUS,
            $crate::ddi::edge::write(adapter, args, $work) }
        $crate::ddi::edge::entries! { $($rest)* }
    };
    ($(#[$meta:meta])* void $name:ident($args:ty) => $work:path; $($rest:tt)*) => {
        $crate::ddi::edge::entries! { @ [$(#[$meta])*] $name(adapter: wddm::HANDLE, args: *mut $args) -> (),
            { let _ = $crate::ddi::edge::write(adapter, args, $work); } }
        $crate::ddi::edge::entries! { $($rest)* }
    };
    ($(#[$meta:meta])* object $name:ident($args:ty) => $work:path; $($rest:tt)*) => {
        $crate::ddi::edge::entries! { @ [$(#[$meta])*] $name(object: wddm::HANDLE, args: *const $args) -> wddm::NTSTATUS,
            $crate::ddi::edge::object(object, args, $work) }
        $crate::ddi::edge::entries! { $($rest)* }
    };
    ($(#[$meta:meta])* object_mut $name:ident($args:ty) => $work:path; $($rest:tt)*) => {
        $crate::ddi::edge::entries! { @ [$(#[$meta])*] $name(object: wddm::HANDLE, args: *mut $args) -> wddm::NTSTATUS,
            $crate::ddi::edge::object_mut(object, args, $work) }
        $crate::ddi::edge::entries! { $($rest)* }
    };
    ($(#[$meta:meta])* handle $name:ident => $work:path; $($rest:tt)*) => {
        $crate::ddi::edge::entries! { @ [$(#[$meta])*] $name(adapter: wddm::HANDLE, object: wddm::HANDLE) -> wddm::NTSTATUS,
            $crate::ddi::edge::adapter(adapter, |started| $work(started, object)) }
        $crate::ddi::edge::entries! { $($rest)* }
    };
    ($(#[$meta:meta])* close $name:ident => $work:path; $($rest:tt)*) => {
        $crate::ddi::edge::entries! { @ [$(#[$meta])*] $name(object: wddm::HANDLE) -> wddm::NTSTATUS,
            $crate::ddi::edge::object(object, &(), |started, object, ()| $work(started, object)) }
        $crate::ddi::edge::entries! { $($rest)* }
    };
    ($(#[$meta:meta])* adapter $name:ident => $work:path; $($rest:tt)*) => {
        $crate::ddi::edge::entries! { @ [$(#[$meta])*] $name(adapter: wddm::HANDLE) -> wddm::NTSTATUS,
            $crate::ddi::edge::adapter(adapter, $work) }
        $crate::ddi::edge::entries! { $($rest)* }
    };
    (@ [$(#[$meta:meta])*] $name:ident($($arg:ident: $type:ty),*) -> $ret:ty, $call:expr) => {
        wddm::ddi! {
            $(#[$meta])*
            #[allow(unsafe_code, reason = "a callback takes Dxgkrnl's pointers; edge validates them")]
            pub(crate) unsafe fn $name($($arg: $type),*) -> $ret {
                // SAFETY: a callback's own handle and arguments.
                unsafe { $call }
            }
        }
    };
}

pub(crate) use entries;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_there_aligned_and_of_a_size_that_can_be() {
        let words = [1u64, 2];
        let there = words.as_ptr();
        let (null, odd) = (core::ptr::null::<u64>(), there.wrapping_byte_add(1));
        assert_eq!(check(there, 2), Ok(()));
        for (pointer, count) in [(null, 2), (odd, 1), (there, usize::MAX / 8), (there, usize::MAX)] {
            assert_eq!(check(pointer, count), Err(Error::InvalidParameter), "{pointer:p} {count}");
        }
        // SAFETY: nothing is read of no elements.
        assert_eq!(unsafe { slice(null, 0) }, Ok(&[][..]));
        // SAFETY: two words are there.
        assert_eq!(unsafe { slice(there, 2) }, Ok(&words[..]));
    }
}
