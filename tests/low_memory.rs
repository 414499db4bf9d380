//! The pool runs out at each allocation in turn: the call says so, and the next one succeeds.
//!
//! UNSAFETY: it is the other side of the DDI, and an allocator that fails when it is told to.
#![expect(unsafe_code)]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use support::TestAdapter;
use wddm::*;

const MIB: u64 = 1 << 20;

thread_local! {
    /// Which allocation of this thread from now on fails, and how large it must be to count; 0 = none.
    static FAIL: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

struct Failing;

/// Whether the allocation of this size is the one to fail.
fn fails(bytes: usize) -> bool {
    FAIL.with(|fail| match fail.get() {
        (left, least) if left > 0 && bytes >= least => {
            fail.set((left - 1, least));
            left == 1
        }
        _ => false,
    })
}

// SAFETY: the system's allocator, or null.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if fails(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Failing = Failing;

/// Makes `call` until no allocation of `least` bytes or more is left to fail in it; how many there were.
fn sweep(least: usize, mut call: impl FnMut() -> NTSTATUS) -> usize {
    for nth in 1.. {
        FAIL.set((nth, least));
        let status = call();
        let (left, _) = FAIL.replace((0, 0));
        if left > 0 {
            assert_eq!(status, STATUS_SUCCESS);
            return nth - 1;
        }
        assert_eq!(status, STATUS_INSUFFICIENT_RESOURCES, "allocation {nth}");
    }
    unreachable!("a call has an end")
}

#[test]
fn objects_are_refused_one_by_one() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 * MIB)]);
    let (table, context) = (adapter.table, adapter.context);
    let mut device = DXGKARG_CREATEDEVICE::zeroed();
    let mut made = Vec::with_capacity(100);
    // SAFETY: live arguments here and below.
    assert!(sweep(1, || unsafe { table.DxgkDdiCreateDevice.unwrap()(context, &mut device) }) > 0);
    for _ in 0..100 {
        sweep(1, || {
            let mut args = DXGKARG_CREATECONTEXT::zeroed();
            // SAFETY: live arguments.
            let status = unsafe { table.DxgkDdiCreateContext.unwrap()(device.hDevice, &mut args) };
            if status.is_success() {
                made.push(args.hContext);
            }
            status
        });
    }
    made.dedup();
    assert_eq!(made.len(), 100);
    for context in made {
        // SAFETY: a context that was made above.
        assert_eq!(sweep(1, || unsafe { table.DxgkDdiDestroyContext.unwrap()(context) }), 0);
    }
    // SAFETY: the device that was made above.
    assert_eq!(unsafe { table.DxgkDdiDestroyDevice.unwrap()(device.hDevice) }, STATUS_SUCCESS);
}
