//! AddDevice, StartDevice, StopDevice, RemoveDevice, power: in order, twice, undone.

use alloc::vec::Vec;

use wddm::{DEVICE_POWER_STATE as Power, DXGK_QUERYADAPTERINFOTYPE as Type};

use super::bench::{Bench, read_page, write_page};
use super::{Outcome, Stop, accepted, broken, declare, needed, refused};
use crate::dxgkrnl::{Bare, model};

const ADD: &str = "DXGKDDI_ADD_DEVICE callback function (dispmprt.h)";
const START: &str = "DXGKDDI_START_DEVICE callback function (dispmprt.h)";
const STOP: &str = "DXGKDDI_STOP_DEVICE callback function (dispmprt.h)";
const REMOVE: &str = "DXGKDDI_REMOVE_DEVICE callback function (dispmprt.h)";
const SURPRISE: &str = "DXGKDDI_NOTIFY_SURPRISE_REMOVAL callback function (dispmprt.h)";
const RELATIONS: &str = "DXGKDDI_QUERY_CHILD_RELATIONS callback function (dispmprt.h)";
const CHILD_STATUS: &str = "DXGKDDI_QUERY_CHILD_STATUS callback function (dispmprt.h)";
const DESCRIPTOR: &str = "DXGKDDI_QUERY_DEVICE_DESCRIPTOR callback function (dispmprt.h)";
const POWER: &str = "DXGKDDI_SET_POWER_STATE callback function (dispmprt.h)";
const MEMORY_CAPS: &str = "DXGK_PHYSICAL_MEMORY_CAPS structure (d3dkmddi.h)";
const DEVICE_CAPS: &str = "DXGK_WDDMDEVICECAPS structure (d3dkmddi.h)";
const RESTART: &str = "DXGKDDI_RESTARTFROMTIMEOUT callback function (d3dkmddi.h)";

/// DeviceUid of the adapter itself.
const ADAPTER: u32 = u32::MAX;
/// Bytes of DXGK_PHYSICALADAPTERCAPS are more than enough for an answer that is only asked for.
const ROOM: usize = 4096;

declare! {
    "start.add.context" Start ADD,
        "AddDevice gives each adapter a context of its own, which is not NULL.",
        contexts;
    "start.order" Start START,
        "AddDevice, StartDevice, StopDevice and RemoveDevice succeed in this order.",
        order;
    "start.twice" State START, "A second StartDevice without a StopDevice is refused.", twice;
    "start.again" State START, "After StopDevice the same adapter can be started again.", again;
    "start.failed" State START, "A StartDevice that failed is undone: the next one succeeds.", failed;
    "start.never" State REMOVE, "An adapter that was never started can be removed.", never;
    "start.others" State STOP, "Stopping one adapter leaves the others as they are.", others;
    "start.stop.twice" State STOP,
        "A second StopDevice harms nothing: RemoveDevice still succeeds.",
        stop_twice;
    "start.stopped" State STOP, "After StopDevice nothing is answered that needs a started device.", stopped;
    "start.stop.with-vf" State STOP, "StopDevice succeeds while VFs exist, and ends them.", stop_with_vf;
    "start.surprise" State SURPRISE,
        "After a surprise removal StopDevice and RemoveDevice succeed.",
        surprise;
    "start.surprise.idle" State SURPRISE,
        "A removal is told to an adapter that is not started too, and handled.", surprise_idle;
    "start.memory-caps" Answer MEMORY_CAPS,
        "PHYSICAL_MEMORY_CAPS is answered before StartDevice as after it.", memory_caps;
    "start.device-caps" Answer DEVICE_CAPS,
        "WDDMDEVICECAPS is answered between AddDevice and StartDevice as after it.", device_caps;
    "start.child-relations" Answer RELATIONS, "A compute-only adapter reports no child relations.", relations;
    "start.child-status" Handle CHILD_STATUS, "The status of a child that does not exist is refused.",
        |b| refused("QueryChildStatus of no child", b.child_status(1));
    "start.child-descriptor" Handle DESCRIPTOR, "The descriptor of a child that does not exist is refused.",
        |b| refused("QueryDeviceDescriptor of no child", b.device_descriptor(1));
    "power.cycle" State POWER,
        "After D3 and D0 the adapter does its work as before, its VRAM unchanged.",
        cycle;
    "power.again" State POWER, "D0 may be set when the adapter is in D0.",
        |b| accepted("SetPowerState(D0) in D0", b.set_power_state(ADAPTER, Power::PowerDeviceD0));
    "power.unknown-device" Handle POWER,
        "SetPowerState never fails: the power of a child that does not exist is no matter, and the adapter works on.",
        |b| {
            accepted("SetPowerState of no child", b.set_power_state(1, Power::PowerDeviceD3))?;
            super::submission::works(b, 0x51)
        };
    "power.unknown-state" Handle POWER,
        "SetPowerState never fails: a state that does not exist changes nothing.",
        |b| {
            accepted("SetPowerState(PowerDeviceMaximum)", b.set_power_state(ADAPTER, Power::PowerDeviceMaximum))?;
            super::submission::works(b, 0x52)
        };
    "timeout.adapter" State RESTART,
        "After ResetFromTimeout and RestartFromTimeout the adapter works on.",
        timeout;
}

