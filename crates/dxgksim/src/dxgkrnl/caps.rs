//! What an adapter can do, as its driver said when it was asked.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use wddm::*;

use super::Core;
use crate::contract::rules;

/// A node (engine).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its friendly name.
    pub name: String,
    /// What kind of engine.
    pub engine: DXGK_ENGINE_TYPE,
    /// Its flags.
    pub flags: DXGK_NODEMETADATA_FLAGS,
    /// It translates GPU virtual addresses.
    pub gpu_mmu: bool,
}

impl Node {
    /// What to call it: the name that an engine of type OTHER has, or the type's own word.
    pub fn label(&self) -> &str {
        match self.engine {
            _ if !self.name.is_empty() => &self.name,
            DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_COPY => "Copy",
            DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_3D => "3D",
            _ => "Engine",
        }
    }
}

/// A memory segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its number, from 1.
    pub id: u32,
    /// Its flags.
    pub flags: DXGK_SEGMENTFLAGS,
    /// Its size in bytes.
    pub bytes: u64,
    /// Bytes of a page of its dirty plane, when it is tracked.
    pub tracking_page: Option<u32>,
}

impl Segment {
    /// Whether it is the adapter's own memory.
    pub fn is_local(&self) -> bool {
        !self.flags.intersects(DXGK_SEGMENTFLAGS::Aperture | DXGK_SEGMENTFLAGS::PopulatedFromSystemMemory)
    }
}

/// A level of page tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Bits of a virtual address that index this level.
    pub index_bits: u32,
    /// Segment of its tables.
    pub segment: u32,
    /// Segment of its tables in the paging process.
    pub paging_segment: u32,
    /// Bytes of a table.
    pub bytes: u32,
    /// Alignment of a table.
    pub alignment: u32,
}

/// The GPU's address translation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mmu {
    /// Capability bits.
    pub flags: DXGK_GPUMMUCAPS_VALUE,
    /// How page tables are addressed in updates.
    pub update_mode: DXGK_PAGETABLEUPDATEMODE,
    /// Bits of a virtual address.
    pub address_bits: u32,
    /// Its levels, the leaf first.
    pub levels: Vec<Level>,
}

/// What a paging buffer must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PagingBuffer {
    /// Segment it is placed in; 0 is system memory.
    pub segment: u32,
    /// Bytes.
    pub bytes: u32,
    /// Bytes of private data beside it.
    pub private_bytes: u32,
}

/// Everything the driver says of its adapter.
#[derive(Clone, Debug)]
pub struct Caps {
    /// DRIVER_INITIALIZATION_DATA.Version.
    pub interface_version: u32,
    /// DXGK_DRIVERCAPS.WDDMVersion.
    pub wddm: DXGK_WDDMVERSION,
    /// DXGK_WDDMDEVICECAPS.WDDMVersion, when answered before the start.
    pub wddm_device: Option<DXGK_WDDMVERSION>,
    /// Compute only.
    pub compute_only: bool,
    /// Scheduling capabilities.
    pub scheduling: DXGK_VIDSCHCAPS,
    /// Memory management capabilities.
    pub memory: DXGK_VIDMMCAPS_VALUE,
    /// Granularity at which compute work can be preempted.
    pub preemption: D3DKMDT_COMPUTE_PREEMPTION_GRANULARITY,
    /// Engines are reset one by one.
    pub per_engine_tdr: bool,
    /// Highest system memory address it reaches.
    pub highest_address: u64,
    /// Members of DXGK_DRIVERCAPS that say something of displays, or of what else a compute-only driver leaves clear.
    pub of_displays: Vec<&'static str>,
    /// Removal while the adapter is at work is told to the driver.
    pub surprise_removal: bool,
    /// Removal in hibernation is; without it no removal is told.
    pub surprise_removal_in_hibernation: bool,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The node that does the paging.
    pub paging_node: u32,
    /// The segments.
    pub segments: Vec<Segment>,
    /// Paging buffers.
    pub paging_buffer: PagingBuffer,
    /// Address translation.
    pub mmu: Mmu,
    /// GPU partitioning capabilities.
    pub gpup: DXGK_GPUPCAPS_CAPS,
    /// Dirty tracking is there.
    pub tracking: bool,
    /// It costs no performance to have it on all the time.
    pub tracking_performant: bool,
    /// Granule of scattered reserves, for each segment that answered.
    pub scatter_page: Option<u64>,
    /// Timestamp bits of a history buffer.
    pub history_bits: Option<u32>,
    /// Power components.
    pub power_components: u32,
    /// Numbers of partitions that can be chosen.
    pub partition_options: Vec<u16>,
    /// Interfaces that QueryInterface gave.
    pub interfaces: Vec<&'static str>,
    /// Features that it supports.
    pub features: Vec<super::Feature>,
}

