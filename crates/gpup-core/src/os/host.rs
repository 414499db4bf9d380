//! The operating system of a host process: std's threads, clock and memory.
//!
//! UNSAFETY: hands out and takes back page-aligned memory.
#![expect(unsafe_code)]
// These panic when nobody can read.
#![deny(clippy::print_stdout, clippy::print_stderr)]

extern crate std;

use alloc::boxed::Box;
use core::cell::Cell;
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::io::Write;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use super::{Level, Os, Purpose, RawEvent, RawThread, Trace, host_trace, level};
use crate::{Error, PAGE_SIZE, Result};

/// Installs the host's operating system below the adapter; calling it again does nothing.
pub fn install() {
    super::install(&HostOs);
}

std::thread_local! {
    /// Which thread that this thread starts from now on cannot be made; 0 = none.
    static FAIL_THREAD: Cell<u32> = const { Cell::new(0) };
}

/// The `nth` thread that the calling thread starts from now on cannot be made, for tests; 0 = all can.
pub fn fail_thread(nth: u32) {
    FAIL_THREAD.set(nth);
}

/// std as an operating system below the driver.
pub struct HostOs;

/// Spins before a waiter starts to yield: about as long as the longest short critical section.
const SPINS: u32 = 100;
/// Yields before a waiter starts to sleep.
const YIELDS: u32 = 1000;

