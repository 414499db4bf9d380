//! The neighbours' parts of the engines, before a migration and during it.

use alloc::vec;
use alloc::vec::Vec;

use live_migration::{Event, Phase};

use crate::Guest;
use crate::report::Neighbour;

/// Follows one migration.
pub struct Shares<'a> {
    mover: &'a Guest,
    neighbours: &'a [Guest],
    before: Vec<f64>,
    at_brownout: Option<Vec<u64>>,
    at_end: Option<Vec<u64>>,
}

impl<'a> Shares<'a> {
    /// Of `mover`, which is about to leave its neighbours; `since` is their [`busy`] at an earlier moment.
    pub fn new(mover: &'a Guest, neighbours: &'a [Guest], since: &[u64]) -> Self {
        let before = shares(since, &busy(mover, neighbours));
        Self { mover, neighbours, before, at_brownout: None, at_end: None }
    }

    /// Takes in what the agent tells.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Enter(Phase::Brownout) => self.at_brownout = Some(busy(self.mover, self.neighbours)),
            Event::Enter(Phase::Commit) => self.at_end = Some(busy(self.mover, self.neighbours)),
            _ => {}
        }
    }

    /// Each neighbour's part of the engine time granted to neighbours: before the migration, and from the begin
    /// of the brownout to the moment ownership passed.
    pub fn neighbours(self) -> Vec<Neighbour> {
        let during = match (&self.at_brownout, &self.at_end) {
            (Some(from), Some(to)) => shares(from, to),
            (Some(from), None) => shares(from, &busy(self.mover, self.neighbours)),
            _ => vec![0.0; self.neighbours.len()],
        };
        self.neighbours
            .iter()
            .zip(self.before.iter().zip(during))
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
pub fn busy(mover: &Guest, neighbours: &[Guest]) -> Vec<u64> {
    core::iter::once(mover).chain(neighbours).map(Guest::busy).collect()
}

fn shares(from: &[u64], to: &[u64]) -> Vec<f64> {
    let spent: Vec<u64> = from.iter().zip(to).map(|(from, to)| to.saturating_sub(*from)).collect();
    let all: u64 = spent[1..].iter().sum();
    spent[1..].iter().map(|one| if all == 0 { 0.0 } else { *one as f64 / all as f64 }).collect()
}
