//! DXGKDDI_GPU_PARTITION_INTERFACE: how the adapter is divided, and the making of virtual GPUs.
//!
//! UNSAFETY: follows the arrays that two of the calls pass.
#![expect(unsafe_code)]

use core::mem::offset_of;

use gpup_core::adapter::{Bounds, Profile, Share};
use gpup_core::device::{Region, abi};
use gpup_core::{Error, Result};
use wddm::{
    CLSID, DXGK_ENGINE_TYPE, DXGK_GPUENGINE, DXGK_VGPU_CAPABILITY, DXGK_VGPU_CAPABILITY_TYPE,
    DXGK_VGPU_PROFILE_CAPABILITY, DXGK_VIRTUALGPUCAPABILITY, DXGK_VIRTUALGPUDRIVERESCAPE,
    DXGK_VIRTUALGPUMEMORYRESOURCE, DXGK_VIRTUALGPUPROFILE, DXGK_VIRTUALGPUSEGMENTINFO,
    DXGK_VIRTUALIZED_HOST_VIRTUAL_DEVICE, DXGKARG_CREATEVIRTUALGPU, DXGKARG_DESTROYVIRTUALGPU,
    DXGKARG_GETGPUENGINES, DXGKARG_GETGPUPARTITIONINFO, DXGKARG_GETVIRTUALGPUINFO,
    DXGKARG_GETVIRTUALGPUPROFILE, DXGKARG_RESUMEVIRTUALGPU, DXGKARG_SETGPUPARTITIONCOUNT,
    DXGKARG_SETVIRTUALGPURESOURCES, DXGKARG_SETVIRTUALGPUVMBUS, DXGKARG_SUSPENDVIRTUALGPU,
    DXGKDDI_GPU_PARTITION_INTERFACE, GUID, HANDLE, LUID, NTSTATUS,
};

use super::{edge, escape};
use crate::ddi::segment::LOCAL_SEGMENT;
use crate::miniport::Started;
use crate::{os, text};

/// The COM class that a user-mode emulation DLL of this driver would register. There is none yet: docs/windows.md.
const USER_MODE_PROVIDER: CLSID = GUID::from_u128(0x8F0C1B5A_6E1D_4B57_9C22_47B0A1D3E94C);

const MEMORY: usize = DXGK_VGPU_CAPABILITY_TYPE::DXGK_VGPU_CAPABILITY_MEMORY.0 as usize;
const COMPUTE: usize = DXGK_VGPU_CAPABILITY_TYPE::DXGK_VGPU_CAPABILITY_COMPUTE.0 as usize;

/// Fills the interface's functions in; all of them are owed.
pub(super) fn fill(interface: &mut DXGKDDI_GPU_PARTITION_INTERFACE) {
    interface.DxgkDdiGetGpuPartitionInfo = Some(get_gpu_partition_info);
    interface.DxgkDdiSetGpuPartitionCount = Some(set_gpu_partition_count);
    interface.DxgkDdiGetGpuEngines = Some(get_gpu_engines);
    interface.DxgkDdiGetVirtualGpuProfile = Some(get_virtual_gpu_profile);
    interface.DxgkDdiCreateVirtualGpu = Some(create_virtual_gpu);
    interface.DxgkDdiGetVirtualGpuInfo = Some(get_virtual_gpu_info);
    interface.DxgkDdiSetVirtualGpuResources = Some(set_virtual_gpu_resources);
    interface.DxgkDdiDestroyVirtualGpu = Some(destroy_virtual_gpu);
    interface.DxgkDdiSuspendVirtualGpu = Some(suspend_virtual_gpu);
    interface.DxgkDdiResumeVirtualGpu = Some(resume_virtual_gpu);
    interface.DxgkDdiVirtualGpuDriverEscape = Some(virtual_gpu_driver_escape);
    interface.DxgkDdiSetVirtualGpuVmBus = Some(set_virtual_gpu_vm_bus);
}

