//! The GPU partition interface: counts, profiles, virtual GPUs.

use alloc::vec;

use wddm::*;

use super::args::{ask, profile};
use super::{Bench, Outcome, Stop, accepted, broken, declare, needed, refused};

const INFO: &str = "DXGKDDI_GETGPUPARTITIONINFO callback function (dispmprt.h)";
const COUNT: &str = "DXGKDDI_SETGPUPARTITIONCOUNT callback function (dispmprt.h)";
const PROFILE: &str = "DXGKDDI_GETVIRTUALGPUPROFILE callback function (dispmprt.h)";
const CREATE: &str = "DXGKDDI_CREATEVIRTUALGPU callback function (dispmprt.h)";
const SEGMENT: &str = "DXGK_VIRTUALGPUSEGMENTINFO structure (dispmprt.h)";
const VGPU_INFO: &str = "DXGKDDI_GETVIRTUALGPUINFO callback function (dispmprt.h)";
const DESTROY: &str = "DXGKDDI_DESTROYVIRTUALGPU callback function (dispmprt.h)";
const VMBUS: &str = "DXGKDDI_SETVIRTUALGPUVMBUS callback function (dispmprt.h)";
const SUSPEND: &str = "DXGKDDI_SUSPENDVIRTUALGPU callback function (dispmprt.h)";
const RESUME: &str = "DXGKDDI_RESUMEVIRTUALGPU callback function (dispmprt.h)";

declare! {
    "partition.options.short" Size INFO,
        "An array that lacks a place gets STATUS_BUFFER_TOO_SMALL and both counts, and stays as it was.", options_short;
    "partition.options.longer" Size INFO,
        "A longer array gets the same options, and the rest stays as it was.",
        options_longer;
    "partition.options.order" Answer INFO, "The options are different numbers.", options_differ;
    "partition.options.current" Answer INFO, "CurrentGpuPartitionCount is the count that was set.", current;
    "partition.count.unoffered" Handle COUNT,
        "A count that is no option is refused, and the count stays.",
        unoffered;
    "partition.count.with-vf" State COUNT, "The count does not change while a VF exists.", count_with_vf;
    "partition.profile.unoffered" Handle PROFILE,
        "A count that is no option has no profile.",
        profile_unoffered;
    "partition.profile.flags" Answer PROFILE,
        "VirtualizationFlags say how partitions are isolated: by SR-IOV hardware, or as devices of the host's.", flags;
    "partition.profile.total" Answer PROFILE, "No partition may have more than there is in all.", total;
    "partition.create.unknown" Handle CREATE, "A PartitionId that is not below the count is refused.",
        |b| refused("CreateVirtualGpu of no partition", b.create(b.no_vf(), profile(b.vf_bytes)).0);
    "partition.create.twice" State CREATE, "A VF that exists is not made again.", create_twice;
    "partition.create.contradiction" Handle CREATE,
        "A profile whose minimum is above its maximum is refused.",
        contradiction;
    "partition.create.too-much" Handle CREATE,
        "A profile that asks for more memory than there is is refused.",
        too_much;
    "partition.create.engines" Answer CREATE, "NumEngines is 0.", engines;
    "partition.create.provider" Answer CREATE, "The class of the user-mode provider is given.", provider;
    "partition.create.luid" Answer CREATE, "Each VF gets a LUID of its own.", luids;
    "partition.create.range" Answer SEGMENT,
        "Memory that may lie anywhere in its segment has MinSegmentOffset and MaxSegmentOffset zero.", range;
    "partition.info.unknown" Handle VGPU_INFO, "A VF that does not exist has no info.",
        |b| refused("GetVirtualGpuInfo of no VF", b.info(0).0);
    "partition.info.bounds" Answer VGPU_INFO,
        "What a VF has lies between its minimum and its maximum.",
        bounds;
    "partition.info.memory" Answer VGPU_INFO, "The memory of a VF is what its profile asked for.", memory;
    "partition.destroy.unknown" Handle DESTROY, "A VF that does not exist is not destroyed.",
        |b| refused("DestroyVirtualGpu of no VF", b.destroy(b.no_vf()));
    "partition.destroy.twice" State DESTROY, "A VF is destroyed once.", destroy_twice;
    "partition.destroy.again" State DESTROY, "After it was destroyed a VF can be made again.", again;
    "partition.destroy.others" State DESTROY, "Destroying a VF leaves the others as they are.", others;
    "partition.vmbus.unknown" Handle VMBUS, "A VF that does not exist gets no channel.", |b| {
        let mut args = DXGKARG_SETVIRTUALGPUVMBUS::zeroed();
        args.VirtualGpuIndex = b.no_vf();
        refused("SetVirtualGpuVmBus of no VF", ask!(b, partition.DxgkDdiSetVirtualGpuVmBus, &mut args))
    };
    "partition.vmbus.again" State VMBUS, "The channel of a VF may be set again.", vmbus_again;
    "partition.suspend.unknown" Handle SUSPEND, "A VF that does not exist is not suspended.", |b| {
        let mut args = DXGKARG_SUSPENDVIRTUALGPU { PartitionId: b.no_vf() };
        refused("SuspendVirtualGpu of no VF", ask!(b, partition.DxgkDdiSuspendVirtualGpu, &mut args))
    };
    "partition.resume.unknown" Handle RESUME, "A VF that does not exist is not resumed.", |b| {
        let mut args = DXGKARG_RESUMEVIRTUALGPU { PartitionId: b.no_vf() };
        refused("ResumeVirtualGpu of no VF", ask!(b, partition.DxgkDdiResumeVirtualGpu, &mut args))
    };
}

