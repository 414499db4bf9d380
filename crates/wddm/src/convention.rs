//! The calling convention of the interface, written once.
//!
//! Every callback in both directions is `win64` on x86-64, on every operating system: `extern "C"` and
//! `extern "system"` mean the System V convention on Linux, where the simulated Dxgkrnl and the tests run. Other
//! CPUs have no `win64`; there the C convention is what Windows itself uses.
//!
//! * [`ddi!`](crate::ddi) defines functions with it,
//! * [`ddi_type!`](crate::ddi_type) names a function pointer type with it.

/// Calls a macro with the ABI string in front of its arguments.
#[cfg(target_arch = "x86_64")]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_convention {
    ([$($callee:tt)+] $($args:tt)*) => { $($callee)+ ! { "win64" $($args)* } };
}

/// Calls a macro with the ABI string in front of its arguments.
#[cfg(not(target_arch = "x86_64"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_convention {
    ([$($callee:tt)+] $($args:tt)*) => { $($callee)+ ! { "C" $($args)* } };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __ddi_type {
    ($abi:literal $($arg:ty),* ; $ret:ty) => { unsafe extern $abi fn($($arg),*) -> $ret };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __ddi_fn {
    ($abi:literal [$($meta:tt)*] [$vis:vis] [$($unsafety:ident)?] $name:ident
        [$($arg:ident : $type:ty,)*] $ret:ty, $body:block) => {
        $($meta)*
        $vis $($unsafety)? extern $abi fn $name($($arg: $type),*) -> $ret $body
    };
}

/// The function pointer type with the interface's calling convention.
///
/// ```
/// use wddm::{BOOLEAN, PVOID};
/// type Routine = wddm::ddi_type!(unsafe fn(PVOID) -> BOOLEAN);
/// ```
#[macro_export]
macro_rules! ddi_type {
    (unsafe fn($($arg:ty),* $(,)?)) => {
        $crate::__with_convention! { [$crate::__ddi_type] $($arg),* ; () }
    };
    (unsafe fn($($arg:ty),* $(,)?) -> $ret:ty) => {
        $crate::__with_convention! { [$crate::__ddi_type] $($arg),* ; $ret }
    };
}

/// Defines functions with the interface's calling convention, whatever the CPU.
///
/// A function may be safe (one that only looks handles up) or unsafe (one that follows pointers); both coerce to the
/// callback types of this crate.
///
/// ```
/// use wddm::{DXGKDDI_ENDLIVEMIGRATION, HANDLE, NTSTATUS, STATUS_NOT_SUPPORTED};
///
/// wddm::ddi! {
///     /// Refuses to end what never began.
///     pub fn end_live_migration(_adapter: HANDLE, _vf_index: u32) -> NTSTATUS {
///         STATUS_NOT_SUPPORTED
///     }
/// }
///
/// let slot: DXGKDDI_ENDLIVEMIGRATION = end_live_migration;
/// # let _ = slot;
/// ```
#[macro_export]
macro_rules! ddi {
    () => {};
    ($(#[$meta:meta])* $vis:vis unsafe fn $name:ident($($arg:ident : $type:ty),* $(,)?) $body:block $($rest:tt)*) => {
        $crate::__with_convention! { [$crate::__ddi_fn] [$(#[$meta])*] [$vis] [unsafe] $name [$($arg: $type,)*] (), $body }
        $crate::ddi! { $($rest)* }
    };
    ($(#[$meta:meta])* $vis:vis unsafe fn $name:ident($($arg:ident : $type:ty),* $(,)?) -> $ret:ty $body:block $($rest:tt)*) => {
        $crate::__with_convention! { [$crate::__ddi_fn] [$(#[$meta])*] [$vis] [unsafe] $name [$($arg: $type,)*] $ret, $body }
        $crate::ddi! { $($rest)* }
    };
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident : $type:ty),* $(,)?) $body:block $($rest:tt)*) => {
        $crate::__with_convention! { [$crate::__ddi_fn] [$(#[$meta])*] [$vis] [] $name [$($arg: $type,)*] (), $body }
        $crate::ddi! { $($rest)* }
    };
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident : $type:ty),* $(,)?) -> $ret:ty $body:block $($rest:tt)*) => {
        $crate::__with_convention! { [$crate::__ddi_fn] [$(#[$meta])*] [$vis] [] $name [$($arg: $type,)*] $ret, $body }
        $crate::ddi! { $($rest)* }
    };
}
