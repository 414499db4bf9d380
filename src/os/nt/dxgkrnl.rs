//! DxgkInitialize.
//!
//! The WDK's displib.lib has it. Without the feature `displib` the driver does the same by documented functions: it
//! loads Dxgkrnl, opens its device and asks it for the function that takes the table.
//!
//! UNSAFETY: calls what Dxgkrnl answers.
#![expect(unsafe_code)]

use wddm::{DRIVER_INITIALIZATION_DATA, DRIVER_OBJECT, NTSTATUS, UNICODE_STRING};

#[cfg(not(feature = "displib"))]
mod request {
    use gpup_core::os::Level;
    use nt::device::{Device, Loaded};
    use wddm::{DXGKRNL_INITIALIZE, NTSTATUS, STATUS_UNSUCCESSFUL};

    use super::super::log;

    /// IOCTL_VIDEO_DDI_FUNC_REGISTER, an internal request that is answered with a function.
    const REGISTER: u32 = 0x0023_003F;

    /// Loads Dxgkrnl and gets its function. What fails is undone: Dxgkrnl stays loaded only where it was before.
    pub(super) fn function() -> Result<(Loaded, DXGKRNL_INITIALIZE), NTSTATUS> {
        let service = nt::wide!("\\Registry\\Machine\\System\\CurrentControlSet\\Services\\DXGKrnl");
        let loaded = Loaded::new(service).map_err(failed("Dxgkrnl does not load"))?;
        let device = Device::open(nt::wide!("\\Device\\DxgKrnl"))
            .map_err(failed("\\Device\\DxgKrnl does not open"))?;
        let mut function: Option<DXGKRNL_INITIALIZE> = None;
        // SAFETY: this request is answered with a function pointer.
        unsafe { device.internal_control(REGISTER, &mut function) }
            .map_err(failed("Dxgkrnl refuses to register a driver"))?;
        let function = function.ok_or(STATUS_UNSUCCESSFUL.0).map_err(failed("Dxgkrnl answers nothing"))?;
        Ok((loaded, function))
    }

    fn failed(what: &'static str) -> impl Fn(nt::NTSTATUS) -> NTSTATUS {
        move |status| {
            log::write(Level::Error, format_args!("{what}: {status:#010x}"));
            NTSTATUS(status)
        }
    }
}

#[cfg(feature = "displib")]
#[link(name = "displib")]
unsafe extern "C" {
    /// "DxgkInitialize function (dispmprt.h)".
    fn DxgkInitialize(
        driver: *mut DRIVER_OBJECT,
        path: *mut UNICODE_STRING,
        table: *mut DRIVER_INITIALIZATION_DATA,
    ) -> NTSTATUS;
}

/// Hands the table to Dxgkrnl. PASSIVE_LEVEL. "DxgkInitialize function (dispmprt.h)".
///
/// # Safety
/// The arguments are DriverEntry's and a filled table.
#[cfg(not(feature = "displib"))]
pub(crate) unsafe fn dxgk_initialize(
    driver: *mut DRIVER_OBJECT,
    path: *mut UNICODE_STRING,
    table: &mut DRIVER_INITIALIZATION_DATA,
) -> NTSTATUS {
    let (loaded, function) = match request::function() {
        Ok(found) => found,
        Err(status) => return status,
    };
    // SAFETY: Dxgkrnl's own function with the arguments that DxgkInitialize passes on.
    let status = unsafe { function(driver, path, table) };
    if status.is_success() {
        loaded.keep();
    }
    status
}

/// Hands the table to Dxgkrnl. PASSIVE_LEVEL. "DxgkInitialize function (dispmprt.h)".
///
/// # Safety
/// The arguments are DriverEntry's and a filled table.
#[cfg(feature = "displib")]
pub(crate) unsafe fn dxgk_initialize(
    driver: *mut DRIVER_OBJECT,
    path: *mut UNICODE_STRING,
    table: &mut DRIVER_INITIALIZATION_DATA,
) -> NTSTATUS {
    // SAFETY: the caller's promise.
    unsafe { DxgkInitialize(driver, path, table) }
}
