//! Power components and power states.

use crate::base::{BOOL, DEVICE_POWER_STATE, GUID, HANDLE, POWER_ACTION, PVOID, SIZE_T};
use crate::macros::{abi, bits, callbacks, open_enum};
use crate::scheduling::DXGKARG_SETTRACKEDWORKLOADPOWERLEVEL;
use crate::status::NTSTATUS;

open_enum! {
    /// What a power component feeds.
    pub enum DXGK_POWER_COMPONENT_TYPE {
        DXGK_POWER_COMPONENT_ENGINE = 0,
        DXGK_POWER_COMPONENT_MONITOR = 1,
        DXGK_POWER_COMPONENT_MONITOR_REFRESH = 2,
        DXGK_POWER_COMPONENT_MEMORY = 3,
        DXGK_POWER_COMPONENT_MEMORY_REFRESH = 4,
        DXGK_POWER_COMPONENT_OTHER = 5,
        DXGK_POWER_COMPONENT_D3_TRANSITION = 6,
        DXGK_POWER_COMPONENT_SHARED = 7,
        DXGK_POWER_COMPONENT_MAX = 8,
    }
}

bits! {
    /// How a power component changes its state.
    pub struct DXGK_POWER_COMPONENT_FLAGS: u32 [Value] {
        DriverCompletesFStateTransition = 1,
        TransitionTo_F0_OnDx = 2,
        NoDebounce = 3,
        ActiveInD3 = 4,
    } reserved {
        Reserved0 = 0: 1,
        Reserved = 5: 27,
    }
}

abi! {
    /// Argument of [`DXGKDDI_SETSTABLEPOWERSTATE`].
    pub struct DXGKARG_SETSTABLEPOWERSTATE {
        Enabled: BOOL,
    }

    /// One idle state: times in 100 ns, power in microwatts.
    pub struct DXGK_POWER_RUNTIME_STATE {
        TransitionLatency: u64,
        ResidencyRequirement: u64,
        NominalPower: u32,
    }

    /// `EngineDesc` of [`DXGK_POWER_COMPONENT_MAPPING`].
    pub struct DXGK_POWER_COMPONENT_MAPPING_ENGINEDESC {
        NodeIndex: u32,
    }

    /// `MonitorRefreshDesc` of [`DXGK_POWER_COMPONENT_MAPPING`].
    pub struct DXGK_POWER_COMPONENT_MAPPING_MONITORREFRESHDESC {
        VidPnSourceID: u32,
    }

    /// `MonitorDesc` of [`DXGK_POWER_COMPONENT_MAPPING`].
    pub struct DXGK_POWER_COMPONENT_MAPPING_MONITORDESC {
        VidPnTargetID: u32,
    }

    /// `MemoryDesc` of [`DXGK_POWER_COMPONENT_MAPPING`].
    pub struct DXGK_POWER_COMPONENT_MAPPING_MEMORYDESC {
        SegmentID: u32,
    }

    /// An anonymous structure of [`DXGK_POWER_COMPONENT_MAPPING_SHAREDDESC_U`].
    pub struct DXGK_POWER_COMPONENT_MAPPING_SHAREDDESC_U_S {
        SharedTypeFlag: u16,
        DriverCustomValueSet: u16,
    }

    /// The anonymous union of [`DXGK_POWER_COMPONENT_MAPPING_SHAREDDESC`].
    pub union DXGK_POWER_COMPONENT_MAPPING_SHAREDDESC_U {
        s: DXGK_POWER_COMPONENT_MAPPING_SHAREDDESC_U_S,
        SharedType: u32,
    }

    /// `SharedDesc` of [`DXGK_POWER_COMPONENT_MAPPING`].
    pub struct DXGK_POWER_COMPONENT_MAPPING_SHAREDDESC {
        u: DXGK_POWER_COMPONENT_MAPPING_SHAREDDESC_U,
    }

    /// The anonymous union of [`DXGK_POWER_COMPONENT_MAPPING`].
    pub union DXGK_POWER_COMPONENT_MAPPING_U {
        EngineDesc: DXGK_POWER_COMPONENT_MAPPING_ENGINEDESC,
        MonitorRefreshDesc: DXGK_POWER_COMPONENT_MAPPING_MONITORREFRESHDESC,
        MonitorDesc: DXGK_POWER_COMPONENT_MAPPING_MONITORDESC,
        MemoryDesc: DXGK_POWER_COMPONENT_MAPPING_MEMORYDESC,
        SharedDesc: DXGK_POWER_COMPONENT_MAPPING_SHAREDDESC,
    }

    /// What a power component feeds; the type says which member of the union holds.
    pub struct DXGK_POWER_COMPONENT_MAPPING {
        ComponentType: DXGK_POWER_COMPONENT_TYPE,
        u: DXGK_POWER_COMPONENT_MAPPING_U,
    }

    /// Answer to query 7, DXGKQAITYPE_POWERCOMPONENTINFO.
    pub struct DXGK_POWER_RUNTIME_COMPONENT {
        StateCount: u32,
        States: [DXGK_POWER_RUNTIME_STATE; 8],
        ComponentMapping: DXGK_POWER_COMPONENT_MAPPING,
        Flags: DXGK_POWER_COMPONENT_FLAGS,
        ComponentGuid: GUID,
        ComponentName: [u8; 40],
        ProviderCount: u32,
        Providers: [u32; 16],
    }
}

