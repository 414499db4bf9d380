//! The kernel as the machine below the simulated one.

use alloc::boxed::Box;
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

use dxgksim::host::{Host, RawEvent, RawThread};
use nt::print::{Level, line};

struct Nt;

/// Spins before a waiter starts to yield.
const SPINS: u32 = 100;
/// Yields before a waiter starts to sleep.
const YIELDS: u32 = 1000;
/// How long it sleeps then, in nanoseconds.
const NAP_NS: u64 = 100_000;

/// Installs it.
pub(super) fn install() {
    dxgksim::host::install(&Nt);
}

impl Host for Nt {
    fn now(&self) -> u64 {
        nt::clock::now()
    }

    fn lock(&self, word: &AtomicUsize) {
        // Not a push lock: the simulated Dxgkrnl takes its locks in NotifyInterrupt too, at a device's level. Only a
        // kernel whose levels are a number, Wine's, can be waited in there, and no other loads this driver.
        let mut tries = 0u32;
        while word.compare_exchange_weak(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            tries = tries.saturating_add(1);
            match tries {
                0..SPINS => core::hint::spin_loop(),
                SPINS..YIELDS => nt::thread::yield_now(),
                _ => nt::thread::sleep(NAP_NS),
            }
        }
    }

    fn unlock(&self, word: &AtomicUsize) {
        word.store(0, Ordering::Release);
    }

    fn event(&self) -> Box<dyn RawEvent> {
        let event = nt::event::Event::new();
        Box::new(NtEvent(event.unwrap_or_else(|| panic!("no memory for an event"))))
    }

    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> Option<Box<dyn RawThread>> {
        match nt::thread::Thread::spawn(body) {
            Ok(thread) => Some(Box::new(NtThread(thread))),
            Err(status) => {
                line(Level::Error, format_args!("dxgkrnl: no thread '{name}': {status:#x}"));
                None
            }
        }
    }

    fn sleep(&self, ns: u64) {
        match ns {
            0 => nt::thread::yield_now(),
            ns => nt::thread::sleep(ns),
        }
    }

    fn thread_id(&self) -> u64 {
        nt::thread::current_id() as u64
    }

    fn log(&self, text: fmt::Arguments<'_>) {
        line(Level::Info, format_args!("dxgkrnl: {text}"));
    }
}

struct NtEvent(nt::event::Event);

impl RawEvent for NtEvent {
    fn signal(&self) {
        self.0.signal();
    }

    fn wait(&self, timeout_ns: u64) -> bool {
        self.0.wait(timeout_ns)
    }
}

struct NtThread(nt::thread::Thread);

impl RawThread for NtThread {
    fn join(&self) {
        self.0.join();
    }
}
