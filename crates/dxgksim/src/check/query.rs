//! QueryAdapterInfo: each type that Dxgkrnl asks a compute-only GPU-P adapter for, with every size of buffer.

use alloc::vec;
use alloc::vec::Vec;

use wddm::*;

use super::{Bench, Outcome, broken, declare, refused};

type Type = DXGK_QUERYADAPTERINFOTYPE;

const PAGE: &str = "DXGKARG_QUERYADAPTERINFO structure (d3dkmddi.h)";
const TYPES: &str = "DXGK_QUERYADAPTERINFOTYPE enumeration (d3dkmddi.h)";
const MMU: &str = "DXGK_GPUMMUCAPS structure (d3dkmddi.h)";
const LEVEL: &str = "DXGK_PAGE_TABLE_LEVEL_DESC structure (d3dkmddi.h)";
const SEGMENTS: &str = "DXGK_QUERYSEGMENTOUT4 structure (d3dkmddi.h)";
const PHYSICAL: &str = "DXGK_PHYSICALADAPTERCAPS structure (d3dkmddi.h)";
const TRACKED: &str = "DXGK_DIRTY_BIT_TRACKING_SEGMENT_CAPS structure (d3dkmddi.h)";
const NODE: &str = "DXGKDDI_GETNODEMETADATA callback function (d3dkmddi.h)";

/// A query type as the rules ask for it.
struct Query {
    name: &'static str,
    kind: Type,
    input: &'static [u32],
    bytes: usize,
    /// The page lets a driver leave it unanswered.
    optional: bool,
    /// A buffer of an older version, shorter than the structure, may get the front of the answer.
    front: bool,
}

/// Two rules for each type: that a short buffer is refused, and that the answer is one and the same.
macro_rules! queries {
    ($( $short:literal $answer:literal $kind:ident $input:tt $out:ty, $page:literal, $optional:literal; )*) => {
        declare! {
            $(
                $short Size $page,
                    "An output buffer that is too short gets a refusal, or at most the front of the same answer.",
                    |b| short(b, &query!($kind $input $out, $optional));
                $answer Answer $page,
                    "It is answered with a buffer of exactly its size, and with a longer one the same way.",
                    |b| answer(b, &query!($kind $input $out, $optional));
            )*
            "query.unknown-type" Handle TYPES, "A query of a type that does not exist is refused.",
                |b| {
                    let status = b.query(DXGK_QUERYADAPTERINFOTYPE(0x7FFF), &mut [], &mut [0; 64]);
                    refused("QueryAdapterInfo of an unknown type", status)
                };
            "query.input.short" Size PAGE, "A query whose input is cut short is refused.", |b| {
                let mut out = vec![0; size_of::<DXGK_GPUMMUCAPS>()];
                refused("GPUMMUCAPS with one byte of input", b.query(Type::DXGKQAITYPE_GPUMMUCAPS, &mut [0], &mut out))
            };
            "query.gpummucaps.adapter" Handle MMU, "A physical adapter that does not exist has no MMU.",
                |b| index(b, Type::DXGKQAITYPE_GPUMMUCAPS, size_of::<DXGK_GPUMMUCAPS>(), &[9, 0]);
            "query.physicaladaptercaps.adapter" Handle PHYSICAL, "A physical adapter that does not exist has no caps.",
                |b| index(b, Type::DXGKQAITYPE_PHYSICALADAPTERCAPS, size_of::<DXGK_PHYSICALADAPTERCAPS>(), &[9, 0]);
            "query.segment4.adapter" Handle SEGMENTS, "A physical adapter that does not exist has no segments.",
                |b| index(b, Type::DXGKQAITYPE_QUERYSEGMENT4, size_of::<DXGK_QUERYSEGMENTOUT4>(), &[9]);
            "query.pagetablelevel.level" Handle LEVEL, "A page table level that does not exist is refused.", level;
            "query.segment4.first" Answer SEGMENTS,
                "Asked for the number of segments, it gives the number and touches nothing else.", first;
            "query.segment4.stride" Size SEGMENTS, "Descriptors are written at the stride that Dxgkrnl gives.", stride;
            "query.tracking.segment" Handle TRACKED, "A segment that does not exist has no tracking caps.", |b| {
                let segment = b.adapter.caps().segments.len() as u32 + 5;
                index(b, Type::DXGKQAITYPE_DIRTYBITTRACKINGSEGMENTCAPS, 4, &[segment])
            };
            "query.node.unknown" Handle NODE, "A node that does not exist has no metadata.", |b| {
                let nodes = b.adapter.caps().nodes.len() as u32;
                match b.core().node_metadata(nodes) {
                    Ok(_) => broken!("GetNodeMetadata of node {nodes} must be refused: there are {nodes} nodes"),
                    Err(_) => Ok(()),
                }
            };
            "query.node.adapter" Handle NODE, "The node's high half names the physical adapter.", |b| {
                match b.core().node_metadata(9 << 16) {
                    Ok(_) => broken!("GetNodeMetadata of physical adapter 9 must be refused"),
                    Err(_) => Ok(()),
                }
            };
        }
    };
}

