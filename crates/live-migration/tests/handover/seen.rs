//! Which rows of the two machines' tables the model has been through.

use std::collections::{BTreeSet, HashSet};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use live_migration::handover::{Identity, source, target};

/// In what was seen, whichever target the source had.
pub(crate) const TARGET: Identity = Identity(1);

/// Every step that was taken.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) source: Steps<source::State, source::Event, source::Action>,
    pub(crate) target: Steps<target::State, target::Event, target::Action>,
}

/// The steps of one machine: where it was, what happened, what it said.
pub(crate) struct Steps<S, E, A>(Mutex<HashSet<(S, E, A)>>);

impl<S, E, A> Default for Steps<S, E, A> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<S: Copy + Eq + Hash, E: Copy + Eq + Hash, A: Copy + Eq + Hash> Steps<S, E, A> {
    pub(crate) fn note(&self, state: S, event: E, action: A) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((state, event, action));
    }

    /// What happened in which states.
    pub(crate) fn rows(&self) -> BTreeSet<(S, E)>
    where
        S: Ord,
        E: Ord,
    {
        let steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps.iter().map(|&(state, event, _)| (state, event)).collect()
    }

    /// What was said.
    pub(crate) fn actions(&self) -> BTreeSet<A>
    where
        A: Ord,
    {
        let steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps.iter().map(|&(.., action)| action).collect()
    }
}
