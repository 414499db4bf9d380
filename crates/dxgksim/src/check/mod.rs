//! The conformance checker: it drives a driver through the contract, call by call, and judges each rule.
//!
//! It knows the table and the interfaces of QueryInterface and nothing else, so it can check any driver. A rule is
//! data: an id that stays, the title of the page that states it, what it demands, what kind it is, and a function
//! that runs it on a [`Bench`]. The rules of [`contract`](crate::contract) are judged too: whatever the simulated
//! Dxgkrnl recorded in the course of the run breaks them.
//!
//! A rule is *broken* when the driver did something that its page does not allow. It is *skipped* when it could not
//! be judged, because a legal call that it needs failed; that call has a rule of its own, which is the broken one.
//! Where a page leaves open which failure is returned, any failure is accepted, and a refusal must have changed
//! nothing. After a rule that was not kept the next one gets a fresh adapter.

mod args;
mod bench;
mod caps;
mod cold;
mod config;
mod dirty;
mod feature;
mod flexiov;
mod gates;
mod hang;
mod interface;
mod life;
mod markdown;
mod migration;
mod msix;
mod objects;
mod paging;
mod parallel;
mod partition;
mod passive;
mod query;
mod resources;
mod restore;
mod seldom;
mod sriov;
mod submission;
mod testing;
mod timeout;
mod tools;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

pub use bench::Bench;
pub use markdown::markdown;

use crate::contract::Contract;
use crate::dxgkrnl::{AdapterOptions, DdiError, Driver};
use crate::vidmm::PagingError;

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Start, stop and removal of an adapter.
    Start,
    /// What a legal call answers or does.
    Answer,
    /// Buffers, lengths and alignments.
    Size,
    /// Calls in a state that does not allow them, and what they leave behind.
    State,
    /// Numbers and handles that name nothing, or something else.
    Handle,
    /// Calls from several threads at once.
    Parallel,
}

impl Kind {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Start, Self::Answer, Self::Size, Self::State, Self::Handle, Self::Parallel];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Start => "start",
            Self::Answer => "answer",
            Self::Size => "size",
            Self::State => "state",
            Self::Handle => "handle",
            Self::Parallel => "parallel",
        })
    }
}

/// Why a rule was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The driver broke it: what was expected and what came.
    Broken(String),
    /// It could not be judged: what was missing.
    Skipped(String),
}

/// How a rule's function ends.
pub type Outcome = Result<(), Stop>;

impl From<DdiError> for Stop {
    fn from(error: DdiError) -> Self {
        Self::Skipped(alloc::format!("{error}"))
    }
}

impl From<PagingError> for Stop {
    fn from(error: PagingError) -> Self {
        Self::Skipped(alloc::format!("paging: {error}"))
    }
}

/// How a rule is judged.
#[derive(Clone, Copy)]
pub(crate) enum Judge {
    /// By a function of its own.
    Run(fn(&Bench) -> Outcome),
    /// By what the simulated Dxgkrnl recorded under this id.
    Recorded,
}

/// A rule.
#[derive(Clone, Copy)]
pub struct CheckRule {
    /// Its name, which stays.
    pub id: &'static str,
    /// Title of the page or article that states it.
    pub page: &'static str,
    /// What it demands, in a sentence.
    pub demand: &'static str,
    /// What it is about.
    pub kind: Kind,
    judge: Judge,
}

impl fmt::Debug for CheckRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

/// The judgement of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Kept.
    Kept,
    /// Broken: what was expected and what came.
    Broken(String),
    /// Not judged: what was missing.
    Skipped(String),
}

impl Verdict {
    /// Its word in reports.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Broken(_) => "broken",
            Self::Skipped(_) => "skipped",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept => f.write_str("kept"),
            Self::Broken(what) => write!(f, "broken: {what}"),
            Self::Skipped(what) => write!(f, "skipped: {what}"),
        }
    }
}

/// A rule and its verdict.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: CheckRule,
    /// The verdict.
    pub verdict: Verdict,
}

/// Every rule, in the order of the run; those that Dxgkrnl records come last.
pub fn rules() -> Vec<CheckRule> {
    let families: [&[CheckRule]; 24] = [
        life::RULES,
        cold::RULES,
        query::RULES,
        caps::RULES,
        interface::RULES,
        feature::RULES,
        partition::RULES,
        resources::RULES,
        sriov::RULES,
        config::RULES,
        msix::RULES,
        flexiov::RULES,
        objects::RULES,
        paging::RULES,
        testing::RULES,
        submission::RULES,
        timeout::RULES,
        hang::RULES,
        dirty::RULES,
        migration::RULES,
        restore::RULES,
        seldom::RULES,
        tools::RULES,
        parallel::RULES,
    ];
    let mut all: Vec<CheckRule> = families.concat();
    all.extend(passive::rules());
    all
}

