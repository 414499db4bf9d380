//! SIGKILL of either process at every frame: whoever is left does what the frame calls for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use live_migration::wire::frame::Kind;

use crate::harness::{Dir, Process, migrate_to, run, serve};
use crate::proxy::{Fate, Way, between};

/// Kills at a time.
const WORKERS: usize = 3;

/// A frame: which way, of which kind, the how manieth.
type Moment = (Way, Kind, usize);

/// Frames of a question, which only a source in doubt asks.
const ASKED: [Moment; 2] = [(Way::ToTarget, Kind::Resolve, 0), (Way::ToSource, Kind::Resolution, 0)];
/// Frames that no migration has that goes well, nor its questions, unless somebody is slow: tests/frames has the first
/// two, files the third.
const ELSEWHERE: [Kind; 3] = [Kind::Abort, Kind::Alive, Kind::Doubt];

/// Counts frames up to `moment`, and says which is it.
fn is_at(moment: Moment) -> impl FnMut(Way, Kind) -> bool + Send {
    let (way, kind, nth) = moment;
    let mut seen = 0;
    move |its_way, its_kind| {
        let alike = (its_way, its_kind) == (way, kind);
        seen += usize::from(alike);
        alike && seen == nth + 1
    }
}

/// The first of each kind and way in a migration that goes well; and the End that the source says at the very end,
/// behind the data stream's.
fn moments() -> Vec<Moment> {
    let (target, address) = serve("1", &[]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let theirs = seen.clone();
    let proxy = between(address, move |way, kind| {
        let moment = (way, kind, 0);
        let mut seen = theirs.lock().unwrap();
        if !seen.contains(&moment) && !ELSEWHERE.contains(&kind) {
            seen.push(moment);
        }
        Fate::Pass
    });
    run(&migrate_to(&proxy, &[])).exits(0);
    target.ends().exits(0);
    let mut moments = std::mem::take(&mut *seen.lock().unwrap());
    moments.extend([(Way::ToTarget, Kind::End, 1)].into_iter().chain(ASKED));
    let missing: Vec<Kind> = (1..)
        .map_while(Kind::from_u16)
        .filter(|kind| !moments.iter().any(|(_, its, _)| its == kind))
        .collect();
    assert_eq!(missing, ELSEWHERE);
    moments
}

/// Passes everything, but does `act` at `moment`. A moment of a question comes once the Commit is lost.
fn rule(moment: Moment, mut act: impl FnMut() + Send) -> impl FnMut(Way, Kind) -> Fate + Send {
    let mut here = is_at(moment);
    let mut lost = is_at((Way::ToTarget, Kind::Commit, 0));
    let asked = ASKED.contains(&moment);
    move |way, kind| {
        if here(way, kind) {
            act();
        }
        if asked && lost(way, kind) { Fate::Cut } else { Fate::Pass }
    }
}

/// Does `each` of `moments`, some at a time.
fn for_each(moments: impl IntoIterator<Item = Moment>, each: impl Fn(Moment) + Sync) {
    let left = Mutex::new(moments.into_iter().collect::<VecDeque<_>>());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let next = left.lock().unwrap().pop_front();
                    let Some(moment) = next else { return };
                    each(moment);
                }
            });
        }
    });
}

/// The source is left when the target is killed at `moment`.
fn kill_target((way, kind, nth): Moment) {
    let moment = (way, kind, nth);
    let dir = Dir::new();
    let file = dir.file("doubt.vf");
    let (target, address) = serve("1", &[]);
    let victim = target.clone();
    let proxy = between(address, rule(moment, move || victim.kill()));
    let source = run(&migrate_to(&proxy, &["--settle", "300ms", "--in-doubt-file", &file]));
    assert!(!target.is_alive(), "{moment:?} never came");
    match (kind, nth) {
        (Kind::Outcome, _) | (Kind::End, 1) => {
            assert_eq!(source.exits(0).json()["verdict"], "identical", "{moment:?}");
        }
        // It ran there, and went with the target: that the source runs it too would be the second time.
        (Kind::Running, _) => {
            let report = source.exits(7).json();
            assert_eq!(report["vm"], "target", "{moment:?}: {report}");
        }
        (Kind::PageVerdict | Kind::Commit | Kind::Resolve | Kind::Resolution, _) => {
            let report = source.exits(4).json();
            assert_eq!(report["in_doubt_file"], file.as_str(), "{moment:?}");
            restored(&file);
        }
        _ => {
            let report = source.exits(1).json();
            assert_eq!(report["result_identical"], true, "{moment:?}: {report}");
            assert_eq!(report["was_in_doubt"], false, "{moment:?}: {report}");
        }
    }
}

