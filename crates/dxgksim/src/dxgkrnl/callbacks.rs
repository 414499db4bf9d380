//! The callbacks that a compute-only driver may use, and the DXGKRNL_INTERFACE that carries all 73.
//!
//! UNSAFETY: reads and writes what the driver points at.
#![expect(unsafe_code)]

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use wddm::*;

use super::core::{Core, all, find};
use super::stubs;
use super::triage::TriageEvent;
use crate::contract::{Fault, Fences, Irql, current, rules};
use crate::memory::Pages;

/// The adapter behind a DeviceHandle, its IRQL checked.
fn adapter(name: &'static str, handle: HANDLE, highest: Irql) -> Option<Arc<Core>> {
    let core = find(name, handle)?;
    core.contract.callback(name, highest);
    core.contract.require(
        core.open.load(Ordering::Acquire),
        &rules::CALLBACK_MISUSED,
        format_args!("{name} was called on a removed device"),
    );
    Some(core)
}

wddm::ddi! {
    unsafe fn get_device_information(handle: HANDLE, info: *mut DXGK_DEVICE_INFO) -> NTSTATUS {
        let Some(core) = adapter("DxgkCbGetDeviceInformation", handle, Irql::Passive) else {
            return STATUS_INVALID_PARAMETER;
        };
        let mut answer = DXGK_DEVICE_INFO::zeroed();
        answer.MiniportDeviceContext = core.context();
        answer.PhysicalDeviceObject = core.physical_device();
        answer.DeviceRegistryPath.Length = (core.registry_path.len() * 2) as u16;
        answer.DeviceRegistryPath.MaximumLength = answer.DeviceRegistryPath.Length;
        answer.DeviceRegistryPath.Buffer = core.registry_path.as_ptr().cast_mut();
        answer.TranslatedResourceList = core.resource_list();
        answer.SystemMemorySize = core.options.system_memory_bytes as i64;
        answer.HighestPhysicalAddress = i64::MAX;
        // SAFETY: the driver gives a structure to be filled.
        unsafe { info.write(answer) };
        STATUS_SUCCESS
    }

    unsafe fn queue_dpc(handle: HANDLE) -> BOOLEAN {
        match adapter("DxgkCbQueueDpc", handle, Irql::Device) {
            Some(core) => BOOLEAN::from(core.interrupts.queue_dpc()),
            None => FALSE,
        }
    }

    unsafe fn synchronize_execution(
        handle: HANDLE,
        routine: PKSYNCHRONIZE_ROUTINE,
        context: PVOID,
        _message: u32,
        result: *mut BOOLEAN,
    ) -> NTSTATUS {
        let Some(core) = adapter("DxgkCbSynchronizeExecution", handle, Irql::Dispatch) else {
            return STATUS_INVALID_PARAMETER;
        };
        let (Some(routine), false) = (routine, current() > Irql::Dispatch) else {
            return STATUS_INVALID_PARAMETER;
        };
        let answer = core.interrupts.synchronize(&core.contract, || {
            // SAFETY: the driver gives its routine and the context that goes with it.
            unsafe { routine(context) }
        });
        match answer {
            None => STATUS_UNSUCCESSFUL,
            Some(answer) => {
                if !result.is_null() {
                    // SAFETY: the driver gives a place for the routine's result.
                    unsafe { result.write(answer) };
                }
                STATUS_SUCCESS
            }
        }
    }

    unsafe fn notify_interrupt(handle: HANDLE, data: *const DXGKARGCB_NOTIFY_INTERRUPT_DATA) {
        let Some(core) = adapter("DxgkCbNotifyInterrupt", handle, Irql::Device) else { return };
        // SAFETY: the driver gives a filled structure.
        let data = unsafe { data.read() };
        core.interrupts.notify(&core.contract, |nodes| report(&core, nodes, &data));
    }

    unsafe fn notify_dpc(handle: HANDLE) {
        if let Some(core) = adapter("DxgkCbNotifyDpc", handle, Irql::Dispatch) {
            core.interrupts.notify_dpc(&core.contract);
        }
    }

    unsafe fn log_etw_event(guid: *const GUID, _kind: u8, bytes: u16, buffer: PVOID) {
        // SAFETY: the driver gives the GUID of its event.
        let guid = unsafe { guid.read() };
        let highest = if bytes <= 256 { Irql::Device } else { Irql::Passive };
        let triage = guid == GUID_DXGKDDI_AZURE_TRIAGE_EVENT;
        let size = size_of::<DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION>();
        let mut target = None;
        let mut event = DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION::zeroed();
        if triage && usize::from(bytes) >= size {
            // SAFETY: the driver gives a buffer of the size it states, which holds the structure.
            event = unsafe { buffer.cast::<DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION>().read_unaligned() };
            target = Some(event.hAdapter);
        }
        for core in all() {
            core.contract.callback("DxgkCbLogEtwEvent", highest);
            core.contract.require(
                !triage || usize::from(bytes) == size,
                &rules::ETW_EVENT,
                format_args!("a triage event of {bytes} bytes instead of {size}"),
            );
            // The page does not say which of its two handles names the adapter.
            if target.is_some_and(|named| named == core.device_handle() || named == core.context()) {
                core.triage.log(TriageEvent::read(&event));
                target = Some(core::ptr::null_mut());
            }
        }
        if let Some(unknown) = target.filter(|left| !left.is_null()) {
            for core in all() {
                core.contract.broken(&rules::ETW_EVENT, format_args!("a triage event names adapter {unknown:p}"));
            }
        }
    }

    unsafe fn query_services(handle: HANDLE, service: DXGK_SERVICES, interface: *mut INTERFACE) -> NTSTATUS {
        let Some(core) = adapter("DxgkCbQueryServices", handle, Irql::Passive) else {
            return STATUS_INVALID_PARAMETER;
        };
        if service != DXGK_SERVICES::DxgkServicesFeature {
            return STATUS_NOT_SUPPORTED;
        }
        // SAFETY: the driver gives an interface whose Size it has set.
        let size = usize::from(unsafe { (*interface).Size });
        if size < size_of::<DXGK_FEATURE_INTERFACE>() {
            return STATUS_BUFFER_TOO_SMALL;
        }
        let mut answer = DXGK_FEATURE_INTERFACE::zeroed();
        answer.Size = size_of::<DXGK_FEATURE_INTERFACE>() as u16;
        answer.Version = DXGK_FEATURE_INTERFACE_VERSION_1;
        answer.Context = core.device_handle();
        answer.InterfaceReference = Some(reference);
        answer.InterfaceDereference = Some(reference);
        answer.IsFeatureEnabled = Some(is_feature_enabled2);
        answer.QueryFeatureInterface = Some(stubs::none2);
        // SAFETY: the driver's buffer is as large as its Size says.
        unsafe { interface.cast::<DXGK_FEATURE_INTERFACE>().write(answer) };
        STATUS_SUCCESS
    }

    unsafe fn reference(_context: PVOID) {}

    unsafe fn is_feature_enabled2(handle: HANDLE, args: *mut DXGKARGCB_ISFEATUREENABLED2) -> NTSTATUS {
        let testing = all()
            .iter()
            .any(|core| (handle.is_null() || core.device_handle() == handle) && core.options.kernel_mode_testing);
        // SAFETY: the driver gives a structure to be filled.
        let feature = unsafe { (*args).FeatureId };
        let mut result = DXGK_ISFEATUREENABLED_RESULT::zeroed();
        if testing && feature == DXGK_FEATURE_ID::DXGK_FEATURE_KERNEL_MODE_TESTING {
            result.Version = 1;
            result.Value = DXGK_ISFEATUREENABLED_RESULT_VALUE::Enabled
                | DXGK_ISFEATUREENABLED_RESULT_VALUE::KnownFeature
                | DXGK_ISFEATUREENABLED_RESULT_VALUE::SupportedByDriver
                | DXGK_ISFEATUREENABLED_RESULT_VALUE::SupportedOnCurrentConfig;
        }
        // SAFETY: as above.
        unsafe { (*args).Result = result };
        STATUS_SUCCESS
    }

    unsafe fn is_feature_enabled(args: *mut DXGKARGCB_ISFEATUREENABLED) -> NTSTATUS {
        // SAFETY: the driver gives a structure to be filled.
        unsafe { (*args).Enabled = FALSE };
        STATUS_SUCCESS
    }

    unsafe fn query_feature_support(args: *mut DXGKARGCB_QUERYFEATURESUPPORT) -> NTSTATUS {
        // SAFETY: the driver gives a structure to be filled.
        unsafe { (*args).Enabled = FALSE };
        STATUS_SUCCESS
    }

    unsafe fn device_space(
        handle: HANDLE,
        _kind: u32,
        _buffer: PVOID,
        _offset: u32,
        _length: u32,
        moved: *mut u32,
    ) -> NTSTATUS {
        if adapter("DxgkCbReadDeviceSpace or DxgkCbWriteDeviceSpace", handle, Irql::Passive).is_some()
            && !moved.is_null()
        {
            // SAFETY: the driver gives a place for the count. The device is on no bus with config space.
            unsafe { moved.write(0) };
        }
        STATUS_UNSUCCESSFUL
    }

    unsafe fn map_memory(
        handle: HANDLE,
        address: PHYSICAL_ADDRESS,
        _length: u32,
        _io: BOOLEAN,
        _user: BOOLEAN,
        _cache: MEMORY_CACHING_TYPE,
        mapped: *mut PVOID,
    ) -> NTSTATUS {
        let Some(core) = adapter("DxgkCbMapMemory", handle, Irql::Passive) else { return STATUS_INVALID_PARAMETER };
        core.held.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the driver gives a place for the address, which is the physical one here.
        unsafe { mapped.write(core::ptr::with_exposed_provenance_mut(address as usize)) };
        STATUS_SUCCESS
    }

    unsafe fn unmap_memory(handle: HANDLE, _mapped: PVOID) -> NTSTATUS {
        let Some(core) = adapter("DxgkCbUnmapMemory", handle, Irql::Passive) else { return STATUS_INVALID_PARAMETER };
        core.held.fetch_sub(1, Ordering::Relaxed);
        STATUS_SUCCESS
    }

    unsafe fn is_device_present(_handle: HANDLE, _what: *mut PCI_DEVICE_PRESENCE_PARAMETERS, present: *mut BOOLEAN) -> NTSTATUS {
        // SAFETY: the driver gives a place for the answer.
        unsafe { present.write(FALSE) };
        STATUS_SUCCESS
    }

    unsafe fn power_component(handle: HANDLE, _component: u32) {
        let _ = adapter("DxgkCbSetPowerComponentActive or Idle", handle, Irql::Dispatch);
    }

    unsafe fn power_component_value(handle: HANDLE, _component: u32, _value: u64) {
        let _ = adapter("DxgkCbSetPowerComponentLatency or Residency", handle, Irql::Dispatch);
    }

    unsafe fn mitigated_range_update(handle: HANDLE, _vf: u32) {
        let _ = adapter("DxgkCbMitigatedRangeUpdate", handle, Irql::Dispatch);
    }

    unsafe fn report_diagnostic(handle: HANDLE, _diagnostic: *mut DXGK_DIAGNOSTIC_HEADER) -> NTSTATUS {
        let _ = adapter("DxgkCbReportDiagnostic", handle, Irql::Device);
        STATUS_SUCCESS
    }

    unsafe fn allocate_contiguous(handle: HANDLE, args: *mut DXGKARGCB_ALLOCATECONTIGUOUSMEMORY) -> NTSTATUS {
        let Some(core) = adapter("DxgkCbAllocateContiguousMemory", handle, Irql::Passive) else {
            return STATUS_INVALID_PARAMETER;
        };
        // SAFETY: the driver gives a filled structure.
        let bytes = unsafe { (*args).NumberOfBytes };
        let Some(pages) = Pages::new(bytes, 0) else { return STATUS_NO_MEMORY };
        core.held.fetch_add(1, Ordering::Relaxed);
        let start = pages.start().cast();
        let handle = alloc::boxed::Box::into_raw(alloc::boxed::Box::new(pages)).cast();
        // SAFETY: the driver's structure takes the answer.
        unsafe { (*args).pMemory = start };
        // SAFETY: as above.
        unsafe { (*args).hMemoryHandle = handle };
        STATUS_SUCCESS
    }

    unsafe fn free_contiguous(handle: HANDLE, args: *const DXGKARGCB_FREECONTIGUOUSMEMORY) -> NTSTATUS {
        let Some(core) = adapter("DxgkCbFreeContiguousMemory", handle, Irql::Passive) else {
            return STATUS_INVALID_PARAMETER;
        };
        core.held.fetch_sub(1, Ordering::Relaxed);
        // SAFETY: the driver gives a filled structure.
        let memory = unsafe { (*args).hMemoryHandle };
        // SAFETY: the handle is one that allocate_contiguous gave.
        drop(unsafe { alloc::boxed::Box::from_raw(memory.cast::<Pages>()) });
        STATUS_SUCCESS
    }
}

