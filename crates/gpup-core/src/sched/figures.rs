//! What an engine's time went to, and where its nodes stand.

use super::Scheduler;
use super::clock::SHIFT;
use super::node::State;
use super::scheduler::{Flight, PF};
use super::types::{Counters, Entity, Grant, Source, Totals};
use crate::{Result, VfIndex};

impl Scheduler {
    /// The engine's figures.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// The engine's virtual time. It never goes back.
    pub fn virtual_time(&self) -> u64 {
        self.clock.time()
    }

    /// A VF's figures.
    pub fn counters(&self, vf: VfIndex) -> Result<Counters> {
        let index = self.index(vf)?;
        let counters = self.nodes[index].counters;
        let wait = |permille| self.waits[index].quantile(permille).min(counters.worst_wait);
        Ok(Counters { wait_p50: wait(500), wait_p99: wait(990), ..counters })
    }

    /// Counts an engine reset that a VF caused.
    pub fn count_reset(&mut self, vf: VfIndex) -> Result<()> {
        let index = self.index(vf)?;
        self.nodes[index].counters.resets += 1;
        Ok(())
    }

    /// Engine time in ticks that a VF's node should have got more (negative: less) than it has, among those that
    /// want the engine now. 0 for one that wants nothing and owes nothing.
    pub fn lag(&self, vf: VfIndex) -> Result<i64> {
        let node = &self.nodes[self.index(vf)?];
        if node.state == State::Absent {
            return Ok(0);
        }
        Ok((-self.clock.ahead(node.v) * i64::from(node.weight)) >> SHIFT)
    }

    /// Adds a packet to the figures; `flight` is none if the grant was stale.
    pub(super) fn count(&mut self, grant: &Grant, ticks: u64, flight: Option<Flight>) {
        if grant.source == Source::Slot {
            self.totals.held += ticks;
            return;
        }
        self.totals.busy += ticks;
        let everyday = flight.is_some_and(|flight| flight.idle.is_none() && flight.is_of(PF));
        if everyday {
            self.totals.pf += ticks;
        } else if grant.source == Source::Idle {
            self.totals.idle_class += ticks;
        }
        let (Entity::Vf(vf) | Entity::Paging(vf)) = grant.entity else {
            return;
        };
        let Ok(index) = self.index(vf) else { return };
        if everyday || !flight.is_some_and(|flight| flight.counts) {
            return;
        }
        let counters = &mut self.nodes[index].counters;
        match (grant.entity, grant.source) {
            (Entity::Vf(_), _) => {
                counters.busy += ticks;
                counters.packets += u64::from(ticks > 0);
            }
            (_, Source::Idle) => counters.paging_idle += ticks,
            _ => counters.paging_granted += ticks,
        }
    }
}
