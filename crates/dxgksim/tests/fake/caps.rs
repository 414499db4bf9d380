//! Capabilities and interfaces.

use wddm::*;

use super::{VF_BYTES, VRAM, vf};

/// Writes an answer if it fits.
fn answer<T>(args: &DXGKARG_QUERYADAPTERINFO, value: T) -> NTSTATUS {
    if (args.OutputDataSize as usize) < size_of::<T>() {
        return STATUS_BUFFER_TOO_SMALL;
    }
    // SAFETY: Dxgkrnl's buffer, and the answer fits.
    unsafe { args.pOutputData.cast::<T>().write_unaligned(value) };
    STATUS_SUCCESS
}

pub fn driver_caps() -> DXGK_DRIVERCAPS {
    let mut caps = DXGK_DRIVERCAPS::zeroed();
    caps.HighestAcceptableAddress = i64::MAX;
    caps.WDDMVersion = DXGK_WDDMVERSION::DXGKDDI_WDDMv3_2;
    caps.SchedulingCaps = DXGK_VIDSCHCAPS::MultiEngineAware
        | DXGK_VIDSCHCAPS::PreemptionAware
        | DXGK_VIDSCHCAPS::LowIrqlPreemptCommand;
    caps.MemoryManagementCaps.Value =
        DXGK_VIDMMCAPS_VALUE::VirtualAddressingSupported | DXGK_VIDMMCAPS_VALUE::GpuMmuSupported;
    caps.GpuEngineTopology.NbAsymetricProcessingNodes = 1;
    caps.PreemptionCaps.ComputePreemptionGranularity =
        D3DKMDT_COMPUTE_PREEMPTION_GRANULARITY::D3DKMDT_COMPUTE_PREEMPTION_DMA_BUFFER_BOUNDARY;
    caps.SupportPerEngineTDR = TRUE;
    caps.SupportSurpriseRemovalInHibernation = TRUE;
    caps.MiscCaps = DXGK_DRIVERCAPS_MISCCAPS::ComputeOnly;
    caps
}