/// Reports one interrupt to the fences of the nodes.
fn report(core: &Core, nodes: &mut [Fences], data: &DXGKARGCB_NOTIFY_INTERRUPT_DATA) {
    let (node, fence, fault) = match data.InterruptType {
        DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_COMPLETED => {
            // SAFETY: the type says which member of the union is filled.
            let it = unsafe { data.u.DmaCompleted };
            (it.NodeOrdinal, it.SubmissionFenceId, None)
        }
        DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_FAULTED => {
            // SAFETY: as above.
            let it = unsafe { data.u.DmaFaulted };
            (it.NodeOrdinal, it.FaultedFenceId, Some(Fault { status: it.Status, completes: false }))
        }
        DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_PAGE_FAULTED => {
            // SAFETY: as above.
            let it = unsafe { data.u.DmaPageFaulted };
            let fault = Fault { status: STATUS_ACCESS_VIOLATION, completes: true };
            (it.NodeOrdinal, it.FaultedFenceId, Some(fault))
        }
        DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_PREEMPTED => {
            // SAFETY: as above.
            let it = unsafe { data.u.DmaPreempted };
            if let Some(fences) = nodes.get_mut(it.NodeOrdinal as usize) {
                let (fence, last) = (it.PreemptionFenceId, it.LastCompletedFenceId);
                fences.preempt(&core.contract, it.NodeOrdinal, fence, last);
            }
            return;
        }
        DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_GPU_ENGINE_TIMEOUT
        | DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_MONITORED_FENCE_SIGNALED => return,
        other => {
            return core.contract.broken(&rules::INTERRUPT_TYPE, format_args!("{other:?} was reported"));
        }
    };
    match nodes.get_mut(node as usize) {
        Some(fences) => fences.report(&core.contract, node, fence, fault),
        None => core.contract.broken(&rules::FENCE_UNKNOWN, format_args!("node {node} does not exist")),
    }
}

