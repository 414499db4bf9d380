//! An adapter's life: announced, started, stopped, removed; and the children it does not have.
//!
//! UNSAFETY: fills what the calls point at.
#![expect(unsafe_code)]

use alloc::boxed::Box;
use alloc::sync::Arc;

use gpup_core::adapter::Adapter;
use gpup_core::device::sim::{SimConfig, SimGpu};
use gpup_core::device::{Device, Geometry, Identity};
use gpup_core::os::{self, Level, TraceEvent};
use gpup_core::vram::{SimulatedVram, VramStore};
use gpup_core::{Error, Result};
use wddm::{
    BOOLEAN, DEVICE_OBJECT, DXGK_CHILD_DESCRIPTOR, DXGK_CHILD_STATUS, DXGK_DEVICE_DESCRIPTOR,
    DXGK_DEVICE_INFO, DXGK_START_INFO, DXGK_SURPRISE_REMOVAL_TYPE, DXGKRNL_INTERFACE, NTSTATUS, PVOID,
};

use super::{edge, status};
use crate::miniport::aperture::Aperture;
use crate::miniport::dxgkrnl::Dxgkrnl;
use crate::miniport::{self, Miniport, Started};
use crate::os as os_layer;
use crate::settings::Settings;

wddm::ddi! {
    /// DxgkDdiAddDevice. PASSIVE_LEVEL. "DXGKDDI_ADD_DEVICE callback function (dispmprt.h)".
    pub(crate) unsafe fn add_device(device: *mut DEVICE_OBJECT, context: *mut PVOID) -> NTSTATUS {
        // SAFETY: Dxgkrnl's place for the context.
        let context = unsafe { edge::output(context) };
        status::of(context.and_then(|context| {
            if device.is_null() {
                return Err(Error::InvalidParameter);
            }
            *context = miniport::add(Box::new(Miniport::new()))?;
            Ok(())
        }))
    }

    /// DxgkDdiStartDevice. PASSIVE_LEVEL, level 3. "DXGKDDI_START_DEVICE callback function (dispmprt.h)".
    pub(crate) unsafe fn start_device(
        adapter: PVOID,
        start_info: *mut DXGK_START_INFO,
        interface: *mut DXGKRNL_INTERFACE,
        sources: *mut u32,
        children: *mut u32,
    ) -> NTSTATUS {
        // SAFETY: Dxgkrnl's own arguments.
        let info = unsafe { edge::input(start_info.cast_const()) };
        // SAFETY: Dxgkrnl's own arguments.
        let counts = unsafe { edge::output(sources) }.and_then(|sources| {
            // SAFETY: as above.
            unsafe { edge::output(children) }.map(|children| (sources, children))
        });
        // SAFETY: the interface says itself how long it is.
        let dxgkrnl = unsafe { Dxgkrnl::new(interface) };
        // SAFETY: within a DDI of the adapter, and the reference ends with it.
        let miniport = unsafe { miniport::find(adapter) };
        status::of(miniport.and_then(|miniport| {
            let (sources, children) = counts?;
            info?;
            start(adapter, miniport, dxgkrnl?)?;
            // A compute-only adapter shows nothing.
            (*sources, *children) = (0, 0);
            Ok(())
        }))
    }

    /// DxgkDdiStopDevice. PASSIVE_LEVEL, level 3. "DXGKDDI_STOP_DEVICE callback function (dispmprt.h)".
    pub(crate) unsafe fn stop_device(adapter: PVOID) -> NTSTATUS {
        // SAFETY: within a DDI of the adapter, and the reference ends with it.
        let miniport = unsafe { miniport::find(adapter) };
        status::of(miniport.and_then(|miniport| stop(miniport, miniport::seat_of(adapter)?)))
    }

    /// DxgkDdiRemoveDevice. PASSIVE_LEVEL. "DXGKDDI_REMOVE_DEVICE callback function (dispmprt.h)".
    pub(crate) unsafe fn remove_device(adapter: PVOID) -> NTSTATUS {
        let seat = miniport::seat_of(adapter);
        status::of(seat.and_then(|seat| stop(&*miniport::remove(adapter)?, seat)))
    }

    /// DxgkDdiResetDevice. Any level, before a crash dump: nothing to show and nothing to lock. "DXGKDDI_RESET_DEVICE
    /// callback function (dispmprt.h)".
    pub(crate) unsafe fn reset_device(_adapter: PVOID) {}

    /// DxgkDdiNotifySurpriseRemoval. PASSIVE_LEVEL, level 0. The device is gone: its engines stop for good, and no message
    /// of a VF reaches memory any more. "DXGKDDI_NOTIFY_SURPRISE_REMOVAL callback function (dispmprt.h)".
    pub(crate) unsafe fn notify_surprise_removal(
        adapter: PVOID,
        _removal: DXGK_SURPRISE_REMOVAL_TYPE,
    ) -> NTSTATUS {
        // SAFETY: within a DDI of the adapter, and the reference ends with it.
        let miniport = unsafe { miniport::find(adapter) };
        // One that is not started has no hardware to lose, and a failure would stop the system.
        status::of(miniport.map(|miniport| miniport.started().map(|started| started.adapter.remove())))
    }

    /// DxgkDdiQueryChildRelations. PASSIVE_LEVEL. "DXGKDDI_QUERY_CHILD_RELATIONS callback function (dispmprt.h)".
    ///
    /// The array comes zeroed with one place more than there are children, and stays so.
    pub(crate) unsafe fn query_child_relations(
        adapter: PVOID,
        _relations: *mut DXGK_CHILD_DESCRIPTOR,
        _size: u32,
    ) -> NTSTATUS {
        // SAFETY: a callback's own handle.
        unsafe { edge::adapter(adapter, |_| Ok(())) }
    }

    /// DxgkDdiQueryChildStatus. PASSIVE_LEVEL. "DXGKDDI_QUERY_CHILD_STATUS callback function (dispmprt.h)".
    pub(crate) unsafe fn query_child_status(
        adapter: PVOID,
        _status: *mut DXGK_CHILD_STATUS,
        _non_destructive: BOOLEAN,
    ) -> NTSTATUS {
        // SAFETY: a callback's own handle.
        unsafe { edge::adapter(adapter, no_child) }
    }

    /// DxgkDdiQueryDeviceDescriptor. PASSIVE_LEVEL. "DXGKDDI_QUERY_DEVICE_DESCRIPTOR callback function (dispmprt.h)".
    pub(crate) unsafe fn query_device_descriptor(
        adapter: PVOID,
        _child: u32,
        _descriptor: *mut DXGK_DEVICE_DESCRIPTOR,
    ) -> NTSTATUS {
        // SAFETY: a callback's own handle.
        unsafe { edge::adapter(adapter, no_child) }
    }
}

