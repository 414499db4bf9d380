//! The table of callbacks that a driver registers.

use crate::adapter_info::PDXGKDDI_QUERYADAPTERINFO;
use crate::allocation::{
    PDXGKDDI_CLOSEALLOCATION, PDXGKDDI_CREATEALLOCATION, PDXGKDDI_DESCRIBEALLOCATION,
    PDXGKDDI_DESTROYALLOCATION, PDXGKDDI_GETSTANDARDALLOCATIONDRIVERDATA, PDXGKDDI_OPENALLOCATIONINFO,
};
use crate::base::{PVOID, UnknownCallback};
use crate::child::{
    PDXGKDDI_GET_CHILD_CONTAINER_ID, PDXGKDDI_QUERY_CHILD_RELATIONS, PDXGKDDI_QUERY_CHILD_STATUS,
    PDXGKDDI_QUERY_DEVICE_DESCRIPTOR,
};
use crate::context::{
    PDXGKDDI_BEGINEXCLUSIVEACCESS, PDXGKDDI_CREATECONTEXT, PDXGKDDI_CREATEDEVICE, PDXGKDDI_DESTROYCONTEXT,
    PDXGKDDI_DESTROYDEVICE, PDXGKDDI_ENDEXCLUSIVEACCESS,
};
use crate::debug::{PDXGKDDI_COLLECTDBGINFO, PDXGKDDI_COLLECTDBGINFO2, PDXGKDDI_ESCAPE};
use crate::dirty::{
    PDXGKDDI_CREATEMEMORYBASIS, PDXGKDDI_DESTROYMEMORYBASIS, PDXGKDDI_QUERYDIRTYBITDATA,
    PDXGKDDI_STARTDIRTYTRACKING, PDXGKDDI_STOPDIRTYTRACKING,
};
use crate::gpu_mmu::{PDXGKDDI_GETROOTPAGETABLESIZE, PDXGKDDI_SETROOTPAGETABLE};
use crate::hot_update::{PDXGKDDI_RESTOREMEMORYFORHOTUPDATE, PDXGKDDI_SAVEMEMORYFORHOTUPDATE};
use crate::hwqueue::{
    PDXGKDDI_RESETHWENGINE, PDXGKDDI_RESUMECONTEXT, PDXGKDDI_RESUMEHWENGINE, PDXGKDDI_SIGNALMONITOREDFENCE,
    PDXGKDDI_SUBMITCOMMANDTOHWQUEUE, PDXGKDDI_SUSPENDCONTEXT, PDXGKDDI_SWITCHTOHWCONTEXTLIST,
    PDXGKDDI_UPDATEHWCONTEXTSTATE,
};
use crate::interrupt::{PDXGKDDI_DPC_ROUTINE, PDXGKDDI_INTERRUPT_ROUTINE};
use crate::macros::{abi, constants};
use crate::migration::{
    PDXGKDDI_ENDLIVEMIGRATION, PDXGKDDI_PREPARELIVEMIGRATION, PDXGKDDI_RESTOREIMMUTABLEMIGRATIONDATA,
    PDXGKDDI_RESTOREMUTABLEMIGRATIONDATA, PDXGKDDI_SAVEIMMUTABLEMIGRATIONDATA,
    PDXGKDDI_SAVEMUTABLEMIGRATIONDATA, PDXGKDDI_SETVIRTUALFUNCTIONPAUSESTATE,
    PDXGKDDI_SETVIRTUALGPURESOURCES2, PDXGKDDI_WRITEVIRTUALIZEDINTERRUPT,
};
use crate::node::{PDXGKDDI_CALIBRATEGPUCLOCK, PDXGKDDI_FORMATHISTORYBUFFER, PDXGKDDI_GETNODEMETADATA};
use crate::paging::PDXGKDDI_BUILDPAGINGBUFFER;
use crate::partition::PDXGKDDI_SETVIRTUALMACHINEDATA;
use crate::power::{
    PDXGKDDI_POWERRUNTIMESETDEVICEHANDLE, PDXGKDDI_SET_POWER_STATE, PDXGKDDI_SETSTABLEPOWERSTATE,
    PDXGKDDI_SETTRACKEDWORKLOADPOWERLEVEL, PDXGKDDIPOWERRUNTIMECONTROLREQUEST,
    PDXGKDDISETPOWERCOMPONENTFSTATE,
};
use crate::process::{PDXGKDDI_CREATEPROCESS, PDXGKDDI_DESTROYPROCESS};
use crate::scheduling::{
    PDXGKDDI_NOTIFYCONTEXTPRIORITYCHANGE, PDXGKDDI_SETCONTEXTSCHEDULINGPROPERTIES,
    PDXGKDDI_SETSCHEDULINGLOGBUFFER, PDXGKDDI_SETUPPRIORITYBANDS,
};
use crate::segment::{PDXGKDDI_MAPCPUHOSTAPERTURE, PDXGKDDI_UNMAPCPUHOSTAPERTURE};
use crate::startup::{
    PDXGKDDI_ADD_DEVICE, PDXGKDDI_CONTROL_ETW_LOGGING, PDXGKDDI_DISPATCH_IO_REQUEST,
    PDXGKDDI_EXCHANGEPRESTARTINFO, PDXGKDDI_LINK_DEVICE, PDXGKDDI_NOTIFY_ACPI_EVENT,
    PDXGKDDI_NOTIFY_SURPRISE_REMOVAL, PDXGKDDI_QUERY_INTERFACE, PDXGKDDI_REMOVE_DEVICE,
    PDXGKDDI_RESET_DEVICE, PDXGKDDI_START_DEVICE, PDXGKDDI_STOP_DEVICE, PDXGKDDI_UNLOAD,
};
use crate::submission::{
    PDXGKDDI_CANCELCOMMAND, PDXGKDDI_PATCH, PDXGKDDI_PREEMPTCOMMAND, PDXGKDDI_QUERYCURRENTFENCE,
    PDXGKDDI_RENDER, PDXGKDDI_SUBMITCOMMAND, PDXGKDDI_SUBMITCOMMANDVIRTUAL, PDXGKDDI_VALIDATESUBMITCOMMAND,
};
use crate::timeout::{
    PDXGKDDI_QUERYDEPENDENTENGINEGROUP, PDXGKDDI_QUERYENGINESTATUS, PDXGKDDI_RESETENGINE,
    PDXGKDDI_RESETFROMTIMEOUT, PDXGKDDI_RESTARTFROMTIMEOUT,
};