pub(super) fn add(b: &Bench) -> Result<Bare, Stop> {
    let bare = Bare::add(&b.driver, &b.options)
        .map_err(|status| Stop::Skipped(alloc::format!("AddDevice failed: {status}")))?;
    if bare.context() == b.core().context() {
        // Two adapters under one name: nothing may be called with it.
        core::mem::forget(bare);
        return Err(super::bench::skip("AddDevice gave a context that another adapter has"));
    }
    Ok(bare)
}

fn contexts(b: &Bench) -> Outcome {
    let bare = match Bare::add(&b.driver, &b.options) {
        Ok(bare) => bare,
        Err(status) => broken!("AddDevice failed: {status}"),
    };
    let (mine, other) = (bare.context(), b.core().context());
    if mine.is_null() || mine == other {
        core::mem::forget(bare);
        broken!("expected a new context, came {mine:p}; another adapter has {other:p}")
    }
    Ok(())
}

fn order(b: &Bench) -> Outcome {
    let mut bare = add(b)?;
    accepted("StartDevice after AddDevice", bare.start(true))?;
    accepted("StopDevice after StartDevice", bare.stop())?;
    accepted("RemoveDevice after StopDevice", bare.remove())
}

fn twice(b: &Bench) -> Outcome {
    let bare = add(b)?;
    needed("StartDevice", bare.start(true))?;
    refused("a second StartDevice", bare.start(true))?;
    accepted("a query after the refused StartDevice", bare.probe(Type::DXGKQAITYPE_DRIVERCAPS, ROOM))
}

fn again(b: &Bench) -> Outcome {
    let bare = add(b)?;
    needed("StartDevice", bare.start(true))?;
    needed("StopDevice", bare.stop())?;
    accepted("StartDevice after StopDevice", bare.start(true))
}

fn failed(b: &Bench) -> Outcome {
    let bare = add(b)?;
    if bare.start(false).is_success() {
        broken!("StartDevice succeeded although GetDeviceInformation failed")
    }
    accepted("StartDevice after one that failed", bare.start(true))
}

fn never(b: &Bench) -> Outcome {
    accepted("RemoveDevice of an adapter that was never started", add(b)?.remove())
}

fn others(b: &Bench) -> Outcome {
    let bare = add(b)?;
    let before = b.core().probe(Type::DXGKQAITYPE_DRIVERCAPS, ROOM);
    needed("a query", before)?;
    needed("StartDevice", bare.start(true))?;
    needed("StopDevice", bare.stop())?;
    accepted(
        "a query of another adapter after StopDevice",
        b.core().probe(Type::DXGKQAITYPE_DRIVERCAPS, ROOM),
    )
}

