//! Processes, devices, contexts, allocations: whose they are, and that each is closed once.

use alloc::vec;

use wddm::*;

use super::bench::handle;
use super::{Bench, Outcome, Stop, accepted, broken, declare, needed, refused};

const CREATE_PROCESS: &str = "DXGKDDI_CREATEPROCESS callback function (d3dkmddi.h)";
const DESTROY_PROCESS: &str = "DXGKDDI_DESTROYPROCESS callback function (d3dkmddi.h)";
const CREATE_DEVICE: &str = "DXGKDDI_CREATEDEVICE callback function (d3dkmddi.h)";
const DESTROY_DEVICE: &str = "DXGKDDI_DESTROYDEVICE callback function (d3dkmddi.h)";
const CREATE_CONTEXT: &str = "DXGKDDI_CREATECONTEXT callback function (d3dkmddi.h)";
const DESTROY_CONTEXT: &str = "DXGKDDI_DESTROYCONTEXT callback function (d3dkmddi.h)";
const CREATE_ALLOCATION: &str = "DXGKDDI_CREATEALLOCATION callback function (d3dkmddi.h)";
const INFO: &str = "DXGK_ALLOCATIONINFO structure (d3dkmddi.h)";
const DESTROY_ALLOCATION: &str = "DXGKDDI_DESTROYALLOCATION callback function (d3dkmddi.h)";
const DESCRIBE: &str = "DXGKDDI_DESCRIBEALLOCATION callback function (d3dkmddi.h)";
const STANDARD: &str = "DXGKDDI_GETSTANDARDALLOCATIONDRIVERDATA callback function (d3dkmddi.h)";
const OPEN: &str = "DXGKDDI_OPENALLOCATIONINFO callback function (d3dkmddi.h)";
const CLOSE: &str = "DXGKDDI_CLOSEALLOCATION callback function (d3dkmddi.h)";

