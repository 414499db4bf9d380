//! AddDevice and the PnP requests of the miniport's devices, from which Dxgkrnl makes calls of the DDI.
//!
//! ```text
//! AddDevice           a functional device object on the stack
//! START_DEVICE        DxgkDdiAddDevice, DxgkDdiStartDevice, capabilities, interfaces, paging process
//! SURPRISE_REMOVAL    DxgkDdiNotifySurpriseRemoval
//! REMOVE_DEVICE       DxgkDdiStopDevice, DxgkDdiRemoveDevice
//! ```
//! Microsoft's pages: "DXGKDDI_ADD_DEVICE", "Plug and Play (PnP) in WDDM 1.2 and later", "Handling an
//! IRP_MN_SURPRISE_REMOVAL Request".
//!
//! UNSAFETY: makes and deletes device objects, and reads a key's name.
#![expect(unsafe_code)]

use alloc::string::String;
use alloc::vec;
use core::ptr;

use nt::check;
use wdk_sys::ntddk::{
    IoAttachDeviceToDeviceStack, IoCreateDevice, IoDeleteDevice, IoDetachDevice, IoOpenDeviceRegistryKey,
    ZwClose, ZwQueryKey,
};
use wdk_sys::{
    _KEY_INFORMATION_CLASS, DEVICE_OBJECT, DO_DEVICE_INITIALIZING, DRIVER_OBJECT, FILE_DEVICE_VIDEO, HANDLE,
    IRP, IRP_MN_REMOVE_DEVICE, IRP_MN_START_DEVICE, IRP_MN_SURPRISE_REMOVAL, KEY_READ, NTSTATUS,
    PLUGPLAY_REGKEY_DRIVER, STATUS_INVALID_DEVICE_REQUEST, STATUS_NO_SUCH_DEVICE, STATUS_SUCCESS,
    STATUS_UNSUCCESSFUL,
};

use super::request::Request;
use super::state::{self, Device};

/// AddDevice. "DRIVER_ADD_DEVICE callback function (wdm.h)".
pub(super) unsafe extern "C" fn add_device(
    driver: *mut DRIVER_OBJECT,
    physical: *mut DEVICE_OBJECT,
) -> NTSTATUS {
    let mut functional: *mut DEVICE_OBJECT = ptr::null_mut();
    // SAFETY: the system's driver object, and a live variable.
    let made =
        unsafe { IoCreateDevice(driver, 0, ptr::null_mut(), FILE_DEVICE_VIDEO, 0, 0, &mut functional) };
    if let Err(status) = check(made) {
        return status;
    }
    // SAFETY: both are device objects, and the new one is on no stack.
    let below = unsafe { IoAttachDeviceToDeviceStack(functional, physical) };
    if below.is_null() {
        // SAFETY: made above, and attached to nothing.
        unsafe { IoDeleteDevice(functional) };
        return STATUS_NO_SUCH_DEVICE;
    }
    state::add(Device::new(functional.addr(), below.expose_provenance(), physical.expose_provenance()));
    // SAFETY: made above, and ready for requests.
    unsafe { (*functional).Flags &= !DO_DEVICE_INITIALIZING };
    STATUS_SUCCESS
}

/// IRP_MJ_PNP.
pub(super) unsafe extern "C" fn dispatch(device: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: the system passes a request that this driver now owns.
    let request = unsafe { Request::new(irp) };
    let Some(known) = state::find(device.addr()) else {
        return request.complete(STATUS_INVALID_DEVICE_REQUEST, 0);
    };
    let below: *mut DEVICE_OBJECT = ptr::with_exposed_provenance_mut(known.below);
    match request.minor() {
        IRP_MN_START_DEVICE => {
            // The bus driver would be first, but has nothing to do for a root-enumerated device.
            if start(&known) {
                request.pass(below, Some(STATUS_SUCCESS))
            } else {
                request.complete(STATUS_UNSUCCESSFUL, 0)
            }
        }
        IRP_MN_SURPRISE_REMOVAL => {
            state::surprise_remove(known.functional);
            request.pass(below, Some(STATUS_SUCCESS))
        }
        IRP_MN_REMOVE_DEVICE => {
            state::remove(known.functional);
            let status = request.pass(below, Some(STATUS_SUCCESS));
            // SAFETY: AddDevice attached to it.
            unsafe { IoDetachDevice(below) };
            // SAFETY: AddDevice made it, it is detached, and this was its last request.
            unsafe { IoDeleteDevice(device) };
            status
        }
        _ => request.pass(below, None),
    }
}

/// IRP_MJ_POWER: nothing here has a power state.
pub(super) unsafe extern "C" fn power(device: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: the system passes a request that this driver now owns.
    let request = unsafe { Request::new(irp) };
    match state::find(device.addr()) {
        Some(known) => request.pass(ptr::with_exposed_provenance_mut(known.below), None),
        None => request.complete(STATUS_INVALID_DEVICE_REQUEST, 0),
    }
}

fn start(device: &Device) -> bool {
    match software_key(ptr::with_exposed_provenance_mut(device.physical)) {
        Ok(path) => state::start(device.functional, device.physical, path),
        Err(status) => {
            nt::print::line(
                nt::print::Level::Error,
                format_args!("dxgkrnl: the device has no software key: {status:#x}"),
            );
            false
        }
    }
}

/// The path of a device's software key: DXGK_DEVICE_INFO.DeviceRegistryPath. "IoOpenDeviceRegistryKey function".
fn software_key(physical: *mut DEVICE_OBJECT) -> Result<String, NTSTATUS> {
    let mut key: HANDLE = ptr::null_mut();
    // SAFETY: a device object of the system, and a live variable.
    check(unsafe { IoOpenDeviceRegistryKey(physical, PLUGPLAY_REGKEY_DRIVER, KEY_READ, &mut key) })?;
    let path = key_name(key);
    // SAFETY: opened above.
    let _ = unsafe { ZwClose(key) };
    path
}

/// The full name of an open key. "ZwQueryKey function", KEY_NAME_INFORMATION: a length in bytes, then the name.
fn key_name(key: HANDLE) -> Result<String, NTSTATUS> {
    let mut words = vec![0u32; 1024];
    let mut used = 0;
    // SAFETY: the buffer has as many bytes, and `used` is a live variable.
    check(unsafe {
        ZwQueryKey(
            key,
            _KEY_INFORMATION_CLASS::KeyNameInformation,
            words.as_mut_ptr().cast(),
            size_of_val(&words[..]) as u32,
            &mut used,
        )
    })?;
    let (length, rest) = (words[0] as usize / 2, &words[1..]);
    let units = rest.iter().flat_map(|word| [*word as u16, (*word >> 16) as u16]).take(length);
    Ok(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}
