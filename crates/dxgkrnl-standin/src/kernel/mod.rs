//! The kernel driver.
//!
//! ```text
//! host          the machine below the simulated kernel, over crates/nt
//! registration  what DxgkInitialize reaches, and the miniport's unload
//! pnp           AddDevice and PnP requests of the miniport's devices
//! ioctl         requests of the test program
//! state         adapters, the scenario, and what is counted
//! images        looks into a loaded image for the counts of its pool
//! request       an IRP
//! ```
//! Everything is called at PASSIVE_LEVEL.
//!
//! UNSAFETY: the entry points of a driver, and the kernel functions that make and delete devices.
#![expect(unsafe_code)]

mod host;
mod images;
mod ioctl;
mod pnp;
mod registration;
mod request;
mod state;

use core::ptr;

use nt::pool::KernelAllocator;
use nt::wide;
use nt::wide::unicode_string;
use wdk_sys::ntddk::{IoCreateDevice, IoCreateSymbolicLink, IoDeleteDevice, IoDeleteSymbolicLink};
use wdk_sys::{
    DEVICE_OBJECT, DRIVER_OBJECT, FILE_DEVICE_VIDEO, IRP_MJ_CLEANUP, IRP_MJ_CLOSE, IRP_MJ_CREATE,
    IRP_MJ_DEVICE_CONTROL, IRP_MJ_INTERNAL_DEVICE_CONTROL, NT_SUCCESS, NTSTATUS, STATUS_SUCCESS,
    UNICODE_STRING,
};

use request::Request;

extern crate wdk_panic;

#[global_allocator]
static ALLOCATOR: KernelAllocator = KernelAllocator::KERNEL;

/// What DxgkInitialize opens.
const DEVICE: &[u16] = wide!("\\Device\\DxgKrnl");
/// The same for the test program: `\\.\DxgKrnl`.
const LINK: &[u16] = wide!("\\DosDevices\\DxgKrnl");

/// DriverEntry. PASSIVE_LEVEL.
///
/// # Safety
/// The system's own arguments.
#[unsafe(export_name = "DriverEntry")]
unsafe extern "C" fn driver_entry(driver: *mut DRIVER_OBJECT, _path: *mut UNICODE_STRING) -> NTSTATUS {
    // The allocator that both drivers share, in a kernel: alignments above what the pool gives.
    if let Err(what) = nt::pool::self_test(&ALLOCATOR) {
        nt::print::line(nt::print::Level::Error, format_args!("dxgkrnl: the allocator fails: {what}"));
        return wdk_sys::STATUS_UNSUCCESSFUL;
    }
    host::install();
    // SAFETY: the system's driver object, which nobody else uses yet.
    let driver = unsafe { &mut *driver };
    driver.MajorFunction[IRP_MJ_CREATE as usize] = Some(succeed);
    driver.MajorFunction[IRP_MJ_CLOSE as usize] = Some(succeed);
    driver.MajorFunction[IRP_MJ_CLEANUP as usize] = Some(succeed);
    driver.MajorFunction[IRP_MJ_DEVICE_CONTROL as usize] = Some(ioctl::dispatch);
    driver.MajorFunction[IRP_MJ_INTERNAL_DEVICE_CONTROL as usize] = Some(registration::dispatch);
    driver.DriverUnload = Some(unload);
    create_device(driver)
}

fn create_device(driver: &mut DRIVER_OBJECT) -> NTSTATUS {
    let (Some(mut name), Some(mut link)) = (unicode_string(DEVICE), unicode_string(LINK)) else {
        return wdk_sys::STATUS_INVALID_PARAMETER;
    };
    let mut device: *mut DEVICE_OBJECT = ptr::null_mut();
    // SAFETY: driver, name and device are live variables.
    let status = unsafe { IoCreateDevice(driver, 0, &mut name, FILE_DEVICE_VIDEO, 0, 0, &mut device) };
    if !NT_SUCCESS(status) {
        return status;
    }
    // SAFETY: both names are live variables.
    let status = unsafe { IoCreateSymbolicLink(&mut link, &mut name) };
    if !NT_SUCCESS(status) {
        // SAFETY: the device was made above, and nobody knows it.
        unsafe { IoDeleteDevice(device) };
    }
    status
}

/// DriverUnload. No miniport is loaded: its image imports nothing of this one, so the system would not know.
unsafe extern "C" fn unload(driver: *mut DRIVER_OBJECT) {
    if let Some(mut link) = unicode_string(LINK) {
        // SAFETY: the name is a live variable.
        let _ = unsafe { IoDeleteSymbolicLink(&mut link) };
    }
    // SAFETY: the system's driver object, with the one device that DriverEntry made.
    let device = unsafe { (*driver).DeviceObject };
    // SAFETY: as above.
    unsafe { IoDeleteDevice(device) };
}

/// Completes a request that needs nothing.
unsafe extern "C" fn succeed(_device: *mut DEVICE_OBJECT, irp: *mut wdk_sys::IRP) -> NTSTATUS {
    // SAFETY: the system passes a request that this driver now owns.
    unsafe { Request::new(irp) }.complete(STATUS_SUCCESS, 0)
}
