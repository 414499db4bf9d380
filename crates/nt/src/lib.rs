//! Thin safe wrappers of the kernel primitives that this project's drivers use, over the genuine wdk-sys.
//!
//! | module | wraps | IRQL |
//! |---|---|---|
//! | `pool` | ExAllocatePool2 under tags that count; the global allocator; contiguous memory | <= DISPATCH_LEVEL |
//! | `event`, `thread` | KEVENT, system threads, sleeping | PASSIVE_LEVEL; setting an event <= DISPATCH_LEVEL |
//! | `lock` | push locks and spin locks kept in a bare word | < DISPATCH_LEVEL; <= DISPATCH_LEVEL |
//! | `irql` | raising and lowering the IRQL | any |
//! | `clock` | the performance counter | any |
//! | `mdl`, `io` | descriptor lists, mapped frames and device memory | <= DISPATCH_LEVEL |
//! | `registry`, `device`, `security` | what a driver asks of the system | PASSIVE_LEVEL |
//! | `print` | text in the debugger | any |
//!
//! On other systems only what is portable remains: the arithmetic, and its tests. Nothing here lies in a paged
//! section, so what may run at DISPATCH_LEVEL can.

#![no_std]

#[cfg(windows)]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod clock;
pub mod pool;
pub mod print;
#[macro_use]
pub mod wide;

#[cfg(windows)]
mod boxed;
#[cfg(windows)]
pub mod device;
#[cfg(windows)]
pub mod event;
#[cfg(windows)]
mod exports;
#[cfg(windows)]
pub mod fields;
#[cfg(windows)]
pub mod io;
#[cfg(windows)]
pub mod irql;
#[cfg(windows)]
pub mod lock;
#[cfg(windows)]
pub mod mdl;
#[cfg(windows)]
pub mod registry;
#[cfg(windows)]
pub mod security;
#[cfg(windows)]
pub mod thread;

#[cfg(windows)]
pub use boxed::try_box;
#[cfg(windows)]
pub use wdk_sys::NTSTATUS;

/// `Ok` for a success or informational status, the status otherwise.
#[cfg(windows)]
pub fn check(status: NTSTATUS) -> Result<(), NTSTATUS> {
    if wdk_sys::NT_SUCCESS(status) { Ok(()) } else { Err(status) }
}
