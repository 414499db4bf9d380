//! What a command writes is never what it reads or what else it writes, whatever the names; and what is not its own
//! stays as it is.
#![cfg(unix)]

use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::harness::{Dir, SMALL, migrate, run, run_by, run_in};

const SCENARIO: &str = include_str!("../../scenarios/light.toml");

/// A saved VF `s.vf`, and a scenario `s.toml`, in a folder.
fn folder() -> Dir {
    let dir = Dir::new();
    run(&[&["save", &dir.file("s.vf"), "--workload", "idle"], &SMALL[..]].concat()).exits(0);
    std::fs::write(dir.file("s.toml"), SCENARIO).unwrap();
    dir
}

/// Other names of `s.vf` and `s.toml`.
fn aliases(dir: &Dir) {
    for file in ["s.vf", "s.toml"] {
        symlink(file, dir.file(&format!("soft-{file}"))).unwrap();
        std::fs::hard_link(dir.file(file), dir.file(&format!("hard-{file}"))).unwrap();
    }
    symlink(dir.path(), dir.file("folder")).unwrap();
}

#[test]
fn nothing_is_written_over_what_is_read() {
    let dir = folder();
    aliases(&dir);
    let before = ["s.vf", "s.toml"].map(|file| std::fs::read(dir.file(file)).unwrap());
    for name in ["", "./", "soft-", "hard-", "folder/", "folder/soft-"] {
        let (vf, toml) = (format!("{name}s.vf"), format!("{name}s.toml"));
        let [save, migrate] = [&["save", "new.vf"][..], &["migrate"]]
            .map(|words| [words, &SMALL, &["--image", "s.vf"]].concat());
        let commands: [&[&str]; 9] = [
            &["inspect", "s.vf", "--json", &vf],
            &["restore", "s.vf", "--json", &vf],
            &["restore", "s.vf", "--trace", &vf],
            &["schedule", "--scenario", "s.toml", "--svg", &toml],
            &["schedule", "--scenario", "s.toml", "--json", &toml],
            &[&save[..], &["--trace", &vf]].concat(),
            &[&save[..], &["--json", &vf]].concat(),
            &[&migrate[..], &["--trace", &vf]].concat(),
            &[&["top", "--once", "--image", "s.vf"], &SMALL[..], &["--json", &vf]].concat(),
        ];
        for command in commands {
            run_in(dir.path(), command).exits(2).complains(&["same file", "choose two"]);
            let after = ["s.vf", "s.toml"].map(|file| std::fs::read(dir.file(file)).unwrap());
            assert!(before == after, "{command:?}");
        }
    }
    run_in(dir.path(), &[&["save", "s.vf", "--force", "--image", "soft-s.vf"], &SMALL[..]].concat()).exits(2);
    assert!(before[0] == std::fs::read(dir.file("s.vf")).unwrap());
    let shell = format!("cd {}; exec TOOL >>s.vf", dir.path().display());
    run_by(&shell, &["inspect", "s.vf"]).exits(2).complains(&["standard output"]);
    assert!(before[0] == std::fs::read(dir.file("s.vf")).unwrap());
}

#[test]
fn two_results_do_not_share_a_file_that_is_not_there_yet() {
    let dir = Dir::new();
    symlink("new", dir.file("soft-new")).unwrap();
    symlink(dir.path(), dir.file("folder")).unwrap();
    for name in ["new", "./new", "soft-new", "folder/new"] {
        let commands: [&[&str]; 4] = [
            &[&["save", "new"], &SMALL[..], &["--json", name]].concat(),
            &migrate(&["--in-doubt-file", "new", "--json", name]),
            &migrate(&["--trace", "new", "--json", name]),
            &["schedule", "--svg", "new", "--json", name],
        ];
        for command in commands {
            run_in(dir.path(), command).exits(2).complains(&["same file"]);
            assert!(!dir.names().contains(&"new".into()), "{command:?}");
        }
    }
    run(&["caps", "--json", "-", "--trace", "-"]).exits(2).complains(&["same file"]);
    // A device takes as much as one likes.
    run(&["caps", "--vfs", "1", "--json", "/dev/null", "--trace", "/dev/null"]).exits(0);
}

#[test]
fn a_link_is_written_through_and_a_pipe_is_written_to() {
    let dir = Dir::new();
    std::fs::create_dir(dir.file("there")).unwrap();
    for name in ["report.json", "saved.vf", "picture.svg"] {
        symlink(format!("there/{name}"), dir.file(name)).unwrap();
    }
    run_in(dir.path(), &[&["save", "saved.vf", "--json", "report.json"], &SMALL[..]].concat()).exits(0);
    run_in(dir.path(), &["schedule", "--scenario", "light", "--svg", "picture.svg"]).exits(0);
    for name in ["report.json", "saved.vf", "picture.svg"] {
        assert!(std::fs::symlink_metadata(dir.file(name)).unwrap().is_symlink(), "{name}");
        assert!(std::fs::metadata(dir.file(&format!("there/{name}"))).unwrap().is_file(), "{name}");
    }
    assert_eq!(std::fs::read_dir(dir.file("there")).unwrap().count(), 3);
    let script = format!(
        "cd {}; mkfifo pipe && {{ cat pipe >copy & TOOL; code=$?; wait; exit $code; }}",
        dir.path().display()
    );
    let save = [&["save", "pipe", "--force"], &SMALL[..]].concat();
    run_by(&script, &save).exits(0);
    run(&["restore", &dir.file("copy"), "--cool-down", "1ms"]).exits(0);
    let ran = run_by("exec TOOL | cat", &["caps", "--vfs", "1", "--quiet", "--json", "/dev/stdout"]);
    assert!(ran.exits(0).json().is_object());
}

#[test]
fn a_report_is_this_runs_or_says_what_failed() {
    let dir = Dir::new();
    let json = dir.file("report.json");
    let nowhere = dir.file("nowhere.vf");
    let failures: [(&[&str], i32); 6] = [
        (&["migrate", "--to", "127.0.0.1:1"], 1),
        (&["migrate", "--vfs", "2", "--vf", "7"], 2),
        (&["resolve", "--to", "127.0.0.1:1", "--migration", "1"], 1),
        (&["restore", &nowhere], 1),
        (&["check", "--rule", "no.such.rule"], 2),
        (&["schedule", "--scenario", &nowhere], 2),
    ];
    for (command, code) in failures {
        std::fs::write(&json, r#"{"verdict": "identical", "stale": true}"#).unwrap();
        let ran = run(&[command, &["--json", &json]].concat()).exits(code);
        let report: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
        assert_eq!(report["exit_code"], code, "{command:?}: {report}");
        assert!(ran.err.contains(report["error"].as_str().unwrap()), "{command:?}: {report}");
        assert!(report["stale"].is_null());
        assert_eq!(dir.names(), ["report.json"]);
        assert_eq!(run(&[command, &["--json", "-"]].concat()).exits(code).json(), report);
    }
}

#[test]
fn a_trace_that_does_not_fit_ends_nothing_and_is_said() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let deaf = run_by("exec TOOL 2>/dev/full", &migrate(&["--json", "-", "--trace", "/dev/full"])).exits(6);
    assert_eq!(deaf.json()["verdict"], "identical");
    run(&migrate(&["--trace", "/dev/full"])).exits(6).complains(&["written to /dev/full: No space"]);
    run(&["schedule", "--scenario", "light", "--svg", "/dev/full"])
        .exits(6)
        .complains(&["/dev/full: No space"]);
}
