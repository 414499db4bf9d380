//! Virtual functions: their life, their memory and power, their migration.
//!
//! ```text
//!           create            set_resources            power on
//!   Absent --------> Created -------------> Resourced <--------> running or paused
//!     ^                 |                       |      power off        |
//!     +-----------------+-----------------------+-----------------------+   destroy
//! ```
//! A VF executes while it has memory and power, nobody has paused it, and its migration does not hold it:
//! the source holds it from the size query of the mutable data until the end, the target from Prepare
//! until the end. [`Standing`] has that rule, in one place.
//!
//! Each VF has one lock. Calls for one VF wait for each other; calls for two never do. What a migration
//! needs during the pause, a copy of the hardware's state and a bitmap of late pages, is allocated with
//! the VF's memory; its ledger is allocated by Prepare.

mod config;
mod glance;
mod late;
mod life;
mod source;
mod stand;
mod table;
mod target;

#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use config::{BAR_PROBE, ConfigSpace};
pub use table::VfTable;

pub use crate::standing::{Power, Standing};

use crate::device::{BarPages, MsixEntry, Region, abi};
use crate::dirty::{BasisHandle, Ledger};
use crate::migration::state::VfHardware;
use crate::migration::{Immutable, Phase};
use crate::os::{Mutex, TraceEvent};
use crate::sched::{Counters, VfParameters};
use crate::shared::{Grant, Shared};
use crate::{Error, Result, VfIndex};

/// A seat for a virtual function.
pub struct Vf {
    index: VfIndex,
    shared: Arc<Shared>,
    partition: Mutex<Option<Partition>>,
    /// How it stands, for those who must not wait.
    glance: glance::Glance,
}

/// A virtual function that exists.
struct Partition {
    grant: Grant,
    parameters: VfParameters,
    config: ConfigSpace,
    standing: Standing,
    memory: Option<Memory>,
    /// Thousandths of its time that a source may take while it migrates.
    throttle: u32,
    /// Open on a source, from Prepare to End.
    ledger: Option<Arc<Ledger>>,
    /// Bases that the migration has begun to track.
    tracked: Vec<BasisHandle>,
}

/// No throttle: all of a VF's time is its own.
const UNTHROTTLED: u32 = 1000;

/// What comes and goes with the VF's VRAM.
struct Memory {
    regions: Box<[Region]>,
    bytes: u64,
    /// The hardware's state, while it is saved or restored.
    hardware: VfHardware,
    /// Bit n: page n was dirtied after the last clearing harvest.
    late: Box<[u64]>,
}

/// How a VF stands, for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its part of the device.
    pub grant: Grant,
    /// Bytes of VRAM it has now.
    pub vram_bytes: u64,
    /// Power, pause and migration.
    pub standing: Standing,
    /// What the scheduler was told.
    pub parameters: VfParameters,
    /// Thousandths of its time that it may take.
    pub throttle: u32,
}

impl Vf {
    pub(crate) fn new(index: VfIndex, shared: Arc<Shared>) -> Self {
        Self { index, shared, partition: Mutex::new(None), glance: glance::Glance::default() }
    }

    /// Zero-based index.
    pub fn index(&self) -> VfIndex {
        self.index
    }

    /// How it stands. Refused while it does not exist.
    pub fn report(&self) -> Result<Report> {
        self.with(|partition| {
            Ok(Report {
                grant: partition.grant,
                vram_bytes: partition.memory.as_ref().map_or(0, |memory| memory.bytes),
                standing: partition.standing,
                parameters: partition.parameters,
                throttle: partition.throttle,
            })
        })
    }

    /// How it stands; none while it does not exist. Takes no lock: what has just changed may not be seen yet.
    pub fn glance(&self) -> Option<Standing> {
        self.glance.read()
    }

    /// Where it is in its migration. `Idle` also while it does not exist.
    pub fn phase(&self) -> Phase {
        self.partition.lock().as_ref().map_or(Phase::Idle, |partition| partition.standing.phase)
    }

