//! A virtual GPU: one VF with its memory, its BAR, its dirty tracking and its migration.
//!
//! Articles: "GPU partitioning", "Live migration on GPU-P devices", "Dirty bit tracking".

mod bar;
mod create;
mod dirty;
mod migration;
mod mmio;

use alloc::sync::Arc;
use core::fmt;

use wddm::*;

pub use bar::VfBar;
pub use migration::Refusal;

use crate::contract::calls;
use crate::dxgkrnl::{Adapter, Ask, DdiError, succeed};
use crate::host::Mutex;
use crate::vidmm::{PagingChannel, PagingError, Reserve};

/// What a VF is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VgpuOptions {
    /// Bytes of VRAM; 0 is what the driver finds best.
    pub vram_bytes: u64,
    /// Its memory lies in pieces all over the segment.
    pub scattered: bool,
}

/// What has to be undone when the VF goes.
#[derive(Debug, Default)]
struct State {
    created: bool,
    powered: bool,
    paused: bool,
    /// The driver's memory basis, as a number.
    basis: usize,
    tracking: bool,
    allocation: usize,
    /// Tracking was started for a migration and ends with it.
    for_migration: bool,
}

/// A virtual function in use.
pub struct Vgpu {
    adapter: Arc<Adapter>,
    index: u32,
    pub(crate) reserve: Arc<Reserve>,
    bar: Arc<VfBar>,
    vectors: u16,
    identity: (u16, u16),
    state: Mutex<State>,
}

impl fmt::Debug for Vgpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vgpu")
            .field("index", &self.index)
            .field("bytes", &self.vram_bytes())
            .finish_non_exhaustive()
    }
}

impl Vgpu {
    /// Its number: vfIndex, PartitionId and VirtualFunctionIndex.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// The adapter it is a part of.
    pub fn adapter(&self) -> &Arc<Adapter> {
        &self.adapter
    }

    /// Bytes of its VRAM.
    pub fn vram_bytes(&self) -> u64 {
        self.reserve.bytes()
    }

    /// Bytes of a page of its dirty plane.
    pub fn dirty_page_bytes(&self) -> u64 {
        self.reserve.page_bytes
    }

    /// Pages of its VRAM, in pages of the dirty plane.
    pub fn pages(&self) -> u64 {
        self.reserve.pages()
    }

    /// Pieces that its VRAM lies in.
    pub fn pieces(&self) -> usize {
        self.reserve.ranges.len()
    }

    /// Offset and bytes of each piece of its VRAM, in the order of the VF's addresses.
    pub fn ranges(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.reserve.ranges.iter().map(|range| (range.offset, range.bytes))
    }

    /// The driver's allocation of its VRAM, NULL where it has none.
    pub(crate) fn allocation(&self) -> HANDLE {
        self.reserve.allocation()
    }

    /// Segment, offset and bytes of the first piece of its VRAM.
    pub(crate) fn first_range(&self) -> Option<(u32, (u64, u64))> {
        self.reserve.ranges.first().map(|range| (self.reserve.segment, (range.offset, range.bytes)))
    }

    /// Its BAR 0 as a guest has it mapped.
    pub fn bar(&self) -> &Arc<VfBar> {
        &self.bar
    }

    /// Vectors of its MSI-X table.
    pub fn vectors(&self) -> u16 {
        self.vectors
    }

    /// Vendor and device id.
    pub fn identity(&self) -> (u16, u16) {
        self.identity
    }

    /// Bytes of a staging buffer of [`paging_channel`](Self::paging_channel).
    pub fn staging_bytes(&self) -> usize {
        self.adapter.options().staging_bytes.next_power_of_two().max(crate::memory::PAGE)
    }

    /// A channel that moves this VF's pages.
    pub fn paging_channel(&self) -> Result<PagingChannel, PagingError> {
        let keep: Arc<dyn Send + Sync> = Arc::<Adapter>::clone(&self.adapter);
        PagingChannel::new(&self.adapter.core, &self.adapter.paging, &self.reserve, Some(keep))
    }

