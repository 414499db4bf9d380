//! What becomes of a world when the wire is back: nothing is lost any more, nobody crashes and no deadline passes.
//!
//! One order of moves is tried from every world that is reached. As each of them is itself such a world, a way to the
//! end is open wherever other orders lead; and among finitely many worlds, a run that takes every move that stays
//! possible comes to an end that is open everywhere.

use live_migration::handover::source::State;
use stateright::Model;

use crate::model::Handover;
use crate::moves::{Echo, Move, Who};
use crate::world::{ATTEMPTS, Doing, World};

/// More moves than any hand-over needs from its worst world.
const ENOUGH: usize = 60;

/// Who is at work when the wire is back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Help {
    /// The source asks, and a file's restore asks.
    None,
    /// An operator also says what only somebody who knows can say.
    Operator,
}

impl Handover {
    /// One VM runs in the end; or a crash took the only copy; or only an operator can know, and then the VM is whole,
    /// somebody says that it is in doubt, and the operator ends it.
    pub(crate) fn settles(&self, world: &World) -> bool {
        let Some(rest) = self.rest(world.clone(), Help::None) else { return false };
        match rest.running() {
            1 => !is_committed(&rest),
            0 if !rest.is_held() => rest.crashes > 0,
            0 => waits_for_somebody(&rest) && self.is_ended_by_operator(rest),
            _ => false,
        }
    }

    fn is_ended_by_operator(&self, world: World) -> bool {
        self.rest(world, Help::Operator).is_some_and(|rest| rest.running() == 1)
    }

    /// Where fair moves lead; none if they lead nowhere.
    fn rest(&self, mut world: World, help: Help) -> Option<World> {
        let mut moves = Vec::new();
        for _ in 0..ENOUGH {
            moves.clear();
            self.actions(&world, &mut moves);
            match moves.iter().find(|step| self.is_fair(&world, **step, help)) {
                Some(step) => world = self.apply(&world, *step),
                None => return Some(world),
            }
        }
        None
    }

    fn is_fair(&self, world: &World, step: Move, help: Help) -> bool {
        let helped = help == Help::Operator;
        let current = &world.attempts[world.source.attempt];
        match step {
            Move::TargetHears(..)
            | Move::SourceHears(_)
            | Move::SwitchOver
            | Move::TargetRuns(_)
            | Move::Reach(.., Echo::None)
            | Move::Answer(..)
            | Move::Late(..)
            | Move::Write
            | Move::Leave => true,
            Move::SourceFails { told } => current.to_source.has_ended() && told == self.has_room(world),
            Move::NoAnswer => current.to_source.has_ended(),
            Move::TargetLoses(attempt) => {
                let attempt = &world.attempts[attempt];
                let interrupted = attempt.arriving.as_ref().is_some_and(|arriving| arriving.interrupted);
                interrupted || attempt.to_target.has_ended()
            }
            // Asking the dead leads nowhere.
            Move::Ask(Who::Source) => current.arriving.is_some(),
            Move::Ask(Who::Restore(index)) => {
                world.attempts[world.restores[index].attempt].arriving.is_some()
            }
            // Whoever was at it has crashed.
            Move::NoWord(Who::Source, Echo::None) => current.arriving.is_none(),
            Move::Restore => {
                let is_alive = world.file.is_some_and(|file| world.attempts[file.attempt].arriving.is_some());
                world.running() == 0 && (is_alive || helped)
            }
            Move::GiveUp => helped && current.arriving.is_none(),
            Move::Force(_) => helped,
            Move::OperatorRuns(_) => helped && world.file.is_none(),
            _ => false,
        }
    }
}

fn is_committed(world: &World) -> bool {
    world.source.machine.state == State::Committed && world.source.doing != Doing::Dead
}

/// Nobody runs the VM, and only an operator can know whether somebody may: the target is dead, or the source is.
fn waits_for_somebody(world: &World) -> bool {
    let is_dead = |attempt: usize| world.attempts[attempt].arriving.is_none();
    let source_asks = is_committed(world) && is_dead(world.source.attempt);
    let file_waits = world.file.is_some_and(|file| is_dead(file.attempt)) && world.source_is_gone();
    let target_waits =
        world.source.doing == Doing::Dead && (0..ATTEMPTS).any(|attempt| world.stands_ready(attempt));
    source_asks || file_waits || target_waits
}
