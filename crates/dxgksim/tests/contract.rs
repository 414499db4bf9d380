//! Each rule of the contract is broken once, and names itself.
#![cfg(feature = "std")]
#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    unused_unsafe,
    clippy::not_unsafe_ptr_arg_deref,
    clippy::missing_safety_doc,
    clippy::multiple_unsafe_ops_per_block,
    reason = "drivers that break rules are drivers still"
)]

#[macro_use]
mod fake;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dxgksim::contract::RULES;
use dxgksim::dxgkrnl::{Adapter, AdapterOptions, Driver, StartError};
use dxgksim::host::MILLISECOND;
use dxgksim::vgpu::{Vgpu, VgpuOptions};
use dxgksim::vidmm::Run;
use fake::{caps, engine, fake, vf};
use wddm::*;

/// Callbacks without a handle concern every adapter there is: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn quick() -> AdapterOptions {
    AdapterOptions {
        paging_timeout_ns: 300 * MILLISECOND,
        staging_bytes: 1 << 16,
        ..AdapterOptions::default()
    }
}

fn broken(driver: &Driver) -> BTreeSet<&'static str> {
    driver.contract().violations().iter().map(|violation| violation.rule.id).collect()
}

/// Starts the changed driver, moves a page, and says which rules were broken.
fn run(change: impl FnOnce(&mut DRIVER_INITIALIZATION_DATA)) -> BTreeSet<&'static str> {
    run_with(change, |vgpu| {
        let mut channels = [vgpu.paging_channel(), vgpu.paging_channel()];
        for channel in channels.iter_mut().flatten() {
            let _ = channel.start_in(&[Run { first: 0, count: 2 }]);
        }
        for channel in channels.iter_mut().flatten() {
            let _ = channel.wait();
        }
    })
}

fn run_with(
    change: impl FnOnce(&mut DRIVER_INITIALIZATION_DATA),
    work: impl FnOnce(&Arc<Vgpu>),
) -> BTreeSet<&'static str> {
    let _alone = alone();
    let driver = fake::driver_with(change);
    if let Ok(adapter) = Adapter::start(&driver, quick())
        && let Ok(vgpu) = adapter.create_vgpu(0, &VgpuOptions::default())
    {
        work(&vgpu);
    }
    broken(&driver)
}

