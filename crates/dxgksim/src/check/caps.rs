//! Capabilities that must agree with each other.

use wddm::*;

use super::{Bench, Outcome, Stop, broken, declare};

type Type = DXGK_QUERYADAPTERINFOTYPE;

const TOPOLOGY: &str = "DXGK_PHYSICALADAPTERCAPS structure (d3dkmddi.h)";
const NODE: &str = "DXGK_NODEMETADATA structure (d3dkmdt.h)";
const POWERED: &str = "DXGK_ADAPTER_PERFDATA structure (d3dkmdt.h)";
const FREQUENCY: &str = "DXGK_NODE_PERFDATA structure (d3dkmdt.h)";
const TRACKING: &str = "DXGK_DIRTY_BIT_TRACKING_CAPS structure (d3dkmddi.h)";
const ROOT: &str = "DXGKDDI_GETROOTPAGETABLESIZE callback function (d3dkmddi.h)";
const SCATTER: &str = "DXGK_QUERYSCATTERRESERVEOUT structure (d3dkmddi.h)";
const SURPRISE: &str = "DXGKDDI_NOTIFY_SURPRISE_REMOVAL callback function (dispmprt.h)";
const SEGMENT: &str = "DXGK_SEGMENTDESCRIPTOR4 structure (d3dkmddi.h)";

declare! {
    "caps.nodes" Answer TOPOLOGY, "NumExecutionNodes is the number of nodes that DRIVERCAPS reports.", nodes;
    "caps.paging-node" Answer NODE, "The paging node translates GPU virtual addresses.", paging_node;
    "caps.node-name" Answer NODE,
        "A node of type OTHER has a friendly name that ends inside its field; of any other type the name is empty.",
        node_names;
    "caps.perf.power" Answer POWERED, "An adapter that has power says so.", powered;
    "caps.perf.frequency" Answer FREQUENCY,
        "Frequency is at most MaxFrequency, and that at most MaxFrequencyOC.", frequency;
    "caps.performant" Answer TRACKING,
        "DirtyBitTrackingPerformant comes with DirtyBitTrackingSupported only.",
        performant;
    "caps.root" Answer ROOT,
        "A larger root page table never takes fewer bytes, and is page table entries in whole.",
        root;
    "caps.segments" Answer SEGMENT,
        "Segments are whole pages, and one of them at least is the adapter's own.",
        segments;
    "caps.physical-handle" Answer TOPOLOGY,
        "DxgkPhysicalAdapterHandle is the DeviceHandle that StartDevice was given.",
        physical_handle;
    "caps.surprise" Answer SURPRISE,
        "SupportSurpriseRemoval comes with SupportSurpriseRemovalInHibernation, without which no removal is told.",
        surprise;
    "caps.scatter" Answer SCATTER,
        "SCATTER_RESERVE is answered where ScatterMapReserve is reported, and only there.",
        scatter;
}

fn physical(b: &Bench) -> Result<DXGK_PHYSICALADAPTERCAPS, Stop> {
    let asked = b.core().ask_about(
        Type::DXGKQAITYPE_PHYSICALADAPTERCAPS,
        Some(&mut DXGK_QUERYPHYSICALADAPTERCAPSIN::zeroed()),
    );
    asked.map_err(|status| Stop::Skipped(alloc::format!("PHYSICALADAPTERCAPS failed: {status}")))
}

fn nodes(b: &Bench) -> Outcome {
    let reported = usize::from(physical(b)?.NumExecutionNodes);
    super::same("NumExecutionNodes", &b.adapter.caps().nodes.len(), &reported)
}

fn physical_handle(b: &Bench) -> Outcome {
    super::same(
        "DxgkPhysicalAdapterHandle",
        &b.core().device_handle(),
        &physical(b)?.DxgkPhysicalAdapterHandle,
    )
}

fn surprise(b: &Bench) -> Outcome {
    let caps = b.adapter.caps();
    if caps.surprise_removal && !caps.surprise_removal_in_hibernation {
        broken!("SupportSurpriseRemoval is set, SupportSurpriseRemovalInHibernation is not")
    }
    Ok(())
}

