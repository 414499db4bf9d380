//! What a target knows of each migration: the machine of its hand-over, and the VM while it is in doubt.
//!
//! One lock orders whatever agents and questions say of a migration, so each finds what the one before it left.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

use dxgksim::host::{Event as Signal, Mutex};

use super::held::Held;
use crate::handover::target::{Action, Event, State, Target as Hand};
use crate::wire::channel::SLICE_NS;
use crate::wire::framed::Framed;

/// One migration.
struct Entry {
    hand: Hand,
    /// The VM, while it is in doubt.
    held: Option<Held>,
    seat: Arc<Seat>,
}

/// What an agent at work and those who come for it share.
#[derive(Default)]
pub(super) struct Seat {
    /// Somebody wants the agent to let go of its connection.
    pub(super) interrupt: Arc<AtomicBool>,
    streams: Mutex<VecDeque<Framed>>,
    came: Signal,
}

impl Seat {
    /// The next data connection. None: none came within a slice.
    pub(super) fn next_stream(&self) -> Option<Framed> {
        let next = self.streams.lock().pop_front();
        if next.is_none() {
            self.came.wait(SLICE_NS);
        }
        next.or_else(|| self.streams.lock().pop_front())
    }
}

/// All migrations of one target.
#[derive(Default)]
pub(super) struct Register {
    entries: Mutex<BTreeMap<u128, Entry>>,
}

impl Register {
    /// A migration begins. None if it is known already.
    pub(super) fn begin(&self, migration: u128) -> Option<Arc<Seat>> {
        let mut entries = self.entries.lock();
        if entries.contains_key(&migration) {
            return None;
        }
        let seat = Arc::<Seat>::default();
        entries.insert(migration, Entry { hand: Hand::new(), held: None, seat: seat.clone() });
        Some(seat)
    }

    /// Hands a data connection to its migration, which must be coming in; else gives it back.
    pub(super) fn route(&self, link: Framed, migration: u128) -> Result<(), Framed> {
        let entries = self.entries.lock();
        match entries.get(&migration) {
            Some(entry) if entry.hand.state == State::Receiving => {
                entry.seat.streams.lock().push_back(link);
                entry.seat.came.signal();
                Ok(())
            }
            _ => Err(link),
        }
    }

    /// Tells the machine of a migration what happened. None: it is not known. What is to be run or to be discarded
    /// comes with the word to do so, if it lies here.
    pub(super) fn step(&self, migration: u128, event: Event) -> Option<(Action, Option<Held>)> {
        let mut entries = self.entries.lock();
        let entry = entries.get_mut(&migration)?;
        let (hand, action) = entry.hand.step(event);
        entry.hand = hand;
        let held = match action {
            Action::Run | Action::Discard => entry.held.take(),
            Action::Interrupt => {
                entry.seat.interrupt.store(true, Ordering::Relaxed);
                None
            }
            _ => None,
        };
        Some((action, held))
    }

    /// The agent of a VM that stands ready has lost its connection: the VM waits here for a question.
    pub(super) fn lose(&self, held: Held) {
        let migration = held.hello.migration;
        let mut entries = self.entries.lock();
        if let Some(entry) = entries.get_mut(&migration) {
            let (hand, _) = entry.hand.step(Event::Lost);
            entry.hand = hand;
            entry.held = Some(held);
        }
    }

    /// Makes every agent that is at its connection let go of it.
    pub(super) fn interrupt(&self) {
        for entry in self.entries.lock().values() {
            entry.seat.interrupt.store(true, Ordering::Relaxed);
        }
    }

    /// How each migration stands.
    pub(super) fn states(&self) -> alloc::vec::Vec<(u128, State)> {
        self.entries.lock().iter().map(|(migration, entry)| (*migration, entry.hand.state)).collect()
    }

    /// Takes the VMs in doubt out, for good: nobody can settle them any more.
    pub(super) fn give_up(&self) -> alloc::vec::Vec<Held> {
        self.entries.lock().values_mut().filter_map(|entry| entry.held.take()).collect()
    }
}
