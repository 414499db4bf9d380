//! Allocations. The host allocates little: the memory of VFs, page tables and buffers are VidMm's own.
//!
//! UNSAFETY: follows the arrays of allocations.
#![expect(unsafe_code)]

use gpup_core::{Error, PAGE_SIZE, Result};
use wddm::{
    D3DDDI_SEGMENTPREFERENCE, D3DDDIFORMAT, D3DKMDT_STANDARDALLOCATION_TYPE, DXGK_ALLOCATIONINFO,
    DXGK_ALLOCATIONINFO_U, DXGK_ALLOCATIONINFO_U2, DXGK_ALLOCATIONINFO_U4,
    DXGK_ALLOCATIONINFOFLAGS_WDDM2_0 as Flags, DXGK_CREATEALLOCATIONFLAGS, DXGKARG_CLOSEALLOCATION,
    DXGKARG_CREATEALLOCATION, DXGKARG_DESCRIBEALLOCATION, DXGKARG_DESTROYALLOCATION,
    DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA, DXGKARG_OPENALLOCATION, HANDLE,
};

use super::edge;
use crate::ddi::segment::LOCAL_SEGMENT;
use crate::miniport::{Allocation, Started};

/// Private data of an allocation: its bytes (u64) and alignment (u64), little-endian.
const PRIVATE_BYTES: usize = 2 * size_of::<u64>();
/// D3DDDI_ALLOCATIONPRIORITY_NORMAL: VidMm keeps what it will. "DXGK_ALLOCATIONINFO structure (d3dkmddi.h)".
const PRIORITY: u32 = 0x7800_0000;
/// The set of segments an allocation can be in: the local one.
const SEGMENT_SET: u32 = 1 << (LOCAL_SEGMENT - 1);

edge::entries! {
    /// DxgkDdiCreateAllocation. PASSIVE_LEVEL. "DXGKDDI_CREATEALLOCATION callback function (d3dkmddi.h)".
    write create_allocation(DXGKARG_CREATEALLOCATION) => create;

    /// DxgkDdiDestroyAllocation. PASSIVE_LEVEL. "DXGKDDI_DESTROYALLOCATION callback function (d3dkmddi.h)".
    read destroy_allocation(DXGKARG_DESTROYALLOCATION) => destroy;

    /// DxgkDdiDescribeAllocation. PASSIVE_LEVEL. "DXGKDDI_DESCRIBEALLOCATION callback function (d3dkmddi.h)".
    write describe_allocation(DXGKARG_DESCRIBEALLOCATION) => describe;

    /// DxgkDdiGetStandardAllocationDriverData. PASSIVE_LEVEL.
    /// "DXGKDDI_GETSTANDARDALLOCATIONDRIVERDATA callback function (d3dkmddi.h)".
    write get_standard_allocation_driver_data(DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA) => standard;

    /// DxgkDdiOpenAllocation. PASSIVE_LEVEL. "DXGKDDI_OPENALLOCATIONINFO callback function (d3dkmddi.h)".
    object open_allocation(DXGKARG_OPENALLOCATION) => open;

    /// DxgkDdiCloseAllocation. PASSIVE_LEVEL. "DXGKDDI_CLOSEALLOCATION callback function (d3dkmddi.h)".
    object close_allocation(DXGKARG_CLOSEALLOCATION) => close;
}

/// All of the allocations or none.
fn create(started: &Started, args: &mut DXGKARG_CREATEALLOCATION) -> Result<()> {
    // SAFETY: Dxgkrnl's array with as many elements as it says.
    let infos = unsafe { edge::slice_mut(args.pAllocationInfo, args.NumAllocations as usize) }?;
    for index in 0..infos.len() {
        if let Err(error) = create_one(started, &mut infos[index]) {
            for info in &mut infos[..index] {
                let _ = started.allocations.remove(info.hAllocation);
                info.hAllocation = core::ptr::null_mut();
            }
            return Err(error);
        }
    }
    if args.Flags.contains(DXGK_CREATEALLOCATIONFLAGS::Resource) && args.hResource.is_null() {
        // A resource is no more than its allocations; any value but NULL names it.
        args.hResource = infos.first().map_or(core::ptr::null_mut(), |info| info.hAllocation);
    }
    Ok(())
}

fn create_one(started: &Started, info: &mut DXGK_ALLOCATIONINFO) -> Result<()> {
    let (bytes, alignment) = private(info)?;
    let bytes = bytes.checked_next_multiple_of(PAGE_SIZE).ok_or(Error::InvalidParameter)?;
    if bytes == 0 || bytes > started.adapter.device().geometry().vram_bytes {
        return Err(Error::InvalidParameter);
    }
    info.hAllocation = started.allocations.insert(Allocation { bytes })?;
    info.u = DXGK_ALLOCATIONINFO_U { Alignment: alignment };
    info.Size = bytes as usize;
    info.PitchAlignedSize = 0;
    info.PreferredSegment = D3DDDI_SEGMENTPREFERENCE::empty().with_SegmentId0(LOCAL_SEGMENT);
    info.u2 = DXGK_ALLOCATIONINFO_U2 { SupportedReadSegmentSet: SEGMENT_SET };
    info.SupportedWriteSegmentSet = SEGMENT_SET;
    info.EvictionSegmentSet = 0;
    info.AllocationPriority = PRIORITY;
    // SetVirtualGpuResources hands it on as one offset and size; a scattered reserve is handed on range by range.
    let scatter = started.adapter.settings().scatter;
    let flags = if scatter { Flags::empty() } else { Flags::AccessedPhysically };
    info.u4 = DXGK_ALLOCATIONINFO_U4 { FlagsWddm2: flags };
    Ok(())
}

