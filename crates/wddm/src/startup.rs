//! From AddDevice to Unload: device information, interface queries, Plug and Play.

use crate::base::{
    BOOLEAN, DEVICE_OBJECT, GUID, LARGE_INTEGER, LUID, PHYSICAL_ADDRESS, PVOID, SIZE_T, UNICODE_STRING,
    VIDEO_REQUEST_PACKET,
};
use crate::dxgkrnl::DXGKRNL_INTERFACE;
use crate::format::D3DDDIFORMAT;
use crate::macros::{abi, bits, callbacks, constants, open_enum};
use crate::resources::CM_RESOURCE_LIST;
use crate::status::NTSTATUS;

constants! {
    /// Answer to an ACPI event: look at the children again.
    pub const DXGK_ACPI_POLL_DISPLAY_CHILDREN: u32 = 1;
    /// Answer to an ACPI event: switch the display mode.
    pub const DXGK_ACPI_CHANGE_DISPLAY_MODE: u32 = 2;
    /// Answer to an ACPI event: switch the display topology.
    pub const DXGK_ACPI_CHANGE_DISPLAY_TOPOLOGY: u32 = 4;
    /// Answer to an ACPI event: the linked adapter did not take it.
    pub const DXGK_ACPI_CHAIN_NOT_HANDLED: u32 = 8;
}

open_enum! {
    /// The header's `DOCKING_STATE`.
    pub enum DOCKING_STATE {
        DockStateUnsupported = 0,
        DockStateUnDocked = 1,
        DockStateDocked = 2,
        DockStateUnknown = 3,
    }

    /// The header's `DXGK_EVENT_TYPE`.
    pub enum DXGK_EVENT_TYPE {
        DxgkUndefinedEvent = 0,
        DxgkAcpiEvent = 1,
        DxgkPowerStateEvent = 2,
        DxgkDockingEvent = 3,
        DxgkChainedAcpiEvent = 4,
    }

    /// The header's `DXGK_SURPRISE_REMOVAL_TYPE`.
    pub enum DXGK_SURPRISE_REMOVAL_TYPE {
        DxgkRemovalHibernation = 0,
        DxgkRemovalPnPNotify = 1,
    }
}

bits! {
    /// The bit-fields of [`DXGK_PRE_START_INFO`].
    pub struct DXGK_PRE_START_INFO_OUTPUT: u32 [Output] {
        SupportPreserveBootDisplay = 0,
        IsUEFIFrameBufferCpuAccessibleDuringStartup = 1,
    } reserved {
        ReservedOut = 2: 30,
    }
}

abi! {
    /// The header's `INTERFACE`.
    pub struct INTERFACE {
        Size: u16,
        Version: u16,
        Context: PVOID,
        InterfaceReference: PINTERFACE_REFERENCE,
        InterfaceDereference: PINTERFACE_DEREFERENCE,
    }

    /// The header's `QUERY_INTERFACE`.
    pub struct QUERY_INTERFACE {
        InterfaceType: *const GUID,
        Size: u16,
        Version: u16,
        Interface: *mut INTERFACE,
        InterfaceSpecificData: PVOID,
        DeviceUid: u32,
    }

    /// The header's `LINKED_DEVICE`.
    pub struct LINKED_DEVICE {
        ChainUid: u32,
        NumberOfLinksInChain: u32,
        LeadLink: BOOLEAN,
    }

    /// The header's `DXGK_DEVICE_INFO`.
    pub struct DXGK_DEVICE_INFO {
        MiniportDeviceContext: PVOID,
        PhysicalDeviceObject: *mut DEVICE_OBJECT,
        DeviceRegistryPath: UNICODE_STRING,
        TranslatedResourceList: *mut CM_RESOURCE_LIST,
        SystemMemorySize: LARGE_INTEGER,
        HighestPhysicalAddress: PHYSICAL_ADDRESS,
        AgpApertureBase: PHYSICAL_ADDRESS,
        AgpApertureSize: SIZE_T,
        DockingState: DOCKING_STATE,
    }

    /// The header's `DXGK_START_INFO`.
    pub struct DXGK_START_INFO {
        RequiredDmaQueueEntry: u32,
        AdapterGuid: GUID,
        AdapterLuid: LUID,
    }

    /// The anonymous union of [`DXGK_PRE_START_INFO`].
    pub union DXGK_PRE_START_INFO_U {
        ReservedIn: u32,
        Input: u32,
    }

    /// The header's `DXGK_PRE_START_INFO`.
    pub struct DXGK_PRE_START_INFO {
        u: DXGK_PRE_START_INFO_U,
        Output: DXGK_PRE_START_INFO_OUTPUT,
    }

    /// The header's `DXGK_DISPLAY_INFORMATION`.
    pub struct DXGK_DISPLAY_INFORMATION {
        Width: u32,
        Height: u32,
        Pitch: u32,
        ColorFormat: D3DDDIFORMAT,
        PhysicAddress: PHYSICAL_ADDRESS,
        TargetId: u32,
        AcpiId: u32,
    }

    /// The header's `PCI_DEVICE_PRESENCE_PARAMETERS`.
    pub struct PCI_DEVICE_PRESENCE_PARAMETERS {
        Size: u32,
        Flags: u32,
        VendorID: u16,
        DeviceID: u16,
        RevisionID: u8,
        SubVendorID: u16,
        SubSystemID: u16,
        BaseClass: u8,
        SubClass: u8,
        ProgIf: u8,
    }
}

