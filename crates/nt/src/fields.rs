//! Fields that lie in unnamed unions. bindgen numbers those (`__bindgen_anon_N`) in the order of the header it
//! reads, so every access to one is here.
//!
//! UNSAFETY: reads and writes unions, through pointers that the callers vouch for.
#![expect(unsafe_code)]

use core::mem::offset_of;

use wdk_sys::{IO_STACK_LOCATION, IO_STATUS_BLOCK, IRP, LARGE_INTEGER, NTSTATUS};

/// The value of a LARGE_INTEGER.
pub fn quad(value: LARGE_INTEGER) -> i64 {
    // SAFETY: every variant is plain data of the same eight bytes.
    unsafe { value.QuadPart }
}

/// A LARGE_INTEGER of this value.
pub const fn large(value: i64) -> LARGE_INTEGER {
    LARGE_INTEGER { QuadPart: value }
}

/// IO_STATUS_BLOCK.Status.
pub fn status(block: &IO_STATUS_BLOCK) -> NTSTATUS {
    // SAFETY: the status and the pointer it shares its place with are plain data.
    unsafe { block.__bindgen_anon_1.Status }
}

/// IRP.IoStatus.
///
/// # Safety
/// `irp` is a request that this driver owns.
pub unsafe fn set_status(irp: *mut IRP, status: NTSTATUS, information: usize) {
    let mut block = IO_STATUS_BLOCK { Information: information as _, ..IO_STATUS_BLOCK::default() };
    block.__bindgen_anon_1.Status = status;
    // SAFETY: the caller's promise.
    unsafe { (*irp).IoStatus = block };
}

/// Where a request keeps its current stack location.
fn current(irp: *mut IRP) -> *mut *mut IO_STACK_LOCATION {
    let at = offset_of!(IRP, Tail.Overlay.__bindgen_anon_2.__bindgen_anon_1.CurrentStackLocation);
    irp.wrapping_byte_add(at).cast()
}

/// IoGetCurrentIrpStackLocation.
///
/// # Safety
/// `irp` is a request that this driver owns.
pub unsafe fn stack_location(irp: *mut IRP) -> *mut IO_STACK_LOCATION {
    // SAFETY: the caller's promise.
    unsafe { current(irp).read() }
}

/// IoSkipCurrentIrpStackLocation: the next driver gets this one's location.
///
/// # Safety
/// `irp` is a request that this driver owns and now passes on.
pub unsafe fn skip_stack_location(irp: *mut IRP) {
    // SAFETY: the caller's promise.
    let next = unsafe { stack_location(irp) }.wrapping_add(1);
    // SAFETY: the caller's promise.
    unsafe { (*irp).CurrentLocation += 1 };
    // SAFETY: the caller's promise; the location after the current one is that of the driver that sent the request.
    unsafe { current(irp).write(next) };
}
