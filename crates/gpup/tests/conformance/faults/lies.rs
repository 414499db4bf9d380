//! Refusals that become successes.

use wddm::*;

use super::{Case, NO_VF, STALE, WRONG_STATE, lie, vf};
use crate::wrap::Call;

/// The VF that config space calls name.
fn config_vf(c: &Call<'_>) -> u32 {
    c.at(1, 8)
}

/// QUERY_INTERFACE begins with a pointer to the GUID.
fn guid(c: &Call<'_>) -> GUID {
    crate::wrap::get(c.at(1, 0))
}

/// An unknown VF, named at the start of the argument structure.
fn no_vf(name: &'static str) -> crate::wrap::Fault {
    lie(name, |c, _, _| vf(c) == NO_VF)
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        ("start.child-status", lie("DxgkDdiQueryChildStatus", |_, _, _| true)),
        ("start.child-descriptor", lie("DxgkDdiQueryDeviceDescriptor", |_, _, _| true)),
        ("start.twice", lie("DxgkDdiStartDevice", |c, world, _| world.life(c.args[0]).runs())),
        ("start.stopped", lie("DxgkDdiPrepareLiveMigration", |c, world, _| !world.life(c.args[0]).runs())),
        ("query.unknown-type", query(|kind, _, _| kind == 0x7FFF)),
        ("query.input.short", query(|_, input, _| input.len() == 1)),
        ("query.gpummucaps.adapter", query(|kind, input, _| kind == 13 && input.first() == Some(&9))),
        (
            "query.physicaladaptercaps.adapter",
            query(|kind, input, _| kind == 15 && input.first() == Some(&9)),
        ),
        ("query.segment4.adapter", query(|kind, input, _| kind == 11 && input.first() == Some(&9))),
        (
            "query.pagetablelevel.level",
            query(|kind, _, bytes| kind == 14 && bytes == size_of::<DXGK_PAGE_TABLE_LEVEL_DESC>()),
        ),
        ("query.tracking.segment", query(|kind, input, _| kind == 40 && input.first() == Some(&6))),
        ("query.node.unknown", lie("DxgkDdiGetNodeMetadata", |c, _, _| c.args[1] as u32 == 2)),
        ("query.node.adapter", lie("DxgkDdiGetNodeMetadata", |c, _, _| c.args[1] as u32 == 9 << 16)),
        ("interface.unknown", lie("DxgkDdiQueryInterface", |c, _, _| guid(c).Data1 == 0x5A5A_5A5A)),
        ("partition.count.unoffered", lie("DxgkDdiSetGpuPartitionCount", |c, _, _| vf(c) == 3)),
        (
            "partition.count.with-vf",
            lie("DxgkDdiSetGpuPartitionCount", |c, world, _| vf(c) == 1 && !world.parallel),
        ),
        ("partition.profile.unoffered", lie("DxgkDdiGetVirtualGpuProfile", |c, _, _| vf(c) == 3)),
        ("partition.create.unknown", no_vf("DxgkDdiCreateVirtualGpu")),
        (
            "partition.create.twice",
            lie("DxgkDdiCreateVirtualGpu", |c, _, status| vf(c) == 0 && status == WRONG_STATE),
        ),
        (
            "partition.create.contradiction",
            lie("DxgkDdiCreateVirtualGpu", |c, _, _| c.at::<u64>(1, 8) > c.at::<u64>(1, 16)),
        ),
        ("partition.create.too-much", lie("DxgkDdiCreateVirtualGpu", |c, _, _| c.at::<u64>(1, 8) == 1 << 50)),
        ("partition.info.unknown", lie("DxgkDdiGetVirtualGpuInfo", |c, _, _| vf(c) == 0)),
        ("partition.destroy.unknown", no_vf("DxgkDdiDestroyVirtualGpu")),
        ("partition.destroy.twice", lie("DxgkDdiDestroyVirtualGpu", |c, _, _| vf(c) == 0)),
        ("partition.vmbus.unknown", no_vf("DxgkDdiSetVirtualGpuVmBus")),
        ("partition.suspend.unknown", no_vf("DxgkDdiSuspendVirtualGpu")),
        ("partition.resume.unknown", no_vf("DxgkDdiResumeVirtualGpu")),
        ("resources.unknown-vf", no_vf("DxgkDdiSetVirtualGpuResources")),
        (
            "resources.powered",
            lie("DxgkDdiSetVirtualGpuResources", |c, _, status| vf(c) == 0 && status == WRONG_STATE),
        ),
        ("resources.none", resources(|c| c.at::<u32>(1, 4) == 0)),
        ("resources.empty-piece", resources(|c| c.at::<u32>(1, 4) == 2 && c.at::<u64>(1, 64) == 0)),
        ("resources.unaligned", resources(|c| c.at::<u64>(1, 24) % 4096 == 512)),
        ("resources.out-of-range", resources(|c| c.at::<u64>(1, 24) == 1 << 52)),
        ("resources.overlap", resources(|c| c.at::<u32>(1, 4) == 2 && c.at::<u64>(1, 64) > 0)),
        ("resources.segment", resources(|c| c.at::<u32>(1, 16) == 77)),
        ("resources.too-many", resources(|c| c.at::<u32>(1, 4) == 33)),
        ("resources2.unknown-vf", no_vf("DxgkDdiSetVirtualGpuResources2")),
        (
            "resources2.stale-basis",
            lie("DxgkDdiSetVirtualGpuResources2", |c, _, status| vf(c) == 0 && status == STALE),
        ),
        (
            "resources2.powered",
            lie("DxgkDdiSetVirtualGpuResources2", |c, _, status| vf(c) == 0 && status == WRONG_STATE),
        ),
        ("config.read.unknown-vf", lie("DxgkDdiReadVirtualFunctionConfig", |c, _, _| config_vf(c) == NO_VF)),
        (
            "config.read.outside",
            lie("DxgkDdiReadVirtualFunctionConfig", |c, _, _| c.at::<u32>(1, 12) == 0x1_0000),
        ),
        (
            "config.read.across-end",
            lie("DxgkDdiReadVirtualFunctionConfig", |c, _, _| c.at::<u32>(1, 16) == 0x2000),
        ),
        (
            "config.write.unknown-vf",
            lie("DxgkDdiWriteVirtualFunctionConfig", |c, _, _| config_vf(c) == NO_VF),
        ),
        (
            "config.write.outside",
            lie("DxgkDdiWriteVirtualFunctionConfig", |c, _, _| c.at::<u32>(1, 12) == 0x1_0000),
        ),
        ("config.block.read", lie("DxgkDdiReadVirtualFunctionConfigBlock", |c, _, _| config_vf(c) == NO_VF)),
        (
            "config.block.write",
            lie("DxgkDdiWriteVirtualFunctionConfigBlock", |c, _, _| config_vf(c) == NO_VF),
        ),
        ("bar.unknown-vf", no_vf("DxgkDdiGetResourceForBar")),
        ("bar.index", lie("DxgkDdiGetResourceForBar", |c, _, _| c.at::<u32>(1, 4) == 6)),
        ("vf-power.unknown-vf", no_vf("DxgkDdiSetVirtualFunctionPowerState")),
        (
            "vf-power.unknown-state",
            lie("DxgkDdiSetVirtualFunctionPowerState", |c, _, _| c.at::<i32>(1, 4) == 5),
        ),
        (
            "vf-power.no-memory",
            lie("DxgkDdiSetVirtualFunctionPowerState", |_, _, status| status == WRONG_STATE),
        ),
        ("vf-reset.unknown-vf", no_vf("DxgkDdiResetVirtualFunction")),
        ("pause.unknown-vf", no_vf("DxgkDdiSetVirtualFunctionPauseState")),
        ("msix.unknown-vf", no_vf("DxgkDdiWriteVirtualizedInterrupt")),
        (
            "msix.past-end",
            lie("DxgkDdiWriteVirtualizedInterrupt", |c, _, _| vf(c) == 0 && c.at::<i16>(1, 4) == 3),
        ),
        ("msix.negative", lie("DxgkDdiWriteVirtualizedInterrupt", |c, _, _| c.at::<i16>(1, 4) == -1)),
        ("flexiov.resource.unknown-vf", no_vf("DxgkDdiGetBackingResource")),
        ("flexiov.count.unknown-vf", no_vf("DxgkDdiGetMmioRangeCount")),
        ("flexiov.ranges.unknown-vf", no_vf("DxgkDdiGetMmioRanges")),
        ("flexiov.ranges.short", lie("DxgkDdiGetMmioRanges", |c, _, _| c.at::<u32>(1, 8) == 2)),
        ("flexiov.ranges.bar", lie("DxgkDdiGetMmioRanges", |c, _, _| c.at::<u32>(1, 4) == 6)),
        ("mitigable.ranges.unknown-vf", no_vf("DxgkDdiQueryMitigatedRanges")),
        ("mitigable.ranges.short", lie("DxgkDdiQueryMitigatedRanges", |c, _, _| c.at::<u32>(1, 8) == 0)),
        ("mitigable.ranges.bar", lie("DxgkDdiQueryMitigatedRanges", |c, _, _| c.at::<u32>(1, 4) == 6)),
        ("process.stale", lie("DxgkDdiDestroyProcess", |_, _, _| true)),
        ("device.stale-process", lie("DxgkDdiCreateDevice", |_, _, _| true)),
        ("device.stale", lie("DxgkDdiDestroyDevice", |_, _, _| true)),
        ("context.unknown-node", lie("DxgkDdiCreateContext", |c, _, _| c.at::<u32>(1, 8) == 2)),
        ("context.affinity", lie("DxgkDdiCreateContext", |c, _, _| c.at::<u32>(1, 12) == 16)),
        ("context.stale-device", lie("DxgkDdiCreateContext", |_, _, status| status == STALE)),
        ("context.stale", lie("DxgkDdiDestroyContext", |_, _, _| true)),
        (
            "allocation.standard.unknown",
            lie("DxgkDdiGetStandardAllocationDriverData", |c, _, _| c.at::<i32>(1, 0) == 0x7F),
        ),
        (
            "allocation.standard.short",
            lie("DxgkDdiGetStandardAllocationDriverData", |_, _, status| status == STATUS_BUFFER_TOO_SMALL),
        ),
        ("allocation.create.short", lie("DxgkDdiCreateAllocation", |c, _, _| c.at::<u32>(1, 12) == 1)),
        ("allocation.destroy.stale", lie("DxgkDdiDestroyAllocation", |_, _, _| true)),
        ("allocation.describe.stale", lie("DxgkDdiDescribeAllocation", |_, _, _| true)),
        ("allocation.open.stale-device", lie("DxgkDdiOpenAllocation", |_, _, _| true)),
        ("allocation.close.twice", lie("DxgkDdiCloseAllocation", |_, _, _| true)),
        ("submit.stale-context", submit(|c, last| legal(c) && last == "DxgkDdiDestroyDevice")),
        ("submit.no-root", submit(|c, last| legal(c) && last == "DxgkDdiCreateContext")),
        ("submit.unknown-node", submit(|c, _| c.at::<u32>(1, 60) == 2)),
        ("submit.wrong-node", submit(|c, _| c.at::<u32>(1, 60) == 0)),
        ("preempt.unknown-node", lie("DxgkDdiPreemptCommand", |_, _, _| true)),
        ("engine.status.unknown-node", lie("DxgkDdiQueryEngineStatus", |_, _, _| true)),
        ("engine.dependents.unknown-node", lie("DxgkDdiQueryDependentEngineGroup", |_, _, _| true)),
        ("engine.reset.unknown-node", lie("DxgkDdiResetEngine", |_, _, _| true)),
        ("clock.unknown-node", lie("DxgkDdiCalibrateGpuClock", |_, _, _| true)),
        ("history.stale-context", lie("DxgkDdiFormatHistoryBuffer", |_, _, status| status == STALE)),
        ("history.short", lie("DxgkDdiFormatHistoryBuffer", |c, _, _| c.at::<u32>(1, 8) == 1)),
        ("escape.empty", lie("DxgkDdiEscape", |c, _, _| escape_bytes(c) == 0)),
        ("escape.short", lie("DxgkDdiEscape", |c, _, _| escape_bytes(c) == 3)),
        ("vf-escape.unknown-vf", no_vf("DxgkDdiVirtualGpuDriverEscape")),
        ("vf-escape.short", lie("DxgkDdiVirtualGpuDriverEscape", |c, _, _| c.at::<u32>(1, 4) == 4)),
        (
            "vf-escape.luid",
            lie("DxgkDdiVirtualGpuDriverEscape", |c, _, _| vf(c) == 0 && c.at::<u32>(1, 4) == 168),
        ),
        ("machine.stale-process", lie("DxgkDdiSetVirtualMachineData", |_, _, _| true)),
    ];
    cases.extend(interfaces());
    cases
}

