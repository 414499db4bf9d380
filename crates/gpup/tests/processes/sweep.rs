//! A fault at every system call on files: no VM is lost or there twice, and every word is true.

use std::path::Path;
use std::sync::Arc;

use live_migration::wire::frame::Kind;
use serde_json::Value;

use crate::faults::{FOR_GOOD, Fault, Point, library, points, preload, run, sweep};
use crate::harness::{Dir, Process, Ran, command, migrate, serve};
use crate::proxy::{Fate, between};

/// A host that saves a VF in a blink.
const TINY: [&str; 14] = [
    "--vfs",
    "1",
    "--vf",
    "0",
    "--vf-size",
    "1MiB",
    "--fill",
    "0",
    "--workload",
    "idle",
    "--warm-up",
    "1ms",
    "--cool-down",
    "1ms",
];

/// A folder that faults strike, and one that they spare.
struct Place {
    struck: Dir,
    spared: Dir,
}

impl Place {
    fn new() -> Self {
        Self { struck: Dir::new(), spared: Dir::new() }
    }

    fn run(&self, args: &[&str], fault: Option<&Fault>) -> Ran {
        run(args, self.struck.path(), &self.spared.path().join("log"), fault)
    }

    fn points(&self) -> Vec<Point> {
        points(&self.spared.path().join("log"))
    }

    /// Nothing stays but these, where it could be removed.
    #[track_caller]
    fn has_only(&self, wanted: &[&str], fault: &Fault) {
        let names = self.struck.names();
        let others: Vec<_> = names.iter().filter(|name| !wanted.contains(&name.as_str())).collect();
        assert!(others.is_empty() || fault.may_leave_drafts(), "{others:?} stayed");
    }
}

/// Whether a file is a whole VM; one that is there must not be less.
#[track_caller]
fn is_whole(file: &str) -> bool {
    if !Path::new(file).exists() {
        return false;
    }
    crate::harness::run(&["inspect", file, "--quiet"]).exits(0);
    true
}

#[track_caller]
fn restores(file: &str) {
    let restored = crate::harness::run(&["restore", file, "--force", "--cool-down", "1ms", "--json", "-"])
        .exits(0)
        .json();
    assert_eq!(restored["result_identical"], true);
}

/// The report, which is whole if it is there.
#[track_caller]
fn report(file: &str) -> Option<Value> {
    let text = std::fs::read(file).ok()?;
    Some(serde_json::from_slice(&text).expect("a whole report"))
}

