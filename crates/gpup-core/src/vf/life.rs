//! A VF's life apart from migration: creation, memory, power, reset, pause, end.

use super::{ConfigSpace, Memory, Partition, Power, Standing, UNTHROTTLED, Vf};
use crate::device::Region;
use crate::dirty::Outcome;
use crate::migration::Phase;
use crate::migration::state::VfHardware;
use crate::os::TraceEvent;
use crate::sched::{Policy, VfParameters};
use crate::shared::{Grant, Profile};
use crate::{Error, Result, boxed};

impl Vf {
    /// Makes the VF: from now on it has a part of the device, but no memory yet.
    pub fn create(&self, profile: &Profile) -> Result<Grant> {
        let mut seat = self.partition.lock();
        if seat.is_some() {
            return Err(Error::WrongState);
        }
        let grant = self.shared.shares.grant(self.index, profile)?;
        let settings = &self.shared.settings;
        *seat = Some(Partition {
            grant,
            parameters: VfParameters {
                quantum_us: settings.quantum_us,
                preempt_timeout_us: settings.preempt_timeout_us,
                priority: settings.priority,
                weight: grant.weight(),
            },
            config: ConfigSpace::new(self.shared.device.identity()),
            standing: Standing::default(),
            memory: None,
            throttle: UNTHROTTLED,
            ledger: None,
            tracked: alloc::vec::Vec::new(),
        });
        self.glance.set(Some(Standing::default()));
        let (vram_bytes, weight) = (grant.memory, grant.compute);
        self.shared.trace(TraceEvent::VfCreated { vf: self.index, vram_bytes, weight });
        Ok(grant)
    }

    /// Ends the VF, whatever it is doing. Its memory is zeroed before anyone else can have it.
    pub fn destroy(&self) -> Result<()> {
        let mut seat = self.partition.lock();
        let partition = seat.as_mut().ok_or(Error::UnknownVf)?;
        self.drop_memory(partition)?;
        self.shared.shares.give_back(&partition.grant);
        *seat = None;
        self.glance.set(None);
        self.shared.trace(TraceEvent::VfDestroyed { vf: self.index });
        Ok(())
    }

    /// Gives the VF its memory, zeroed: regions in the order of VF addresses, together as large as its grant. Only
    /// before it has power, and again only without.
    pub fn set_resources(&self, regions: &[Region]) -> Result<()> {
        self.with(|partition| {
            if partition.standing.power == Power::On || partition.standing.phase != Phase::Idle {
                return Err(Error::WrongState);
            }
            let memory = self.prepare_memory(regions)?;
            if memory.bytes != partition.grant.memory {
                return Err(Error::InvalidParameter);
            }
            if partition.memory.is_some() {
                self.shared.device.vf_disable(self.index)?;
            }
            let before = partition.memory.take();
            let (grant, parameters) = (partition.grant, partition.parameters);
            if let Err(error) = self.enable(&grant, parameters, regions) {
                // What it had before was zero, as memory of a VF without power is, and is so again.
                partition.memory = before.filter(|old| self.enable(&grant, parameters, &old.regions).is_ok());
                let resourced = partition.memory.is_some();
                self.stands(partition, Standing { resourced, ..partition.standing });
                return Err(error);
            }
            partition.memory = Some(memory);
            self.stands(partition, Standing { resourced: true, ..partition.standing });
            Ok(())
        })
    }

