//! What a move changes. Who has a machine is told what happened, and what the machine says is done.

use live_migration::handover::{source, target};

use crate::model::Handover;
use crate::moves::{Echo, Move, Which, Who};
use crate::wire::{Pipe, ToTarget};
use crate::world::{Call, Doing, Process, Saved, Vm, Word, World, Wrong};

impl Handover {
    /// The world after `step`.
    pub(crate) fn apply(&self, before: &World, step: Move) -> World {
        let mut world = before.clone();
        self.perform(&mut world, step);
        // A crash has taken the VM where it ran; or the source's copy, and then what the target has fails or is
        // discarded by somebody who did not know.
        let by_crash = matches!(step, Move::Crash(_))
            || before.died_with_its_target()
            || world.source.doing == Doing::Dead
                && matches!(step, Move::TargetFails(_) | Move::Late(_, Word::Discard));
        if before.is_held() && !world.is_held() && !by_crash {
            world.wrong = Some(Wrong::Vanished);
        }
        world
    }

    fn perform(&self, world: &mut World, step: Move) {
        let current = world.source.attempt;
        match step {
            Move::TargetHears(attempt, _) => self.target_hears(world, attempt),
            Move::SourceHears(_) => self.source_hears(world),
            Move::SwitchOver => {
                world.source.vm = Vm::Still;
                world.attempts[current].to_target.say(ToTarget::All);
            }
            Move::SourceFails { told } => {
                if told {
                    stray(world, current, Word::Discard);
                }
                self.tell_source(world, Who::Source, source::Event::Failed);
            }
            Move::NoAnswer => self.tell_source(world, Who::Source, source::Event::NoWord),
            Move::Cancelled => self.tell_source(world, Who::Source, source::Event::Failed),
            Move::TargetLoses(attempt) => _ = self.tell_target(world, attempt, target::Event::Lost),
            Move::CutToTarget(attempt, kept) => world.attempts[attempt].to_target.cut(kept),
            Move::CutToSource(attempt, kept) => world.attempts[attempt].to_source.cut(kept),
            Move::TargetRuns(attempt) => _ = self.tell_target(world, attempt, target::Event::Runs),
            Move::TargetFails(attempt) => _ = self.tell_target(world, attempt, target::Event::Failed),
            Move::Ask(who) => process(world, who).doing = Doing::Asking(Call::InTheAir(Word::Ask)),
            Move::Reach(who, word, copy) => self.reach(world, who, word, copy),
            Move::Elsewhere(who, from, standing) => {
                self.tell_source(world, who, source::Event::Answer(from, standing));
            }
            Move::Answer(who, _) => {
                if let Some(Call::Answered(from, standing)) = process(world, who).call() {
                    self.tell_source(world, who, source::Event::Answer(from, standing));
                }
            }
            Move::NoWord(who, copy) => {
                let asker = process(world, who);
                if let (Some(Call::InTheAir(word)), Echo::Late) = (asker.call(), copy) {
                    let attempt = asker.attempt;
                    stray(world, attempt, word);
                }
                self.tell_source(world, who, source::Event::NoWord);
            }
            Move::Late(attempt, word) => {
                let place = world.strays.iter().position(|&found| found == (attempt, word));
                world.strays.remove(place.expect("only what is on its way arrives"));
                _ = self.asked(world, attempt, asking(word));
            }
            Move::GiveUp => self.tell_source(world, Who::Source, source::Event::GaveUp),
            Move::Write => {
                let target = world.source.machine.target.expect("the source is in doubt about a target");
                world.file = Some(Saved { attempt: current, target });
                world.source.doing = Doing::Written;
            }
            Move::CannotWrite => self.tell_source(world, Who::Source, source::Event::AskAgain),
            Move::Leave => self.tell_source(world, Who::Source, source::Event::Saved),
            Move::Again(host) => world.begin(current + 1, host),
            Move::Look(attempt) => _ = self.asked(world, attempt, target::Event::Looked),
            Move::OperatorRuns(attempt) => stray(world, attempt, Word::Run),
            Move::OperatorDiscards(attempt) => stray(world, attempt, Word::Discard),
            Move::Restore => self.restore(world),
            Move::Force(index) => self.tell_source(world, Who::Restore(index), source::Event::Forced),
            Move::Crash(which) => crash(world, which),
        }
    }

    fn restore(&self, world: &mut World) {
        let saved = world.file.expect("only what is in a file is restored");
        if self.rules.file_goes_early {
            world.file = None;
        }
        world.restores.push(Process {
            machine: source::Source::kept(saved.target),
            attempt: saved.attempt,
            vm: Vm::Still,
            doing: Doing::ToAsk,
        });
        let index = world.restores.len() - 1;
        self.tell_source(world, Who::Restore(index), source::Event::AskAgain);
    }
}

/// The process that asks.
pub(crate) fn process(world: &mut World, who: Who) -> &mut Process {
    match who {
        Who::Source => &mut world.source,
        Who::Restore(index) => &mut world.restores[index],
    }
}

/// A word is on its way, and nobody waits for the answer.
pub(crate) fn stray(world: &mut World, attempt: usize, word: Word) {
    world.strays.push((attempt, word));
    world.strays.sort_unstable();
}

/// What a target hears when `word` reaches it.
pub(crate) fn asking(word: Word) -> target::Event {
    match word {
        Word::Ask => target::Event::Asked,
        Word::Run => target::Event::AskedToRun,
        Word::Discard => target::Event::AskedToDiscard,
    }
}

fn crash(world: &mut World, which: Which) {
    world.crashes += 1;
    match which {
        Which::Source => {
            world.source.vm = Vm::Gone;
            world.source.doing = Doing::Dead;
            let attempt = &mut world.attempts[world.source.attempt];
            attempt.to_target.shut = true;
            attempt.to_source = Pipe::shut();
        }
        Which::Restore(index) => _ = world.restores.remove(index),
        Which::Host(host) => {
            world.crashed[host] = true;
            for attempt in world.attempts.iter_mut().filter(|attempt| attempt.host == host) {
                attempt.arriving = None;
                attempt.to_target = Pipe::shut();
                attempt.to_source.shut = true;
            }
        }
    }
}
