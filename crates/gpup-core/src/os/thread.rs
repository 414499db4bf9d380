//! Events and system threads, in the form the adapter uses them.

use alloc::boxed::Box;

use super::{RawEvent, RawThread, os};
use crate::Result;

/// An auto-reset event.
pub struct Event(Box<dyn RawEvent>);

impl Event {
    /// An unset event.
    pub fn new() -> Result<Self> {
        Ok(Self(os().event()?))
    }

    /// Lets one waiter through, now or when it comes.
    pub fn signal(&self) {
        self.0.signal();
    }

    /// Waits for a signal, `timeout_ns` nanoseconds at most; true if it came.
    pub fn wait(&self, timeout_ns: u64) -> bool {
        self.0.wait(timeout_ns)
    }
}

/// A system thread. Dropping it waits for its end: tell the body to stop first.
pub struct Thread(Box<dyn RawThread>);

impl Thread {
    /// Starts `body`.
    pub fn spawn(name: &'static str, body: impl FnOnce() + Send + 'static) -> Result<Self> {
        Ok(Self(os().spawn(name, Box::new(body))?))
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.0.join();
    }
}