/// The options in an array of `places`, of which none is an option before the call.
fn options(b: &Bench, places: usize) -> (NTSTATUS, alloc::vec::Vec<u16>, DXGKARG_GETGPUPARTITIONINFO) {
    let mut list = vec![0xA5A5u16; places];
    let mut args = DXGKARG_GETGPUPARTITIONINFO::zeroed();
    (args.NumGpuPartitionOptions, args.pGpuPartitionOptions) = (places as u32, list.as_mut_ptr());
    (ask!(b, partition.DxgkDdiGetGpuPartitionInfo, &mut args), list, args)
}

fn options_short(b: &Bench) -> Outcome {
    let known = b.adapter.caps().partition_options.len();
    let (status, list, args) = options(b, known - 1);
    super::same("the status of an array that is too short", &STATUS_BUFFER_TOO_SMALL, &status)?;
    super::same("NumGpuPartitionOptions", &(known as u32), &args.NumGpuPartitionOptions)?;
    super::same("CurrentGpuPartitionCount", &(b.partitions as u16), &args.CurrentGpuPartitionCount)?;
    super::same("the array", &vec![0xA5A5; known - 1], &list)
}

fn options_longer(b: &Bench) -> Outcome {
    let mut expected = b.adapter.caps().partition_options.clone();
    let known = expected.len();
    let (status, list, args) = options(b, known + 3);
    accepted("GetGpuPartitionInfo with a longer array", status)?;
    expected.resize(known + 3, 0xA5A5);
    super::same("the array", &expected, &list)?;
    super::same("NumGpuPartitionOptions", &(known as u32), &args.NumGpuPartitionOptions)
}

fn options_differ(b: &Bench) -> Outcome {
    let mut sorted = b.adapter.caps().partition_options.clone();
    sorted.sort_unstable();
    if sorted.windows(2).any(|two| two[0] == two[1]) {
        broken!("an option is there twice: {sorted:?}")
    }
    Ok(())
}

impl Bench {
    /// CurrentGpuPartitionCount.
    pub(super) fn current_count(&self) -> (NTSTATUS, u32) {
        let (status, _, args) = options(self, self.adapter.caps().partition_options.len());
        (status, u32::from(args.CurrentGpuPartitionCount))
    }
}

