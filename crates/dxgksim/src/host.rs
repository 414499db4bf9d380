//! The few services the simulated kernel needs of the machine it runs on.

mod patience;
mod sync;

#[cfg(feature = "std")]
pub mod std_host;

use alloc::boxed::Box;
use core::fmt;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

pub use patience::Patience;
pub use sync::{Event, Mutex, MutexGuard, Thread};

/// An auto-reset event.
pub trait RawEvent: Send + Sync {
    /// Lets one waiter through, now or when it comes.
    fn signal(&self);
    /// Waits for a signal, `timeout_ns` nanoseconds at most; true if it came.
    fn wait(&self, timeout_ns: u64) -> bool;
}

/// A running thread.
pub trait RawThread: Send + Sync {
    /// Waits for the thread's end.
    fn join(&self);
}

/// The machine below the simulated kernel.
pub trait Host: Sync {
    /// Monotonic clock in nanoseconds.
    fn now(&self) -> u64;
    /// Takes the lock kept in `word` (zero when free), waiting as long as it takes.
    fn lock(&self, word: &AtomicUsize);
    /// Gives it back.
    fn unlock(&self, word: &AtomicUsize);
    /// Makes an unset event.
    fn event(&self) -> Box<dyn RawEvent>;
    /// Starts a thread; `None` when there is none to be had.
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> Option<Box<dyn RawThread>>;
    /// Gives the processor away for `ns` nanoseconds.
    fn sleep(&self, ns: u64);
    /// A number that names the calling thread.
    fn thread_id(&self) -> u64;
    /// Writes a line to the log.
    fn log(&self, line: fmt::Arguments<'_>);
}

/// A thin place for the fat reference to the installed [`Host`].
struct Installed(&'static dyn Host);

static HOST: AtomicPtr<Installed> = AtomicPtr::new(core::ptr::null_mut());

/// Installs the machine below the simulated kernel. The first one stays.
pub fn install(host: &'static dyn Host) {
    let fresh = Box::into_raw(Box::new(Installed(host)));
    if HOST.compare_exchange(core::ptr::null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire).is_err() {
        #[expect(unsafe_code, reason = "takes back the box that lost the race")]
        // SAFETY: `fresh` came from Box::into_raw above and was never shared.
        drop(unsafe { Box::from_raw(fresh) });
    }
}

/// The machine below the simulated kernel.
///
/// # Panics
/// When none was installed.
pub fn host() -> &'static dyn Host {
    let installed = HOST.load(Ordering::Acquire);
    assert!(!installed.is_null(), "dxgksim::host::install was not called");
    #[expect(unsafe_code, reason = "reads the installed reference")]
    // SAFETY: a non-null pointer in HOST came from Box::into_raw and is never freed.
    let installed = unsafe { &*installed };
    installed.0
}

/// Monotonic clock in nanoseconds.
pub fn now() -> u64 {
    host().now()
}

/// Gives the processor away for `ns` nanoseconds; for a moment when zero.
pub fn sleep(ns: u64) {
    host().sleep(ns);
}

/// One second in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;
/// One millisecond in nanoseconds.
pub const MILLISECOND: u64 = 1_000_000;
