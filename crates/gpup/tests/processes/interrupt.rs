//! Ctrl-C: the first cancels cleanly, and the VF runs on.

use crate::harness::{Dir, Process, migrate, migrate_to, serve};

const SLOW: [&str; 2] = ["--bandwidth", "500KB"];

#[test]
fn a_migration_is_cancelled_and_the_vf_runs_on() {
    let source = Process::start(&migrate(&[&["--json", "-"], &SLOW[..]].concat()));
    source.says("brownout");
    source.interrupt();
    let source = source.ends().exits(5);
    assert_eq!(source.json()["verdict"], "failed");
    assert_eq!(source.json()["result_identical"], true);
    assert!(source.err.contains("gpup: cancelled"), "{}", source.err);
}

#[test]
fn a_target_hears_of_a_cancelled_migration_at_once() {
    let (target, address) = serve("1", &[]);
    let address = address.to_string();
    let source = Process::start(&migrate_to(&address, &SLOW));
    target.says("target: brownout");
    source.interrupt();
    source.ends().exits(5);
    target.ends().exits(0).complains(&["discarded", "cancelled"]);
}

#[test]
fn a_guest_that_warms_up_need_not_be_waited_for() {
    let dir = Dir::new();
    let file = dir.file("saved.vf");
    let host = ["--vfs", "2", "--vf-size", "4MiB", "--warm-up", "10m"];
    let migrate = Process::start(&[&["migrate"], &host[..]].concat());
    migrate.says("runs matmul");
    migrate.interrupt();
    migrate.ends().exits(5);
    let save = Process::start(&[&["save", &file], &host[..]].concat());
    save.says("runs matmul");
    save.interrupt();
    save.ends().exits(5);
    assert!(dir.names().is_empty(), "{:?}", dir.names());
}

#[test]
fn a_target_that_holds_nothing_ends() {
    let (target, _) = serve("9", &[]);
    target.interrupt();
    target.ends().exits(0);
}

/// The source keeps what was on its way.
#[test]
fn a_target_that_takes_a_vm_in_lets_go_of_it_and_ends() {
    let (target, address) = serve("9", &[]);
    let address = address.to_string();
    let source = Process::start(&migrate_to(&address, &SLOW));
    target.says("target: brownout");
    target.interrupt();
    target.ends().exits(0).complains(&["what came was discarded: cancelled"]);
    let source = source.ends().exits(1).complains(&["the other side gave up: cancelled"]);
    assert_eq!(source.json()["result_identical"], true);
}

#[test]
fn a_target_with_a_guest_at_work_ends_when_it_has_finished_or_at_the_second_word() {
    for again in [false, true] {
        let (target, address) = serve("9", &["--cool-down", if again { "10m" } else { "1s" }]);
        let address = address.to_string();
        let source = Process::start(&migrate_to(&address, &[]));
        target.says("the VM runs here");
        target.interrupt();
        target.says("1 guest at work");
        if again {
            target.interrupt();
            target.ends().exits(130);
            source.interrupt();
            source.ends().exits(7);
        } else {
            source.ends().exits(0);
            target.ends().exits(0);
        }
    }
}
