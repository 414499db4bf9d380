//! Which moves are possible in a world. Those that end a hand-over come first: a fair wire takes the first it may.

use live_migration::handover::{source, target};

use crate::model::Handover;
use crate::moves::{Echo, Move, Which, Who};
use crate::rules::Operator;
use crate::world::{ATTEMPTS, Attempt, Call, Doing, HOSTS, IMPOSTOR, Process, Vm, Word, World};

impl Handover {
    /// All moves, in an order that the world alone decides.
    pub(crate) fn moves(&self, world: &World, moves: &mut Vec<Move>) {
        strays(world, moves);
        for attempt in 0..ATTEMPTS {
            at_target(world, attempt, moves);
        }
        self.at_source(world, moves);
        for (who, process) in askers(world) {
            self.questions(world, who, process, moves);
        }
        self.operator(world, moves);
        self.faults(world, moves);
    }

    fn at_source(&self, world: &World, moves: &mut Vec<Move>) {
        let source = &world.source;
        let attempt = &world.attempts[source.attempt];
        match (source.doing, source.machine.state) {
            (Doing::AtControl, state) => {
                moves.extend(attempt.to_source.words.first().map(|&word| Move::SourceHears(word)));
                if state != source::State::Owner {
                    moves.extend([Move::NoAnswer, Move::Cancelled]);
                    return;
                }
                if source.machine.target.is_some() && source.vm == Vm::Runs {
                    moves.push(Move::SwitchOver);
                }
                if self.has_room(world) {
                    moves.push(Move::SourceFails { told: true });
                }
                moves.push(Move::SourceFails { told: false });
            }
            (Doing::ToAsk, _) => moves.push(Move::GiveUp),
            (Doing::Saving, _) => moves.extend([Move::Write, Move::CannotWrite]),
            (Doing::Written, _) => moves.push(Move::Leave),
            (Doing::Over, source::State::Here) if source.attempt + 1 < self.bounds.attempts => {
                moves.extend((0..HOSTS).map(Move::Again));
            }
            _ => {}
        }
    }

    fn questions(&self, world: &World, who: Who, process: &Process, moves: &mut Vec<Move>) {
        if process.doing == Doing::ToAsk {
            moves.push(Move::Ask(who));
        }
        let Some(call) = process.call() else { return };
        match call {
            Call::InTheAir(word) => {
                moves.push(Move::Reach(who, word, Echo::None));
                moves.push(Move::NoWord(who, Echo::None));
                if self.has_room(world) {
                    moves.push(Move::Reach(who, word, Echo::Late));
                    moves.push(Move::NoWord(who, Echo::Late));
                }
                let lies = self.rules.impostor.iter();
                moves.extend(lies.map(|&standing| Move::Elsewhere(who, IMPOSTOR, standing)));
            }
            Call::BeingDone => moves.push(Move::NoWord(who, Echo::None)),
            Call::Answered(_, standing) => {
                moves.push(Move::Answer(who, standing));
                moves.push(Move::NoWord(who, Echo::None));
            }
        }
    }

    fn operator(&self, world: &World, moves: &mut Vec<Move>) {
        let operator = self.rules.operator;
        let places = if operator == Operator::RestoresTwice { 2 } else { 1 };
        if world.file.is_some() && world.source_is_gone() && world.restores.len() < places {
            moves.push(Move::Restore);
        }
        for (index, restore) in world.restores.iter().enumerate() {
            let is_dead = world.attempts[restore.attempt].arriving.is_none();
            if restore.doing == Doing::ToAsk && (is_dead || operator == Operator::ForcesBlindly) {
                moves.push(Move::Force(index));
            }
        }
        for attempt in 0..ATTEMPTS {
            if world.attempts[attempt].arriving.is_none() {
                continue;
            }
            moves.push(Move::Look(attempt));
            let nobody_else = world.source_is_gone() && world.restores.is_empty() && world.running() == 0;
            let may_run = nobody_else && attempt == world.source.attempt || operator == Operator::RunsBlindly;
            if may_run && self.has_room_for(world, attempt, Word::Run) {
                moves.push(Move::OperatorRuns(attempt));
            }
            let is_elsewhere = !world.source_is_gone() || world.file.is_some();
            if is_elsewhere && self.has_room_for(world, attempt, Word::Discard) {
                moves.push(Move::OperatorDiscards(attempt));
            }
        }
    }

    fn faults(&self, world: &World, moves: &mut Vec<Move>) {
        for (number, attempt) in world.attempts.iter().enumerate() {
            if !attempt.to_target.shut {
                moves.extend((0..=attempt.to_target.words.len()).map(|kept| Move::CutToTarget(number, kept)));
            }
            if !attempt.to_source.shut {
                moves.extend((0..=attempt.to_source.words.len()).map(|kept| Move::CutToSource(number, kept)));
            }
        }
        if world.crashes == self.bounds.crashes {
            return;
        }
        let has_ended = world.source_is_gone() && world.source.doing == Doing::Over;
        if !has_ended && world.source.doing != Doing::Dead {
            moves.push(Move::Crash(Which::Source));
        }
        moves.extend((0..world.restores.len()).map(|index| Move::Crash(Which::Restore(index))));
        let is_used = |host: &usize| {
            let at_work = |attempt: &Attempt| attempt.arriving.is_some() || !attempt.to_target.has_ended();
            world.attempts.iter().any(|attempt| attempt.host == *host && at_work(attempt))
        };
        let alive = (0..HOSTS).filter(|&host| !world.crashed[host]).filter(is_used);
        moves.extend(alive.map(|host| Move::Crash(Which::Host(host))));
    }

    /// One more word can be on its way without anybody who waits.
    pub(crate) fn has_room(&self, world: &World) -> bool {
        world.strays.len() < self.bounds.strays
    }

    fn has_room_for(&self, world: &World, attempt: usize, word: Word) -> bool {
        self.has_room(world) && !world.strays.contains(&(attempt, word))
    }
}

fn askers(world: &World) -> impl Iterator<Item = (Who, &Process)> {
    let restores = world.restores.iter().enumerate();
    std::iter::once((Who::Source, &world.source))
        .chain(restores.map(|(index, restore)| (Who::Restore(index), restore)))
}

fn strays(world: &World, moves: &mut Vec<Move>) {
    let mut last = None;
    for &(attempt, word) in &world.strays {
        if last.replace((attempt, word)) != Some((attempt, word)) {
            moves.push(Move::Late(attempt, word));
        }
    }
}

fn at_target(world: &World, number: usize, moves: &mut Vec<Move>) {
    let attempt = &world.attempts[number];
    let word = attempt.to_target.words.first().map(|&word| Move::TargetHears(number, word));
    let Some(arriving) = &attempt.arriving else {
        return moves.extend(word);
    };
    match arriving.machine.state {
        target::State::Receiving | target::State::Ready => {
            moves.extend(word);
            moves.push(Move::TargetLoses(number));
            moves.push(Move::TargetFails(number));
        }
        target::State::Starting => {
            moves.push(Move::TargetRuns(number));
            moves.push(Move::TargetFails(number));
        }
        target::State::InDoubt | target::State::Running | target::State::Discarded => {}
    }
}
