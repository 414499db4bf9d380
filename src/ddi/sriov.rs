//! DXGKDDI_SRIOV_INTERFACE: config space, BARs, power and reset of a VF, and the pause and resources of WDDM 3.2.
//!
//! UNSAFETY: follows the buffers that some of the calls pass.
#![expect(unsafe_code)]

use alloc::vec::Vec;
use core::mem::offset_of;

use gpup_core::device::{MsixEntry, Region};
use gpup_core::dirty::BasisHandle;
use gpup_core::vf::{BAR_PROBE, Power};
use gpup_core::{Error, Result};
use wddm::{
    CM_PARTIAL_RESOURCE_DESCRIPTOR, CM_PARTIAL_RESOURCE_DESCRIPTOR_MEMORY, CM_PARTIAL_RESOURCE_DESCRIPTOR_U,
    CM_RESOURCE_MEMORY_READ_WRITE, CmResourceShareDeviceExclusive, CmResourceTypeMemory, DEVICE_POWER_STATE,
    DXGK_GPU_PHYSICAL_RESERVE_DESCRIPTOR, DXGKARG_GETDEVICELOCATION, DXGKARG_GETRESOURCEFORBAR,
    DXGKARG_GETVENDORANDDEVICE, DXGKARG_GPUP_WRITE_VIRTUALIZED_MSIX, DXGKARG_QUERYPROBEDBARS,
    DXGKARG_QUERYVIRTUALFUNCTIONLUID, DXGKARG_READVIRTUALFUNCTIONCONFIG,
    DXGKARG_READVIRTUALFUNCTIONCONFIGBLOCK, DXGKARG_RESETVIRTUALFUNCTION,
    DXGKARG_SETVIRTUALFUNCTIONPAUSESTATE, DXGKARG_SETVIRTUALFUNCTIONPOWERSTATE,
    DXGKARG_SETVIRTUALGPURESOURCES2, DXGKARG_WRITEVIRTUALFUNCTIONCONFIG,
    DXGKARG_WRITEVIRTUALFUNCTIONCONFIGBLOCK, DXGKDDI_SRIOV_INTERFACE, HANDLE, NTSTATUS,
};

use super::edge;
use crate::miniport::Started;

/// Fills the interface's functions in; all of them are owed.
pub(super) fn fill(interface: &mut DXGKDDI_SRIOV_INTERFACE) {
    interface.DxgkDdiReadVirtualFunctionConfig = Some(read_virtual_function_config);
    interface.DxgkDdiWriteVirtualFunctionConfig = Some(write_virtual_function_config);
    interface.DxgkDdiReadVirtualFunctionConfigBlock = Some(read_virtual_function_config_block);
    interface.DxgkDdiWriteVirtualFunctionConfigBlock = Some(write_virtual_function_config_block);
    interface.DxgkDdiQueryProbedBars = Some(query_probed_bars);
    interface.DxgkDdiGetVendorAndDevice = Some(get_vendor_and_device);
    interface.DxgkDdiGetDeviceLocation = Some(get_device_location);
    interface.DxgkDdiResetVirtualFunction = Some(reset_virtual_function);
    interface.DxgkDdiSetVirtualFunctionPowerState = Some(set_virtual_function_power_state);
    interface.DxgkDdiGetResourceForBar = Some(get_resource_for_bar);
    interface.DxgkDdiQueryVirtualFunctionLuid = Some(query_virtual_function_luid);
}

