//! Cuts in the commit window: doubt, how it is settled, and what an operator can do where it is not.

use live_migration::wire::frame::Kind;

use crate::harness::{Dir, Process, Ran, migrate_to, run, run_in, serve};
use crate::proxy::{Fate, Way, between, between_any, cut_once};

fn settled(source: &Ran) {
    let report = source.json();
    assert_eq!(report["verdict"], "identical", "{report}");
    assert_eq!(report["was_in_doubt"], true);
    assert_eq!(report["result_identical"], true);
}

/// The migration that a message names.
pub(crate) fn id_in(text: &str) -> String {
    let at = text.find("(migration ").expect("a migration") + "(migration ".len();
    text[at..at + 32].into()
}

#[test]
fn a_commit_that_never_arrives_is_said_again() {
    let (target, address) = serve("1", &[]);
    let proxy = between(address, cut_once(Way::ToTarget, Kind::Commit));
    let source = run(&migrate_to(&proxy, &[])).exits(0);
    settled(&source);
    assert!(source.err.contains("in doubt"), "{}", source.err);
    target.ends().exits(0).complains(&["in doubt", "no longer in doubt"]);
}

#[test]
fn an_answer_that_never_arrives_is_asked_for_again() {
    let (target, address) = serve("1", &[]);
    let proxy = between(address, cut_once(Way::ToSource, Kind::Running));
    let source = run(&migrate_to(&proxy, &[])).exits(0);
    settled(&source);
    assert!(source.err.contains("in doubt"), "{}", source.err);
    // It heard the commit, so it was never in doubt.
    let target = target.ends().exits(0);
    assert!(!target.err.contains("in doubt"), "{}", target.err);
}

#[test]
fn an_outcome_that_is_lost_is_asked_for_again() {
    let (target, address) = serve("1", &[]);
    let proxy = between(address, cut_once(Way::ToSource, Kind::Outcome));
    let source = run(&migrate_to(&proxy, &[])).exits(0);
    assert_eq!(source.json()["verdict"], "identical");
    assert_eq!(source.json()["was_in_doubt"], false);
    target.ends().exits(0);
}

#[test]
fn every_answer_may_be_lost_once() {
    let (target, address) = serve("1", &[]);
    let mut left = vec![
        (Way::ToTarget, Kind::Commit),
        (Way::ToSource, Kind::Resolution),
        (Way::ToTarget, Kind::Resolve),
    ];
    let proxy = between(address, move |way, kind| match left.iter().position(|lost| *lost == (way, kind)) {
        Some(at) => {
            left.remove(at);
            Fate::Cut
        }
        None => Fate::Pass,
    });
    settled(&run(&migrate_to(&proxy, &[])).exits(0));
    target.ends().exits(0);
}

#[test]
fn a_source_whose_target_is_lost_saves_the_vf_whole() {
    let dir = Dir::new();
    let file = dir.file("doubt.vf");
    for pause_ddi in ["on", "off"] {
        let (target, address) = serve("1", &[]);
        let victim = target.clone();
        let proxy = between(address, move |_, kind| {
            if kind == Kind::Commit {
                victim.kill();
                return Fate::CutForGood;
            }
            Fate::Pass
        });
        let more = ["--settle", "300ms", "--in-doubt-file", &file, "--pause-ddi", pause_ddi];
        let source =
            run(&migrate_to(&proxy, &more)).exits(4).complains(&["in doubt", "restore", "saved whole in"]);
        assert_eq!(source.json()["was_in_doubt"], true);
        assert_eq!(source.json()["in_doubt_file"], file.as_str());
        run(&["inspect", &file]).exits(0);
        // Nobody can say whether the target runs it, but who knows that it is gone.
        run(&["restore", &file]).exits(4).complains(&["saved in doubt", "does not answer", "--force"]);
        let restored =
            run(&["restore", &file, "--force", "--cool-down", "100ms", "--json", "-"]).exits(0).json();
        assert_eq!(restored["verdict"], "identical");
        assert_eq!(restored["result_identical"], true);
        std::fs::remove_file(&file).unwrap();
    }
}

#[test]
fn a_target_in_doubt_can_be_told_to_discard() {
    let dir = Dir::new();
    let (target, address) = serve("1", &[]);
    let proxy = between(address, |_, kind| if kind == Kind::Commit { Fate::CutForGood } else { Fate::Pass });
    let source = run_in(dir.path(), &migrate_to(&proxy, &["--settle", "300ms"])).exits(4);
    let id = id_in(&source.err);
    // Without --in-doubt-file the migration names the file.
    assert_eq!(dir.names(), [format!("gpup-in-doubt-{id}.vf")]);
    target.says("in doubt");
    let address = address.to_string();
    let resolve = ["resolve", "--to", &address, "--migration", &id];
    assert!(run(&resolve).exits(0).out.contains("holds this VM"));
    assert!(run(&[&resolve[..], &["--json", "-"]].concat()).exits(0).json()["target"] == "ready");
    assert!(target.is_alive(), "asking settles nothing");
    assert!(run(&[&resolve[..], &["--discard"]].concat()).exits(0).out.contains("has discarded the VM"));
    target.ends().exits(0).complains(&[&id, "discarded"]);
    let file = dir.file(&dir.names()[0]);
    run(&["restore", &file, "--force", "--cool-down", "100ms"]).exits(0);
}

