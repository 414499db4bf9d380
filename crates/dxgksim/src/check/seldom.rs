//! Functions that a driver owes and Dxgkrnl calls seldom, if ever. Where no page says that such a call must succeed, a
//! refusal is accepted; a success must mean something.

use alloc::vec;

use wddm::*;

use super::args::ask;
use super::bench::{handle, read_page, skip, write_page};
use super::{Bench, Outcome, accepted, broken, declare};
use crate::contract::calls;
use crate::vgpu::VgpuOptions;

const ENGINES: &str = "DXGKDDI_GETGPUENGINES callback function (dispmprt.h)";
const RESUME: &str = "DXGKDDI_RESUMEVIRTUALGPU callback function (dispmprt.h)";
const SCATTERED: &str = "DXGKDDI_SETVIRTUALGPURESOURCES2 callback function (d3dkmddi.h)";
const BAR: &str = "DXGKDDI_GETRESOURCEFORBAR callback function (dispmprt.h)";
const DESCRIBE: &str = "DXGKDDI_DESCRIBEALLOCATION callback function (d3dkmddi.h)";
const STABLE: &str = "DXGKDDI_SETSTABLEPOWERSTATE callback function (d3dkmddi.h)";
const INTERRUPT: &str = "DXGKDDI_INTERRUPT_ROUTINE callback function (dispmprt.h)";

/// A VF that the rules of other families leave alone.
const VF: u32 = 3;

declare! {
    "engines.list" Answer ENGINES, "A list of engines has an engine, with units to be divided.", engines;
    "partition.resume" State RESUME, "A VF that was suspended can be resumed.", resume;
    "resources2.pieces" Answer SCATTERED,
        "Where ScatterMapReserve is reported, a VF takes its memory from a basis of several pieces, and keeps data in it.",
        pieces;
    "bar.memory" Answer BAR, "The resource of a BAR, if it is given, is memory.", bar;
    "allocation.describe" Answer DESCRIBE, "An allocation that exists is described.", describe;
    "power.stable" State STABLE, "A stable power state is entered and left, and the adapter answers on.", stable;
    "interrupt.stray" Answer INTERRUPT, "An interrupt that the device did not raise is not claimed.", stray;
}

fn engines(b: &Bench) -> Outcome {
    let mut args = DXGKARG_GETGPUENGINES::zeroed();
    args.NumEngines = 1;
    let status = ask!(b, partition.DxgkDdiGetGpuEngines, &mut args);
    if status.is_success() && (args.NumEngines == 0 || args.EngineInfo[0].NumPartitionUnits == 0) {
        broken!("{} engines, the first with {} units", args.NumEngines, args.EngineInfo[0].NumPartitionUnits)
    }
    Ok(())
}

fn resume(b: &Bench) -> Outcome {
    let _vgpu = b.vf(VF)?;
    let mut args = DXGKARG_SUSPENDVIRTUALGPU { PartitionId: VF };
    if !ask!(b, partition.DxgkDdiSuspendVirtualGpu, &mut args).is_success() {
        return Ok(());
    }
    let mut args = DXGKARG_RESUMEVIRTUALGPU { PartitionId: VF };
    accepted("ResumeVirtualGpu of a suspended VF", ask!(b, partition.DxgkDdiResumeVirtualGpu, &mut args))
}

fn pieces(b: &Bench) -> Outcome {
    if b.adapter.caps().scatter_page.is_none() {
        return Ok(());
    }
    let options = VgpuOptions { vram_bytes: 2 * b.vf_bytes, scattered: true };
    let vgpu = match b.adapter.create_vgpu(VF, &options) {
        Err(error) if error.ddi == calls::SET_VIRTUAL_GPU_RESOURCES2.name => broken!("{error}"),
        made => made?,
    };
    if vgpu.pieces() < 2 {
        return Err(skip("memory in several pieces"));
    }
    let last = vgpu.pages() - 1;
    write_page(&vgpu, 0, 0x3C)?;
    write_page(&vgpu, last, 0xC3)?;
    for (page, byte) in [(0, 0x3C), (last, 0xC3)] {
        if read_page(&vgpu, page)?.iter().any(|came| *came != byte) {
            broken!("page {page} of scattered memory does not hold what was written")
        }
    }
    Ok(())
}

fn bar(b: &Bench) -> Outcome {
    let _vgpu = b.vf(VF)?;
    let mut resource = CM_PARTIAL_RESOURCE_DESCRIPTOR::zeroed();
    let mut args =
        DXGKARG_GETRESOURCEFORBAR { VirtualFunctionIndex: VF, BarIndex: 0, pResource: &raw mut resource };
    let status = ask!(b, sriov.DxgkDdiGetResourceForBar, &mut args);
    let kind = resource.Type;
    if status.is_success() && ![CmResourceTypeMemory, CmResourceTypeMemoryLarge].contains(&kind) {
        broken!("the resource of BAR 0 has the type {kind}")
    }
    Ok(())
}

fn describe(b: &Bench) -> Outcome {
    let vgpu = b.vf(VF)?;
    let mut args = DXGKARG_DESCRIBEALLOCATION::zeroed();
    args.hAllocation = vgpu.allocation();
    if args.hAllocation == handle(0) {
        return Ok(());
    }
    accepted("DescribeAllocation of a VF's memory", b.describe_allocation(&mut args))
}

fn stable(b: &Bench) -> Outcome {
    for enabled in [1, 0] {
        b.set_stable_power_state(enabled);
        let mut caps = vec![0; size_of::<DXGK_DRIVERCAPS>()];
        let status = b.query(DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_DRIVERCAPS, &mut [], &mut caps);
        accepted("QueryAdapterInfo after SetStablePowerState", status)?;
    }
    Ok(())
}

fn stray(b: &Bench) -> Outcome {
    if b.adapter.raise_interrupt(0) { broken!("the interrupt of another device was claimed") } else { Ok(()) }
}
