//! Follows a migration for the terminal and for the neighbours' shares of the engines.

use std::ops::ControlFlow;

use gpup_scene::Shares;
use live_migration::converge::FULL_SPEED;
use live_migration::{Event, Observer, Phase};

use crate::interrupt::Hold;
use crate::progress::Progress;
use crate::report::Neighbour;
use crate::tell::tell;
use crate::world::{Guest, throttle};

/// Follows one migration.
pub(crate) struct Watch<'a> {
    progress: Progress,
    mover: &'a Guest,
    shares: Shares<'a>,
    throttled: bool,
    /// From the word that gives it away on, this process may have the only copy of the VM.
    hold: Option<Hold>,
}

impl<'a> Watch<'a> {
    /// Of `mover`, which is about to leave its neighbours; `since` is their [`gpup_scene::busy`] at an earlier moment.
    pub(crate) fn new(mover: &'a Guest, neighbours: &'a [Guest], since: &[u64], progress: Progress) -> Self {
        Self { progress, mover, shares: Shares::new(mover, neighbours, since), throttled: false, hold: None }
    }

    /// Each neighbour's share.
    pub(crate) fn neighbours(self) -> Vec<Neighbour> {
        self.shares.neighbours()
    }
}

impl Observer for Watch<'_> {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        self.shares.event(&event);
        if matches!(event, Event::Enter(Phase::Commit) | Event::InDoubt) {
            self.hold.get_or_insert_with(Hold::new);
        }
        // A guest that runs at full speed is not told so: before Prepare the driver would refuse.
        if let Event::Throttle(speed) = event
            && (self.throttled || speed < FULL_SPEED)
        {
            self.throttled = true;
            if let Err(error) = throttle(&self.mover.vgpu, speed) {
                tell!("the guest could not be slowed: {error}");
            }
        }
        self.progress.event(event)
    }
}
