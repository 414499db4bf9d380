//! Answers that are altered, and legal calls that fail or do something else.

use std::mem::offset_of;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use wddm::*;

use super::{Case, FAILED, NO_VF, OK, after, deny, fail, nth, vf};
use crate::world::fault;
use crate::wrap::{Call, Fault, direct, get, put};

pub(super) fn cases() -> Vec<Case> {
    [start(), queries(), caps(), partition(), config(), functions()].into_iter().flatten().collect()
}

fn start() -> Vec<Case> {
    let device_removed = |when: fn(&crate::world::Life) -> bool| {
        deny("DxgkDdiRemoveDevice", move |c, world| when(&world.life(c.args[0])))
    };
    vec![
        (
            "start.add.context",
            after("DxgkDdiAddDevice", |c, world| {
                if world.count(c.name) == 1 {
                    put(c.args[1], 0usize);
                }
            }),
        ),
        ("start.order", device_removed(|life| life.starts == 1 && life.stops == 1 && !life.surprised)),
        ("start.again", fail("DxgkDdiStartDevice", |c, world| world.life(c.args[0]).stops > 0)),
        ("start.failed", fail("DxgkDdiStartDevice", |c, world| world.life(c.args[0]).failed > 0)),
        ("start.never", device_removed(|life| life.starts == 0 && life.failed == 0 && life.stops == 0)),
        ("start.stop.twice", device_removed(|life| life.stops > 1 && life.starts == 1)),
        ("start.others", others()),
        ("start.stop.with-vf", stop_with_vf()),
        (
            "start.surprise.idle",
            fail("DxgkDdiNotifySurpriseRemoval", |c, world| !world.life(c.args[0]).runs()),
        ),
        ("start.surprise", deny("DxgkDdiStopDevice", |c, world| world.life(c.args[0]).surprised)),
        (
            "start.memory-caps",
            after("DxgkDdiQueryAdapterInfo", |c, world| {
                let args: DXGKARG_QUERYADAPTERINFO = c.read(1);
                if args.Type.0 == 34 && !world.life(c.args[0]).runs() {
                    put(args.pOutputData as usize, 42u64);
                }
            }),
        ),
        (
            "start.device-caps",
            fail("DxgkDdiQueryAdapterInfo", |c, world| {
                let kind = c.read::<DXGKARG_QUERYADAPTERINFO>(1).Type;
                kind == DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_WDDMDEVICECAPS && !world.life(c.args[0]).runs()
            }),
        ),
        ("start.child-relations", after("DxgkDdiQueryChildRelations", |c, _| put(c.args[1], 1u32))),
        (
            "power.cycle",
            deny("DxgkDdiSetPowerState", |c, world| {
                c.args[2] as u32 == 1 && world.power == 4 && world.vf(0).power == 1
            }),
        ),
        ("power.again", fail("DxgkDdiSetPowerState", |c, world| c.args[2] as u32 == 1 && world.power != 4)),
        ("power.unknown-device", fail("DxgkDdiSetPowerState", |c, _| c.args[1] == 1)),
        ("power.unknown-state", fail("DxgkDdiSetPowerState", |c, _| c.args[2] as u32 == 5)),
        ("timeout.adapter", deny("DxgkDdiRestartFromTimeout", |c, world| world.count(c.name) == 0)),
    ]
}

/// The first StopDevice while a VF exists is done, and said to have failed.
fn stop_with_vf() -> Fault {
    let first = nth(0);
    deny("DxgkDdiStopDevice", move |_, world| world.vf(0).alive && world.vf(0).power == 0 && first())
}

/// After StopDevice of one adapter the next large query of any fails, until another one is added.
fn others() -> Fault {
    let stopped = AtomicU32::new(0);
    fault(move |c, _| {
        match c.name {
            "DxgkDdiAddDevice" => stopped.store(0, Ordering::SeqCst),
            "DxgkDdiStopDevice" => stopped.store(1, Ordering::SeqCst),
            "DxgkDdiQueryAdapterInfo" if c.read::<DXGKARG_QUERYADAPTERINFO>(1).OutputDataSize == 4096 => {
                return (stopped.load(Ordering::SeqCst) == 1).then_some(FAILED);
            }
            _ => {}
        }
        None
    })
}