impl Caps {
    /// The segment with this number.
    pub fn segment(&self, id: u32) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.id == id)
    }

    /// Whether a segment number in page tables means system memory. The page says 0; a sample uses one past the last.
    pub fn is_system(&self, segment: u32) -> bool {
        segment == 0 || segment as usize == self.segments.len() + 1
    }

    /// Whether the driver reports the LiveMigration cap.
    pub fn live_migration(&self) -> bool {
        self.gpup.contains(DXGK_GPUPCAPS_CAPS::LiveMigration)
    }
}

type Type = DXGK_QUERYADAPTERINFOTYPE;

/// WDDMDEVICECAPS, which is asked between AddDevice and StartDevice. "DXGK_WDDMDEVICECAPS structure (d3dkmddi.h)".
pub(crate) fn model(core: &Core) -> Option<DXGK_WDDMVERSION> {
    let mut input = DXGK_WDDMDEVICECAPSIN { DxgkrnlInterfaceVersion: DXGKDDI_INTERFACE_VERSION_WDDM3_2 };
    let caps: DXGK_WDDMDEVICECAPS =
        core.ask_about(Type::DXGKQAITYPE_WDDMDEVICECAPS, Some(&mut input)).ok()?;
    Some(caps.WDDMVersion)
}

/// Asks a started driver for everything else. The error names the query that failed.
pub(super) fn collect(
    core: &Core,
    model: Option<DXGK_WDDMVERSION>,
) -> Result<Caps, (&'static str, NTSTATUS)> {
    let driver: DXGK_DRIVERCAPS =
        core.ask(Type::DXGKQAITYPE_DRIVERCAPS).map_err(|status| ("DRIVERCAPS", status))?;
    let physical: DXGK_PHYSICALADAPTERCAPS = core
        .ask_about(
            Type::DXGKQAITYPE_PHYSICALADAPTERCAPS,
            Some(&mut DXGK_QUERYPHYSICALADAPTERCAPSIN::zeroed()),
        )
        .map_err(|status| ("PHYSICALADAPTERCAPS", status))?;
    let nodes =
        (0..driver.GpuEngineTopology.NbAsymetricProcessingNodes.min(DXGK_MAX_ASYMETRICAL_PROCESSING_NODES))
            .map(|node| core.node_metadata(node).map(|data| read_node(&data)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|status| ("DxgkDdiGetNodeMetadata", status))?;
    let (mut segments, paging_buffer) = segments(core)?;
    let mmu = mmu(core)?;
    let gpup: DXGK_GPUPCAPS = core.ask(Type::DXGKQAITYPE_GPUPCAPS).unwrap_or_default();
    let tracking: DXGK_DIRTY_BIT_TRACKING_CAPS =
        core.ask(Type::DXGKQAITYPE_DIRTYBITTRACKINGCAPS).unwrap_or_default();
    let tracked = tracking.contains(DXGK_DIRTY_BIT_TRACKING_CAPS::DirtyBitTrackingSupported);
    for segment in segments.iter_mut().filter(|_| tracked) {
        segment.tracking_page = tracking_page(core, segment.id);
    }
    let history: Result<DXGKARG_HISTORYBUFFERPRECISION, _> = core.ask_about(
        Type::DXGKQAITYPE_HISTORYBUFFERPRECISION,
        Some(&mut DXGK_QUERYHISTORYBUFFERPRECISIONIN::zeroed()),
    );
    let scatter = gpup.Caps.contains(DXGK_GPUPCAPS_CAPS::ScatterMapReserve);
    Ok(Caps {
        interface_version: core.table.0.Version,
        wddm: driver.WDDMVersion,
        wddm_device: model,
        compute_only: driver.MiscCaps.contains(DXGK_DRIVERCAPS_MISCCAPS::ComputeOnly),
        scheduling: driver.SchedulingCaps,
        memory: driver.MemoryManagementCaps.Value,
        preemption: driver.PreemptionCaps.ComputePreemptionGranularity,
        per_engine_tdr: driver.SupportPerEngineTDR != 0,
        highest_address: driver.HighestAcceptableAddress as u64,
        of_displays: of_displays(&driver),
        surprise_removal: driver.SupportSurpriseRemoval != 0,
        surprise_removal_in_hibernation: driver.SupportSurpriseRemovalInHibernation != 0,
        nodes,
        paging_node: u32::from(physical.PagingNodeIndex),
        segments,
        paging_buffer,
        mmu,
        gpup: gpup.Caps,
        tracking: tracked,
        tracking_performant: tracking.contains(DXGK_DIRTY_BIT_TRACKING_CAPS::DirtyBitTrackingPerformant),
        scatter_page: if scatter { scatter_page(core) } else { None },
        history_bits: history.ok().map(|it| it.PrecisionBits),
        power_components: core.ask(Type::DXGKQAITYPE_NUMPOWERCOMPONENTS).unwrap_or(0),
        partition_options: Vec::new(),
        interfaces: Vec::new(),
        features: Vec::new(),
    })
}

/// The members that "MCDM kernel-mode driver implementation guidelines" wants zero or FALSE, and that are not.
fn of_displays(driver: &DXGK_DRIVERCAPS) -> Vec<&'static str> {
    macro_rules! not_zero {
        ($($member:ident)*) => { [$((stringify!($member), driver.$member != Zeroed::ZERO)),*] };
    }
    let members = not_zero! {
        MaxAllocationListSlotId ApertureSegmentCommitLimit MaxPointerWidth MaxPointerHeight PointerCaps
        NumberOfSwizzlingRanges MaxOverlays PresentationCaps MaxQueuedFlipOnVSync FlipCaps SupportNonVGA
        SupportSmoothRotation SupportDirectFlip SupportMultiPlaneOverlay HybridDiscrete MaxOverlayPlanes
        HybridIntegrated SupportMultiPlaneOverlayImmediateFlip CursorScaledWithMultiPlaneOverlayPlane0
        HybridAcpiChainingRequired MaxQueuedMultiPlaneOverlayFlipVSync
    };
    let misc = [
        ("SupportContextlessPresent", DXGK_DRIVERCAPS_MISCCAPS::SupportContextlessPresent),
        ("Detachable", DXGK_DRIVERCAPS_MISCCAPS::Detachable),
    ];
    let set = misc.iter().filter(|(_, bit)| driver.MiscCaps.contains(*bit)).map(|(name, _)| *name);
    #[expect(unsafe_code, reason = "two names for the same four bytes")]
    // SAFETY: both fields of the union are a word of bits, valid for any bytes.
    let colours = unsafe { driver.u.GammaRampCaps } != Zeroed::ZERO;
    let colours = colours.then_some("GammaRampCaps or ColorTransformCaps");
    members.iter().filter(|(_, set)| *set).map(|(name, _)| *name).chain(set).chain(colours).collect()
}