constants! {
    /// `Version` of the table: Windows Vista.
    pub const DXGKDDI_INTERFACE_VERSION_VISTA: u32 = 0x1052;
    /// `Version` of the table: Windows Vista SP1.
    pub const DXGKDDI_INTERFACE_VERSION_VISTA_SP1: u32 = 0x1053;
    /// `Version` of the table: Windows 7.
    pub const DXGKDDI_INTERFACE_VERSION_WIN7: u32 = 0x2005;
    /// `Version` of the table: Windows 8.
    pub const DXGKDDI_INTERFACE_VERSION_WIN8: u32 = 0x300E;
    /// `Version` of the table: WDDM 1.3.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM1_3: u32 = 0x4002;
    /// `Version` of the table: WDDM 1.3 with path-independent rotation.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM1_3_PATH_INDEPENDENT_ROTATION: u32 = 0x4003;
    /// `Version` of the table: WDDM 2.0.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM2_0: u32 = 0x5023;
    /// `Version` of the table: WDDM 2.1.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM2_1: u32 = 0x6003;
    /// `Version` of the table: WDDM 2.1.5.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM2_1_5: u32 = 0x6010;
    /// `Version` of the table: WDDM 2.1.6.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM2_1_6: u32 = 0x6011;
    /// `Version` of the table: WDDM 2.2.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM2_2: u32 = 0x700A;
    /// `Version` of the table: WDDM 2.3.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM2_3: u32 = 0x8001;
    /// `Version` of the table: WDDM 2.4.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM2_4: u32 = 0x9006;
    /// `Version` of the table: WDDM 2.5.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM2_5: u32 = 0xA00B;
    /// `Version` of the table: WDDM 2.6.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM2_6: u32 = 0xB004;
    /// `Version` of the table: WDDM 2.7.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM2_7: u32 = 0xC004;
    /// `Version` of the table: WDDM 2.8.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM2_8: u32 = 0xD001;
    /// `Version` of the table: WDDM 2.9.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM2_9: u32 = 0xE003;
    /// `Version` of the table: WDDM 3.0.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM3_0: u32 = 0xF003;
    /// `Version` of the table: WDDM 3.1.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM3_1: u32 = 0x0001_0004;
    /// `Version` of the table: WDDM 3.2.
    pub const DXGKDDI_INTERFACE_VERSION_WDDM3_2: u32 = 0x0001_1007;
    /// Asks DxgkDdi registration of `\Device\DxgKrnl`: the answer is a
    /// [`DXGKRNL_INITIALIZE`](crate::DXGKRNL_INITIALIZE) pointer.
    pub const IOCTL_VIDEO_DDI_FUNC_REGISTER: u32 = 0x0023_003F;
}

