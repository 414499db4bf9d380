//! A VF that leaves.

use super::{Partition, Standing, UNTHROTTLED, Vf};
use crate::dirty::Outcome;
use crate::migration::{Call, PageRun, PageRuns, Role, Snapshot};
use crate::os::TraceEvent;
use crate::{Error, Result};

impl Vf {
    /// Begins a migration on the source: cleared pages are entered in a ledger, paging gets its part of the VF's
    /// share.
    pub fn prepare_source(&self) -> Result<()> {
        self.with(|partition| {
            let phase = partition.standing.phase.next(Call::PrepareSource)?;
            let tracker = self.shared.device.tracker();
            let ledger = tracker.open_ledger(&partition.memory()?.regions)?;
            let prepared = self.begin_tracking(partition).and_then(|()| {
                let to = Standing { phase, ..partition.standing };
                self.stand(partition, to)
            });
            if let Err(error) = prepared {
                self.end_tracking(partition);
                let _ = tracker.close_ledger(&ledger, Outcome::Discard);
                return Err(error);
            }
            partition.ledger = Some(ledger);
            Ok(())
        })
    }

    /// Bytes of the immutable data.
    pub fn immutable_size(&self) -> Result<u64> {
        self.with(|partition| {
            partition.standing.phase.next(Call::SaveImmutableSize)?;
            Ok(self.immutable(partition)?.size())
        })
    }

    /// Writes the immutable data to the front of `out`; the answer is its bytes.
    pub fn save_immutable(&self, out: &mut [u8]) -> Result<usize> {
        self.with(|partition| {
            let phase = partition.standing.phase.next(Call::SaveImmutable)?;
            let bytes = self.immutable(partition)?.encode(out)?;
            self.enters(partition, phase);
            Ok(bytes)
        })
    }

    /// Bytes of the mutable data. Takes a VF that still runs off the engines, waits for its packet in flight, and
    /// looks which pages it dirtied after the last clearing harvest. It stays off until the end of the migration.
    pub fn mutable_size(&self) -> Result<u64> {
        self.with(|partition| {
            let phase = partition.standing.phase.next(Call::SaveMutableSize)?;
            let before = partition.standing;
            self.stand(partition, Standing { phase, ..before })?;
            match self.snapshot(partition) {
                Ok(bytes) => Ok(bytes),
                Err(error) => {
                    self.stand(partition, before)?;
                    Err(error)
                }
            }
        })
    }

    /// Writes the mutable data to the front of `out`, pages straight from VRAM; the answer is its bytes.
    pub fn save_mutable(&self, out: &mut [u8]) -> Result<usize> {
        self.with(|partition| {
            let phase = partition.standing.phase.next(Call::SaveMutable)?;
            let device = &self.shared.device;
            let bytes = self
                .stream(partition)?
                .encode(out, |offset, page| device.vf_read(self.index, offset, page))?;
            self.enters(partition, phase);
            Ok(bytes)
        })
    }

    /// Bytes of the mutable data as [`Vf::mutable_size`] last found it, changing nothing.
    pub fn mutable_bytes(&self) -> Result<u64> {
        self.with(|partition| {
            partition.standing.phase.next(Call::SaveMutable)?;
            Ok(self.stream(partition)?.size())
        })
    }

    /// Copies the state of a VF that is off its engines, and the map of its late pages.
    fn snapshot(&self, partition: &mut Partition) -> Result<u64> {
        let device = &self.shared.device;
        let ledger = partition.ledger.clone().ok_or(Error::WrongState)?;
        let memory = partition.memory_mut()?;
        device.vf_save(self.index, &mut memory.hardware)?;
        let late = device.tracker().late_pages(&ledger, &mut memory.late)?;
        if self.shared.settings.lose_late_pages {
            memory.late.fill(0);
        }
        self.shared.trace(TraceEvent::LatePages { vf: self.index, pages: late });
        Ok(self.stream(partition)?.size())
    }

    fn stream<'a>(
        &self,
        partition: &'a Partition,
    ) -> Result<Snapshot<'a, impl Iterator<Item = PageRun> + Clone + use<'a>>> {
        let memory = partition.memory()?;
        let page_bytes = self.shared.device.geometry().dirty_page_bytes;
        let late = &memory.late;
        Ok(Snapshot {
            hardware: &memory.hardware,
            config: partition.config.bytes(),
            scheduling: partition.parameters,
            page_bytes,
            late: PageRuns::new(memory.bytes / page_bytes, |word| late.get(word).copied().unwrap_or(0)),
        })
    }

    /// Slows a source down to so many thousandths of the time it may take, because it dirties pages faster than they
    /// are moved. Until the end of its migration, at most.
    pub fn set_throttle(&self, permille: u32) -> Result<()> {
        self.with(|partition| {
            if partition.standing.phase.role() != Some(Role::Source) {
                return Err(Error::WrongState);
            }
            self.throttle(partition, permille)
        })
    }

    fn throttle(&self, partition: &mut Partition, permille: u32) -> Result<()> {
        if !(1..=UNTHROTTLED).contains(&permille) {
            return Err(Error::InvalidParameter);
        }
        if permille != partition.throttle {
            self.shared.device.vf_throttle(self.index, permille)?;
            partition.throttle = permille;
            self.shared.trace(TraceEvent::Throttled { vf: self.index, permille });
        }
        Ok(())
    }

    /// Ends a migration on either side; nothing happens when there is none.
    ///
    /// A source goes on as before Prepare: its share is its own, every page that was harvested is dirty again, and
    /// it runs unless the host paused it. A target begins to run if all of its state has arrived; if not, it is
    /// as new as it was before Prepare.
    pub fn end(&self) -> Result<()> {
        self.with(|partition| {
            let before = partition.standing.phase;
            let phase = before.next(Call::End)?;
            if before.role().is_some() {
                self.tell_figures();
            }
            if before.role() == Some(Role::Target) {
                self.settle_target(before)?;
            }
            self.throttle(partition, UNTHROTTLED)?;
            if let Some(ledger) = partition.ledger.take()
                && let Err(error) = self.shared.device.tracker().close_ledger(&ledger, Outcome::Restore)
            {
                partition.ledger = Some(ledger);
                return Err(error);
            }
            self.end_tracking(partition);
            let to = Standing { phase, ..partition.standing };
            self.stand(partition, to)
        })
    }
}
