//! A host process as the machine below the simulated kernel: std's threads, locks and clock.

// These panic when nobody can read.
#![deny(clippy::print_stdout, clippy::print_stderr)]

extern crate std;

use alloc::boxed::Box;
use alloc::string::ToString;
use core::fmt;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;
use std::io::Write;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use super::{Host, RawEvent, RawThread};

/// Installs the host process below the simulated kernel; calling it again does nothing.
pub fn install() {
    super::install(&StdHost);
}

/// std as a [`Host`].
pub struct StdHost;

/// Spins before a waiter starts to yield.
const SPINS: u32 = 100;
/// Yields before a waiter starts to sleep.
const YIELDS: u32 = 1000;

impl Host for StdHost {
    fn now(&self) -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn lock(&self, word: &AtomicUsize) {
        let mut tries = 0u32;
        while word.compare_exchange_weak(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            tries = tries.saturating_add(1);
            match tries {
                0..SPINS => core::hint::spin_loop(),
                SPINS..YIELDS => std::thread::yield_now(),
                _ => std::thread::sleep(Duration::from_micros(50)),
            }
        }
    }

    fn unlock(&self, word: &AtomicUsize) {
        word.store(0, Ordering::Release);
    }

    fn event(&self) -> Box<dyn RawEvent> {
        Box::new(StdEvent::default())
    }

    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> Option<Box<dyn RawThread>> {
        let thread = std::thread::Builder::new().name(name.to_string()).spawn(body).ok()?;
        Some(Box::new(StdThread(Mutex::new(Some(thread)))))
    }

    fn sleep(&self, ns: u64) {
        if ns == 0 {
            std::thread::yield_now();
        } else {
            std::thread::sleep(Duration::from_nanos(ns));
        }
    }

    fn thread_id(&self) -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        std::thread_local! {
            static ID: u64 = NEXT.fetch_add(1, Ordering::Relaxed);
        }
        // A thread on its way out has lost its number; nobody else has this one.
        ID.try_with(|id| *id).unwrap_or(u64::MAX)
    }

    fn log(&self, line: fmt::Arguments<'_>) {
        static ON: OnceLock<bool> = OnceLock::new();
        if *ON.get_or_init(|| std::env::var_os("DXGKSIM_LOG").is_some()) {
            match SINK.get() {
                Some(sink) => sink(format_args!("dxgksim: {line}")),
                // Who reads it may be gone or full, which is nothing to the kernel.
                None => drop(std::io::stderr().write_all(alloc::format!("dxgksim: {line}\n").as_bytes())),
            }
        }
    }
}

/// Who gets the kernel's lines, instead of standard error.
static SINK: OnceLock<fn(fmt::Arguments<'_>)> = OnceLock::new();

/// Gives the kernel's lines to `sink`, which never waits: they are said from whatever thread is at work.
pub fn say_to(sink: fn(fmt::Arguments<'_>)) {
    // The first one has it.
    let _ = SINK.set(sink);
}

#[derive(Default)]
struct StdEvent {
    set: Mutex<bool>,
    changed: Condvar,
}

impl RawEvent for StdEvent {
    fn signal(&self) {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    fn wait(&self, timeout_ns: u64) -> bool {
        let set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut set, _) = self
            .changed
            .wait_timeout_while(set, Duration::from_nanos(timeout_ns), |set| !*set)
            .unwrap_or_else(PoisonError::into_inner);
        core::mem::take(&mut *set)
    }
}

struct StdThread(Mutex<Option<JoinHandle<()>>>);

impl RawThread for StdThread {
    fn join(&self) {
        let thread = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            if thread.thread().id() == std::thread::current().id() {
                // The last owner of the object is the thread's own body: it ends by itself.
                return;
            }
            // A panicking body has printed its message; the one who waits need not die of it too.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Event, Mutex, Thread};
    use alloc::sync::Arc;

    #[test]
    fn a_mutex_counts_right_and_an_event_lets_one_through() {
        super::install();
        let shared = Arc::new((Mutex::new(0u32), Event::default()));
        let threads: [Thread; 4] = core::array::from_fn(|_| {
            let shared = Arc::clone(&shared);
            Thread::spawn("count", move || {
                for _ in 0..1000 {
                    *shared.0.lock() += 1;
                }
                shared.1.signal();
            })
            .unwrap()
        });
        drop(threads);
        assert_eq!(*shared.0.lock(), 4000);
        assert!(shared.1.wait(0));
        assert!(!shared.1.wait(0));
    }
}