fn queries() -> Vec<Case> {
    let kinds = [
        ("query.drivercaps", 1, size_of::<DXGK_DRIVERCAPS>()),
        ("query.wddmdevicecaps", DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_WDDMDEVICECAPS.0, 4),
        ("query.numpowercomponents", 6, 4),
        ("query.historybufferprecision", 10, 4),
        ("query.segment4", 11, size_of::<DXGK_QUERYSEGMENTOUT4>()),
        ("query.gpummucaps", 13, size_of::<DXGK_GPUMMUCAPS>()),
        ("query.pagetablelevel", 14, size_of::<DXGK_PAGE_TABLE_LEVEL_DESC>()),
        ("query.physicaladaptercaps", 15, size_of::<DXGK_PHYSICALADAPTERCAPS>()),
        ("query.gpupcaps", 30, size_of::<DXGK_GPUPCAPS>()),
        ("query.trackingcaps", 39, 4),
        ("query.trackingsegmentcaps", 40, 4),
        ("query.physicalmemorycaps", 34, size_of::<DXGK_PHYSICAL_MEMORY_CAPS>()),
        ("query.iommucaps", 35, size_of::<DXGK_IOMMU_CAPS>()),
        (
            "query.gpuversion",
            DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_GPUVERSION.0,
            size_of::<DXGK_GPUVERSION>(),
        ),
        (
            "query.nodeperfdata",
            DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_NODEPERFDATA.0,
            size_of::<DXGK_NODE_PERFDATA>(),
        ),
        (
            "query.adapterperfdata",
            DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_ADAPTERPERFDATA.0,
            size_of::<DXGK_ADAPTER_PERFDATA>(),
        ),
        (
            "query.adapterperfdatacaps",
            DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_ADAPTERPERFDATA_CAPS.0,
            size_of::<DXGK_ADAPTER_PERFDATACAPS>(),
        ),
    ];
    let rules = dxgksim::check::rules();
    let id = |name: String| rules.iter().find(|rule| rule.id == name).expect("a rule of each type").id;
    let mut cases: Vec<Case> = Vec::new();
    for (name, kind, bytes) in kinds {
        let sized = move |c: &Call<'_>, size: usize| {
            let args: DXGKARG_QUERYADAPTERINFO = c.read(1);
            args.Type.0 == kind && args.OutputDataSize as usize == size
        };
        cases.push((
            id(format!("{name}.short")),
            super::fault(move |c, _| {
                // A byte that no answer begins with.
                (c.name == "DxgkDdiQueryAdapterInfo" && sized(c, 1)).then(|| {
                    put(c.read::<DXGKARG_QUERYADAPTERINFO>(1).pOutputData as usize, 0x99u8);
                    OK
                })
            }),
        ));
        cases.push((
            id(format!("{name}.answer")),
            after("DxgkDdiQueryAdapterInfo", move |c, _| {
                let at = c.read::<DXGKARG_QUERYADAPTERINFO>(1).pOutputData as usize;
                if sized(c, bytes + 64) {
                    put(at, !get::<u8>(at));
                }
            }),
        ));
    }
    cases.push((
        "query.segment4.first",
        after("DxgkDdiQueryAdapterInfo", |c, _| {
            let args: DXGKARG_QUERYADAPTERINFO = c.read(1);
            let at = args.pOutputData as usize;
            if args.Type.0 == 11 && get::<DXGK_QUERYSEGMENTOUT4>(at).PagingBufferSize == 0x5A5A_5A5A {
                put(at + offset_of!(DXGK_QUERYSEGMENTOUT4, PagingBufferSize), 4096u32);
            }
        }),
    ));
    cases.push((
        "query.segment4.stride",
        after("DxgkDdiQueryAdapterInfo", |c, _| {
            let args: DXGKARG_QUERYADAPTERINFO = c.read(1);
            if args.Type.0 == 11 {
                let out: DXGK_QUERYSEGMENTOUT4 = get(args.pOutputData as usize);
                if out.SegmentDescriptorStride > size_of::<DXGK_SEGMENTDESCRIPTOR4>() {
                    put(out.pSegmentDescriptor as usize, 0x5Au8);
                }
            }
        }),
    ));
    cases
}

