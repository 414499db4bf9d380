//! The mitigable-device interface: BAR pages whose accesses must be intercepted.

use crate::base::{BOOLEAN, HANDLE, PVOID};
use crate::macros::{abi, callbacks, constants};
use crate::startup::{PINTERFACE_DEREFERENCE, PINTERFACE_REFERENCE};
use crate::status::NTSTATUS;

constants! {
    /// Version of the interface.
    pub const DXGKDDI_MITIGABLE_DEVICE_INTERFACE_VERSION: u16 = 1;
}

abi! {
    /// Argument of [`DXGKDDI_QUERYMITIGATEDRANGECOUNT`].
    pub struct DXGKARG_QUERYMITIGATEDRANGECOUNT {
        VirtualFunctionIndex: u32,
        RangeCount: [u32; 6],
    }

    /// Pages of a BAR whose accesses are intercepted; at most 2 GiB.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_MITIGATEDRANGEINFO {
        BasePageNumber: u64,
        /// Pages of 4096 bytes.
        PageCount: u32,
        InterceptReads: BOOLEAN,
        InterceptWrites: BOOLEAN,
    }

    /// Argument of [`DXGKDDI_QUERYMITIGATEDRANGES`].
    pub struct DXGKARG_QUERYMITIGATEDRANGES {
        VirtualFunctionIndex: u32,
        BarIndex: u32,
        NumRanges: u32,
        pMitigatedRange: *mut DXGK_MITIGATEDRANGEINFO,
    }

    /// The mitigable-device interface, version 1.
    pub struct DXGKDDI_MITIGABLE_DEVICE_INTERFACE {
        Size: u16,
        Version: u16,
        Context: PVOID,
        InterfaceReference: PINTERFACE_REFERENCE,
        InterfaceDereference: PINTERFACE_DEREFERENCE,
        DxgkDdiQueryMitigatedRangeCount: PDXGKDDI_QUERYMITIGATEDRANGECOUNT,
        DxgkDdiQueryMitigatedRanges: PDXGKDDI_QUERYMITIGATEDRANGES,
    }
}

callbacks! {
    /// Counts the mitigated ranges of each BAR.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_QUERYMITIGATEDRANGECOUNT = DXGKDDI_QUERYMITIGATEDRANGECOUNT(
        Context: HANDLE,
        pArgs: *mut DXGKARG_QUERYMITIGATEDRANGECOUNT,
    );

    /// Lists the mitigated ranges of one BAR.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_QUERYMITIGATEDRANGES = DXGKDDI_QUERYMITIGATEDRANGES(
        Context: HANDLE,
        pArgs: *mut DXGKARG_QUERYMITIGATEDRANGES,
    ) -> NTSTATUS;
}