/// The interface of one adapter, every slot filled.
pub(super) fn interface(core: &Core) -> DXGKRNL_INTERFACE {
    DXGKRNL_INTERFACE {
        Size: size_of::<DXGKRNL_INTERFACE>() as u32,
        Version: DXGKDDI_INTERFACE_VERSION_WDDM3_2,
        DeviceHandle: core.device_handle(),
        DxgkCbEvalAcpiMethod: Some(stubs::none6),
        DxgkCbGetDeviceInformation: Some(get_device_information),
        DxgkCbIndicateChildStatus: Some(stubs::indicate_child_status),
        DxgkCbMapMemory: Some(map_memory),
        DxgkCbQueueDpc: Some(queue_dpc),
        DxgkCbQueryServices: Some(query_services),
        DxgkCbReadDeviceSpace: Some(device_space),
        DxgkCbSynchronizeExecution: Some(synchronize_execution),
        DxgkCbUnmapMemory: Some(unmap_memory),
        DxgkCbWriteDeviceSpace: Some(device_space),
        DxgkCbIsDevicePresent: Some(is_device_present),
        DxgkCbGetHandleData: Some(stubs::none1),
        DxgkCbGetHandleParent: Some(stubs::none1),
        DxgkCbEnumHandleChildren: Some(stubs::none1),
        DxgkCbNotifyInterrupt: Some(notify_interrupt),
        DxgkCbNotifyDpc: Some(notify_dpc),
        DxgkCbQueryVidPnInterface: Some(stubs::query_vidpn_interface),
        DxgkCbQueryMonitorInterface: Some(stubs::query_monitor_interface),
        DxgkCbGetCaptureAddress: Some(stubs::get_capture_address),
        DxgkCbLogEtwEvent: Some(log_etw_event),
        DxgkCbExcludeAdapterAccess: Some(stubs::none4),
        DxgkCbCreateContextAllocation: Some(stubs::none1),
        DxgkCbDestroyContextAllocation: Some(stubs::none2),
        DxgkCbSetPowerComponentActive: Some(power_component),
        DxgkCbSetPowerComponentIdle: Some(power_component),
        DxgkCbAcquirePostDisplayOwnership: Some(stubs::acquire_post_display_ownership),
        DxgkCbPowerRuntimeControlRequest: Some(stubs::none7),
        DxgkCbSetPowerComponentLatency: Some(power_component_value),
        DxgkCbSetPowerComponentResidency: Some(power_component_value),
        DxgkCbCompleteFStateTransition: Some(stubs::complete_f_state),
        DxgkCbCompletePStateTransition: Some(stubs::complete_p_state),
        DxgkCbMapContextAllocation: Some(stubs::none2),
        DxgkCbUpdateContextAllocation: Some(stubs::none2),
        DxgkCbReserveGpuVirtualAddressRange: Some(stubs::none2),
        DxgkCbAcquireHandleData: Some(stubs::none2),
        DxgkCbReleaseHandleData: Some(stubs::none1),
        DxgkCbHardwareContentProtectionTeardown: Some(stubs::content_protection_teardown),
        DxgkCbMultiPlaneOverlayDisabled: Some(stubs::multi_plane_overlay_disabled),
        DxgkCbMitigatedRangeUpdate: Some(mitigated_range_update),
        DxgkCbInvalidateHwContext: Some(stubs::invalidate_hw_context),
        DxgkCbIndicateConnectorChange: Some(stubs::indicate_connector_change),
        DxgkCbUnblockUEFIFrameBufferRanges: Some(stubs::unblock_uefi_ranges),
        DxgkCbAcquirePostDisplayOwnership2: Some(stubs::acquire_post_display_ownership2),
        DxgkCbSetProtectedSessionStatus: Some(stubs::set_protected_session_status),
        DxgkCbAllocateContiguousMemory: Some(allocate_contiguous),
        DxgkCbFreeContiguousMemory: Some(free_contiguous),
        DxgkCbAllocatePagesForMdl: Some(stubs::none2),
        DxgkCbFreePagesFromMdl: Some(stubs::none2),
        DxgkCbPinFrameBufferForSave: Some(stubs::pin_frame_buffer),
        DxgkCbUnpinFrameBufferForSave: Some(stubs::unpin_frame_buffer),
        DxgkCbMapFrameBufferPointer: Some(stubs::map_frame_buffer),
        DxgkCbUnmapFrameBufferPointer: Some(stubs::unmap_frame_buffer),
        DxgkCbMapMdlToIoMmu: Some(stubs::none2),
        DxgkCbUnmapMdlFromIoMmu: Some(stubs::none2),
        DxgkCbReportDiagnostic: Some(report_diagnostic),
        DxgkCbSignalEvent: Some(stubs::none1),
        DxgkCbIsFeatureEnabled: Some(is_feature_enabled),
        DxgkCbSaveMemoryForHotUpdate: Some(stubs::none2),
        DxgkCbNotifyCursorSupportChange: Some(stubs::cursor_support_change),
        DxgkCbQueryFeatureSupport: Some(query_feature_support),
        DxgkCbCreatePhysicalMemoryObject: Some(stubs::none1),
        DxgkCbDestroyPhysicalMemoryObject: Some(stubs::none1),
        DxgkCbMapPhysicalMemory: Some(stubs::none1),
        DxgkCbUnmapPhysicalMemory: Some(stubs::none1),
        DxgkCbAllocateAdl: Some(stubs::none1),
        DxgkCbFreeAdl: Some(stubs::none1),
        DxgkCbOpenPhysicalMemoryObject: Some(stubs::none1),
        DxgkCbClosePhysicalMemoryObject: Some(stubs::none1),
        DxgkCbPinFrameBufferForSave2: Some(stubs::pin_frame_buffer2),
        DxgkCbDisconnectDoorbell: Some(stubs::disconnect_doorbell),
    }
}