fn escape_bytes(c: &Call<'_>) -> u32 {
    c.read::<DXGKARG_ESCAPE>(1).PrivateDriverDataSize
}

fn resources(when: fn(&Call<'_>) -> bool) -> crate::wrap::Fault {
    lie("DxgkDdiSetVirtualGpuResources", move |c, world, _| vf(c) == 0 && world.vf(0).power == 0 && when(c))
}

fn submit(when: fn(&Call<'_>, &str) -> bool) -> crate::wrap::Fault {
    lie("DxgkDdiSubmitCommandVirtual", move |c, world, _| when(c, world.last))
}

/// A submission whose numbers are all right.
fn legal(c: &Call<'_>) -> bool {
    c.at::<usize>(1, 0) != 0 && c.at::<u32>(1, 60) == 1 && c.at::<u32>(1, 56) == 0
}

/// A query by its type, the bytes of its input, and the size of its output.
fn query(when: fn(i32, &[u8], usize) -> bool) -> crate::wrap::Fault {
    lie("DxgkDdiQueryAdapterInfo", move |c, _, _| {
        let args: DXGKARG_QUERYADAPTERINFO = c.read(1);
        let input: Vec<u8> = (0..args.InputDataSize as usize)
            .map(|at| crate::wrap::get(args.pInputData as usize + at))
            .collect();
        when(args.Type.0, &input, args.OutputDataSize as usize)
    })
}

/// Version 0x100 and the last byte, of each interface.
fn interfaces() -> Vec<Case> {
    let known: [(&str, &str, GUID, usize); 5] = [
        (
            "interface.partition.version",
            "interface.partition.short",
            GUID_DXGKDDI_GPU_PARTITION_INTERFACE,
            size_of::<DXGKDDI_GPU_PARTITION_INTERFACE>(),
        ),
        (
            "interface.sriov.version",
            "interface.sriov.short",
            GUID_DXGKDDI_SRIOV_INTERFACE,
            size_of::<DXGKDDI_SRIOV_INTERFACE>(),
        ),
        (
            "interface.mitigable.version",
            "interface.mitigable.short",
            GUID_DXGKDDI_MITIGABLE_DEVICE_INTERFACE,
            size_of::<DXGKDDI_MITIGABLE_DEVICE_INTERFACE>(),
        ),
        (
            "interface.flexiov.version",
            "interface.flexiov.short",
            GUID_DXGKDDI_FLEXIOV_DEVICE_INTERFACE,
            size_of::<DXGKDDI_FLEXIOV_DEVICE_INTERFACE>(),
        ),
        (
            "interface.feature.version",
            "interface.feature.short",
            GUID_WDDM_INTERFACE_FEATURE,
            size_of::<DXGKDDI_FEATURE_INTERFACE>(),
        ),
    ];
    let faults = |(version, short, kind, bytes): (&'static str, &'static str, GUID, usize)| {
        [
            (
                version,
                lie("DxgkDdiQueryInterface", move |c, _, _| guid(c) == kind && c.at::<u16>(1, 10) == 0x100),
            ),
            (
                short,
                lie("DxgkDdiQueryInterface", move |c, _, _| {
                    guid(c) == kind && usize::from(c.at::<u16>(1, 8)) == bytes - 1
                }),
            ),
        ]
    };
    known.into_iter().flat_map(faults).collect()
}
