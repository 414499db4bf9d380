//! The SR-IOV interface: config space, BARs, power, reset, pause, interrupts.

use alloc::vec;

use wddm::*;

use super::args::{ask, profile};
use super::bench::{read_page, write_page};
use super::{Bench, Outcome, accepted, broken, declare, needed, refused};

const READ: &str = "DXGKDDI_READVIRTUALFUNCTIONCONFIG callback function (dispmprt.h)";
const WRITE: &str = "DXGKDDI_WRITEVIRTUALFUNCTIONCONFIG callback function (dispmprt.h)";
const READ_BLOCK: &str = "DXGKDDI_READVIRTUALFUNCTIONCONFIGBLOCK callback function (dispmprt.h)";
const WRITE_BLOCK: &str = "DXGKDDI_WRITEVIRTUALFUNCTIONCONFIGBLOCK callback function (dispmprt.h)";
const BARS: &str = "DXGKDDI_QUERYPROBEDBARS callback function (dispmprt.h)";
const VENDOR: &str = "DXGKDDI_GETVENDORANDDEVICE callback function (dispmprt.h)";
const LOCATION: &str = "DXGKDDI_GETDEVICELOCATION callback function (dispmprt.h)";
const POWER: &str = "DXGKDDI_SETVIRTUALFUNCTIONPOWERSTATE callback function (dispmprt.h)";
const RESET: &str = "DXGKDDI_RESETVIRTUALFUNCTION callback function (dispmprt.h)";
const LUIDS: &str = "DXGKDDI_QUERYVIRTUALFUNCTIONLUID callback function (dispmprt.h)";
const BAR: &str = "DXGKDDI_GETRESOURCEFORBAR callback function (dispmprt.h)";
const PAUSE: &str = "DXGKDDI_SETVIRTUALFUNCTIONPAUSESTATE callback function (d3dkmddi.h)";
const MSIX: &str = "DXGKDDI_WRITEVIRTUALIZEDINTERRUPT callback function (d3dkmddi.h)";

/// Interrupt line: a byte of config space that every guest may write.
const LINE: u32 = 0x3C;

type Power = DEVICE_POWER_STATE;