/// A migration that stays in doubt: the target of so many visits, its address, and the file that the source left.
fn left_in_doubt(dir: &Dir, visits: &str) -> (std::sync::Arc<Process>, String, String) {
    let (target, address) = serve(visits, &[]);
    let proxy = between(address, |_, kind| if kind == Kind::Commit { Fate::CutForGood } else { Fate::Pass });
    let file = dir.file("doubt.vf");
    run(&migrate_to(&proxy, &["--settle", "300ms", "--in-doubt-file", &file])).exits(4);
    target.says("in doubt");
    (target, address.to_string(), file)
}

#[test]
fn a_copy_is_restored_when_the_target_has_let_go_of_its_own() {
    let dir = Dir::new();
    let (target, address, file) = left_in_doubt(&dir, "1");
    let restored = run(&["restore", &file, "--to", &address, "--cool-down", "100ms", "--json", "-"]).exits(0);
    assert_eq!(restored.json()["result_identical"], true);
    target.ends().exits(0).complains(&["no longer in doubt: what came was discarded"]);
}

#[test]
fn a_copy_of_a_vm_that_runs_is_not_restored() {
    let dir = Dir::new();
    // One visit more: it is there to answer, however long ago its guest finished.
    let (target, address, file) = left_in_doubt(&dir, "2");
    run(&["resolve", "--to", &address, "--migration", &target.id(), "--run"]).exits(0);
    run(&["restore", &file, "--to", &address]).exits(1).complains(&["runs this VM", "must not be restored"]);
    target.says("the guest finished");
    target.interrupt();
    target.ends().exits(0);
}

/// The word that the VM runs there is lost, and then somebody else is found at the target's address.
#[test]
fn an_answer_of_another_target_is_none() {
    let dir = Dir::new();
    let file = dir.file("doubt.vf");
    let (target, address) = serve("1", &[]);
    let (other, others) = serve("9", &[]);
    let whose = std::sync::Arc::new(std::sync::Mutex::new(address));
    let turn = whose.clone();
    let proxy = between_any(whose, move |_, kind| {
        if kind == Kind::Running {
            *turn.lock().unwrap() = others;
            return Fate::Cut;
        }
        Fate::Pass
    });
    let source = run(&migrate_to(&proxy, &["--settle", "1s", "--in-doubt-file", &file])).exits(4);
    assert_eq!(source.json()["in_doubt_file"], file.as_str());
    // It ran on the first target, and nowhere else.
    target.says("the guest finished");
    target.interrupt();
    target.ends().exits(0);
    let refused = run(&["restore", &file, "--to", &others.to_string()]).exits(4);
    assert!(refused.err.contains("is another target than the one that has the VM"), "{}", refused.err);
    assert!(other.is_alive());
}

#[test]
fn a_target_whose_source_died_in_the_window_holds_the_vm_until_it_is_told() {
    // It runs for long enough to be asked about, also where starting a process takes a while.
    let (target, address) = serve("1", &["--cool-down", "10s"]);
    let source: std::sync::Arc<std::sync::Mutex<Option<std::sync::Arc<Process>>>> = Default::default();
    let victim = source.clone();
    let proxy = between(address, move |_, kind| {
        if kind == Kind::Commit {
            victim.lock().unwrap().as_ref().unwrap().kill();
            return Fate::CutForGood;
        }
        Fate::Pass
    });
    // Held over the start, so that the commit cannot come before there is somebody to kill.
    let mut seat = source.lock().unwrap();
    *seat = Some(Process::start(&migrate_to(&proxy, &[])));
    drop(seat);
    target.says("in doubt");
    assert!(target.is_alive(), "it holds the VM");
    let id = target.id();
    let address = address.to_string();
    let tell = |word: &str| run(&["resolve", "--to", &address, "--migration", &id, word]);
    assert!(tell("--run").exits(0).out.contains("runs this VM"));
    tell("--discard").exits(1).complains(&["runs this VM, so it was not discarded"]);
    assert!(tell("--run").exits(0).out.contains("runs this VM"), "once more is harmless");
    target.ends().exits(0).complains(&["in doubt", "the guest finished"]);
}

#[test]
fn a_target_knows_what_it_does_not_hold() {
    let (target, address) = serve("1", &[]);
    let address = address.to_string();
    let resolve = ["resolve", "--to", &address, "--migration", "12ab"];
    assert!(run(&resolve).exits(0).out.contains("holds nothing of migration"));
    run(&[&resolve[..], &["--run"]].concat()).exits(1).complains(&["nothing to run"]);
    run(&[&resolve[..], &["--discard"]].concat()).exits(0);
    assert!(target.is_alive());
}

impl Process {
    /// The migration that its messages name.
    fn id(&self) -> String {
        id_in(&self.err_so_far())
    }
}
