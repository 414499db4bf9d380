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
    /// Whether a portable computer sits in its dock.
    pub enum DOCKING_STATE {
        DockStateUnsupported = 0,
        DockStateUnDocked = 1,
        DockStateDocked = 2,
        DockStateUnknown = 3,
    }

    /// Events that ACPI sends.
    pub enum DXGK_EVENT_TYPE {
        DxgkUndefinedEvent = 0,
        DxgkAcpiEvent = 1,
        DxgkPowerStateEvent = 2,
        DxgkDockingEvent = 3,
        DxgkChainedAcpiEvent = 4,
    }

    /// How a device went missing.
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
    /// Head of every interface that drivers hand one another.
    pub struct INTERFACE {
        Size: u16,
        Version: u16,
        Context: PVOID,
        InterfaceReference: PINTERFACE_REFERENCE,
        InterfaceDereference: PINTERFACE_DEREFERENCE,
    }

    /// Argument of [`DXGKDDI_QUERY_INTERFACE`]: which interface, and where to put it.
    pub struct QUERY_INTERFACE {
        InterfaceType: *const GUID,
        /// Bytes of room at `Interface`.
        Size: u16,
        Version: u16,
        Interface: *mut INTERFACE,
        InterfaceSpecificData: PVOID,
        DeviceUid: u32,
    }

    /// Place of an adapter in a chain of linked ones.
    pub struct LINKED_DEVICE {
        ChainUid: u32,
        NumberOfLinksInChain: u32,
        LeadLink: BOOLEAN,
    }

    /// What DxgkCbGetDeviceInformation tells of the adapter.
    pub struct DXGK_DEVICE_INFO {
        MiniportDeviceContext: PVOID,
        PhysicalDeviceObject: *mut DEVICE_OBJECT,
        DeviceRegistryPath: UNICODE_STRING,
        TranslatedResourceList: *mut CM_RESOURCE_LIST,
        /// In bytes.
        SystemMemorySize: LARGE_INTEGER,
        HighestPhysicalAddress: PHYSICAL_ADDRESS,
        AgpApertureBase: PHYSICAL_ADDRESS,
        AgpApertureSize: SIZE_T,
        DockingState: DOCKING_STATE,
    }

    /// What a driver is told when its adapter starts.
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

    /// Argument of [`DXGKDDI_EXCHANGEPRESTARTINFO`].
    pub struct DXGK_PRE_START_INFO {
        u: DXGK_PRE_START_INFO_U,
        Output: DXGK_PRE_START_INFO_OUTPUT,
    }

    /// The frame buffer that the firmware left.
    pub struct DXGK_DISPLAY_INFORMATION {
        Width: u32,
        Height: u32,
        Pitch: u32,
        ColorFormat: D3DDDIFORMAT,
        PhysicAddress: PHYSICAL_ADDRESS,
        TargetId: u32,
        AcpiId: u32,
    }

    /// Which PCI device to look for.
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
    /// Makes the driver's context for an adapter; what it gives back is `hAdapter` of every later call.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 3.
    pub type PDXGKDDI_ADD_DEVICE = DXGKDDI_ADD_DEVICE(
        PhysicalDeviceObject: *mut DEVICE_OBJECT,
        MiniportDeviceContext: *mut PVOID,
    ) -> NTSTATUS;

    /// Starts an adapter: the driver keeps Dxgkrnl's table and says how many sources and children there are.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 3.
    pub type PDXGKDDI_START_DEVICE = DXGKDDI_START_DEVICE(
        MiniportDeviceContext: PVOID,
        DxgkStartInfo: *mut DXGK_START_INFO,
        DxgkInterface: *mut DXGKRNL_INTERFACE,
        NumberOfVideoPresentSources: *mut u32,
        NumberOfChildren: *mut u32,
    ) -> NTSTATUS;

    /// Stops an adapter.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 3.
    pub type PDXGKDDI_STOP_DEVICE = DXGKDDI_STOP_DEVICE(MiniportDeviceContext: PVOID) -> NTSTATUS;

    /// Frees the driver's context of an adapter.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 3.
    pub type PDXGKDDI_REMOVE_DEVICE = DXGKDDI_REMOVE_DEVICE(MiniportDeviceContext: PVOID) -> NTSTATUS;

    /// Serves a video I/O request.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 2.
    pub type PDXGKDDI_DISPATCH_IO_REQUEST = DXGKDDI_DISPATCH_IO_REQUEST(
        MiniportDeviceContext: PVOID,
        VidPnSourceId: u32,
        VideoRequestPacket: *mut VIDEO_REQUEST_PACKET,
    ) -> NTSTATUS;

    /// Reports an ACPI event.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 2.
    pub type PDXGKDDI_NOTIFY_ACPI_EVENT = DXGKDDI_NOTIFY_ACPI_EVENT(
        MiniportDeviceContext: PVOID,
        EventType: DXGK_EVENT_TYPE,
        Event: u32,
        Argument: PVOID,
        AcpiFlags: *mut u32,
    ) -> NTSTATUS;

    /// Brings the display to a text mode while the system crashes. Any IRQL, no locks.
    ///
    /// IRQL: any (bugcheck path). Synchronization level: 0.
    pub type PDXGKDDI_RESET_DEVICE = DXGKDDI_RESET_DEVICE(MiniportDeviceContext: PVOID);

    /// Frees what DriverEntry allocated.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 3.
    pub type PDXGKDDI_UNLOAD = DXGKDDI_UNLOAD();

    /// Hands out an interface. STATUS_NOT_SUPPORTED for an unknown one; `Size` is to be honoured.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 2.
    pub type PDXGKDDI_QUERY_INTERFACE = DXGKDDI_QUERY_INTERFACE(
        MiniportDeviceContext: PVOID,
        QueryInterface: *mut QUERY_INTERFACE,
    ) -> NTSTATUS;

    /// Turns event tracing on or off.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_CONTROL_ETW_LOGGING = DXGKDDI_CONTROL_ETW_LOGGING(
        Enable: BOOLEAN,
        Flags: u32,
        Level: u8,
    );

    /// Tells whether an adapter is linked to others.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_LINK_DEVICE = DXGKDDI_LINK_DEVICE(
        PhysicalDeviceObject: *mut DEVICE_OBJECT,
        MiniportDeviceContext: PVOID,
        LinkedDevice: *mut LINKED_DEVICE,
    ) -> NTSTATUS;

    /// Reports that the device is gone.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_NOTIFY_SURPRISE_REMOVAL = DXGKDDI_NOTIFY_SURPRISE_REMOVAL(
        MiniportDeviceContext: PVOID,
        RemovalType: DXGK_SURPRISE_REMOVAL_TYPE,
    ) -> NTSTATUS;

    /// Exchanges flags before the start.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_EXCHANGEPRESTARTINFO = DXGKDDI_EXCHANGEPRESTARTINFO(
        MiniportDeviceContext: PVOID,
        pPreStartInfo: *mut DXGK_PRE_START_INFO,
    ) -> NTSTATUS;

    /// Counts a user of an interface.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page: *INTERFACE structure
    /// (wdm.h)*.
    pub type PINTERFACE_REFERENCE = INTERFACE_REFERENCE(Context: PVOID);

    /// Gives up a use of an interface.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page: *INTERFACE structure
    /// (wdm.h)*.
    pub type PINTERFACE_DEREFERENCE = INTERFACE_DEREFERENCE(Context: PVOID);
}
