//! Child devices. A compute-only adapter has none, but answers the questions.

use crate::base::{BOOLEAN, GUID, PVOID};
use crate::macros::{abi, callbacks, open_enum};
use crate::status::NTSTATUS;

open_enum! {
    /// What a child device is.
    pub enum DXGK_CHILD_DEVICE_TYPE {
        TypeUninitialized = 0,
        TypeVideoOutput = 1,
        TypeOther = 2,
        TypeIntegratedDisplay = 3,
        TypeLogicalGpu = 4,
    }

    /// What a child's status is about.
    pub enum DXGK_CHILD_STATUS_TYPE {
        StatusUninitialized = 0,
        StatusConnection = 1,
        StatusRotation = 2,
        StatusMiracastConnection = 3,
    }

    /// How a child notices that something was plugged in.
    pub enum DXGK_CHILD_DEVICE_HPD_AWARENESS {
        HpdAwarenessUninitialized = 0,
        HpdAwarenessAlwaysConnected = 1,
        HpdAwarenessNone = 2,
        HpdAwarenessPolled = 3,
        HpdAwarenessInterruptible = 4,
    }

    /// Connectors.
    pub enum D3DKMDT_VIDEO_OUTPUT_TECHNOLOGY {
        D3DKMDT_VOT_UNINITIALIZED = -2,
        D3DKMDT_VOT_OTHER = -1,
        D3DKMDT_VOT_HD15 = 0,
        D3DKMDT_VOT_SVIDEO = 1,
        D3DKMDT_VOT_COMPOSITE_VIDEO = 2,
        D3DKMDT_VOT_COMPONENT_VIDEO = 3,
        D3DKMDT_VOT_DVI = 4,
        D3DKMDT_VOT_HDMI = 5,
        D3DKMDT_VOT_LVDS = 6,
        D3DKMDT_VOT_D_JPN = 8,
        D3DKMDT_VOT_SDI = 9,
        D3DKMDT_VOT_DISPLAYPORT_EXTERNAL = 10,
        D3DKMDT_VOT_DISPLAYPORT_EMBEDDED = 11,
        D3DKMDT_VOT_UDI_EXTERNAL = 12,
        D3DKMDT_VOT_UDI_EMBEDDED = 13,
        D3DKMDT_VOT_SDTVDONGLE = 14,
        D3DKMDT_VOT_MIRACAST = 15,
        D3DKMDT_VOT_INDIRECT_WIRED = 16,
        D3DKMDT_VOT_INTERNAL = -2147483648,
        D3DKMDT_VOT_SVIDEO_4PIN = 1,
        D3DKMDT_VOT_SVIDEO_7PIN = 1,
        D3DKMDT_VOT_RF = 2,
        D3DKMDT_VOT_RCA_3COMPONENT = 3,
        D3DKMDT_VOT_BNC = 3,
    }

    /// How a monitor's rotation is noticed.
    pub enum D3DKMDT_MONITOR_ORIENTATION_AWARENESS {
        D3DKMDT_MOA_UNINITIALIZED = 0,
        D3DKMDT_MOA_NONE = 1,
        D3DKMDT_MOA_POLLED = 2,
        D3DKMDT_MOA_INTERRUPTIBLE = 3,
    }

    /// Whether a path needs a monitor at its end.
    pub enum D3DKMDT_MONITOR_CONNECTIVITY_CHECKS {
        D3DKMDT_MCC_UNINITIALIZED = 0,
        D3DKMDT_MCC_IGNORE = 1,
        D3DKMDT_MCC_ENFORCE = 2,
    }
}

