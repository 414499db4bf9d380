//! The target's side broken.

use live_migration::handover::Standing;
use live_migration::handover::target::{Action, Event, State, Target};

use super::leads;
use crate::properties::{copy_stays, discards_asked, leaves_late, one_runs};
use crate::rules::Rules;

/// Another state and action where `state` meets `event`.
fn unless(machine: Target, event: Event, at: (State, Event), then: (State, Action)) -> (Target, Action) {
    if (machine.state, event) == at { (Target { state: then.0 }, then.1) } else { machine.step(event) }
}

/// The word may have been said, and the source may have crashed since.
#[test]
fn a_lost_connection_discards_what_stands_ready() {
    let rules = Rules {
        target: |machine, event| {
            unless(machine, event, (State::Ready, Event::Lost), (State::Discarded, Action::Discard))
        },
        ..Rules::REAL
    };
    leads(rules, discards_asked, &["target lets go"]);
    leads(rules, copy_stays, &["source crashes", "target lets go"]);
}

#[test]
fn a_lost_connection_runs_what_stands_ready() {
    let rules = Rules {
        target: |machine, event| {
            unless(machine, event, (State::Ready, Event::Lost), (State::Starting, Action::Run))
        },
        ..Rules::REAL
    };
    leads(rules, one_runs, &["target lets go", "source fails, says Discard"]);
}

/// Whoever answers questions does so beside the agent that still obeys its connection.
#[test]
fn the_target_has_two_minds() {
    let rules = Rules {
        target: |machine, event| match (machine.state, event) {
            (State::Ready, Event::Asked) => (machine, Action::Say(Standing::Ready)),
            (State::Ready, Event::AskedToDiscard) => (machine, Action::Say(Standing::Discarded)),
            _ => machine.step(event),
        },
        ..Rules::REAL
    };
    leads(
        rules,
        one_runs,
        &[
            "source hears Ready",
            "source hears no answer",
            "source gives up",
            "file is durable",
            "source has saved",
            "operator restores",
            "restore asks",
            "Ask of restore arrives",
            "restore hears Ready",
            "Discard of restore arrives",
            "target hears Commit",
            "restore hears Discarded",
        ],
    );
}

#[test]
fn the_target_denies_what_its_agent_is_at_work_on() {
    let rules = Rules {
        target: |machine, event| {
            let denied = (State::Ready, Action::Say(Standing::Discarded));
            unless(machine, event, (State::Ready, Event::Asked), denied)
        },
        ..Rules::REAL
    };
    leads(
        rules,
        one_runs,
        &[
            "source hears Ready",
            "source hears no answer",
            "source asks",
            "Ask of source arrives",
            "target hears Commit",
            "source hears Discarded",
        ],
    );
}

/// A register in which the VM runs as soon as it has been asked to: then it cannot be run, and the source has left.
#[test]
fn the_target_says_running_before_it_runs() {
    let rules = Rules {
        target: |machine, event| {
            let hasty = (State::Starting, Action::Say(Standing::Running));
            unless(machine, event, (State::Starting, Event::Asked), hasty)
        },
        ..Rules::REAL
    };
    let asks = [
        "source hears Ready",
        "target hears Commit",
        "source hears no answer",
        "source asks",
        "Ask of source arrives",
    ];
    leads(rules, leaves_late, &[&asks[..], &["source hears Running"]].concat());
    leads(rules, copy_stays, &[&asks[..], &["target fails", "source hears Running"]].concat());
}