declare! {
    "config.read.unknown-vf" Handle READ, "The config space of a VF that does not exist is not read.",
        |b| refused("ReadVirtualFunctionConfig of no VF", b.read_config(b.no_vf(), 0, &mut [0; 4]));
    "config.read.outside" Size READ, "A range that begins outside config space is refused.",
        |b| with_vf(b, |b| refused("ReadVirtualFunctionConfig at 0x10000", b.read_config(0, 0x1_0000, &mut [0; 4])));
    "config.read.across-end" Size READ,
        "A range that crosses the end of config space is refused.",
        |b| with_vf(b, |b| {
        refused("ReadVirtualFunctionConfig of 0x2000 bytes", b.read_config(0, 0, &mut vec![0; 0x2000]))
    });
    "config.read.bytes" Answer READ, "Bytes read one by one are those of a longer read.", bytes;
    "config.write.unknown-vf" Handle WRITE, "The config space of a VF that does not exist is not written.",
        |b| refused("WriteVirtualFunctionConfig of no VF", b.write_config(b.no_vf(), LINE, &[1]));
    "config.write.outside" Size WRITE,
        "A write outside config space is refused and changes nothing.",
        |b| with_vf(b, |b| {
        b.refuses(0, "WriteVirtualFunctionConfig at 0x10000", || b.write_config(0, 0x1_0000, &[0xFF; 4]))
    });
    "config.write.line" Answer WRITE, "What a guest may write reads back.", line;
    "config.write.read-only" Answer WRITE,
        "Vendor, device and class keep their values whatever is written.",
        read_only;
    "config.write.bars" Answer WRITE, "All ones written to a BAR read back as its probed value.", bar_probe;
    "config.other-vf" State WRITE, "A write to one VF's config space leaves another's alone.", other_vf;
    "config.block.read" Handle READ_BLOCK, "No block of a VF that does not exist is read.", |b| {
        let mut args = DXGKARG_READVIRTUALFUNCTIONCONFIGBLOCK::zeroed();
        args.VirtualFunctionIndex = b.no_vf();
        let status = ask!(b, sriov.DxgkDdiReadVirtualFunctionConfigBlock, &mut args);
        refused("ReadVirtualFunctionConfigBlock of no VF", status)
    };
    "config.block.write" Handle WRITE_BLOCK, "No block of a VF that does not exist is written.", |b| {
        let mut args = DXGKARG_WRITEVIRTUALFUNCTIONCONFIGBLOCK::zeroed();
        args.VirtualFunctionIndex = b.no_vf();
        let status = ask!(b, sriov.DxgkDdiWriteVirtualFunctionConfigBlock, &mut args);
        refused("WriteVirtualFunctionConfigBlock of no VF", status)
    };
    "bars.unknown-vf" Handle BARS, "The values of a VF that does not exist stay as they were.",
        |b| super::same("the six values", &[0x5A5A_5A5A; 6], &b.probed_bars(b.no_vf()));
    "bars.rest" Answer BARS,
        "The high half of a 64-bit BAR goes on with ones, and a BAR that is not there is zero.",
        bars_rest;
    "vendor.config" Answer VENDOR, "Vendor and device are those of the VF's config space.", vendor;
    "location.function" Answer LOCATION,
        "Functions of SR-IOV have a place each; without SR-IOV the place is the physical function's.", location;
    "vf-luid.created" Answer LUIDS, "The LUID is the one that CreateVirtualGpu gave.", luid;
    "vf-luid.unknown-vf" Handle LUIDS, "The LUID of a VF that does not exist stays as it was.", luid_unknown;
    "bar.unknown-vf" Handle BAR,
        "A VF that does not exist has no resource for a BAR.",
        |b| bar(b, b.no_vf(), 0);
    "bar.index" Handle BAR,
        "A BAR that a PCI function does not have has no resource.",
        |b| with_vf(b, |b| bar(b, 0, 6));
    "vf-power.unknown-vf" Handle POWER, "The power of a VF that does not exist is not set.",
        |b| refused("SetVirtualFunctionPowerState of no VF", b.power(b.no_vf(), Power::PowerDeviceD0));
    "vf-power.unknown-state" Handle POWER,
        "A power state that does not exist is refused.",
        |b| with_vf(b, |b| {
        b.refuses(0, "SetVirtualFunctionPowerState(PowerDeviceMaximum)", || b.power(0, Power::PowerDeviceMaximum))
    });
    "vf-power.no-memory" State POWER, "A VF without memory does not reach D0.", no_memory;
    "vf-power.again" State POWER, "The state that a VF has may be set again.", power_again;
    "vf-power.memory" State POWER,
        "D3 and D0 leave the VF's memory and config space as they were.",
        power_memory;
    "vf-reset.unknown-vf" Handle RESET, "A VF that does not exist is not reset.",
        |b| refused("ResetVirtualFunction of no VF", b.reset(b.no_vf()));
    "vf-reset.config" State RESET, "A reset leaves config space as when the VF was new.", reset_config;
    "vf-reset.memory" State RESET, "A reset leaves no byte of the guest's in the VF's memory.", reset_memory;
    "vf-reset.off" State RESET, "A VF in D3 can be reset.", reset_off;
    "vf-reset.paused" State RESET, "A VF that is paused can be reset.", reset_paused;
    "vf-reset.others" State RESET, "A reset leaves the other VFs' memory alone.", reset_others;
    "pause.unknown-vf" Handle PAUSE, "A VF that does not exist is not paused.",
        |b| refused("SetVirtualFunctionPauseState of no VF", b.pause(b.no_vf(), true));
    "pause.again" State PAUSE,
        "A VF that is paused may be paused again, and goes on after one resumption.",
        pause_again;
    "pause.never" State PAUSE, "A VF that is not paused may be resumed.", |b| with_vf(b, |b| {
        accepted("SetVirtualFunctionPauseState(FALSE) of a VF that is not paused", b.pause(0, false))
    });
    "pause.paging" State PAUSE, "Paging moves the memory of a VF that is paused.", pause_paging;
    "msix.unknown-vf" Handle MSIX, "A VF that does not exist has no interrupt table.",
        |b| refused("WriteVirtualizedInterrupt of no VF", b.msix(b.no_vf(), 0));
    "msix.every-entry" Answer MSIX, "Every entry that config space announces can be written.", msix_every;
    "msix.past-end" Size MSIX, "An entry past the end of the table is refused.", |b| {
        let vgpu = b.vf(0)?;
        b.refuses(0, "WriteVirtualizedInterrupt past the table", || b.msix(0, vgpu.vectors() as i16))
    };
    "msix.negative" Size MSIX, "A negative index is refused.", |b| with_vf(b, |b| {
        b.refuses(0, "WriteVirtualizedInterrupt of entry -1", || b.msix(0, -1))
    });
}

/// Runs `body` while VF 0 exists.
fn with_vf(b: &Bench, body: fn(&Bench) -> Outcome) -> Outcome {
    let _vgpu = b.vf(0)?;
    body(b)
}

fn word(b: &Bench, vf: u32, offset: u32) -> Result<u32, super::Stop> {
    let mut bytes = [0; 4];
    needed("ReadVirtualFunctionConfig", b.read_config(vf, offset, &mut bytes))?;
    Ok(u32::from_le_bytes(bytes))
}

