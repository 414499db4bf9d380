//! The adapter as a whole: driver capabilities, nodes, versions, partitioning.

use core::mem::offset_of;

use gpup_core::device::abi;
use gpup_core::{Error, Result};
use wddm::{
    D3DKMDT_COMPUTE_PREEMPTION_GRANULARITY, D3DKMDT_GRAPHICS_PREEMPTION_GRANULARITY, D3DKMDT_PREEMPTION_CAPS,
    DXGK_ADAPTER_PERFDATA, DXGK_ADAPTER_PERFDATACAPS, DXGK_DRIVERCAPS, DXGK_DRIVERCAPS_MISCCAPS,
    DXGK_GPUENGINETOPOLOGY, DXGK_GPUPCAPS, DXGK_GPUPCAPS_CAPS, DXGK_GPUVERSION, DXGK_IOMMU_CAPS,
    DXGK_NODE_PERFDATA, DXGK_PHYSICAL_MEMORY_CAPS, DXGK_PHYSICALADAPTERCAPS, DXGK_PHYSICALADAPTERFLAGS,
    DXGK_QUERYHISTORYBUFFERPRECISIONIN, DXGK_QUERYPHYSICALADAPTERCAPSIN, DXGK_VIDMMCAPS,
    DXGK_VIDMMCAPS_VALUE, DXGK_VIDSCHCAPS, DXGK_WDDMDEVICECAPS, DXGK_WDDMVERSION,
    DXGKARG_HISTORYBUFFERPRECISION, TRUE,
};

use super::Query;
use crate::miniport::Started;

/// Without MiscCaps the driver would pass for one of a display adapter.
pub(super) const DRIVERCAPS_LEAST: usize = offset_of!(DXGK_DRIVERCAPS, MaxHwQueuedFlips);

/// Highest physical address the device reaches: all of them.
const ALL_MEMORY: i64 = i64::MAX;
/// No engine writes timestamps that Dxgkrnl could read by itself: FormatHistoryBuffer alone says what there is.
const TIMESTAMP_BITS: u32 = 0;
/// The simulated engines' clock.
const HERTZ: u64 = 1_000_000_000;

/// DXGKQAITYPE_DRIVERCAPS. "DXGK_DRIVERCAPS structure (d3dkmddi.h)".
pub(super) fn driver_caps() -> DXGK_DRIVERCAPS {
    DXGK_DRIVERCAPS {
        HighestAcceptableAddress: ALL_MEMORY,
        SchedulingCaps: DXGK_VIDSCHCAPS::MultiEngineAware
            | DXGK_VIDSCHCAPS::PreemptionAware
            | DXGK_VIDSCHCAPS::LowIrqlPreemptCommand
            | DXGK_VIDSCHCAPS::CancelCommandAware,
        MemoryManagementCaps: DXGK_VIDMMCAPS {
            Value: DXGK_VIDMMCAPS_VALUE::VirtualAddressingSupported | DXGK_VIDMMCAPS_VALUE::GpuMmuSupported,
            PagingNode: abi::COPY_NODE as u32,
        },
        GpuEngineTopology: DXGK_GPUENGINETOPOLOGY {
            NbAsymetricProcessingNodes: abi::NODES as u32,
            ..DXGK_GPUENGINETOPOLOGY::zeroed()
        },
        WDDMVersion: DXGK_WDDMVERSION::DXGKDDI_WDDMv3_2,
        PreemptionCaps: D3DKMDT_PREEMPTION_CAPS {
            GraphicsPreemptionGranularity:
                D3DKMDT_GRAPHICS_PREEMPTION_GRANULARITY::D3DKMDT_GRAPHICS_PREEMPTION_NONE,
            ComputePreemptionGranularity:
                D3DKMDT_COMPUTE_PREEMPTION_GRANULARITY::D3DKMDT_COMPUTE_PREEMPTION_DMA_BUFFER_BOUNDARY,
        },
        SupportPerEngineTDR: TRUE,
        // Without it no removal is told to the driver at all.
        SupportSurpriseRemovalInHibernation: TRUE,
        SupportSurpriseRemoval: TRUE,
        MiscCaps: DXGK_DRIVERCAPS_MISCCAPS::ComputeOnly,
        ..DXGK_DRIVERCAPS::zeroed()
    }
}

/// DXGKQAITYPE_WDDMDEVICECAPS. "DXGK_WDDMDEVICECAPS structure (d3dkmddi.h)".
pub(super) fn wddm_device_caps() -> DXGK_WDDMDEVICECAPS {
    DXGK_WDDMDEVICECAPS { WDDMVersion: DXGK_WDDMVERSION::DXGKDDI_WDDMv3_2 }
}