fn acquire(word: &AtomicUsize) {
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

/// Room for the pages and for one more, in which they are aligned and whose last word keeps where it began.
///
/// Zeroed memory of ordinary alignment comes from the kernel untouched; of page alignment it would be written.
fn page_layout(bytes: usize) -> Option<Layout> {
    let room = bytes.checked_add(PAGE_SIZE as usize).filter(|_| bytes > 0)?;
    Layout::from_size_align(room, 16).ok()
}

impl Os for HostOs {
    fn now(&self) -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn lock(&self, word: &AtomicUsize) {
        level::may_block();
        acquire(word);
    }

    fn unlock(&self, word: &AtomicUsize) {
        word.store(0, Ordering::Release);
    }

    fn spin_lock(&self, word: &AtomicUsize) -> u8 {
        let before = level::spin();
        acquire(word);
        before
    }

    fn spin_unlock(&self, word: &AtomicUsize, irql: u8) {
        word.store(0, Ordering::Release);
        level::unspin(irql);
    }

    fn event(&self) -> Result<Box<dyn RawEvent>> {
        Ok(Box::new(HostEvent::default()))
    }

    fn spawn(&self, name: &'static str, body: Box<dyn FnOnce() + Send>) -> Result<Box<dyn RawThread>> {
        level::may_block();
        let left = FAIL_THREAD.get();
        FAIL_THREAD.set(left.saturating_sub(1));
        if left == 1 {
            return Err(Error::NoResources);
        }
        let thread =
            std::thread::Builder::new().name(name.into()).spawn(body).map_err(|_| Error::NoResources)?;
        Ok(Box::new(HostThread(Mutex::new(Some(thread)))))
    }

    fn yield_now(&self) {
        level::may_block();
        std::thread::yield_now();
    }

    /// Far longer than any machine takes: here a thread may be kept from running for as long as the machine is busy.
    fn patience_ns(&self) -> u64 {
        600_000_000_000
    }

    fn allocate_pages(&self, _purpose: Purpose, bytes: usize) -> *mut u8 {
        let Some(layout) = page_layout(bytes) else { return core::ptr::null_mut() };
        // SAFETY: the layout's size is not zero.
        let room = unsafe { alloc_zeroed(layout) };
        if room.is_null() {
            return room;
        }
        let skip = PAGE_SIZE as usize - room.addr() % PAGE_SIZE as usize;
        // SAFETY: `skip` is at most a page, and the room is a page longer than the pages.
        let pages = unsafe { room.add(skip) };
        // SAFETY: `skip` is at least 16, for `room` is aligned to 16, so the word before lies in the room.
        let keep = unsafe { pages.cast::<*mut u8>().sub(1) };
        // SAFETY: `keep` is aligned and inside the room, which nobody else knows yet.
        unsafe { keep.write(room) };
        pages
    }

    unsafe fn free_pages(&self, _purpose: Purpose, pages: *mut u8, bytes: usize) {
        let Some(layout) = page_layout(bytes) else { return };
        // SAFETY: allocate_pages left the word before the pages.
        let keep = unsafe { pages.cast::<*mut u8>().sub(1) };
        // SAFETY: as above; it holds where the room began.
        let room = unsafe { keep.read() };
        // SAFETY: the caller gives back memory of allocate_pages, made with this same layout.
        unsafe { dealloc(room, layout) }
    }

    fn allocate_contiguous(&self, bytes: usize) -> *mut u8 {
        // What is contiguous by virtual address is so by physical address, which is the same here.
        self.allocate_pages(Purpose::Vram, bytes)
    }

    unsafe fn free_contiguous(&self, pages: *mut u8, bytes: usize) {
        // SAFETY: the caller gives back memory of allocate_contiguous, which is allocate_pages.
        unsafe { self.free_pages(Purpose::Vram, pages, bytes) }
    }

    fn map_system(&self, physical: u64, _bytes: usize) -> *mut u8 {
        // A host process has no physical addresses: the simulated kernel above uses virtual ones for them.
        core::ptr::with_exposed_provenance_mut(physical as usize)
    }

    fn unmap_system(&self, _mapping: *mut u8, _bytes: usize) {}

    fn log(&self, level: Level, line: fmt::Arguments<'_>) {
        if level <= log_level() {
            match SINK.get() {
                Some(sink) => sink(format_args!("gpup_kmd: {line}")),
                // Who reads it may be gone or full, which is nothing to the driver.
                None => drop(std::io::stderr().write_all(alloc::format!("gpup_kmd: {line}\n").as_bytes())),
            }
        }
    }

    fn trace(&self, trace: &Trace) {
        self.log(trace.event.level(), format_args!("{trace}"));
        if super::is_traced(trace.event.level()) {
            host_trace::emit(trace);
        }
    }
}

/// How much is said, once it is decided.
static LOG_LEVEL: OnceLock<Level> = OnceLock::new();

/// Who gets the driver's lines, instead of standard error.
static SINK: OnceLock<fn(fmt::Arguments<'_>)> = OnceLock::new();

/// Gives the driver's lines to `sink`, which never waits: they are said from whatever thread is at work.
pub fn say_to(sink: fn(fmt::Arguments<'_>)) {
    // The first one has it.
    let _ = SINK.set(sink);
}

/// Makes the driver say errors only, unless GPUP_KMD_LOG asks for something: for those who provoke what it warns of.
pub fn hush() {
    if std::env::var_os("GPUP_KMD_LOG").is_none() {
        // Where something was said already, what is said stays as it is.
        let _ = LOG_LEVEL.set(Level::Error);
    }
}

/// How much the driver says on standard error: GPUP_KMD_LOG = error, warning (the default), info or debug.
fn log_level() -> Level {
    *LOG_LEVEL.get_or_init(|| match std::env::var("GPUP_KMD_LOG").as_deref() {
        Ok("error") => Level::Error,
        Ok("info") => Level::Info,
        Ok("debug") => Level::Debug,
        _ => Level::Warning,
    })
}

#[derive(Default)]
struct HostEvent {
    set: Mutex<bool>,
    changed: Condvar,
}

impl RawEvent for HostEvent {
    fn signal(&self) {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    fn wait(&self, timeout_ns: u64) -> bool {
        if timeout_ns > 0 {
            level::may_block();
        }
        let set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut set, _) = self
            .changed
            .wait_timeout_while(set, Duration::from_nanos(timeout_ns), |set| !*set)
            .unwrap_or_else(PoisonError::into_inner);
        core::mem::take(&mut *set)
    }
}

struct HostThread(Mutex<Option<JoinHandle<()>>>);

impl RawThread for HostThread {
    fn join(&self) {
        level::may_block();
        let thread = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panicking body has printed its message; the one who waits need not die of it too.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_lets_one_waiter_through_per_signal() {
        let event = HostOs.event().unwrap();
        event.signal();
        assert!(event.wait(0));
        assert!(!event.wait(1_000));
    }

    #[test]
    fn pages_are_zeroed_and_aligned() {
        let pages = HostOs.allocate_pages(Purpose::Dirty, 8192);
        assert_eq!(pages as usize % 4096, 0);
        // SAFETY: two pages were just allocated.
        let bytes = unsafe { core::slice::from_raw_parts(pages, 8192) };
        assert!(bytes.iter().all(|byte| *byte == 0));
        // SAFETY: they came from allocate_pages(8192) and the slice above is no longer used.
        unsafe { HostOs.free_pages(Purpose::Dirty, pages, 8192) };
    }
}
