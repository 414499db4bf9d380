//! What a target knows of each migration.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use live_migration::Held;
use live_migration::wire::frame::Framed;
use live_migration::wire::message::{GuestOutcome, Resolution};

/// Where a migration stands on this side.
enum Entry {
    /// Its agent is at work.
    UnderWay(Sender<Framed>),
    /// Ready, and the wire was cut.
    InDoubt(Box<Held>),
    /// Runs, or has run, here.
    Running(Telling),
    /// Nothing of it is left.
    Discarded,
}

/// Who is to hear the guest's outcome.
#[derive(Default)]
struct Telling {
    outcome: Option<GuestOutcome>,
    waiting: Vec<Framed>,
    told: bool,
}

/// All migrations of this process.
#[derive(Default)]
pub(super) struct Register {
    entries: Mutex<HashMap<u128, Entry>>,
    changed: Condvar,
}

impl Register {
    fn lock(&self) -> MutexGuard<'_, HashMap<u128, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, migration: u128, entry: Entry) {
        self.lock().insert(migration, entry);
        self.changed.notify_all();
    }

    /// Waits until `done` finds something, `patience` at the longest.
    fn wait_for<T>(
        &self,
        patience: Duration,
        done: impl Fn(&HashMap<u128, Entry>) -> Option<T>,
    ) -> Option<T> {
        let deadline = Instant::now() + patience;
        let mut entries = self.lock();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match done(&entries) {
                None if !left.is_zero() => {}
                found => return found,
            }
            entries = self.changed.wait_timeout(entries, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A migration begins; its data connections will come out of what this gives. None if it is known already.
    pub(super) fn begin(&self, migration: u128) -> Option<Receiver<Framed>> {
        let mut entries = self.lock();
        if entries.contains_key(&migration) {
            return None;
        }
        let (sender, streams) = channel();
        entries.insert(migration, Entry::UnderWay(sender));
        Some(streams)
    }

    /// Hands a data connection to its migration; false if none is under way.
    pub(super) fn route(&self, link: Framed, migration: u128) -> bool {
        match self.lock().get(&migration) {
            Some(Entry::UnderWay(streams)) => streams.send(link).is_ok(),
            _ => false,
        }
    }

    /// The VM runs here.
    pub(super) fn running(&self, migration: u128) {
        self.set(migration, Entry::Running(Telling::default()));
    }

    /// The VM stands ready, and nobody knows whether it may run.
    pub(super) fn in_doubt(&self, held: Held) {
        self.set(held.hello.migration, Entry::InDoubt(Box::new(held)));
    }

    /// Nothing of it is left.
    pub(super) fn discarded(&self, migration: u128) {
        self.set(migration, Entry::Discarded);
    }

    /// What became of a migration. None while its agent is at work, which may yet run the VM: to say "unknown"
    /// then could make both sides run it.
    pub(super) fn settled(&self, migration: u128, patience: Duration) -> Option<Resolution> {
        self.wait_for(patience, |entries| match entries.get(&migration) {
            Some(Entry::UnderWay(_)) => None,
            Some(Entry::InDoubt(_)) => Some(Resolution::Ready),
            Some(Entry::Running(_)) => Some(Resolution::Running),
            Some(Entry::Discarded) | None => Some(Resolution::Unknown),
        })
    }

    /// Takes a VM out of doubt, to be run or to be discarded. None if it is not in doubt.
    pub(super) fn take_held(&self, migration: u128, to_run: bool) -> Option<Held> {
        let mut entries = self.lock();
        if !matches!(entries.get(&migration), Some(Entry::InDoubt(_))) {
            return None;
        }
        let then = if to_run { Entry::Running(Telling::default()) } else { Entry::Discarded };
        let held = match entries.insert(migration, then) {
            Some(Entry::InDoubt(held)) => Some(*held),
            _ => None,
        };
        self.changed.notify_all();
        held
    }

    /// The guest has finished. Gives the connections on which somebody waits to hear it.
    pub(super) fn finished(&self, migration: u128, outcome: &GuestOutcome) -> Vec<Framed> {
        match self.lock().get_mut(&migration) {
            Some(Entry::Running(telling)) => {
                telling.outcome = Some(outcome.clone());
                std::mem::take(&mut telling.waiting)
            }
            _ => Vec::new(),
        }
    }

    /// Somebody wants to hear the outcome on `link`: now, if the guest has finished.
    pub(super) fn listen(&self, migration: u128, link: Framed) -> Option<(Framed, GuestOutcome)> {
        if let Some(Entry::Running(telling)) = self.lock().get_mut(&migration) {
            match telling.outcome.clone() {
                Some(outcome) => return Some((link, outcome)),
                None => telling.waiting.push(link),
            }
        }
        None
    }

    /// Whoever wanted to know has heard the outcome.
    pub(super) fn told(&self, migration: u128) {
        if let Some(Entry::Running(telling)) = self.lock().get_mut(&migration) {
            telling.told = true;
        }
        self.changed.notify_all();
    }

    /// Outcomes that nobody has heard yet.
    pub(super) fn untold(&self) -> usize {
        untold(&self.lock())
    }

    /// Waits until every outcome has been heard.
    pub(super) fn wait_told(&self, patience: Duration) {
        self.wait_for(patience, |entries| (untold(entries) == 0).then_some(()));
    }

    /// VMs on their way, in doubt, or with their guests at work here.
    pub(super) fn unsettled(&self) -> usize {
        let open = |entry: &&Entry| match entry {
            Entry::UnderWay(_) | Entry::InDoubt(_) => true,
            Entry::Running(telling) => telling.outcome.is_none(),
            Entry::Discarded => false,
        };
        self.lock().values().filter(open).count()
    }
}

fn untold(entries: &HashMap<u128, Entry>) -> usize {
    let waits =
        |entry: &&Entry| matches!(entry, Entry::Running(Telling { outcome: Some(_), told: false, .. }));
    entries.values().filter(waits).count()
}