fn current(b: &Bench) -> Outcome {
    let (status, current) = b.current_count();
    needed("GetGpuPartitionInfo", status)?;
    super::same("CurrentGpuPartitionCount", &b.partitions, &current)
}

/// A number of partitions that is no option.
fn no_option(b: &Bench) -> u32 {
    (1..).find(|count| !b.adapter.caps().partition_options.contains(count)).map_or(u32::MAX, u32::from)
}

fn unoffered(b: &Bench) -> Outcome {
    refused("SetGpuPartitionCount of no option", b.partition_count(no_option(b)))?;
    b.vf(b.partitions - 1).map(drop)
}

fn count_with_vf(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let other =
        b.adapter.caps().partition_options.iter().copied().map(u32::from).find(|it| *it != b.partitions);
    let Some(other) = other else { return Ok(()) };
    b.refuses(0, "SetGpuPartitionCount while a VF exists", || b.partition_count(other))
}

fn profile_of(b: &Bench, count: u32) -> (NTSTATUS, DXGKARG_GETVIRTUALGPUPROFILE) {
    let mut args = DXGKARG_GETVIRTUALGPUPROFILE::zeroed();
    args.PartitionCount = count;
    (b.profile(&mut args), args)
}

fn profile_unoffered(b: &Bench) -> Outcome {
    refused("GetVirtualGpuProfile of no option", profile_of(b, no_option(b)).0)
}

fn flags(b: &Bench) -> Outcome {
    let (status, args) = profile_of(b, b.partitions);
    needed("GetVirtualGpuProfile", status)?;
    let hardware = DXGK_VIRTUALIZED_ACS_CAPABLE | DXGK_VIRTUALIZED_UNIQUE_RID;
    let flags = args.VirtualizationFlags;
    if flags & hardware == hardware || flags & DXGK_VIRTUALIZED_HOST_VIRTUAL_DEVICE != 0 {
        return Ok(());
    }
    broken!("VirtualizationFlags are {flags:#x}")
}

fn range(b: &Bench) -> Outcome {
    let (status, made) = b.create(0, profile(b.vf_bytes));
    needed("CreateVirtualGpu", status)?;
    let destroyed = b.destroy(0);
    let info = made.SegmentInfo[0];
    let whole = b.adapter.caps().segment(info.DriverSegmentId).map_or(0, |segment| segment.bytes);
    let (first, end) = (info.MinSegmentOffset, info.MaxSegmentOffset);
    if first == 0 && end >= whole && whole > 0 {
        broken!("the range is all of the segment, {first:#x} to {end:#x}")
    }
    needed("DestroyVirtualGpu", destroyed)
}

/// Whether the VFs are functions of SR-IOV hardware.
pub(super) fn in_hardware(b: &Bench) -> Result<bool, Stop> {
    let (status, args) = profile_of(b, b.partitions);
    needed("GetVirtualGpuProfile", status)?;
    let hardware = DXGK_VIRTUALIZED_ACS_CAPABLE | DXGK_VIRTUALIZED_UNIQUE_RID;
    Ok(args.VirtualizationFlags & hardware == hardware)
}

fn total(b: &Bench) -> Outcome {
    let (status, args) = profile_of(b, b.partitions);
    needed("GetVirtualGpuProfile", status)?;
    for (kind, it) in args.ProfileCapability.iter().enumerate() {
        if it.AvailableValue > it.TotalValue || it.MaxPartitionValue > it.TotalValue {
            broken!("capability {kind}: {it:?}")
        }
    }
    Ok(())
}

fn create_twice(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    b.refuses(0, "CreateVirtualGpu of a VF that exists", || b.create(0, profile(b.vf_bytes)).0)
}

/// A profile that must be refused; afterwards a legal one is taken.
fn bad_profile(b: &Bench, bad: DXGK_VIRTUALGPUPROFILE) -> Outcome {
    let status = b.create(0, bad).0;
    if status.is_success() {
        let _ = b.destroy(0);
    }
    refused("CreateVirtualGpu with that profile", status)?;
    b.vf(0).map(drop)
}

