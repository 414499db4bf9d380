//! Dxgkrnl's callbacks, as function types.
//!
//! The first argument of most is `DXGKRNL_INTERFACE::DeviceHandle`, never the driver's own context.

use crate::base::{
    ACPI_EVAL_INPUT_BUFFER_COMPLEX, ACPI_EVAL_OUTPUT_BUFFER, BOOLEAN, D3DGPU_VIRTUAL_ADDRESS, D3DKMT_HANDLE,
    DRIVER_OBJECT, DXGK_DIAGNOSTIC_HEADER, DXGK_DISPLAY_OWNERSHIP_FLAGS, GUID, HANDLE, MEMORY_CACHING_TYPE,
    PHYSICAL_ADDRESS, PVOID, SIZE_T, UNICODE_STRING,
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
use crate::macros::callbacks;
use crate::startup::{DXGK_DEVICE_INFO, DXGK_DISPLAY_INFORMATION, INTERFACE, PCI_DEVICE_PRESENCE_PARAMETERS};
use crate::status::NTSTATUS;
use crate::table::DRIVER_INITIALIZATION_DATA;

callbacks! {
    /// Evaluates an ACPI method.
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

    /// Tells resources, registry path and memory size of the adapter.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_GET_DEVICE_INFORMATION (dispmprt.h)*.
    pub type PDXGKCB_GET_DEVICE_INFORMATION = DXGKCB_GET_DEVICE_INFORMATION(
        DeviceHandle: HANDLE,
        DeviceInfo: *mut DXGK_DEVICE_INFO,
    ) -> NTSTATUS;

    /// Reports a change of a child's status.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_INDICATE_CHILD_STATUS (dispmprt.h)*.
    pub type PDXGKCB_INDICATE_CHILD_STATUS = DXGKCB_INDICATE_CHILD_STATUS(
        DeviceHandle: HANDLE,
        ChildStatus: *mut DXGK_CHILD_STATUS,
    ) -> NTSTATUS;

    /// Maps device memory. `Length` in bytes.
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

    /// Queues the adapter's DPC; false if it is queued already.
    ///
    /// IRQL: any. Confidence: docs. Page: *DXGKCB_QUEUE_DPC (dispmprt.h)*.
    pub type PDXGKCB_QUEUE_DPC = DXGKCB_QUEUE_DPC(DeviceHandle: HANDLE) -> BOOLEAN;

    /// Asks for one of Dxgkrnl's interfaces; `Size` and `Version` are set first.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_QUERY_SERVICES (dispmprt.h)*.
    pub type PDXGKCB_QUERY_SERVICES = DXGKCB_QUERY_SERVICES(
        DeviceHandle: HANDLE,
        ServicesType: DXGK_SERVICES,
        Interface: *mut INTERFACE,
    ) -> NTSTATUS;

    /// Reads config space or ROM.
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

    /// Runs a routine against the interrupt routine. STATUS_UNSUCCESSFUL while no interrupt is connected.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_SYNCHRONIZE_EXECUTION (dispmprt.h)*.
    pub type PDXGKCB_SYNCHRONIZE_EXECUTION = DXGKCB_SYNCHRONIZE_EXECUTION(
        DeviceHandle: HANDLE,
        SynchronizeRoutine: PKSYNCHRONIZE_ROUTINE,
        Context: PVOID,
        MessageNumber: u32,
        ReturnValue: *mut BOOLEAN,
    ) -> NTSTATUS;

    /// Unmaps device memory.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_UNMAP_MEMORY (dispmprt.h)*.
    pub type PDXGKCB_UNMAP_MEMORY = DXGKCB_UNMAP_MEMORY(
        DeviceHandle: HANDLE,
        VirtualAddress: PVOID,
    ) -> NTSTATUS;

    /// Writes config space.
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

    /// Looks for a PCI device.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_IS_DEVICE_PRESENT (dispmprt.h)*.
    pub type PDXGKCB_IS_DEVICE_PRESENT = DXGKCB_IS_DEVICE_PRESENT(
        DeviceHandle: HANDLE,
        DevicePresenceParameters: *mut PCI_DEVICE_PRESENCE_PARAMETERS,
        DevicePresent: *mut BOOLEAN,
    ) -> NTSTATUS;

    /// Gives the driver's private data of a graphics handle.
    ///
    /// IRQL: below DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_GETHANDLEDATA (d3dkmddi.h)*.
    pub type PDXGKCB_GETHANDLEDATA = DXGKCB_GETHANDLEDATA(pData: *const DXGKARGCB_GETHANDLEDATA) -> PVOID;

    /// Gives the resource of an allocation, 0 if there is none.
    ///
    /// IRQL: below DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_GETHANDLEPARENT (d3dkmddi.h)*.
    pub type PDXGKCB_GETHANDLEPARENT = DXGKCB_GETHANDLEPARENT(hAllocation: D3DKMT_HANDLE) -> D3DKMT_HANDLE;

    /// Gives a resource's allocations one by one, 0 past the last.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_ENUMHANDLECHILDREN (d3dkmddi.h)*.
    pub type PDXGKCB_ENUMHANDLECHILDREN = DXGKCB_ENUMHANDLECHILDREN(
        pData: *const DXGKARGCB_ENUMHANDLECHILDREN,
    ) -> D3DKMT_HANDLE;

    /// Reports an interrupt: only from the interrupt routine or in a synchronized routine, never reentrant.
    ///
    /// IRQL: DIRQL (between DISPATCH_LEVEL and PROFILE_LEVEL). Confidence: docs. Page:
    /// *DXGKCB_NOTIFY_INTERRUPT (d3dkmddi.h)*.
    pub type PDXGKCB_NOTIFY_INTERRUPT = DXGKCB_NOTIFY_INTERRUPT(
        hAdapter: HANDLE,
        pData: *const DXGKARGCB_NOTIFY_INTERRUPT_DATA,
    );

    /// Lets Dxgkrnl act on the interrupts reported.
    ///
    /// IRQL: DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_NOTIFY_DPC (d3dkmddi.h)*.
    pub type PDXGKCB_NOTIFY_DPC = DXGKCB_NOTIFY_DPC(hAdapter: HANDLE);

    /// Gives the display topology interface.
    ///
    /// IRQL: at most APC_LEVEL. Confidence: docs. Page: *DXGKCB_QUERYVIDPNINTERFACE (d3dkmddi.h)*.
    pub type PDXGKCB_QUERYVIDPNINTERFACE = DXGKCB_QUERYVIDPNINTERFACE(
        hVidPn: HANDLE,
        VidPnInterfaceVersion: DXGK_VIDPN_INTERFACE_VERSION,
        ppVidPnInterface: *mut PVOID,
    ) -> NTSTATUS;

    /// Gives the monitor interface.
    ///
    /// IRQL: at most APC_LEVEL. Confidence: docs. Page: *DXGKCB_QUERYMONITORINTERFACE (d3dkmddi.h)*.
    pub type PDXGKCB_QUERYMONITORINTERFACE = DXGKCB_QUERYMONITORINTERFACE(
        hAdapter: HANDLE,
        MonitorInterfaceVersion: DXGK_MONITOR_INTERFACE_VERSION,
        ppMonitorInterface: *mut PVOID,
    ) -> NTSTATUS;

    /// Gives the address of a capture buffer.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_GETCAPTUREADDRESS (d3dkmddi.h)*.
    pub type PDXGKCB_GETCAPTUREADDRESS = DXGKCB_GETCAPTUREADDRESS(
        pData: *mut DXGKARGCB_GETCAPTUREADDRESS,
    ) -> NTSTATUS;

    /// Writes a trace event.
    ///
    /// IRQL: any with EventBufferSize at most 256, else PASSIVE_LEVEL. Confidence: docs. Page:
    /// *DXGKCB_LOG_ETW_EVENT (dispmprt.h)*.
    pub type PDXGKCB_LOG_ETW_EVENT = DXGKCB_LOG_ETW_EVENT(
        EventGuid: *const GUID,
        Type: u8,
        EventBufferSize: u16,
        EventBuffer: PVOID,
    );

    /// Keeps everybody off the adapter while a callback runs.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_EXCLUDE_ADAPTER_ACCESS (dispmprt.h)*.
    pub type PDXGKCB_EXCLUDE_ADAPTER_ACCESS = DXGKCB_EXCLUDE_ADAPTER_ACCESS(
        DeviceHandle: HANDLE,
        Attributes: u32,
        DxgkProtectedCallback: PDXGKDDI_PROTECTED_CALLBACK,
        ProtectedCallbackContext: PVOID,
    ) -> NTSTATUS;

    /// Makes an allocation for a context or device of the driver's.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_CREATECONTEXTALLOCATION (d3dkmddi.h)*.
    pub type PDXGKCB_CREATECONTEXTALLOCATION = DXGKCB_CREATECONTEXTALLOCATION(
        pData: *mut DXGKARGCB_CREATECONTEXTALLOCATION,
    ) -> NTSTATUS;

    /// Destroys such an allocation.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_DESTROYCONTEXTALLOCATION (d3dkmddi.h)*.
    pub type PDXGKCB_DESTROYCONTEXTALLOCATION = DXGKCB_DESTROYCONTEXTALLOCATION(
        hAdapter: HANDLE,
        hAllocation: HANDLE,
    ) -> NTSTATUS;

    /// Takes a reference that keeps a component on.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_SETPOWERCOMPONENTACTIVE (d3dkmddi.h)*.
    pub type PDXGKCB_SETPOWERCOMPONENTACTIVE = DXGKCB_SETPOWERCOMPONENTACTIVE(
        hAdapter: HANDLE,
        ComponentIndex: u32,
    );

    /// Gives such a reference back.
    ///
    /// IRQL: PASSIVE_LEVEL; at most DISPATCH_LEVEL only for type DXGK_POWER_COMPONENT_OTHER. Confidence:
    /// docs. Page: *DXGKCB_SETPOWERCOMPONENTIDLE (d3dkmddi.h)*.
    pub type PDXGKCB_SETPOWERCOMPONENTIDLE = DXGKCB_SETPOWERCOMPONENTIDLE(
        hAdapter: HANDLE,
        ComponentIndex: u32,
    );

    /// Takes over the firmware's frame buffer.
    ///
    /// IRQL: at most APC_LEVEL. Confidence: docs. Page: *DXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP (dispmprt.h)*.
    pub type PDXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP = DXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP(
        DeviceHandle: HANDLE,
        DisplayInfo: *mut DXGK_DISPLAY_INFORMATION,
    ) -> NTSTATUS;

    /// Talks to the power engine plug-in.
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

    /// Sets how long a component may take to wake, in 100 ns.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_SETPOWERCOMPONENTLATENCY (d3dkmddi.h)*.
    pub type PDXGKCB_SETPOWERCOMPONENTLATENCY = DXGKCB_SETPOWERCOMPONENTLATENCY(
        hAdapter: HANDLE,
        ComponentIndex: u32,
        Latency: u64,
    );

    /// Sets how long a component is expected to sleep, in 100 ns.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_SETPOWERCOMPONENTRESIDENCY
    /// (d3dkmddi.h)*.
    pub type PDXGKCB_SETPOWERCOMPONENTRESIDENCY = DXGKCB_SETPOWERCOMPONENTRESIDENCY(
        hAdapter: HANDLE,
        ComponentIndex: u32,
        Residency: u64,
    );

    /// Ends a change of an idle state.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_COMPLETEFSTATETRANSITION (d3dkmddi.h)*.
    pub type PDXGKCB_COMPLETEFSTATETRANSITION = DXGKCB_COMPLETEFSTATETRANSITION(
        hAdapter: HANDLE,
        ComponentIndex: u32,
    );

    /// Ends a change of a performance state.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DxgkCbCompletePStateTransition routine
    /// (archived, 2013)*.
    pub type PDXGKCB_COMPLETEPSTATETRANSITION = DXGKCB_COMPLETEPSTATETRANSITION(
        hAdapter: HANDLE,
        ComponentIndex: u32,
        CompletedPState: u32,
    );

    /// Maps a context allocation; gives the GPU virtual address, 0 on failure.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_MAPCONTEXTALLOCATION (d3dkmddi.h)*.
    pub type PDXGKCB_MAPCONTEXTALLOCATION = DXGKCB_MAPCONTEXTALLOCATION(
        hAdapter: HANDLE,
        pArgs: *const DXGKARGCB_MAPCONTEXTALLOCATION,
    ) -> D3DGPU_VIRTUAL_ADDRESS;

    /// Has a context allocation rewritten by a paging operation.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_UPDATECONTEXTALLOCATION (d3dkmddi.h)*.
    pub type PDXGKCB_UPDATECONTEXTALLOCATION = DXGKCB_UPDATECONTEXTALLOCATION(
        hAdapter: HANDLE,
        pArgs: *const DXGKARGCB_UPDATECONTEXTALLOCATION,
    ) -> NTSTATUS;

    /// Reserves GPU virtual addresses; only while a process is created.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_RESERVEGPUVIRTUALADDRESSRANGE (d3dkmddi.h)*.
    pub type PDXGKCB_RESERVEGPUVIRTUALADDRESSRANGE = DXGKCB_RESERVEGPUVIRTUALADDRESSRANGE(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE,
    ) -> NTSTATUS;

    /// Gives private data of a graphics handle and keeps it alive.
    ///
    /// IRQL: at most APC_LEVEL. Confidence: docs. Page: *DXGKCB_ACQUIREHANDLEDATA (d3dkmddi.h)*.
    pub type PDXGKCB_ACQUIREHANDLEDATA = DXGKCB_ACQUIREHANDLEDATA(
        pData: *const DXGKARGCB_GETHANDLEDATA,
        pReleaseHandle: *mut HANDLE,
    ) -> PVOID;

    /// Gives such data back. The argument is a structure by value.
    ///
    /// IRQL: at most APC_LEVEL. Confidence: docs. Page: *DXGKCB_RELEASEHANDLEDATA (d3dkmddi.h)*.
    pub type PDXGKCB_RELEASEHANDLEDATA = DXGKCB_RELEASEHANDLEDATA(Data: DXGKARGCB_RELEASEHANDLEDATA);

    /// Reports that content protection broke down.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_HARDWARECONTENTPROTECTIONTEARDOWN
    /// (d3dkmddi.h)*.
    pub type PDXGKCB_HARDWARECONTENTPROTECTIONTEARDOWN = DXGKCB_HARDWARECONTENTPROTECTIONTEARDOWN(
        hAdapter: HANDLE,
        Flags: DXGK_HARDWARE_CONTENT_PROTECTION_TEARDOWN_FLAGS,
    );

    /// Reports that overlays are off.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_MULTIPLANEOVERLAYDISABLED (d3dkmddi.h)*.
    pub type PDXGKCB_MULTIPLANEOVERLAYDISABLED = DXGKCB_MULTIPLANEOVERLAYDISABLED(
        hAdapter: HANDLE,
        VidPnSourceId: u32,
    );

    /// Reports that mitigated ranges changed. No published page; the second parameter is taken to be the
    /// function's index.
    ///
    /// IRQL: not stated. Confidence: inferred.
    pub type PDXGKCB_DXGKCB_MITIGATEDRANGEUPDATE = DXGKCB_DXGKCB_MITIGATEDRANGEUPDATE(
        hAdapter: HANDLE,
        arg: u32,
    );

    /// Reports that a hardware context is lost.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_INVALIDATEHWCONTEXT*.
    pub type PDXGKCB_INVALIDATEHWCONTEXT = DXGKCB_INVALIDATEHWCONTEXT(
        pData: *const DXGKARGCB_INVALIDATEHWCONTEXT,
    ) -> NTSTATUS;

    /// Reports a change of a connector.
    ///
    /// IRQL: DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_INDICATE_CONNECTOR_CHANGE (d3dkmddi.h)*.
    pub type PDXGKCB_INDICATE_CONNECTOR_CHANGE = DXGKCB_INDICATE_CONNECTOR_CHANGE(
        hAdapter: HANDLE,
    ) -> NTSTATUS;

    /// Takes over the firmware's frame buffer, with flags.
    ///
    /// IRQL: not stated. Confidence: docs. Page: *DXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP2 (dispmprt.h)*.
    pub type PDXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP2 = DXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP2(
        DeviceHandle: HANDLE,
        DisplayInfo: *mut DXGK_DISPLAY_INFORMATION,
        Flags: *mut DXGK_DISPLAY_OWNERSHIP_FLAGS,
    ) -> NTSTATUS;

    /// Reports the state of a protected session.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_SETPROTECTEDSESSIONSTATUS*.
    pub type PDXGKCB_SETPROTECTEDSESSIONSTATUS = DXGKCB_SETPROTECTEDSESSIONSTATUS(
        pProtectedSessionStatus: *const DXGKARGCB_PROTECTEDSESSIONSTATUS,
    ) -> NTSTATUS;

    /// Allocates contiguous system memory.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_ALLOCATECONTIGUOUSMEMORY (d3dkmddi.h)*.
    pub type PDXGKCB_ALLOCATECONTIGUOUSMEMORY = DXGKCB_ALLOCATECONTIGUOUSMEMORY(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_ALLOCATECONTIGUOUSMEMORY,
    ) -> NTSTATUS;

    /// Frees contiguous system memory.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_FREECONTIGUOUSMEMORY (d3dkmddi.h)*.
    pub type PDXGKCB_FREECONTIGUOUSMEMORY = DXGKCB_FREECONTIGUOUSMEMORY(
        hAdapter: HANDLE,
        pArgs: *const DXGKARGCB_FREECONTIGUOUSMEMORY,
    ) -> NTSTATUS;

    /// Allocates system pages.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_ALLOCATEPAGESFORMDL (d3dkmddi.h)*.
    pub type PDXGKCB_ALLOCATEPAGESFORMDL = DXGKCB_ALLOCATEPAGESFORMDL(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_ALLOCATEPAGESFORMDL,
    ) -> NTSTATUS;

    /// Frees system pages.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_FREEPAGESFROMMDL (d3dkmddi.h)*.
    pub type PDXGKCB_FREEPAGESFROMMDL = DXGKCB_FREEPAGESFROMMDL(
        hAdapter: HANDLE,
        pArgs: *const DXGKARGCB_FREEPAGESFROMMDL,
    ) -> NTSTATUS;

    /// Pins the memory that video memory is saved to.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_PINFRAMEBUFFERFORSAVE (d3dkmddi.h)*.
    pub type PDXGKCB_PINFRAMEBUFFERFORSAVE = DXGKCB_PINFRAMEBUFFERFORSAVE(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_PINFRAMEBUFFERFORSAVE,
    ) -> NTSTATUS;

    /// Unpins it.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_UNPINFRAMEBUFFERFORSAVE (d3dkmddi.h)*.
    pub type PDXGKCB_UNPINFRAMEBUFFERFORSAVE = DXGKCB_UNPINFRAMEBUFFERFORSAVE(
        hAdapter: HANDLE,
        pArgs: *const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE,
    ) -> NTSTATUS;

    /// Maps part of it.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_MAPFRAMEBUFFERPOINTER (d3dkmddi.h)*.
    pub type PDXGKCB_MAPFRAMEBUFFERPOINTER = DXGKCB_MAPFRAMEBUFFERPOINTER(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_MAPFRAMEBUFFERPOINTER,
    ) -> NTSTATUS;

    /// Unmaps it.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_UNMAPFRAMEBUFFERPOINTER (d3dkmddi.h)*.
    pub type PDXGKCB_UNMAPFRAMEBUFFERPOINTER = DXGKCB_UNMAPFRAMEBUFFERPOINTER(
        hAdapter: HANDLE,
        pArgs: *const DXGKARGCB_UNMAPFRAMEBUFFERPOINTER,
    ) -> NTSTATUS;

    /// Makes pages reachable for the device.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_MAPMDLTOIOMMU (d3dkmddi.h)*.
    pub type PDXGKCB_MAPMDLTOIOMMU = DXGKCB_MAPMDLTOIOMMU(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_MAPMDLTOIOMMU,
    ) -> NTSTATUS;

    /// Undoes that.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_UNMAPMDLFROMIOMMU (d3dkmddi.h)*.
    pub type PDXGKCB_UNMAPMDLFROMIOMMU = DXGKCB_UNMAPMDLFROMIOMMU(
        hAdapter: HANDLE,
        pArgs: *const DXGKARGCB_UNMAPMDLFROMIOMMU,
    );

    /// Reports a diagnostic record.
    ///
    /// IRQL: unchanged on return (level not stated). Confidence: docs. Page: *DXGKCB_REPORT_DIAGNOSTIC
    /// (dispmprt.h)*.
    pub type PDXGKCB_REPORT_DIAGNOSTIC = DXGKCB_REPORT_DIAGNOSTIC(
        DeviceHandle: HANDLE,
        pDiagnostic: *mut DXGK_DIAGNOSTIC_HEADER,
    ) -> NTSTATUS;

    /// Signals an event of a process.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Confidence: docs. Page: *DXGKCB_SIGNALEVENT (d3dkmddi.h)*.
    pub type PDXGKCB_SIGNALEVENT = DXGKCB_SIGNALEVENT(pArgs: *const DXGKARGCB_SIGNALEVENT) -> NTSTATUS;

    /// Asks whether a feature is on; up to WDDM 2.8.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_ISFEATUREENABLED*.
    pub type PDXGKCB_ISFEATUREENABLED = DXGKCB_ISFEATUREENABLED(
        pArgs: *mut DXGKARGCB_ISFEATUREENABLED,
    ) -> NTSTATUS;

    /// Hands over memory that is to survive an update.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_SAVEMEMORYFORHOTUPDATE*.
    pub type PDXGKCB_SAVEMEMORYFORHOTUPDATE = DXGKCB_SAVEMEMORYFORHOTUPDATE(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_SAVEMEMORYFORHOTUPDATE,
    ) -> NTSTATUS;

    /// Reports a change of cursor support.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_NOTIFYCURSORSUPPORTCHANGE*.
    pub type PDXGKCB_NOTIFYCURSORSUPPORTCHANGE = DXGKCB_NOTIFYCURSORSUPPORTCHANGE(
        pArgs: *const DXGKARGCB_NOTIFYCURSORSUPPORTCHANGE,
    ) -> NTSTATUS;

    /// Asks whether a feature is on; WDDM 2.9 to 3.1.
    ///
    /// IRQL: not stated. Confidence: docs. Page: *DXGKCB_QUERYFEATURESUPPORT*.
    pub type PDXGKCB_QUERYFEATURESUPPORT = DXGKCB_QUERYFEATURESUPPORT(
        pArgs: *mut DXGKARGCB_QUERYFEATURESUPPORT,
    ) -> NTSTATUS;

    /// Makes a physical memory object, and this adapter's view of it.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_CREATEPHYSICALMEMORYOBJECT*.
    pub type PDXGKCB_CREATEPHYSICALMEMORYOBJECT = DXGKCB_CREATEPHYSICALMEMORYOBJECT(
        pArgs: *mut DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT,
    ) -> NTSTATUS;

    /// Destroys a physical memory object.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_DESTROYPHYSICALMEMORYOBJECT*.
    pub type PDXGKCB_DESTROYPHYSICALMEMORYOBJECT = DXGKCB_DESTROYPHYSICALMEMORYOBJECT(
        pArgs: *const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT,
    );

    /// Maps a physical memory object for the CPU.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_MAPPHYSICALMEMORY*.
    pub type PDXGKCB_MAPPHYSICALMEMORY = DXGKCB_MAPPHYSICALMEMORY(
        pArgs: *mut DXGKARGCB_MAP_PHYSICAL_MEMORY,
    ) -> NTSTATUS;

    /// Unmaps it.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_UNMAPPHYSICALMEMORY*.
    pub type PDXGKCB_UNMAPPHYSICALMEMORY = DXGKCB_UNMAPPHYSICALMEMORY(
        pArgs: *const DXGKARGCB_UNMAP_PHYSICAL_MEMORY,
    );

    /// Gives the addresses at which the device reaches a physical memory object.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_ALLOCATEADL*.
    pub type PDXGKCB_ALLOCATEADL = DXGKCB_ALLOCATEADL(pArgs: *mut DXGKARGCB_ALLOCATE_ADL) -> NTSTATUS;

    /// Gives them back.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_FREEADL*.
    pub type PDXGKCB_FREEADL = DXGKCB_FREEADL(pArgs: *const DXGKARGCB_FREE_ADL);

    /// Opens a physical memory object for another adapter.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_OPENPHYSICALMEMORYOBJECT*.
    pub type PDXGKCB_OPENPHYSICALMEMORYOBJECT = DXGKCB_OPENPHYSICALMEMORYOBJECT(
        pArgs: *mut DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT,
    ) -> NTSTATUS;

    /// Closes it.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_CLOSEPHYSICALMEMORYOBJECT*.
    pub type PDXGKCB_CLOSEPHYSICALMEMORYOBJECT = DXGKCB_CLOSEPHYSICALMEMORYOBJECT(
        pArgs: *const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT,
    );

    /// Pins the memory that video memory is saved to, and gives its addresses.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_PINFRAMEBUFFERFORSAVE2*.
    pub type PDXGKCB_PINFRAMEBUFFERFORSAVE2 = DXGKCB_PINFRAMEBUFFERFORSAVE2(
        hAdapter: HANDLE,
        pPinFrameBufferForSave2: *mut DXGKARGCB_PINFRAMEBUFFERFORSAVE2,
    ) -> NTSTATUS;

    /// Reports that a doorbell is cut off. STATUS_INVALID_PARAMETER if there is no such doorbell.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_DISCONNECTDOORBELL*.
    pub type PDXGKCB_DISCONNECTDOORBELL = DXGKCB_DISCONNECTDOORBELL(
        pArgs: *mut DXGKARGCB_DISCONNECTDOORBELL,
    ) -> NTSTATUS;

    /// Asks whether a feature is on; the adapter is NULL for a global one.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_ISFEATUREENABLED2 function (d3dkmddi.h)*.
    pub type PDXGKCB_ISFEATUREENABLED2 = DXGKCB_ISFEATUREENABLED2(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_ISFEATUREENABLED2,
    ) -> NTSTATUS;

    /// Asks for a feature's functions.
    ///
    /// IRQL: PASSIVE_LEVEL. Confidence: docs. Page: *DXGKCB_QUERYFEATUREINTERFACE function (d3dkmddi.h)*.
    pub type PDXGKCB_QUERYFEATUREINTERFACE = DXGKCB_QUERYFEATUREINTERFACE(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARGCB_QUERYFEATUREINTERFACE,
    ) -> NTSTATUS;

    /// Runs while everybody else is kept off the adapter.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDI_PROTECTED_CALLBACK (dispmprt.h)*.
    pub type PDXGKDDI_PROTECTED_CALLBACK = DXGKDDI_PROTECTED_CALLBACK(
        MiniportDeviceContext: PVOID,
        ProtectedCallbackContext: PVOID,
        ProtectionStatus: NTSTATUS,
    );

    /// Registers a miniport: what the registration request gives back.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: inferred. Page: *DxgkInitialize
    /// function (dispmprt.h)*.
    pub type PDXGKRNL_INITIALIZE = DXGKRNL_INITIALIZE(
        DriverObject: *mut DRIVER_OBJECT,
        RegistryPath: *mut UNICODE_STRING,
        DriverInitializationData: *mut DRIVER_INITIALIZATION_DATA,
    ) -> NTSTATUS;
}
