//! Follows a migration for the terminal and for the neighbours' shares of the engines.

use std::ops::ControlFlow;

use dxgksim::agent::converge::FULL_SPEED;
use dxgksim::agent::{Event, Observer, Phase};

use crate::progress::Progress;
use crate::report::Neighbour;
use crate::world::Guest;

/// Follows one migration.
pub(crate) struct Watch<'a> {
    progress: Progress,
    mover: &'a Guest,
    neighbours: &'a [Guest],
    shares_before: Vec<f64>,
    at_brownout: Option<Vec<u64>>,
    at_end: Option<Vec<u64>>,
    throttled: bool,
}

impl<'a> Watch<'a> {
    /// Of `mover`, which is about to leave its neighbours; `since` is their [`busy`] at an earlier moment.
    pub(crate) fn new(mover: &'a Guest, neighbours: &'a [Guest], since: &[u64], progress: Progress) -> Self {
        let shares_before = shares(since, &busy(mover, neighbours));
        Self { progress, mover, neighbours, shares_before, at_brownout: None, at_end: None, throttled: false }
    }

    /// Each neighbour's part of the engine time granted to neighbours: before the migration, and from the begin
    /// of the brownout to the moment ownership passed.
    pub(crate) fn neighbours(self) -> Vec<Neighbour> {
        let during = match (&self.at_brownout, &self.at_end) {
            (Some(from), Some(to)) => shares(from, to),
            (Some(from), None) => shares(from, &busy(self.mover, self.neighbours)),
            _ => vec![0.0; self.neighbours.len()],
        };
        self.neighbours
            .iter()
            .zip(self.shares_before.iter().zip(during))
            .map(|(guest, (before, during))| Neighbour {
                vf: guest.vgpu.index(),
                workload: guest.vm.workload(),
                share_before: *before,
                share_during: during,
            })
            .collect()
    }
}

/// Engine time of the mover and of each neighbour.
pub(crate) fn busy(mover: &Guest, neighbours: &[Guest]) -> Vec<u64> {
    std::iter::once(mover).chain(neighbours).map(Guest::busy).collect()
}

fn shares(from: &[u64], to: &[u64]) -> Vec<f64> {
    let spent: Vec<u64> = from.iter().zip(to).map(|(from, to)| to.saturating_sub(*from)).collect();
    let all: u64 = spent[1..].iter().sum();
    spent[1..].iter().map(|one| if all == 0 { 0.0 } else { *one as f64 / all as f64 }).collect()
}

impl Observer for Watch<'_> {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Enter(Phase::Brownout) => self.at_brownout = Some(busy(self.mover, self.neighbours)),
            Event::Enter(Phase::Commit) => self.at_end = Some(busy(self.mover, self.neighbours)),
            // A guest that runs at full speed is not told so: before Prepare the driver would refuse.
            Event::Throttle(speed) if self.throttled || speed < FULL_SPEED => {
                self.throttled = true;
                if let Err(error) = self.mover.throttle(speed) {
                    eprintln!("the guest could not be slowed: {error}");
                }
            }
            _ => {}
        }
        self.progress.event(event)
    }
}