abi! {
    /// One child of the adapter.
    pub struct DXGK_CHILD_DESCRIPTOR {
        ChildDeviceType: DXGK_CHILD_DEVICE_TYPE,
        ChildCapabilities: DXGK_CHILD_CAPABILITIES,
        AcpiUid: u32,
        ChildUid: u32,
    }

    /// `HotPlug` of [`DXGK_CHILD_STATUS`].
    pub struct DXGK_CHILD_STATUS_HOTPLUG {
        Connected: BOOLEAN,
    }

    /// `Rotation` of [`DXGK_CHILD_STATUS`].
    pub struct DXGK_CHILD_STATUS_ROTATION {
        Angle: u8,
    }

    /// `Miracast` of [`DXGK_CHILD_STATUS`].
    pub struct DXGK_CHILD_STATUS_MIRACAST {
        Connected: BOOLEAN,
        MiracastMonitorType: u32,
    }

    /// The anonymous union of [`DXGK_CHILD_STATUS`].
    pub union DXGK_CHILD_STATUS_U {
        HotPlug: DXGK_CHILD_STATUS_HOTPLUG,
        Rotation: DXGK_CHILD_STATUS_ROTATION,
        Miracast: DXGK_CHILD_STATUS_MIRACAST,
    }

    /// Status of one child.
    pub struct DXGK_CHILD_STATUS {
        Type: DXGK_CHILD_STATUS_TYPE,
        ChildUid: u32,
        u: DXGK_CHILD_STATUS_U,
    }

    /// Part of a monitor's EDID.
    pub struct DXGK_DEVICE_DESCRIPTOR {
        DescriptorOffset: u32,
        DescriptorLength: u32,
        DescriptorBuffer: PVOID,
    }

    /// What a video output is.
    pub struct DXGK_VIDEO_OUTPUT_CAPABILITIES {
        InterfaceTechnology: D3DKMDT_VIDEO_OUTPUT_TECHNOLOGY,
        MonitorOrientationAwareness: D3DKMDT_MONITOR_ORIENTATION_AWARENESS,
        SupportsSdtvModes: u32,
    }

    /// What an integrated display is.
    pub struct DXGK_INTEGRATED_DISPLAY_CHILD {
        InterfaceTechnology: D3DKMDT_VIDEO_OUTPUT_TECHNOLOGY,
        DescriptorLength: u16,
    }

    /// `Other` of [`DXGK_CHILD_CAPABILITIES_TYPE`].
    pub struct DXGK_CHILD_CAPABILITIES_TYPE_OTHER {
        MustBeZero: u32,
    }

    /// `Type` of [`DXGK_CHILD_CAPABILITIES`].
    pub union DXGK_CHILD_CAPABILITIES_TYPE {
        VideoOutput: DXGK_VIDEO_OUTPUT_CAPABILITIES,
        Other: DXGK_CHILD_CAPABILITIES_TYPE_OTHER,
        IntegratedDisplayChild: DXGK_INTEGRATED_DISPLAY_CHILD,
    }

    /// What a child can do.
    pub struct DXGK_CHILD_CAPABILITIES {
        Type: DXGK_CHILD_CAPABILITIES_TYPE,
        HpdAwareness: DXGK_CHILD_DEVICE_HPD_AWARENESS,
    }

    /// `EldInfo` of [`DXGK_CHILD_CONTAINER_ID`].
    pub struct DXGK_CHILD_CONTAINER_ID_ELDINFO {
        PortId: u64,
        ManufacturerName: u16,
        ProductCode: u16,
    }

    /// The container that a child's device belongs to.
    pub struct DXGK_CHILD_CONTAINER_ID {
        ContainerId: GUID,
        EldInfo: DXGK_CHILD_CONTAINER_ID_ELDINFO,
    }
}

callbacks! {
    /// Lists the children.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 3.
    pub type PDXGKDDI_QUERY_CHILD_RELATIONS = DXGKDDI_QUERY_CHILD_RELATIONS(
        MiniportDeviceContext: PVOID,
        ChildRelations: *mut DXGK_CHILD_DESCRIPTOR,
        ChildRelationsSize: u32,
    ) -> NTSTATUS;

    /// Tells one child's status.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 1.
    pub type PDXGKDDI_QUERY_CHILD_STATUS = DXGKDDI_QUERY_CHILD_STATUS(
        MiniportDeviceContext: PVOID,
        ChildStatus: *mut DXGK_CHILD_STATUS,
        NonDestructiveOnly: BOOLEAN,
    ) -> NTSTATUS;

    /// Gives part of a monitor's EDID.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 1.
    pub type PDXGKDDI_QUERY_DEVICE_DESCRIPTOR = DXGKDDI_QUERY_DEVICE_DESCRIPTOR(
        MiniportDeviceContext: PVOID,
        ChildUid: u32,
        DeviceDescriptor: *mut DXGK_DEVICE_DESCRIPTOR,
    ) -> NTSTATUS;

    /// Names the container of a child.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDI_GET_CHILD_CONTAINER_ID (dispmprt.h)*.
    pub type PDXGKDDI_GET_CHILD_CONTAINER_ID = DXGKDDI_GET_CHILD_CONTAINER_ID(
        MiniportDeviceContext: PVOID,
        ChildUid: u32,
        ContainerId: *mut DXGK_CHILD_CONTAINER_ID,
    ) -> NTSTATUS;
}