    /// Bytes of memory, and everything that is allocated along with it.
    fn prepare_memory(&self, regions: &[Region]) -> Result<Memory> {
        let geometry = self.shared.device.geometry();
        let page = geometry.dirty_page_bytes;
        let mut bytes = 0u64;
        for region in regions {
            if !region.offset.is_multiple_of(page) || !region.bytes.is_multiple_of(page) {
                return Err(Error::Misaligned);
            }
            let end = region.offset.checked_add(region.bytes).ok_or(Error::OutOfRange)?;
            if region.bytes == 0 || end > geometry.vram_bytes {
                return Err(Error::OutOfRange);
            }
            bytes = bytes.saturating_add(region.bytes);
        }
        if bytes == 0 {
            return Err(Error::InvalidParameter);
        }
        let mut sorted = boxed::copy(regions)?;
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0].end() > pair[1].offset) {
            return Err(Error::InvalidParameter);
        }
        let words = usize::try_from((bytes / page).div_ceil(64)).map_err(|_| Error::NoResources)?;
        Ok(Memory {
            regions: boxed::copy(regions)?,
            bytes,
            hardware: VfHardware::new()?,
            late: boxed::slice(words, || 0)?,
        })
    }

    fn enable(&self, grant: &Grant, parameters: VfParameters, regions: &[Region]) -> Result<()> {
        let device = &self.shared.device;
        // First the pause: a guest that has its BAR mapped must find no moment in which its VF runs without power.
        device.vf_pause(self.index)?;
        device.vf_enable(self.index, regions)?;
        let scheduled = device.vf_parameters(self.index, parameters);
        scheduled.and_then(|()| device.vf_max(self.index, grant.max_ppm())).inspect_err(|_| {
            // It was enabled a moment ago and has run nothing.
            let _ = device.vf_disable(self.index);
        })
    }

    /// Ends any migration and takes the memory away.
    fn drop_memory(&self, partition: &mut Partition) -> Result<()> {
        if partition.memory.is_none() {
            return Ok(());
        }
        self.tell_figures();
        if partition.standing.policy() != Policy::Normal {
            self.shared.device.vf_policy(self.index, Policy::Normal)?;
        }
        self.shared.device.vf_disable(self.index)?;
        self.end_tracking(partition);
        if let Some(ledger) = partition.ledger.take() {
            // Its pages are gone; nobody will ask for them again.
            let _ = self.shared.device.tracker().close_ledger(&ledger, Outcome::Discard);
        }
        partition.memory = None;
        partition.throttle = UNTHROTTLED;
        let gone = Standing { paused: partition.standing.paused, ..Standing::default() };
        self.stands(partition, gone);
        Ok(())
    }

    /// Sets the power state. D0 needs memory.
    pub fn set_power(&self, power: Power) -> Result<()> {
        self.with(|partition| {
            if power == Power::On {
                partition.memory()?;
            }
            let to = Standing { power, ..partition.standing };
            self.stand(partition, to)
        })
    }

    /// Function level reset: rings, registers, config space and memory as when it was new. Refused while its
    /// migration holds it, since the data that was saved or is being restored would not fit it any more.
    pub fn reset(&self) -> Result<()> {
        self.with(|partition| {
            if partition.standing.held() {
                return Err(Error::WrongState);
            }
            if partition.memory.is_some() {
                self.shared.device.vf_reset(self.index)?;
            }
            partition.config.reset();
            self.shared.trace(TraceEvent::FunctionReset { vf: self.index });
            Ok(())
        })
    }

    /// Takes the VF off the engines, or lets it go back to what it would do otherwise. When a pause returns, the VF
    /// writes nothing, raises nothing and dirties nothing any more. [`Error::Timeout`] when its packet hangs and may
    /// not be cut: then the VF runs as before.
    pub fn set_paused(&self, paused: bool) -> Result<()> {
        self.with(|partition| {
            let to = Standing { paused, ..partition.standing };
            self.stand(partition, to)
        })
    }

    /// Reads its config space.
    pub fn read_config(&self, offset: u32, out: &mut [u8]) -> Result<()> {
        self.with(|partition| partition.config.read(offset, out))
    }

    /// Writes its config space. Bits that hardware owns keep their value; a function level reset asked for there
    /// is done.
    pub fn write_config(&self, offset: u32, data: &[u8]) -> Result<()> {
        let reset = self.with(|partition| partition.config.write(offset, data))?;
        if reset { self.reset() } else { Ok(()) }
    }
}
