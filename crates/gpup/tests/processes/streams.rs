//! Standard streams that are closed, full or left by their reader: no VM's life hangs on them, and a result that was
//! lost is said.
#![cfg(unix)]

use std::process::{Command, Stdio};

use crate::harness::{Dir, Process, SMALL, SMALL_TARGET, migrate, run};

/// What a shell makes of the streams.
const DEAF: [&str; 3] = ["2>&-", "2>/dev/full", ">&- 2>&-"];

/// Runs the tool under `streams`, which a shell sets; its exit code and what is left on both.
fn under(streams: &str, args: &[&str]) -> (Option<i32>, String, String) {
    let script = format!("exec \"$0\" \"$@\" {streams}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_gpup")]).args(args).stdin(Stdio::null());
    // The driver says what it does: its lines are as dangerous as the tool's.
    let output = shell.env("GPUP_KMD_LOG", "debug").env("DXGKSIM_LOG", "1").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn has_full() -> bool {
    std::path::Path::new("/dev/full").exists()
}

#[test]
fn nobody_who_hears_the_messages_is_no_failure() {
    let dir = Dir::new();
    for (number, streams) in
        DEAF.iter().enumerate().filter(|(_, streams)| has_full() || !streams.contains("full"))
    {
        let (file, json) = (dir.file(&format!("{number}.vf")), dir.file("report.json"));
        let works: [&[&str]; 6] = [
            &migrate(&["--json", &json]),
            &[&["save", &file], &SMALL[..]].concat(),
            &["restore", &file, "--cool-down", "1ms"],
            &["check", "--rule", "fence_once"],
            &[&["top", "--once", "--interval", "50ms"], &SMALL[..]].concat(),
            &["schedule", "--scenario", "light"],
        ];
        for work in works {
            assert_eq!(under(streams, work).0, Some(0), "{work:?} {streams}");
        }
        let report = std::fs::read_to_string(&json).unwrap();
        assert!(report.contains("\"verdict\": \"identical\""), "{report}");
    }
}

#[test]
fn a_target_that_nobody_hears_takes_a_vm_in() {
    for streams in DEAF.iter().take(2).filter(|streams| has_full() || !streams.contains("full")) {
        let serve =
            [&["serve", "--listen", "127.0.0.1:0", "--visits", "1", "--cool-down", "1ms"], &SMALL_TARGET[..]];
        let serve = Process::start_under(streams, &serve.concat());
        let address = serve.address();
        run(&migrate(&["--to", &address])).exits(0);
        serve.ends().exits(0);
    }
}

#[test]
fn a_result_that_could_not_be_written_is_said_and_has_a_code_of_its_own() {
    if !has_full() {
        return;
    }
    let dir = Dir::new();
    let file = dir.file("saved.vf");
    let works: [&[&str]; 9] = [
        &migrate(&[]),
        &migrate(&["--json", "-"]),
        &[&["save", &file], &SMALL[..]].concat(),
        &["restore", &file, "--cool-down", "1ms", "--json"],
        &["inspect", &file],
        &["check", "--rule", "fence_once"],
        &[&["top", "--once", "--interval", "50ms"], &SMALL[..]].concat(),
        &["schedule", "--scenario", "light"],
        &["--help"],
    ];
    for work in works {
        let (code, _, err) = under(">/dev/full", work);
        assert_eq!(code, Some(6), "{work:?}: {err}");
        assert!(
            err.contains("gpup: done, but the result could not be written to standard output: No space"),
            "{err}"
        );
    }
}

#[test]
fn a_failure_stays_what_it_is_when_its_report_is_lost_too() {
    if !has_full() {
        return;
    }
    let more = ["--json", "-", "--pause-limit", "1us", "--time-limit", "1ms", "--on-timeout", "cancel"];
    let (code, _, err) = under(">/dev/full", &[&["migrate"], &SMALL[..], &more].concat());
    assert_eq!(code, Some(5), "{err}");
    assert!(err.contains("the result could not be written"), "{err}");
}

#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    let (code, out, err) = under("| head -1", &["caps", "--vfs", "1", "--vf-size", "4MiB"]);
    assert_eq!((code, out.lines().count()), (Some(0), 1), "{err}");
    let script = "{ \"$0\" \"$@\"; echo \"ended $?\" >&2; } | true";
    let args = ["-c", script, env!("CARGO_BIN_EXE_gpup"), "check", "--rule", "fence_once"];
    let output = Command::new("sh").args(args).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "ended 0\n");
}