/// The target is known to be gone for good.
fn restored(file: &str) {
    let restore = ["restore", file, "--force", "--cool-down", "100ms", "--json", "-"];
    let report = run(&restore).exits(0).json();
    assert_eq!(report["verdict"], "identical", "{report}");
}

/// How a target is left by a source that was killed at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// It discards what came.
    Discards,
    /// It holds the VM until it is told.
    InDoubt,
    /// It runs the VM.
    Runs,
}

fn left_at((_, kind, nth): Moment) -> Left {
    match (kind, nth) {
        (Kind::PageHashes | Kind::PageVerdict | Kind::Resolve | Kind::Resolution, _) => Left::InDoubt,
        (Kind::Commit | Kind::Running | Kind::Outcome, _) | (Kind::End, 1) => Left::Runs,
        _ => Left::Discards,
    }
}

/// Starts a source towards `address` and kills it at `moment`.
fn kill_source(address: std::net::SocketAddr, moment: Moment) {
    let source = Arc::new(Mutex::new(None::<Arc<Process>>));
    let victim = source.clone();
    let proxy = between(
        address,
        rule(moment, move || {
            if let Some(source) = &*victim.lock().unwrap() {
                source.kill();
            }
        }),
    );
    // Held over the start, so that there is somebody to kill when the frame comes.
    let mut seat = source.lock().unwrap();
    let process = Process::start(&migrate_to(&proxy, &[]));
    *seat = Some(process.clone());
    drop(seat);
    process.is_killed(&format!("{moment:?}"));
}

fn target_left(moment: Moment) {
    let (target, address) = serve("1", &["--cool-down", "300ms"]);
    kill_source(address, moment);
    if left_at(moment) == Left::InDoubt {
        target.says("in doubt");
        assert!(target.is_alive(), "{moment:?}: it holds the VM");
        let id = crate::window::id_in(&target.err_so_far());
        let told = run(&["resolve", "--to", &address.to_string(), "--migration", &id, "--run"]);
        assert!(told.exits(0).out.contains("runs this VM"), "{moment:?}");
    }
    target.says("the guest finished");
    assert!(!target.err_so_far().contains("discarded"), "{moment:?}");
}

#[test]
fn a_process_killed_at_any_frame_leaves_the_other_right() {
    let moments = moments();
    println!("{} frames, {} kills", moments.len(), 2 * moments.len());
    for_each(moments.iter().copied(), kill_target);
    let (discarded, held): (Vec<_>, Vec<_>) =
        moments.into_iter().partition(|moment| left_at(*moment) == Left::Discards);
    for_each(held, target_left);
    // One target is left by all of these, and takes the next one in.
    let visits = (discarded.len() + 1).to_string();
    let dir = Dir::new();
    let file = dir.file("visits.json");
    let (target, address) = serve(&visits, &["--json", &file]);
    for (at, moment) in discarded.into_iter().enumerate() {
        kill_source(address, moment);
        // It has few VFs to give.
        target.says_times("what came was discarded", at + 1);
    }
    assert_eq!(run(&migrate_to(&address.to_string(), &[])).exits(0).json()["verdict"], "identical");
    target.ends().exits(0);
    let visits: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let endings: Vec<_> = visits.as_array().unwrap().iter().map(|visit| visit["ending"].clone()).collect();
    let finished = endings.iter().filter(|ending| *ending == "finished").count();
    let discards = endings.iter().filter(|ending| *ending == "discarded").count();
    assert_eq!((finished, discards), (1, endings.len() - 1), "{endings:?}");
}
