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
    /// Argument of [`DXGKDDI_READVIRTUALFUNCTIONCONFIG`].
    pub struct DXGKARG_READVIRTUALFUNCTIONCONFIG {
        Data: PVOID,
        VirtualFunctionIndex: u32,
        Offset: u32,
        Length: u32,
    }

    /// Argument of [`DXGKDDI_WRITEVIRTUALFUNCTIONCONFIG`].
    pub struct DXGKARG_WRITEVIRTUALFUNCTIONCONFIG {
        Data: PVOID,
        VirtualFunctionIndex: u32,
        Offset: u32,
        Length: u32,
    }

    /// Argument of [`DXGKDDI_READVIRTUALFUNCTIONCONFIGBLOCK`].
    pub struct DXGKARG_READVIRTUALFUNCTIONCONFIGBLOCK {
        Data: PVOID,
        VirtualFunctionIndex: u32,
        BlockId: u32,
        Length: u32,
    }

    /// Argument of [`DXGKDDI_WRITEVIRTUALFUNCTIONCONFIGBLOCK`].
    pub struct DXGKARG_WRITEVIRTUALFUNCTIONCONFIGBLOCK {
        Data: PVOID,
        VirtualFunctionIndex: u32,
        BlockId: u32,
        Length: u32,
    }

    /// Argument of [`DXGKDDI_QUERYPROBEDBARS`].
    pub struct DXGKARG_QUERYPROBEDBARS {
        VirtualFunctionIndex: u32,
        /// Six values.
        BaseRegisterValues: *mut u32,
    }

    /// Argument of [`DXGKDDI_QUERYVIRTUALFUNCTIONLUID`].
    pub struct DXGKARG_QUERYVIRTUALFUNCTIONLUID {
        VirtualFunctionIndex: u32,
        pLuid: *mut LUID,
    }

    /// Argument of [`DXGKDDI_GETVENDORANDDEVICE`].
    pub struct DXGKARG_GETVENDORANDDEVICE {
        VirtualFunctionIndex: u32,
        VendorId: u16,
        DeviceId: u16,
    }

    /// Argument of [`DXGKDDI_GETDEVICELOCATION`].
    pub struct DXGKARG_GETDEVICELOCATION {
        VirtualFunctionIndex: u32,
        SegmentNumber: u32,
        BusNumber: u32,
        FunctionNumber: u32,
    }

    /// Argument of [`DXGKDDI_RESETVIRTUALFUNCTION`].
    pub struct DXGKARG_RESETVIRTUALFUNCTION {
        VirtualFunctionIndex: u32,
    }

    /// Argument of [`DXGKDDI_SETVIRTUALFUNCTIONPOWERSTATE`].
    pub struct DXGKARG_SETVIRTUALFUNCTIONPOWERSTATE {
        VirtualFunctionIndex: u32,
        PowerState: DEVICE_POWER_STATE,
        Wake: BOOLEAN,
    }

    /// Argument of [`DXGKDDI_GETRESOURCEFORBAR`].
    pub struct DXGKARG_GETRESOURCEFORBAR {
        VirtualFunctionIndex: u32,
        BarIndex: u32,
        pResource: *mut CM_PARTIAL_RESOURCE_DESCRIPTOR,
    }

    /// The SR-IOV interface, version 1. Every function must be there.
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
    /// Reads a virtual function's config space.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_READVIRTUALFUNCTIONCONFIG = DXGKDDI_READVIRTUALFUNCTIONCONFIG(
        Context: HANDLE,
        pArgs: *mut DXGKARG_READVIRTUALFUNCTIONCONFIG,
    ) -> NTSTATUS;

    /// Writes a virtual function's config space.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_WRITEVIRTUALFUNCTIONCONFIG = DXGKDDI_WRITEVIRTUALFUNCTIONCONFIG(
        Context: HANDLE,
        pArgs: *mut DXGKARG_WRITEVIRTUALFUNCTIONCONFIG,
    ) -> NTSTATUS;

    /// Reads a configuration block that the driver defines.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_READVIRTUALFUNCTIONCONFIGBLOCK = DXGKDDI_READVIRTUALFUNCTIONCONFIGBLOCK(
        Context: HANDLE,
        pArgs: *mut DXGKARG_READVIRTUALFUNCTIONCONFIGBLOCK,
    ) -> NTSTATUS;

    /// Writes a configuration block that the driver defines.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_WRITEVIRTUALFUNCTIONCONFIGBLOCK = DXGKDDI_WRITEVIRTUALFUNCTIONCONFIGBLOCK(
        Context: HANDLE,
        pArgs: *mut DXGKARG_WRITEVIRTUALFUNCTIONCONFIGBLOCK,
    ) -> NTSTATUS;

    /// Resets one virtual function.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_RESETVIRTUALFUNCTION = DXGKDDI_RESETVIRTUALFUNCTION(
        Context: HANDLE,
        pArgs: *mut DXGKARG_RESETVIRTUALFUNCTION,
    ) -> NTSTATUS;

    /// Changes a virtual function's power state.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SETVIRTUALFUNCTIONPOWERSTATE = DXGKDDI_SETVIRTUALFUNCTIONPOWERSTATE(
        Context: HANDLE,
        pArgs: *mut DXGKARG_SETVIRTUALFUNCTIONPOWERSTATE,
    ) -> NTSTATUS;

    /// Says which host memory a BAR is. Not called where FlexIOV is present.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETRESOURCEFORBAR = DXGKDDI_GETRESOURCEFORBAR(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETRESOURCEFORBAR,
    ) -> NTSTATUS;

    /// Gives the six values that probing the BARs would read.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_QUERYPROBEDBARS = DXGKDDI_QUERYPROBEDBARS(
        Context: HANDLE,
        pArgs: *mut DXGKARG_QUERYPROBEDBARS,
    );

    /// Gives a virtual function's PCI ids.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETVENDORANDDEVICE = DXGKDDI_GETVENDORANDDEVICE(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETVENDORANDDEVICE,
    );

    /// Gives a virtual function's place on the bus.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETDEVICELOCATION = DXGKDDI_GETDEVICELOCATION(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETDEVICELOCATION,
    );

    /// Gives a virtual function's LUID.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_QUERYVIRTUALFUNCTIONLUID = DXGKDDI_QUERYVIRTUALFUNCTIONLUID(
        Context: HANDLE,
        pArgs: *mut DXGKARG_QUERYVIRTUALFUNCTIONLUID,
    );
}