declare! {
    "process.own" Answer CREATE_PROCESS, "Each process gets a handle of its own.", processes;
    "process.stale" Handle DESTROY_PROCESS, "A process is destroyed once.", |b| {
        let process = process(b)?;
        accepted("DestroyProcess", b.core().destroy_process(handle(process)))?;
        refused("a second DestroyProcess", b.core().destroy_process(handle(process)))
    };
    "device.stale-process" Handle CREATE_DEVICE, "No device is made for a process that is gone.", |b| {
        let process = process(b)?;
        needed("DestroyProcess", b.core().destroy_process(handle(process)))?;
        refused("CreateDevice for a stale process", device(b, process).0)
    };
    "device.stale" Handle DESTROY_DEVICE, "A device is destroyed once.", |b| {
        let device = made(device(b, 0), "CreateDevice")?;
        accepted("DestroyDevice", b.core().destroy_device(handle(device)))?;
        refused("a second DestroyDevice", b.core().destroy_device(handle(device)))
    };
    "context.unknown-node" Handle CREATE_CONTEXT, "No context is made on a node that does not exist.", |b| {
        let nodes = b.adapter.caps().nodes.len() as u32;
        with_device(b, |b, device| refused("CreateContext on no node", context(b, device, nodes, 1).0))
    };
    "context.affinity" Handle CREATE_CONTEXT,
        "No context is made on an engine that the node does not have.",
        |b| {
        with_device(b, |b, device| refused("CreateContext on engine 4", context(b, device, 0, 1 << 4).0))
    };
    "context.stale-device" Handle CREATE_CONTEXT, "No context is made on a device that is gone.", |b| {
        let device = made(device(b, 0), "CreateDevice")?;
        needed("DestroyDevice", b.core().destroy_device(handle(device)))?;
        refused("CreateContext on a stale device", context(b, device, 0, 1).0)
    };
    "context.stale" Handle DESTROY_CONTEXT, "A context is destroyed once.", |b| {
        with_device(b, |b, device| {
            let context = made(context(b, device, 0, 1), "CreateContext")?;
            accepted("DestroyContext", b.core().destroy_context(handle(context)))?;
            refused("a second DestroyContext", b.core().destroy_context(handle(context)))
        })
    };
    "allocation.standard.unknown" Handle STANDARD,
        "A standard allocation of a type that does not exist is refused.",
        |b| {
        let mut args = DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA::zeroed();
        args.StandardAllocationType = D3DKMDT_STANDARDALLOCATION_TYPE(0x7F);
        refused("GetStandardAllocationDriverData of no type", b.core().get_standard_allocation(&mut args))
    };
    "allocation.standard.sizes" Answer STANDARD,
        "Asked without buffers, it gives the sizes that the second call fills.",
        standard_sizes;
    "allocation.standard.short" Size STANDARD,
        "A buffer that is too short for the private data is refused.",
        standard_short;
    "allocation.create.short" Size CREATE_ALLOCATION,
        "Private data that is cut short is refused, and no handle is given.",
        create_short;
    "allocation.create.all-or-none" State CREATE_ALLOCATION,
        "When one of several allocations fails, none is made.",
        all_or_none;
    "allocation.create.segment" Answer CREATE_ALLOCATION,
        "An allocation names a segment that exists.",
        allocation_segment;
    "allocation.create.priority" Answer INFO, "An allocation begins with a priority, which is not 0.", |b| {
        let (status, infos) = create(b, |bytes| vec![bytes])?;
        needed("CreateAllocation", status)?;
        needed("DestroyAllocation", free(b, infos[0].hAllocation.expose_provenance()))?;
        if infos[0].AllocationPriority == 0 { broken!("AllocationPriority is 0") } else { Ok(()) }
    };
    "allocation.destroy.stale" Handle DESTROY_ALLOCATION, "An allocation is destroyed once.", |b| {
        let allocation = allocation(b)?;
        accepted("DestroyAllocation", free(b, allocation))?;
        refused("a second DestroyAllocation", free(b, allocation))
    };
    "allocation.describe.stale" Handle DESCRIBE, "An allocation that is gone is not described.", |b| {
        let allocation = allocation(b)?;
        needed("DestroyAllocation", free(b, allocation))?;
        let mut args = DXGKARG_DESCRIBEALLOCATION::zeroed();
        args.hAllocation = handle(allocation);
        refused("DescribeAllocation of a stale allocation", b.describe_allocation(&mut args))
    };
    "allocation.open.stale-device" Handle OPEN, "Nothing is opened on a device that is gone.", |b| {
        let device = made(device(b, 0), "CreateDevice")?;
        needed("DestroyDevice", b.core().destroy_device(handle(device)))?;
        let mut info = DXGK_OPENALLOCATIONINFO::zeroed();
        let mut args = DXGKARG_OPENALLOCATION::zeroed();
        (args.NumAllocations, args.pOpenAllocation) = (1, &raw mut info);
        refused("OpenAllocation on a stale device", b.open_allocation(handle(device), &mut args))
    };
    "allocation.close.twice" Handle CLOSE, "What was opened is closed once.", close_twice;
}

fn process(b: &Bench) -> Result<usize, Stop> {
    let mut args = DXGKARG_CREATEPROCESS::zeroed();
    args.hDxgkProcess = handle(b.core().handle as usize + 5);
    needed("CreateProcess", b.core().create_process(&mut args))?;
    Ok(args.hKmdProcess.expose_provenance())
}

fn processes(b: &Bench) -> Outcome {
    let (one, two) = (process(b)?, process(b)?);
    if one == two {
        broken!("two processes have the handle {one:#x}")
    }
    needed("DestroyProcess", b.core().destroy_process(handle(one)))?;
    needed("DestroyProcess", b.core().destroy_process(handle(two)))
}

type Made = (NTSTATUS, usize);

fn made((status, handle): Made, call: &str) -> Result<usize, Stop> {
    needed(call, status)?;
    Ok(handle)
}

fn device(b: &Bench, process: usize) -> Made {
    let mut args = DXGKARG_CREATEDEVICE::zeroed();
    (args.hDevice, args.hKmdProcess) = (handle(b.core().handle as usize + 6), handle(process));
    (b.core().create_device(&mut args), args.hDevice.expose_provenance())
}