    /// DxgkDdiSetVirtualFunctionPauseState.
    pub fn set_pause(&self, pause: bool) -> Result<(), DdiError> {
        let mut args =
            DXGKARG_SETVIRTUALFUNCTIONPAUSESTATE { vfIndex: self.index, bPause: BOOLEAN::from(pause) };
        let status = self.adapter.core.set_pause_state(&mut args);
        succeed(calls::SET_VIRTUAL_FUNCTION_PAUSE_STATE.name, status)?;
        self.state.lock().paused = pause;
        Ok(())
    }

    /// The VF is to run: takes back a pause that was asked for. A VF that only never ran needs nothing.
    pub fn set_running(&self) -> Result<(), DdiError> {
        let paused = self.state.lock().paused;
        if paused { self.set_pause(false) } else { Ok(()) }
    }

    /// Function-level reset.
    pub fn reset(&self) -> Result<(), DdiError> {
        let Some(it) = &self.adapter.interfaces.sriov else {
            return missing(calls::RESET_VIRTUAL_FUNCTION.name);
        };
        let mut args = DXGKARG_RESETVIRTUALFUNCTION { VirtualFunctionIndex: self.index };
        let contract = self.adapter.contract();
        let ddi = &calls::RESET_VIRTUAL_FUNCTION;
        succeed(ddi.name, it.DxgkDdiResetVirtualFunction.ask(contract, ddi, it.Context, &mut args))
    }

    /// D0.
    pub fn power_on(&self) -> Result<(), DdiError> {
        self.set_power(DEVICE_POWER_STATE::PowerDeviceD0)?;
        self.state.lock().powered = true;
        Ok(())
    }

    /// D3: the VF does not run any more.
    pub fn power_off(&self) -> Result<(), DdiError> {
        self.set_power(DEVICE_POWER_STATE::PowerDeviceD3)?;
        self.state.lock().powered = false;
        Ok(())
    }

    fn set_power(&self, state: DEVICE_POWER_STATE) -> Result<(), DdiError> {
        let ddi = &calls::SET_VIRTUAL_FUNCTION_POWER_STATE;
        let Some(it) = &self.adapter.interfaces.sriov else { return missing(ddi.name) };
        let mut args = DXGKARG_SETVIRTUALFUNCTIONPOWERSTATE::zeroed();
        args.VirtualFunctionIndex = self.index;
        args.PowerState = state;
        let contract = self.adapter.contract();
        succeed(ddi.name, it.DxgkDdiSetVirtualFunctionPowerState.ask(contract, ddi, it.Context, &mut args))
    }

    /// DxgkDdiWriteVirtualizedInterrupt: an entry of the hardware's MSI-X table, already translated for this host.
    pub fn write_interrupt(&self, index: u16, entry: DXGK_INTERRUPT_TABLE_ENTRY) -> Result<(), DdiError> {
        let mut args = DXGKARG_GPUP_WRITE_VIRTUALIZED_MSIX::zeroed();
        args.vfIndex = self.index;
        args.InterruptTableIndex = index as i16;
        args.WriteValue = entry;
        let status = self.adapter.core.write_virtualized_interrupt(&mut args);
        succeed(calls::WRITE_VIRTUALIZED_INTERRUPT.name, status)
    }

    /// Ends a migration whose VF is not wanted here. Powered off first: EndLiveMigration lets a VF run.
    pub fn discard(&self) -> Result<(), DdiError> {
        self.power_off()?;
        self.end()?;
        self.destroy()
    }

    /// Ends tracking, powers the VF off and gives everything back. Again is harmless.
    pub fn destroy(&self) -> Result<(), DdiError> {
        self.reserve.retire();
        let tracking = self.stop_tracking();
        let powered = self.state.lock().powered;
        let power = if powered { self.power_off() } else { Ok(()) };
        let created = core::mem::take(&mut self.state.lock().created);
        let destroyed = if created { self.destroy_virtual_gpu() } else { Ok(()) };
        self.free_allocation();
        tracking.and(power).and(destroyed)
    }
}

impl Drop for Vgpu {
    fn drop(&mut self) {
        // Nobody is left to hear of an error; a broken rule has been recorded.
        let _ = self.destroy();
        self.adapter.functions.lock().remove(&self.index);
        for range in &self.reserve.ranges {
            self.adapter.memory.give(self.reserve.segment, *range);
        }
    }
}

fn missing(ddi: &'static str) -> Result<(), DdiError> {
    Err(DdiError { ddi, status: STATUS_NOT_SUPPORTED })
}