/// Runs the rules that `wanted` picks against a driver whose adapters start as `options` say.
pub fn run(
    driver: &Arc<Driver>,
    options: &AdapterOptions,
    wanted: impl Fn(&CheckRule) -> bool,
) -> Vec<Finding> {
    let mut bench: Option<Bench> = None;
    let mut findings = Vec::new();
    let all = rules();
    let recorded = all.iter().any(|rule| matches!(rule.judge, Judge::Recorded) && wanted(rule));
    for rule in all.iter().copied().filter(&wanted) {
        let Judge::Run(judge) = rule.judge else { continue };
        let verdict = match ready(&mut bench, driver, options) {
            Ok(ready) => judge(ready),
            Err(stop) => Err(stop),
        };
        if verdict.is_err() {
            bench = None;
        }
        let verdict = verdict.map_or_else(|stop| stopped(stop, driver.contract()), |()| Verdict::Kept);
        findings.push(Finding { rule, verdict });
    }
    let worked = if recorded { ready(&mut bench, driver, options).and_then(passive::work) } else { Ok(()) };
    drop(bench);
    for rule in all.into_iter().filter(|rule| matches!(rule.judge, Judge::Recorded) && wanted(rule)) {
        findings.push(Finding { rule, verdict: recorded_verdict(driver.contract(), &rule, &worked) });
    }
    findings
}

/// Whether the table lacks a DDI. That breaks one rule; what cannot be called then is not judged by others.
fn has_holes(contract: &Contract) -> bool {
    let holes = ["TABLE_REQUIRED", "TABLE_MIGRATION"];
    contract.violations().iter().any(|violation| holes.contains(&violation.rule.id))
}

fn stopped(stop: Stop, contract: &Contract) -> Verdict {
    match stop {
        Stop::Broken(what) if what.contains("STATUS_NOT_IMPLEMENTED") && has_holes(contract) => {
            Verdict::Skipped(what)
        }
        Stop::Broken(what) => Verdict::Broken(what),
        Stop::Skipped(what) => Verdict::Skipped(what),
    }
}

fn ready<'a>(
    bench: &'a mut Option<Bench>,
    driver: &Arc<Driver>,
    options: &AdapterOptions,
) -> Result<&'a Bench, Stop> {
    if bench.is_none() {
        *bench = Some(Bench::start(driver, options)?);
    }
    bench.as_ref().ok_or_else(|| Stop::Skipped(String::from("no adapter")))
}

/// A recorded violation breaks its rule. A run that did not come to its end proves nothing of the others.
fn recorded_verdict(contract: &Contract, rule: &CheckRule, worked: &Outcome) -> Verdict {
    let found = contract.violations().into_iter().find(|violation| violation.rule.id == rule.id);
    match (found, worked) {
        (Some(violation), _) => Verdict::Broken(violation.what),
        (None, Ok(())) => Verdict::Kept,
        (None, Err(Stop::Broken(what) | Stop::Skipped(what))) => Verdict::Skipped(what.clone()),
    }
}

/// Declares the rules of a family: id, kind, page, what is demanded, and how it is judged.
macro_rules! declare {
    ($( $id:literal $kind:ident $page:expr, $demand:literal, $judge:expr; )*) => {
        pub(super) const RULES: &[$crate::check::CheckRule] = &[ $(
            $crate::check::CheckRule {
                id: $id,
                page: $page,
                demand: $demand,
                kind: $crate::check::Kind::$kind,
                judge: $crate::check::Judge::Run($judge),
            }
        ),* ];
    };
}
use declare;

/// Ends a rule as broken, with what was expected and what came.
macro_rules! broken {
    ($($what:tt)*) => { return Err($crate::check::Stop::Broken(alloc::format!($($what)*))) };
}
use broken;

/// A status that must be a failure: the rule is broken when it is not.
fn refused(call: &str, status: wddm::NTSTATUS) -> Outcome {
    if status.is_success() {
        broken!("{call} must be refused, but returned {status}")
    }
    Ok(())
}

/// A status that must be a success: the rule is broken when it is not.
fn accepted(call: &str, status: wddm::NTSTATUS) -> Outcome {
    if !status.is_success() {
        broken!("{call} is legal, but returned {status}")
    }
    Ok(())
}

/// A legal call that a rule needs, but is not about: without it the rule is not judged.
fn needed(call: &str, status: wddm::NTSTATUS) -> Outcome {
    if status.is_success() { Ok(()) } else { Err(Stop::Skipped(alloc::format!("{call} failed: {status}"))) }
}

/// Two values that must be the same.
fn same<T: PartialEq + fmt::Debug>(what: &str, expected: &T, came: &T) -> Outcome {
    if expected != came {
        broken!("{what}: expected {expected:?}, came {came:?}")
    }
    Ok(())
}
