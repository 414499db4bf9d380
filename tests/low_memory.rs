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

/// Calls a function of a table or an interface.
macro_rules! call {
    ($table:expr, $function:ident($($arg:expr),*)) => {{
        // SAFETY: live arguments.
        unsafe { $table.$function.unwrap()($($arg),*) }
    }};
}

/// As [`sweep`], of one function.
macro_rules! sweep {
    ($least:expr, $table:expr, $function:ident($($arg:expr),*)) => {
        sweep($least, || call!($table, $function($($arg),*)))
    };
}

#[test]
fn objects_are_refused_one_by_one() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 * MIB)]);
    let (table, context) = (adapter.table, adapter.context);
    let mut device = DXGKARG_CREATEDEVICE::zeroed();
    assert!(sweep!(1, table, DxgkDdiCreateDevice(context, &mut device)) > 0);
    let mut made = Vec::with_capacity(100);
    for _ in 0..100 {
        let mut args = DXGKARG_CREATECONTEXT::zeroed();
        sweep!(1, table, DxgkDdiCreateContext(device.hDevice, &mut args));
        made.push(args.hContext);
    }
    for context in made {
        assert_eq!(sweep!(1, table, DxgkDdiDestroyContext(context)), 0);
    }
    assert_eq!(sweep!(1, table, DxgkDdiDestroyDevice(device.hDevice)), 0);
}

/// Bytes from which on an allocation grows with what Dxgkrnl asks for.
const LARGE: usize = 256;

#[test]
fn a_vf_and_its_basis_are_refused_until_there_is_memory() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 * MIB), ("ScatterMapReserve", 1)]);
    let (table, context) = (adapter.table, adapter.context);
    let partition: DXGKDDI_GPU_PARTITION_INTERFACE =
        adapter.interface(&GUID_DXGKDDI_GPU_PARTITION_INTERFACE, 1, 128).unwrap();
    let mut create = DXGKARG_CREATEVIRTUALGPU::zeroed();
    let bytes = 16 * MIB;
    create.Profile.Capability[0] =
        DXGK_VIRTUALGPUCAPABILITY { MinValue: bytes, MaxValue: bytes, OptimalValue: bytes };
    assert_eq!(sweep!(1, partition, DxgkDdiCreateVirtualGpu(partition.Context, &mut create)), 0);

    // SegmentId, RangeCount, then 64 ranges of 256 KiB with gaps between.
    let mut words = vec![1u64, 64];
    words.extend((0..64).flat_map(|range| [range << 19, 1 << 18]));
    let mut basis: HANDLE = std::ptr::null_mut();
    let made = sweep(LARGE, || {
        // SAFETY: as many ranges as the arguments say.
        basis = unsafe { table.DxgkDdiCreateMemoryBasis.unwrap()(context, words.as_ptr().cast()) };
        if basis.is_null() { STATUS_INSUFFICIENT_RESOURCES } else { STATUS_SUCCESS }
    });
    assert!(made >= 6, "{made}: regions, extents in two orders, two planes, residue");
    assert!(sweep!(LARGE, table, DxgkDdiStartDirtyTracking(context, basis)) > 0);

    // A second basis, so that the end of its tracking leaves something to look up.
    // SAFETY: as many ranges as the arguments say.
    let second = unsafe { table.DxgkDdiCreateMemoryBasis.unwrap()(context, words.as_ptr().cast()) };
    assert_eq!(call!(table, DxgkDdiStartDirtyTracking(context, second)), STATUS_SUCCESS);
    FAIL.set((1, LARGE));
    assert_eq!(call!(table, DxgkDdiStopDirtyTracking(context, second)), STATUS_SUCCESS);
    assert_eq!(FAIL.replace((0, 0)), (0, LARGE), "memory was asked for");
    assert_eq!(call!(table, DxgkDdiDestroyMemoryBasis(context, second)), STATUS_SUCCESS);

    // vfIndex and SegmentCount, then the memory of the VF.
    let memory = [1u64 << 32, 0, basis.addr() as u64];
    let made = sweep!(LARGE, table, DxgkDdiSetVirtualGpuResources2(context, memory.as_ptr().cast()));
    assert!(made >= 8, "{made}: regions and their order, two rings, a window, late pages");

    let source = DXGKARG_GPUP_PREPARE_LIVE_MIGRATION::zeroed();
    assert!(sweep!(LARGE, table, DxgkDdiPrepareLiveMigration(context, &source)) > 0);
    let mut bits = vec![0u8; 512];
    let mut query = DXGKARG_QUERYDIRTYBITDATA::zeroed();
    (query.MemoryBasis, query.Buffer, query.BufferSize) = (basis, bits.as_mut_ptr().cast(), bits.len());
    query.Flags.0 = 1;
    assert_eq!(sweep!(1, table, DxgkDdiQueryDirtyBitData(context, &mut query)), 0);
    let mut size = 0;
    let mut save = DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA::zeroed();
    save.DataSize = &mut size;
    assert_eq!(sweep!(1, table, DxgkDdiSaveMutableMigrationData(context, &mut save)), 0);
    assert_eq!(sweep!(1, table, DxgkDdiEndLiveMigration(context, 0)), 0);

    let mut destroy = DXGKARG_DESTROYVIRTUALGPU::zeroed();
    assert_eq!(sweep!(1, partition, DxgkDdiDestroyVirtualGpu(partition.Context, &mut destroy)), 0);
    assert_eq!(sweep!(LARGE, table, DxgkDdiStopDirtyTracking(context, basis)), 0);
    assert_eq!(sweep!(1, table, DxgkDdiDestroyMemoryBasis(context, basis)), 0);
}
