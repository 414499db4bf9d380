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

fn on_control(from: Side, kind: Kind, fate: Fate) -> Plan {
    let spot = Spot::new(Role::Control, from, kind, true);
    Plan { fault: Some((spot, fate)), ..Plan::new(Story::Plain) }
}

/// A source that took any answer for the target's.
#[test]
fn a_stranger_who_is_believed_makes_two_run() {
    found(on_control(Side::Source, Kind::Commit, Fate::StrangerAfter(Lie::DiscardedAsIfMet)), "two r");
}

/// A source without a limit to its pause.
#[test]
fn a_pause_beyond_its_limit_is_found() {
    let plan = on_control(Side::Target, Kind::Ready, Fate::Stuck);
    found(Plan { patient: true, ..plan }, "in Restore");
}

/// A source that asks for longer than it was told to.
#[test]
fn doubt_beyond_its_limit_is_found() {
    let plan = on_control(Side::Source, Kind::Commit, Fate::GoneBefore);
    found(Plan { patient: true, ..plan }, "settling took");
}

/// A source that is deaf to whoever wants an end.
#[test]
fn an_end_that_is_not_heard_is_found() {
    let plan = on_control(Side::Target, Kind::Ready, Fate::StuckAndCancelled);
    found(Plan { deaf: true, ..plan }, "the wrong end");
}