fn only(rule: &'static str) -> BTreeSet<&'static str> {
    BTreeSet::from([rule])
}

#[test]
fn a_driver_that_keeps_the_contract_breaks_no_rule() {
    assert_eq!(run(|_| {}), BTreeSet::new());
}

driver! {
    pub unsafe fn overrun(context: HANDLE, args: *const DXGKARG_QUERYADAPTERINFO) -> NTSTATUS {
        if (*args).Type == DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_DRIVERCAPS {
            // All of it, whatever the size: the tail of what was asked for with less is past its end.
            let bytes = size_of::<DXGK_DRIVERCAPS>().min((*args).OutputDataSize as usize + 16);
            let caps = caps::driver_caps();
            std::ptr::copy_nonoverlapping((&raw const caps).cast::<u8>(), (*args).pOutputData.cast(), bytes);
            return STATUS_SUCCESS;
        }
        caps::query_adapter_info(context, args)
    }

    pub unsafe fn untracked(context: HANDLE, args: *const DXGKARG_QUERYADAPTERINFO) -> NTSTATUS {
        if (*args).Type == DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_DIRTYBITTRACKINGSEGMENTCAPS {
            return STATUS_NOT_IMPLEMENTED;
        }
        caps::query_adapter_info(context, args)
    }

    pub unsafe fn odd_pages(context: HANDLE, args: *const DXGKARG_QUERYADAPTERINFO) -> NTSTATUS {
        let status = caps::query_adapter_info(context, args);
        if (*args).Type == DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_DIRTYBITTRACKINGSEGMENTCAPS {
            (*args).pOutputData.cast::<u32>().write(6000);
        }
        status
    }

    pub unsafe fn wrong_caps(context: HANDLE, args: *const DXGKARG_QUERYADAPTERINFO) -> NTSTATUS {
        let status = caps::query_adapter_info(context, args);
        match (*args).Type {
            DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_DRIVERCAPS if status.is_success() => {
                let caps = &mut *(*args).pOutputData.cast::<DXGK_DRIVERCAPS>();
                caps.MiscCaps = DXGK_DRIVERCAPS_MISCCAPS::empty();
                caps.HybridDiscrete = TRUE;
            }
            DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_DEVICE_TYPE_CAPS => return STATUS_SUCCESS,
            _ => {}
        }
        status
    }
}

#[test]
fn output_past_its_size() {
    assert_eq!(run(|table| table.DxgkDdiQueryAdapterInfo = Some(overrun)), only("OUTPUT_OVERRUN"));
}

#[test]
fn live_migration_without_tracking_does_not_start() {
    let _alone = alone();
    let driver = fake::driver_with(|table| table.DxgkDdiQueryAdapterInfo = Some(untracked));
    assert_eq!(Adapter::start(&driver, quick()).unwrap_err(), StartError::Capabilities);
    assert_eq!(broken(&driver), only("CAP_TRACKING"));
    let driver = fake::driver_with(|table| table.DxgkDdiQueryAdapterInfo = Some(odd_pages));
    assert_eq!(Adapter::start(&driver, quick()).unwrap_err(), StartError::Capabilities);
    assert_eq!(broken(&driver), only("CAP_PAGE_SIZE"));
}

#[test]
fn capabilities_of_another_kind_of_driver() {
    let rules = run(|table| table.DxgkDdiQueryAdapterInfo = Some(wrong_caps));
    assert_eq!(rules, BTreeSet::from(["CAP_PROHIBITED", "CAP_REQUIRED", "QUERY_UNSUPPORTED"]));
}

#[test]
fn a_table_with_holes_and_display_functions() {
    let rules = run(|table| {
        table.DxgkDdiCalibrateGpuClock = None;
        // SAFETY: a function pointer that is never called.
        table.DxgkDdiPresent = Some(unsafe {
            std::mem::transmute::<*const (), UnknownCallback>(
                fake::unused as unsafe extern "win64" fn(_) -> _ as *const (),
            )
        });
    });
    assert_eq!(rules, BTreeSet::from(["TABLE_PROHIBITED", "TABLE_REQUIRED"]));
    assert_eq!(run(|table| table.Version = DXGKDDI_INTERFACE_VERSION_WDDM3_1), only("TABLE_VERSION"));
    assert_eq!(run(|table| table.DxgkDdiSaveMutableMigrationData = None), only("TABLE_MIGRATION"));
}

driver! {
    pub unsafe fn children(
        context: PVOID,
        start: *mut DXGK_START_INFO,
        interface: *mut DXGKRNL_INTERFACE,
        sources: *mut u32,
        children: *mut u32,
    ) -> NTSTATUS {
        let status = fake::start_device(context, start, interface, sources, children);
        *children = 1;
        let mut child = DXGK_CHILD_STATUS::zeroed();
        let _ = (*interface).DxgkCbIndicateChildStatus.unwrap()((*interface).DeviceHandle, &raw mut child);
        status
    }

    pub unsafe fn pending_start(
        context: PVOID,
        start: *mut DXGK_START_INFO,
        interface: *mut DXGKRNL_INTERFACE,
        sources: *mut u32,
        children: *mut u32,
    ) -> NTSTATUS {
        let _ = fake::start_device(context, start, interface, sources, children);
        STATUS_PENDING
    }
}

#[test]
fn a_display_s_children_and_callbacks() {
    let rules = run(|table| table.DxgkDdiStartDevice = Some(children));
    assert_eq!(rules, BTreeSet::from(["CALLBACK_MISUSED", "CHILDREN"]));
}

#[test]
fn a_ddi_that_is_not_done_when_it_returns() {
    assert_eq!(run(|table| table.DxgkDdiStartDevice = Some(pending_start)), only("STATUS"));
}

driver! {
    pub unsafe fn no_memory(context: HANDLE, args: *mut DXGKARG_BUILDPAGINGBUFFER) -> NTSTATUS {
        if (*args).Operation == DXGK_BUILDPAGINGBUFFER_OPERATION::DXGK_OPERATION_VIRTUAL_TRANSFER {
            return STATUS_NO_MEMORY;
        }
        engine::build_paging_buffer(context, args)
    }

    pub unsafe fn never_fits(context: HANDLE, args: *mut DXGKARG_BUILDPAGINGBUFFER) -> NTSTATUS {
        if (*args).Operation == DXGK_BUILDPAGINGBUFFER_OPERATION::DXGK_OPERATION_VIRTUAL_TRANSFER {
            return STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER;
        }
        engine::build_paging_buffer(context, args)
    }

    pub unsafe fn too_far(context: HANDLE, args: *mut DXGKARG_BUILDPAGINGBUFFER) -> NTSTATUS {
        let status = engine::build_paging_buffer(context, args);
        if (*args).Operation == DXGK_BUILDPAGINGBUFFER_OPERATION::DXGK_OPERATION_VIRTUAL_TRANSFER {
            (*args).pDmaBuffer = (*args).pDmaBuffer.wrapping_byte_add(1 << 20);
        }
        status
    }

    pub unsafe fn not_at_once(context: HANDLE, args: *mut DXGKARG_BUILDPAGINGBUFFER) -> NTSTATUS {
        if (*args).pDmaBuffer.is_null() {
            return STATUS_GRAPHICS_ALLOCATION_BUSY;
        }
        engine::build_paging_buffer(context, args)
    }

    pub unsafe fn refuses_to_submit(_context: HANDLE, _args: *const DXGKARG_SUBMITCOMMANDVIRTUAL) -> NTSTATUS {
        STATUS_NO_MEMORY
    }
}

#[test]
fn paging_that_would_be_a_bug_check() {
    assert_eq!(run(|table| table.DxgkDdiBuildPagingBuffer = Some(no_memory)), only("PAGING_STATUS"));
    assert_eq!(run(|table| table.DxgkDdiBuildPagingBuffer = Some(never_fits)), only("MULTIPASS"));
    assert_eq!(run(|table| table.DxgkDdiBuildPagingBuffer = Some(too_far)), only("PAGING_BUFFER"));
    assert_eq!(run(|table| table.DxgkDdiBuildPagingBuffer = Some(not_at_once)), only("PAGING_IMMEDIATE"));
    assert_eq!(
        run(|table| table.DxgkDdiSubmitCommandVirtual = Some(refuses_to_submit)),
        only("SUBMIT_STATUS")
    );
}

/// Executes a submission and reports nothing.
unsafe fn execute(context: HANDLE, args: *const DXGKARG_SUBMITCOMMANDVIRTUAL) {
    // SAFETY: the arguments of a DDI that is still running.
    let args = unsafe { &*args };
    let mut state = fake(context).state.lock().unwrap();
    state.execute(args.hContext as usize, args.DmaBufferVirtualAddress, args.DmaBufferSize);
    state.done = args.SubmissionFenceId;
}

/// Runs a routine under SynchronizeExecution.
unsafe fn synchronize(context: HANDLE, routine: KSYNCHRONIZE_ROUTINE) {
    let callbacks = fake(context).state.lock().unwrap().callbacks;
    let mut result = 0;
    let call = callbacks.DxgkCbSynchronizeExecution.unwrap();
    // SAFETY: Dxgkrnl's own callback and handle, and a routine that knows its context.
    let _ = unsafe { call(callbacks.DeviceHandle, Some(routine), context, 0, &raw mut result) };
}

static SUBMISSIONS: AtomicU32 = AtomicU32::new(0);

driver! {
    pub unsafe fn at_passive(context: HANDLE, args: *const DXGKARG_SUBMITCOMMANDVIRTUAL) -> NTSTATUS {
        execute(context, args);
        engine::interrupt(context);
        STATUS_SUCCESS
    }

    pub unsafe fn without_dpc(context: HANDLE, args: *const DXGKARG_SUBMITCOMMANDVIRTUAL) -> NTSTATUS {
        execute(context, args);
        synchronize(context, report_only);
        let callbacks = fake(context).state.lock().unwrap().callbacks;
        callbacks.DxgkCbQueueDpc.unwrap()(callbacks.DeviceHandle);
        STATUS_SUCCESS
    }

    pub unsafe fn report_only(context: PVOID) -> BOOLEAN {
        engine::report(context);
        TRUE
    }

    pub unsafe fn twice(context: HANDLE, args: *const DXGKARG_SUBMITCOMMANDVIRTUAL) -> NTSTATUS {
        execute(context, args);
        synchronize(context, engine::interrupt);
        synchronize(context, engine::interrupt);
        STATUS_SUCCESS
    }

    /// The third submission is never reported, the fourth is.
    pub unsafe fn out_of_order(context: HANDLE, args: *const DXGKARG_SUBMITCOMMANDVIRTUAL) -> NTSTATUS {
        execute(context, args);
        if SUBMISSIONS.fetch_add(1, Ordering::Relaxed) != 2 {
            synchronize(context, engine::interrupt);
        }
        STATUS_SUCCESS
    }

    pub unsafe fn invented(context: PVOID) -> BOOLEAN {
        let callbacks = fake(context).state.lock().unwrap().callbacks;
        engine::report_fence(&callbacks, 4711);
        engine::interrupt(context)
    }

    pub unsafe fn invents_fences(context: HANDLE, args: *const DXGKARG_SUBMITCOMMANDVIRTUAL) -> NTSTATUS {
        execute(context, args);
        synchronize(context, invented);
        STATUS_SUCCESS
    }

    pub unsafe fn vsync(context: PVOID) -> BOOLEAN {
        let callbacks = fake(context).state.lock().unwrap().callbacks;
        let mut data = DXGKARGCB_NOTIFY_INTERRUPT_DATA::zeroed();
        data.InterruptType = DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_CRTC_VSYNC;
        callbacks.DxgkCbNotifyInterrupt.unwrap()(callbacks.DeviceHandle, &raw const data);
        let mut info = DXGK_DEVICE_INFO::zeroed();
        let _ = callbacks.DxgkCbGetDeviceInformation.unwrap()(callbacks.DeviceHandle, &raw mut info);
        engine::interrupt(context)
    }

    pub unsafe fn has_vsyncs(context: HANDLE, args: *const DXGKARG_SUBMITCOMMANDVIRTUAL) -> NTSTATUS {
        execute(context, args);
        synchronize(context, vsync);
        STATUS_SUCCESS
    }

    pub unsafe fn silent_dpc(_context: PVOID) {}

    pub unsafe fn dpc_with_wrong_handle(context: PVOID) {
        let callbacks = fake(context).state.lock().unwrap().callbacks;
        callbacks.DxgkCbNotifyDpc.unwrap()(context);
    }
}

#[test]
fn interrupts_at_the_wrong_place() {
    assert_eq!(
        run(|table| table.DxgkDdiSubmitCommandVirtual = Some(at_passive)),
        only("NOTIFY_INTERRUPT_IRQL")
    );
    assert_eq!(run(|table| table.DxgkDdiSubmitCommandVirtual = Some(without_dpc)), only("QUEUE_DPC"));
    let rules = run(|table| table.DxgkDdiSubmitCommandVirtual = Some(has_vsyncs));
    assert_eq!(rules, BTreeSet::from(["CALLBACK_IRQL", "INTERRUPT_TYPE"]));
    assert_eq!(run(|table| table.DxgkDdiDpcRoutine = Some(silent_dpc)), only("NOTIFY_DPC"));
    assert_eq!(run(|table| table.DxgkDdiDpcRoutine = Some(dpc_with_wrong_handle)), only("DEVICE_HANDLE"));
}

#[test]
fn fences_in_the_wrong_order() {
    assert_eq!(run(|table| table.DxgkDdiSubmitCommandVirtual = Some(out_of_order)), only("FENCE_ORDER"));
    assert_eq!(run(|table| table.DxgkDdiSubmitCommandVirtual = Some(twice)), only("FENCE_ONCE"));
    assert_eq!(run(|table| table.DxgkDdiSubmitCommandVirtual = Some(invents_fences)), only("FENCE_UNKNOWN"));
}

static GROWTH: AtomicU32 = AtomicU32::new(4);

driver! {
    pub unsafe fn growing(_context: HANDLE, args: *mut DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA) -> NTSTATUS {
        (*args).DataSize.write(u64::from(GROWTH.fetch_add(1, Ordering::Relaxed)));
        STATUS_SUCCESS
    }

    pub unsafe fn wordless(_context: HANDLE, _args: *const DXGKARG_GPUP_RESTORE_IMMUTABLE_MIGRATION_DATA) -> NTSTATUS {
        STATUS_OBJECT_TYPE_MISMATCH
    }

    pub unsafe fn keeps_its_basis(context: HANDLE, basis: HANDLE) -> NTSTATUS {
        let _ = vf::destroy_basis(context, basis);
        STATUS_DEVICE_BUSY
    }

    pub unsafe fn all_ones(context: HANDLE, args: *mut DXGKARG_QUERYDIRTYBITDATA) -> NTSTATUS {
        let status = vf::query_dirty(context, args);
        (*args).Buffer.cast::<u8>().write(0xFF);
        status
    }

    pub unsafe fn more_than_asked(context: HANDLE, args: *mut DXGKARG_QUERYDIRTYBITDATA) -> NTSTATUS {
        let status = vf::query_dirty(context, args);
        (*args).Buffer.cast::<u8>().add((*args).BufferSize).write(0);
        status
    }

    pub unsafe fn one_range(context: HANDLE, args: *mut QUERY_INTERFACE) -> NTSTATUS {
        let status = caps::query_interface(context, args);
        if status.is_success() && *(*args).InterfaceType == GUID_DXGKDDI_FLEXIOV_DEVICE_INTERFACE {
            let interface = &mut *(*args).Interface.cast::<DXGKDDI_FLEXIOV_DEVICE_INTERFACE>();
            interface.DxgkDdiGetMmioRangeCount = Some(count_one);
        }
        status
    }

    pub unsafe fn count_one(_context: HANDLE, args: *mut DXGKARG_GETMMIORANGECOUNT) -> NTSTATUS {
        (*args).RangeCount[0] = 1;
        STATUS_SUCCESS
    }

    pub unsafe fn no_size(context: HANDLE, args: *mut QUERY_INTERFACE) -> NTSTATUS {
        (*args).Size = u16::MAX;
        caps::query_interface(context, args)
    }
}

#[test]
fn migration_data_that_grows_and_refusals_without_words() {
    let save = |vgpu: &Arc<Vgpu>| drop(vgpu.save_mutable());
    let rules = run_with(|table| table.DxgkDdiSaveMutableMigrationData = Some(growing), save);
    assert_eq!(rules, only("SAVE_TWO_CALLS"));
    let restore = |vgpu: &Arc<Vgpu>| drop(vgpu.restore_immutable(b"FAKE"));
    let rules = run_with(|table| table.DxgkDdiRestoreImmutableMigrationData = Some(wordless), restore);
    assert_eq!(rules, only("RESTORE_TRIAGE"));
}

#[test]
fn dirty_bits_nobody_asked_for() {
    let query = |vgpu: &Arc<Vgpu>| assert!(vgpu.query_dirty_pages(true, 0, 5, &mut [0]).is_ok());
    assert_eq!(run_with(|table| table.DxgkDdiQueryDirtyBitData = Some(all_ones), query), only("DIRTY_BITS"));
    let rules = run_with(|table| table.DxgkDdiQueryDirtyBitData = Some(more_than_asked), query);
    assert_eq!(rules, only("OUTPUT_OVERRUN"));
    assert_eq!(run(|table| table.DxgkDdiDestroyMemoryBasis = Some(keeps_its_basis)), only("BASIS_DESTROY"));
}

#[test]
fn interfaces_and_bars_that_do_not_add_up() {
    assert_eq!(run(|table| table.DxgkDdiQueryInterface = Some(one_range)), only("BAR_COVERAGE"));
    assert_eq!(run(|table| table.DxgkDdiQueryInterface = Some(no_size)), only("INTERFACE_SIZE"));
}

#[test]
fn every_rule_has_a_name_and_a_page() {
    let names: BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(names.len(), RULES.len());
    assert!(RULES.iter().all(|rule| !rule.page.is_empty() && rule.text.ends_with('.')));
}
