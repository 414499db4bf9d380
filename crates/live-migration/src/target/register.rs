//! What a target knows of each migration: the machine of its hand-over, and the VM while it is in doubt.
//!
//! One lock orders whatever agents and questions say of a migration, so each finds what the one before it left. What a
//! VM is, is none of its business: it only keeps it (`V`).

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

use dxgksim::host::{Event as Signal, Mutex};

use crate::handover::target::{Action, Event, State, Target as Hand};
use crate::wire::channel::SLICE_NS;
use crate::wire::framed::Framed;

/// One migration.
struct Entry<V> {
    hand: Hand,
    /// The VM, while it is in doubt.
    held: Option<V>,
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
pub(super) struct Register<V> {
    entries: Mutex<BTreeMap<u128, Entry<V>>>,
}

impl<V> Register<V> {
    /// Of a target that knows of none.
    pub(super) fn new() -> Self {
        Self { entries: Mutex::default() }
    }

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
    pub(super) fn step(&self, migration: u128, event: Event) -> Option<(Action, Option<V>)> {
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
    pub(super) fn lose(&self, migration: u128, held: V) {
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
    pub(super) fn give_up(&self) -> alloc::vec::Vec<V> {
        let mut entries = self.entries.lock();
        let doubtful = entries.values_mut().filter(|entry| entry.hand.state == State::InDoubt);
        let given_up = doubtful.filter_map(|entry| {
            let (hand, _) = entry.hand.step(Event::AskedToDiscard);
            entry.hand = hand;
            entry.held.take()
        });
        given_up.collect()
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::vec;

    use super::*;
    use crate::handover::Standing;
    use crate::wire::framed::Loopback;
    use crate::wire::vigil::Vigil;

    const MIGRATION: u128 = 7;
    const VM: &str = "a VM";

    /// A register with one migration, and what its agent shares with it.
    fn begun() -> (Register<&'static str>, Arc<Seat>) {
        dxgksim::host::std_host::install();
        let register = Register::new();
        let seat = register.begin(MIGRATION).unwrap();
        (register, seat)
    }

    /// The same when its VM stands ready, in doubt.
    fn in_doubt() -> Register<&'static str> {
        let (register, _) = begun();
        assert_eq!(register.step(MIGRATION, Event::Loaded), Some((Action::SayReady, None)));
        register.lose(MIGRATION, VM);
        assert_eq!(register.states(), [(MIGRATION, State::InDoubt)]);
        register
    }

    fn link() -> Framed {
        Framed::new(Box::<Loopback>::default(), Vigil::timeless())
    }

    #[test]
    fn a_migration_begins_once_however_it_ended() {
        let (register, _) = begun();
        assert!(register.begin(MIGRATION).is_none());
        let _ = register.step(MIGRATION, Event::Failed);
        assert!(register.begin(MIGRATION).is_none(), "what was discarded came again");
        assert!(register.begin(MIGRATION + 1).is_some());
    }

    #[test]
    fn nobody_knows_of_what_never_began() {
        dxgksim::host::std_host::install();
        let register = Register::<&str>::new();
        for event in [Event::Asked, Event::Looked, Event::AskedToRun, Event::AskedToDiscard, Event::Commit] {
            assert_eq!(register.step(MIGRATION, event), None);
        }
        // No question makes it known.
        assert!(register.begin(MIGRATION).is_some());
    }

    #[test]
    fn data_connections_reach_a_migration_only_while_it_comes_in() {
        let (register, seat) = begun();
        assert!(register.route(link(), MIGRATION + 1).is_err());
        assert!(register.route(link(), MIGRATION).is_ok());
        assert!(seat.next_stream().is_some());
        assert!(seat.next_stream().is_none(), "one came twice");
        let _ = register.step(MIGRATION, Event::Loaded);
        for event in [Event::Commit, Event::Runs] {
            assert!(register.route(link(), MIGRATION).is_err());
            let _ = register.step(MIGRATION, event);
        }
        assert!(register.route(link(), MIGRATION).is_err());
    }

    #[test]
    fn a_vm_in_doubt_comes_once_with_the_word_to_run_it() {
        let register = in_doubt();
        assert_eq!(register.step(MIGRATION, Event::Asked), Some((Action::Say(Standing::Ready), None)));
        assert_eq!(register.step(MIGRATION, Event::AskedToRun), Some((Action::Run, Some(VM))));
        // Whoever asks meanwhile gets neither the VM nor its end.
        for event in [Event::AskedToRun, Event::AskedToDiscard] {
            assert_eq!(register.step(MIGRATION, event), Some((Action::Say(Standing::UnderWay), None)));
        }
        assert_eq!(register.step(MIGRATION, Event::Runs), Some((Action::Say(Standing::Running), None)));
        assert_eq!(
            register.step(MIGRATION, Event::AskedToDiscard),
            Some((Action::Say(Standing::Running), None))
        );
        assert!(register.give_up().is_empty());
    }

    #[test]
    fn a_vm_in_doubt_comes_once_with_the_word_to_discard_it() {
        let register = in_doubt();
        assert_eq!(register.step(MIGRATION, Event::AskedToDiscard), Some((Action::Discard, Some(VM))));
        assert_eq!(
            register.step(MIGRATION, Event::AskedToRun),
            Some((Action::Say(Standing::Discarded), None))
        );
    }

    #[test]
    fn a_question_before_the_agent_lets_go_makes_it_do_so() {
        let (register, seat) = begun();
        let _ = register.step(MIGRATION, Event::Loaded);
        assert_eq!(register.step(MIGRATION, Event::Looked), Some((Action::Say(Standing::UnderWay), None)));
        assert!(!seat.interrupt.load(Ordering::Relaxed), "whoever only looks disturbs nobody");
        assert_eq!(register.step(MIGRATION, Event::AskedToRun), Some((Action::Interrupt, None)));
        assert!(seat.interrupt.load(Ordering::Relaxed));
        // Only then is there a VM to be had.
        register.lose(MIGRATION, VM);
        assert_eq!(register.step(MIGRATION, Event::AskedToRun), Some((Action::Run, Some(VM))));
    }

    #[test]
    fn a_word_that_comes_after_the_loss_does_not_count_for_the_agent() {
        let register = in_doubt();
        assert_eq!(register.step(MIGRATION, Event::Commit), Some((Action::Say(Standing::Ready), None)));
        assert_eq!(register.states(), [(MIGRATION, State::InDoubt)]);
    }

    #[test]
    fn what_is_given_up_is_handed_out_once() {
        let register = in_doubt();
        let _ = register.begin(MIGRATION + 1);
        assert_eq!(register.give_up(), vec![VM]);
        assert!(register.give_up().is_empty());
        let discarded = Some((Action::Say(Standing::Discarded), None));
        assert_eq!(register.step(MIGRATION, Event::AskedToRun), discarded);
    }

    #[test]
    fn everybody_at_a_connection_is_interrupted_at_once() {
        let (register, one) = begun();
        let other = register.begin(MIGRATION + 1).unwrap();
        register.interrupt();
        assert!([one, other].iter().all(|seat| seat.interrupt.load(Ordering::Relaxed)));
    }
}
