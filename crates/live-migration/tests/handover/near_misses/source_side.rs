//! The source's side broken.

use live_migration::handover::Standing;
use live_migration::handover::source::{Action, Event, Source, State};

use super::{ONE, leads};
use crate::explore::{explore, shortest};
use crate::properties::{copy_stays, doubt_is_told, leaves_late, must_hold, one_runs, safe, settles};
use crate::rules::Rules;

/// What a target process is that takes no other's place: it knows nothing.
const HONEST: &[Standing] = &[Standing::Unknown];

fn believe_anyone(machine: Source, event: Event) -> Event {
    match (event, machine.target) {
        (Event::Answer(_, standing), Some(target)) => Event::Answer(target, standing),
        _ => event,
    }
}

fn believe_unknown(event: Event) -> Event {
    match event {
        Event::Answer(from, Standing::Unknown) => Event::Answer(from, Standing::Discarded),
        _ => event,
    }
}

/// Another state and action where `state` meets `event`.
fn unless(machine: Source, event: Event, at: (State, Event), then: (State, Action)) -> (Source, Action) {
    if (machine.state, event) == at {
        (Source { state: then.0, ..machine }, then.1)
    } else {
        machine.step(event)
    }
}

/// The target runs the VM, its word is lost, and another process at its name is believed: both sides run it.
#[test]
fn another_processs_unknown_is_believed() {
    let rules = Rules {
        source: |machine, event| machine.step(believe_unknown(believe_anyone(machine, event))),
        impostor: HONEST,
        ..Rules::REAL
    };
    leads(
        rules,
        one_runs,
        &[
            "source hears Ready",
            "target hears Commit",
            "source hears no answer",
            "source asks",
            "another answers source Unknown",
        ],
    );
}

/// Two guards stand before that fault, and either alone is enough.
#[test]
fn either_guard_alone_is_enough_against_it() {
    let unknown = Rules { source: |machine, event| machine.step(believe_unknown(event)), ..Rules::REAL };
    let anyone = Rules {
        source: |machine, event| machine.step(believe_anyone(machine, event)),
        impostor: HONEST,
        ..Rules::REAL
    };
    for rules in [unknown, anyone] {
        explore(rules, ONE, must_hold);
    }
}

/// The first guard alone stands before a process that knows another VM by that name.
#[test]
fn answers_are_believed_whoever_gives_them() {
    let rules =
        Rules { source: |machine, event| machine.step(believe_anyone(machine, event)), ..Rules::REAL };
    leads(
        rules,
        one_runs,
        &[
            "source hears Ready",
            "target hears Commit",
            "source hears no answer",
            "source asks",
            "another answers source Discarded",
        ],
    );
    leads(
        rules,
        leaves_late,
        &["source hears Ready", "source hears no answer", "source asks", "another answers source Running"],
    );
}

/// The second guard alone stands before a target that no longer knows what it ran.
#[test]
fn a_target_forgets_and_its_unknown_is_believed() {
    let forgets = Rules { target_forgets: true, ..Rules::REAL };
    let rules = Rules { source: |machine, event| machine.step(believe_unknown(event)), ..forgets };
    leads(
        rules,
        one_runs,
        &[
            "source hears Ready",
            "target hears Commit",
            "target runs it",
            "source hears no answer",
            "source asks",
            "Ask of source arrives",
            "source hears Unknown",
        ],
    );
    // With the guard the source is in doubt for good.
    leads(forgets, settles, &["wire to source is cut behind 1"]);
}

#[test]
fn silence_after_commit_is_taken_for_a_no() {
    let rules = Rules {
        source: |machine, event| {
            unless(machine, event, (State::Committed, Event::NoWord), (State::Here, Action::RunHere))
        },
        ..Rules::REAL
    };
    leads(rules, one_runs, &["source hears Ready", "target hears Commit", "source hears no answer"]);
}

#[test]
fn a_cancellation_after_commit_takes_the_vm_back() {
    let rules = Rules {
        source: |machine, event| {
            unless(machine, event, (State::Committed, Event::Failed), (State::Here, Action::TakeBack))
        },
        ..Rules::REAL
    };
    leads(rules, one_runs, &["source hears Ready", "target hears Commit", "source is cancelled"]);
}

/// The VF is powered off, and then its file cannot be made durable and is deleted.
#[test]
fn the_source_leaves_before_the_file_is_durable() {
    let rules = Rules {
        source: |machine, event| {
            unless(machine, event, (State::Committed, Event::GaveUp), (State::Kept, Action::Leave))
        },
        ..Rules::REAL
    };
    let leaves = ["source hears Ready", "source hears no answer", "source gives up"];
    leads(rules, leaves_late, &leaves);
    leads(rules, doubt_is_told, &leaves);
    leads(rules, copy_stays, &[&["target fails"], &leaves[..]].concat());
}

#[test]
fn a_restore_does_not_ask() {
    let rules = Rules {
        source: |machine, event| {
            unless(machine, event, (State::Kept, Event::AskAgain), (State::Here, Action::RunHere))
        },
        ..Rules::REAL
    };
    leads(
        rules,
        one_runs,
        &[
            "source hears Ready",
            "target hears Commit",
            "source hears no answer",
            "source gives up",
            "file is durable",
            "source has saved",
            "operator restores",
        ],
    );
}

/// An operator's `--run`, late, meets a restore that has heard only that the VM stands ready.
#[test]
fn a_restore_runs_what_the_target_still_holds() {
    let rules = Rules {
        source: |machine, event| match (machine.state, event) {
            (State::Kept, Event::Answer(from, Standing::Ready)) if machine.target == Some(from) => {
                (Source { state: State::Here, ..machine }, Action::RunHere)
            }
            _ => machine.step(event),
        },
        ..Rules::REAL
    };
    leads(
        rules,
        one_runs,
        &[
            "target lets go",
            "source hears Ready",
            "source hears no answer",
            "source gives up",
            "file is durable",
            "source has saved",
            "operator says Run",
            "operator restores",
            "restore asks",
            "Ask of restore arrives",
            "Run arrives late",
            "restore hears Ready",
        ],
    );
}

/// Nothing is lost, but both wait for each other for ever. The way ends where a fair wire no longer helps: the
/// operator's word will make the target let go of a connection on which it has said Ready.
#[test]
fn the_source_does_not_commit_again() {
    let rules = Rules {
        source: |machine, event| match (machine.state, event) {
            (State::Committed, Event::Answer(from, Standing::Ready)) if machine.target == Some(from) => {
                (machine, Action::Ask)
            }
            _ => machine.step(event),
        },
        ..Rules::REAL
    };
    explore(rules, ONE, safe);
    let way = shortest(rules, ONE, settles());
    assert_eq!(way, ["target hears Hello", "source hears Welcome", "source pauses", "operator says Discard"]);
}