fn context(b: &Bench, device: usize, node: u32, affinity: u32) -> Made {
    let mut args = DXGKARG_CREATECONTEXT::zeroed();
    args.hContext = handle(b.core().handle as usize + 7);
    (args.NodeOrdinal, args.EngineAffinity) = (node, affinity);
    args.Flags = DXGK_CREATECONTEXTFLAGS::VirtualAddressing;
    (b.core().create_context(handle(device), &mut args), args.hContext.expose_provenance())
}

/// Runs `body` with a device; a context that must not be made, but was, leaves the bench unfit for more.
fn with_device(b: &Bench, body: impl FnOnce(&Bench, usize) -> Outcome) -> Outcome {
    let device = made(device(b, 0), "CreateDevice")?;
    let verdict = body(b, device);
    needed("DestroyDevice", b.core().destroy_device(handle(device)))?;
    verdict
}

/// The surface of a virtual GPU, and a query for its private data.
fn standard(
    surface: &mut D3DKMDT_VIRTUALGPUSURFACEDATA,
    b: &Bench,
) -> DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA {
    let segment = b.adapter.caps().segments.iter().find(|it| it.is_local()).map_or(1, |it| it.id);
    (surface.Size, surface.DriverSegmentId) = (b.vf_bytes, segment);
    let mut args = DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA::zeroed();
    args.StandardAllocationType = D3DKMDT_STANDARDALLOCATION_TYPE::D3DKMDT_STANDARDALLOCATION_VGPU;
    args.u.pCreateVirtualGpuSurfaceData = &raw mut *surface;
    args
}

/// Private data of an allocation, and of its resource; none where the driver does not know the type.
fn private(b: &Bench) -> Result<(vec::Vec<u64>, u32, vec::Vec<u64>, u32), Stop> {
    let mut surface = D3DKMDT_VIRTUALGPUSURFACEDATA::zeroed();
    let mut args = standard(&mut surface, b);
    needed("GetStandardAllocationDriverData", b.core().get_standard_allocation(&mut args))?;
    let (bytes, resource_bytes) = (args.AllocationPrivateDriverDataSize, args.ResourcePrivateDriverDataSize);
    let mut data = vec![0u64; bytes.div_ceil(8) as usize];
    let mut resource = vec![0u64; resource_bytes.div_ceil(8) as usize];
    args.pAllocationPrivateDriverData = data.as_mut_ptr().cast();
    args.pResourcePrivateDriverData = resource.as_mut_ptr().cast();
    needed("GetStandardAllocationDriverData", b.core().get_standard_allocation(&mut args))?;
    Ok((data, bytes, resource, resource_bytes))
}

fn standard_sizes(b: &Bench) -> Outcome {
    let mut surface = D3DKMDT_VIRTUALGPUSURFACEDATA::zeroed();
    let mut args = standard(&mut surface, b);
    accepted("GetStandardAllocationDriverData without buffers", b.core().get_standard_allocation(&mut args))?;
    let size = args.AllocationPrivateDriverDataSize;
    let mut data = vec![0u64; size.div_ceil(8) as usize];
    args.pAllocationPrivateDriverData = data.as_mut_ptr().cast();
    accepted("GetStandardAllocationDriverData with buffers", b.core().get_standard_allocation(&mut args))?;
    super::same("the size", &size, &args.AllocationPrivateDriverDataSize)
}

fn standard_short(b: &Bench) -> Outcome {
    let mut surface = D3DKMDT_VIRTUALGPUSURFACEDATA::zeroed();
    let mut args = standard(&mut surface, b);
    needed("GetStandardAllocationDriverData", b.core().get_standard_allocation(&mut args))?;
    let mut data = vec![0u64; args.AllocationPrivateDriverDataSize.div_ceil(8) as usize];
    if data.is_empty() {
        return Ok(());
    }
    args.pAllocationPrivateDriverData = data.as_mut_ptr().cast();
    args.AllocationPrivateDriverDataSize -= 1;
    refused(
        "GetStandardAllocationDriverData with a short buffer",
        b.core().get_standard_allocation(&mut args),
    )
}

