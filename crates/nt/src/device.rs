//! Other drivers' devices: loading a driver, finding a device by name, asking it.
//!
//! UNSAFETY: calls the kernel.
#![expect(unsafe_code)]

use core::ptr;

use wdk_sys::ntddk::{
    IoBuildDeviceIoControlRequest, IoGetDeviceObjectPointer, IoGetDeviceProperty, IofCallDriver,
    KeInitializeEvent, KeWaitForSingleObject, ObfDereferenceObject, ZwLoadDriver, ZwUnloadDriver,
};
use wdk_sys::{
    _EVENT_TYPE, _KWAIT_REASON, _MODE, DEVICE_OBJECT, DEVICE_REGISTRY_PROPERTY, FALSE, FILE_ALL_ACCESS,
    FILE_OBJECT, IO_STATUS_BLOCK, KEVENT, NTSTATUS, STATUS_IMAGE_ALREADY_LOADED,
    STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER, STATUS_PENDING, TRUE,
};

use crate::check;
use crate::fields::status;
use crate::wide::unicode_string;

/// A driver that is loaded. One that [`Loaded::new`] has loaded is unloaded again with this, unless it is kept.
pub struct Loaded {
    /// The service key; none when the driver was there before.
    service: Option<&'static [u16]>,
}

impl Loaded {
    /// Loads the driver of a service key, unless it is there. PASSIVE_LEVEL. "ZwLoadDriver function".
    pub fn new(service: &'static [u16]) -> Result<Self, NTSTATUS> {
        let mut name = unicode_string(service).ok_or(STATUS_INVALID_PARAMETER)?;
        // SAFETY: the name is a live variable.
        match unsafe { ZwLoadDriver(&mut name) } {
            STATUS_IMAGE_ALREADY_LOADED => Ok(Self { service: None }),
            status => check(status).map(|()| Self { service: Some(service) }),
        }
    }

    /// Leaves it loaded.
    pub fn keep(mut self) {
        self.service = None;
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        if let Some(mut name) = self.service.and_then(unicode_string) {
            // SAFETY: the name is a live variable. A driver that is in use stays.
            let _ = unsafe { ZwUnloadDriver(&mut name) };
        }
    }
}

/// Bus number and address of a device on a PCI bus: the device number in the high half of the address, the function in
/// the low half. None when its bus driver knows neither. PASSIVE_LEVEL. "IoGetDeviceProperty function".
///
/// # Safety
/// `device` is the physical device object of a device that is there.
pub unsafe fn pci_location(device: *mut DEVICE_OBJECT) -> Option<(u32, u32)> {
    let number = |property| {
        let (mut value, mut length) = (0u32, 0u32);
        // SAFETY: the caller's promise; value and length are live variables, and the value is as large as is said.
        let status = unsafe {
            IoGetDeviceProperty(
                device,
                property,
                size_of::<u32>() as u32,
                ptr::from_mut(&mut value).cast(),
                &mut length,
            )
        };
        check(status).ok().map(|()| value)
    };
    Some((
        number(DEVICE_REGISTRY_PROPERTY::DevicePropertyBusNumber)?,
        number(DEVICE_REGISTRY_PROPERTY::DevicePropertyAddress)?,
    ))
}

/// An open device.
pub struct Device {
    file: *mut FILE_OBJECT,
    device: *mut DEVICE_OBJECT,
}

impl Device {
    /// Opens a device by its name. PASSIVE_LEVEL. "IoGetDeviceObjectPointer function".
    pub fn open(name: &[u16]) -> Result<Self, NTSTATUS> {
        let mut name = unicode_string(name).ok_or(STATUS_INVALID_PARAMETER)?;
        let (mut file, mut device) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: name, file and device are live variables.
        check(unsafe { IoGetDeviceObjectPointer(&mut name, FILE_ALL_ACCESS, &mut file, &mut device) })?;
        Ok(Self { file, device })
    }

    /// Sends IRP_MJ_INTERNAL_DEVICE_CONTROL without input and waits for it; the answer is written to `output`.
    /// PASSIVE_LEVEL. "IoBuildDeviceIoControlRequest function".
    ///
    /// # Safety
    /// The device answers `code` with a `T`, or leaves `output` alone.
    pub unsafe fn internal_control<T>(&self, code: u32, output: &mut T) -> Result<(), NTSTATUS> {
        let mut done = KEVENT::default();
        // SAFETY: the event is a live variable that does not move until the request has ended.
        unsafe { KeInitializeEvent(&mut done, _EVENT_TYPE::NotificationEvent, FALSE as u8) };
        let mut block = IO_STATUS_BLOCK::default();
        // SAFETY: output, event and block live until the request has ended.
        let request = unsafe {
            IoBuildDeviceIoControlRequest(
                code,
                self.device,
                ptr::null_mut(),
                0,
                ptr::from_mut(output).cast(),
                size_of::<T>() as u32,
                TRUE as u8,
                &mut done,
                &mut block,
            )
        };
        if request.is_null() {
            return Err(STATUS_INSUFFICIENT_RESOURCES);
        }
        // SAFETY: a request made for this device, which is open.
        let sent = unsafe { IofCallDriver(self.device, request) };
        if sent != STATUS_PENDING {
            return check(sent);
        }
        // SAFETY: the event was initialized above, and the driver below sets it.
        let _ = unsafe {
            KeWaitForSingleObject(
                (&raw mut done).cast(),
                _KWAIT_REASON::Executive,
                _MODE::KernelMode as i8,
                FALSE as u8,
                ptr::null_mut(),
            )
        };
        check(status(&block))
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: `open` got a reference to the file object, and with it the device.
        unsafe { ObfDereferenceObject(self.file.cast()) };
    }
}