edge::entries! {
    /// DxgkDdiGetGpuPartitionInfo. PASSIVE_LEVEL. "DXGKDDI_GETGPUPARTITIONINFO callback function (dispmprt.h)".
    write get_gpu_partition_info(DXGKARG_GETGPUPARTITIONINFO) => partition_info;

    /// DxgkDdiSetGpuPartitionCount. PASSIVE_LEVEL. "DXGKDDI_SETGPUPARTITIONCOUNT callback function (dispmprt.h)".
    write set_gpu_partition_count(DXGKARG_SETGPUPARTITIONCOUNT) => set_count;

    /// DxgkDdiGetGpuEngines. PASSIVE_LEVEL. "DXGKDDI_GETGPUENGINES callback function (dispmprt.h)".
    write get_gpu_engines(DXGKARG_GETGPUENGINES) => engines;

    /// DxgkDdiGetVirtualGpuProfile. PASSIVE_LEVEL. "DXGKDDI_GETVIRTUALGPUPROFILE callback function (dispmprt.h)".
    write get_virtual_gpu_profile(DXGKARG_GETVIRTUALGPUPROFILE) => profile;

    /// DxgkDdiCreateVirtualGpu. PASSIVE_LEVEL. "DXGKDDI_CREATEVIRTUALGPU callback function (dispmprt.h)".
    write create_virtual_gpu(DXGKARG_CREATEVIRTUALGPU) => create;

    /// DxgkDdiGetVirtualGpuInfo. PASSIVE_LEVEL. "DXGKDDI_GETVIRTUALGPUINFO callback function (dispmprt.h)".
    write get_virtual_gpu_info(DXGKARG_GETVIRTUALGPUINFO) => info;

    /// DxgkDdiDestroyVirtualGpu. PASSIVE_LEVEL. "DXGKDDI_DESTROYVIRTUALGPU callback function (dispmprt.h)".
    write destroy_virtual_gpu(DXGKARG_DESTROYVIRTUALGPU) => destroy;

    /// DxgkDdiSuspendVirtualGpu. PASSIVE_LEVEL. "DXGKDDI_SUSPENDVIRTUALGPU callback function (dispmprt.h)".
    write suspend_virtual_gpu(DXGKARG_SUSPENDVIRTUALGPU) => suspend;

    /// DxgkDdiResumeVirtualGpu. PASSIVE_LEVEL. "DXGKDDI_RESUMEVIRTUALGPU callback function (dispmprt.h)".
    write resume_virtual_gpu(DXGKARG_RESUMEVIRTUALGPU) => resume;

    /// DxgkDdiVirtualGpuDriverEscape. PASSIVE_LEVEL. "DXGKDDI_VIRTUALGPUDRIVERESCAPE callback function (dispmprt.h)".
    write virtual_gpu_driver_escape(DXGK_VIRTUALGPUDRIVERESCAPE) => escape::from_vm;

    /// DxgkDdiSetVirtualGpuVmBus. PASSIVE_LEVEL. "DXGKDDI_SETVIRTUALGPUVMBUS callback function (dispmprt.h)".
    write set_virtual_gpu_vm_bus(DXGKARG_SETVIRTUALGPUVMBUS) => set_vm_bus;
}

wddm::ddi! {
    /// DxgkDdiSetVirtualGpuResources. PASSIVE_LEVEL. "DXGKDDI_SETVIRTUALGPURESOURCES callback function (dispmprt.h)".
    unsafe fn set_virtual_gpu_resources(
        adapter: HANDLE,
        args: *mut DXGKARG_SETVIRTUALGPURESOURCES,
    ) -> NTSTATUS {
        // SAFETY: a callback's own handle and arguments.
        unsafe { edge::read(adapter, args, |started, head| set_resources(started, head, args)) }
    }
}

/// The partition counts that can be set, and the one that is. Too few places: the numbers, and no list.
fn partition_info(started: &Started, args: &mut DXGKARG_GETGPUPARTITIONINFO) -> Result<()> {
    let shares = started.adapter.shares();
    let needed = shares.options().count();
    let places = args.NumGpuPartitionOptions as usize;
    args.CurrentGpuPartitionCount = shares.count() as u16;
    if args.pGpuPartitionOptions.is_null() || places < needed {
        args.NumGpuPartitionOptions = needed as u32;
        return Err(Error::BufferTooSmall);
    }
    // SAFETY: Dxgkrnl's array with as many places as it says.
    let options = unsafe { edge::slice_mut(args.pGpuPartitionOptions, places) }?;
    for (place, option) in options.iter_mut().zip(shares.options()) {
        *place = option as u16;
    }
    args.NumGpuPartitionOptions = needed as u32;
    Ok(())
}

fn set_count(started: &Started, args: &mut DXGKARG_SETGPUPARTITIONCOUNT) -> Result<()> {
    started.adapter.shares().set_count(args.PartitionCount)
}

/// One engine in the array's only declared place: engines are shared whole, not in units.
fn engines(_: &Started, args: &mut DXGKARG_GETGPUENGINES) -> Result<()> {
    args.NumEngines = 1;
    args.EngineInfo[0] = DXGK_GPUENGINE {
        EngineType: DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_OTHER,
        Name: text::utf16(format_args!("Compute")),
        NumPartitionUnits: abi::NODES as u32,
    };
    Ok(())
}

fn profile(started: &Started, args: &mut DXGKARG_GETVIRTUALGPUPROFILE) -> Result<()> {
    let shares = started.adapter.shares();
    if !shares.options().any(|option| option == args.PartitionCount) {
        return Err(Error::InvalidParameter);
    }
    args.VirtualizationFlags = DXGK_VIRTUALIZED_HOST_VIRTUAL_DEVICE;
    args.ProfileCapability = Default::default();
    args.ProfileCapability[MEMORY] = capability(shares.memory(args.PartitionCount));
    args.ProfileCapability[COMPUTE] = capability(shares.compute(args.PartitionCount));
    Ok(())
}

fn capability(share: Share) -> DXGK_VGPU_PROFILE_CAPABILITY {
    DXGK_VGPU_PROFILE_CAPABILITY {
        TotalValue: share.total,
        AvailableValue: share.available,
        MinPartitionValue: share.bounds.min,
        MaxPartitionValue: share.bounds.max,
        OptimalPartitionValue: share.bounds.optimal,
    }
}