macro_rules! query {
    ($kind:ident [$($input:literal),*] $out:ty, $optional:literal) => {
        Query {
            name: stringify!($kind),
            kind: Type::$kind,
            input: &[$($input),*],
            bytes: size_of::<$out>(),
            optional: $optional,
            front: matches!(Type::$kind, Type::DXGKQAITYPE_DRIVERCAPS | Type::DXGKQAITYPE_HISTORYBUFFERPRECISION),
        }
    };
}

queries! {
    "query.drivercaps.short" "query.drivercaps.answer" DXGKQAITYPE_DRIVERCAPS [] DXGK_DRIVERCAPS,
        "DXGK_DRIVERCAPS structure (d3dkmddi.h)", false;
    "query.wddmdevicecaps.short" "query.wddmdevicecaps.answer" DXGKQAITYPE_WDDMDEVICECAPS [0x11007] DXGK_WDDMDEVICECAPS,
        "DXGK_WDDMDEVICECAPS structure (d3dkmddi.h)", true;
    "query.numpowercomponents.short" "query.numpowercomponents.answer" DXGKQAITYPE_NUMPOWERCOMPONENTS [] u32,
        "MCDM KM driver: DxgkDdiQueryAdapterInfo types", false;
    "query.historybufferprecision.short" "query.historybufferprecision.answer"
        DXGKQAITYPE_HISTORYBUFFERPRECISION [0] DXGKARG_HISTORYBUFFERPRECISION,
        "DXGKARG_HISTORYBUFFERPRECISION structure (d3dkmddi.h)", false;
    "query.segment4.short" "query.segment4.answer" DXGKQAITYPE_QUERYSEGMENT4 [0] DXGK_QUERYSEGMENTOUT4,
        "DXGK_QUERYSEGMENTOUT4 structure (d3dkmddi.h)", false;
    "query.gpummucaps.short" "query.gpummucaps.answer" DXGKQAITYPE_GPUMMUCAPS [0, 0] DXGK_GPUMMUCAPS,
        "DXGK_GPUMMUCAPS structure (d3dkmddi.h)", false;
    "query.pagetablelevel.short" "query.pagetablelevel.answer"
        DXGKQAITYPE_PAGETABLELEVELDESC [0, 0] DXGK_PAGE_TABLE_LEVEL_DESC,
        "DXGK_PAGE_TABLE_LEVEL_DESC structure (d3dkmddi.h)", false;
    "query.physicaladaptercaps.short" "query.physicaladaptercaps.answer"
        DXGKQAITYPE_PHYSICALADAPTERCAPS [0, 0] DXGK_PHYSICALADAPTERCAPS,
        "DXGK_PHYSICALADAPTERCAPS structure (d3dkmddi.h)", false;
    "query.gpupcaps.short" "query.gpupcaps.answer" DXGKQAITYPE_GPUPCAPS [] DXGK_GPUPCAPS,
        "DXGK_GPUPCAPS structure (d3dkmddi.h)", false;
    "query.trackingcaps.short" "query.trackingcaps.answer"
        DXGKQAITYPE_DIRTYBITTRACKINGCAPS [] DXGK_DIRTY_BIT_TRACKING_CAPS,
        "DXGK_DIRTY_BIT_TRACKING_CAPS structure (d3dkmddi.h)", false;
    "query.trackingsegmentcaps.short" "query.trackingsegmentcaps.answer"
        DXGKQAITYPE_DIRTYBITTRACKINGSEGMENTCAPS [1] DXGK_DIRTY_BIT_TRACKING_SEGMENT_CAPS,
        "DXGK_DIRTY_BIT_TRACKING_SEGMENT_CAPS structure (d3dkmddi.h)", false;
    "query.physicalmemorycaps.short" "query.physicalmemorycaps.answer"
        DXGKQAITYPE_PHYSICAL_MEMORY_CAPS [] DXGK_PHYSICAL_MEMORY_CAPS,
        "DXGK_PHYSICAL_MEMORY_CAPS structure (d3dkmddi.h)", true;
    "query.iommucaps.short" "query.iommucaps.answer" DXGKQAITYPE_IOMMU_CAPS [] DXGK_IOMMU_CAPS,
        "DXGK_IOMMU_CAPS structure (d3dkmddi.h)", true;
    "query.gpuversion.short" "query.gpuversion.answer" DXGKQAITYPE_GPUVERSION [0] DXGK_GPUVERSION,
        "DXGK_GPUVERSION structure (d3dkmdt.h)", true;
    "query.nodeperfdata.short" "query.nodeperfdata.answer" DXGKQAITYPE_NODEPERFDATA [0, 0] DXGK_NODE_PERFDATA,
        "DXGK_NODE_PERFDATA structure (d3dkmdt.h)", true;
    "query.adapterperfdata.short" "query.adapterperfdata.answer"
        DXGKQAITYPE_ADAPTERPERFDATA [0] DXGK_ADAPTER_PERFDATA,
        "DXGK_ADAPTER_PERFDATA structure (d3dkmdt.h)", true;
    "query.adapterperfdatacaps.short" "query.adapterperfdatacaps.answer"
        DXGKQAITYPE_ADAPTERPERFDATA_CAPS [0] DXGK_ADAPTER_PERFDATACAPS,
        "DXGK_ADAPTER_PERFDATACAPS structure (d3dkmdt.h)", true;
}