/// The output of a successful query of a type is altered.
fn output(kind: i32, edit: fn(usize)) -> Fault {
    after("DxgkDdiQueryAdapterInfo", move |c, _| {
        let args: DXGKARG_QUERYADAPTERINFO = c.read(1);
        if args.Type.0 == kind {
            edit(args.pOutputData as usize);
        }
    })
}

fn caps() -> Vec<Case> {
    vec![
        ("caps.nodes", output(15, |at| put(at, 7u16))),
        (
            "caps.physical-handle",
            output(15, |at| {
                put(at + offset_of!(DXGK_PHYSICALADAPTERCAPS, DxgkPhysicalAdapterHandle), 0usize);
            }),
        ),
        (
            "caps.surprise",
            output(1, |at| {
                put(at + offset_of!(DXGK_DRIVERCAPS, SupportSurpriseRemovalInHibernation), 0u8);
            }),
        ),
        (
            "caps.paging-node",
            after("DxgkDdiGetNodeMetadata", |c, _| {
                if c.args[1] as u32 == 1 {
                    c.put(2, offset_of!(DXGK_NODEMETADATA, GpuMmuSupported), 0u8);
                }
            }),
        ),
        (
            "caps.node-name",
            after("DxgkDdiGetNodeMetadata", |c, _| {
                c.put(2, offset_of!(DXGK_NODEMETADATA, FriendlyName), 0u16)
            }),
        ),
        (
            "caps.perf.power",
            output(DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_ADAPTERPERFDATA.0, |at| {
                put(at + offset_of!(DXGK_ADAPTER_PERFDATA, PowerStateOverride), 0u8);
            }),
        ),
        (
            "caps.perf.frequency",
            output(DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_NODEPERFDATA.0, |at| {
                put(at + offset_of!(DXGK_NODE_PERFDATA, MaxFrequencyOC), 0u64);
            }),
        ),
        (
            "caps.performant",
            after("DxgkDdiQueryAdapterInfo", |c, _| {
                let args: DXGKARG_QUERYADAPTERINFO = c.read(1);
                match args.Type.0 {
                    39 => put(args.pOutputData as usize, 2u32),
                    // Without tracking there is no live migration.
                    30 => put(args.pOutputData as usize, 8u32),
                    _ => {}
                }
            }),
        ),
        (
            "caps.root",
            fault(|c, _| (c.name == "DxgkDdiGetRootPageTableSize" && vf(c) == 1).then(|| c.forward() + 8)),
        ),
        (
            "caps.segments",
            after("DxgkDdiQueryAdapterInfo", |c, _| {
                let args: DXGKARG_QUERYADAPTERINFO = c.read(1);
                if args.Type.0 == 11 {
                    let out: DXGK_QUERYSEGMENTOUT4 = get(args.pOutputData as usize);
                    if !out.pSegmentDescriptor.is_null() {
                        let at = out.pSegmentDescriptor as usize + offset_of!(DXGK_SEGMENTDESCRIPTOR4, Size);
                        put(at, get::<u64>(at) - 100);
                    }
                }
            }),
        ),
        (
            "caps.scatter",
            fail("DxgkDdiQueryAdapterInfo", |c, _| c.read::<DXGKARG_QUERYADAPTERINFO>(1).Type.0 == 41),
        ),
        (
            "interface.longer",
            fail("DxgkDdiQueryInterface", |c, _| {
                usize::from(c.at::<u16>(1, 8)) == size_of::<DXGKDDI_SRIOV_INTERFACE>() + 64
            }),
        ),
    ]
}

