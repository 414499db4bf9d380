//! Another version, another device: refused before a page moves, with the reason.

use std::process::Command;

use crate::harness::{Dir, SMALL, migrate, migrate_to, run, serve};

/// The adapter's firmware: major * 65536 + minor.
const OLDER: &str = "65535";
const OTHER_MAJOR: &str = "131072";

#[test]
fn a_file_of_another_version_is_refused_with_the_reason() {
    let dir = Dir::new();
    let file = dir.file("saved.vf");
    run(&[&["save", &file], &SMALL[..]].concat()).exits(0);
    for (what, value, reason) in [
        ("--firmware", OLDER, "firmware"),
        ("--firmware", OTHER_MAJOR, "firmware"),
        ("--revision", "9", "revision"),
    ] {
        let refused = run(&["restore", &file, what, value]).exits(3);
        let refused = refused.complains(&["gpup: ", "cannot be restored here", reason]);
        assert!(!refused.err.contains("last pages"), "no page was read: {}", refused.err);
    }
    run(&["restore", &file, "--firmware", "65537", "--cool-down", "100ms"]).exits(0);
}

#[test]
fn a_target_of_another_version_refuses_before_a_page_moves() {
    for (what, value, reason) in [
        ("--firmware", OLDER, "firmware"),
        ("--firmware", OTHER_MAJOR, "firmware"),
        ("--revision", "9", "revision"),
    ] {
        let (target, address) = serve("1", &[what, value]);
        let address = address.to_string();
        let source =
            run(&migrate_to(&address, &[])).exits(3).complains(&["gpup: this VF cannot move there", reason]);
        let report = source.json();
        assert_eq!(report["verdict"], "failed");
        assert_eq!(report["pages_sent"], 0);
        assert_eq!(report["result_identical"], true, "the VF ran on");
        assert!(!source.err.contains("brownout"), "{}", source.err);
        target.ends().exits(0).complains(&[reason]);
    }
}

#[test]
fn check_says_whether_it_can_and_moves_nothing() {
    // A question is no visit: the same target then takes the VF.
    let (target, address) = serve("1", &[]);
    let address = address.to_string();
    let check = migrate(&["--check", "--to", &address]);
    assert!(run(&check).exits(0).out.contains("can move there"));
    let answer = run(&[&check[..], &["--json", "-"]].concat()).exits(0).json();
    assert_eq!(answer["can_move"], true);
    run(&migrate_to(&address, &[])).exits(0);
    let target = target.ends().exits(0);
    assert_eq!(target.err.matches("it can").count(), 2, "{}", target.err);
    run(&migrate(&["--check"])).exits(0);

    let (_target, address) = serve("1", &["--firmware", OLDER]);
    let address = address.to_string();
    let check = migrate(&["--check", "--json", "-", "--to", &address]);
    let refused = run(&check).exits(3).complains(&["cannot move there", "firmware"]);
    assert_eq!(refused.json()["can_move"], false);
    assert!(refused.json()["reason"].as_str().unwrap().contains("firmware"));
}

#[test]
fn a_target_without_room_says_so() {
    let (target, address) = serve("1", &["--vram", "64MiB"]);
    let args = ["migrate", "--to", &address.to_string(), "--vfs", "2", "--vf-size", "128MiB", "--fill", "0"];
    run(&args).exits(3).complains(&["cannot move there", "no VF of 128 MiB to give"]);
    target.ends().exits(0).complains(&["no VF of 128 MiB to give"]);
}

#[test]
fn who_speaks_something_else_is_turned_away() {
    let (target, address) = serve("1", &[]);
    std::io::Write::write_all(
        &mut std::net::TcpStream::connect(address).unwrap(),
        b"GET / HTTP/1.1\r\nHost: somewhere.example\r\n\r\n",
    )
    .unwrap();
    target.says("a visitor was turned away");
    // One that only looks whether the port is open is not even mentioned.
    drop(std::net::TcpStream::connect(address).unwrap());
    run(&migrate_to(&address.to_string(), &[])).exits(0);
    assert_eq!(target.ends().exits(0).err.matches("turned away").count(), 1);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let tool = env!("CARGO_BIN_EXE_gpup");
    let script = format!("{tool} caps --vfs 2 --vf-size 4MiB | true; exit ${{PIPESTATUS[0]}}");
    let ran = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
}
