//! Two processes: a VF that moves, a target that dies, a source that dies.

use std::sync::Arc;

use live_migration::wire::frame::Kind;

use crate::harness::{Dir, Process, Ran, migrate_to, run, serve};
use crate::proxy::{Fate, Way, between};

/// Slow enough that a brownout lasts for seconds.
const SLOW: [&str; 2] = ["--bandwidth", "500KB"];

#[test]
fn a_vf_moves_from_one_process_to_another() {
    let (target, address) = serve("1", &[]);
    let source = run(&migrate_to(&address.to_string(), &[])).exits(0);
    let report = source.json();
    assert_eq!(report["verdict"], "identical");
    assert_eq!(report["result_identical"], true);
    assert_eq!(report["was_in_doubt"], false);
    target.ends().exits(0);
}

#[test]
fn a_target_tells_of_its_visits() {
    let dir = Dir::new();
    let file = dir.file("visits.json");
    let (target, address) = serve("2", &["--json", &file]);
    for workload in ["stencil", "writer"] {
        run(&migrate_to(&address.to_string(), &["--workload", workload])).exits(0);
    }
    target.ends().exits(0);
    let visits: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(visits.as_array().unwrap().len(), 2);
    for visit in visits.as_array().unwrap() {
        assert_eq!(visit["ending"], "finished");
        assert!(visit["guest_steps"].as_u64().unwrap() > 0);
    }
}

/// The source VF ran on to its right result, and the tool says so.
fn stayed(source: &Ran) {
    let report = source.json();
    assert_eq!(report["verdict"], "failed");
    assert_eq!(report["result_identical"], true, "{report}");
    assert!(report["error"].as_str().unwrap().contains("connection"), "{report}");
}

#[test]
fn a_target_killed_in_the_brownout_leaves_the_vf_running() {
    let (target, address) = serve("1", &[]);
    let address = address.to_string();
    let source = Process::start(&migrate_to(&address, &SLOW));
    target.says("target: brownout");
    target.kill();
    stayed(&source.ends().exits(1).complains(&["gpup: ", "connection"]));
}

#[test]
fn a_target_killed_when_it_is_ready_leaves_the_vf_running() {
    let (target, address) = serve("1", &[]);
    let victim = target.clone();
    let proxy = between(address, move |_, kind| {
        if kind == Kind::Ready {
            victim.kill();
        }
        Fate::Pass
    });
    stayed(&run(&migrate_to(&proxy, &[])).exits(1).complains(&["gpup: ", "connection"]));
    drop(target);
}

#[test]
fn a_wire_cut_before_the_commit_leaves_no_doubt() {
    for (way, kind) in [
        (Way::ToTarget, Kind::IterationEnd),
        (Way::ToTarget, Kind::Mutable),
        (Way::ToSource, Kind::Ready),
        (Way::ToSource, Kind::PageVerdict),
    ] {
        let (target, address) = serve("1", &[]);
        let proxy = between(address, crate::proxy::cut_once(way, kind));
        let source = run(&migrate_to(&proxy, &[])).exits(1);
        stayed(&source);
        assert!(!source.err.contains("in doubt"), "{kind:?}: {}", source.err);
        // Whether it stood ready already or not, the target has nothing left.
        target.ends().exits(0).complains(&["discarded"]);
    }
}

#[test]
fn a_target_whose_source_is_killed_discards_what_came_and_takes_another() {
    let (target, address) = serve("2", &[]);
    let address = address.to_string();
    let source = Process::start(&migrate_to(&address, &SLOW));
    target.says("target: brownout");
    source.kill();
    target.says("what came was discarded: the connection was closed");
    assert_eq!(run(&migrate_to(&address, &[])).exits(0).json()["verdict"], "identical");
    target.ends().exits(0);
}

/// That a visitor was refused, or went away, is no failure of the target's.
#[test]
fn a_target_whose_only_visit_failed_says_so_and_has_served() {
    let dir = Dir::new();
    let file = dir.file("visits.json");
    let (target, address) = serve("1", &["--json", &file]);
    let address = address.to_string();
    let source: Arc<Process> = Process::start(&migrate_to(&address, &SLOW));
    target.says("target: brownout");
    source.kill();
    target.ends().exits(0).complains(&["what came was discarded"]);
    let visits: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(visits[0]["ending"], "discarded");
}
