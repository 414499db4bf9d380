//! System threads.
//!
//! UNSAFETY: calls the kernel, and passes a boxed closure to the thread it starts.
#![expect(unsafe_code)]

use alloc::boxed::Box;
use core::ptr;

use wdk_sys::ntddk::{
    KeDelayExecutionThread, PsCreateSystemThread, PsGetCurrentThreadId, PsTerminateSystemThread, ZwClose,
    ZwWaitForSingleObject,
};
use wdk_sys::{
    _MODE, FALSE, HANDLE, NTSTATUS, OBJ_KERNEL_HANDLE, OBJECT_ATTRIBUTES, PVOID,
    STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS, THREAD_ALL_ACCESS,
};

use crate::check;
use crate::clock::relative;
use crate::fields::large;

/// What a thread does.
pub type Body = Box<dyn FnOnce() + Send>;

/// A running system thread. Dropping it waits for its end.
pub struct Thread {
    handle: HANDLE,
}

// SAFETY: a kernel handle is valid in every thread.
unsafe impl Send for Thread {}
// SAFETY: as above, and nothing here changes.
unsafe impl Sync for Thread {}

impl Thread {
    /// Starts a thread in the system process. PASSIVE_LEVEL. "PsCreateSystemThread function".
    pub fn spawn(body: Body) -> Result<Self, NTSTATUS> {
        let context = Box::into_raw(crate::try_box(body).ok_or(STATUS_INSUFFICIENT_RESOURCES)?);
        let mut attributes = OBJECT_ATTRIBUTES {
            Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
            Attributes: OBJ_KERNEL_HANDLE,
            ..OBJECT_ATTRIBUTES::default()
        };
        let mut handle = ptr::null_mut();
        // SAFETY: the attributes name nothing, and `start` takes the context that it gets.
        let status = unsafe {
            PsCreateSystemThread(
                &mut handle,
                THREAD_ALL_ACCESS,
                &mut attributes,
                ptr::null_mut(),
                ptr::null_mut(),
                Some(start),
                context.cast(),
            )
        };
        if let Err(status) = check(status) {
            // SAFETY: the box came from into_raw above, and no thread has begun that would take it.
            drop(unsafe { Box::from_raw(context) });
            return Err(status);
        }
        Ok(Self { handle })
    }

    /// Waits until the thread has ended, and with it all use of the driver's code. PASSIVE_LEVEL.
    /// "ZwWaitForSingleObject function".
    pub fn join(&self) {
        // SAFETY: the handle is open until `drop`.
        let status = unsafe { ZwWaitForSingleObject(self.handle, FALSE as u8, ptr::null_mut()) };
        debug_assert_eq!(status, STATUS_SUCCESS);
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.join();
        // SAFETY: the handle is open, and `self` was the only one who had it.
        let status = unsafe { ZwClose(self.handle) };
        debug_assert_eq!(status, STATUS_SUCCESS);
    }
}

/// Takes the body out of the box that brought it, and frees that.
///
/// # Safety
/// `context` is a box of a Body from [`Thread::spawn`], which nobody has taken.
unsafe fn unpack(context: PVOID) -> Body {
    // SAFETY: the caller's promise.
    *unsafe { Box::from_raw(context.cast::<Body>()) }
}

/// A system thread's start routine.
unsafe extern "C" fn start(context: PVOID) {
    // SAFETY: `spawn` passes the context to one thread.
    let body = unsafe { unpack(context) };
    body();
    // SAFETY: this is a thread of PsCreateSystemThread, and nothing is left to drop.
    let _ = unsafe { PsTerminateSystemThread(STATUS_SUCCESS) };
}

/// Sleeps `ns` nanoseconds or a little longer. PASSIVE_LEVEL. "KeDelayExecutionThread function".
pub fn sleep(ns: u64) {
    let mut interval = large(relative(ns));
    // SAFETY: the interval is a live variable.
    let _ = unsafe { KeDelayExecutionThread(_MODE::KernelMode as i8, FALSE as u8, &mut interval) };
}

/// Lets other threads that are ready have the processor: a wait for a moment that has come. PASSIVE_LEVEL.
///
/// which says so by its name, has no page.
pub fn yield_now() {
    sleep(0);
}

/// The number of the calling thread. "PsGetCurrentThreadId function".
pub fn current_id() -> usize {
    // SAFETY: takes nothing.
    unsafe { PsGetCurrentThreadId() }.addr()
}