edge::entries! {
    /// DxgkDdiReadVirtualFunctionConfig. PASSIVE_LEVEL.
    /// "DXGKDDI_READVIRTUALFUNCTIONCONFIG callback function (dispmprt.h)".
    write read_virtual_function_config(DXGKARG_READVIRTUALFUNCTIONCONFIG) => read_config;

    /// DxgkDdiWriteVirtualFunctionConfig. PASSIVE_LEVEL.
    /// "DXGKDDI_WRITEVIRTUALFUNCTIONCONFIG callback function (dispmprt.h)".
    write write_virtual_function_config(DXGKARG_WRITEVIRTUALFUNCTIONCONFIG) => write_config;

    /// DxgkDdiReadVirtualFunctionConfigBlock. PASSIVE_LEVEL.
    /// "DXGKDDI_READVIRTUALFUNCTIONCONFIGBLOCK callback function (dispmprt.h)".
    write read_virtual_function_config_block(DXGKARG_READVIRTUALFUNCTIONCONFIGBLOCK) => read_block;

    /// DxgkDdiWriteVirtualFunctionConfigBlock. PASSIVE_LEVEL.
    /// "DXGKDDI_WRITEVIRTUALFUNCTIONCONFIGBLOCK callback function (dispmprt.h)".
    write write_virtual_function_config_block(DXGKARG_WRITEVIRTUALFUNCTIONCONFIGBLOCK) => write_block;

    /// DxgkDdiQueryProbedBars. PASSIVE_LEVEL. "DXGKDDI_QUERYPROBEDBARS callback function (dispmprt.h)".
    void query_probed_bars(DXGKARG_QUERYPROBEDBARS) => probed_bars;

    /// DxgkDdiGetVendorAndDevice. PASSIVE_LEVEL. "DXGKDDI_GETVENDORANDDEVICE callback function (dispmprt.h)".
    void get_vendor_and_device(DXGKARG_GETVENDORANDDEVICE) => vendor_and_device;

    /// DxgkDdiGetDeviceLocation. PASSIVE_LEVEL. "DXGKDDI_GETDEVICELOCATION callback function (dispmprt.h)".
    void get_device_location(DXGKARG_GETDEVICELOCATION) => location;

    /// DxgkDdiResetVirtualFunction. PASSIVE_LEVEL. "DXGKDDI_RESETVIRTUALFUNCTION callback function (dispmprt.h)".
    write reset_virtual_function(DXGKARG_RESETVIRTUALFUNCTION) => reset;

    /// DxgkDdiSetVirtualFunctionPowerState. PASSIVE_LEVEL.
    /// "DXGKDDI_SETVIRTUALFUNCTIONPOWERSTATE callback function (dispmprt.h)".
    write set_virtual_function_power_state(DXGKARG_SETVIRTUALFUNCTIONPOWERSTATE) => set_power;

    /// DxgkDdiGetResourceForBar. PASSIVE_LEVEL. "DXGKDDI_GETRESOURCEFORBAR callback function (dispmprt.h)".
    write get_resource_for_bar(DXGKARG_GETRESOURCEFORBAR) => resource_for_bar;

    /// DxgkDdiQueryVirtualFunctionLuid. PASSIVE_LEVEL.
    /// "DXGKDDI_QUERYVIRTUALFUNCTIONLUID callback function (dispmprt.h)".
    void query_virtual_function_luid(DXGKARG_QUERYVIRTUALFUNCTIONLUID) => luid;

    /// DxgkDdiWriteVirtualizedInterrupt. PASSIVE_LEVEL, level 0.
    /// "DXGKDDI_WRITEVIRTUALIZEDINTERRUPT callback function (d3dkmddi.h)".
    read write_virtualized_interrupt(DXGKARG_GPUP_WRITE_VIRTUALIZED_MSIX) => write_msix;

    /// DxgkDdiSetVirtualFunctionPauseState. PASSIVE_LEVEL, level 0.
    /// "DXGKDDI_SETVIRTUALFUNCTIONPAUSESTATE callback function (d3dkmddi.h)".
    read set_virtual_function_pause_state(DXGKARG_SETVIRTUALFUNCTIONPAUSESTATE) => set_paused;
}

