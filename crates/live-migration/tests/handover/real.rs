//! The code that runs, explored.

use std::collections::BTreeSet;

use live_migration::handover::Standing::{self, Discarded, Ready, Running, UnderWay, Unknown};
use live_migration::handover::{source, target};

use crate::explore::explore;
use crate::properties;
use crate::rules::{Bounds, Rules};
use crate::seen::{Seen, TARGET};
use crate::world::IMPOSTOR;

/// Two hundred thousand worlds.
const NARROW: Bounds = Bounds { attempts: 2, strays: 2, crashes: 2 };
/// More than a million: `GPUP_MODEL=wide`.
const WIDE: Bounds = Bounds { attempts: 2, strays: 4, crashes: 4 };

#[test]
fn no_order_of_faults_breaks_the_hand_over() {
    let is_wide = std::env::var_os("GPUP_MODEL").is_some_and(|found| found == "wide");
    let seen = explore(Rules::REAL, if is_wide { WIDE } else { NARROW }, properties::all);
    assert_eq!(seen.target.rows(), target_rows());
    assert_eq!(seen.source.rows(), source_rows());
    says_everything(&seen);
}

/// The rows of the target's table that can be reached. A source says each word once on its connection, and asks only
/// when it has left it.
fn target_rows() -> BTreeSet<(target::State, target::Event)> {
    use target::Event::{
        Abort, Asked, AskedToDiscard, AskedToRun, Commit, Failed, Loaded, Looked, Lost, Runs,
    };
    use target::State;
    let rows: [(State, &[target::Event]); 6] = [
        (State::Receiving, &[Loaded, Failed, Lost, Abort, Looked, AskedToRun, AskedToDiscard]),
        (State::Ready, &[Failed, Lost, Commit, Abort, Asked, Looked, AskedToRun, AskedToDiscard]),
        (State::InDoubt, &[Asked, Looked, AskedToRun, AskedToDiscard]),
        (State::Starting, &[Failed, Runs, Asked, Looked, AskedToRun, AskedToDiscard]),
        (State::Running, &[Asked, Looked, AskedToRun, AskedToDiscard]),
        (State::Discarded, &[Asked, Looked, AskedToRun, AskedToDiscard]),
    ];
    rows.iter().flat_map(|(state, events)| events.iter().map(|event| (*state, *event))).collect()
}

/// The rows of the source's table that can be reached. A target that said Welcome never says that it knows nothing;
/// nothing happens to a machine that has ended.
fn source_rows() -> BTreeSet<(source::State, source::Event)> {
    use source::Event::{Answer, AskAgain, Failed, Forced, GaveUp, NoWord, Refused, Saved};
    use source::State;
    const ANYTHING: [Standing; 5] = [UnderWay, Ready, Running, Discarded, Unknown];
    let answers = [State::Committed, State::Kept].into_iter().flat_map(|state| {
        let others = ANYTHING.map(|standing| (state, Answer(IMPOSTOR, standing)));
        let targets = ANYTHING.map(|standing| (state, Answer(TARGET, standing)));
        others.into_iter().chain(targets.into_iter().filter(|row| row.1 != Answer(TARGET, Unknown)))
    });
    let committed = [source::Event::Running, Refused, NoWord, Failed, AskAgain, GaveUp, Saved];
    let kept = [AskAgain, NoWord, Forced];
    [(State::Owner, source::Event::Ready), (State::Owner, Failed)]
        .into_iter()
        .chain(committed.map(|event| (State::Committed, event)))
        .chain(kept.map(|event| (State::Kept, event)))
        .chain(answers)
        .collect()
}

/// Each machine says all it can say, in some world. The source does nothing only where nothing can happen.
fn says_everything(seen: &Seen) {
    use source::Action as S;
    use target::Action as T;
    let source = [
        S::Commit,
        S::Ask,
        S::CommitAgain,
        S::DiscardThere,
        S::RunHere,
        S::TakeBack,
        S::Leave,
        S::Keep,
        S::Refuse,
    ];
    let mut target: BTreeSet<_> =
        [T::Nothing, T::SayReady, T::Run, T::Discard, T::Interrupt].into_iter().collect();
    target.extend([UnderWay, Ready, Running, Discarded].map(T::Say));
    assert_eq!(seen.source.actions(), BTreeSet::from(source));
    assert_eq!(seen.target.actions(), target);
}
