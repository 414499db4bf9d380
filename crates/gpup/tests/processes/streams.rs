//! Standard streams that are closed, full or left by their reader: no VM's life hangs on them, and a result that was
//! lost is said.
#![cfg(unix)]

use crate::harness::{Dir, Process, Ran, SMALL, SMALL_TARGET, command, migrate, run, run_by};

/// What a shell makes of the streams.
const DEAF: [&str; 3] = ["2>&-", "2>/dev/full", ">&- 2>&-"];

/// Runs the tool under `streams`, which a shell sets. The driver says what it does, for its lines are as dangerous as
/// the tool's.
fn under(streams: &str, args: &[&str]) -> Ran {
    run_by(&format!("export GPUP_KMD_LOG=debug DXGKSIM_LOG=1; exec TOOL {streams}"), args)
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
            under(streams, work).exits(0);
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
        let serve = Process::start_by(&format!("exec TOOL {streams}"), &serve.concat());
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
        let said = "gpup: done, but the result could not be written to standard output: No space";
        under(">/dev/full", work).exits(6).complains(&[said]);
    }
}

#[test]
fn a_failure_stays_what_it_is_when_its_report_is_lost_too() {
    if !has_full() {
        return;
    }
    let more = ["--json", "-", "--pause-limit", "2ms", "--time-limit", "1us", "--on-timeout", "cancel"];
    let ran = under(">/dev/full", &[&["migrate"], &SMALL[..], &more].concat());
    ran.exits(5).complains(&["the result could not be written"]);
}

#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    let check = ["check", "--rule", "fence_once"];
    let ran = run_by("{ TOOL; echo \"ended $?\" >&2; } | true", &check);
    assert_eq!(ran.err, "ended 0\n");
    let ran =
        run_by("{ TOOL; echo \"ended $?\" >&2; } | head -1", &["caps", "--vfs", "1", "--vf-size", "4MiB"]);
    assert_eq!((ran.out.lines().count(), ran.err.as_str()), (1, "ended 0\n"));
}

#[test]
fn a_reader_who_has_stopped_reading_holds_up_no_vm() {
    let stuck = || {
        let (reader, mut writer) = std::io::pipe().unwrap();
        // As much as a pipe takes, so that the next word would wait for good.
        std::io::Write::write_all(&mut writer, &[b'x'; 64 << 10]).unwrap();
        (reader, writer)
    };
    let (_reader, full) = stuck();
    let serve =
        [&["serve", "--listen", "127.0.0.1:0", "--visits", "1", "--cool-down", "1ms"], &SMALL_TARGET[..]];
    let mut target = command(&serve.concat());
    target.stderr(full).env("GPUP_KMD_LOG", "debug").env("DXGKSIM_LOG", "1");
    let target = Process::spawn(target, &serve.concat());
    let address = target.address();
    let (_other_reader, full) = stuck();
    let args = migrate(&["--to", &address]);
    let mut source = command(&args);
    source.stderr(full).env("GPUP_KMD_LOG", "debug").env("DXGKSIM_LOG", "1");
    let source = Process::spawn(source, &args).ends().exits(0);
    assert!(source.out.contains("IDENTICAL"), "{}", source.out);
    target.ends().exits(0);
}

#[test]
fn a_terminal_of_any_size_shows_a_migration() {
    let script = |size: u32| {
        let mut script = std::process::Command::new("script");
        let tool = format!("stty cols {size} rows {size}; {}", env!("CARGO_BIN_EXE_gpup"));
        let command = migrate(&["--bandwidth", "50MB"]).join(" ");
        script.args(["-qfec", &format!("{tool} {command}"), "/dev/null"]).stdin(std::process::Stdio::null());
        script.output()
    };
    for size in [0, 1, 30, 100] {
        let Ok(shown) = script(size) else {
            return eprintln!("SKIPPED: there is no `script` to give a terminal");
        };
        let text = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(
            shown.status.success() && text.contains("IDENTICAL") && !text.contains("panicked"),
            "{size}: {text}"
        );
    }
}
