//! What a compute-only GPU-P driver must and must not report.
//!
//! Microsoft's pages: "MCDM KM driver: required capabilities", "Live migration on GPU-P devices".

use alloc::vec::Vec;

use wddm::{
    D3DKMDT_COMPUTE_PREEMPTION_GRANULARITY, DRIVER_INITIALIZATION_DATA, DXGK_PAGETABLEUPDATEMODE,
    DXGK_QUERYADAPTERINFOTYPE as Type, DXGK_VIDMMCAPS_VALUE as Memory, DXGK_VIDSCHCAPS as Scheduling,
    DXGK_WDDMVERSION, DXGKDDI_INTERFACE_VERSION_WDDM3_2, NTSTATUS,
};

use super::table::check_migration;
use super::{Contract, rules};
use crate::dxgkrnl::Caps;

/// Query types that a compute-only driver must not support.
const UNSUPPORTED: &[Type] = &[
    Type::DXGKQAITYPE_QUERYSEGMENT,
    Type::DXGKQAITYPE_QUERYSEGMENT2,
    Type::DXGKQAITYPE_QUERYSEGMENT3,
    Type::DXGKQAITYPE_PREFERREDGPUNODE,
    Type::DXGKQAITYPE_POWERCOMPONENTPSTATEINFO,
    Type::DXGKQAITYPE_DISPLAY_DRIVERCAPS_EXTENSION,
    Type::DXGKQAITYPE_INTEGRATED_DISPLAY_DESCRIPTOR,
    Type::DXGKQAITYPE_UEFIFRAMEBUFFERRANGES,
    Type::DXGKQAITYPE_QUERYCOLORIMETRYOVERRIDES,
    Type::DXGKQAITYPE_DISPLAYID_DESCRIPTOR,
    Type::DXGKQAITYPE_INTEGRATED_DISPLAY_DESCRIPTOR2,
    Type::DXGKQAITYPE_DEVICE_TYPE_CAPS,
];

/// Checks the capabilities; false when Dxgkrnl would fail the adapter's start over them.
pub(crate) fn check_caps(
    contract: &Contract,
    table: &DRIVER_INITIALIZATION_DATA,
    caps: &Caps,
    probe: impl Fn(Type, usize) -> NTSTATUS,
) -> bool {
    versions(contract, caps);
    driver_caps(contract, caps);
    paging(contract, caps);
    for kind in UNSUPPORTED {
        let status = probe(*kind, 64);
        contract.require(
            !status.is_success(),
            &rules::QUERY_UNSUPPORTED,
            format_args!("{kind:?} was answered"),
        );
    }
    tracking(contract, table, caps)
}

fn versions(contract: &Contract, caps: &Caps) {
    let declared = caps.interface_version == DXGKDDI_INTERFACE_VERSION_WDDM3_2;
    contract.require(
        declared == (caps.wddm == DXGK_WDDMVERSION::DXGKDDI_WDDMv3_2),
        &rules::TABLE_VERSION,
        format_args!("Version is {:#x}, DRIVERCAPS.WDDMVersion {:?}", caps.interface_version, caps.wddm),
    );
    if let Some(device) = caps.wddm_device {
        contract.require(
            device == caps.wddm,
            &rules::TABLE_VERSION,
            format_args!("DRIVERCAPS says {:?}, WDDMDEVICECAPS {device:?}", caps.wddm),
        );
    }
}