/// DXGKQAITYPE_PHYSICALADAPTERCAPS: paging runs on the copy node. "DXGK_PHYSICALADAPTERCAPS structure (d3dkmddi.h)".
pub(super) fn physical_adapter_caps(
    started: &Started,
    asked: DXGK_QUERYPHYSICALADAPTERCAPSIN,
) -> Result<DXGK_PHYSICALADAPTERCAPS> {
    only_adapter(asked.PhysicalAdapterIndex)?;
    Ok(DXGK_PHYSICALADAPTERCAPS {
        NumExecutionNodes: abi::NODES as u16,
        PagingNodeIndex: abi::COPY_NODE as u16,
        DxgkPhysicalAdapterHandle: started.dxgkrnl.device_handle(),
        Flags: DXGK_PHYSICALADAPTERFLAGS::GpuMmuSupported,
        ..DXGK_PHYSICALADAPTERCAPS::zeroed()
    })
}

/// DXGKQAITYPE_GPUPCAPS: a VF can be moved only where no write goes untracked. "DXGK_GPUPCAPS structure (d3dkmddi.h)".
pub(super) fn gpup_caps(started: &Started) -> DXGK_GPUPCAPS {
    let mut caps = DXGK_GPUPCAPS_CAPS::empty();
    caps.set(DXGK_GPUPCAPS_CAPS::ScatterMapReserve, started.adapter.settings().scatter);
    caps.set(DXGK_GPUPCAPS_CAPS::LiveMigration, started.adapter.tracks_every_segment());
    DXGK_GPUPCAPS { Caps: caps }
}

/// DXGKQAITYPE_PHYSICAL_MEMORY_CAPS: the device reaches all of memory. "DXGK_PHYSICAL_MEMORY_CAPS structure (d3dkmddi.h)".
pub(super) fn physical_memory_caps() -> DXGK_PHYSICAL_MEMORY_CAPS {
    DXGK_PHYSICAL_MEMORY_CAPS { HighestVisibleAddress: ALL_MEMORY }
}

/// DXGKQAITYPE_IOMMU_CAPS: page tables carry physical addresses, so no isolation and no remapping.
/// "DXGK_IOMMU_CAPS structure (d3dkmddi.h)".
pub(super) fn iommu_caps() -> DXGK_IOMMU_CAPS {
    DXGK_IOMMU_CAPS::empty()
}

/// DXGKQAITYPE_HISTORYBUFFERPRECISION: one answer for each node. "DXGKARG_HISTORYBUFFERPRECISION structure (d3dkmddi.h)".
pub(super) fn history_buffer_precision(query: &Query<'_>) -> Result<()> {
    if query.args.InputDataSize > 0 {
        only_adapter(query.input::<DXGK_QUERYHISTORYBUFFERPRECISIONIN>()?.PhysicalAdapterIndex)?;
    }
    let each = size_of::<DXGKARG_HISTORYBUFFERPRECISION>();
    let bytes = [TIMESTAMP_BITS; abi::NODES];
    query.answer_front(bytes, each)
}

/// DXGKQAITYPE_GPUVERSION. "DXGK_GPUVERSION structure (d3dkmdt.h)".
pub(super) fn gpu_version(started: &Started) -> DXGK_GPUVERSION {
    let identity = started.adapter.device().identity();
    DXGK_GPUVERSION {
        BiosVersion: crate::text::utf16(format_args!(
            "{}.{}",
            identity.firmware >> 16,
            identity.firmware & 0xFFFF
        )),
        GpuArchitecture: crate::text::utf16(format_args!("GPU-P simulator rev {}", identity.revision)),
    }
}

/// DXGKQAITYPE_NODEPERFDATA. "DXGK_NODE_PERFDATA structure (d3dkmdt.h)".
pub(super) fn node_perf_data() -> DXGK_NODE_PERFDATA {
    DXGK_NODE_PERFDATA {
        Frequency: HERTZ,
        MaxFrequency: HERTZ,
        MaxFrequencyOC: HERTZ,
        ..DXGK_NODE_PERFDATA::zeroed()
    }
}

/// DXGKQAITYPE_ADAPTERPERFDATA: the simulated device has no sensors, and power whenever it is asked. "DXGK_ADAPTER_PERFDATA structure (d3dkmdt.h)".
pub(super) fn adapter_perf_data() -> DXGK_ADAPTER_PERFDATA {
    DXGK_ADAPTER_PERFDATA { PowerStateOverride: 1, ..DXGK_ADAPTER_PERFDATA::zeroed() }
}

/// DXGKQAITYPE_ADAPTERPERFDATA_CAPS. "DXGK_ADAPTER_PERFDATACAPS structure (d3dkmdt.h)".
pub(super) fn adapter_perf_data_caps() -> DXGK_ADAPTER_PERFDATACAPS {
    DXGK_ADAPTER_PERFDATACAPS::zeroed()
}

/// Refuses any physical adapter but the only one.
pub(super) fn only_adapter(index: u32) -> Result<()> {
    if index == 0 { Ok(()) } else { Err(Error::InvalidParameter) }
}