fn no_child(_: &Started) -> Result<()> {
    Err(Error::InvalidParameter)
}

fn start(handle: PVOID, miniport: &Miniport, dxgkrnl: Dxgkrnl) -> Result<()> {
    if miniport.started().is_ok() {
        return Err(Error::WrongState);
    }
    let info = dxgkrnl.device_information()?;
    let settings = read_settings(&info)?;
    let device = simulated(&settings, vram(&info, &settings)?)?;
    let adapter = Adapter::new(device, settings.adapter())?;
    let seat = miniport::seat_of(handle)?;
    // SAFETY: Dxgkrnl's device object, there for as long as the adapter is.
    let location = unsafe { os_layer::location(info.PhysicalDeviceObject) };
    let started = Started::new(seat, Arc::new(dxgkrnl), location, adapter)?;
    started.adapter.start(started.notifier.clone())?;
    let id = started.adapter.id();
    miniport.publish(Box::new(started))?;
    let Settings { vfs, vram_bytes, .. } = settings;
    os::trace(id, TraceEvent::AdapterStarted { vfs, vram_bytes });
    Ok(())
}

/// The values under the adapter's software key; one outside its limits fails the start and is named in the log.
fn read_settings(info: &DXGK_DEVICE_INFO) -> Result<Settings> {
    // SAFETY: Dxgkrnl's path is readable for as long as the adapter is started.
    let read = |name| unsafe { os_layer::setting(&info.DeviceRegistryPath, name) };
    Settings::read(read).map_err(|refused| {
        os::log(Level::Error, format_args!("{refused}"));
        Error::InvalidParameter
    })
}

/// The VRAM that the settings describe; a BAR that is not there or too small fails the start and is named in the log.
fn vram(info: &DXGK_DEVICE_INFO, settings: &Settings) -> Result<Arc<dyn VramStore>> {
    let bytes = settings.vram_bytes;
    if !settings.vram_in_bar {
        return Ok(Arc::new(SimulatedVram::new(bytes)?));
    }
    // SAFETY: Dxgkrnl's list of what it gave to this driver, readable for as long as the adapter is started.
    let aperture = unsafe { Aperture::of(info.TranslatedResourceList, bytes) }.inspect_err(|error| {
        let what = format_args!(
            "Backend = 1, but the device has no memory resource of VramBytes = {bytes} that can be mapped ({error}): \
             lower VramBytes, or set Backend to 0"
        );
        os::log(Level::Error, what);
    })?;
    Ok(Arc::new(aperture))
}

/// The simulated device that the settings describe, over this VRAM.
fn simulated(settings: &Settings, vram: Arc<dyn VramStore>) -> Result<Arc<dyn Device>> {
    let usual = SimConfig::new(settings.vram_bytes, settings.vfs);
    let config = SimConfig {
        identity: Identity {
            vendor: settings.vendor,
            device: settings.device,
            revision: settings.revision,
            firmware: settings.firmware,
        },
        geometry: Geometry { dirty_page_bytes: settings.dirty_page_bytes, ..usual.geometry },
        rates: settings.rates(),
        paging_bytes_per_second: settings.paging_bytes_per_second,
    };
    let device = SimGpu::over(config, vram)?;
    #[cfg(feature = "fault-injection")]
    if settings.fault_no_ledger {
        device.tracker().set_fault(gpup_core::dirty::Fault::LedgerOff);
    }
    #[cfg(feature = "fault-injection")]
    if settings.fault_no_dirty_marks {
        device.tracker().set_fault(gpup_core::dirty::Fault::NoMarks);
    }
    Ok(device)
}

/// Stops engines, ends VFs and migrations, and says what Dxgkrnl has forgotten to close. The engines stop first, so
/// that what they still report finds its DPC.
fn stop(miniport: &Miniport, seat: usize) -> Result<()> {
    let Ok(started) = miniport.started() else { return Ok(()) };
    started.adapter.stop();
    let objects = started.objects();
    if objects > 0 {
        os::log(Level::Warning, format_args!("{objects} objects were not closed"));
    }
    let id = started.adapter.id();
    drop(miniport.withdraw(|| miniport::wait_for_dpcs(seat)));
    os::trace(id, TraceEvent::AdapterStopped);
    Ok(())
}