wddm::ddi! {
    /// DxgkDdiSetVirtualGpuResources2. PASSIVE_LEVEL, level 0.
    /// "DXGKDDI_SETVIRTUALGPURESOURCES2 callback function (d3dkmddi.h)".
    pub(crate) unsafe fn set_virtual_gpu_resources2(
        adapter: HANDLE,
        args: *const DXGKARG_SETVIRTUALGPURESOURCES2,
    ) -> NTSTATUS {
        // SAFETY: a callback's own handle and arguments.
        unsafe { edge::read(adapter, args, |started, head| set_resources(started, head, args)) }
    }
}

fn read_config(started: &Started, args: &mut DXGKARG_READVIRTUALFUNCTIONCONFIG) -> Result<()> {
    let vf = started.adapter.vf(args.VirtualFunctionIndex)?;
    // SAFETY: Dxgkrnl's buffer of Length bytes.
    let data = unsafe { edge::slice_mut(args.Data.cast::<u8>(), args.Length as usize) }?;
    vf.read_config(args.Offset, data)
}

fn write_config(started: &Started, args: &mut DXGKARG_WRITEVIRTUALFUNCTIONCONFIG) -> Result<()> {
    let vf = started.adapter.vf(args.VirtualFunctionIndex)?;
    // SAFETY: Dxgkrnl's buffer of Length bytes.
    let data = unsafe { edge::slice(args.Data.cast::<u8>().cast_const(), args.Length as usize) }?;
    vf.write_config(args.Offset, data)
}

/// The device's guests need no back channel, so no block exists.
fn read_block(started: &Started, args: &mut DXGKARG_READVIRTUALFUNCTIONCONFIGBLOCK) -> Result<()> {
    started.adapter.vf(args.VirtualFunctionIndex)?.report()?;
    Err(Error::NotSupported)
}

fn write_block(started: &Started, args: &mut DXGKARG_WRITEVIRTUALFUNCTIONCONFIGBLOCK) -> Result<()> {
    started.adapter.vf(args.VirtualFunctionIndex)?.report()?;
    Err(Error::NotSupported)
}

/// What all ones written to the six BAR registers read back as.
fn probed_bars(started: &Started, args: &mut DXGKARG_QUERYPROBEDBARS) -> Result<()> {
    started.adapter.vf(args.VirtualFunctionIndex)?;
    // SAFETY: Dxgkrnl's array of PCI_TYPE0_ADDRESSES registers.
    let registers = unsafe { edge::slice_mut(args.BaseRegisterValues, BAR_PROBE.len()) }?;
    registers.copy_from_slice(&BAR_PROBE);
    Ok(())
}

fn vendor_and_device(started: &Started, args: &mut DXGKARG_GETVENDORANDDEVICE) -> Result<()> {
    started.adapter.vf(args.VirtualFunctionIndex)?;
    let identity = started.adapter.device().identity();
    args.VendorId = identity.vendor;
    args.DeviceId = identity.device;
    Ok(())
}

/// The VFs have no place on a PCI bus of their own: without SR-IOV it is the physical function's.
fn location(started: &Started, args: &mut DXGKARG_GETDEVICELOCATION) -> Result<()> {
    started.adapter.vf(args.VirtualFunctionIndex)?;
    args.SegmentNumber = 0;
    args.BusNumber = started.location.bus;
    args.FunctionNumber = started.location.function;
    Ok(())
}

fn reset(started: &Started, args: &mut DXGKARG_RESETVIRTUALFUNCTION) -> Result<()> {
    started.adapter.vf(args.VirtualFunctionIndex)?.reset()
}

fn set_power(started: &Started, args: &mut DXGKARG_SETVIRTUALFUNCTIONPOWERSTATE) -> Result<()> {
    let vf = started.adapter.vf(args.VirtualFunctionIndex)?;
    vf.set_power(match args.PowerState {
        DEVICE_POWER_STATE::PowerDeviceD0 => Power::On,
        DEVICE_POWER_STATE::PowerDeviceD3 => Power::Off,
        _ => return Err(Error::InvalidParameter),
    })
}