fn bytes(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let mut whole = [0; 256];
    accepted("ReadVirtualFunctionConfig of 256 bytes", b.read_config(0, 0, &mut whole))?;
    for (offset, byte) in whole.iter().enumerate() {
        let mut one = [0];
        accepted("ReadVirtualFunctionConfig of one byte", b.read_config(0, offset as u32, &mut one))?;
        if one[0] != *byte {
            broken!("byte {offset:#x} is {:#x} by itself and {byte:#x} in a longer read", one[0])
        }
    }
    Ok(())
}

fn line(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    accepted("WriteVirtualFunctionConfig of the interrupt line", b.write_config(0, LINE, &[0x5A]))?;
    super::same("the interrupt line", &0x5A, &(word(b, 0, LINE)? & 0xFF))
}

fn read_only(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    for offset in [0x00, 0x08, 0x2C] {
        let before = word(b, 0, offset)?;
        // Whether the write itself is refused is open.
        let _ = b.write_config(0, offset, &(!before).to_le_bytes());
        super::same("a word that the hardware owns", &before, &word(b, 0, offset)?)?;
    }
    Ok(())
}

fn bar_probe(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let probed = b.probed_bars(0);
    needed("WriteVirtualFunctionConfig", b.write_config(0, 0x10, &[0xFF; 24]))?;
    for (bar, value) in probed.iter().enumerate() {
        super::same("a BAR of all ones", value, &word(b, 0, 0x10 + 4 * bar as u32)?)?;
    }
    Ok(())
}

fn other_vf(b: &Bench) -> Outcome {
    let (_one, _two) = (b.vf(0)?, b.vf(1)?);
    let before = b.state(1);
    needed("WriteVirtualFunctionConfig", b.write_config(0, LINE, &[0x77]))?;
    super::same("VF 1 after a write to VF 0", &before, &b.state(1))
}

fn bars_rest(b: &Bench) -> Outcome {
    let _vgpu = b.vf(1)?;
    let values = b.probed_bars(1);
    let mut high = false;
    for (bar, value) in values.iter().enumerate() {
        if high && *value != u32::MAX {
            broken!("the high half of BAR {} probes as {value:#x}", bar - 1)
        }
        let memory = !high && *value & 1 == 0 && *value != 0;
        let mask = value & !0xF;
        if memory && !(!mask).wrapping_add(1).is_power_of_two() {
            broken!("BAR {bar} probes as {value:#x}")
        }
        high = memory && value & 0b110 == 0b100;
    }
    Ok(())
}

fn vendor(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let mut args = DXGKARG_GETVENDORANDDEVICE::zeroed();
    let _ = ask!(b, sriov.DxgkDdiGetVendorAndDevice, &mut args);
    super::same(
        "vendor and device",
        &word(b, 0, 0)?,
        &(u32::from(args.DeviceId) << 16 | u32::from(args.VendorId)),
    )
}

fn location(b: &Bench) -> Outcome {
    let (_one, _two) = (b.vf(0)?, b.vf(1)?);
    let place = |vf: u32| {
        let mut args = DXGKARG_GETDEVICELOCATION::zeroed();
        args.VirtualFunctionIndex = vf;
        let _ = ask!(b, sriov.DxgkDdiGetDeviceLocation, &mut args);
        (args.SegmentNumber, args.BusNumber, args.FunctionNumber)
    };
    let (one, two) = (place(0), place(1));
    match super::partition::in_hardware(b)? {
        true if one == two => broken!("VFs 0 and 1 are functions of SR-IOV, and both at {one:?}"),
        false if one != two => broken!("without SR-IOV VF 0 is at {one:?} and VF 1 at {two:?}"),
        _ => Ok(()),
    }
}

/// The LUID that a VF has, in a place that held another one.
fn luid_of(b: &Bench, vf: u32) -> (u32, i32) {
    let mut luid = LUID { LowPart: 0xA5A5, HighPart: 0x5A };
    let mut args = DXGKARG_QUERYVIRTUALFUNCTIONLUID { VirtualFunctionIndex: vf, pLuid: &raw mut luid };
    let _ = ask!(b, sriov.DxgkDdiQueryVirtualFunctionLuid, &mut args);
    (luid.LowPart, luid.HighPart)
}

fn luid(b: &Bench) -> Outcome {
    let (status, made) = b.create(0, profile(b.vf_bytes));
    needed("CreateVirtualGpu", status)?;
    let came = luid_of(b, 0);
    needed("DestroyVirtualGpu", b.destroy(0))?;
    super::same("the LUID", &(made.VirtualGpuLuid.LowPart, made.VirtualGpuLuid.HighPart), &came)
}