driver! {
    pub unsafe fn query_adapter_info(_context: HANDLE, args: *const DXGKARG_QUERYADAPTERINFO) -> NTSTATUS {
        let args = &*args;
        type Type = DXGK_QUERYADAPTERINFOTYPE;
        match args.Type {
            Type::DXGKQAITYPE_DRIVERCAPS => answer(args, driver_caps()),
            Type::DXGKQAITYPE_PHYSICALADAPTERCAPS => {
                let mut caps = DXGK_PHYSICALADAPTERCAPS::zeroed();
                caps.NumExecutionNodes = 1;
                caps.Flags = DXGK_PHYSICALADAPTERFLAGS::GpuMmuSupported;
                answer(args, caps)
            }
            Type::DXGKQAITYPE_QUERYSEGMENT4 => {
                let out = &mut *args.pOutputData.cast::<DXGK_QUERYSEGMENTOUT4>();
                if out.NbSegment == 1 {
                    let descriptor = &mut *out.pSegmentDescriptor.cast::<DXGK_SEGMENTDESCRIPTOR4>();
                    descriptor.Size = VRAM;
                    descriptor.CommitLimit = VRAM;
                }
                out.NbSegment = 1;
                // Less than an update of 256 entries: such an update takes several passes.
                out.PagingBufferSize = 4096;
                STATUS_SUCCESS
            }
            Type::DXGKQAITYPE_GPUMMUCAPS => {
                let mut caps = DXGK_GPUMMUCAPS::zeroed();
                caps.PageTableUpdateMode = DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_GPU_VIRTUAL;
                caps.VirtualAddressBitCount = 39;
                caps.PageTableLevelCount = 3;
                answer(args, caps)
            }
            Type::DXGKQAITYPE_PAGETABLELEVELDESC => answer(args, DXGK_PAGE_TABLE_LEVEL_DESC {
                PageTableIndexBitCount: 9,
                PageTableSegmentId: 1,
                PagingProcessPageTableSegmentId: 0,
                PageTableSizeInBytes: 4096,
                PageTableAlignmentInBytes: 4096,
            }),
            Type::DXGKQAITYPE_HISTORYBUFFERPRECISION => answer(args, 64u32),
            Type::DXGKQAITYPE_NUMPOWERCOMPONENTS => answer(args, 0u32),
            Type::DXGKQAITYPE_WDDMDEVICECAPS => answer(args, DXGK_WDDMVERSION::DXGKDDI_WDDMv3_2),
            Type::DXGKQAITYPE_GPUPCAPS => {
                answer(args, DXGK_GPUPCAPS_CAPS::LiveMigration | DXGK_GPUPCAPS_CAPS::ScatterMapReserve)
            }
            Type::DXGKQAITYPE_SCATTER_RESERVE => answer(args, 65536u64),
            Type::DXGKQAITYPE_DIRTYBITTRACKINGCAPS => answer(
                args,
                DXGK_DIRTY_BIT_TRACKING_CAPS::DirtyBitTrackingSupported
                    | DXGK_DIRTY_BIT_TRACKING_CAPS::DirtyBitTrackingPerformant,
            ),
            Type::DXGKQAITYPE_DIRTYBITTRACKINGSEGMENTCAPS => answer(args, 4096u32),
            _ => STATUS_NOT_SUPPORTED,
        }
    }

    pub unsafe fn get_node_metadata(_context: HANDLE, _node: u32, data: *mut DXGKARG_GETNODEMETADATA) -> NTSTATUS {
        let mut metadata = DXGK_NODEMETADATA::zeroed();
        metadata.EngineType = DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_COPY;
        metadata.Flags = DXGK_NODEMETADATA_FLAGS::SupportBuildTestCommandBuffer;
        metadata.GpuMmuSupported = TRUE;
        *data = metadata;
        STATUS_SUCCESS
    }

    pub unsafe fn get_root_page_table_size(_context: HANDLE, args: *mut DXGKARG_GETROOTPAGETABLESIZE) -> SIZE_T {
        (*args).NumberOfPte as usize * 8
    }

    pub unsafe fn reference(_context: PVOID) {}

    pub unsafe fn query_interface(context: PVOID, args: *mut QUERY_INTERFACE) -> NTSTATUS {
        let args = &mut *args;
        macro_rules! give {
            ($interface:expr) => {{
                let mut interface = $interface;
                if usize::from(args.Size) < size_of_val(&interface) {
                    return STATUS_BUFFER_TOO_SMALL;
                }
                interface.Size = size_of_val(&interface) as u16;
                interface.Version = 1;
                interface.Context = context;
                interface.InterfaceReference = Some(reference);
                interface.InterfaceDereference = Some(reference);
                std::ptr::write(args.Interface.cast(), interface);
                STATUS_SUCCESS
            }};
        }
        match *args.InterfaceType {
            GUID_DXGKDDI_GPU_PARTITION_INTERFACE => give!(vf::partition_interface()),
            GUID_DXGKDDI_SRIOV_INTERFACE => give!(vf::sriov_interface()),
            GUID_DXGKDDI_FLEXIOV_DEVICE_INTERFACE => give!(vf::flexiov_interface()),
            GUID_WDDM_INTERFACE_FEATURE => give!(super::engine::feature_interface()),
            _ => STATUS_NOT_SUPPORTED,
        }
    }
}

pub fn fill(table: &mut DRIVER_INITIALIZATION_DATA) {
    table.DxgkDdiQueryAdapterInfo = Some(query_adapter_info);
    table.DxgkDdiGetNodeMetadata = Some(get_node_metadata);
    table.DxgkDdiGetRootPageTableSize = Some(get_root_page_table_size);
    table.DxgkDdiQueryInterface = Some(query_interface);
}

/// What a VF gets.
pub fn segment() -> DXGK_VIRTUALGPUSEGMENTINFO {
    let mut info = DXGK_VIRTUALGPUSEGMENTINFO::zeroed();
    info.DriverSegmentId = 1;
    info.Size = VF_BYTES;
    info.Alignment = 4096;
    info.MaxSegmentOffset = VRAM as u64;
    info
}