fn paging_node(b: &Bench) -> Outcome {
    let caps = b.adapter.caps();
    let node = caps.paging_node;
    match caps.nodes.get(node as usize) {
        Some(it) if it.gpu_mmu => Ok(()),
        Some(_) => broken!("node {node} does the paging, but its GpuMmuSupported is FALSE"),
        None => Err(super::bench::skip("PagingNodeIndex names no node")),
    }
}

fn node_names(b: &Bench) -> Outcome {
    for (node, it) in b.adapter.caps().nodes.iter().enumerate() {
        let named = !it.name.is_empty() && it.name.len() < DXGK_MAX_METADATA_NAME_LENGTH as usize;
        if named != (it.engine == DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_OTHER) {
            broken!("node {node} of {:?} is called {:?}", it.engine, it.name)
        }
    }
    Ok(())
}

fn powered(b: &Bench) -> Outcome {
    let data: Result<DXGK_ADAPTER_PERFDATA, _> =
        b.core().ask_about(Type::DXGKQAITYPE_ADAPTERPERFDATA, Some(&mut 0u32));
    match data {
        Ok(data) if { data.PowerStateOverride } != 1 => broken!("PowerStateOverride is 0 in D0"),
        _ => Ok(()),
    }
}

fn frequency(b: &Bench) -> Outcome {
    let data: Result<DXGK_NODE_PERFDATA, _> =
        b.core().ask_about(Type::DXGKQAITYPE_NODEPERFDATA, Some(&mut [0u32; 2]));
    let Ok(data) = data else { return Ok(()) };
    let (now, most, overclocked) = ({ data.Frequency }, { data.MaxFrequency }, { data.MaxFrequencyOC });
    if now > most || most > overclocked {
        broken!("{now} Hz of {most}, overclocked {overclocked}")
    }
    Ok(())
}

fn performant(b: &Bench) -> Outcome {
    let caps = b.adapter.caps();
    if caps.tracking_performant && !caps.tracking {
        broken!("DirtyBitTrackingPerformant is set, DirtyBitTrackingSupported is not")
    }
    Ok(())
}

fn root(b: &Bench) -> Outcome {
    let size = |entries: u32| {
        let mut args = DXGKARG_GETROOTPAGETABLESIZE::zeroed();
        args.NumberOfPte = entries;
        (b.core().root_page_table_size(&mut args), args.NumberOfPte)
    };
    let (small, large) = (size(1), size(512));
    if small.0 == 0 || small.0 > large.0 || small.1 == 0 || small.1 > large.1 || !large.0.is_multiple_of(8) {
        broken!("a root of 1 entry has {small:?} bytes and entries, one of 512 entries {large:?}")
    }
    Ok(())
}

fn segments(b: &Bench) -> Outcome {
    let segments = &b.adapter.caps().segments;
    let odd = segments.iter().find(|it| it.bytes == 0 || !it.bytes.is_multiple_of(4096));
    if let Some(odd) = odd {
        broken!("segment {} has {} bytes", odd.id, odd.bytes)
    }
    if segments.iter().any(crate::dxgkrnl::Segment::is_local) { Ok(()) } else { broken!("no local segment") }
}

fn scatter(b: &Bench) -> Outcome {
    let reported = b.adapter.caps().gpup.contains(DXGK_GPUPCAPS_CAPS::ScatterMapReserve);
    let segment = b.adapter.caps().segments.iter().find(|it| it.is_local()).map_or(1, |it| it.id);
    let mut input = DXGK_QUERYSCATTERRESERVEIN { SegmentId: segment };
    let out: Result<DXGK_QUERYSCATTERRESERVEOUT, _> =
        b.core().ask_about(Type::DXGKQAITYPE_SCATTER_RESERVE, Some(&mut input));
    match (reported, out) {
        (true, Err(status)) => broken!("ScatterMapReserve is reported, but the query returned {status}"),
        (true, Ok(it))
            if it.SetVGPUResourcesPageSize < 4096 || !it.SetVGPUResourcesPageSize.is_power_of_two() =>
        {
            broken!("SetVGPUResourcesPageSize is {}", it.SetVGPUResourcesPageSize)
        }
        _ => Ok(()),
    }
}