callbacks! {
    /// Changes the power state of the adapter or a child.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 3.
    pub type PDXGKDDI_SET_POWER_STATE = DXGKDDI_SET_POWER_STATE(
        MiniportDeviceContext: PVOID,
        DeviceUid: u32,
        DevicePowerState: DEVICE_POWER_STATE,
        ActionType: POWER_ACTION,
    ) -> NTSTATUS;

    /// Fixes the clocks, for measurements.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SETSTABLEPOWERSTATE = DXGKDDI_SETSTABLEPOWERSTATE(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_SETSTABLEPOWERSTATE,
    );

    /// Hands over the power framework's handle.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_POWERRUNTIMESETDEVICEHANDLE = DXGKDDI_POWERRUNTIMESETDEVICEHANDLE(
        DriverContext: HANDLE,
        PoDeviceHandle: HANDLE,
    ) -> NTSTATUS;

    /// Changes a component's idle state; the end is reported with DxgkCbCompleteFStateTransition.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDISETPOWERCOMPONENTFSTATE (d3dkmddi.h)*.
    pub type PDXGKDDISETPOWERCOMPONENTFSTATE = DXGKDDISETPOWERCOMPONENTFSTATE(
        DriverContext: HANDLE,
        ComponentIndex: u32,
        FState: u32,
    ) -> NTSTATUS;

    /// Serves a request of the power engine plug-in.
    ///
    /// IRQL: at most DISPATCH_LEVEL. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDIPOWERRUNTIMECONTROLREQUEST (d3dkmddi.h)*.
    pub type PDXGKDDIPOWERRUNTIMECONTROLREQUEST = DXGKDDIPOWERRUNTIMECONTROLREQUEST(
        DriverContext: HANDLE,
        PowerControlCode: *const GUID,
        InBuffer: PVOID,
        InBufferSize: SIZE_T,
        OutBuffer: PVOID,
        OutBufferSize: SIZE_T,
        BytesReturned: *mut SIZE_T,
    ) -> NTSTATUS;

    /// Sets the power level of a tracked workload.
    ///
    /// IRQL: not stated. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDI_SETTRACKEDWORKLOADPOWERLEVEL (d3dkmddi.h)*.
    pub type PDXGKDDI_SETTRACKEDWORKLOADPOWERLEVEL = DXGKDDI_SETTRACKEDWORKLOADPOWERLEVEL(
        hContext: HANDLE,
        pTrackedWorkloadPowerLevel: *mut DXGKARG_SETTRACKEDWORKLOADPOWERLEVEL,
    ) -> NTSTATUS;
}
