//! D3cold: with every VF in D3 the adapter may lose its power, and has its PF and VFs as before when it is back.

use alloc::vec;

use wddm::DEVICE_POWER_STATE as Power;

use super::args::profile;
use super::bench::{read_page, write_page};
use super::{Bench, Outcome, accepted, broken, declare, needed};

const VF_POWER: &str = "DXGKDDI_SETVIRTUALFUNCTIONPOWERSTATE callback function (dispmprt.h)";
const POWER: &str = "DXGKDDI_SET_POWER_STATE callback function (dispmprt.h)";

/// DeviceUid of the adapter itself.
const ADAPTER: u32 = u32::MAX;

declare! {
    "power.cold.vfs" State VF_POWER,
        "After D3cold every VF has its capabilities and config space, and reaches D0.",
        vfs;
    "power.cold.memory" State VF_POWER, "After D3cold a VF's memory is as it was.", memory;
    "power.cold.tracking" State VF_POWER,
        "After D3cold dirty pages are still dirty, and new ones are noticed.",
        tracking;
    "power.cold.count" State VF_POWER, "After D3cold the partition count is the one that was set.", count;
    "power.cold.destroy" State POWER, "A VF can be destroyed while the adapter is in D3.", destroy;
    "power.stop" State POWER, "An adapter in D3 can be stopped.", stop;
}

/// The adapter goes to D3 and comes back.
fn cycle(b: &Bench) -> Outcome {
    accepted("SetPowerState(D3)", b.set_power_state(ADAPTER, Power::PowerDeviceD3))?;
    accepted("SetPowerState(D0)", b.set_power_state(ADAPTER, Power::PowerDeviceD0))
}

/// D3 of a VF, D3cold, and D0 of the VF.
fn sleep(b: &Bench, vf: u32) -> Outcome {
    needed("SetVirtualFunctionPowerState(D3)", b.power(vf, Power::PowerDeviceD3))?;
    cycle(b)?;
    accepted("SetVirtualFunctionPowerState(D0) after D3cold", b.power(vf, Power::PowerDeviceD0))
}

fn vfs(b: &Bench) -> Outcome {
    let (_one, _two) = (b.vf(0)?, b.vf(1)?);
    needed("WriteVirtualFunctionConfig", b.write_config(1, 0x3C, &[0x5A]))?;
    for vf in 0..2 {
        needed("SetVirtualFunctionPowerState(D3)", b.power(vf, Power::PowerDeviceD3))?;
    }
    let before = (b.state(0), b.state(1));
    cycle(b)?;
    super::same("two VFs after D3cold", &before, &(b.state(0), b.state(1)))?;
    for vf in 0..2 {
        accepted("SetVirtualFunctionPowerState(D0) after D3cold", b.power(vf, Power::PowerDeviceD0))?;
    }
    Ok(())
}

fn memory(b: &Bench) -> Outcome {
    let vgpu = b.vf(1)?;
    write_page(&vgpu, 3, 0xC3)?;
    sleep(b, 1)?;
    if read_page(&vgpu, 3)?.iter().any(|byte| *byte != 0xC3) {
        broken!("the VF's memory has changed")
    }
    Ok(())
}

fn tracking(b: &Bench) -> Outcome {
    let vgpu = b.vf(0)?;
    let mut bits = vec![0u64; vgpu.pages().div_ceil(64) as usize];
    vgpu.start_tracking()?;
    vgpu.query_dirty(true, &mut bits)?;
    write_page(&vgpu, 5, 1)?;
    sleep(b, 0)?;
    write_page(&vgpu, 9, 1)?;
    vgpu.query_dirty(false, &mut bits)?;
    super::same("dirty pages, one written before D3cold and one after it", &(1 << 5 | 1 << 9), &bits[0])
}

fn count(b: &Bench) -> Outcome {
    cycle(b)?;
    let (status, current) = b.current_count();
    needed("GetGpuPartitionInfo", status)?;
    super::same("CurrentGpuPartitionCount", &b.partitions, &current)
}

fn destroy(b: &Bench) -> Outcome {
    needed("CreateVirtualGpu", b.create(0, profile(b.vf_bytes)).0)?;
    needed("SetPowerState(D3)", b.set_power_state(ADAPTER, Power::PowerDeviceD3))?;
    let status = b.destroy(0);
    needed("SetPowerState(D0)", b.set_power_state(ADAPTER, Power::PowerDeviceD0))?;
    if !status.is_success() {
        let _ = b.destroy(0);
    }
    accepted("DestroyVirtualGpu while the adapter is in D3", status)
}

fn stop(b: &Bench) -> Outcome {
    let mut bare = super::life::add(b)?;
    needed("StartDevice", bare.start(true))?;
    needed("SetPowerState(D3)", bare.core.set_power_state(Power::PowerDeviceD3))?;
    accepted("StopDevice in D3", bare.stop())?;
    needed("RemoveDevice", bare.remove())
}
