//! A target's process round its machine: the agent at its connection, and whoever answers questions.

use live_migration::handover::target::{Action, Event, State, Target};
use live_migration::handover::{Standing, target};

use crate::apply::{asking, process, stray};
use crate::model::Handover;
use crate::moves::{Echo, Who};
use crate::wire::{Pipe, ToSource, ToTarget};
use crate::world::{Arriving, Call, Doing, Word, World, Wrong};

impl Handover {
    /// `event` happens to the machine of `attempt`, and what it says is done. Gives what whoever asked is told;
    /// none if they will be told later.
    pub(crate) fn tell_target(&self, world: &mut World, attempt: usize, event: Event) -> Option<Standing> {
        let of = &mut world.attempts[attempt];
        let arriving = of.arriving.as_mut().expect("somebody has the VM");
        let state = arriving.machine.state;
        let (machine, action) = (self.rules.target)(arriving.machine, event);
        arriving.machine = machine;
        self.seen.target.note(state, event, action);
        let told = match action {
            Action::Nothing | Action::Run => None,
            Action::SayReady => {
                of.to_source.say(ToSource::Ready);
                None
            }
            Action::Discard if event == Event::Failed => {
                of.to_source.say(ToSource::Refused);
                Some(Standing::Discarded)
            }
            Action::Discard => Some(Standing::Discarded),
            Action::Say(standing) => {
                if event == Event::Runs {
                    of.to_source.say(ToSource::Running);
                }
                Some(standing)
            }
            Action::Interrupt => {
                arriving.interrupted = true;
                Some(Standing::UnderWay)
            }
        };
        if !matches!(machine.state, State::Receiving | State::Ready | State::Starting) {
            arriving.interrupted = false;
            of.to_target = Pipe::shut();
            of.to_source.shut = true;
        }
        of.ran |= machine.state == State::Running;
        if let (Event::Runs | Event::Failed, Some(standing)) = (event, told) {
            has_been_done(world, attempt, standing);
        }
        if was_unasked(state, event, machine) {
            world.wrong = Some(Wrong::DiscardedUnasked);
        }
        told
    }

    /// A question about `attempt` arrives at its target.
    pub(crate) fn asked(&self, world: &mut World, attempt: usize, event: Event) -> Option<Standing> {
        match self.found(world, attempt) {
            Some(attempt) => self.tell_target(world, attempt, event),
            None => Some(Standing::Unknown),
        }
    }

    /// The VM that a target takes for that of `attempt`.
    fn found(&self, world: &World, attempt: usize) -> Option<usize> {
        let same = |other: &usize| {
            let [this, other] = [attempt, *other].map(|attempt| &world.attempts[attempt]);
            self.rules.names_are_reused && this.host == other.host && other.arriving.is_some()
        };
        let found = (0..attempt).find(same).unwrap_or(attempt);
        let is_forgotten = self.rules.target_forgets && world.attempts[found].state() == Some(State::Running);
        (world.attempts[found].arriving.is_some() && !is_forgotten).then_some(found)
    }

    /// The question of `who` arrives at its target, or at that one's successor.
    pub(crate) fn reach(&self, world: &mut World, who: Who, word: Word, echo: Echo) {
        let attempt = process(world, who).attempt;
        let host = world.attempts[attempt].host;
        let from = match &world.attempts[attempt].arriving {
            Some(arriving) => arriving.identity,
            None => world.identity(host),
        };
        let call = match self.asked(world, attempt, asking(word)) {
            Some(standing) => Call::Answered(from, standing),
            None => Call::BeingDone,
        };
        process(world, who).doing = Doing::Asking(call);
        if echo == Echo::Late {
            stray(world, attempt, word);
        }
    }

    /// The next word on the connection that the migration came over.
    pub(crate) fn target_hears(&self, world: &mut World, attempt: usize) {
        let event = match world.attempts[attempt].to_target.hear() {
            ToTarget::Hello => {
                let identity = world.identity(world.attempts[attempt].host);
                let of = &mut world.attempts[attempt];
                of.to_source.say(ToSource::Welcome(identity));
                of.arriving = Some(Arriving { machine: Target::new(), identity, interrupted: false });
                return;
            }
            ToTarget::All => Event::Loaded,
            ToTarget::Commit => Event::Commit,
            ToTarget::Abort => Event::Abort,
        };
        self.tell_target(world, attempt, event);
    }
}

/// Whoever asked for the VM to run hears how it went.
fn has_been_done(world: &mut World, attempt: usize, standing: Standing) {
    let Some(arriving) = &world.attempts[attempt].arriving else { return };
    let answer = Doing::Asking(Call::Answered(arriving.identity, standing));
    let waits = Doing::Asking(Call::BeingDone);
    if world.source.attempt == attempt && world.source.doing == waits {
        world.source.doing = answer;
    }
}

fn was_unasked(from: State, event: Event, to: target::Target) -> bool {
    let had_it = matches!(from, State::Ready | State::InDoubt | State::Starting | State::Running);
    let for_cause = matches!(event, Event::Failed | Event::Abort | Event::AskedToDiscard);
    had_it && to.state == State::Discarded && !for_cause
}
