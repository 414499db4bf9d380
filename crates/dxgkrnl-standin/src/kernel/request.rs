//! An IRP that this driver owns.
//!
//! UNSAFETY: reads and completes the system's request packets.
#![expect(unsafe_code)]

use nt::fields::{set_status, skip_stack_location, stack_location};
use wdk_sys::ntddk::{IofCallDriver, IofCompleteRequest};
use wdk_sys::{DEVICE_OBJECT, IO_NO_INCREMENT, IRP, NTSTATUS};

/// A request that has to be completed or passed on.
pub(super) struct Request(*mut IRP);

/// A device control request's numbers.
#[derive(Clone, Copy)]
pub(super) struct Control {
    pub(super) code: u32,
    pub(super) input: usize,
    pub(super) output: usize,
}

impl Request {
    /// # Safety
    /// A dispatch routine was given `irp`, and does nothing with it but through this value.
    pub(super) unsafe fn new(irp: *mut IRP) -> Self {
        Self(irp)
    }

    /// The minor function code.
    pub(super) fn minor(&self) -> u32 {
        // SAFETY: the request is this driver's.
        let place = unsafe { stack_location(self.0) };
        // SAFETY: a request always has a current location.
        u32::from(unsafe { (*place).MinorFunction })
    }

    /// The numbers of a device control request.
    ///
    /// # Safety
    /// It is IRP_MJ_DEVICE_CONTROL or IRP_MJ_INTERNAL_DEVICE_CONTROL.
    pub(super) unsafe fn control(&self) -> Control {
        // SAFETY: the request is this driver's.
        let place = unsafe { stack_location(self.0) };
        // SAFETY: a request always has a current location.
        let parameters = unsafe { (*place).Parameters };
        // SAFETY: the caller says which member is in use.
        let numbers = unsafe { parameters.DeviceIoControl };
        Control {
            code: numbers.IoControlCode,
            input: numbers.InputBufferLength as usize,
            output: numbers.OutputBufferLength as usize,
        }
    }

    /// The buffer of a METHOD_BUFFERED request, input and output in one.
    pub(super) fn system_buffer(&self) -> *mut u8 {
        // SAFETY: the request is this driver's.
        let buffer = unsafe { (*self.0).AssociatedIrp };
        // SAFETY: every member is plain data of a pointer's size.
        unsafe { buffer.SystemBuffer }.cast()
    }

    /// The output buffer of a METHOD_NEITHER request, as the sender gave it.
    pub(super) fn user_buffer(&self) -> *mut u8 {
        // SAFETY: the request is this driver's.
        unsafe { (*self.0).UserBuffer }.cast()
    }

    /// Completes it, with so many bytes of output. "IoCompleteRequest macro".
    pub(super) fn complete(self, status: NTSTATUS, bytes: usize) -> NTSTATUS {
        // SAFETY: the request is this driver's.
        unsafe { set_status(self.0, status, bytes) };
        // SAFETY: the request is this driver's, and is not touched any more.
        unsafe { IofCompleteRequest(self.0, IO_NO_INCREMENT as i8) };
        status
    }

    /// Passes it to the driver below, with the status it will be completed with unless that one decides otherwise.
    pub(super) fn pass(self, below: *mut DEVICE_OBJECT, status: Option<NTSTATUS>) -> NTSTATUS {
        if let Some(status) = status {
            // SAFETY: the request is this driver's.
            unsafe { set_status(self.0, status, 0) };
        }
        // SAFETY: the request is this driver's, and passed on next.
        unsafe { skip_stack_location(self.0) };
        // SAFETY: the device below is attached to, and the request is not touched any more.
        unsafe { IofCallDriver(below, self.0) }
    }
}