/// Saves over `old`, or where nothing is, with every fault.
fn sweep_save(name: &str, old: Option<&str>) {
    if library().is_none() {
        return;
    }
    let go = |place: &Place, fault: Option<&Fault>| {
        let (file, json) = (place.struck.file("s.vf"), place.struck.file("r.json"));
        old.iter().for_each(|old| std::fs::write(&file, old).unwrap());
        std::fs::write(&json, r#"{"stale": true}"#).unwrap();
        let force: &[&str] = if old.is_some() { &["--force"] } else { &[] };
        let ran = place.run(&[&["save", &file, "--json", &json], &TINY[..], force].concat(), fault);
        (ran, file, json)
    };
    let judge = |number: usize, fault: &Fault| {
        let place = Place::new();
        let (ran, file, json) = go(&place, Some(fault));
        let is_old =
            || old.is_some_and(|old| std::fs::read(&file).is_ok_and(|bytes| bytes == old.as_bytes()));
        // Where nothing can be removed and nothing emptied, it is at least said.
        let is_named =
            ran.err.contains("must not be used") || ran.err.contains("what is left there is empty");
        match ran.code {
            Some(0 | 6) => {
                assert!(is_whole(&file), "it said that it is saved: {}", ran.err);
                assert!(ran.out.contains("saved 1 MiB"), "{}", ran.out);
                if number.is_multiple_of(7) {
                    restores(&file);
                }
            }
            Some(1) => {
                assert!(is_old() || !Path::new(&file).exists() || is_named, "there twice: {}", ran.err);
                let known =
                    ["the VF ran on", "gpup: cannot write "].iter().any(|words| ran.err.contains(words));
                assert!(known && !ran.err.contains("NOT") && ran.out.is_empty(), "{}{}", ran.out, ran.err);
            }
            None => {
                assert!(fault.kills(), "it died: {}", ran.err);
                assert!(is_old() || is_whole(&file) || !ran.out.contains("saved"), "lost: {}", ran.out);
            }
            other => panic!("exit code {other:?}: {}", ran.err),
        }
        match (ran.code, report(&json)) {
            (Some(0), Some(report)) => {
                assert_eq!((&report["saved"], &report["vm"]), (&true.into(), &"file".into()));
            }
            (Some(0), None) => panic!("no report: {}", ran.err),
            (Some(6), report) => {
                assert!(report.is_none(), "it is there: {report:?}");
                assert!(ran.err.contains("could not be written to"), "{}", ran.err);
            }
            // Before the run had taken its place, the old report could not be touched.
            (_, Some(report)) if report["stale"] == true => {
                assert!(ran.code != Some(1) || ran.err.contains("r.json"))
            }
            (Some(1), Some(report)) => {
                assert!(report["saved"] != true && report["exit_code"] == 1, "{report}");
                assert!(report["result_identical"] != false, "{report}");
            }
            _ => {}
        }
        if fault.is_nothing() {
            assert_eq!(ran.code, Some(0), "{}", ran.err);
        } else if !fault.kills() && ["write", "fsync"].contains(&&*fault.point.call) {
            // What was not written or is not safe is not said to be.
            let wanted = if fault.point.path.contains("r.json") { 6 } else { 1 };
            assert_eq!(ran.code, Some(wanted), "{}", ran.err);
        }
        place.has_only(&["s.vf", "r.json"], fault);
    };
    let place = Place::new();
    assert_eq!(go(&place, None).0.code, Some(0));
    let points = place.points();
    assert!(points.len() > 30, "{points:?}");
    sweep(name, &points, judge);
}

#[test]
fn save() {
    sweep_save("save", None);
}

#[test]
fn save_over_another_file() {
    sweep_save("save --force", Some("old"));
}

#[test]
fn restore() {
    if library().is_none() {
        return;
    }
    let prepared = Dir::new();
    let (file, image) = (prepared.file("s.vf"), prepared.file("image"));
    std::fs::write(&image, vec![5; 100 << 10]).unwrap();
    let go = |place: &Place, fault: Option<&Fault>| {
        let [file, image, json] = ["s.vf", "image", "r.json"].map(|name| place.struck.file(name));
        std::fs::write(&image, vec![5; 100 << 10]).unwrap();
        // The note names the image where it was.
        if fault.is_none() || !Path::new(&file).exists() {
            crate::harness::run(&[&["save", &file, "--image", &image], &TINY[..]].concat()).exits(0);
        }
        let before = std::fs::read(&file).unwrap();
        let ran = place.run(&["restore", &file, "--cool-down", "1ms", "--json", &json], fault);
        assert!(before == std::fs::read(&file).unwrap(), "the file was changed");
        assert!(vec![5; 100 << 10] == std::fs::read(&image).unwrap(), "the image was changed");
        (ran, json)
    };
    let judge = |_: usize, fault: &Fault| {
        let place = Place::new();
        let (ran, json) = go(&place, Some(fault));
        let report = report(&json);
        let verdict = report.as_ref().map(|report| report["verdict"].clone());
        match ran.code {
            Some(0) => assert_eq!(verdict, Some("identical".into())),
            Some(1) => {
                let known = ["nothing was restored", "gpup: cannot read ", "gpup: cannot write "];
                assert!(
                    known.iter().any(|words| ran.err.contains(words)) && ran.out.is_empty(),
                    "{}",
                    ran.err
                );
                assert!(report.is_none_or(|report| report["exit_code"] == 1));
            }
            Some(6) => {
                assert!(report.is_none() && ran.err.contains("could not be written to"), "{}", ran.err)
            }
            Some(7) => {
                assert!(ran.err.contains("cannot read the image"), "{}", ran.err);
                assert!(fault.times > 1 || fault.point.path.ends_with("image"), "{}", ran.err);
            }
            None => assert!(fault.kills(), "it died: {}", ran.err),
            other => panic!("exit code {other:?}: {}", ran.err),
        }
        if fault.is_nothing() {
            assert_eq!(ran.code, Some(0), "{}", ran.err);
        }
        place.has_only(&["s.vf", "image", "r.json"], fault);
    };
    let place = Place::new();
    assert_eq!(go(&place, None).0.code, Some(0));
    drop((file, image));
    let points = place.points();
    assert!(points.len() > 10, "{points:?}");
    sweep("restore", &points, judge);
}

#[test]
fn resolve() {
    if library().is_none() {
        return;
    }
    let (target, address) = serve("1", &[]);
    let address = address.to_string();
    let go = |place: &Place, fault: Option<&Fault>| {
        let json = place.struck.file("r.json");
        let ask = ["resolve", "--to", &address, "--migration", "1", "--discard", "--json", &json];
        (place.run(&ask, fault), json)
    };
    let judge = |_: usize, fault: &Fault| {
        let place = Place::new();
        let (ran, json) = go(&place, Some(fault));
        match (ran.code, report(&json)) {
            (Some(0), Some(report)) => assert_eq!(report["target"], "unknown"),
            (Some(1), None) => assert!(ran.err.contains("gpup: cannot write "), "{}", ran.err),
            (Some(6), None) => assert!(ran.err.contains("could not be written to"), "{}", ran.err),
            (None, _) => assert!(fault.kills(), "it died: {}", ran.err),
            other => panic!("{other:?}: {}", ran.err),
        }
        if fault.is_nothing() {
            assert_eq!(ran.code, Some(0), "{}", ran.err);
        }
        place.has_only(&["r.json"], fault);
    };
    let place = Place::new();
    assert_eq!(go(&place, None).0.code, Some(0));
    sweep("resolve", &place.points(), judge);
    assert!(target.is_alive());
}

/// A migration whose target dies in the commit window, so that the source is left with a VM in doubt.
fn doubt_in(place: &Place, fault: Option<&Fault>) -> Ran {
    let (target, address) = serve("1", &[]);
    let proxy = between(address, move |_, kind| {
        if kind == Kind::Commit {
            target.kill();
            return Fate::CutForGood;
        }
        Fate::Pass
    });
    let (file, folder) = (place.struck.file("d.vf"), place.struck.path());
    let more = ["--to", &proxy, "--json", "-", "--settle", "1ms", "--in-doubt-file", &file];
    let small = ["--fill", "0", "--workload", "idle", "--quiet-neighbours"];
    let args = migrate(&[&more[..], &small].concat());
    let mut source = command(&args);
    source.current_dir(folder).env("HOME", folder).env("TMPDIR", folder);
    preload(&mut source, folder, &place.spared.path().join("log"), fault);
    let source: Arc<Process> = Process::spawn(source, &args);
    source.ends()
}

#[test]
fn doubt() {
    if library().is_none() {
        return;
    }
    let place = Place::new();
    assert_eq!(doubt_in(&place, None).code, Some(4));
    let points = place.points();
    assert!(points.len() > 15, "{points:?}");
    let judge = |number: usize, fault: &Fault| {
        let place = Place::new();
        // A disk that fails for good keeps the source waiting for good: this one works again after a while.
        let times = if fault.times == FOR_GOOD { 8 } else { fault.times };
        let ran = doubt_in(&place, Some(&Fault { times, ..fault.clone() }));
        let files: Vec<_> = place.struck.names().into_iter().filter(|name| name.ends_with(".vf")).collect();
        let whole = files.iter().filter(|name| is_whole(&place.struck.file(name))).count();
        match ran.code {
            Some(4) => {
                let report = ran.json();
                let file =
                    report["in_doubt_file"].as_str().unwrap_or_else(|| panic!("{report}: {}", ran.err));
                let file = place.struck.path().join(file).to_str().unwrap().to_string();
                assert_eq!((whole, &report["vm"]), (1, &"in-doubt".into()), "{files:?}: {}", ran.err);
                assert!(is_whole(&file) && ran.err.contains("saved whole in"), "{}", ran.err);
                if number.is_multiple_of(7) {
                    restores(&file);
                }
            }
            None => assert!(fault.kills() && whole <= 1, "it died: {files:?} {}", ran.err),
            other => panic!("exit code {other:?}: {}", ran.err),
        }
        let names: Vec<&str> = files.iter().map(String::as_str).collect();
        place.has_only(&names, fault);
    };
    sweep("in doubt", &points, judge);
}
