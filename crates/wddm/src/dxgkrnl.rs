//! Dxgkrnl's callbacks and the table that carries them to the driver.
//!
//! The first argument of most is `DXGKRNL_INTERFACE::DeviceHandle`, never the driver's own context.

use crate::base::{
    ACPI_EVAL_INPUT_BUFFER_COMPLEX, ACPI_EVAL_OUTPUT_BUFFER, BOOLEAN, D3DGPU_VIRTUAL_ADDRESS, D3DKMT_HANDLE,
    DRIVER_OBJECT, DXGK_DIAGNOSTIC_HEADER, DXGK_DISPLAY_OWNERSHIP_FLAGS, GUID, HANDLE, MEMORY_CACHING_TYPE,
    PHYSICAL_ADDRESS, PVOID, SIZE_T, UNICODE_STRING, UnknownCallback,
};
use crate::child::DXGK_CHILD_STATUS;
use crate::dxgkrnl_args::{
    DXGK_HARDWARE_CONTENT_PROTECTION_TEARDOWN_FLAGS, DXGK_MONITOR_INTERFACE_VERSION, DXGK_SERVICES,
    DXGK_VIDPN_INTERFACE_VERSION, DXGKARGCB_ALLOCATE_ADL, DXGKARGCB_ALLOCATECONTIGUOUSMEMORY,
    DXGKARGCB_ALLOCATEPAGESFORMDL, DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT,
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT, DXGKARGCB_CREATECONTEXTALLOCATION,
    DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT, DXGKARGCB_DISCONNECTDOORBELL, DXGKARGCB_ENUMHANDLECHILDREN,
    DXGKARGCB_FREE_ADL, DXGKARGCB_FREECONTIGUOUSMEMORY, DXGKARGCB_FREEPAGESFROMMDL,
    DXGKARGCB_GETCAPTUREADDRESS, DXGKARGCB_GETHANDLEDATA, DXGKARGCB_INVALIDATEHWCONTEXT,
    DXGKARGCB_MAP_PHYSICAL_MEMORY, DXGKARGCB_MAPCONTEXTALLOCATION, DXGKARGCB_MAPFRAMEBUFFERPOINTER,
    DXGKARGCB_MAPMDLTOIOMMU, DXGKARGCB_NOTIFYCURSORSUPPORTCHANGE, DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT,
    DXGKARGCB_PINFRAMEBUFFERFORSAVE, DXGKARGCB_PINFRAMEBUFFERFORSAVE2, DXGKARGCB_PROTECTEDSESSIONSTATUS,
    DXGKARGCB_RELEASEHANDLEDATA, DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE, DXGKARGCB_SIGNALEVENT,
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY, DXGKARGCB_UNMAPFRAMEBUFFERPOINTER, DXGKARGCB_UNMAPMDLFROMIOMMU,
    DXGKARGCB_UNPINFRAMEBUFFERFORSAVE, DXGKARGCB_UPDATECONTEXTALLOCATION,
};
use crate::feature::{
    DXGKARGCB_ISFEATUREENABLED, DXGKARGCB_ISFEATUREENABLED2, DXGKARGCB_QUERYFEATUREINTERFACE,
    DXGKARGCB_QUERYFEATURESUPPORT,
};
use crate::hot_update::DXGKARGCB_SAVEMEMORYFORHOTUPDATE;
use crate::interrupt::{DXGKARGCB_NOTIFY_INTERRUPT_DATA, PKSYNCHRONIZE_ROUTINE};
use crate::macros::{abi, callbacks, constants};
use crate::startup::{DXGK_DEVICE_INFO, DXGK_DISPLAY_INFORMATION, INTERFACE, PCI_DEVICE_PRESENCE_PARAMETERS};
use crate::status::NTSTATUS;
use crate::table::DRIVER_INITIALIZATION_DATA;

constants! {
    /// Device space: PCI config space. On no published page: check it against the WDK.
    pub const DXGK_WHICHSPACE_CONFIG: u32 = 0;
    /// Device space: the expansion ROM. On no published page: check it against the WDK.
    pub const DXGK_WHICHSPACE_ROM: u32 = 0x5269_6350;
    /// Device space: the memory controller hub. On no published page: check it against the WDK.
    pub const DXGK_WHICHSPACE_MCH: u32 = 0x8000_0000;
    /// Device space: the bridge above the adapter. On no published page: check it against the WDK.
    pub const DXGK_WHICHSPACE_BRIDGE: u32 = 0x8000_0001;
    /// Exclusive access: evict every allocation first. On no published page: check it against the WDK.
    pub const DXGK_EXCLUDE_EVICT_ALL: u32 = 1;
    /// Exclusive access: call back before returning. On no published page: check it against the WDK.
    pub const DXGK_EXCLUDE_CALL_SYNCHRONOUS: u32 = 2;
    /// Exclusive access: to the bridge as well. On no published page: check it against the WDK.
    pub const DXGK_EXCLUDE_BRIDGE_ACCESS: u32 = 4;
    /// Device id of the adapter itself, as opposed to a child. On no published page: check it against the
    /// WDK.
    pub const DISPLAY_ADAPTER_HW_ID: u32 = 0xFFFF_FFFF;
}