    /// Writes an entry of its MSI-X table.
    pub fn write_msix(&self, index: usize, entry: MsixEntry) -> Result<()> {
        self.with(|partition| {
            partition.memory()?;
            self.shared.device.vf_write_msix(self.index, index, entry)
        })
    }

    /// The pages of its BAR 0.
    pub fn bar(&self) -> Result<BarPages> {
        self.with(|_| self.shared.device.vf_bar(self.index))
    }

    /// Its figures on a node.
    pub fn counters(&self, node: usize) -> Result<Counters> {
        self.with(|_| self.shared.device.vf_counters(self.index, node))
    }

    /// Says what it had of each engine.
    fn tell_figures(&self) {
        for node in 0..abi::NODES {
            let Ok(counters) = self.shared.device.vf_counters(self.index, node) else { return };
            self.shared.trace(TraceEvent::Figures { vf: self.index, node, counters });
        }
    }

    /// Changes what the scheduler knows of it; its weight stays the profile's.
    pub fn set_parameters(&self, parameters: VfParameters) -> Result<()> {
        if parameters != parameters.within_limits() {
            return Err(Error::InvalidParameter);
        }
        self.with(|partition| {
            partition.memory()?;
            self.schedule(partition, parameters)
        })
    }

    /// Tells the scheduler. A weight is never anybody's to set: it is a part of the device, and the profile's.
    fn schedule(&self, partition: &mut Partition, parameters: VfParameters) -> Result<()> {
        let parameters = VfParameters { weight: partition.grant.weight(), ..parameters };
        self.shared.device.vf_parameters(self.index, parameters)?;
        partition.parameters = parameters;
        Ok(())
    }

    /// Runs `body` on the VF, which must exist, under its lock.
    fn with<R>(&self, body: impl FnOnce(&mut Partition) -> Result<R>) -> Result<R> {
        body(self.partition.lock().as_mut().ok_or(Error::UnknownVf)?)
    }

    /// What another host must share to take this VF.
    fn immutable(&self, partition: &Partition) -> Result<Immutable> {
        let device = &self.shared.device;
        let bytes = partition.memory()?.bytes;
        Ok(Immutable::new(device.identity(), &device.geometry(), bytes, partition.grant.weight()))
    }

    /// Changes how the VF stands, and with it what the device does. Refused, nothing has changed.
    fn stand(&self, partition: &mut Partition, to: Standing) -> Result<()> {
        stand::change(&*self.shared.device, self.index, partition.standing, to)?;
        self.stands(partition, to);
        Ok(())
    }

    /// Notes how the VF stands from now on, and says what changed; the device has done its part. Of changes at the
    /// same time the phase comes last, so that what a migration stops and starts lies between its phases.
    fn stands(&self, partition: &mut Partition, to: Standing) {
        let vf = self.index;
        let from = core::mem::replace(&mut partition.standing, to);
        self.glance.set(Some(to));
        if from.executes() != to.executes() {
            self.shared.trace(TraceEvent::ExecutesChanged { vf, standing: to });
        }
        if from.policy() != to.policy() {
            self.shared.trace(TraceEvent::PolicyChanged { vf, from: from.policy(), to: to.policy() });
        }
        if from.phase != to.phase {
            self.shared.trace(TraceEvent::PhaseChanged { vf, from: from.phase, to: to.phase });
        }
    }

    /// Notes a phase in which the VF executes and shares as before.
    fn enters(&self, partition: &mut Partition, phase: Phase) {
        self.stands(partition, Standing { phase, ..partition.standing });
    }
}

impl Partition {
    fn memory(&self) -> Result<&Memory> {
        self.memory.as_ref().ok_or(Error::WrongState)
    }

    fn memory_mut(&mut self) -> Result<&mut Memory> {
        self.memory.as_mut().ok_or(Error::WrongState)
    }
}