fn partition() -> Vec<Case> {
    let (info, again) = ("DxgkDdiGetGpuPartitionInfo", nth(1));
    vec![
        (
            "partition.options.short",
            fault(move |c, _| {
                (c.name == info && vf(c) == 2).then(|| {
                    c.forward();
                    STATUS_INSUFFICIENT_RESOURCES.0 as u32 as usize
                })
            }),
        ),
        (
            "partition.options.longer",
            fault(move |c, _| {
                (c.name == info && vf(c) == 6).then(|| {
                    let result = c.forward();
                    put(c.at::<usize>(1, 8) + 10, 0u16);
                    result
                })
            }),
        ),
        ("partition.options.order", one_option_more()),
        (
            "partition.options.current",
            after(info, |c, world| {
                if world.last != "DxgkDdiSetPowerState" {
                    c.put(1, 16, 9u16);
                }
            }),
        ),
        ("partition.profile.flags", after("DxgkDdiGetVirtualGpuProfile", |c, _| c.put(1, 4, 0u32))),
        (
            "partition.profile.total",
            after("DxgkDdiGetVirtualGpuProfile", |c, _| {
                let each = size_of::<DXGK_VGPU_PROFILE_CAPABILITY>();
                let at = offset_of!(DXGKARG_GETVIRTUALGPUPROFILE, ProfileCapability) + each;
                c.put(1, at + offset_of!(DXGK_VGPU_PROFILE_CAPABILITY, AvailableValue), 5u64);
            }),
        ),
        (
            "partition.create.engines",
            after("DxgkDdiCreateVirtualGpu", |c, _| {
                c.put(1, offset_of!(DXGKARG_CREATEVIRTUALGPU, NumEngines), 1u32)
            }),
        ),
        (
            "partition.create.provider",
            after("DxgkDdiCreateVirtualGpu", |c, _| {
                c.put(1, offset_of!(DXGKARG_CREATEVIRTUALGPU, UserModeVirtualDeviceProvider), [0u64; 2]);
            }),
        ),
        (
            "partition.create.range",
            after("DxgkDdiCreateVirtualGpu", |c, _| {
                let end = offset_of!(DXGK_VIRTUALGPUSEGMENTINFO, MaxSegmentOffset);
                c.put(1, offset_of!(DXGKARG_CREATEVIRTUALGPU, SegmentInfo) + end, u64::MAX);
            }),
        ),
        ("partition.create.luid", same_luid()),
        ("partition.info.bounds", after("DxgkDdiGetVirtualGpuInfo", |c, _| c.put(1, 8 + 24 + 16, 5u64))),
        (
            "partition.info.memory",
            after("DxgkDdiGetVirtualGpuInfo", |c, _| {
                c.put(1, 8, 0u64);
                c.put(1, 24, 4096u64);
            }),
        ),
        (
            "partition.destroy.again",
            // The first time its VF follows the end of another one.
            fail("DxgkDdiCreateVirtualGpu", move |c, world| {
                vf(c) == 3 && world.last == "DxgkDdiDestroyVirtualGpu" && again()
            }),
        ),
        ("partition.destroy.others", neighbour_changes()),
        ("partition.vmbus.again", second("DxgkDdiSetVirtualGpuVmBus")),
        (
            "resources.again",
            fail("DxgkDdiSetVirtualGpuResources", |c, world| {
                let it = world.vf(vf(c));
                it.resources > 0 && it.power == 0
            }),
        ),
    ]
}

/// The second successful call of VF 0 fails.
fn second(name: &'static str) -> Fault {
    let done = AtomicU32::new(0);
    fault(move |c, _| {
        (c.name == name && vf(c) == 0 && done.fetch_add(1, Ordering::SeqCst) == 1).then_some(FAILED)
    })
}

