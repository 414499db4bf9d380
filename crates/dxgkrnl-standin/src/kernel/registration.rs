//! What DxgkInitialize reaches: the request that answers with the registration function, and that function, which
//! takes the driver object over as the real one does.
//!
//! Microsoft's pages: "DxgkInitialize function (dispmprt.h)", "Initializing the display miniport driver".
//!
//! UNSAFETY: answers a request with a function, and writes into the miniport's driver object.
#![expect(unsafe_code)]

use dxgksim::dxgkrnl::{Driver, register};
use nt::print::{Level, line};
use wddm::{DRIVER_INITIALIZATION_DATA, DXGKRNL_INITIALIZE, UNICODE_STRING};
use wdk_sys::{
    DEVICE_OBJECT, DRIVER_OBJECT, IRP, IRP_MJ_PNP, IRP_MJ_POWER, NTSTATUS, STATUS_INVALID_DEVICE_REQUEST,
    STATUS_SUCCESS,
};

use super::images::PoolCounter;
use super::request::Request;
use super::{pnp, state};

/// IOCTL_VIDEO_DDI_FUNC_REGISTER: METHOD_NEITHER, internal.
const REGISTER: u32 = 0x0023_003F;

/// IRP_MJ_INTERNAL_DEVICE_CONTROL.
pub(super) unsafe extern "C" fn dispatch(_device: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: the system passes a request that this driver now owns.
    let request = unsafe { Request::new(irp) };
    // SAFETY: this routine is registered for that major function alone.
    let control = unsafe { request.control() };
    let bytes = size_of::<DXGKRNL_INITIALIZE>();
    if control.code != REGISTER || control.output < bytes {
        return request.complete(STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    let function: DXGKRNL_INITIALIZE = initialize;
    // SAFETY: the sender is a driver, and gave a buffer of at least as many bytes.
    unsafe { request.user_buffer().cast::<DXGKRNL_INITIALIZE>().write_unaligned(function) };
    request.complete(STATUS_SUCCESS, bytes)
}

wddm::ddi! {
    /// Keeps a copy of the miniport's table, and takes its AddDevice, PnP, power and unload over.
    unsafe fn initialize(
        driver: *mut wddm::DRIVER_OBJECT,
        path: *mut UNICODE_STRING,
        data: *mut DRIVER_INITIALIZATION_DATA,
    ) -> wddm::NTSTATUS {
        // SAFETY: the caller's own arguments.
        let status = unsafe { register(driver, path, data) };
        if !status.is_success() {
            return status;
        }
        let Some(registered) = Driver::registered(driver) else { return wddm::STATUS_UNSUCCESSFUL };
        // SAFETY: the system's driver object, in the miniport's DriverEntry, which waits for this call.
        let driver = unsafe { &mut *driver.cast::<DRIVER_OBJECT>() };
        // SAFETY: the miniport's image; all its code is in DriverEntry, which waits for this call.
        let pool = unsafe { PoolCounter::of(driver.DriverStart.cast()) };
        state::registered(registered, pool);
        // SAFETY: every driver object has an extension.
        let extension = unsafe { &mut *driver.DriverExtension };
        extension.AddDevice = Some(pnp::add_device);
        driver.MajorFunction[IRP_MJ_PNP as usize] = Some(pnp::dispatch);
        driver.MajorFunction[IRP_MJ_POWER as usize] = Some(pnp::power);
        driver.DriverUnload = Some(unload);
        line(Level::Info, format_args!("dxgkrnl: a miniport has registered"));
        status
    }
}

/// The miniport's DriverUnload. All its devices have been removed.
unsafe extern "C" fn unload(_driver: *mut DRIVER_OBJECT) {
    state::unload();
}
