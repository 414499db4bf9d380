//! The few services the simulated kernel needs of the machine it runs on.

use alloc::boxed::Box;
use core::fmt;
use core::sync::atomic::AtomicUsize;

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