/// The options are said to be one more: the last one again.
fn one_option_more() -> Fault {
    fault(|c, _| {
        if c.name != "DxgkDdiGetGpuPartitionInfo" {
            return None;
        }
        let places = vf(c);
        if places < 4 {
            c.put(1, 0, 4u32);
            c.put(1, 16, 4u16);
            return Some(STATUS_BUFFER_TOO_SMALL.0 as u32 as usize);
        }
        let result = c.forward();
        put(c.at::<usize>(1, 8) + 6, 4u16);
        c.put(1, 0, 4u32);
        Some(result)
    })
}

fn same_luid() -> Fault {
    let first = AtomicUsize::new(0);
    after("DxgkDdiCreateVirtualGpu", move |c, _| {
        let at = offset_of!(DXGKARG_CREATEVIRTUALGPU, VirtualGpuLuid);
        match vf(c) {
            0 => first.store(c.at(1, at), Ordering::SeqCst),
            1 => c.put(1, at, first.load(Ordering::SeqCst)),
            _ => {}
        }
    })
}

/// When VF 1 goes while VF 0 does not migrate, VF 0 has something else than before.
fn neighbour_changes() -> Fault {
    let gone = AtomicU32::new(0);
    fault(move |c, world| match c.name {
        "DxgkDdiCreateVirtualGpu" => {
            gone.store(0, Ordering::SeqCst);
            None
        }
        "DxgkDdiDestroyVirtualGpu" if vf(c) == 1 && world.vf(0).role.is_none() => {
            gone.store(1, Ordering::SeqCst);
            None
        }
        "DxgkDdiGetVirtualGpuInfo" if vf(c) == 0 && gone.load(Ordering::SeqCst) == 1 => {
            let result = c.forward();
            c.put(1, 8 + 24, 0u64);
            c.put(1, 8 + 24 + 8, 9u64);
            Some(result)
        }
        _ => None,
    })
}

/// Offset, length and first byte of a config space call on VF 0.
pub(super) fn span(c: &Call<'_>) -> Option<(u32, u32)> {
    (c.at::<u32>(1, 8) == 0).then(|| (c.at(1, 12), c.at(1, 16)))
}

/// Writes a byte of a VF's config space behind everybody's back.
pub(super) fn scribble(context: usize, index: u32, byte: u8) {
    let mut byte = [byte];
    let mut args = DXGKARG_WRITEVIRTUALFUNCTIONCONFIG {
        Data: byte.as_mut_ptr().cast(),
        VirtualFunctionIndex: index,
        Offset: 0x3C,
        Length: 1,
    };
    direct("DxgkDdiWriteVirtualFunctionConfig", context, &raw mut args as usize);
}

fn config() -> Vec<Case> {
    let (read, write) = ("DxgkDdiReadVirtualFunctionConfig", "DxgkDdiWriteVirtualFunctionConfig");
    let flip = |c: &Call<'_>| put(c.at(1, 0), !get::<u8>(c.at(1, 0)));
    vec![
        (
            "config.read.bytes",
            after(read, move |c, _| {
                if span(c) == Some((5, 1)) {
                    flip(c);
                }
            }),
        ),
        (
            "config.write.line",
            fault(move |c, _| {
                (c.name == write && span(c) == Some((0x3C, 1)) && get::<u8>(c.at(1, 0)) == 0x5A).then_some(OK)
            }),
        ),
        ("config.write.read-only", read_only(read, write)),
        (
            "config.write.bars",
            after(read, move |c, _| {
                if span(c) == Some((0x10, 4)) {
                    flip(c);
                }
            }),
        ),
        (
            "config.other-vf",
            after(write, |c, _| {
                if span(c) == Some((0x3C, 1)) && get::<u8>(c.at(1, 0)) == 0x77 {
                    scribble(c.args[0], 1, 0x77);
                }
            }),
        ),
        (
            "bars.unknown-vf",
            after("DxgkDdiQueryProbedBars", |c, _| {
                if vf(c) == NO_VF {
                    put(c.at(1, 8), 0u32);
                }
            }),
        ),
        (
            "bars.rest",
            after("DxgkDdiQueryProbedBars", |c, _| {
                if vf(c) == 1 {
                    put(c.at::<usize>(1, 8) + 20, 0x3000_0000u32);
                }
            }),
        ),
        ("vendor.config", after("DxgkDdiGetVendorAndDevice", |c, _| c.put(1, 6, 0x5A5Au16))),
        ("location.function", after("DxgkDdiGetDeviceLocation", |c, _| c.put(1, 12, vf(c)))),
        (
            "vf-luid.created",
            after("DxgkDdiQueryVirtualFunctionLuid", |c, _| {
                if vf(c) == 0 {
                    put(c.at(1, 8), 0x1234_5678u32);
                }
            }),
        ),
        (
            "vf-luid.unknown-vf",
            after("DxgkDdiQueryVirtualFunctionLuid", |c, _| {
                if vf(c) == NO_VF {
                    put(c.at(1, 8), 0u64);
                }
            }),
        ),
    ]
}