fn luid_unknown(b: &Bench) -> Outcome {
    super::same("the LUID", &(0xA5A5, 0x5A), &luid_of(b, b.no_vf()))
}

fn bar(b: &Bench, vf: u32, bar: u32) -> Outcome {
    let mut descriptor = CM_PARTIAL_RESOURCE_DESCRIPTOR::zeroed();
    let mut args =
        DXGKARG_GETRESOURCEFORBAR { VirtualFunctionIndex: vf, BarIndex: bar, pResource: &raw mut descriptor };
    refused("GetResourceForBar", ask!(b, sriov.DxgkDdiGetResourceForBar, &mut args))
}

fn no_memory(b: &Bench) -> Outcome {
    needed("CreateVirtualGpu", b.create(0, profile(b.vf_bytes)).0)?;
    let status = b.power(0, Power::PowerDeviceD0);
    needed("DestroyVirtualGpu", b.destroy(0))?;
    refused("SetVirtualFunctionPowerState(D0) without memory", status)
}

fn power_again(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    accepted("SetVirtualFunctionPowerState(D0) in D0", b.power(0, Power::PowerDeviceD0))?;
    needed("SetVirtualFunctionPowerState(D3)", b.power(0, Power::PowerDeviceD3))?;
    accepted("SetVirtualFunctionPowerState(D3) in D3", b.power(0, Power::PowerDeviceD3))
}

fn power_memory(b: &Bench) -> Outcome {
    let vgpu = b.vf(0)?;
    write_page(&vgpu, 3, 0xC3)?;
    let before = b.state(0);
    accepted("SetVirtualFunctionPowerState(D3)", b.power(0, Power::PowerDeviceD3))?;
    accepted("SetVirtualFunctionPowerState(D0)", b.power(0, Power::PowerDeviceD0))?;
    super::same("the VF after D3 and D0", &before, &b.state(0))?;
    if read_page(&vgpu, 3)?.iter().any(|byte| *byte != 0xC3) {
        broken!("the VF's memory has changed")
    }
    Ok(())
}

fn reset_config(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let fresh = b.state(0);
    needed("WriteVirtualFunctionConfig", b.write_config(0, LINE, &[0x5A]))?;
    accepted("ResetVirtualFunction", b.reset(0))?;
    super::same("the VF after a reset", &fresh, &b.state(0))
}

fn reset_memory(b: &Bench) -> Outcome {
    let vgpu = b.vf(0)?;
    write_page(&vgpu, 2, 0x77)?;
    needed("ResetVirtualFunction", b.reset(0))?;
    if read_page(&vgpu, 2)?.iter().any(|byte| *byte != 0) {
        broken!("a page that was written before the reset is not zero after it")
    }
    Ok(())
}

fn reset_off(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    needed("SetVirtualFunctionPowerState(D3)", b.power(0, Power::PowerDeviceD3))?;
    accepted("ResetVirtualFunction in D3", b.reset(0))
}

fn reset_paused(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    needed("SetVirtualFunctionPauseState", b.pause(0, true))?;
    accepted("ResetVirtualFunction of a paused VF", b.reset(0))?;
    needed("SetVirtualFunctionPauseState", b.pause(0, false))
}

fn reset_others(b: &Bench) -> Outcome {
    let (_one, two) = (b.vf(0)?, b.vf(1)?);
    write_page(&two, 2, 0x77)?;
    needed("ResetVirtualFunction", b.reset(0))?;
    if read_page(&two, 2)?.iter().any(|byte| *byte != 0x77) {
        broken!("the memory of VF 1 changed when VF 0 was reset")
    }
    Ok(())
}

fn pause_again(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    needed("SetVirtualFunctionPauseState", b.pause(0, true))?;
    accepted("a second SetVirtualFunctionPauseState(TRUE)", b.pause(0, true))?;
    accepted("SetVirtualFunctionPauseState(FALSE)", b.pause(0, false))
}

fn pause_paging(b: &Bench) -> Outcome {
    let vgpu = b.vf(0)?;
    needed("SetVirtualFunctionPauseState", b.pause(0, true))?;
    let moved = write_page(&vgpu, 1, 0x11).and_then(|()| read_page(&vgpu, 1));
    needed("SetVirtualFunctionPauseState", b.pause(0, false))?;
    match moved {
        Ok(page) if page.iter().all(|byte| *byte == 0x11) => Ok(()),
        Ok(_) => broken!("a page written while the VF was paused reads otherwise"),
        Err(_) => broken!("paging fails while the VF is paused"),
    }
}

fn msix_every(b: &Bench) -> Outcome {
    let vgpu = b.vf(0)?;
    for entry in 0..vgpu.vectors() {
        accepted("WriteVirtualizedInterrupt", b.msix(0, entry as i16))?;
    }
    Ok(())
}
