//! Devices and contexts.

use crate::base::{DRIVER_OBJECT, HANDLE, PVOID};
use crate::feature::DXGKARGCB_ISFEATUREENABLED2;
use crate::macros::{abi, bits, callbacks};
use crate::status::NTSTATUS;

bits! {
    /// The header's `DXGK_CREATEDEVICEFLAGS`.
    pub struct DXGK_CREATEDEVICEFLAGS: u32 [Value] {
        SystemDevice = 0,
        GdiDevice = 1,
    } reserved {
        Reserved = 2: 29,
        Reserved0 = 31: 1,
    }

    /// The header's `DXGK_DEVICEINFOFLAGS`.
    pub struct DXGK_DEVICEINFOFLAGS: u32 [Value] {
        GuaranteedDmaBufferContract = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// The header's `DXGK_CREATECONTEXTFLAGS`.
    pub struct DXGK_CREATECONTEXTFLAGS: u32 [Value] {
        SystemContext = 0,
        GdiContext = 1,
        VirtualAddressing = 2,
        SystemProtectedContext = 3,
        HwQueueSupported = 4,
        TestContext = 5,
    } reserved {
        Reserved = 6: 26,
    }

    /// The header's `DXGK_CONTEXTINFO_CAPS`.
    pub struct DXGK_CONTEXTINFO_CAPS: u32 [Value] {
        NoPatchingRequired = 0,
        DriverManagesResidency = 1,
        UseIoMmu = 2,
    } reserved {
        Reserved = 3: 29,
    }
}

abi! {
    /// The anonymous union of [`DXGKARG_CREATEDEVICE`].
    pub union DXGKARG_CREATEDEVICE_U {
        Flags: DXGK_CREATEDEVICEFLAGS,
        pInfo: *mut DXGK_DEVICEINFO,
    }

    /// The header's `DXGKARG_CREATEDEVICE`.
    pub struct DXGKARG_CREATEDEVICE {
        hDevice: HANDLE,
        u: DXGKARG_CREATEDEVICE_U,
        Pasid: u32,
        hKmdProcess: HANDLE,
    }

    /// The header's `DXGK_DEVICEINFO`.
    pub struct DXGK_DEVICEINFO {
        DmaBufferSize: u32,
        DmaBufferSegmentSet: u32,
        DmaBufferPrivateDataSize: u32,
        AllocationListSize: u32,
        PatchLocationListSize: u32,
        Flags: DXGK_DEVICEINFOFLAGS,
    }

    /// The header's `DXGK_CONTEXTINFO`.
    pub struct DXGK_CONTEXTINFO {
        DmaBufferSize: u32,
        DmaBufferSegmentSet: u32,
        DmaBufferPrivateDataSize: u32,
        AllocationListSize: u32,
        PatchLocationListSize: u32,
        Reserved: u32,
        Caps: DXGK_CONTEXTINFO_CAPS,
        PagingCompanionNodeId: u32,
    }

    /// The header's `DXGKARG_CREATECONTEXT`.
    pub struct DXGKARG_CREATECONTEXT {
        hContext: HANDLE,
        NodeOrdinal: u32,
        EngineAffinity: u32,
        Flags: DXGK_CREATECONTEXTFLAGS,
        pPrivateDriverData: PVOID,
        PrivateDriverDataSize: u32,
        ContextInfo: DXGK_CONTEXTINFO,
    }

    /// The header's `DXGKARG_BEGINEXCLUSIVEACCESS`.
    pub struct DXGKARG_BEGINEXCLUSIVEACCESS {
        Reserved: u32,
    }

    /// The header's `DXGKARG_ENDEXCLUSIVEACCESS`.
    pub struct DXGKARG_ENDEXCLUSIVEACCESS {
        Reserved: u32,
    }
}

callbacks! {
    /// The header's `DXGKDDI_CREATEDEVICE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_CREATEDEVICE = DXGKDDI_CREATEDEVICE(
        hAdapter: HANDLE,
        pCreateDevice: *mut DXGKARG_CREATEDEVICE,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_DESTROYDEVICE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_DESTROYDEVICE = DXGKDDI_DESTROYDEVICE(hDevice: HANDLE) -> NTSTATUS;

    /// The header's `DXGKDDI_CREATECONTEXT`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_CREATECONTEXT = DXGKDDI_CREATECONTEXT(
        hDevice: HANDLE,
        pCreateContext: *mut DXGKARG_CREATECONTEXT,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_DESTROYCONTEXT`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_DESTROYCONTEXT = DXGKDDI_DESTROYCONTEXT(hContext: HANDLE) -> NTSTATUS;

    /// The header's `DXGKDDI_BEGINEXCLUSIVEACCESS`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_BEGINEXCLUSIVEACCESS = DXGKDDI_BEGINEXCLUSIVEACCESS(
        hAdapter: HANDLE,
        pBeginExclusiveAccess: *mut DXGKARG_BEGINEXCLUSIVEACCESS,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_ENDEXCLUSIVEACCESS`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_ENDEXCLUSIVEACCESS = DXGKDDI_ENDEXCLUSIVEACCESS(
        hAdapter: HANDLE,
        pEndExclusiveAccess: *mut DXGKARG_ENDEXCLUSIVEACCESS,
    ) -> NTSTATUS;

    /// The header's `DxgkIsFeatureEnabled2`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page: *DxgkIsFeatureEnabled2
    /// function (d3dkmddi.h)*.
    pub type PDxgkIsFeatureEnabled2 = DxgkIsFeatureEnabled2(
        DriverObject: *mut DRIVER_OBJECT,
        pArgs: *mut DXGKARGCB_ISFEATUREENABLED2,
    ) -> NTSTATUS;
}