/// CreateAllocation of one allocation for each size of private data.
fn create(
    b: &Bench,
    sizes: impl Fn(u32) -> vec::Vec<u32>,
) -> Result<(NTSTATUS, vec::Vec<DXGK_ALLOCATIONINFO>), Stop> {
    let (mut data, bytes, mut resource, resource_bytes) = private(b)?;
    let mut infos: vec::Vec<DXGK_ALLOCATIONINFO> = sizes(bytes)
        .into_iter()
        .map(|bytes| {
            let mut info = DXGK_ALLOCATIONINFO::zeroed();
            info.pPrivateDriverData = data.as_mut_ptr().cast();
            info.PrivateDriverDataSize = bytes;
            info
        })
        .collect();
    let mut args = DXGKARG_CREATEALLOCATION::zeroed();
    (args.NumAllocations, args.pAllocationInfo) = (infos.len() as u32, infos.as_mut_ptr());
    (args.pPrivateDriverData, args.PrivateDriverDataSize) = (resource.as_mut_ptr().cast(), resource_bytes);
    let status = b.core().create_allocation(&mut args);
    Ok((status, infos))
}

fn allocation(b: &Bench) -> Result<usize, Stop> {
    let (status, infos) = create(b, |bytes| vec![bytes])?;
    needed("CreateAllocation", status)?;
    Ok(infos[0].hAllocation.expose_provenance())
}

fn free(b: &Bench, allocation: usize) -> NTSTATUS {
    let list = [handle(allocation)];
    let mut args = DXGKARG_DESTROYALLOCATION::zeroed();
    (args.NumAllocations, args.pAllocationList) = (1, list.as_ptr());
    b.core().destroy_allocation(&mut args)
}

fn create_short(b: &Bench) -> Outcome {
    let (status, infos) = create(b, |bytes| vec![bytes.saturating_sub(1)])?;
    refused("CreateAllocation with short private data", status)?;
    if !infos[0].hAllocation.is_null() {
        broken!("CreateAllocation was refused, but gave a handle")
    }
    Ok(())
}

fn all_or_none(b: &Bench) -> Outcome {
    let (status, infos) = create(b, |bytes| vec![bytes, bytes.saturating_sub(1)])?;
    if status.is_success() {
        return Err(super::bench::skip("CreateAllocation takes private data that is cut short"));
    }
    if infos.iter().any(|info| !info.hAllocation.is_null()) {
        broken!("CreateAllocation failed, but left a handle of an allocation that is gone or leaks")
    }
    Ok(())
}

fn allocation_segment(b: &Bench) -> Outcome {
    let (status, infos) = create(b, |bytes| vec![bytes])?;
    accepted("CreateAllocation", status)?;
    needed("DestroyAllocation", free(b, infos[0].hAllocation.expose_provenance()))?;
    let set = infos[0].SupportedWriteSegmentSet;
    let known = (1u32 << b.adapter.caps().segments.len()) - 1;
    if set == 0 || set & !known != 0 || infos[0].Size < b.vf_bytes as usize {
        broken!("an allocation of {} bytes has {} and the segment set {set:#x}", b.vf_bytes, infos[0].Size)
    }
    Ok(())
}

fn close_twice(b: &Bench) -> Outcome {
    let device = made(device(b, 0), "CreateDevice")?;
    let mut info = DXGK_OPENALLOCATIONINFO::zeroed();
    let mut args = DXGKARG_OPENALLOCATION::zeroed();
    (args.NumAllocations, args.pOpenAllocation) = (1, &raw mut info);
    needed("OpenAllocation", b.open_allocation(handle(device), &mut args))?;
    let list = [info.hDeviceSpecificAllocation];
    let mut args = DXGKARG_CLOSEALLOCATION::zeroed();
    (args.NumAllocations, args.pOpenHandleList) = (1, list.as_ptr());
    let first = b.close_allocation(handle(device), &mut args);
    let second = b.close_allocation(handle(device), &mut args);
    needed("DestroyDevice", b.core().destroy_device(handle(device)))?;
    accepted("CloseAllocation", first)?;
    refused("a second CloseAllocation", second)
}