fn contradiction(b: &Bench) -> Outcome {
    let mut bad = profile(b.vf_bytes);
    bad.Capability[0].MinValue = 2 * b.vf_bytes;
    bad_profile(b, bad)
}

fn too_much(b: &Bench) -> Outcome {
    bad_profile(b, profile(1 << 50))
}

/// CreateVirtualGpu of VF 0, which is destroyed again.
fn created(b: &Bench) -> Result<alloc::boxed::Box<DXGKARG_CREATEVIRTUALGPU>, super::Stop> {
    let (status, args) = b.create(0, profile(b.vf_bytes));
    needed("CreateVirtualGpu", status)?;
    needed("DestroyVirtualGpu", b.destroy(0))?;
    Ok(args)
}

fn engines(b: &Bench) -> Outcome {
    super::same("NumEngines", &0, &created(b)?.NumEngines)
}

fn provider(b: &Bench) -> Outcome {
    if created(b)?.UserModeVirtualDeviceProvider == GUID::zeroed() {
        broken!("UserModeVirtualDeviceProvider is all zeroes")
    }
    Ok(())
}

fn luids(b: &Bench) -> Outcome {
    let (first, one) = b.create(0, profile(b.vf_bytes));
    let (second, two) = b.create(1, profile(b.vf_bytes));
    let destroyed = (b.destroy(0), b.destroy(1));
    needed("CreateVirtualGpu", first)?;
    needed("CreateVirtualGpu", second)?;
    needed("DestroyVirtualGpu", destroyed.0)?;
    needed("DestroyVirtualGpu", destroyed.1)?;
    let number = |luid: LUID| (luid.HighPart, luid.LowPart);
    let (one, two) = (number(one.VirtualGpuLuid), number(two.VirtualGpuLuid));
    if one == two || one == (0, 0) || two == (0, 0) {
        broken!("two VFs have the LUIDs {one:?} and {two:?}")
    }
    Ok(())
}

fn bounds(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let (status, args) = b.info(0);
    accepted("GetVirtualGpuInfo", status)?;
    for (kind, it) in args.Capability.iter().enumerate() {
        if !(it.MinValue..=it.MaxValue).contains(&it.CurrentValue) {
            broken!("capability {kind}: {it:?}")
        }
    }
    Ok(())
}

fn memory(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let (status, args) = b.info(0);
    needed("GetVirtualGpuInfo", status)?;
    super::same("CurrentValue of the memory", &b.vf_bytes, &args.Capability[0].CurrentValue)
}

fn destroy_twice(b: &Bench) -> Outcome {
    needed("CreateVirtualGpu", b.create(0, profile(b.vf_bytes)).0)?;
    accepted("DestroyVirtualGpu", b.destroy(0))?;
    refused("a second DestroyVirtualGpu", b.destroy(0))
}

fn again(b: &Bench) -> Outcome {
    let vf = b.partitions - 1;
    needed("CreateVirtualGpu", b.create(vf, profile(b.vf_bytes)).0)?;
    needed("DestroyVirtualGpu", b.destroy(vf))?;
    accepted("CreateVirtualGpu after DestroyVirtualGpu", b.create(vf, profile(b.vf_bytes)).0)?;
    needed("DestroyVirtualGpu", b.destroy(vf))
}

fn others(b: &Bench) -> Outcome {
    let _stays = b.vf(0)?;
    let before = b.state(0);
    b.vf(1).map(drop)?;
    super::same("VF 0 after VF 1 was destroyed", &before, &b.state(0))
}

fn vmbus_again(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let mut args = DXGKARG_SETVIRTUALGPUVMBUS::zeroed();
    needed("SetVirtualGpuVmBus", ask!(b, partition.DxgkDdiSetVirtualGpuVmBus, &mut args))?;
    accepted("a second SetVirtualGpuVmBus", ask!(b, partition.DxgkDdiSetVirtualGpuVmBus, &mut args))
}
