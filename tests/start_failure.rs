//! StartDevice fails at each thing it needs, undoes what it had done, and succeeds the next time.
//!
//! UNSAFETY: an allocator that fails when it is told to, and counts.
#![expect(unsafe_code)]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, Ordering};

use support::TestAdapter;
use wddm::*;

/// Smaller allocations are the reserve's in a kernel, and the standard library's own here.
const LEAST: usize = 2049;

thread_local! {
    /// Which allocation of this thread from now on fails; 0 = none.
    static FAIL: Cell<usize> = const { Cell::new(0) };
}

/// Bytes of such allocations that are alive, of all threads.
static ALIVE: AtomicIsize = AtomicIsize::new(0);

struct Counting;

/// Notes an allocation that appears or goes.
fn note(bytes: usize, sign: isize) {
    if bytes >= LEAST {
        ALIVE.fetch_add(sign * bytes as isize, Ordering::SeqCst);
    }
}

// SAFETY: the system's allocator, or null.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let left = if layout.size() >= LEAST { FAIL.get() } else { 0 };
        FAIL.set(if left > 0 { left - 1 } else { FAIL.get() });
        if left == 1 {
            return std::ptr::null_mut();
        }
        note(layout.size(), 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        note(layout.size(), -1);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test, since it counts what the whole process has.
#[test]
fn a_start_that_fails_leaves_nothing_and_the_next_one_succeeds() {
    // What is allocated once in a process is allocated now.
    drop(TestAdapter::start(&[("VramBytes", 64 << 20)]));
    let mut adapter = TestAdapter::add(&[("VramBytes", 64 << 20)]);
    let before = ALIVE.load(Ordering::SeqCst);
    let mut failed = 0;
    for nth in 1.. {
        FAIL.set(nth);
        let (status, back) = adapter.try_start();
        let left = FAIL.replace(0);
        if left > 0 {
            assert_eq!(status, STATUS_SUCCESS);
            adapter = back.stop();
            break;
        }
        adapter = back;
        assert_eq!(status, STATUS_INSUFFICIENT_RESOURCES, "allocation {nth}");
        assert_eq!(ALIVE.load(Ordering::SeqCst), before, "allocation {nth} leaves something");
        failed += 1;
    }
    assert!(failed > 20, "{failed}: VRAM, planes, owners, BARs, queues, schedulers, engines");
    for nth in 1..=2 {
        gpup_core::os::host::fail_thread(nth);
        let (status, back) = adapter.try_start();
        gpup_core::os::host::fail_thread(0);
        adapter = back;
        assert_eq!(status, STATUS_INSUFFICIENT_RESOURCES, "thread {nth}");
        assert_eq!(ALIVE.load(Ordering::SeqCst), before, "thread {nth} leaves something");
    }
    adapter.reports.information_fails.store(true, Ordering::SeqCst);
    let (status, back) = adapter.try_start();
    assert_eq!((status, ALIVE.load(Ordering::SeqCst)), (STATUS_DEVICE_REMOVED, before));
    back.reports.information_fails.store(false, Ordering::SeqCst);
    let (status, back) = back.try_start();
    assert_eq!(status, STATUS_SUCCESS);
    let back = back.stop();
    assert_eq!(ALIVE.load(Ordering::SeqCst), before, "a stopped adapter keeps something");
    drop(back);
}