/// Once the subsystem ids were written they read otherwise by themselves.
fn read_only(read: &'static str, write: &'static str) -> Fault {
    let written = AtomicU32::new(0);
    fault(move |c, _| {
        if c.name == write && span(c) == Some((0x2C, 4)) {
            written.store(1, Ordering::SeqCst);
        }
        (c.name == read && span(c) == Some((0x2C, 4)) && written.load(Ordering::SeqCst) == 1).then(|| {
            let result = c.forward();
            put(c.at(1, 0), 0u32);
            result
        })
    })
}

fn functions() -> Vec<Case> {
    let (power, reset) = ("DxgkDdiSetVirtualFunctionPowerState", "DxgkDdiResetVirtualFunction");
    let pause = "DxgkDdiSetVirtualFunctionPauseState";
    let pauses = |c: &Call<'_>| c.at::<u8>(1, 4) != 0;
    vec![
        ("vf-power.again", fail(power, |c, world| world.vf(vf(c)).power == c.at::<i32>(1, 4))),
        (
            "vf-power.memory",
            after(power, |c, world| {
                if c.at::<i32>(1, 4) == 1 && world.vf(vf(c)).was_off {
                    scribble(c.args[0], vf(c), 0x99);
                }
            }),
        ),
        ("vf-reset.config", after(reset, |c, _| scribble(c.args[0], 0, 9))),
        (
            "vf-reset.memory",
            fault(move |c, world| {
                (c.name == reset && vf(c) == 0 && world.last_ranges < 2).then(|| {
                    scribble(c.args[0], 0, 0);
                    OK
                })
            }),
        ),
        ("vf-reset.off", fail(reset, |c, world| world.vf(vf(c)).power == 4)),
        ("vf-reset.paused", fail(reset, |c, world| world.vf(vf(c)).paused)),
        (
            "vf-reset.others",
            after(reset, |c, world| {
                if vf(c) == 0 && world.vf(1).alive {
                    let mut args = DXGKARG_RESETVIRTUALFUNCTION { VirtualFunctionIndex: 1 };
                    direct("DxgkDdiResetVirtualFunction", c.args[0], &raw mut args as usize);
                }
            }),
        ),
        ("pause.again", fail(pause, move |c, world| pauses(c) && world.vf(vf(c)).paused)),
        ("pause.never", fail(pause, move |c, world| vf(c) == 0 && !pauses(c) && !world.vf(vf(c)).paused)),
        (
            "pause.paging",
            fault(|c, world| {
                (c.name == "DxgkDdiSubmitCommandVirtual" && world.vf(0).paused)
                    .then_some(STATUS_INVALID_PARAMETER.0 as u32 as usize)
            }),
        ),
        ("msix.every-entry", fail("DxgkDdiWriteVirtualizedInterrupt", |c, _| c.at::<i16>(1, 4) == 1)),
    ]
}