fn read_node(data: &DXGK_NODEMETADATA) -> Node {
    let name = { data.FriendlyName };
    let end = name.iter().position(|unit| *unit == 0).unwrap_or(name.len());
    Node {
        name: String::from_utf16_lossy(&name[..end]),
        engine: { data.EngineType },
        flags: { data.Flags },
        gpu_mmu: data.GpuMmuSupported != 0,
    }
}

/// The two segment queries: how many, then each, at the driver's own stride.
fn segments(core: &Core) -> Result<(Vec<Segment>, PagingBuffer), (&'static str, NTSTATUS)> {
    let ask = |out: DXGK_QUERYSEGMENTOUT4| {
        core.ask_into(Type::DXGKQAITYPE_QUERYSEGMENT4, Some(&mut DXGK_QUERYSEGMENTIN4::zeroed()), out)
            .map_err(|status| ("QUERYSEGMENT4", status))
    };
    let first = ask(DXGK_QUERYSEGMENTOUT4::zeroed())?;
    let stride = size_of::<DXGK_SEGMENTDESCRIPTOR4>();
    let count = first.NbSegment as usize;
    if count == 0 || count > 31 {
        core.contract.broken(&rules::SEGMENT_WALK, format_args!("{count} segments"));
        return Err(("QUERYSEGMENT4", STATUS_INVALID_PARAMETER));
    }
    let mut descriptors = vec![DXGK_SEGMENTDESCRIPTOR4::zeroed(); count + 1];
    let canary = DXGK_SEGMENTFLAGS::from_bits_retain(0x5A5A_5A5A);
    descriptors[count].Flags = canary;
    let mut out = DXGK_QUERYSEGMENTOUT4::zeroed();
    out.NbSegment = first.NbSegment;
    out.pSegmentDescriptor = descriptors.as_mut_ptr().cast();
    out.SegmentDescriptorStride = stride;
    let second = ask(out)?;
    core.contract.require(
        second.NbSegment == first.NbSegment,
        &rules::SEGMENT_WALK,
        format_args!("{} segments announced, {} reported", first.NbSegment, second.NbSegment),
    );
    core.contract.require(
        descriptors[count].Flags == canary,
        &rules::OUTPUT_OVERRUN,
        format_args!("QUERYSEGMENT4 wrote past {count} descriptors of {stride} bytes"),
    );
    let segments = descriptors[..count].iter().zip(1..).map(|(it, id)| Segment {
        id,
        flags: it.Flags,
        bytes: it.Size as u64,
        tracking_page: None,
    });
    let buffer = PagingBuffer {
        segment: second.PagingBufferSegmentId,
        bytes: second.PagingBufferSize,
        private_bytes: second.PagingBufferPrivateDataSize,
    };
    Ok((segments.collect(), buffer))
}

