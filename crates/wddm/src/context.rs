//! Devices and contexts.

use crate::base::{DRIVER_OBJECT, HANDLE, PVOID};
use crate::feature::DXGKARGCB_ISFEATUREENABLED2;
use crate::macros::{abi, bits, callbacks};
use crate::status::NTSTATUS;

bits! {
    /// Who the device is for.
    pub struct DXGK_CREATEDEVICEFLAGS: u32 [Value] {
        SystemDevice = 0,
        GdiDevice = 1,
    } reserved {
        Reserved = 2: 29,
        Reserved0 = 31: 1,
    }

    /// What the driver promises of a device's DMA buffers.
    pub struct DXGK_DEVICEINFOFLAGS: u32 [Value] {
        GuaranteedDmaBufferContract = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// What the context is for.
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

    /// What the driver promises of a context.
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

    /// Argument of [`DXGKDDI_CREATEDEVICE`].
    pub struct DXGKARG_CREATEDEVICE {
        hDevice: HANDLE,
        u: DXGKARG_CREATEDEVICE_U,
        Pasid: u32,
        hKmdProcess: HANDLE,
    }

    /// DMA buffers that a device wants.
    pub struct DXGK_DEVICEINFO {
        DmaBufferSize: u32,
        DmaBufferSegmentSet: u32,
        DmaBufferPrivateDataSize: u32,
        AllocationListSize: u32,
        PatchLocationListSize: u32,
        Flags: DXGK_DEVICEINFOFLAGS,
    }

    /// DMA buffers that a context wants; sizes in bytes.
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

    /// Argument of [`DXGKDDI_CREATECONTEXT`].
    pub struct DXGKARG_CREATECONTEXT {
        hContext: HANDLE,
        NodeOrdinal: u32,
        EngineAffinity: u32,
        Flags: DXGK_CREATECONTEXTFLAGS,
        pPrivateDriverData: PVOID,
        PrivateDriverDataSize: u32,
        ContextInfo: DXGK_CONTEXTINFO,
    }

    /// Argument of [`DXGKDDI_BEGINEXCLUSIVEACCESS`].
    pub struct DXGKARG_BEGINEXCLUSIVEACCESS {
        Reserved: u32,
    }

    /// Argument of [`DXGKDDI_ENDEXCLUSIVEACCESS`].
    pub struct DXGKARG_ENDEXCLUSIVEACCESS {
        Reserved: u32,
    }
}

callbacks! {
    /// Makes a device.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_CREATEDEVICE = DXGKDDI_CREATEDEVICE(
        hAdapter: HANDLE,
        pCreateDevice: *mut DXGKARG_CREATEDEVICE,
    ) -> NTSTATUS;

    /// Destroys a device.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_DESTROYDEVICE = DXGKDDI_DESTROYDEVICE(hDevice: HANDLE) -> NTSTATUS;

    /// Makes a context on a node.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_CREATECONTEXT = DXGKDDI_CREATECONTEXT(
        hDevice: HANDLE,
        pCreateContext: *mut DXGKARG_CREATECONTEXT,
    ) -> NTSTATUS;

    /// Destroys a context.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_DESTROYCONTEXT = DXGKDDI_DESTROYCONTEXT(hContext: HANDLE) -> NTSTATUS;

    /// Stops touching the IOMMU's domain while it changes.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_BEGINEXCLUSIVEACCESS = DXGKDDI_BEGINEXCLUSIVEACCESS(
        hAdapter: HANDLE,
        pBeginExclusiveAccess: *mut DXGKARG_BEGINEXCLUSIVEACCESS,
    ) -> NTSTATUS;

    /// May touch it again.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_ENDEXCLUSIVEACCESS = DXGKDDI_ENDEXCLUSIVEACCESS(
        hAdapter: HANDLE,
        pEndExclusiveAccess: *mut DXGKARG_ENDEXCLUSIVEACCESS,
    ) -> NTSTATUS;

    /// Asks for a global feature before registration; an export of displib.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page: *DxgkIsFeatureEnabled2
    /// function (d3dkmddi.h)*.
    pub type PDxgkIsFeatureEnabled2 = DxgkIsFeatureEnabled2(
        DriverObject: *mut DRIVER_OBJECT,
        pArgs: *mut DXGKARGCB_ISFEATUREENABLED2,
    ) -> NTSTATUS;
}