fn bounds(asked: &DXGK_VIRTUALGPUCAPABILITY) -> Bounds {
    Bounds { min: asked.MinValue, max: asked.MaxValue, optimal: asked.OptimalValue }
}

/// What is asked for. Video encode and decode may ask for nothing: there are no such engines.
fn asked(profile: &DXGK_VIRTUALGPUPROFILE) -> Result<Profile> {
    let video = profile.Capability[MEMORY + 1..COMPUTE].iter();
    if video.into_iter().any(|capability| capability.MinValue > 0) {
        return Err(Error::InvalidParameter);
    }
    Ok(Profile { memory: bounds(&profile.Capability[MEMORY]), compute: bounds(&profile.Capability[COMPUTE]) })
}

/// Makes the VF. Its memory comes with SetVirtualGpuResources, of the size given here.
fn create(started: &Started, args: &mut DXGKARG_CREATEVIRTUALGPU) -> Result<()> {
    let vf = started.adapter.vf(args.PartitionId)?;
    let luid = os::luid()?;
    let grant = vf.create(&asked(&args.Profile)?)?;
    *started.vf_luids[args.PartitionId as usize].lock() = luid;
    let geometry = started.adapter.device().geometry();
    args.UserModeVirtualDeviceProvider = USER_MODE_PROVIDER;
    args.VirtualGpuLuid = luid;
    args.NumMemorySegments = 1;
    args.SegmentInfo[0] = DXGK_VIRTUALGPUSEGMENTINFO {
        DriverSegmentId: LOCAL_SEGMENT,
        Size: grant.memory,
        Alignment: geometry.dirty_page_bytes as u32,
        ..DXGK_VIRTUALGPUSEGMENTINFO::zeroed()
    };
    args.NumEngines = 0;
    Ok(())
}

fn info(started: &Started, args: &mut DXGKARG_GETVIRTUALGPUINFO) -> Result<()> {
    let grant = started.adapter.vf(args.PartitionId)?.report()?.grant;
    let of = |bounds: Bounds, current| DXGK_VGPU_CAPABILITY {
        MinValue: bounds.min,
        MaxValue: bounds.max,
        CurrentValue: current,
    };
    args.Capability = Default::default();
    args.Capability[MEMORY] = of(grant.profile.memory, grant.memory);
    args.Capability[COMPUTE] = of(grant.profile.compute, grant.compute);
    Ok(())
}

fn set_resources(
    started: &Started,
    head: &DXGKARG_SETVIRTUALGPURESOURCES,
    args: *const DXGKARG_SETVIRTUALGPURESOURCES,
) -> Result<()> {
    let vf = started.adapter.vf(head.PartitionId)?;
    let count = head.NumMemoryAllocations as usize;
    if count > wddm::DXGK_MAX_VIRTUAL_GPU_ALLOCATIONS as usize {
        return Err(Error::InvalidParameter);
    }
    let at = offset_of!(DXGKARG_SETVIRTUALGPURESOURCES, MemoryInfo);
    // SAFETY: Dxgkrnl passes as many elements as it says.
    let memory: &[DXGK_VIRTUALGPUMEMORYRESOURCE] = unsafe { edge::trailing(args, at, count) }?;
    let mut regions = [Region { offset: 0, bytes: 0 }; wddm::DXGK_MAX_VIRTUAL_GPU_ALLOCATIONS as usize];
    for (region, memory) in regions.iter_mut().zip(memory) {
        if memory.AllocationAddress.MemorySegmentId != LOCAL_SEGMENT {
            return Err(Error::InvalidParameter);
        }
        *region =
            Region { offset: memory.AllocationAddress.MemorySegmentOffset, bytes: memory.AllocationSize };
    }
    vf.set_resources(&regions[..count])
}

fn destroy(started: &Started, args: &mut DXGKARG_DESTROYVIRTUALGPU) -> Result<()> {
    // Refused, the VF lives on, and with it what was handed out of it.
    started.adapter.vf(args.PartitionId)?.destroy()?;
    // Whoever maps its BAR has let go of it by now.
    started.bars.drop_backing(args.PartitionId);
    *started.vf_luids[args.PartitionId as usize].lock() = LUID::zeroed();
    Ok(())
}

fn suspend(started: &Started, args: &mut DXGKARG_SUSPENDVIRTUALGPU) -> Result<()> {
    started.adapter.vf(args.PartitionId)?.set_paused(true)
}

fn resume(started: &Started, args: &mut DXGKARG_RESUMEVIRTUALGPU) -> Result<()> {
    started.adapter.vf(args.PartitionId)?.set_paused(false)
}

/// The device has nothing to say over VMBus; the handle may come any number of times.
fn set_vm_bus(started: &Started, args: &mut DXGKARG_SETVIRTUALGPUVMBUS) -> Result<()> {
    started.adapter.vf(args.VirtualGpuIndex)?.report().map(drop)
}
