//! The source's process, and that of a restore, round their machine.

use live_migration::handover::Identity;
use live_migration::handover::source::{Action, Event, State};

use crate::apply::process;
use crate::model::Handover;
use crate::moves::Who;
use crate::seen::TARGET;
use crate::wire::{Pipe, ToSource, ToTarget};
use crate::world::{Call, Doing, IMPOSTOR, Vm, Word, World, Wrong};

impl Handover {
    /// `event` happens to the machine of `who`, which then does what it says.
    pub(crate) fn tell_source(&self, world: &mut World, who: Who, event: Event) {
        let asker = process(world, who);
        let state = asker.machine.state;
        let (machine, action) = (self.rules.source)(asker.machine, event);
        asker.machine = machine;
        self.seen.source.note(state, of_whom(event, machine.target), action);
        match action {
            Action::Nothing => {}
            Action::Commit => world.attempts[world.source.attempt].to_target.say(ToTarget::Commit),
            Action::Ask => waits(world, who, Doing::ToAsk),
            Action::CommitAgain => waits(world, who, Doing::Asking(Call::InTheAir(Word::Run))),
            Action::DiscardThere => waits(world, who, Doing::Asking(Call::InTheAir(Word::Discard))),
            Action::RunHere => ends(world, who, Vm::Runs),
            Action::TakeBack => {
                world.attempts[world.source.attempt].to_target.say(ToTarget::Abort);
                ends(world, who, Vm::Runs);
            }
            Action::Leave => {
                if !world.attempts[world.source.attempt].ran && world.file.is_none() {
                    world.wrong = Some(Wrong::LeftTooEarly);
                }
                ends(world, who, Vm::Gone);
            }
            Action::Keep => waits(world, who, Doing::Saving),
            Action::Refuse => match who {
                Who::Source => ends(world, who, Vm::Gone),
                Who::Restore(index) => _ = world.restores.remove(index),
            },
        }
    }

    /// The next word on the connection that the migration came over.
    pub(crate) fn source_hears(&self, world: &mut World) {
        let source = &mut world.source;
        let event = match (world.attempts[source.attempt].to_source.hear(), source.machine.state) {
            (ToSource::Welcome(target), _) => {
                source.machine.target = Some(target);
                return;
            }
            (ToSource::Ready, _) => Event::Ready,
            (ToSource::Running, _) => Event::Running,
            (ToSource::Refused, State::Owner) => Event::Failed,
            (ToSource::Refused, _) => Event::Refused,
        };
        self.tell_source(world, Who::Source, event);
    }
}

/// The same for all targets, and for all others.
fn of_whom(event: Event, target: Option<Identity>) -> Event {
    match event {
        Event::Answer(from, standing) if target == Some(from) => Event::Answer(TARGET, standing),
        Event::Answer(_, standing) => Event::Answer(IMPOSTOR, standing),
        event => event,
    }
}

fn waits(world: &mut World, who: Who, doing: Doing) {
    hangs_up(world, who);
    process(world, who).doing = doing;
}

fn ends(world: &mut World, who: Who, vm: Vm) {
    waits(world, who, Doing::Over);
    process(world, who).vm = vm;
}

/// Whoever waits for anything else has left the control connection; what was said on it may yet arrive.
fn hangs_up(world: &mut World, who: Who) {
    if who == Who::Source {
        let attempt = &mut world.attempts[world.source.attempt];
        attempt.to_target.shut = true;
        attempt.to_source = Pipe::shut();
    }
}