fn words(input: &[u32]) -> Vec<u8> {
    input.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The answer in a buffer of `bytes` bytes.
fn ask(b: &Bench, query: &Query, bytes: usize) -> (NTSTATUS, Vec<u8>) {
    let mut out = vec![0; bytes];
    let status = b.query(query.kind, &mut words(query.input), &mut out);
    (status, out)
}

fn short(b: &Bench, query: &Query) -> Outcome {
    let (status, whole) = ask(b, query, query.bytes);
    if query.optional && !status.is_success() {
        return Ok(());
    }
    super::needed(query.name, status)?;
    for bytes in [0, 1, query.bytes / 2, query.bytes - 1] {
        let (status, out) = ask(b, query, bytes);
        if status.is_success() && !(query.front && bytes > 0 && whole.starts_with(&out)) {
            broken!(
                "{} with {bytes} of {} bytes must be refused, but returned {status}",
                query.name,
                query.bytes
            )
        }
    }
    let again = ask(b, query, query.bytes).1;
    if again != whole {
        broken!("{} answers otherwise after a refusal", query.name)
    }
    Ok(())
}

fn answer(b: &Bench, query: &Query) -> Outcome {
    let (status, whole) = ask(b, query, query.bytes);
    if query.optional && !status.is_success() {
        return Ok(());
    }
    super::accepted(query.name, status)?;
    let (status, longer) = ask(b, query, query.bytes + 64);
    super::accepted("the same query with a longer buffer", status)?;
    if longer[..query.bytes] != whole[..] {
        broken!("{} answers otherwise in a longer buffer", query.name)
    }
    Ok(())
}

/// A query about something that does not exist.
fn index(b: &Bench, kind: Type, bytes: usize, input: &[u32]) -> Outcome {
    refused("the query", b.query(kind, &mut words(input), &mut vec![0; bytes]))
}

fn level(b: &Bench) -> Outcome {
    let levels = b.adapter.caps().mmu.levels.len() as u32;
    let bytes = size_of::<DXGK_PAGE_TABLE_LEVEL_DESC>();
    // LevelIndex and PhysicalAdapterIndex are 16 bits each.
    index(b, Type::DXGKQAITYPE_PAGETABLELEVELDESC, bytes, &[levels, 0])
}

fn first(b: &Bench) -> Outcome {
    const BEFORE: u32 = 0x5A5A_5A5A;
    let mut out = DXGK_QUERYSEGMENTOUT4::zeroed();
    (out.PagingBufferSegmentId, out.PagingBufferSize, out.PagingBufferPrivateDataSize) =
        (BEFORE, BEFORE, BEFORE);
    let asked =
        b.core().ask_into(Type::DXGKQAITYPE_QUERYSEGMENT4, Some(&mut DXGK_QUERYSEGMENTIN4::zeroed()), out);
    match asked {
        Ok(out) => super::same(
            "PagingBufferSegmentId, -Size and -PrivateDataSize",
            &[BEFORE; 3],
            &[out.PagingBufferSegmentId, out.PagingBufferSize, out.PagingBufferPrivateDataSize],
        ),
        Err(status) => super::needed("QUERYSEGMENT4", status),
    }
}

fn stride(b: &Bench) -> Outcome {
    const STRIDE: usize = 2 * size_of::<DXGK_SEGMENTDESCRIPTOR4>();
    let count = b.adapter.caps().segments.len();
    let read = |stride: usize| -> Result<Vec<u64>, NTSTATUS> {
        let mut space = vec![0u64; count * stride / 8];
        let mut out = DXGK_QUERYSEGMENTOUT4::zeroed();
        (out.NbSegment, out.SegmentDescriptorStride) = (count as u32, stride);
        out.pSegmentDescriptor = space.as_mut_ptr().cast();
        let mut input = DXGK_QUERYSEGMENTIN4::zeroed();
        b.core().ask_into(Type::DXGKQAITYPE_QUERYSEGMENT4, Some(&mut input), out)?;
        Ok(space)
    };
    let words = size_of::<DXGK_SEGMENTDESCRIPTOR4>() / 8;
    match (read(size_of::<DXGK_SEGMENTDESCRIPTOR4>()), read(STRIDE)) {
        (Ok(tight), Ok(wide)) => {
            let cut: Vec<u64> = wide.chunks(STRIDE / 8).flat_map(|it| &it[..words]).copied().collect();
            super::same("descriptors at twice the stride", &tight, &cut)
        }
        (_, Err(status)) => broken!("QUERYSEGMENT4 with a wide stride failed: {status}"),
        (Err(status), _) => super::needed("QUERYSEGMENT4", status),
    }
}
