//! WriteVirtualizedInterrupt: when the guest may write its table, and that a host's address goes nowhere else.

use alloc::vec;
use alloc::vec::Vec;

use wddm::*;

use super::{Bench, Outcome, Stop, accepted, broken, declare, needed};
use crate::guest::Bar;
use crate::vgpu::Vgpu;

const MSIX: &str = "DXGKDDI_WRITEVIRTUALIZEDINTERRUPT callback function (d3dkmddi.h)";
const SAVE: &str = "DXGKDDI_SAVEMUTABLEMIGRATIONDATA callback function (d3dkmddi.h)";

/// An address that nothing else can be: no memory is there, and no message is sent, since the entry is masked.
const HOST: u64 = 0x0000_5AC3_96E1_7000;

declare! {
    "msix.paused" State MSIX, "The table of a VF that is paused may be written.", |b| {
        let _vgpu = b.vf(0)?;
        needed("SetVirtualFunctionPauseState", b.pause(0, true))?;
        let status = b.msix(0, 0);
        needed("SetVirtualFunctionPauseState", b.pause(0, false))?;
        accepted("WriteVirtualizedInterrupt of a VF that is paused", status)
    };
    "msix.source" State MSIX, "The table of a VF that migrates may be written.", |b| {
        let _vgpu = b.vf(0)?;
        needed("PrepareLiveMigration", b.prepare_source(0))?;
        let status = b.msix(0, 0);
        needed("EndLiveMigration", b.end(0))?;
        accepted("WriteVirtualizedInterrupt of a source", status)
    };
    "msix.hidden.guest" Answer MSIX,
        "The host's addresses are neither in the VF's BAR nor in its config space.", |b| {
        let vgpu = b.vf(0)?;
        write(b)?;
        let mut config = vec![0; 256];
        needed("ReadVirtualFunctionConfig", b.read_config(0, 0, &mut config))?;
        hidden("config space", &config)?;
        hidden("the BAR", &bar(&vgpu))
    };
    "msix.hidden.state" Answer SAVE, "The host's addresses are not in the data of a migration.", saved;
}

/// Writes the host's address to the first entry.
fn write(b: &Bench) -> Outcome {
    let mut args = DXGKARG_GPUP_WRITE_VIRTUALIZED_MSIX::zeroed();
    args.WriteValue.MessageAddress = HOST;
    args.WriteValue.VectorControl = 1;
    needed("WriteVirtualizedInterrupt", b.core().write_virtualized_interrupt(&mut args))
}

/// All of BAR 0 that a guest can read by itself.
fn bar(vgpu: &Vgpu) -> Vec<u8> {
    let bar = vgpu.bar();
    let mut bytes = Vec::new();
    for page in bar.readable_pages() {
        let mut out = vec![0; crate::memory::PAGE];
        bar.read_bytes(page * crate::memory::PAGE, &mut out);
        bytes.append(&mut out);
    }
    bytes
}

/// Whether the address is nowhere in `data`, in either order of its bytes.
fn hidden(what: &str, data: &[u8]) -> Outcome {
    let (little, big) = (HOST.to_le_bytes(), HOST.to_be_bytes());
    let spellings = [&little[..6], &big[2..]];
    if data.windows(6).any(|window| spellings.contains(&window)) {
        broken!("{what} holds an address of the host")
    }
    Ok(())
}

fn saved(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    write(b)?;
    needed("PrepareLiveMigration", b.prepare_source(0))?;
    let data = [Bench::save_immutable, Bench::save_mutable].map(|save| {
        let (status, bytes) = save(b, 0, None);
        needed("the size of migration data", status)?;
        let mut data = vec![0; bytes as usize];
        needed("migration data", save(b, 0, Some(&mut data)).0)?;
        Ok::<_, Stop>(data)
    });
    needed("EndLiveMigration", b.end(0))?;
    let [immutable, mutable] = data;
    hidden("the immutable data", &immutable?)?;
    hidden("the mutable data", &mutable?)
}
