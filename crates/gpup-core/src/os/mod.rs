//! What the adapter needs of an operating system, and the locks, events and threads built on it.
//!
//! One [`Os`] serves the whole image: DriverEntry installs it before anything else runs. On NT it is
//! made of push locks, spin locks, events and system threads; on a host of std's.

mod limit;
mod lock;
mod thread;
mod trace;

#[cfg(any(test, feature = "std"))]
pub mod host;
#[cfg(any(test, feature = "std"))]
mod host_trace;
#[cfg(any(test, feature = "std"))]
pub mod level;

use alloc::boxed::Box;
use core::fmt;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

pub use limit::{is_traced, limit_traces};
pub use lock::{Mutex, MutexGuard, SpinGuard, SpinLock};
pub use thread::{Event, Thread};
pub use trace::{Trace, TraceEvent, part_fields, role_of};

use crate::Result;

/// Importance of a line in the debug log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something was refused or failed.
    Error,
    /// Something a person should know.
    Warning,
    /// A change of state.
    Info,
    /// Detail for debugging.
    Debug,
}

/// What pages are for; NT keeps each apart under a pool tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Simulated VRAM.
    Vram,
    /// Dirty planes and re-dirty ledgers.
    Dirty,
}

/// An auto-reset event: one `signal` lets one `wait` through.
pub trait RawEvent: Send + Sync {
    /// Sets the event. Callable at any IRQL up to DISPATCH_LEVEL.
    fn signal(&self);
    /// Waits until the event is set or `timeout_ns` nanoseconds passed; true if it was set. PASSIVE_LEVEL.
    fn wait(&self, timeout_ns: u64) -> bool;
}

/// A running system thread.
pub trait RawThread: Send + Sync {
    /// Waits until the thread's body has returned. PASSIVE_LEVEL.
    fn join(&self);
}

/// The services of the operating system below the driver.
pub trait Os: Sync {
    /// Monotonic clock in nanoseconds. Any IRQL.
    fn now(&self) -> u64;
    /// Takes the blocking lock kept in `word` (zero when free). PASSIVE_LEVEL.
    fn lock(&self, word: &AtomicUsize);
    /// Gives back the lock in `word`.
    fn unlock(&self, word: &AtomicUsize);
    /// Takes the spin lock kept in `word`, raising to DISPATCH_LEVEL; the answer is the IRQL before.
    fn spin_lock(&self, word: &AtomicUsize) -> u8;
    /// Gives back the spin lock and the IRQL.
    fn spin_unlock(&self, word: &AtomicUsize, irql: u8);
    /// Makes an unset event.
    fn event(&self) -> Result<Box<dyn RawEvent>>;
    /// Starts a system thread. PASSIVE_LEVEL.
    fn spawn(&self, name: &'static str, body: Box<dyn FnOnce() + Send>) -> Result<Box<dyn RawThread>>;
    /// Gives the processor to another thread for a moment. PASSIVE_LEVEL.
    fn yield_now(&self);
    /// How long a call of the operating system's may wait for an engine that does what it always does at once, in
    /// nanoseconds: a small part of what the operating system lets a thread stay in the driver.
    fn patience_ns(&self) -> u64;
    /// Allocates `bytes` of zeroed, page-aligned, non-paged memory; null when there is none.
    fn allocate_pages(&self, purpose: Purpose, bytes: usize) -> *mut u8;
    /// Frees what [`Os::allocate_pages`] gave.
    ///
    /// # Safety
    /// `pages` came from `allocate_pages(purpose, bytes)` and nothing uses it any more.
    #[expect(unsafe_code, reason = "freeing memory is the caller's promise")]
    unsafe fn free_pages(&self, purpose: Purpose, pages: *mut u8, bytes: usize);
    /// As [`Os::allocate_pages`], of memory whose physical addresses follow each other too.
    fn allocate_contiguous(&self, bytes: usize) -> *mut u8;
    /// Frees what [`Os::allocate_contiguous`] gave.
    ///
    /// # Safety
    /// `pages` came from `allocate_contiguous(bytes)` and nothing uses it any more.
    #[expect(unsafe_code, reason = "freeing memory is the caller's promise")]
    unsafe fn free_contiguous(&self, pages: *mut u8, bytes: usize);
    /// Maps `bytes` of system memory at a physical address; null when it cannot be reached.
    /// The mapping never crosses a page: `physical % 4096 + bytes <= 4096`.
    fn map_system(&self, physical: u64, bytes: usize) -> *mut u8;
    /// Takes back a mapping of [`Os::map_system`].
    fn unmap_system(&self, mapping: *mut u8, bytes: usize);
    /// Writes a line to the debug log. Any IRQL.
    fn log(&self, level: Level, line: fmt::Arguments<'_>);
    /// Tells an event: to whatever takes events with fields, and as a line of the debug log. Up to DISPATCH_LEVEL.
    fn trace(&self, trace: &Trace) {
        self.log(trace.event.level(), format_args!("{trace}"));
    }
}

/// A thin place for the fat reference to the installed [`Os`].
struct Installed(&'static dyn Os);

static OS: AtomicPtr<Installed> = AtomicPtr::new(core::ptr::null_mut());

/// Installs the operating system below the adapter. The first one stays.
pub fn install(os: &'static dyn Os) {
    let fresh = Box::into_raw(Box::new(Installed(os)));
    if OS.compare_exchange(core::ptr::null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire).is_err() {
        #[expect(unsafe_code, reason = "takes back the box that lost the race")]
        // SAFETY: `fresh` came from Box::into_raw above and was never shared.
        drop(unsafe { Box::from_raw(fresh) });
    }
}

/// Forgets the installed operating system and frees what `install` allocated: the last step of Unload.
pub fn uninstall() {
    let old = OS.swap(core::ptr::null_mut(), Ordering::AcqRel);
    if !old.is_null() {
        #[expect(unsafe_code, reason = "takes back the box of install")]
        // SAFETY: a non-null pointer in OS came from Box::into_raw in `install` and was swapped out once.
        drop(unsafe { Box::from_raw(old) });
    }
}

/// The installed operating system.
///
/// # Panics
/// When nothing was installed: a defect of DriverEntry, never of an input.
pub fn os() -> &'static dyn Os {
    let installed = OS.load(Ordering::Acquire);
    assert!(!installed.is_null(), "gpup_core::os::install was not called");
    #[expect(unsafe_code, reason = "reads the installed reference")]
    // SAFETY: a non-null pointer in OS stays valid until `uninstall`, which runs after every user is gone.
    let installed = unsafe { &*installed };
    installed.0
}

/// Monotonic clock in nanoseconds.
pub fn now() -> u64 {
    os().now()
}

/// Writes a line to the debug log.
pub fn log(level: Level, line: fmt::Arguments<'_>) {
    os().log(level, line);
}

/// Tells an event of an adapter. Up to DISPATCH_LEVEL.
pub fn trace(adapter: u32, event: TraceEvent) {
    os().trace(&Trace { adapter, event });
}