fn mmu(core: &Core) -> Result<Mmu, (&'static str, NTSTATUS)> {
    let caps: DXGK_GPUMMUCAPS = core
        .ask_about(Type::DXGKQAITYPE_GPUMMUCAPS, Some(&mut DXGK_QUERYGPUMMUCAPSIN::zeroed()))
        .map_err(|status| ("GPUMMUCAPS", status))?;
    let levels = (0..caps.PageTableLevelCount.min(8))
        .map(|level| {
            let mut input = DXGK_QUERYPAGETABLELEVELDESCIN::zeroed();
            input.LevelIndex = level as u16;
            let out: DXGK_PAGE_TABLE_LEVEL_DESC =
                core.ask_about(Type::DXGKQAITYPE_PAGETABLELEVELDESC, Some(&mut input))?;
            Ok(Level {
                index_bits: out.PageTableIndexBitCount,
                segment: out.PageTableSegmentId,
                paging_segment: out.PagingProcessPageTableSegmentId,
                bytes: out.PageTableSizeInBytes,
                alignment: out.PageTableAlignmentInBytes,
            })
        })
        .collect::<Result<Vec<_>, NTSTATUS>>()
        .map_err(|status| ("PAGETABLELEVELDESC", status))?;
    Ok(Mmu {
        flags: caps.Value,
        update_mode: caps.PageTableUpdateMode,
        address_bits: caps.VirtualAddressBitCount,
        levels,
    })
}

fn tracking_page(core: &Core, segment: u32) -> Option<u32> {
    let mut asked = segment;
    let kind = Type::DXGKQAITYPE_DIRTYBITTRACKINGSEGMENTCAPS;
    match core.ask_about::<u32, DXGK_DIRTY_BIT_TRACKING_SEGMENT_CAPS>(kind, Some(&mut asked)) {
        Ok(caps) => Some(caps.PageSize),
        Err(status) => {
            let none = status == STATUS_NOT_IMPLEMENTED;
            let what = format_args!("segment {segment} answered {status}");
            core.contract.require(none, &rules::TRACKING_STATUS, what);
            None
        }
    }
}

fn scatter_page(core: &Core) -> Option<u64> {
    let mut input = DXGK_QUERYSCATTERRESERVEIN { SegmentId: 1 };
    let out: DXGK_QUERYSCATTERRESERVEOUT =
        core.ask_about(Type::DXGKQAITYPE_SCATTER_RESERVE, Some(&mut input)).ok()?;
    Some(out.SetVGPUResourcesPageSize)
}
