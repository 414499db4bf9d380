//! Who is to hear how the guests that run here end, and whether they have.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use live_migration::wire::frame::Kind;
use live_migration::wire::framed::Framed;
use live_migration::wire::message::GuestOutcome;

/// One guest's end.
#[derive(Default)]
struct Telling {
    outcome: Option<GuestOutcome>,
    waiting: Vec<Framed>,
    told: bool,
}

/// The guests that run, or have run, here.
#[derive(Default)]
pub(super) struct Outcomes {
    guests: Mutex<HashMap<u128, Telling>>,
    changed: Condvar,
}

impl Outcomes {
    fn lock(&self) -> MutexGuard<'_, HashMap<u128, Telling>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody wants to hear the outcome on `link`: now, if the guest has finished.
    pub(super) fn listen(&self, migration: u128, link: Framed) -> Option<(Framed, GuestOutcome)> {
        let mut guests = self.lock();
        let telling = guests.entry(migration).or_default();
        match telling.outcome.clone() {
            Some(outcome) => Some((link, outcome)),
            None => {
                telling.waiting.push(link);
                None
            }
        }
    }

    /// Tells whoever waits that the guest is still at work. An operator who only settled a doubt says at once that he
    /// need not hear the outcome.
    pub(super) fn beat(&self, migration: u128) {
        if let Some(telling) = self.lock().get_mut(&migration) {
            let Telling { waiting, told, .. } = telling;
            waiting.retain_mut(|link| match link.look() {
                Ok(false) => link.beat().is_ok(),
                Ok(true) => {
                    *told |= link.expect(Kind::End).is_ok();
                    false
                }
                Err(_) => false,
            });
        }
    }

    /// The guest has finished. Gives the connections on which somebody waits to hear it.
    pub(super) fn finished(&self, migration: u128, outcome: &GuestOutcome) -> Vec<Framed> {
        let mut guests = self.lock();
        let telling = guests.entry(migration).or_default();
        telling.outcome = Some(outcome.clone());
        std::mem::take(&mut telling.waiting)
    }

    /// Whoever wanted to know has heard the outcome.
    pub(super) fn told(&self, migration: u128) {
        self.lock().entry(migration).or_default().told = true;
        self.changed.notify_all();
    }

    /// Guests whose end has not come.
    pub(super) fn at_work(&self) -> usize {
        self.lock().values().filter(|telling| telling.outcome.is_none()).count()
    }

    /// Outcomes that nobody has heard yet.
    pub(super) fn untold(&self) -> usize {
        untold(&self.lock())
    }

    /// Waits until every outcome has been heard, `patience` at the longest, or until `stop` says so.
    pub(super) fn wait_told(&self, patience: Duration, mut stop: impl FnMut() -> bool) {
        const LOOK: Duration = Duration::from_millis(100);
        let deadline = Instant::now() + patience;
        let mut guests = self.lock();
        while untold(&guests) > 0 && !stop() {
            match deadline.saturating_duration_since(Instant::now()) {
                Duration::ZERO => break,
                left => {
                    let woken = self.changed.wait_timeout(guests, left.min(LOOK));
                    guests = woken.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }
}

fn untold(guests: &HashMap<u128, Telling>) -> usize {
    guests.values().filter(|telling| telling.outcome.is_some() && !telling.told).count()
}