fn driver_caps(contract: &Contract, caps: &Caps) {
    let scheduling = |bit| caps.scheduling.contains(bit);
    let memory = |bit| caps.memory.contains(bit);
    let required = [
        (caps.compute_only, "ComputeOnly"),
        (caps.per_engine_tdr, "SupportPerEngineTDR"),
        (caps.preemption != D3DKMDT_COMPUTE_PREEMPTION_GRANULARITY::zeroed(), "ComputePreemptionGranularity"),
        (!caps.nodes.is_empty(), "NbAsymetricProcessingNodes"),
        (caps.highest_address != 0, "HighestAcceptableAddress"),
        (scheduling(Scheduling::MultiEngineAware), "MultiEngineAware"),
        (scheduling(Scheduling::PreemptionAware), "PreemptionAware"),
        (scheduling(Scheduling::LowIrqlPreemptCommand), "LowIrqlPreemptCommand"),
        (memory(Memory::VirtualAddressingSupported), "VirtualAddressingSupported"),
        (
            memory(Memory::GpuMmuSupported) || memory(Memory::IoMmuSupported),
            "GpuMmuSupported or IoMmuSupported",
        ),
        (caps.history_bits.is_some(), "HISTORYBUFFERPRECISION"),
    ];
    for (held, name) in required {
        contract.require(held, &rules::CAP_REQUIRED, format_args!("{name} is missing"));
    }
    for name in &caps.of_displays {
        contract.broken(&rules::CAP_PROHIBITED, format_args!("{name} is set"));
    }
    let prohibited = [
        (scheduling(Scheduling::VSyncPowerSaveAware), "VSyncPowerSaveAware"),
        (scheduling(Scheduling::NoDmaPatching), "NoDmaPatching"),
        (caps.scheduling.HwQueuePacketCap() != 0, "HwQueuePacketCap"),
        (memory(Memory::OutOfOrderLock), "OutOfOrderLock"),
        (memory(Memory::DedicatedPagingEngine), "DedicatedPagingEngine"),
        (memory(Memory::PagingEngineCanSwizzle), "PagingEngineCanSwizzle"),
        (memory(Memory::SectionBackedPrimary), "SectionBackedPrimary"),
        (memory(Memory::ReplicateGdiContent), "ReplicateGdiContent"),
        (memory(Memory::NonCpuVisiblePrimary), "NonCpuVisiblePrimary"),
        (memory(Memory::ParavirtualizationSupported), "ParavirtualizationSupported"),
    ];
    for (present, name) in prohibited {
        contract.require(!present, &rules::CAP_PROHIBITED, format_args!("{name} is set"));
    }
}

fn paging(contract: &Contract, caps: &Caps) {
    let levels = &caps.mmu.levels;
    let bits: u32 = 12 + levels.iter().map(|level| level.index_bits).sum::<u32>();
    let local_tables = levels.iter().any(|level| !caps.is_system(level.segment));
    let checks = [
        ((caps.paging_node as usize) < caps.nodes.len(), "PagingNodeIndex names no node"),
        (levels.len() >= 2, "fewer than two page table levels"),
        // The root of two levels is resizable: its index bits are what is left.
        (
            levels.len() == 2 || bits >= caps.mmu.address_bits,
            "the levels' index bits do not cover an address",
        ),
        (caps.paging_buffer.bytes >= 4096, "PagingBufferSize is below a page"),
        (
            caps.mmu.update_mode != DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_CPU_VIRTUAL
                || !local_tables,
            "PageTableUpdateMode CPU_VIRTUAL with page tables in local memory",
        ),
        (levels.iter().all(|level| level.index_bits > 0 && level.bytes > 0), "a level without entries"),
    ];
    for (held, what) in checks {
        contract.require(held, &rules::CAP_PAGING, format_args!("{what}"));
    }
}

fn tracking(contract: &Contract, table: &DRIVER_INITIALIZATION_DATA, caps: &Caps) -> bool {
    let mut sound = true;
    for segment in &caps.segments {
        if let Some(page) = segment.tracking_page {
            let held = page >= 4096 && page.is_power_of_two();
            sound &= held;
            contract.require(
                held,
                &rules::CAP_PAGE_SIZE,
                format_args!("segment {} is tracked in pages of {page} bytes", segment.id),
            );
        }
    }
    if !caps.live_migration() {
        return sound;
    }
    check_migration(contract, table);
    let untracked: Vec<u32> = caps
        .segments
        .iter()
        .filter(|segment| segment.is_local() && segment.tracking_page.is_none())
        .map(|segment| segment.id)
        .collect();
    contract.require(
        untracked.is_empty(),
        &rules::CAP_TRACKING,
        format_args!("LiveMigration is reported, but segments {untracked:?} are not tracked"),
    );
    sound && untracked.is_empty()
}