abi! {
    /// The header's `DXGKRNL_INTERFACE`.
    pub struct DXGKRNL_INTERFACE {
        Size: u32,
        Version: u32,
        DeviceHandle: HANDLE,
        DxgkCbEvalAcpiMethod: PDXGKCB_EVAL_ACPI_METHOD,
        DxgkCbGetDeviceInformation: PDXGKCB_GET_DEVICE_INFORMATION,
        DxgkCbIndicateChildStatus: PDXGKCB_INDICATE_CHILD_STATUS,
        DxgkCbMapMemory: PDXGKCB_MAP_MEMORY,
        DxgkCbQueueDpc: PDXGKCB_QUEUE_DPC,
        DxgkCbQueryServices: PDXGKCB_QUERY_SERVICES,
        DxgkCbReadDeviceSpace: PDXGKCB_READ_DEVICE_SPACE,
        DxgkCbSynchronizeExecution: PDXGKCB_SYNCHRONIZE_EXECUTION,
        DxgkCbUnmapMemory: PDXGKCB_UNMAP_MEMORY,
        DxgkCbWriteDeviceSpace: PDXGKCB_WRITE_DEVICE_SPACE,
        DxgkCbIsDevicePresent: PDXGKCB_IS_DEVICE_PRESENT,
        DxgkCbGetHandleData: PDXGKCB_GETHANDLEDATA,
        DxgkCbGetHandleParent: PDXGKCB_GETHANDLEPARENT,
        DxgkCbEnumHandleChildren: PDXGKCB_ENUMHANDLECHILDREN,
        DxgkCbNotifyInterrupt: PDXGKCB_NOTIFY_INTERRUPT,
        DxgkCbNotifyDpc: PDXGKCB_NOTIFY_DPC,
        DxgkCbQueryVidPnInterface: PDXGKCB_QUERYVIDPNINTERFACE,
        DxgkCbQueryMonitorInterface: PDXGKCB_QUERYMONITORINTERFACE,
        DxgkCbGetCaptureAddress: PDXGKCB_GETCAPTUREADDRESS,
        DxgkCbLogEtwEvent: PDXGKCB_LOG_ETW_EVENT,
        DxgkCbExcludeAdapterAccess: PDXGKCB_EXCLUDE_ADAPTER_ACCESS,
        DxgkCbCreateContextAllocation: PDXGKCB_CREATECONTEXTALLOCATION,
        DxgkCbDestroyContextAllocation: PDXGKCB_DESTROYCONTEXTALLOCATION,
        DxgkCbSetPowerComponentActive: PDXGKCB_SETPOWERCOMPONENTACTIVE,
        DxgkCbSetPowerComponentIdle: PDXGKCB_SETPOWERCOMPONENTIDLE,
        DxgkCbAcquirePostDisplayOwnership: PDXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP,
        DxgkCbPowerRuntimeControlRequest: PDXGKCB_POWERRUNTIMECONTROLREQUEST,
        DxgkCbSetPowerComponentLatency: PDXGKCB_SETPOWERCOMPONENTLATENCY,
        DxgkCbSetPowerComponentResidency: PDXGKCB_SETPOWERCOMPONENTRESIDENCY,
        DxgkCbCompleteFStateTransition: PDXGKCB_COMPLETEFSTATETRANSITION,
        DxgkCbCompletePStateTransition: PDXGKCB_COMPLETEPSTATETRANSITION,
        DxgkCbMapContextAllocation: PDXGKCB_MAPCONTEXTALLOCATION,
        DxgkCbUpdateContextAllocation: PDXGKCB_UPDATECONTEXTALLOCATION,
        DxgkCbReserveGpuVirtualAddressRange: PDXGKCB_RESERVEGPUVIRTUALADDRESSRANGE,
        DxgkCbAcquireHandleData: PDXGKCB_ACQUIREHANDLEDATA,
        DxgkCbReleaseHandleData: PDXGKCB_RELEASEHANDLEDATA,
        DxgkCbHardwareContentProtectionTeardown: PDXGKCB_HARDWARECONTENTPROTECTIONTEARDOWN,
        DxgkCbMultiPlaneOverlayDisabled: PDXGKCB_MULTIPLANEOVERLAYDISABLED,
        DxgkCbMitigatedRangeUpdate: PDXGKCB_DXGKCB_MITIGATEDRANGEUPDATE,
        DxgkCbInvalidateHwContext: PDXGKCB_INVALIDATEHWCONTEXT,
        DxgkCbIndicateConnectorChange: PDXGKCB_INDICATE_CONNECTOR_CHANGE,
        DxgkCbUnblockUEFIFrameBufferRanges: Option<UnknownCallback>,
        DxgkCbAcquirePostDisplayOwnership2: PDXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP2,
        DxgkCbSetProtectedSessionStatus: PDXGKCB_SETPROTECTEDSESSIONSTATUS,
        DxgkCbAllocateContiguousMemory: PDXGKCB_ALLOCATECONTIGUOUSMEMORY,
        DxgkCbFreeContiguousMemory: PDXGKCB_FREECONTIGUOUSMEMORY,
        DxgkCbAllocatePagesForMdl: PDXGKCB_ALLOCATEPAGESFORMDL,
        DxgkCbFreePagesFromMdl: PDXGKCB_FREEPAGESFROMMDL,
        DxgkCbPinFrameBufferForSave: PDXGKCB_PINFRAMEBUFFERFORSAVE,
        DxgkCbUnpinFrameBufferForSave: PDXGKCB_UNPINFRAMEBUFFERFORSAVE,
        DxgkCbMapFrameBufferPointer: PDXGKCB_MAPFRAMEBUFFERPOINTER,
        DxgkCbUnmapFrameBufferPointer: PDXGKCB_UNMAPFRAMEBUFFERPOINTER,
        DxgkCbMapMdlToIoMmu: PDXGKCB_MAPMDLTOIOMMU,
        DxgkCbUnmapMdlFromIoMmu: PDXGKCB_UNMAPMDLFROMIOMMU,
        DxgkCbReportDiagnostic: PDXGKCB_REPORT_DIAGNOSTIC,
        DxgkCbSignalEvent: PDXGKCB_SIGNALEVENT,
        DxgkCbIsFeatureEnabled: PDXGKCB_ISFEATUREENABLED,
        DxgkCbSaveMemoryForHotUpdate: PDXGKCB_SAVEMEMORYFORHOTUPDATE,
        DxgkCbNotifyCursorSupportChange: PDXGKCB_NOTIFYCURSORSUPPORTCHANGE,
        DxgkCbQueryFeatureSupport: PDXGKCB_QUERYFEATURESUPPORT,
        DxgkCbCreatePhysicalMemoryObject: PDXGKCB_CREATEPHYSICALMEMORYOBJECT,
        DxgkCbDestroyPhysicalMemoryObject: PDXGKCB_DESTROYPHYSICALMEMORYOBJECT,
        DxgkCbMapPhysicalMemory: PDXGKCB_MAPPHYSICALMEMORY,
        DxgkCbUnmapPhysicalMemory: PDXGKCB_UNMAPPHYSICALMEMORY,
        DxgkCbAllocateAdl: PDXGKCB_ALLOCATEADL,
        DxgkCbFreeAdl: PDXGKCB_FREEADL,
        DxgkCbOpenPhysicalMemoryObject: PDXGKCB_OPENPHYSICALMEMORYOBJECT,
        DxgkCbClosePhysicalMemoryObject: PDXGKCB_CLOSEPHYSICALMEMORYOBJECT,
        DxgkCbPinFrameBufferForSave2: PDXGKCB_PINFRAMEBUFFERFORSAVE2,
        DxgkCbDisconnectDoorbell: PDXGKCB_DISCONNECTDOORBELL,
    }
}

