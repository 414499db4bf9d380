//! Wrong usage and a hostile machine: one clear line that says what to do, and the right exit code.

use std::net::TcpListener;

use crate::harness::{Dir, Process, SMALL, migrate, run};

/// Code 2 and these words.
#[track_caller]
fn wrong(args: &[&str], words: &[&str]) {
    let ran = run(args).exits(2).complains(words);
    assert!(ran.out.is_empty(), "{}", ran.out);
}

/// Code 1, these words, and one line from the tool.
#[track_caller]
fn fails(args: &[&str], words: &[&str]) {
    let ran = run(args).exits(1).complains(words);
    assert!(ran.err.lines().any(|line| line.starts_with("gpup: ")), "{}", ran.err);
}

#[test]
fn sizes_and_numbers_are_checked() {
    wrong(&["migrate", "--vf-size", "4 apples"], &["is no size", "256MiB"]);
    wrong(&["migrate", "--vf-size", "100KiB"], &["multiple of 64 KiB"]);
    wrong(&["migrate", "--vf-size", "0"], &["multiple of 64 KiB"]);
    wrong(&["migrate", "--vfs", "0"], &["1..=64"]);
    wrong(&["migrate", "--vfs", "65"], &["1..=64"]);
    wrong(&["migrate", "--vfs", "64", "--vf-size", "64TiB"], &["too much", "--vf-size"]);
    wrong(
        &["migrate", "--vfs", "2", "--vf-size", "4MiB", "--vram", "8MiB"],
        &["--vram", "too small", "need"],
    );
    wrong(&["migrate", "--bandwidth", "fast"], &["is no rate", "10Gbit"]);
    wrong(&["migrate", "--pause-limit", "soon"], &["is no duration", "300ms"]);
    wrong(&["serve", "--visits", "0"], &["--visits", "1"]);
    wrong(&["migrate", "--streams", "0"], &["1..=64"]);
    wrong(&["migrate", "--workload", "mining"], &["mining", "matmul"]);
    wrong(&["migrate", "--fill", "101"], &["0..=100"]);
    wrong(&["resolve", "--to", "127.0.0.1:1", "--migration", "what?"], &["names no migration"]);
    wrong(&["resolve", "--to", "127.0.0.1:1", "--migration", "1", "--run", "--discard"], &["--discard"]);
}

#[test]
fn a_number_that_would_be_rounded_to_another_is_refused() {
    for (option, value, words) in [
        ("--vf-size", "0.5", "no whole number of bytes"),
        ("--vf-size", "0.3GiB", "no whole number of bytes"),
        ("--vram", "0.1KiB", "no whole number of bytes"),
        ("--bandwidth", "0.2", "no whole number of bytes a second"),
        ("--bandwidth", "1.5B/s", "no whole number of bytes a second"),
        ("--bandwidth", "0", "moves nothing"),
        ("--pause-limit", "0.0004us", "finer than a nanosecond"),
        ("--settle", "0.0000001ms", "finer than a nanosecond"),
        ("--time-limit", "1000001h", "at most 1000000h"),
    ] {
        wrong(&["migrate", option, value], &[option, &format!("'{value}'"), words]);
    }
    wrong(&["top", "--interval", "0.0001us"], &["--interval", "finer than a nanosecond"]);
}

#[test]
fn a_vf_that_the_host_does_not_have_is_named() {
    wrong(&["migrate", "--vfs", "2", "--vf", "2"], &["no VF 2", "VFs 0 to 1"]);
    let dir = Dir::new();
    wrong(&["save", &dir.file("x"), "--vfs", "1", "--vf", "1"], &["no VF 1", "only VF 0"]);
    assert!(dir.names().is_empty());
}

#[test]
fn unknown_words_are_usage() {
    wrong(&["migrate", "--bogus"], &["--bogus", "--help"]);
    wrong(&["teleport"], &["teleport", "--help"]);
    wrong(&["save"], &["<FILE>"]);
}

#[test]
fn help_and_version_are_no_failure() {
    for command in
        ["migrate", "serve", "save", "restore", "resolve", "inspect", "caps", "check", "schedule", "top"]
    {
        let help = run(&[command, "--help"]).exits(0).out;
        assert!(help.contains("Usage: gpup"), "{help}");
        for line in help.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
        assert!(run(&["--help"]).exits(0).out.contains(command));
    }
    assert!(run(&["--help"]).exits(0).out.contains("Exit codes"));
    run(&["--version"]).exits(0);
}

#[test]
fn addresses_are_checked_before_a_guest_boots() {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for to in ["nowhere", "127.0.0.1", "127.0.0.1:99999"] {
        wrong(&["migrate", "--to", to], &[to, "HOST:PORT"]);
    }
    fails(&["migrate", "--to", &dead], &["no target answers", &dead, "gpup serve --listen"]);
    fails(&["resolve", "--to", &dead, "--migration", "1"], &["no target answers", &dead]);
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let held = holder.local_addr().unwrap().to_string();
    let serve = ["serve", "--vfs", "1", "--vf-size", "4MiB", "--listen", &held];
    fails(&serve, &["cannot listen on", &held, "--listen"]);
}

#[test]
fn images_are_checked() {
    let dir = Dir::new();
    let with = |image: &str| run(&migrate(&["--image", image]));
    with(&dir.file("missing")).exits(1).complains(&["gpup: cannot read the image", "No such file"]);
    with("/").exits(1).complains(&["gpup: cannot read the image", "directory"]);
    let large = dir.file("large");
    std::fs::write(&large, vec![1; (4 << 20) + 1]).unwrap();
    for image in [large.as_str(), "/dev/zero"] {
        with(image).exits(2).complains(&["gpup: the image", "more than the VF's 4 MiB", "--vf-size"]);
    }
}

#[test]
fn places_that_cannot_be_written_are_found_before_the_work() {
    let dir = Dir::new();
    let directory = dir.path().to_str().unwrap();
    wrong(&[&["save", directory], &SMALL[..]].concat(), &["is a directory", "name a file"]);
    let nowhere = dir.file("no/such/place");
    fails(&[&["save", &nowhere], &SMALL[..]].concat(), &["cannot write", "No such file"]);
    for command in ["migrate", "caps"] {
        fails(&[command, "--json", &nowhere], &["cannot write", "No such file"]);
    }
    fails(&["restore", &nowhere], &["cannot read", "No such file"]);
    fails(&["inspect", &nowhere], &["cannot read", "No such file"]);
    let there = dir.file("there");
    std::fs::write(&there, "x").unwrap();
    wrong(&["migrate", "--in-doubt-file", &there], &["exists", "--in-doubt-file"]);
}

#[test]
fn a_full_disk_leaves_the_vf_running_and_says_why() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    fails(
        &[&["save", "/dev/full", "--force"], &SMALL[..]].concat(),
        &["cannot save to /dev/full", "No space left", "the VF ran on"],
    );
}

#[test]
fn quiet_says_nothing() {
    let ran = run(&migrate(&["--quiet"])).exits(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    let ran = Process::start(&["caps", "--quiet", "--vfs", "1", "--vf-size", "4MiB"]).ends().exits(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
}
