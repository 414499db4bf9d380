//! Files that are whole or not there, and VMs that run on or are kept where there is no room for one.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use live_migration::wire::frame::Kind;

use crate::harness::{Dir, Process, SMALL, migrate_to, run, run_by, serve};
use crate::proxy::{Fate, between};

/// No file may be larger than a few KiB.
const NO_ROOM: &str = "ulimit -S -f 8; exec TOOL";

fn save<'a>(file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["save", file, "--workload", "idle"], &SMALL[..], more].concat()
}

/// The file is whole and restores.
#[track_caller]
fn is_whole(file: &str) {
    run(&["restore", file, "--force", "--cool-down", "1ms"]).exits(0);
}

#[test]
fn a_saved_vm_is_its_owners_alone_and_nobodys_draft_is_touched() {
    let dir = Dir::new();
    let file = dir.file("saved.vf");
    std::fs::write(dir.file("saved.vf.part"), "mine").unwrap();
    run(&save(&file, &[])).exits(0);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(dir.file("saved.vf.part")).unwrap(), "mine");
    assert_eq!(dir.names().len(), 2, "{:?}", dir.names());
}

#[test]
fn of_two_saves_to_one_name_one_is_refused_and_its_vm_runs_on() {
    let dir = Dir::new();
    let file = dir.file("saved.vf");
    let both = [&["--seed", "1"], &["--seed", "2"]].map(|seed| Process::start(&save(&file, seed)));
    let ended = both.map(|process| process.ends());
    let codes = ended.each_ref().map(|ran| ran.code);
    assert!(codes == [Some(0), Some(1)] || codes == [Some(1), Some(0)], "{codes:?}");
    for ran in ended.into_iter().filter(|ran| ran.code == Some(1)) {
        ran.complains(&["another file has got this name", "the VF ran on"]);
    }
    assert_eq!(dir.names(), ["saved.vf"]);
    is_whole(&file);
}

#[test]
fn of_two_saves_over_one_file_the_second_is_refused() {
    let dir = Dir::new();
    let file = dir.file("saved.vf");
    std::fs::write(&file, "old").unwrap();
    let both = [(), ()].map(|()| Process::start(&save(&file, &["--force"])));
    let mut codes = both.map(|process| process.ends().code);
    codes.sort();
    assert_eq!(codes, [Some(0), Some(1)]);
    is_whole(&file);
}

#[test]
fn a_limit_on_files_leaves_the_vf_running() {
    let dir = Dir::new();
    let (file, json) = (dir.file("saved.vf"), dir.file("report.json"));
    std::fs::write(&json, r#"{"saved": true, "vm": "file"}"#).unwrap();
    let ran = run_by(NO_ROOM, &save(&file, &["--json", &json])).exits(1);
    ran.complains(&["cannot save to", "File too large", "the VF ran on"]);
    assert_eq!(dir.names(), ["report.json"]);
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!((&report["saved"], &report["vm"]), (&false.into(), &"source".into()));
    assert_eq!((&report["result_identical"], &report["exit_code"]), (&true.into(), &1.into()));
    assert!(report["error"].as_str().unwrap().contains("File too large"), "{report}");
}

/// A source in doubt that has no room for its VF.
fn in_doubt(dir: &Dir) -> (std::sync::Arc<Process>, String) {
    let (target, address) = serve("1", &[]);
    let proxy = between(address, move |_, kind| {
        if kind == Kind::Commit {
            target.kill();
            return Fate::CutForGood;
        }
        Fate::Pass
    });
    let file = dir.file("doubt.vf");
    let folder = dir.path().to_str().unwrap();
    let script = format!("cd {folder}; export HOME={folder} TMPDIR={folder}; {NO_ROOM}");
    let more = ["--settle", "100ms", "--in-doubt-file", &file];
    let source = Process::start_by(&script, &migrate_to(&proxy, &more));
    source.says("in doubt: cannot write");
    assert!(source.is_alive() && dir.names().is_empty(), "it keeps the VM: {:?}", dir.names());
    (source, file)
}

#[test]
fn a_vm_in_doubt_without_room_is_kept_until_it_is_knowingly_given_up() {
    let dir = Dir::new();
    let (source, _) = in_doubt(&dir);
    source.interrupt();
    source.says("Ctrl-C again gives up the only copy of the VM here");
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(source.is_alive());
    source.interrupt();
    let source =
        source.ends().exits(4).complains(&["gpup: in doubt", "was given up: cannot write", "File too large"]);
    let report = source.json();
    assert_eq!((&report["vm"], &report["in_doubt_file"]), (&"in-doubt".into(), &serde_json::Value::Null));
    assert_eq!(report["exit_code"], 4);
    assert!(dir.names().is_empty(), "{:?}", dir.names());
}

#[test]
fn a_vm_in_doubt_is_saved_as_soon_as_there_is_room() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        return eprintln!("SKIPPED: there is no prlimit to make room with");
    }
    let dir = Dir::new();
    let (source, file) = in_doubt(&dir);
    let room = Command::new("prlimit").args(["--pid", &source.process_id(), "--fsize=unlimited"]).status();
    assert!(room.unwrap().success());
    let source = source.ends().exits(4).complains(&["saved whole in"]);
    assert_eq!(source.json()["in_doubt_file"], file.as_str());
    assert_eq!(dir.names(), ["doubt.vf"]);
    is_whole(&file);
}

#[test]
fn a_vm_in_doubt_goes_elsewhere_where_its_place_takes_none() {
    let dir = Dir::new();
    let (target, address) = serve("1", &[]);
    let proxy = between(address, move |_, kind| {
        if kind == Kind::Commit {
            target.kill();
            return Fate::CutForGood;
        }
        Fate::Pass
    });
    let nowhere = dir.file("no/such/folder/doubt.vf");
    let script = format!("cd {}; exec TOOL", dir.path().display());
    let more = ["--settle", "100ms", "--in-doubt-file", &nowhere];
    let source =
        run_by(&script, &migrate_to(&proxy, &more)).exits(4).complains(&["saved whole in gpup-in-doubt-"]);
    let names = dir.names();
    assert_eq!(source.json()["in_doubt_file"], names[0].as_str());
    is_whole(&dir.file(&names[0]));
}