abi! {
    /// The callback table that DriverEntry registers. Slots that a compute-only driver does not offer stay
    /// empty.
    pub struct DRIVER_INITIALIZATION_DATA {
        // Since Windows Vista.
        /// One of the `DXGKDDI_INTERFACE_VERSION_` numbers.
        Version: u32,
        DxgkDdiAddDevice: PDXGKDDI_ADD_DEVICE,
        DxgkDdiStartDevice: PDXGKDDI_START_DEVICE,
        DxgkDdiStopDevice: PDXGKDDI_STOP_DEVICE,
        DxgkDdiRemoveDevice: PDXGKDDI_REMOVE_DEVICE,
        DxgkDdiDispatchIoRequest: PDXGKDDI_DISPATCH_IO_REQUEST,
        DxgkDdiInterruptRoutine: PDXGKDDI_INTERRUPT_ROUTINE,
        DxgkDdiDpcRoutine: PDXGKDDI_DPC_ROUTINE,
        DxgkDdiQueryChildRelations: PDXGKDDI_QUERY_CHILD_RELATIONS,
        DxgkDdiQueryChildStatus: PDXGKDDI_QUERY_CHILD_STATUS,
        DxgkDdiQueryDeviceDescriptor: PDXGKDDI_QUERY_DEVICE_DESCRIPTOR,
        DxgkDdiSetPowerState: PDXGKDDI_SET_POWER_STATE,
        DxgkDdiNotifyAcpiEvent: PDXGKDDI_NOTIFY_ACPI_EVENT,
        DxgkDdiResetDevice: PDXGKDDI_RESET_DEVICE,
        DxgkDdiUnload: PDXGKDDI_UNLOAD,
        DxgkDdiQueryInterface: PDXGKDDI_QUERY_INTERFACE,
        DxgkDdiControlEtwLogging: PDXGKDDI_CONTROL_ETW_LOGGING,
        DxgkDdiQueryAdapterInfo: PDXGKDDI_QUERYADAPTERINFO,
        DxgkDdiCreateDevice: PDXGKDDI_CREATEDEVICE,
        DxgkDdiCreateAllocation: PDXGKDDI_CREATEALLOCATION,
        DxgkDdiDestroyAllocation: PDXGKDDI_DESTROYALLOCATION,
        DxgkDdiDescribeAllocation: PDXGKDDI_DESCRIBEALLOCATION,
        DxgkDdiGetStandardAllocationDriverData: PDXGKDDI_GETSTANDARDALLOCATIONDRIVERDATA,
        DxgkDdiAcquireSwizzlingRange: Option<UnknownCallback>,
        DxgkDdiReleaseSwizzlingRange: Option<UnknownCallback>,
        DxgkDdiPatch: PDXGKDDI_PATCH,
        DxgkDdiSubmitCommand: PDXGKDDI_SUBMITCOMMAND,
        DxgkDdiPreemptCommand: PDXGKDDI_PREEMPTCOMMAND,
        DxgkDdiBuildPagingBuffer: PDXGKDDI_BUILDPAGINGBUFFER,
        DxgkDdiSetPalette: Option<UnknownCallback>,
        DxgkDdiSetPointerPosition: Option<UnknownCallback>,
        DxgkDdiSetPointerShape: Option<UnknownCallback>,
        DxgkDdiResetFromTimeout: PDXGKDDI_RESETFROMTIMEOUT,
        DxgkDdiRestartFromTimeout: PDXGKDDI_RESTARTFROMTIMEOUT,
        DxgkDdiEscape: PDXGKDDI_ESCAPE,
        DxgkDdiCollectDbgInfo: PDXGKDDI_COLLECTDBGINFO,
        DxgkDdiQueryCurrentFence: PDXGKDDI_QUERYCURRENTFENCE,
        DxgkDdiIsSupportedVidPn: Option<UnknownCallback>,
        DxgkDdiRecommendFunctionalVidPn: Option<UnknownCallback>,
        DxgkDdiEnumVidPnCofuncModality: Option<UnknownCallback>,
        DxgkDdiSetVidPnSourceAddress: Option<UnknownCallback>,
        DxgkDdiSetVidPnSourceVisibility: Option<UnknownCallback>,
        DxgkDdiCommitVidPn: Option<UnknownCallback>,
        DxgkDdiUpdateActiveVidPnPresentPath: Option<UnknownCallback>,
        DxgkDdiRecommendMonitorModes: Option<UnknownCallback>,
        DxgkDdiRecommendVidPnTopology: Option<UnknownCallback>,
        DxgkDdiGetScanLine: Option<UnknownCallback>,
        DxgkDdiStopCapture: Option<UnknownCallback>,
        DxgkDdiControlInterrupt: Option<UnknownCallback>,
        DxgkDdiCreateOverlay: Option<UnknownCallback>,
        DxgkDdiDestroyDevice: PDXGKDDI_DESTROYDEVICE,
        DxgkDdiOpenAllocation: PDXGKDDI_OPENALLOCATIONINFO,
        DxgkDdiCloseAllocation: PDXGKDDI_CLOSEALLOCATION,
        DxgkDdiRender: PDXGKDDI_RENDER,
        DxgkDdiPresent: Option<UnknownCallback>,
        DxgkDdiUpdateOverlay: Option<UnknownCallback>,
        DxgkDdiFlipOverlay: Option<UnknownCallback>,
        DxgkDdiDestroyOverlay: Option<UnknownCallback>,
        DxgkDdiCreateContext: PDXGKDDI_CREATECONTEXT,
        DxgkDdiDestroyContext: PDXGKDDI_DESTROYCONTEXT,
        DxgkDdiLinkDevice: PDXGKDDI_LINK_DEVICE,
        DxgkDdiSetDisplayPrivateDriverFormat: Option<UnknownCallback>,
        // Since Windows 7.
        DxgkDdiDescribePageTable: PVOID,
        DxgkDdiUpdatePageTable: PVOID,
        DxgkDdiUpdatePageDirectory: PVOID,
        DxgkDdiMovePageDirectory: PVOID,
        DxgkDdiSubmitRender: PVOID,
        DxgkDdiCreateAllocation2: PVOID,
        DxgkDdiRenderKm: PDXGKDDI_RENDER,
        Reserved: PVOID,
        DxgkDdiQueryVidPnHWCapability: Option<UnknownCallback>,
        // Since Windows 8.
        DxgkDdiSetPowerComponentFState: PDXGKDDISETPOWERCOMPONENTFSTATE,
        DxgkDdiQueryDependentEngineGroup: PDXGKDDI_QUERYDEPENDENTENGINEGROUP,
        DxgkDdiQueryEngineStatus: PDXGKDDI_QUERYENGINESTATUS,
        DxgkDdiResetEngine: PDXGKDDI_RESETENGINE,
        DxgkDdiStopDeviceAndReleasePostDisplayOwnership: Option<UnknownCallback>,
        DxgkDdiSystemDisplayEnable: Option<UnknownCallback>,
        DxgkDdiSystemDisplayWrite: Option<UnknownCallback>,
        DxgkDdiCancelCommand: PDXGKDDI_CANCELCOMMAND,
        DxgkDdiGetChildContainerId: PDXGKDDI_GET_CHILD_CONTAINER_ID,
        DxgkDdiPowerRuntimeControlRequest: PDXGKDDIPOWERRUNTIMECONTROLREQUEST,
        DxgkDdiSetVidPnSourceAddressWithMultiPlaneOverlay: Option<UnknownCallback>,
        DxgkDdiNotifySurpriseRemoval: PDXGKDDI_NOTIFY_SURPRISE_REMOVAL,
        // Since WDDM 1.3.
        DxgkDdiGetNodeMetadata: PDXGKDDI_GETNODEMETADATA,
        DxgkDdiSetPowerPState: Option<UnknownCallback>,
        DxgkDdiControlInterrupt2: Option<UnknownCallback>,
        DxgkDdiCheckMultiPlaneOverlaySupport: Option<UnknownCallback>,
        DxgkDdiCalibrateGpuClock: PDXGKDDI_CALIBRATEGPUCLOCK,
        DxgkDdiFormatHistoryBuffer: PDXGKDDI_FORMATHISTORYBUFFER,
        // Since WDDM 2.0.
        DxgkDdiRenderGdi: Option<UnknownCallback>,
        DxgkDdiSubmitCommandVirtual: PDXGKDDI_SUBMITCOMMANDVIRTUAL,
        DxgkDdiSetRootPageTable: PDXGKDDI_SETROOTPAGETABLE,
        DxgkDdiGetRootPageTableSize: PDXGKDDI_GETROOTPAGETABLESIZE,
        DxgkDdiMapCpuHostAperture: PDXGKDDI_MAPCPUHOSTAPERTURE,
        DxgkDdiUnmapCpuHostAperture: PDXGKDDI_UNMAPCPUHOSTAPERTURE,
        DxgkDdiCheckMultiPlaneOverlaySupport2: Option<UnknownCallback>,
        DxgkDdiCreateProcess: PDXGKDDI_CREATEPROCESS,
        DxgkDdiDestroyProcess: PDXGKDDI_DESTROYPROCESS,
        DxgkDdiSetVidPnSourceAddressWithMultiPlaneOverlay2: Option<UnknownCallback>,
        Reserved1: PVOID,
        Reserved2: PVOID,
        DxgkDdiPowerRuntimeSetDeviceHandle: PDXGKDDI_POWERRUNTIMESETDEVICEHANDLE,
        DxgkDdiSetStablePowerState: PDXGKDDI_SETSTABLEPOWERSTATE,
        DxgkDdiSetVideoProtectedRegion: Option<UnknownCallback>,
        // Since WDDM 2.1.
        DxgkDdiCheckMultiPlaneOverlaySupport3: Option<UnknownCallback>,
        DxgkDdiSetVidPnSourceAddressWithMultiPlaneOverlay3: Option<UnknownCallback>,
        DxgkDdiPostMultiPlaneOverlayPresent: Option<UnknownCallback>,
        DxgkDdiValidateUpdateAllocationProperty: Option<UnknownCallback>,
        DxgkDdiControlModeBehavior: Option<UnknownCallback>,
        DxgkDdiUpdateMonitorLinkInfo: Option<UnknownCallback>,
        // Since WDDM 2.2.
        DxgkDdiCreateHwContext: Option<UnknownCallback>,
        DxgkDdiDestroyHwContext: Option<UnknownCallback>,
        DxgkDdiCreateHwQueue: Option<UnknownCallback>,
        DxgkDdiDestroyHwQueue: Option<UnknownCallback>,
        DxgkDdiSubmitCommandToHwQueue: PDXGKDDI_SUBMITCOMMANDTOHWQUEUE,
        DxgkDdiSwitchToHwContextList: PDXGKDDI_SWITCHTOHWCONTEXTLIST,
        DxgkDdiResetHwEngine: PDXGKDDI_RESETHWENGINE,
        DxgkDdiCreatePeriodicFrameNotification: Option<UnknownCallback>,
        DxgkDdiDestroyPeriodicFrameNotification: Option<UnknownCallback>,
        DxgkDdiSetTimingsFromVidPn: Option<UnknownCallback>,
        DxgkDdiSetTargetGamma: Option<UnknownCallback>,
        DxgkDdiSetTargetContentType: Option<UnknownCallback>,
        DxgkDdiSetTargetAnalogCopyProtection: Option<UnknownCallback>,
        DxgkDdiSetTargetAdjustedColorimetry: Option<UnknownCallback>,
        DxgkDdiDisplayDetectControl: Option<UnknownCallback>,
        DxgkDdiQueryConnectionChange: Option<UnknownCallback>,
        DxgkDdiExchangePreStartInfo: PDXGKDDI_EXCHANGEPRESTARTINFO,
        DxgkDdiGetMultiPlaneOverlayCaps: Option<UnknownCallback>,
        DxgkDdiGetPostCompositionCaps: Option<UnknownCallback>,
        // Since WDDM 2.3.
        DxgkDdiUpdateHwContextState: PDXGKDDI_UPDATEHWCONTEXTSTATE,
        DxgkDdiCreateProtectedSession: Option<UnknownCallback>,
        DxgkDdiDestroyProtectedSession: Option<UnknownCallback>,
        // Since WDDM 2.4.
        DxgkDdiSetSchedulingLogBuffer: PDXGKDDI_SETSCHEDULINGLOGBUFFER,
        DxgkDdiSetupPriorityBands: PDXGKDDI_SETUPPRIORITYBANDS,
        DxgkDdiNotifyFocusPresent: Option<UnknownCallback>,
        DxgkDdiSetContextSchedulingProperties: PDXGKDDI_SETCONTEXTSCHEDULINGPROPERTIES,
        DxgkDdiSuspendContext: PDXGKDDI_SUSPENDCONTEXT,
        DxgkDdiResumeContext: PDXGKDDI_RESUMECONTEXT,
        DxgkDdiSetVirtualMachineData: PDXGKDDI_SETVIRTUALMACHINEDATA,
        DxgkDdiBeginExclusiveAccess: PDXGKDDI_BEGINEXCLUSIVEACCESS,
        DxgkDdiEndExclusiveAccess: PDXGKDDI_ENDEXCLUSIVEACCESS,
        DxgkDdiQueryDiagnosticTypesSupport: Option<UnknownCallback>,
        DxgkDdiControlDiagnosticReporting: Option<UnknownCallback>,
        DxgkDdiResumeHwEngine: PDXGKDDI_RESUMEHWENGINE,
        // Since WDDM 2.5.
        DxgkDdiSignalMonitoredFence: PDXGKDDI_SIGNALMONITOREDFENCE,
        DxgkDdiPresentToHwQueue: Option<UnknownCallback>,
        DxgkDdiValidateSubmitCommand: PDXGKDDI_VALIDATESUBMITCOMMAND,
        DxgkDdiSetTargetAdjustedColorimetry2: Option<UnknownCallback>,
        DxgkDdiSetTrackedWorkloadPowerLevel: PDXGKDDI_SETTRACKEDWORKLOADPOWERLEVEL,
        // Since WDDM 2.6.
        DxgkDdiSaveMemoryForHotUpdate: PDXGKDDI_SAVEMEMORYFORHOTUPDATE,
        DxgkDdiRestoreMemoryForHotUpdate: PDXGKDDI_RESTOREMEMORYFORHOTUPDATE,
        DxgkDdiCollectDiagnosticInfo: Option<UnknownCallback>,
        Reserved3: PVOID,
        // Since WDDM 2.7.
        DxgkDdiControlInterrupt3: Option<UnknownCallback>,
        // Since WDDM 2.9.
        DxgkDdiSetFlipQueueLogBuffer: Option<UnknownCallback>,
        DxgkDdiUpdateFlipQueueLog: Option<UnknownCallback>,
        DxgkDdiCancelQueuedFlips: Option<UnknownCallback>,
        DxgkDdiSetInterruptTargetPresentId: Option<UnknownCallback>,
        // Since WDDM 3.0.
        DxgkDdiSetAllocationBackingStore: Option<UnknownCallback>,
        DxgkDdiCreateCpuEvent: Option<UnknownCallback>,
        DxgkDdiDestroyCpuEvent: Option<UnknownCallback>,
        DxgkDdiCancelFlips: Option<UnknownCallback>,
        // Since WDDM 3.1.
        DxgkDdiCreateNativeFence: Option<UnknownCallback>,
        DxgkDdiDestroyNativeFence: Option<UnknownCallback>,
        DxgkDdiUpdateMonitoredValues: Option<UnknownCallback>,
        DxgkDdiUpdateCurrentValuesFromCpu: Option<UnknownCallback>,
        DxgkDdiCreateDoorbell: Option<UnknownCallback>,
        DxgkDdiConnectDoorbell: Option<UnknownCallback>,
        DxgkDdiDisconnectDoorbell: Option<UnknownCallback>,
        DxgkDdiDestroyDoorbell: Option<UnknownCallback>,
        DxgkDdiNotifyWorkSubmission: Option<UnknownCallback>,
        Reserved4: PVOID,
        // Since WDDM 3.2.
        DxgkDdiCreateMemoryBasis: PDXGKDDI_CREATEMEMORYBASIS,
        DxgkDdiDestroyMemoryBasis: PDXGKDDI_DESTROYMEMORYBASIS,
        DxgkDdiStartDirtyTracking: PDXGKDDI_STARTDIRTYTRACKING,
        DxgkDdiStopDirtyTracking: PDXGKDDI_STOPDIRTYTRACKING,
        DxgkDdiQueryDirtyBitData: PDXGKDDI_QUERYDIRTYBITDATA,
        DxgkDdiPrepareLiveMigration: PDXGKDDI_PREPARELIVEMIGRATION,
        DxgkDdiSaveImmutableMigrationData: PDXGKDDI_SAVEIMMUTABLEMIGRATIONDATA,
        DxgkDdiSaveMutableMigrationData: PDXGKDDI_SAVEMUTABLEMIGRATIONDATA,
        DxgkDdiEndLiveMigration: PDXGKDDI_ENDLIVEMIGRATION,
        DxgkDdiRestoreImmutableMigrationData: PDXGKDDI_RESTOREIMMUTABLEMIGRATIONDATA,
        DxgkDdiRestoreMutableMigrationData: PDXGKDDI_RESTOREMUTABLEMIGRATIONDATA,
        DxgkDdiWriteVirtualizedInterrupt: PDXGKDDI_WRITEVIRTUALIZEDINTERRUPT,
        DxgkDdiSetVirtualGpuResources2: PDXGKDDI_SETVIRTUALGPURESOURCES2,
        DxgkDdiSetVirtualFunctionPauseState: PDXGKDDI_SETVIRTUALFUNCTIONPAUSESTATE,
        DxgkDdiOpenNativeFence: Option<UnknownCallback>,
        DxgkDdiCloseNativeFence: Option<UnknownCallback>,
        DxgkDdiSetNativeFenceLogBuffer: Option<UnknownCallback>,
        DxgkDdiUpdateNativeFenceLogs: Option<UnknownCallback>,
        DxgkDdiCollectDbgInfo2: PDXGKDDI_COLLECTDBGINFO2,
        DxgkDdiNotifyContextPriorityChange: PDXGKDDI_NOTIFYCONTEXTPRIORITYCHANGE,
        DxgkDdiResetDisplayEngine: Option<UnknownCallback>,
    }
}
