//! Config space as a guest's PCI driver uses it: the list of capabilities, MSI-X, the command register, sizing BARs.

use super::{Bench, Outcome, Stop, accepted, broken, declare, needed};

const READ: &str = "DXGKDDI_READVIRTUALFUNCTIONCONFIG callback function (dispmprt.h)";
const WRITE: &str = "DXGKDDI_WRITEVIRTUALFUNCTIONCONFIG callback function (dispmprt.h)";

/// Id of the MSI-X capability.
const MSIX: u8 = 0x11;
/// Most capabilities that fit a function's 256 bytes.
const MOST: usize = 48;
/// The command register, and in it memory space and bus master.
const COMMAND: u32 = 0x04;
const MEMORY_AND_MASTER: u16 = 0b110;
const BAR0: u32 = 0x10;

declare! {
    "config.write.across-end" Size WRITE,
        "A write that crosses the end of config space is refused and changes nothing.", |b| {
        let _vgpu = b.vf(0)?;
        b.refuses(0, "WriteVirtualFunctionConfig of 0x2000 bytes", || b.write_config(0, 0, &alloc::vec![0xFF; 0x2000]))
    };
    "config.capabilities" Answer READ, "The list of capabilities ends, and each lies in config space.", list;
    "config.msix.table" Answer READ,
        "The MSI-X table and its pending bits lie in BARs that are there.",
        table;
    "config.msix.control" Answer WRITE,
        "A guest may enable and mask MSI-X, and does not change the size of the table.",
        control;
    "config.command" Answer WRITE, "A guest may turn memory space and bus mastering on and off.", command;
    "config.bar.address" Answer WRITE, "An address written to a BAR that was sized reads back.", address;
    "config.write.byte" Answer WRITE, "A write of one byte leaves the bytes beside it alone.", byte;
}

fn read<const N: usize>(b: &Bench, offset: u32) -> Result<[u8; N], Stop> {
    let mut bytes = [0; N];
    needed("ReadVirtualFunctionConfig", b.read_config(0, offset, &mut bytes))?;
    Ok(bytes)
}

fn half(b: &Bench, offset: u32) -> Result<u16, Stop> {
    read(b, offset).map(u16::from_le_bytes)
}

/// Where the MSI-X capability is, if the list that is walked to its end has one.
fn walk(b: &Bench) -> Result<Option<u32>, Stop> {
    let mut at = half(b, 0x34)? & 0xFC;
    let mut found = None;
    for _ in 0..MOST {
        if at == 0 {
            return Ok(found);
        }
        if !(0x40..0x100).contains(&at) {
            broken!("a capability lies at {at:#x}")
        }
        let [id, next] = read(b, u32::from(at))?;
        if id == MSIX {
            found = Some(u32::from(at));
        }
        at = u16::from(next & 0xFC);
    }
    broken!("the list of capabilities does not end")
}

fn list(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    walk(b).map(drop)
}

fn msix(b: &Bench) -> Result<u32, Stop> {
    match walk(b) {
        Ok(Some(at)) => Ok(at),
        _ => Err(super::bench::skip("config space has no MSI-X capability")),
    }
}

fn table(b: &Bench) -> Outcome {
    let vgpu = b.vf(0)?;
    let at = msix(b)?;
    let probed = b.probed_bars(0);
    let vectors = u64::from(vgpu.vectors());
    for (what, offset, bytes) in [("table", 4, 16 * vectors), ("pending bits", 8, vectors.div_ceil(64) * 8)] {
        let word = u32::from_le_bytes(read(b, at + offset)?);
        let (bar, begin) = ((word & 7) as usize, u64::from(word & !7));
        let size = probed.get(bar).map_or(0, |value| u64::from((!(value & !0xF)).wrapping_add(1)));
        if size == 0 || begin + bytes > size {
            broken!("the {what} lies at {begin:#x} of BAR {bar}, which has {size:#x} bytes")
        }
    }
    Ok(())
}

fn control(b: &Bench) -> Outcome {
    const SWITCHES: u16 = 0xC000;
    const SIZE: u16 = 0x07FF;
    let _vgpu = b.vf(0)?;
    let at = msix(b)? + 2;
    let size = half(b, at)? & SIZE;
    for value in [u16::MAX, 0] {
        accepted("WriteVirtualFunctionConfig of MSI-X control", b.write_config(0, at, &value.to_le_bytes()))?;
        let came = half(b, at)? & (SWITCHES | SIZE);
        super::same("MSI-X control", &(value & SWITCHES | size), &came)?;
    }
    Ok(())
}

fn command(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    for value in [MEMORY_AND_MASTER, 0] {
        accepted(
            "WriteVirtualFunctionConfig of the command",
            b.write_config(0, COMMAND, &value.to_le_bytes()),
        )?;
        super::same("the command's bits", &value, &(half(b, COMMAND)? & MEMORY_AND_MASTER))?;
    }
    Ok(())
}

/// The first BAR if it is a 64-bit one: its two registers.
fn address(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let [low, high, ..] = b.probed_bars(0);
    if low & 0b111 != 0b100 {
        return Ok(());
    }
    let size = (!(u64::from(high) << 32 | u64::from(low & !0xF))).wrapping_add(1);
    let at = size.max(1 << 32);
    needed("WriteVirtualFunctionConfig", b.write_config(0, BAR0, &[0xFF; 8]))?;
    accepted("WriteVirtualFunctionConfig of BAR 0", b.write_config(0, BAR0, &at.to_le_bytes()))?;
    super::same("BAR 0", &(at | u64::from(low & 0xF)), &u64::from_le_bytes(read(b, BAR0)?))
}

fn byte(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    needed("WriteVirtualFunctionConfig", b.write_config(0, BAR0, &[0xFF; 8]))?;
    let mut expected: [u8; 8] = read(b, BAR0)?;
    accepted("WriteVirtualFunctionConfig of one byte", b.write_config(0, BAR0 + 5, &[0x12]))?;
    // What of it may be written is another rule's.
    expected[5] = read::<8>(b, BAR0)?[5];
    super::same("BAR 0 after a write of its sixth byte", &expected, &read(b, BAR0)?)
}
