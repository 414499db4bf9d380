//! A wire or a target that stands still: limits end the wait for it, and so does Ctrl-C, and the VF runs on.

use std::net::TcpListener;
use std::time::Instant;

use live_migration::wire::frame::Kind;

use crate::harness::{Process, Ran, SMALL, migrate, migrate_to, run, serve};
use crate::proxy::{Fate, Way, between};

/// The source VF ran on to its right result.
#[track_caller]
fn ran_on(source: Ran) {
    let report = source.exits(5).json();
    assert_eq!(
        (&report["verdict"], &report["result_identical"]),
        (&"failed".into(), &true.into()),
        "{report}"
    );
    assert_eq!(report["vm"], "source");
}

/// Stalls what travels `way` from the first frame of `kind` on.
fn stalled(way: Way, kind: Kind) -> impl FnMut(Way, Kind) -> Fate + Send {
    move |its_way, its_kind| if (its_way, its_kind) == (way, kind) { Fate::Stall } else { Fate::Pass }
}

#[test]
fn a_time_limit_ends_an_iteration_that_takes_longer() {
    // A MiB takes a hundred seconds on that wire.
    let slow = ["--bandwidth", "10KB", "--time-limit", "500ms", "--on-timeout", "cancel", "--json", "-"];
    let begin = Instant::now();
    ran_on(run(&migrate(&slow)));
    // Not how fast it is, but that it does not wait for the batch.
    assert!(begin.elapsed().as_secs() < 100);
}

#[test]
fn a_time_limit_ends_the_wait_for_a_target_that_does_not_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let source = run(&migrate_to(&address, &["--time-limit", "300ms"]));
    assert!(source.err.contains("raise --time-limit"), "{}", source.err);
    ran_on(source);
}

#[test]
fn a_pause_that_the_target_draws_out_ends_and_the_guest_runs_on() {
    for kind in [Kind::Mutable, Kind::Guest] {
        let (_target, address) = serve("1", &[]);
        let proxy = between(address, stalled(Way::ToTarget, kind));
        let short =
            ["migrate", "--to", &proxy, "--json", "-", "--pause-limit", "300ms", "--pause-grace", "500ms"];
        let source = run(&[&short[..], &SMALL].concat());
        assert!(source.err.contains("raise --pause-limit or --pause-grace"), "{kind:?}: {}", source.err);
        ran_on(source);
    }
}

#[test]
fn ctrl_c_is_heard_before_a_silent_listener() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let source = Process::start(&migrate_to(&address, &[]));
    source.says("connect");
    source.interrupt();
    ran_on(source.ends());
}

#[test]
fn ctrl_c_is_heard_on_a_stalled_stream() {
    let (_target, address) = serve("1", &[]);
    let proxy = between(address, stalled(Way::ToTarget, Kind::Pages));
    let source = Process::start(&migrate_to(&proxy, &["--time-limit", "10m"]));
    source.says("brownout");
    source.interrupt();
    ran_on(source.ends());
}

#[test]
fn ctrl_c_ends_the_wait_for_an_answer_and_the_vm_is_kept() {
    let dir = crate::harness::Dir::new();
    let file = dir.file("doubt.vf");
    let (target, address) = serve("1", &[]);
    let proxy = between(address, stalled(Way::ToSource, Kind::Running));
    let source = Process::start(&migrate_to(&proxy, &["--settle", "10m", "--in-doubt-file", &file]));
    target.says("the VM runs here");
    source.interrupt();
    let report = source.ends().exits(4).json();
    assert_eq!((&report["vm"], &report["in_doubt_file"]), (&"in-doubt".into(), &file.as_str().into()));
    // The outcome was not heard, which is no reason to stay.
    target.interrupt();
    target.ends().exits(0);
}
