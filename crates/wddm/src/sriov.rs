//! The SR-IOV interface: config space, BARs, reset and power of one virtual function.

use crate::base::{BOOLEAN, DEVICE_POWER_STATE, HANDLE, LUID, PVOID};
use crate::macros::{abi, callbacks, constants};
use crate::resources::CM_PARTIAL_RESOURCE_DESCRIPTOR;
use crate::startup::{PINTERFACE_DEREFERENCE, PINTERFACE_REFERENCE};
use crate::status::NTSTATUS;

constants! {
    /// Version of the interface.
    pub const DXGKDDI_SRIOV_INTERFACE_VERSION: u16 = 1;
    /// BARs of a PCI function.
    pub const DXGK_MAX_NUM_PCI_BARS: u32 = 6;
    /// Base address registers in a type 0 PCI header.
    pub const PCI_TYPE0_ADDRESSES: u32 = 6;
}

abi! {
    /// The header's `DXGKARG_READVIRTUALFUNCTIONCONFIG`.
    pub struct DXGKARG_READVIRTUALFUNCTIONCONFIG {
        Data: PVOID,
        VirtualFunctionIndex: u32,
        Offset: u32,
        Length: u32,
    }

    /// The header's `DXGKARG_WRITEVIRTUALFUNCTIONCONFIG`.
    pub struct DXGKARG_WRITEVIRTUALFUNCTIONCONFIG {
        Data: PVOID,
        VirtualFunctionIndex: u32,
        Offset: u32,
        Length: u32,
    }

    /// The header's `DXGKARG_READVIRTUALFUNCTIONCONFIGBLOCK`.
    pub struct DXGKARG_READVIRTUALFUNCTIONCONFIGBLOCK {
        Data: PVOID,
        VirtualFunctionIndex: u32,
        BlockId: u32,
        Length: u32,
    }

    /// The header's `DXGKARG_WRITEVIRTUALFUNCTIONCONFIGBLOCK`.
    pub struct DXGKARG_WRITEVIRTUALFUNCTIONCONFIGBLOCK {
        Data: PVOID,
        VirtualFunctionIndex: u32,
        BlockId: u32,
        Length: u32,
    }

    /// The header's `DXGKARG_QUERYPROBEDBARS`.
    pub struct DXGKARG_QUERYPROBEDBARS {
        VirtualFunctionIndex: u32,
        BaseRegisterValues: *mut u32,
    }

    /// The header's `DXGKARG_QUERYVIRTUALFUNCTIONLUID`.
    pub struct DXGKARG_QUERYVIRTUALFUNCTIONLUID {
        VirtualFunctionIndex: u32,
        pLuid: *mut LUID,
    }

    /// The header's `DXGKARG_GETVENDORANDDEVICE`.
    pub struct DXGKARG_GETVENDORANDDEVICE {
        VirtualFunctionIndex: u32,
        VendorId: u16,
        DeviceId: u16,
    }

    /// The header's `DXGKARG_GETDEVICELOCATION`.
    pub struct DXGKARG_GETDEVICELOCATION {
        VirtualFunctionIndex: u32,
        SegmentNumber: u32,
        BusNumber: u32,
        FunctionNumber: u32,
    }

    /// The header's `DXGKARG_RESETVIRTUALFUNCTION`.
    pub struct DXGKARG_RESETVIRTUALFUNCTION {
        VirtualFunctionIndex: u32,
    }

    /// The header's `DXGKARG_SETVIRTUALFUNCTIONPOWERSTATE`.
    pub struct DXGKARG_SETVIRTUALFUNCTIONPOWERSTATE {
        VirtualFunctionIndex: u32,
        PowerState: DEVICE_POWER_STATE,
        Wake: BOOLEAN,
    }

    /// The header's `DXGKARG_GETRESOURCEFORBAR`.
    pub struct DXGKARG_GETRESOURCEFORBAR {
        VirtualFunctionIndex: u32,
        BarIndex: u32,
        pResource: *mut CM_PARTIAL_RESOURCE_DESCRIPTOR,
    }

    /// The header's `DXGKDDI_SRIOV_INTERFACE`.
    pub struct DXGKDDI_SRIOV_INTERFACE {
        Size: u16,
        Version: u16,
        Context: PVOID,
        InterfaceReference: PINTERFACE_REFERENCE,
        InterfaceDereference: PINTERFACE_DEREFERENCE,
        DxgkDdiReadVirtualFunctionConfig: PDXGKDDI_READVIRTUALFUNCTIONCONFIG,
        DxgkDdiWriteVirtualFunctionConfig: PDXGKDDI_WRITEVIRTUALFUNCTIONCONFIG,
        DxgkDdiReadVirtualFunctionConfigBlock: PDXGKDDI_READVIRTUALFUNCTIONCONFIGBLOCK,
        DxgkDdiWriteVirtualFunctionConfigBlock: PDXGKDDI_WRITEVIRTUALFUNCTIONCONFIGBLOCK,
        DxgkDdiQueryProbedBars: PDXGKDDI_QUERYPROBEDBARS,
        DxgkDdiGetVendorAndDevice: PDXGKDDI_GETVENDORANDDEVICE,
        DxgkDdiGetDeviceLocation: PDXGKDDI_GETDEVICELOCATION,
        DxgkDdiResetVirtualFunction: PDXGKDDI_RESETVIRTUALFUNCTION,
        DxgkDdiSetVirtualFunctionPowerState: PDXGKDDI_SETVIRTUALFUNCTIONPOWERSTATE,
        DxgkDdiGetResourceForBar: PDXGKDDI_GETRESOURCEFORBAR,
        DxgkDdiQueryVirtualFunctionLuid: PDXGKDDI_QUERYVIRTUALFUNCTIONLUID,
    }
}

