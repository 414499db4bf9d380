//! A started adapter to try calls on, and VFs on it as Dxgkrnl makes them.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use wddm::{DXGKARG_GETVIRTUALGPUPROFILE, HANDLE};

use super::{Outcome, Stop, broken};
use crate::contract::{Contract, calls};
use crate::dxgkrnl::{Adapter, AdapterOptions, Ask, Core, Driver};
use crate::vgpu::{Vgpu, VgpuOptions};
use crate::vidmm::Run;

/// Bytes of a VF, if the driver lets it be so small.
const VF_BYTES: u64 = 1 << 20;
/// VFs that the rules use at once, at most.
pub(super) const VFS: u32 = 4;

/// A started adapter.
pub struct Bench {
    pub(super) driver: Arc<Driver>,
    pub(super) options: AdapterOptions,
    pub(super) adapter: Arc<Adapter>,
    /// Partitions that were chosen.
    pub(super) partitions: u32,
    /// Bytes of a VF.
    pub(super) vf_bytes: u64,
}

impl Bench {
    /// Starts an adapter and divides it.
    pub(super) fn start(driver: &Arc<Driver>, options: &AdapterOptions) -> Result<Self, Stop> {
        let adapter = Adapter::start(driver, options.clone())
            .map_err(|error| Stop::Skipped(alloc::format!("the adapter does not start: {error}")))?;
        let counts = &adapter.caps().partition_options;
        let enough = counts.iter().copied().filter(|count| u32::from(*count) >= VFS).min();
        let Some(partitions) = enough.map(u32::from) else {
            return Err(Stop::Skipped(alloc::format!(
                "no count of {VFS} partitions or more among {counts:?}"
            )));
        };
        adapter.set_partition_count(partitions)?;
        let mut bench =
            Self { driver: Arc::clone(driver), options: options.clone(), adapter, partitions, vf_bytes: 0 };
        bench.vf_bytes = bench.smallest()?;
        Ok(bench)
    }

    fn smallest(&self) -> Result<u64, Stop> {
        let mut args = DXGKARG_GETVIRTUALGPUPROFILE::zeroed();
        args.PartitionCount = self.partitions;
        super::needed("GetVirtualGpuProfile", self.profile(&mut args))?;
        let memory = args.ProfileCapability[0];
        Ok(VF_BYTES.max(memory.MinPartitionValue).min(memory.MaxPartitionValue))
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.adapter.core
    }

    pub(super) fn contract(&self) -> &Contract {
        self.adapter.contract()
    }

    /// A number that no VF has.
    pub(super) fn no_vf(&self) -> u32 {
        self.partitions + 7
    }

    /// VF `index`, powered and tracked; it goes when the value is dropped.
    pub(super) fn vf(&self, index: u32) -> Result<Arc<Vgpu>, Stop> {
        let options = VgpuOptions { vram_bytes: self.vf_bytes, ..VgpuOptions::default() };
        Ok(self.adapter.create_vgpu(index, &options)?)
    }

    /// Everything of a VF that a refused call must leave alone, as far as calls that change nothing can see it.
    pub(super) fn state(&self, vf: u32) -> (i32, Vec<u8>, Vec<u64>) {
        let mut config = alloc::vec![0; 256];
        let status = self.read_config(vf, 0, &mut config);
        let (_, info) = self.info(vf);
        let numbers =
            info.Capability.iter().flat_map(|it| [it.MinValue, it.MaxValue, it.CurrentValue]).collect();
        (status.0, config, numbers)
    }

    /// A call that must be refused and must leave VF `vf` as it was.
    pub(super) fn refuses(&self, vf: u32, call: &str, body: impl FnOnce() -> wddm::NTSTATUS) -> Outcome {
        let before = self.state(vf);
        super::refused(call, body())?;
        if before != self.state(vf) {
            broken!("{call} was refused, but changed VF {vf}")
        }
        Ok(())
    }
}

impl Drop for Bench {
    /// No Dxgkrnl stops an adapter that is at work, and a rule that was not kept may have left it so.
    fn drop(&mut self) {
        self.adapter.paging.settle(&self.adapter.core);
    }
}

/// A handle as a number.
pub(super) fn handle(number: usize) -> HANDLE {
    core::ptr::with_exposed_provenance_mut(number)
}

/// Writes a byte over all of one page of a VF's VRAM, by paging.
pub(super) fn write_page(vgpu: &Vgpu, page: u64, byte: u8) -> Outcome {
    let mut channel = vgpu.paging_channel()?;
    let bytes = vgpu.dirty_page_bytes() as usize;
    channel.buffer()[..bytes].fill(byte);
    channel.start_in(&[Run { first: page, count: 1 }])?;
    channel.wait()?;
    Ok(())
}

/// Reads one page of a VF's VRAM, by paging.
pub(super) fn read_page(vgpu: &Vgpu, page: u64) -> Result<Vec<u8>, Stop> {
    let mut channel = vgpu.paging_channel()?;
    channel.start_out(&[Run { first: page, count: 1 }])?;
    Ok(channel.wait()?[..vgpu.dirty_page_bytes() as usize].to_vec())
}

/// A text, to be skipped with.
pub(super) fn skip(what: &str) -> Stop {
    Stop::Skipped(String::from(what))
}

impl Bench {
    pub(super) fn profile(&self, args: &mut DXGKARG_GETVIRTUALGPUPROFILE) -> wddm::NTSTATUS {
        match &self.adapter.interfaces.partition {
            Some(it) => it.DxgkDdiGetVirtualGpuProfile.ask(
                self.contract(),
                &calls::GET_VIRTUAL_GPU_PROFILE,
                it.Context,
                args,
            ),
            None => wddm::STATUS_NOT_SUPPORTED,
        }
    }
}
