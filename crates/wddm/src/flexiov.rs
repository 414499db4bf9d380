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
    /// Argument of [`DXGKDDI_GETBACKINGRESOURCE`]: one memory resource, as a descriptor or an MDL.
    pub struct DXGKARG_GETBACKINGRESOURCE {
        VirtualFunctionIndex: u32,
        ResourceIndex: u16,
        Resource: *mut CM_PARTIAL_RESOURCE_DESCRIPTOR,
        pMdl: *mut MDL,
    }

    /// Argument of [`DXGKDDI_GETMMIORANGECOUNT`].
    pub struct DXGKARG_GETMMIORANGECOUNT {
        VirtualFunctionIndex: u32,
        RangeCount: [u32; 6],
    }

    /// Pages of a BAR and what backs them.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_MMIORANGEINFO {
        BasePageNumber: u64,
        /// Within the backing resource, or [`DXGK_MMIO_RANGES_EMULATED_PAGE`].
        BasePhysicalPageNumber: u64,
        BasePhysicalResourceNumber: u8,
        InterceptReads: BOOLEAN,
        InterceptWrites: BOOLEAN,
        /// Pages of 4096 bytes.
        PageCount: u32,
    }

    /// Argument of [`DXGKDDI_GETMMIORANGES`].
    pub struct DXGKARG_GETMMIORANGES {
        VirtualFunctionIndex: u32,
        BarIndex: u32,
        NumRanges: u32,
        pMmioRanges: *mut DXGK_MMIORANGEINFO,
    }

    /// The FlexIOV interface, version 1.
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
    /// Hands out one piece of host memory behind a virtual function's BARs.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETBACKINGRESOURCE = DXGKDDI_GETBACKINGRESOURCE(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETBACKINGRESOURCE,
    ) -> NTSTATUS;

    /// Counts the ranges of each BAR.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETMMIORANGECOUNT = DXGKDDI_GETMMIORANGECOUNT(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETMMIORANGECOUNT,
    ) -> NTSTATUS;

    /// Lists the ranges of one BAR; they must cover every page.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETMMIORANGES = DXGKDDI_GETMMIORANGES(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETMMIORANGES,
    ) -> NTSTATUS;
}
