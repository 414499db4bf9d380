//! Dxgkrnl's own functions, as the driver calls them.
//!
//! UNSAFETY: calls the function pointers of DXGKRNL_INTERFACE.
#![expect(unsafe_code)]

use core::mem::offset_of;
use core::ptr::from_ref;

use gpup_core::{Error, Result};
use wddm::{
    DXGK_DEVICE_INFO, DXGKARGCB_NOTIFY_INTERRUPT_DATA, DXGKRNL_INTERFACE, GUID, HANDLE, KSYNCHRONIZE_ROUTINE,
    STATUS_NOT_SUPPORTED,
};

/// Bytes of DXGKRNL_INTERFACE without which the driver cannot work: everything up to LogEtwEvent.
const LEAST_BYTES: usize = offset_of!(DXGKRNL_INTERFACE, DxgkCbExcludeAdapterAccess);

/// The interface that StartDevice got.
pub(crate) struct Dxgkrnl {
    interface: DXGKRNL_INTERFACE,
}

// SAFETY: the functions are callable from any thread and the device handle is only passed back.
unsafe impl Send for Dxgkrnl {}
// SAFETY: as above; nothing here changes after `new`.
unsafe impl Sync for Dxgkrnl {}

impl Dxgkrnl {
    /// Copies as much of the interface as Dxgkrnl says there is.
    ///
    /// # Safety
    /// `interface` is StartDevice's argument: its first field says how many bytes are readable.
    pub(crate) unsafe fn new(interface: *const DXGKRNL_INTERFACE) -> Result<Self> {
        if interface.is_null() || !interface.is_aligned() {
            return Err(Error::InvalidParameter);
        }
        // SAFETY: the first field, Size, is readable, as the caller promises.
        let size = unsafe { interface.cast::<u32>().read() } as usize;
        if size < LEAST_BYTES {
            return Err(Error::NotSupported);
        }
        let mut copy = DXGKRNL_INTERFACE::zeroed();
        let bytes = size.min(size_of::<DXGKRNL_INTERFACE>());
        // SAFETY: Size bytes are readable, `bytes` of them fit the copy, and the two do not overlap.
        unsafe { core::ptr::copy_nonoverlapping(interface.cast::<u8>(), (&raw mut copy).cast(), bytes) };
        let needed = copy.DxgkCbGetDeviceInformation.is_some()
            && copy.DxgkCbSynchronizeExecution.is_some()
            && copy.DxgkCbNotifyInterrupt.is_some()
            && copy.DxgkCbQueueDpc.is_some()
            && copy.DxgkCbNotifyDpc.is_some();
        if needed { Ok(Self { interface: copy }) } else { Err(Error::NotSupported) }
    }

    /// What Dxgkrnl knows of the device: its software key, resources, the top of memory.
    pub(crate) fn device_information(&self) -> Result<DXGK_DEVICE_INFO> {
        let call = self.interface.DxgkCbGetDeviceInformation.ok_or(Error::NotSupported)?;
        let mut info = DXGK_DEVICE_INFO::zeroed();
        // SAFETY: the handle is Dxgkrnl's own and `info` is a structure it may fill.
        let status = unsafe { call(self.interface.DeviceHandle, &mut info) };
        if status.is_success() { Ok(info) } else { Err(Error::Removed) }
    }

    /// Runs `routine` where it is synchronized with the interrupt routine; false when no interrupt is connected.
    ///
    /// # Safety
    /// `context` is what `routine` takes, and valid until this returns.
    pub(crate) unsafe fn synchronize(&self, routine: KSYNCHRONIZE_ROUTINE, context: HANDLE) -> bool {
        let mut returned = 0;
        let status = match self.interface.DxgkCbSynchronizeExecution {
            // SAFETY: the caller vouches for routine and context; the others are Dxgkrnl's own.
            Some(call) => unsafe {
                call(self.interface.DeviceHandle, Some(routine), context, 0, &mut returned)
            },
            None => STATUS_NOT_SUPPORTED,
        };
        status.is_success()
    }

    /// Reports an interrupt. Only at DIRQL: inside a routine of [`Dxgkrnl::synchronize`], or where the OS layer
    /// stands in for it.
    pub(crate) fn notify_interrupt(&self, data: &DXGKARGCB_NOTIFY_INTERRUPT_DATA) {
        if let Some(call) = self.interface.DxgkCbNotifyInterrupt {
            // SAFETY: Dxgkrnl copies the data before it returns.
            unsafe { call(self.interface.DeviceHandle, data) };
        }
    }

    /// Asks for a call of DpcRoutine. One that is waiting already, which is no error, will see this interrupt too.
    pub(crate) fn queue_dpc(&self) {
        if let Some(call) = self.interface.DxgkCbQueueDpc {
            // SAFETY: the handle is Dxgkrnl's own.
            unsafe { call(self.interface.DeviceHandle) };
        }
    }

    /// Tells Dxgkrnl, from DpcRoutine, to look at what was reported.
    pub(crate) fn notify_dpc(&self) {
        if let Some(call) = self.interface.DxgkCbNotifyDpc {
            // SAFETY: the handle is Dxgkrnl's own.
            unsafe { call(self.interface.DeviceHandle) };
        }
    }

    /// Logs an event. PASSIVE_LEVEL, since events may be larger than 256 bytes.
    pub(crate) fn log_event<T: Copy>(&self, guid: &GUID, event: &T) {
        let (Some(call), Ok(bytes)) = (self.interface.DxgkCbLogEtwEvent, u16::try_from(size_of::<T>()))
        else {
            return;
        };
        // SAFETY: the buffer is a live structure of that size, which Dxgkrnl only reads.
        unsafe { call(guid, 0, bytes, from_ref(event).cast_mut().cast()) };
    }

    /// The handle that Dxgkrnl knows the device by.
    pub(crate) fn device_handle(&self) -> HANDLE {
        self.interface.DeviceHandle
    }
}
