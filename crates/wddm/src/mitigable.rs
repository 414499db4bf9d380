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
    /// The header's `DXGKARG_QUERYMITIGATEDRANGECOUNT`.
    pub struct DXGKARG_QUERYMITIGATEDRANGECOUNT {
        VirtualFunctionIndex: u32,
        RangeCount: [u32; 6],
    }

    /// The header's `DXGK_MITIGATEDRANGEINFO`.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_MITIGATEDRANGEINFO {
        BasePageNumber: u64,
        PageCount: u32,
        InterceptReads: BOOLEAN,
        InterceptWrites: BOOLEAN,
    }

    /// The header's `DXGKARG_QUERYMITIGATEDRANGES`.
    pub struct DXGKARG_QUERYMITIGATEDRANGES {
        VirtualFunctionIndex: u32,
        BarIndex: u32,
        NumRanges: u32,
        pMitigatedRange: *mut DXGK_MITIGATEDRANGEINFO,
    }

    /// The header's `DXGKDDI_MITIGABLE_DEVICE_INTERFACE`.
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
    /// The header's `DXGKDDI_QUERYMITIGATEDRANGECOUNT`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_QUERYMITIGATEDRANGECOUNT = DXGKDDI_QUERYMITIGATEDRANGECOUNT(
        Context: HANDLE,
        pArgs: *mut DXGKARG_QUERYMITIGATEDRANGECOUNT,
    );

    /// The header's `DXGKDDI_QUERYMITIGATEDRANGES`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_QUERYMITIGATEDRANGES = DXGKDDI_QUERYMITIGATEDRANGES(
        Context: HANDLE,
        pArgs: *mut DXGKARG_QUERYMITIGATEDRANGES,
    ) -> NTSTATUS;
}
