//! What holds in every world, and what some world shows.

use live_migration::handover::{source, target};
use stateright::Property;

use crate::model::Handover;
use crate::world::{Doing, Vm, World, Wrong};

type Always = Property<Handover>;
type Judge = fn(&Handover, &World) -> bool;

/// Nobody ever shares the VM with anybody.
pub(crate) fn one_runs() -> Always {
    always("never two run", |_, world| world.running() < 2)
}

/// A VM that stands still does so within the source's deadline, or is being set going, or somebody says that it is in
/// doubt; otherwise a crash has taken it.
pub(crate) fn doubt_is_told() -> Always {
    always("none runs only where somebody says so", |_, world| {
        let source = &world.source;
        let is_told = source.vm == Vm::Still
            && matches!(source.machine.state, source::State::Owner | source::State::Committed);
        let is_kept = world.file.is_some();
        let is_dead = source.doing == Doing::Dead || world.died_with_its_target();
        world.running() > 0 || is_told || is_kept || is_dead
    })
}

/// A copy that may be the only one stays.
pub(crate) fn copy_stays() -> Always {
    always("the only copy is never destroyed", |_, world| world.wrong != Some(Wrong::Vanished))
}

/// The source lets go only of what runs there or is in a file.
pub(crate) fn leaves_late() -> Always {
    always("the source leaves only what runs there or is in a file", |_, world| {
        world.wrong != Some(Wrong::LeftTooEarly)
    })
}

/// The target discards only what failed or is not wanted.
pub(crate) fn discards_asked() -> Always {
    always("the target discards only what failed or is not wanted", |_, world| {
        world.wrong != Some(Wrong::DiscardedUnasked)
    })
}

/// Once the wire is back, it is settled.
pub(crate) fn settles() -> Always {
    always("settled when the wire is back", Handover::settles)
}

/// What must hold whatever the wire does.
pub(crate) fn safe() -> Vec<Property<Handover>> {
    vec![one_runs(), doubt_is_told(), copy_stays(), leaves_late(), discards_asked()]
}

/// All that must hold.
pub(crate) fn must_hold() -> Vec<Property<Handover>> {
    [safe(), vec![settles()]].concat()
}

/// The same, and what must be seen for that to mean anything.
pub(crate) fn all() -> Vec<Property<Handover>> {
    [must_hold(), shown()].concat()
}

/// What some world shows.
fn shown() -> Vec<Property<Handover>> {
    let some = |name, judge: Judge| Property::sometimes(name, judge);
    vec![
        some("the source asks", |_, world| world.source.doing == Doing::ToAsk),
        some("the source heard that it runs there", |_, world| {
            state(world) == source::State::There && target(world) == Some(target::State::Running)
        }),
        some("the source heard No, and runs it", |_, world| {
            state(world) == source::State::Here && target(world) == Some(target::State::Discarded)
        }),
        some("the source took it back, and the target waits for nobody", |_, world| {
            state(world) == source::State::Here && target(world) == Some(target::State::InDoubt)
        }),
        some("the source saved it", |_, world| state(world) == source::State::Kept),
        some("the source crashed between the file and its word", |_, world| {
            world.source.doing == Doing::Dead
                && world.file.is_some()
                && state(world) == source::State::Committed
        }),
        some("the saved VM runs: its target discarded it", |_, world| {
            is_restored(world) && target(world) == Some(target::State::Discarded)
        }),
        some("the saved VM runs: its target is dead", |_, world| {
            is_restored(world) && target(world).is_none()
        }),
        some("a file whose VM runs at its target", |_, world| {
            world.file.is_some() && target(world) == Some(target::State::Running)
        }),
        some("the source crashed, and an operator ran it at the target", |_, world| {
            world.source.doing == Doing::Dead
                && world.file.is_none()
                && state(world) == source::State::Committed
                && target(world) == Some(target::State::Running)
        }),
        some("it runs on the second host, and the first is in doubt", |_, world| {
            world.attempts[0].state() == Some(target::State::InDoubt)
                && world.attempts[1].state() == Some(target::State::Running)
                && world.attempts[1].host == 1
        }),
        some("it came to the first host at the second attempt", |_, world| {
            world.attempts[0].state() == Some(target::State::Discarded)
                && world.attempts[1].state() == Some(target::State::Running)
                && world.attempts[1].host == 0
        }),
        some("a second attempt to the successor of a target", |_, world| {
            world.crashed[0]
                && world.attempts[1].host == 0
                && world.attempts[1].state() == Some(target::State::Running)
        }),
    ]
}

fn always(name: &'static str, judge: Judge) -> Always {
    Property::always(name, judge)
}

fn state(world: &World) -> source::State {
    world.source.machine.state
}

fn target(world: &World) -> Option<target::State> {
    world.attempts[world.source.attempt].state()
}

fn is_restored(world: &World) -> bool {
    world.restores.iter().any(|restore| restore.vm == Vm::Runs)
}
