//! What the judge must find: agents that did what these only seem to do would be caught.

use live_migration::wire::frame::Kind;

use crate::bench::Bench;
use crate::fate::Fate;
use crate::spot::{Role, Spot};
use crate::story::Story;
use crate::stranger::Lie;
use crate::time::Side;
use crate::trial::{Plan, run};

#[track_caller]
fn found(plan: Plan, words: &str) {
    match run(&Bench::new(), &plan) {
        Ok(_) => panic!("{plan}: nothing was found"),
        Err(why) => assert!(why.contains(words), "{plan}: {why}"),
    }
}

/// A source that took any answer for the target's.
#[test]
fn a_stranger_who_is_believed_makes_two_run() {
    let commit = Spot::new(Role::Control, Side::Source, Kind::Commit, true);
    let fault = Some((commit, Fate::StrangerAfter(Lie::DiscardedAsIfMet)));
    found(Plan { fault, ..Plan::new(Story::Plain) }, "two r");
}

/// A source without a limit to its pause.
#[test]
fn a_pause_beyond_its_limit_is_found() {
    let ready = Spot::new(Role::Control, Side::Target, Kind::Ready, true);
    let fault = Some((ready, Fate::Stuck));
    found(Plan { fault, patient: true, ..Plan::new(Story::Plain) }, "in Restore");
}
