//! Requests of the test program.
//!
//! UNSAFETY: reads and writes the system's copies of the program's buffers.
#![expect(unsafe_code)]

use core::ptr;

use wdk_sys::{
    DEVICE_OBJECT, IRP, NTSTATUS, STATUS_BUFFER_TOO_SMALL, STATUS_DEVICE_NOT_READY,
    STATUS_INVALID_DEVICE_REQUEST, STATUS_INVALID_PARAMETER, STATUS_NOT_FOUND, STATUS_SUCCESS,
};

use super::request::{Control, Request};
use super::state;
use crate::control::{IOCTL_CHECK, IOCTL_REPORT, IOCTL_START, IOCTL_STATUS, Start, Status};

/// IRP_MJ_DEVICE_CONTROL.
pub(super) unsafe extern "C" fn dispatch(_device: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: the system passes a request that this driver now owns.
    let request = unsafe { Request::new(irp) };
    // SAFETY: this routine is registered for that major function alone.
    let control = unsafe { request.control() };
    match answer(&request, control) {
        Ok(bytes) => request.complete(STATUS_SUCCESS, bytes),
        Err(status) => request.complete(status, 0),
    }
}

fn answer(request: &Request, control: Control) -> Result<usize, NTSTATUS> {
    match control.code {
        IOCTL_START => start(request, control).map(|()| 0),
        IOCTL_CHECK if state::begin_check() => Ok(0),
        IOCTL_CHECK => Err(STATUS_DEVICE_NOT_READY),
        IOCTL_STATUS => {
            let status = state::status();
            let bytes = size_of::<Status>();
            if control.output < bytes {
                return Err(STATUS_BUFFER_TOO_SMALL);
            }
            // SAFETY: the buffer has as many bytes, at an address of pool.
            unsafe { request.system_buffer().cast::<Status>().write_unaligned(status) };
            Ok(bytes)
        }
        IOCTL_REPORT => {
            let report = state::report().ok_or(STATUS_NOT_FOUND)?;
            if control.output < report.len() {
                return Err(STATUS_BUFFER_TOO_SMALL);
            }
            // SAFETY: the buffer has as many bytes, and the report is not part of it.
            unsafe { ptr::copy_nonoverlapping(report.as_ptr(), request.system_buffer(), report.len()) };
            Ok(report.len())
        }
        _ => Err(STATUS_INVALID_DEVICE_REQUEST),
    }
}

fn start(request: &Request, control: Control) -> Result<(), NTSTATUS> {
    if control.input != size_of::<Start>() {
        return Err(STATUS_INVALID_PARAMETER);
    }
    // SAFETY: the buffer has as many bytes, and any bytes are a Start.
    let start = unsafe { request.system_buffer().cast::<Start>().read_unaligned() };
    let plan = start.plan().ok_or(STATUS_INVALID_PARAMETER)?;
    if state::begin(plan) { Ok(()) } else { Err(STATUS_DEVICE_NOT_READY) }
}
