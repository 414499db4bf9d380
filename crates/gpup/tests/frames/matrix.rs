//! Every frame with every fate.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use live_migration::wire::frame::Kind;

use crate::bench::Bench;
use crate::fate::Fate;
use crate::spot::{Role, Spot};
use crate::story::Story;
use crate::trial::{Plan, run};

/// Trials at a time: they wait more than they work.
const WORKERS: usize = 4;

/// Every story without a fate, and all its frames.
fn stories(bench: &Bench, pause_vf: bool, streams: u16) -> Vec<(Plan, Vec<Spot>)> {
    let told = Story::ALL.map(|story| {
        let plan = Plan { pause_vf, streams, again: false, ..Plan::new(story) };
        let shown = run(bench, &plan).unwrap_or_else(|wrong| panic!("{plan}: {wrong}"));
        assert!(shown.befell, "{plan}: it did not happen");
        (plan, shown.frames)
    });
    told.into()
}

/// Frames that this test cannot have, and who tests them.
const ELSEWHERE: [(Kind, &str); 2] = [
    (Kind::Doubt, "only in files: tests/processes"),
    (Kind::Outcome, "the tool's, once the VM runs there: tests/processes"),
];

#[test]
fn the_stories_have_every_frame_of_the_protocol() {
    let bench = Bench::new();
    let stories = stories(&bench, true, 1);
    bench.stop();
    let kinds = (1..).map_while(Kind::from_u16);
    let missing: Vec<Kind> = kinds
        .filter(|kind| !stories.iter().any(|(_, frames)| frames.iter().any(|spot| spot.kind == *kind)))
        .collect();
    let elsewhere: Vec<Kind> = (1..)
        .map_while(Kind::from_u16)
        .filter(|kind| ELSEWHERE.iter().any(|(other, _)| other == kind))
        .collect();
    assert_eq!(missing, elsewhere);
}

/// Whether ownership may be passing when this frame is on its way.
fn in_window(spot: &Spot) -> bool {
    use Kind::{Commit, PageHashes, PageVerdict, Ready, Running};
    spot.role == Role::Question || matches!(spot.kind, Ready | PageHashes | PageVerdict | Commit | Running)
}

fn fates(spot: &Spot) -> impl Iterator<Item = Fate> {
    let more: &[Fate] = if in_window(spot) { &Fate::IN_WINDOW } else { &[] };
    Fate::EVERY.iter().chain(more).copied()
}

fn plans(stories: &[(Plan, Vec<Spot>)]) -> Vec<Plan> {
    let mut plans = Vec::new();
    for (plan, frames) in stories {
        let firsts = frames
            .iter()
            .filter(|spot| plan.story.adds(spot) && (spot.nth == 0 || spot.role == Role::Question));
        for spot in firsts {
            plans.extend(fates(spot).map(|fate| Plan { fault: Some((*spot, fate)), ..*plan }));
        }
    }
    plans
}

#[test]
fn every_frame_meets_every_fate() {
    let all = std::env::var("GPUP_FRAMES").is_ok_and(|value| value == "all");
    let bench = Bench::new();
    let mut wanted = plans(&stories(&bench, true, 1));
    let others = plans(&stories(&bench, false, 2));
    bench.stop();
    // The other mode with two streams: a part of its trials, another one for each fate.
    wanted.extend(others.into_iter().enumerate().filter(|(at, _)| all || at % 7 == 0).map(|(_, plan)| plan));
    assert!(wanted.len() > 500, "only {} trials", wanted.len());
    if let Ok(only) = std::env::var("GPUP_FRAME") {
        wanted.retain(|plan| plan.to_string().contains(&only));
    }
    for (at, plan) in wanted.iter_mut().enumerate() {
        plan.through_file = at % 2 == 1;
        plan.again = all || at % 3 == 0 || plan.fault.is_some_and(|(spot, _)| in_window(&spot));
    }
    let (next, endings, missed) =
        (AtomicUsize::new(0), Mutex::new(BTreeMap::<String, usize>::new()), Mutex::new(Vec::new()));
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let mut bench = Bench::new();
                while let Some(plan) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match run(&bench, plan) {
                        Ok(shown) => {
                            *endings.lock().unwrap().entry(shown.ending).or_default() += 1;
                            if !shown.befell {
                                missed.lock().unwrap().push(plan.to_string());
                            }
                        }
                        Err(why) => {
                            wrong.lock().unwrap().push(format!("{plan}: {why}"));
                            bench = Bench::new();
                        }
                    }
                }
                if wrong.lock().unwrap().is_empty() {
                    bench.stop();
                }
            });
        }
    });
    let (wrong, missed) = (wrong.into_inner().unwrap(), missed.into_inner().unwrap());
    println!("{} trials: {:?}", wanted.len(), endings.into_inner().unwrap());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), wanted.len(), wrong.join("\n"));
    // A guest may happen to write nothing between the last look and the pause.
    assert!(missed.len() * 20 <= wanted.len(), "frames that did not come:\n{}", missed.join("\n"));
}