/// BAR 0 and 1 are one 64-bit BAR. Not called where the FlexIOV interface is there.
fn resource_for_bar(started: &Started, args: &mut DXGKARG_GETRESOURCEFORBAR) -> Result<()> {
    let vf = started.adapter.vf(args.VirtualFunctionIndex)?;
    if args.BarIndex != 0 {
        return Err(Error::InvalidParameter);
    }
    let backing = started.bars.backing(vf.index(), vf.bar()?)?;
    // SAFETY: Dxgkrnl's descriptor to fill; its packing makes it valid at any address.
    unsafe { edge::output(args.pResource) }.map(|out| *out = memory_resource(backing.physical, backing.bytes))
}

/// A descriptor of `bytes` bytes of memory.
pub(super) fn memory_resource(physical: u64, bytes: usize) -> CM_PARTIAL_RESOURCE_DESCRIPTOR {
    let mut u = CM_PARTIAL_RESOURCE_DESCRIPTOR_U::zeroed();
    u.Memory = CM_PARTIAL_RESOURCE_DESCRIPTOR_MEMORY { Start: physical as i64, Length: bytes as u32 };
    CM_PARTIAL_RESOURCE_DESCRIPTOR {
        Type: CmResourceTypeMemory,
        ShareDisposition: CmResourceShareDeviceExclusive,
        Flags: CM_RESOURCE_MEMORY_READ_WRITE,
        u,
    }
}

fn luid(started: &Started, args: &mut DXGKARG_QUERYVIRTUALFUNCTIONLUID) -> Result<()> {
    started.adapter.vf(args.VirtualFunctionIndex)?.report()?;
    // SAFETY: Dxgkrnl's LUID to fill.
    let out = unsafe { edge::output(args.pLuid) }?;
    *out = *started.vf_luids[args.VirtualFunctionIndex as usize].lock();
    Ok(())
}

fn write_msix(started: &Started, args: &DXGKARG_GPUP_WRITE_VIRTUALIZED_MSIX) -> Result<()> {
    let vf = started.adapter.vf(args.vfIndex)?;
    let index = usize::try_from(args.InterruptTableIndex).map_err(|_| Error::OutOfRange)?;
    let value = &args.WriteValue;
    let entry =
        MsixEntry { address: value.MessageAddress, data: value.MessageData, control: value.VectorControl };
    vf.write_msix(index, entry)
}

fn set_paused(started: &Started, args: &DXGKARG_SETVIRTUALFUNCTIONPAUSESTATE) -> Result<()> {
    started.adapter.vf(args.vfIndex)?.set_paused(args.bPause != 0)
}

/// The VF's memory is what the memory bases cover, in their order. Only with the cap ScatterMapReserve.
fn set_resources(
    started: &Started,
    head: &DXGKARG_SETVIRTUALGPURESOURCES2,
    args: *const DXGKARG_SETVIRTUALGPURESOURCES2,
) -> Result<()> {
    if !started.adapter.settings().scatter {
        return Err(Error::NotSupported);
    }
    let vf = started.adapter.vf(head.vfIndex)?;
    let at = offset_of!(DXGKARG_SETVIRTUALGPURESOURCES2, SegmentDescriptors);
    // SAFETY: Dxgkrnl passes as many elements as it says.
    let segments: &[DXGK_GPU_PHYSICAL_RESERVE_DESCRIPTOR] =
        unsafe { edge::trailing(args, at, head.SegmentCount as usize) }?;
    let mut regions: Vec<Region> = Vec::new();
    for segment in segments {
        let handle = BasisHandle::from_raw(segment.MemoryBasis.addr() as u64).ok_or(Error::StaleHandle)?;
        let basis = started.adapter.bases().regions(handle)?;
        regions.try_reserve(basis.len()).map_err(|_| Error::NoResources)?;
        regions.extend_from_slice(&basis);
    }
    vf.set_resources(&regions)
}
