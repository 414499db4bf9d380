//! DDIs that a driver may leave out: called where they are there, and missed by nobody where they are not.
#![cfg(feature = "std")]
#![allow(
    unsafe_code,
    clippy::multiple_unsafe_ops_per_block,
    clippy::missing_safety_doc,
    clippy::not_unsafe_ptr_arg_deref,
    missing_docs,
    unused_unsafe,
    reason = "a driver is nothing but pointers that Dxgkrnl gives it"
)]

#[macro_use]
mod fake;

use std::sync::atomic::{AtomicU32, Ordering};

use dxgksim::dxgkrnl::{Adapter, AdapterOptions};
use dxgksim::vgpu::VgpuOptions;
use dxgksim::vidmm::{PagingError, Run};
use wddm::*;

static CANCELLED: AtomicU32 = AtomicU32::new(0);
static SWITCHED: AtomicU32 = AtomicU32::new(0);

driver! {
    pub unsafe fn cancel(_context: HANDLE, args: *const DXGKARG_CANCELCOMMAND) -> NTSTATUS {
        assert!((*args).DmaBufferSize > 0 && !(*args).hContext.is_null());
        CANCELLED.fetch_add(1, Ordering::SeqCst);
        STATUS_SUCCESS
    }

    pub unsafe fn removed(_context: HANDLE, _removal: DXGK_SURPRISE_REMOVAL_TYPE) -> NTSTATUS { STATUS_SUCCESS }

    pub unsafe fn control(enable: BOOLEAN, _flags: u32, level: u8) {
        SWITCHED.store(u32::from(enable) << 8 | u32::from(level), Ordering::SeqCst);
    }

    pub unsafe fn aware(context: HANDLE, args: *const DXGKARG_QUERYADAPTERINFO) -> NTSTATUS {
        let status = fake::caps::query_adapter_info(context, args);
        if status.is_success() && (*args).Type == DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_DRIVERCAPS {
            let caps = &mut *(*args).pOutputData.cast::<DXGK_DRIVERCAPS>();
            caps.SchedulingCaps |= DXGK_VIDSCHCAPS::CancelCommandAware;
        }
        status
    }
}

/// Pages that are to be moved when the device has gone: how many buffers were cancelled.
fn cancelled(aware_of_it: bool) -> u32 {
    let driver = fake::driver_with(|table| {
        table.DxgkDdiCancelCommand = Some(cancel);
        table.DxgkDdiNotifySurpriseRemoval = Some(removed);
        if aware_of_it {
            table.DxgkDdiQueryAdapterInfo = Some(aware);
        }
    });
    let before = CANCELLED.load(Ordering::SeqCst);
    let adapter = Adapter::start(&driver, AdapterOptions::default()).unwrap();
    adapter.set_partition_count(4).unwrap();
    let vgpu = adapter.create_vgpu(0, &VgpuOptions::default()).unwrap();
    let mut channel = vgpu.paging_channel().unwrap();
    channel.start_out(&[Run { first: 0, count: 1 }]).unwrap();
    channel.wait().unwrap();
    assert_eq!(CANCELLED.load(Ordering::SeqCst), before, "what is submitted is not cancelled");
    adapter.surprise_remove().unwrap();
    let refused = channel.start_out(&[Run { first: 0, count: 1 }]).unwrap_err();
    assert!(matches!(refused, PagingError::Ddi(_, STATUS_DEVICE_REMOVED)), "{refused}");
    CANCELLED.load(Ordering::SeqCst) - before
}

#[test]
fn what_cannot_be_submitted_is_cancelled_where_the_driver_is_aware() {
    assert_eq!((cancelled(true), cancelled(false)), (1, 0));
}

#[test]
fn features_are_asked_for_and_etw_is_switched() {
    let driver = fake::driver_with(|table| table.DxgkDdiControlEtwLogging = Some(control));
    let adapter = Adapter::start(&driver, AdapterOptions::default()).unwrap();
    // The fake driver says yes to everything.
    assert_eq!(adapter.caps().features.len(), 9);
    assert!(adapter.caps().features.iter().any(|it| (it.name, it.most) == ("KERNEL_MODE_TESTING", 1)));
    assert!(adapter.control_etw_logging(true, 4));
    assert_eq!(SWITCHED.load(Ordering::SeqCst), 0x104);
    assert_eq!(adapter.violations(), []);
    let plain = Adapter::start(&fake::driver_with(|_| {}), AdapterOptions::default()).unwrap();
    assert!(!plain.control_etw_logging(true, 4));
}