callbacks! {
    /// The header's `DXGKCB_EVAL_ACPI_METHOD`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_EVAL_ACPI_METHOD (dispmprt.h)*.
    pub type PDXGKCB_EVAL_ACPI_METHOD = DXGKCB_EVAL_ACPI_METHOD(
        DeviceHandle: HANDLE,
        DeviceUid: u32,
        AcpiInputBuffer: *mut ACPI_EVAL_INPUT_BUFFER_COMPLEX,
        AcpiInputSize: u32,
        AcpiOutputBuffer: *mut ACPI_EVAL_OUTPUT_BUFFER,
        AcpiOutputSize: u32,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_GET_DEVICE_INFORMATION`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_GET_DEVICE_INFORMATION (dispmprt.h)*.
    pub type PDXGKCB_GET_DEVICE_INFORMATION = DXGKCB_GET_DEVICE_INFORMATION(
        DeviceHandle: HANDLE,
        DeviceInfo: *mut DXGK_DEVICE_INFO,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_INDICATE_CHILD_STATUS`.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_INDICATE_CHILD_STATUS (dispmprt.h)*.
    pub type PDXGKCB_INDICATE_CHILD_STATUS = DXGKCB_INDICATE_CHILD_STATUS(
        DeviceHandle: HANDLE,
        ChildStatus: *mut DXGK_CHILD_STATUS,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_MAP_MEMORY`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_MAP_MEMORY (dispmprt.h)*.
    pub type PDXGKCB_MAP_MEMORY = DXGKCB_MAP_MEMORY(
        DeviceHandle: HANDLE,
        TranslatedAddress: PHYSICAL_ADDRESS,
        Length: u32,
        InIoSpace: BOOLEAN,
        MapToUserMode: BOOLEAN,
        CacheType: MEMORY_CACHING_TYPE,
        VirtualAddress: *mut PVOID,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_QUEUE_DPC`.
    ///
    /// IRQL: any. Confidence: docs. Page: *DXGKCB_QUEUE_DPC (dispmprt.h)*.
    pub type PDXGKCB_QUEUE_DPC = DXGKCB_QUEUE_DPC(DeviceHandle: HANDLE) -> BOOLEAN;

    /// The header's `DXGKCB_QUERY_SERVICES`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_QUERY_SERVICES (dispmprt.h)*.
    pub type PDXGKCB_QUERY_SERVICES = DXGKCB_QUERY_SERVICES(
        DeviceHandle: HANDLE,
        ServicesType: DXGK_SERVICES,
        Interface: *mut INTERFACE,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_READ_DEVICE_SPACE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_READ_DEVICE_SPACE (dispmprt.h)*.
    pub type PDXGKCB_READ_DEVICE_SPACE = DXGKCB_READ_DEVICE_SPACE(
        DeviceHandle: HANDLE,
        DataType: u32,
        Buffer: PVOID,
        Offset: u32,
        Length: u32,
        BytesRead: *mut u32,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_SYNCHRONIZE_EXECUTION`.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_SYNCHRONIZE_EXECUTION (dispmprt.h)*.
    pub type PDXGKCB_SYNCHRONIZE_EXECUTION = DXGKCB_SYNCHRONIZE_EXECUTION(
        DeviceHandle: HANDLE,
        SynchronizeRoutine: PKSYNCHRONIZE_ROUTINE,
        Context: PVOID,
        MessageNumber: u32,
        ReturnValue: *mut BOOLEAN,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_UNMAP_MEMORY`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_UNMAP_MEMORY (dispmprt.h)*.
    pub type PDXGKCB_UNMAP_MEMORY = DXGKCB_UNMAP_MEMORY(
        DeviceHandle: HANDLE,
        VirtualAddress: PVOID,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_WRITE_DEVICE_SPACE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_WRITE_DEVICE_SPACE (dispmprt.h)*.
    pub type PDXGKCB_WRITE_DEVICE_SPACE = DXGKCB_WRITE_DEVICE_SPACE(
        DeviceHandle: HANDLE,
        DataType: u32,
        Buffer: PVOID,
        Offset: u32,
        Length: u32,
        BytesWritten: *mut u32,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_IS_DEVICE_PRESENT`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_IS_DEVICE_PRESENT (dispmprt.h)*.
    pub type PDXGKCB_IS_DEVICE_PRESENT = DXGKCB_IS_DEVICE_PRESENT(
        DeviceHandle: HANDLE,
        DevicePresenceParameters: *mut PCI_DEVICE_PRESENCE_PARAMETERS,
        DevicePresent: *mut BOOLEAN,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_GETHANDLEDATA`.
    ///
    /// IRQL: below DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_GETHANDLEDATA (d3dkmddi.h)*.
    pub type PDXGKCB_GETHANDLEDATA = DXGKCB_GETHANDLEDATA(pData: *const DXGKARGCB_GETHANDLEDATA) -> PVOID;

    /// The header's `DXGKCB_GETHANDLEPARENT`.
    ///
    /// IRQL: below DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_GETHANDLEPARENT (d3dkmddi.h)*.
    pub type PDXGKCB_GETHANDLEPARENT = DXGKCB_GETHANDLEPARENT(hAllocation: D3DKMT_HANDLE) -> D3DKMT_HANDLE;

    /// The header's `DXGKCB_ENUMHANDLECHILDREN`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_ENUMHANDLECHILDREN (d3dkmddi.h)*.
    pub type PDXGKCB_ENUMHANDLECHILDREN = DXGKCB_ENUMHANDLECHILDREN(
        pData: *const DXGKARGCB_ENUMHANDLECHILDREN,
    ) -> D3DKMT_HANDLE;

    /// The header's `DXGKCB_NOTIFY_INTERRUPT`.
    ///
    /// IRQL: DIRQL (between DISPATCH_LEVEL and PROFILE_LEVEL). Confidence: docs. Page:
    /// *DXGKCB_NOTIFY_INTERRUPT (d3dkmddi.h)*.
    pub type PDXGKCB_NOTIFY_INTERRUPT = DXGKCB_NOTIFY_INTERRUPT(
        hAdapter: HANDLE,
        pData: *const DXGKARGCB_NOTIFY_INTERRUPT_DATA,
    );

    /// The header's `DXGKCB_NOTIFY_DPC`.
    ///
    /// IRQL: DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_NOTIFY_DPC (d3dkmddi.h)*.
    pub type PDXGKCB_NOTIFY_DPC = DXGKCB_NOTIFY_DPC(hAdapter: HANDLE);

    /// The header's `DXGKCB_QUERYVIDPNINTERFACE`.
    ///
    /// IRQL: at most APC_LEVEL. Confidence: docs. Page: *DXGKCB_QUERYVIDPNINTERFACE (d3dkmddi.h)*.
    pub type PDXGKCB_QUERYVIDPNINTERFACE = DXGKCB_QUERYVIDPNINTERFACE(
        hVidPn: HANDLE,
        VidPnInterfaceVersion: DXGK_VIDPN_INTERFACE_VERSION,
        ppVidPnInterface: *mut PVOID,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_QUERYMONITORINTERFACE`.
    ///
    /// IRQL: at most APC_LEVEL. Confidence: docs. Page: *DXGKCB_QUERYMONITORINTERFACE (d3dkmddi.h)*.
    pub type PDXGKCB_QUERYMONITORINTERFACE = DXGKCB_QUERYMONITORINTERFACE(
        hAdapter: HANDLE,
        MonitorInterfaceVersion: DXGK_MONITOR_INTERFACE_VERSION,
        ppMonitorInterface: *mut PVOID,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_GETCAPTUREADDRESS`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_GETCAPTUREADDRESS (d3dkmddi.h)*.
    pub type PDXGKCB_GETCAPTUREADDRESS = DXGKCB_GETCAPTUREADDRESS(
        pData: *mut DXGKARGCB_GETCAPTUREADDRESS,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_LOG_ETW_EVENT`.
    ///
    /// IRQL: any with EventBufferSize at most 256, else PASSIVE_LEVEL. Confidence: docs. Page:
    /// *DXGKCB_LOG_ETW_EVENT (dispmprt.h)*.
    pub type PDXGKCB_LOG_ETW_EVENT = DXGKCB_LOG_ETW_EVENT(
        EventGuid: *const GUID,
        Type: u8,
        EventBufferSize: u16,
        EventBuffer: PVOID,
    );

    /// The header's `DXGKCB_EXCLUDE_ADAPTER_ACCESS`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_EXCLUDE_ADAPTER_ACCESS (dispmprt.h)*.
    pub type PDXGKCB_EXCLUDE_ADAPTER_ACCESS = DXGKCB_EXCLUDE_ADAPTER_ACCESS(
        DeviceHandle: HANDLE,
        Attributes: u32,
        DxgkProtectedCallback: PDXGKDDI_PROTECTED_CALLBACK,
        ProtectedCallbackContext: PVOID,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_CREATECONTEXTALLOCATION`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_CREATECONTEXTALLOCATION (d3dkmddi.h)*.
    pub type PDXGKCB_CREATECONTEXTALLOCATION = DXGKCB_CREATECONTEXTALLOCATION(
        pData: *mut DXGKARGCB_CREATECONTEXTALLOCATION,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_DESTROYCONTEXTALLOCATION`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_DESTROYCONTEXTALLOCATION (d3dkmddi.h)*.
    pub type PDXGKCB_DESTROYCONTEXTALLOCATION = DXGKCB_DESTROYCONTEXTALLOCATION(
        hAdapter: HANDLE,
        hAllocation: HANDLE,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_SETPOWERCOMPONENTACTIVE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_SETPOWERCOMPONENTACTIVE (d3dkmddi.h)*.
    pub type PDXGKCB_SETPOWERCOMPONENTACTIVE = DXGKCB_SETPOWERCOMPONENTACTIVE(
        hAdapter: HANDLE,
        ComponentIndex: u32,
    );

    /// The header's `DXGKCB_SETPOWERCOMPONENTIDLE`.
    ///
    /// IRQL: PASSIVE_LEVEL; at most DISPATCH_LEVEL only for type DXGK_POWER_COMPONENT_OTHER. Confidence:
    /// docs. Page: *DXGKCB_SETPOWERCOMPONENTIDLE (d3dkmddi.h)*.
    pub type PDXGKCB_SETPOWERCOMPONENTIDLE = DXGKCB_SETPOWERCOMPONENTIDLE(
        hAdapter: HANDLE,
        ComponentIndex: u32,
    );

    /// The header's `DXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP`.
    ///
    /// IRQL: at most APC_LEVEL. Confidence: docs. Page: *DXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP (dispmprt.h)*.
    pub type PDXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP = DXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP(
        DeviceHandle: HANDLE,
        DisplayInfo: *mut DXGK_DISPLAY_INFORMATION,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_POWERRUNTIMECONTROLREQUEST`.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_POWERRUNTIMECONTROLREQUEST
    /// (d3dkmddi.h)*.
    pub type PDXGKCB_POWERRUNTIMECONTROLREQUEST = DXGKCB_POWERRUNTIMECONTROLREQUEST(
        hAdapter: HANDLE,
        PowerControlCode: *const GUID,
        InBuffer: PVOID,
        InBufferSize: SIZE_T,
        OutBuffer: PVOID,
        OutBufferSize: SIZE_T,
        BytesReturned: *mut SIZE_T,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_SETPOWERCOMPONENTLATENCY`.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_SETPOWERCOMPONENTLATENCY (d3dkmddi.h)*.
    pub type PDXGKCB_SETPOWERCOMPONENTLATENCY = DXGKCB_SETPOWERCOMPONENTLATENCY(
        hAdapter: HANDLE,
        ComponentIndex: u32,
        Latency: u64,
    );

    /// The header's `DXGKCB_SETPOWERCOMPONENTRESIDENCY`.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_SETPOWERCOMPONENTRESIDENCY
    /// (d3dkmddi.h)*.
    pub type PDXGKCB_SETPOWERCOMPONENTRESIDENCY = DXGKCB_SETPOWERCOMPONENTRESIDENCY(
        hAdapter: HANDLE,
        ComponentIndex: u32,
        Residency: u64,
    );

    /// The header's `DXGKCB_COMPLETEFSTATETRANSITION`.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_COMPLETEFSTATETRANSITION (d3dkmddi.h)*.
    pub type PDXGKCB_COMPLETEFSTATETRANSITION = DXGKCB_COMPLETEFSTATETRANSITION(
        hAdapter: HANDLE,
        ComponentIndex: u32,
    );

    /// The header's `DXGKCB_COMPLETEPSTATETRANSITION`.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DxgkCbCompletePStateTransition routine
    /// (archived, 2013)*.
    pub type PDXGKCB_COMPLETEPSTATETRANSITION = DXGKCB_COMPLETEPSTATETRANSITION(
        hAdapter: HANDLE,
        ComponentIndex: u32,
        CompletedPState: u32,
    );

    /// The header's `DXGKCB_MAPCONTEXTALLOCATION`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_MAPCONTEXTALLOCATION (d3dkmddi.h)*.
    pub type PDXGKCB_MAPCONTEXTALLOCATION = DXGKCB_MAPCONTEXTALLOCATION(
        hAdapter: HANDLE,
        pArgs: *const DXGKARGCB_MAPCONTEXTALLOCATION,
    ) -> D3DGPU_VIRTUAL_ADDRESS;

    /// The header's `DXGKCB_UPDATECONTEXTALLOCATION`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_UPDATECONTEXTALLOCATION (d3dkmddi.h)*.
    pub type PDXGKCB_UPDATECONTEXTALLOCATION = DXGKCB_UPDATECONTEXTALLOCATION(
        hAdapter: HANDLE,
        pArgs: *const DXGKARGCB_UPDATECONTEXTALLOCATION,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_RESERVEGPUVIRTUALADDRESSRANGE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_RESERVEGPUVIRTUALADDRESSRANGE (d3dkmddi.h)*.
    pub type PDXGKCB_RESERVEGPUVIRTUALADDRESSRANGE = DXGKCB_RESERVEGPUVIRTUALADDRESSRANGE(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_ACQUIREHANDLEDATA`.
    ///
    /// IRQL: at most APC_LEVEL. Confidence: docs. Page: *DXGKCB_ACQUIREHANDLEDATA (d3dkmddi.h)*.
    pub type PDXGKCB_ACQUIREHANDLEDATA = DXGKCB_ACQUIREHANDLEDATA(
        pData: *const DXGKARGCB_GETHANDLEDATA,
        pReleaseHandle: *mut HANDLE,
    ) -> PVOID;

    /// The header's `DXGKCB_RELEASEHANDLEDATA`.
    ///
    /// IRQL: at most APC_LEVEL. Confidence: docs. Page: *DXGKCB_RELEASEHANDLEDATA (d3dkmddi.h)*.
    pub type PDXGKCB_RELEASEHANDLEDATA = DXGKCB_RELEASEHANDLEDATA(Data: DXGKARGCB_RELEASEHANDLEDATA);

    /// The header's `DXGKCB_HARDWARECONTENTPROTECTIONTEARDOWN`.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_HARDWARECONTENTPROTECTIONTEARDOWN
    /// (d3dkmddi.h)*.
    pub type PDXGKCB_HARDWARECONTENTPROTECTIONTEARDOWN = DXGKCB_HARDWARECONTENTPROTECTIONTEARDOWN(
        hAdapter: HANDLE,
        Flags: DXGK_HARDWARE_CONTENT_PROTECTION_TEARDOWN_FLAGS,
    );

    /// The header's `DXGKCB_MULTIPLANEOVERLAYDISABLED`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_MULTIPLANEOVERLAYDISABLED (d3dkmddi.h)*.
    pub type PDXGKCB_MULTIPLANEOVERLAYDISABLED = DXGKCB_MULTIPLANEOVERLAYDISABLED(
        hAdapter: HANDLE,
        VidPnSourceId: u32,
    );

    /// The header's `DXGKCB_DXGKCB_MITIGATEDRANGEUPDATE`.
    ///
    /// IRQL: not stated. Confidence: inferred.
    pub type PDXGKCB_DXGKCB_MITIGATEDRANGEUPDATE = DXGKCB_DXGKCB_MITIGATEDRANGEUPDATE(
        hAdapter: HANDLE,
        arg: u32,
    );

    /// The header's `DXGKCB_INVALIDATEHWCONTEXT`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_INVALIDATEHWCONTEXT*.
    pub type PDXGKCB_INVALIDATEHWCONTEXT = DXGKCB_INVALIDATEHWCONTEXT(
        pData: *const DXGKARGCB_INVALIDATEHWCONTEXT,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_INDICATE_CONNECTOR_CHANGE`.
    ///
    /// IRQL: DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_INDICATE_CONNECTOR_CHANGE (d3dkmddi.h)*.
    pub type PDXGKCB_INDICATE_CONNECTOR_CHANGE = DXGKCB_INDICATE_CONNECTOR_CHANGE(
        hAdapter: HANDLE,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP2`.
    ///
    /// IRQL: not stated. Confidence: docs. Page: *DXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP2 (dispmprt.h)*.
    pub type PDXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP2 = DXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP2(
        DeviceHandle: HANDLE,
        DisplayInfo: *mut DXGK_DISPLAY_INFORMATION,
        Flags: *mut DXGK_DISPLAY_OWNERSHIP_FLAGS,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_SETPROTECTEDSESSIONSTATUS`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_SETPROTECTEDSESSIONSTATUS*.
    pub type PDXGKCB_SETPROTECTEDSESSIONSTATUS = DXGKCB_SETPROTECTEDSESSIONSTATUS(
        pProtectedSessionStatus: *const DXGKARGCB_PROTECTEDSESSIONSTATUS,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_ALLOCATECONTIGUOUSMEMORY`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_ALLOCATECONTIGUOUSMEMORY (d3dkmddi.h)*.
    pub type PDXGKCB_ALLOCATECONTIGUOUSMEMORY = DXGKCB_ALLOCATECONTIGUOUSMEMORY(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_ALLOCATECONTIGUOUSMEMORY,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_FREECONTIGUOUSMEMORY`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_FREECONTIGUOUSMEMORY (d3dkmddi.h)*.
    pub type PDXGKCB_FREECONTIGUOUSMEMORY = DXGKCB_FREECONTIGUOUSMEMORY(
        hAdapter: HANDLE,
        pArgs: *const DXGKARGCB_FREECONTIGUOUSMEMORY,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_ALLOCATEPAGESFORMDL`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_ALLOCATEPAGESFORMDL (d3dkmddi.h)*.
    pub type PDXGKCB_ALLOCATEPAGESFORMDL = DXGKCB_ALLOCATEPAGESFORMDL(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_ALLOCATEPAGESFORMDL,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_FREEPAGESFROMMDL`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_FREEPAGESFROMMDL (d3dkmddi.h)*.
    pub type PDXGKCB_FREEPAGESFROMMDL = DXGKCB_FREEPAGESFROMMDL(
        hAdapter: HANDLE,
        pArgs: *const DXGKARGCB_FREEPAGESFROMMDL,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_PINFRAMEBUFFERFORSAVE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_PINFRAMEBUFFERFORSAVE (d3dkmddi.h)*.
    pub type PDXGKCB_PINFRAMEBUFFERFORSAVE = DXGKCB_PINFRAMEBUFFERFORSAVE(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_PINFRAMEBUFFERFORSAVE,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_UNPINFRAMEBUFFERFORSAVE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_UNPINFRAMEBUFFERFORSAVE (d3dkmddi.h)*.
    pub type PDXGKCB_UNPINFRAMEBUFFERFORSAVE = DXGKCB_UNPINFRAMEBUFFERFORSAVE(
        hAdapter: HANDLE,
        pArgs: *const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_MAPFRAMEBUFFERPOINTER`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_MAPFRAMEBUFFERPOINTER (d3dkmddi.h)*.
    pub type PDXGKCB_MAPFRAMEBUFFERPOINTER = DXGKCB_MAPFRAMEBUFFERPOINTER(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_MAPFRAMEBUFFERPOINTER,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_UNMAPFRAMEBUFFERPOINTER`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_UNMAPFRAMEBUFFERPOINTER (d3dkmddi.h)*.
    pub type PDXGKCB_UNMAPFRAMEBUFFERPOINTER = DXGKCB_UNMAPFRAMEBUFFERPOINTER(
        hAdapter: HANDLE,
        pArgs: *const DXGKARGCB_UNMAPFRAMEBUFFERPOINTER,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_MAPMDLTOIOMMU`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_MAPMDLTOIOMMU (d3dkmddi.h)*.
    pub type PDXGKCB_MAPMDLTOIOMMU = DXGKCB_MAPMDLTOIOMMU(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_MAPMDLTOIOMMU,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_UNMAPMDLFROMIOMMU`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_UNMAPMDLFROMIOMMU (d3dkmddi.h)*.
    pub type PDXGKCB_UNMAPMDLFROMIOMMU = DXGKCB_UNMAPMDLFROMIOMMU(
        hAdapter: HANDLE,
        pArgs: *const DXGKARGCB_UNMAPMDLFROMIOMMU,
    );

    /// The header's `DXGKCB_REPORT_DIAGNOSTIC`.
    ///
    /// IRQL: unchanged on return (level not stated). Confidence: docs. Page: *DXGKCB_REPORT_DIAGNOSTIC
    /// (dispmprt.h)*.
    pub type PDXGKCB_REPORT_DIAGNOSTIC = DXGKCB_REPORT_DIAGNOSTIC(
        DeviceHandle: HANDLE,
        pDiagnostic: *mut DXGK_DIAGNOSTIC_HEADER,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_SIGNALEVENT`.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_SIGNALEVENT (d3dkmddi.h)*.
    pub type PDXGKCB_SIGNALEVENT = DXGKCB_SIGNALEVENT(pArgs: *const DXGKARGCB_SIGNALEVENT) -> NTSTATUS;

    /// The header's `DXGKCB_ISFEATUREENABLED`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_ISFEATUREENABLED*.
    pub type PDXGKCB_ISFEATUREENABLED = DXGKCB_ISFEATUREENABLED(
        pArgs: *mut DXGKARGCB_ISFEATUREENABLED,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_SAVEMEMORYFORHOTUPDATE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_SAVEMEMORYFORHOTUPDATE*.
    pub type PDXGKCB_SAVEMEMORYFORHOTUPDATE = DXGKCB_SAVEMEMORYFORHOTUPDATE(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_SAVEMEMORYFORHOTUPDATE,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_NOTIFYCURSORSUPPORTCHANGE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_NOTIFYCURSORSUPPORTCHANGE*.
    pub type PDXGKCB_NOTIFYCURSORSUPPORTCHANGE = DXGKCB_NOTIFYCURSORSUPPORTCHANGE(
        pArgs: *const DXGKARGCB_NOTIFYCURSORSUPPORTCHANGE,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_QUERYFEATURESUPPORT`.
    ///
    /// IRQL: not stated. Confidence: docs. Page: *DXGKCB_QUERYFEATURESUPPORT*.
    pub type PDXGKCB_QUERYFEATURESUPPORT = DXGKCB_QUERYFEATURESUPPORT(
        pArgs: *mut DXGKARGCB_QUERYFEATURESUPPORT,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_CREATEPHYSICALMEMORYOBJECT`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_CREATEPHYSICALMEMORYOBJECT*.
    pub type PDXGKCB_CREATEPHYSICALMEMORYOBJECT = DXGKCB_CREATEPHYSICALMEMORYOBJECT(
        pArgs: *mut DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_DESTROYPHYSICALMEMORYOBJECT`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_DESTROYPHYSICALMEMORYOBJECT*.
    pub type PDXGKCB_DESTROYPHYSICALMEMORYOBJECT = DXGKCB_DESTROYPHYSICALMEMORYOBJECT(
        pArgs: *const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT,
    );

    /// The header's `DXGKCB_MAPPHYSICALMEMORY`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_MAPPHYSICALMEMORY*.
    pub type PDXGKCB_MAPPHYSICALMEMORY = DXGKCB_MAPPHYSICALMEMORY(
        pArgs: *mut DXGKARGCB_MAP_PHYSICAL_MEMORY,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_UNMAPPHYSICALMEMORY`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_UNMAPPHYSICALMEMORY*.
    pub type PDXGKCB_UNMAPPHYSICALMEMORY = DXGKCB_UNMAPPHYSICALMEMORY(
        pArgs: *const DXGKARGCB_UNMAP_PHYSICAL_MEMORY,
    );

    /// The header's `DXGKCB_ALLOCATEADL`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_ALLOCATEADL*.
    pub type PDXGKCB_ALLOCATEADL = DXGKCB_ALLOCATEADL(pArgs: *mut DXGKARGCB_ALLOCATE_ADL) -> NTSTATUS;

    /// The header's `DXGKCB_FREEADL`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_FREEADL*.
    pub type PDXGKCB_FREEADL = DXGKCB_FREEADL(pArgs: *const DXGKARGCB_FREE_ADL);

    /// The header's `DXGKCB_OPENPHYSICALMEMORYOBJECT`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_OPENPHYSICALMEMORYOBJECT*.
    pub type PDXGKCB_OPENPHYSICALMEMORYOBJECT = DXGKCB_OPENPHYSICALMEMORYOBJECT(
        pArgs: *mut DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_CLOSEPHYSICALMEMORYOBJECT`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_CLOSEPHYSICALMEMORYOBJECT*.
    pub type PDXGKCB_CLOSEPHYSICALMEMORYOBJECT = DXGKCB_CLOSEPHYSICALMEMORYOBJECT(
        pArgs: *const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT,
    );

    /// The header's `DXGKCB_PINFRAMEBUFFERFORSAVE2`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_PINFRAMEBUFFERFORSAVE2*.
    pub type PDXGKCB_PINFRAMEBUFFERFORSAVE2 = DXGKCB_PINFRAMEBUFFERFORSAVE2(
        hAdapter: HANDLE,
        pPinFrameBufferForSave2: *mut DXGKARGCB_PINFRAMEBUFFERFORSAVE2,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_DISCONNECTDOORBELL`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_DISCONNECTDOORBELL*.
    pub type PDXGKCB_DISCONNECTDOORBELL = DXGKCB_DISCONNECTDOORBELL(
        pArgs: *mut DXGKARGCB_DISCONNECTDOORBELL,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_ISFEATUREENABLED2`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_ISFEATUREENABLED2 function (d3dkmddi.h)*.
    pub type PDXGKCB_ISFEATUREENABLED2 = DXGKCB_ISFEATUREENABLED2(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_ISFEATUREENABLED2,
    ) -> NTSTATUS;

    /// The header's `DXGKCB_QUERYFEATUREINTERFACE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_QUERYFEATUREINTERFACE function (d3dkmddi.h)*.
    pub type PDXGKCB_QUERYFEATUREINTERFACE = DXGKCB_QUERYFEATUREINTERFACE(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_QUERYFEATUREINTERFACE,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_PROTECTED_CALLBACK`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDI_PROTECTED_CALLBACK (dispmprt.h)*.
    pub type PDXGKDDI_PROTECTED_CALLBACK = DXGKDDI_PROTECTED_CALLBACK(
        MiniportDeviceContext: PVOID,
        ProtectedCallbackContext: PVOID,
        ProtectionStatus: NTSTATUS,
    );

    /// The header's `DXGKRNL_INITIALIZE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: inferred. Page: *DxgkInitialize
    /// function (dispmprt.h)*.
    pub type PDXGKRNL_INITIALIZE = DXGKRNL_INITIALIZE(
        DriverObject: *mut DRIVER_OBJECT,
        RegistryPath: *mut UNICODE_STRING,
        DriverInitializationData: *mut DRIVER_INITIALIZATION_DATA,
    ) -> NTSTATUS;
}
