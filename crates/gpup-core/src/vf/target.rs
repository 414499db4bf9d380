//! A VF that arrives.

use super::{Partition, Standing, Vf};
use crate::migration::{Call, Immutable, Mutable, Phase};
use crate::{Error, Result};

impl Vf {
    /// Begins a migration on the target: until its end the VF is off the engines, and its share is paging's. A VF
    /// that was never started counts as paused, whatever its power; one that has executed anything is refused, for
    /// its state would be lost.
    pub fn prepare_target(&self) -> Result<()> {
        self.with(|partition| {
            let phase = partition.standing.phase.next(Call::PrepareTarget)?;
            partition.memory()?;
            let before = partition.standing;
            self.stand(partition, Standing { phase, ..before })?;
            let fresh = self.is_fresh(partition);
            if let Err(error) = fresh.and_then(|fresh| if fresh { Ok(()) } else { Err(Error::WrongState) }) {
                self.stand(partition, before)?;
                return Err(error);
            }
            Ok(())
        })
    }

    /// Whether a VF that is off its engines has never had anything to do.
    fn is_fresh(&self, partition: &mut Partition) -> Result<bool> {
        let memory = partition.memory_mut()?;
        self.shared.device.vf_save(self.index, &mut memory.hardware)?;
        Ok(memory.hardware.nodes.iter().all(|node| node.commands == 0 && node.head == node.tail))
    }

    /// Checks that the source's VF fits this host.
    pub fn restore_immutable(&self, data: &[u8]) -> Result<()> {
        self.with(|partition| {
            let phase = partition.standing.phase.next(Call::RestoreImmutable)?;
            Immutable::decode(data)?.check(&self.immutable(partition)?)?;
            self.enters(partition, phase);
            Ok(())
        })
    }

    /// Puts the VF's state in place. All of it is read and checked before anything of the VF changes.
    pub fn restore_mutable(&self, data: &[u8]) -> Result<()> {
        self.with(|partition| {
            let phase = partition.standing.phase.next(Call::RestoreMutable)?;
            let state = Mutable::parse(data, &self.immutable(partition)?)?;
            let device = &self.shared.device;
            let memory = partition.memory_mut()?;
            state.load(&mut memory.hardware)?;
            for run in state.late_pages() {
                device.vf_write(self.index, run.offset, run.bytes)?;
            }
            device.vf_restore(self.index, &memory.hardware)?;
            if let Some(parameters) = state.scheduling() {
                self.schedule(partition, parameters.within_limits())?;
            }
            if let Some(config) = state.config() {
                partition.config.restore(config);
            }
            self.enters(partition, phase);
            Ok(())
        })
    }

    /// Makes a target that did not get all of its state new again.
    pub(super) fn settle_target(&self, phase: Phase) -> Result<()> {
        if phase == Phase::MutableRestored { Ok(()) } else { self.shared.device.vf_reset(self.index) }
    }
}