/// Size and alignment that the private data asks for.
fn private(info: &DXGK_ALLOCATIONINFO) -> Result<(u64, u32)> {
    if info.PrivateDriverDataSize as usize != PRIVATE_BYTES {
        return Err(Error::InvalidParameter);
    }
    // SAFETY: Dxgkrnl's copy of the private data, of the size it says.
    let data = unsafe { edge::slice(info.pPrivateDriverData.cast::<u8>().cast_const(), PRIVATE_BYTES) }?;
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let alignment = u32::try_from(word(&data[8..])).map_err(|_| Error::InvalidParameter)?;
    if alignment == 0 || !u64::from(alignment).is_multiple_of(PAGE_SIZE) {
        return Err(Error::InvalidParameter);
    }
    Ok((word(&data[..8]), alignment))
}

fn destroy(started: &Started, args: &DXGKARG_DESTROYALLOCATION) -> Result<()> {
    // SAFETY: Dxgkrnl's array with as many elements as it says.
    let handles = unsafe { edge::slice(args.pAllocationList, args.NumAllocations as usize) }?;
    handles.iter().try_for_each(|handle| started.allocations.get(*handle).map(drop))?;
    handles.iter().try_for_each(|handle| started.allocations.remove(*handle).map(drop))
}

/// An allocation is a buffer: one row of bytes.
fn describe(started: &Started, args: &mut DXGKARG_DESCRIBEALLOCATION) -> Result<()> {
    let allocation = started.allocations.get(args.hAllocation)?;
    args.Width = u32::try_from(allocation.bytes).unwrap_or(u32::MAX);
    args.Height = 1;
    args.Format = D3DDDIFORMAT::D3DDDIFMT_UNKNOWN;
    args.MultisampleMethod = Default::default();
    args.RefreshRate = Default::default();
    args.PrivateDriverFormatAttribute = 0;
    Ok(())
}

/// The memory of a virtual GPU is the only standard allocation of a driver without displays. Asked first without
/// buffers, for the size of the private data, then with them.
fn standard(started: &Started, args: &mut DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA) -> Result<()> {
    if args.StandardAllocationType != D3DKMDT_STANDARDALLOCATION_TYPE::D3DKMDT_STANDARDALLOCATION_VGPU {
        return Err(Error::NotSupported);
    }
    if !args.pAllocationPrivateDriverData.is_null() {
        if (args.AllocationPrivateDriverDataSize as usize) < PRIVATE_BYTES {
            return Err(Error::BufferTooSmall);
        }
        // SAFETY: the type says which field of the union is filled in; it is a plain pointer.
        let surface = unsafe { args.u.pCreateVirtualGpuSurfaceData };
        // SAFETY: Dxgkrnl's own description of the surface.
        let surface = unsafe { edge::input(surface.cast_const()) }?;
        let alignment =
            u64::from(surface.Alignment).max(started.adapter.device().geometry().dirty_page_bytes);
        if surface.DriverSegmentId != LOCAL_SEGMENT {
            return Err(Error::InvalidParameter);
        }
        // SAFETY: Dxgkrnl's buffer for the private data, of the size it says.
        let data = unsafe { edge::slice_mut(args.pAllocationPrivateDriverData.cast::<u8>(), PRIVATE_BYTES) }?;
        data[..8].copy_from_slice(&surface.Size.to_le_bytes());
        data[8..].copy_from_slice(&alignment.to_le_bytes());
    }
    args.AllocationPrivateDriverDataSize = PRIVATE_BYTES as u32;
    args.ResourcePrivateDriverDataSize = 0;
    Ok(())
}

fn open(started: &Started, device: HANDLE, args: &DXGKARG_OPENALLOCATION) -> Result<()> {
    started.devices.get(device)?;
    // SAFETY: Dxgkrnl's array with as many elements as it says.
    let infos = unsafe { edge::slice_mut(args.pOpenAllocation, args.NumAllocations as usize) }?;
    for index in 0..infos.len() {
        match started.opened.insert(Allocation { bytes: 0 }) {
            Ok(handle) => infos[index].hDeviceSpecificAllocation = handle,
            Err(error) => {
                for info in &mut infos[..index] {
                    let _ = started.opened.remove(info.hDeviceSpecificAllocation);
                    info.hDeviceSpecificAllocation = core::ptr::null_mut();
                }
                return Err(error);
            }
        }
    }
    Ok(())
}

fn close(started: &Started, device: HANDLE, args: &DXGKARG_CLOSEALLOCATION) -> Result<()> {
    started.devices.get(device)?;
    // SAFETY: Dxgkrnl's array with as many elements as it says.
    let handles = unsafe { edge::slice(args.pOpenHandleList, args.NumAllocations as usize) }?;
    handles.iter().try_for_each(|handle| started.opened.get(*handle).map(drop))?;
    handles.iter().try_for_each(|handle| started.opened.remove(*handle).map(drop))
}
