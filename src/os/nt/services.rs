//! What the adapter asks of NT.
//!
//! UNSAFETY: takes memory and mappings back that the caller vouches for.
#![expect(unsafe_code)]

use alloc::boxed::Box;
use core::fmt;
use core::sync::atomic::AtomicUsize;

use gpup_core::os::{Level, Os, Purpose, RawEvent, RawThread, Trace};
use gpup_core::{Error, Result};

use super::{log, memory};

/// NT below the driver.
pub(super) struct Nt;

/// Stops a build with debug assertions where something blocks that must not.
fn may_block() {
    debug_assert!(nt::irql::current() <= nt::irql::APC_LEVEL, "blocks above APC_LEVEL");
}

impl Os for Nt {
    fn now(&self) -> u64 {
        nt::clock::now()
    }

    fn lock(&self, word: &AtomicUsize) {
        may_block();
        nt::lock::acquire(word);
    }

    fn unlock(&self, word: &AtomicUsize) {
        nt::lock::release(word);
    }

    fn spin_lock(&self, word: &AtomicUsize) -> u8 {
        nt::lock::spin(word)
    }

    fn spin_unlock(&self, word: &AtomicUsize, irql: u8) {
        nt::lock::unspin(word, irql);
    }

    fn event(&self) -> Result<Box<dyn RawEvent>> {
        let event = nt::event::Event::new().ok_or(Error::NoResources)?;
        Ok(nt::try_box(Event(event)).ok_or(Error::NoResources)?)
    }

    fn spawn(&self, name: &'static str, body: Box<dyn FnOnce() + Send>) -> Result<Box<dyn RawThread>> {
        may_block();
        let thread = nt::thread::Thread::spawn(body).map_err(|status| {
            log::write(Level::Error, format_args!("{name} does not start: {status:#010x}"));
            Error::NoResources
        })?;
        // The thread runs already; a box of one handle is small enough for the reserve.
        Ok(Box::new(Thread(thread)))
    }

    fn yield_now(&self) {
        may_block();
        nt::thread::yield_now();
    }

    /// TdrDdiDelay is 5 s, and ResetFromTimeout waits for four things of so long: for either engine's reset, and for either
    /// engine to stand still. "Testing and debugging TDR during driver development".
    fn patience_ns(&self) -> u64 {
        500_000_000
    }

    fn allocate_pages(&self, purpose: Purpose, bytes: usize) -> *mut u8 {
        memory::tag(purpose).allocate_pages(bytes)
    }

    unsafe fn free_pages(&self, purpose: Purpose, pages: *mut u8, bytes: usize) {
        // SAFETY: the caller gives back memory of allocate_pages(bytes) with the same purpose.
        unsafe { memory::tag(purpose).free_pages(pages, bytes) };
    }

    fn allocate_contiguous(&self, bytes: usize) -> *mut u8 {
        memory::BARS.allocate(bytes)
    }

    unsafe fn free_contiguous(&self, pages: *mut u8, bytes: usize) {
        // SAFETY: the caller gives back memory of allocate_contiguous(bytes).
        unsafe { memory::BARS.free(pages, bytes) };
    }

    fn map_system(&self, physical: u64, _bytes: usize) -> *mut u8 {
        memory::map_system(physical)
    }

    fn unmap_system(&self, mapping: *mut u8, _bytes: usize) {
        // SAFETY: the caller gives back a mapping of map_system.
        unsafe { memory::FRAMES.unmap(mapping) };
    }

    fn log(&self, level: Level, line: fmt::Arguments<'_>) {
        log::write(level, line);
    }

    fn trace(&self, trace: &Trace) {
        log::trace(trace);
    }
}

struct Event(nt::event::Event);

impl RawEvent for Event {
    fn signal(&self) {
        self.0.signal();
    }

    fn wait(&self, timeout_ns: u64) -> bool {
        if timeout_ns > 0 {
            may_block();
        }
        self.0.wait(timeout_ns)
    }
}

struct Thread(nt::thread::Thread);

impl RawThread for Thread {
    fn join(&self) {
        may_block();
        self.0.join();
    }
}