fn stop_twice(b: &Bench) -> Outcome {
    let mut bare = add(b)?;
    needed("StartDevice", bare.start(true))?;
    needed("StopDevice", bare.stop())?;
    let _ = bare.stop();
    accepted("RemoveDevice after two StopDevice", bare.remove())
}

fn stopped(b: &Bench) -> Outcome {
    let bare = add(b)?;
    needed("StartDevice", bare.start(true))?;
    needed("StopDevice", bare.stop())?;
    let mut args = wddm::DXGKARG_GPUP_PREPARE_LIVE_MIGRATION::zeroed();
    refused("PrepareLiveMigration after StopDevice", bare.core.prepare_live_migration(&mut args))
}

/// A second bench, whose VF is not destroyed by anybody but StopDevice.
fn stop_with_vf(b: &Bench) -> Outcome {
    let second = Bench::start(&b.driver, &b.options)?;
    let vf = super::args::profile(second.vf_bytes);
    needed("CreateVirtualGpu", second.create(0, vf).0)?;
    let core = second.core();
    accepted("StopDevice with a VF", core.stop_device(core.context()))
}

fn surprise(b: &Bench) -> Outcome {
    let mut bare = add(b)?;
    needed("StartDevice", bare.start(true))?;
    accepted("NotifySurpriseRemoval", bare.surprise())?;
    accepted("StopDevice after a surprise removal", bare.stop())?;
    accepted("RemoveDevice after a surprise removal", bare.remove())
}

fn surprise_idle(b: &Bench) -> Outcome {
    let mut bare = add(b)?;
    needed("StartDevice", bare.start(true))?;
    needed("StopDevice", bare.stop())?;
    accepted("NotifySurpriseRemoval after StopDevice", bare.surprise())?;
    accepted("RemoveDevice after a surprise removal", bare.remove())
}

fn memory_caps(b: &Bench) -> Outcome {
    let bare = add(b)?;
    let ask = || {
        let before: Result<wddm::DXGK_PHYSICAL_MEMORY_CAPS, _> =
            bare.core.ask(Type::DXGKQAITYPE_PHYSICAL_MEMORY_CAPS);
        before.map(|caps| caps.HighestVisibleAddress)
    };
    let before = ask();
    needed("StartDevice", bare.start(true))?;
    super::same("PHYSICAL_MEMORY_CAPS after StartDevice", &before, &ask())
}

fn device_caps(b: &Bench) -> Outcome {
    let bare = add(b)?;
    let before = model(&bare.core);
    needed("StartDevice", bare.start(true))?;
    super::same("WDDMDEVICECAPS before StartDevice", &model(&bare.core), &before)
}

fn relations(b: &Bench) -> Outcome {
    let bare = add(b)?;
    needed("StartDevice", bare.start(true))?;
    let (status, children) = bare.has_children();
    accepted("QueryChildRelations", status)?;
    if children {
        broken!("QueryChildRelations filled in a child")
    }
    Ok(())
}

fn cycle(b: &Bench) -> Outcome {
    let vgpu = b.vf(0)?;
    write_page(&vgpu, 1, 0xA5)?;
    accepted("SetPowerState(D3)", b.set_power_state(ADAPTER, Power::PowerDeviceD3))?;
    accepted("SetPowerState(D0)", b.set_power_state(ADAPTER, Power::PowerDeviceD0))?;
    works(read_page(&vgpu, 1), 0xA5)
}

fn timeout(b: &Bench) -> Outcome {
    let vgpu = b.vf(0)?;
    write_page(&vgpu, 1, 0x5A)?;
    let (reset, restart) = b.timeout();
    accepted("ResetFromTimeout", reset)?;
    accepted("RestartFromTimeout", restart)?;
    works(read_page(&vgpu, 1), 0x5A)
}

fn works(page: Result<Vec<u8>, Stop>, byte: u8) -> Outcome {
    match page {
        Ok(page) if page.iter().all(|it| *it == byte) => Ok(()),
        Ok(_) => broken!("VRAM has changed"),
        Err(Stop::Skipped(what) | Stop::Broken(what)) => {
            broken!("the paging node does not work afterwards: {what}")
        }
    }
}