callbacks! {
    /// The header's `DXGKDDI_READVIRTUALFUNCTIONCONFIG`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_READVIRTUALFUNCTIONCONFIG = DXGKDDI_READVIRTUALFUNCTIONCONFIG(
        Context: HANDLE,
        pArgs: *mut DXGKARG_READVIRTUALFUNCTIONCONFIG,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_WRITEVIRTUALFUNCTIONCONFIG`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_WRITEVIRTUALFUNCTIONCONFIG = DXGKDDI_WRITEVIRTUALFUNCTIONCONFIG(
        Context: HANDLE,
        pArgs: *mut DXGKARG_WRITEVIRTUALFUNCTIONCONFIG,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_READVIRTUALFUNCTIONCONFIGBLOCK`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_READVIRTUALFUNCTIONCONFIGBLOCK = DXGKDDI_READVIRTUALFUNCTIONCONFIGBLOCK(
        Context: HANDLE,
        pArgs: *mut DXGKARG_READVIRTUALFUNCTIONCONFIGBLOCK,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_WRITEVIRTUALFUNCTIONCONFIGBLOCK`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_WRITEVIRTUALFUNCTIONCONFIGBLOCK = DXGKDDI_WRITEVIRTUALFUNCTIONCONFIGBLOCK(
        Context: HANDLE,
        pArgs: *mut DXGKARG_WRITEVIRTUALFUNCTIONCONFIGBLOCK,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_RESETVIRTUALFUNCTION`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_RESETVIRTUALFUNCTION = DXGKDDI_RESETVIRTUALFUNCTION(
        Context: HANDLE,
        pArgs: *mut DXGKARG_RESETVIRTUALFUNCTION,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_SETVIRTUALFUNCTIONPOWERSTATE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SETVIRTUALFUNCTIONPOWERSTATE = DXGKDDI_SETVIRTUALFUNCTIONPOWERSTATE(
        Context: HANDLE,
        pArgs: *mut DXGKARG_SETVIRTUALFUNCTIONPOWERSTATE,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_GETRESOURCEFORBAR`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETRESOURCEFORBAR = DXGKDDI_GETRESOURCEFORBAR(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETRESOURCEFORBAR,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_QUERYPROBEDBARS`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_QUERYPROBEDBARS = DXGKDDI_QUERYPROBEDBARS(
        Context: HANDLE,
        pArgs: *mut DXGKARG_QUERYPROBEDBARS,
    );

    /// The header's `DXGKDDI_GETVENDORANDDEVICE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETVENDORANDDEVICE = DXGKDDI_GETVENDORANDDEVICE(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETVENDORANDDEVICE,
    );

    /// The header's `DXGKDDI_GETDEVICELOCATION`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETDEVICELOCATION = DXGKDDI_GETDEVICELOCATION(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETDEVICELOCATION,
    );

    /// The header's `DXGKDDI_QUERYVIRTUALFUNCTIONLUID`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_QUERYVIRTUALFUNCTIONLUID = DXGKDDI_QUERYVIRTUALFUNCTIONLUID(
        Context: HANDLE,
        pArgs: *mut DXGKARG_QUERYVIRTUALFUNCTIONLUID,
    );
}