callbacks! {
    /// The header's `DXGKDDI_ADD_DEVICE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 3.
    pub type PDXGKDDI_ADD_DEVICE = DXGKDDI_ADD_DEVICE(
        PhysicalDeviceObject: *mut DEVICE_OBJECT,
        MiniportDeviceContext: *mut PVOID,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_START_DEVICE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 3.
    pub type PDXGKDDI_START_DEVICE = DXGKDDI_START_DEVICE(
        MiniportDeviceContext: PVOID,
        DxgkStartInfo: *mut DXGK_START_INFO,
        DxgkInterface: *mut DXGKRNL_INTERFACE,
        NumberOfVideoPresentSources: *mut u32,
        NumberOfChildren: *mut u32,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_STOP_DEVICE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 3.
    pub type PDXGKDDI_STOP_DEVICE = DXGKDDI_STOP_DEVICE(MiniportDeviceContext: PVOID) -> NTSTATUS;

    /// The header's `DXGKDDI_REMOVE_DEVICE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 3.
    pub type PDXGKDDI_REMOVE_DEVICE = DXGKDDI_REMOVE_DEVICE(MiniportDeviceContext: PVOID) -> NTSTATUS;

    /// The header's `DXGKDDI_DISPATCH_IO_REQUEST`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 2.
    pub type PDXGKDDI_DISPATCH_IO_REQUEST = DXGKDDI_DISPATCH_IO_REQUEST(
        MiniportDeviceContext: PVOID,
        VidPnSourceId: u32,
        VideoRequestPacket: *mut VIDEO_REQUEST_PACKET,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_NOTIFY_ACPI_EVENT`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 2.
    pub type PDXGKDDI_NOTIFY_ACPI_EVENT = DXGKDDI_NOTIFY_ACPI_EVENT(
        MiniportDeviceContext: PVOID,
        EventType: DXGK_EVENT_TYPE,
        Event: u32,
        Argument: PVOID,
        AcpiFlags: *mut u32,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_RESET_DEVICE`.
    ///
    /// IRQL: any (bugcheck path). Synchronization level: 0.
    pub type PDXGKDDI_RESET_DEVICE = DXGKDDI_RESET_DEVICE(MiniportDeviceContext: PVOID);

    /// The header's `DXGKDDI_UNLOAD`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 3.
    pub type PDXGKDDI_UNLOAD = DXGKDDI_UNLOAD();

    /// The header's `DXGKDDI_QUERY_INTERFACE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 2.
    pub type PDXGKDDI_QUERY_INTERFACE = DXGKDDI_QUERY_INTERFACE(
        MiniportDeviceContext: PVOID,
        QueryInterface: *mut QUERY_INTERFACE,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_CONTROL_ETW_LOGGING`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_CONTROL_ETW_LOGGING = DXGKDDI_CONTROL_ETW_LOGGING(
        Enable: BOOLEAN,
        Flags: u32,
        Level: u8,
    );

    /// The header's `DXGKDDI_LINK_DEVICE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_LINK_DEVICE = DXGKDDI_LINK_DEVICE(
        PhysicalDeviceObject: *mut DEVICE_OBJECT,
        MiniportDeviceContext: PVOID,
        LinkedDevice: *mut LINKED_DEVICE,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_NOTIFY_SURPRISE_REMOVAL`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_NOTIFY_SURPRISE_REMOVAL = DXGKDDI_NOTIFY_SURPRISE_REMOVAL(
        MiniportDeviceContext: PVOID,
        RemovalType: DXGK_SURPRISE_REMOVAL_TYPE,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_EXCHANGEPRESTARTINFO`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_EXCHANGEPRESTARTINFO = DXGKDDI_EXCHANGEPRESTARTINFO(
        MiniportDeviceContext: PVOID,
        pPreStartInfo: *mut DXGK_PRE_START_INFO,
    ) -> NTSTATUS;

    /// The header's `INTERFACE_REFERENCE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page: *INTERFACE structure
    /// (wdm.h)*.
    pub type PINTERFACE_REFERENCE = INTERFACE_REFERENCE(Context: PVOID);

    /// The header's `INTERFACE_DEREFERENCE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page: *INTERFACE structure
    /// (wdm.h)*.
    pub type PINTERFACE_DEREFERENCE = INTERFACE_DEREFERENCE(Context: PVOID);
}
