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

/// Threads of this process; where the system does not list them, none.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

/// Waits until no more threads are there than before: one that was joined is listed for a moment more.
fn await_threads(before: usize) {
    support::wait_until("the threads have ended", || threads() <= before);
}

/// Starts the adapter, begins to migrate a VF, pulls the device out and stops the adapter with all that in place.
fn pulled_out(adapter: TestAdapter, size_asked: bool) -> TestAdapter {
    let (status, adapter) = adapter.try_start();
    assert_eq!(status, STATUS_SUCCESS);
    let (table, context) = (adapter.table, adapter.context);
    let partition: DXGKDDI_GPU_PARTITION_INTERFACE =
        adapter.interface(&GUID_DXGKDDI_GPU_PARTITION_INTERFACE, 1, 128).unwrap();
    let mut create = DXGKARG_CREATEVIRTUALGPU::zeroed();
    create.Profile.Capability[0] =
        DXGK_VIRTUALGPUCAPABILITY { MinValue: 1 << 20, MaxValue: 1 << 20, OptimalValue: 1 << 20 };
    // SAFETY: live arguments.
    let status = unsafe { partition.DxgkDdiCreateVirtualGpu.unwrap()(partition.Context, &mut create) };
    assert_eq!(status, STATUS_SUCCESS);
    // SegmentId and one range; vfIndex, SegmentCount and the basis.
    let ranges = [1u64, 1, 0, 1 << 20];
    // SAFETY: as many ranges as the arguments say.
    let basis = unsafe { table.DxgkDdiCreateMemoryBasis.unwrap()(context, ranges.as_ptr().cast()) };
    let memory = [1u64 << 32, 0, basis.addr() as u64];
    // SAFETY: as many segments as the arguments say.
    let status = unsafe { table.DxgkDdiSetVirtualGpuResources2.unwrap()(context, memory.as_ptr().cast()) };
    assert_eq!(status, STATUS_SUCCESS);
    // SAFETY: handles are looked up.
    assert_eq!(unsafe { table.DxgkDdiStartDirtyTracking.unwrap()(context, basis) }, STATUS_SUCCESS);
    let source = DXGKARG_GPUP_PREPARE_LIVE_MIGRATION::zeroed();
    // SAFETY: live arguments.
    assert_eq!(unsafe { table.DxgkDdiPrepareLiveMigration.unwrap()(context, &source) }, STATUS_SUCCESS);
    if size_asked {
        let mut size = 0;
        let mut save = DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA::zeroed();
        save.DataSize = &mut size;
        // SAFETY: live arguments.
        let status = unsafe { table.DxgkDdiSaveMutableMigrationData.unwrap()(context, &mut save) };
        assert_eq!(status, STATUS_SUCCESS);
    }
    let kind = DXGK_SURPRISE_REMOVAL_TYPE::DxgkRemovalPnPNotify;
    // SAFETY: the adapter's own handle.
    assert_eq!(unsafe { table.DxgkDdiNotifySurpriseRemoval.unwrap()(context, kind) }, STATUS_SUCCESS);
    adapter.stop()
}

/// One test, since it counts what the whole process has.
#[test]
fn a_start_that_fails_leaves_nothing_and_the_next_one_succeeds() {
    // What is allocated once in a process is allocated now.
    drop(TestAdapter::start(&[("VramBytes", 64 << 20)]));
    let mut adapter = TestAdapter::add(&[("VramBytes", 64 << 20), ("ScatterMapReserve", 1)]);
    let (before, threads_before) = (ALIVE.load(Ordering::SeqCst), threads());
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
        await_threads(threads_before);
    }
    adapter.reports.information_fails.store(true, Ordering::SeqCst);
    let (status, back) = adapter.try_start();
    assert_eq!((status, ALIVE.load(Ordering::SeqCst)), (STATUS_DEVICE_REMOVED, before));
    back.reports.information_fails.store(false, Ordering::SeqCst);
    let (status, back) = back.try_start();
    assert_eq!(status, STATUS_SUCCESS);
    let mut back = back.stop();
    assert_eq!(ALIVE.load(Ordering::SeqCst), before, "a stopped adapter keeps something");
    await_threads(threads_before);
    for size_asked in [false, true] {
        back = pulled_out(back, size_asked);
        assert_eq!(ALIVE.load(Ordering::SeqCst), before, "a device that was pulled out leaves something");
        await_threads(threads_before);
    }
    drop(back);
}
