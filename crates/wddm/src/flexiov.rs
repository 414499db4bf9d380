//! The FlexIOV interface: which host memory backs the pages of a virtual function's BARs.

use crate::base::{BOOLEAN, HANDLE, PVOID};
use crate::macros::{abi, callbacks, constants};
use crate::resources::{CM_PARTIAL_RESOURCE_DESCRIPTOR, MDL};
use crate::startup::{PINTERFACE_DEREFERENCE, PINTERFACE_REFERENCE};
use crate::status::NTSTATUS;

constants! {
    /// Version of the interface.
    pub const DXGKDDI_FLEXIOV_DEVICE_INTERFACE_VERSION: u16 = 1;
    /// Most backing resources of one virtual function.
    pub const DXGKDDI_MAX_FLEXIOV_RESOURCES: u32 = 32;
    /// Physical page number of a range that no memory backs: every access is intercepted.
    pub const DXGK_MMIO_RANGES_EMULATED_PAGE: u64 = u64::MAX;
}

abi! {
    /// The header's `DXGKARG_GETBACKINGRESOURCE`.
    pub struct DXGKARG_GETBACKINGRESOURCE {
        VirtualFunctionIndex: u32,
        ResourceIndex: u16,
        Resource: *mut CM_PARTIAL_RESOURCE_DESCRIPTOR,
        pMdl: *mut MDL,
    }

    /// The header's `DXGKARG_GETMMIORANGECOUNT`.
    pub struct DXGKARG_GETMMIORANGECOUNT {
        VirtualFunctionIndex: u32,
        RangeCount: [u32; 6],
    }

    /// The header's `DXGK_MMIORANGEINFO`.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_MMIORANGEINFO {
        BasePageNumber: u64,
        BasePhysicalPageNumber: u64,
        BasePhysicalResourceNumber: u8,
        InterceptReads: BOOLEAN,
        InterceptWrites: BOOLEAN,
        PageCount: u32,
    }

    /// The header's `DXGKARG_GETMMIORANGES`.
    pub struct DXGKARG_GETMMIORANGES {
        VirtualFunctionIndex: u32,
        BarIndex: u32,
        NumRanges: u32,
        pMmioRanges: *mut DXGK_MMIORANGEINFO,
    }

    /// The header's `DXGKDDI_FLEXIOV_DEVICE_INTERFACE`.
    pub struct DXGKDDI_FLEXIOV_DEVICE_INTERFACE {
        Size: u16,
        Version: u16,
        Context: PVOID,
        InterfaceReference: PINTERFACE_REFERENCE,
        InterfaceDereference: PINTERFACE_DEREFERENCE,
        DxgkDdiGetBackingResource: PDXGKDDI_GETBACKINGRESOURCE,
        DxgkDdiGetMmioRangeCount: PDXGKDDI_GETMMIORANGECOUNT,
        DxgkDdiGetMmioRanges: PDXGKDDI_GETMMIORANGES,
    }
}

callbacks! {
    /// The header's `DXGKDDI_GETBACKINGRESOURCE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETBACKINGRESOURCE = DXGKDDI_GETBACKINGRESOURCE(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETBACKINGRESOURCE,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_GETMMIORANGECOUNT`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETMMIORANGECOUNT = DXGKDDI_GETMMIORANGECOUNT(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETMMIORANGECOUNT,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_GETMMIORANGES`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETMMIORANGES = DXGKDDI_GETMMIORANGES(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETMMIORANGES,
    ) -> NTSTATUS;
}
