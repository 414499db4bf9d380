//! Each rule is broken once, by a fault in the wrapped table, and the whole check names that rule and no other.
//!
//! A fault changes as little as breaks the rule: it turns one refusal into a success, one success into a failure, or
//! alters one answer. Where several rules make the same call, it goes by what came before.

mod answers;
mod dirty;
mod feature;
mod lies;
mod migration;
mod parallel;
mod recorded;
mod recovery;
mod seldom;
mod space;
mod work;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use dxgksim::check::{self, Verdict};
use dxgksim::host::SECOND;
use dxgksim::vidmm::PagingError;
use wddm::NTSTATUS;

use crate::world::{World, fault};
use crate::wrap::{self, Call, Fault};

/// A rule's id and the fault that breaks it.
pub(crate) type Case = (&'static str, Fault);

const OK: usize = 0;
const FAILED: usize = 0xC000_0001;
/// STATUS_INVALID_DEVICE_STATE and STATUS_INVALID_HANDLE, to tell refusals of one call apart.
const WRONG_STATE: NTSTATUS = NTSTATUS(0xC000_0184_u32 as i32);
const STALE: NTSTATUS = NTSTATUS(0xC000_0008_u32 as i32);
/// A number that no VF of the checker has.
const NO_VF: u32 = 11;

/// A refusal becomes a success.
fn lie(
    name: &'static str,
    when: impl Fn(&Call<'_>, &World, NTSTATUS) -> bool + Send + Sync + 'static,
) -> Fault {
    fault(move |c, world| {
        if c.name != name {
            return None;
        }
        let status = c.status();
        let lie = !status.is_success() && when(c, world, status);
        Some(if lie { OK } else { status.0 as u32 as usize })
    })
}

/// A call fails, and the driver never hears of it.
fn fail(name: &'static str, when: impl Fn(&Call<'_>, &World) -> bool + Send + Sync + 'static) -> Fault {
    fault(move |c, world| (c.name == name && when(c, world)).then_some(FAILED))
}

/// A call is done, and said to have failed.
fn deny(name: &'static str, when: impl Fn(&Call<'_>, &World) -> bool + Send + Sync + 'static) -> Fault {
    fault(move |c, world| {
        (c.name == name && when(c, world)).then(|| {
            c.forward();
            FAILED
        })
    })
}

/// A call is done, and something is done after it.
fn after(name: &'static str, then: impl Fn(&Call<'_>, &World) + Send + Sync + 'static) -> Fault {
    fault(move |c, world| {
        (c.name == name).then(|| {
            let result = c.forward();
            if result as i32 >= 0 {
                then(c, world);
            }
            result
        })
    })
}

/// Number of a VF at the start of the argument structure.
fn vf(c: &Call<'_>) -> u32 {
    c.at(1, 0)
}

fn cases() -> Vec<Case> {
    [
        lies::cases(),
        answers::cases(),
        work::cases(),
        dirty::cases(),
        feature::cases(),
        migration::cases(),
        parallel::cases(),
        recorded::cases(),
        recovery::cases(),
        space::cases(),
        seldom::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What the whole check says is broken.
fn broken(fault: Fault, paging_timeout_ns: u64) -> Vec<(&'static str, String)> {
    let broken = |verdict| if let Verdict::Broken(what) = verdict { Some(what) } else { None };
    wrap::check_fault(fault, paging_timeout_ns)
        .into_iter()
        .filter_map(|finding| Some((finding.rule.id, broken(finding.verdict)?)))
        .collect()
}

/// Whether a fault breaks its rule alone; if not, what it broke. Many faults lose a fence, and are waited for
/// impatiently. Where that was too short for a busy machine, a patience beyond any machine judges.
fn judge((id, fault): Case) -> Result<(), String> {
    let mut broken_rules = broken(fault, SECOND);
    if broken_rules.iter().any(|(rule, what)| *rule != id && what.contains(&PagingError::Timeout.to_string()))
    {
        let again = cases().into_iter().find(|(other, _)| *other == id).expect("the case is there");
        broken_rules = broken(again.1, 60 * SECOND);
    }
    match &broken_rules[..] {
        [(rule, _)] if *rule == id => Ok(()),
        others => Err(format!("{id}: {others:?}")),
    }
}

#[test]
fn each_fault_breaks_its_rule_and_no_other() {
    let only = std::env::var("FAULT").ok();
    let chosen = |case: &Case| only.as_deref().is_none_or(|only| case.0.starts_with(only));
    let wrong: Vec<_> = cases().into_iter().filter(chosen).filter_map(|case| judge(case).err()).collect();
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

/// Rules that no fault of a wrapped table can break; unit tests of the simulated Dxgkrnl do.
const ELSEWHERE: &[&str] = &[
    // No callback lets a driver change the simulated IRQL: crates/dxgksim/src/contract.rs.
    "IRQL_CHANGED",
    // Takes two threads inside NotifyInterrupt at once: crates/dxgksim/src/dxgkrnl/interrupts.rs.
    "NOTIFY_REENTRANT",
];

#[test]
fn every_rule_has_its_fault() {
    let faults: Vec<_> = cases().iter().map(|(id, _)| *id).chain(ELSEWHERE.iter().copied()).collect();
    let known: BTreeSet<_> = check::rules().iter().map(|rule| rule.id).collect();
    let named: BTreeSet<_> = faults.iter().copied().collect();
    let missing: Vec<_> = known.difference(&named).collect();
    let unknown: Vec<_> = named.difference(&known).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing {missing:?}, unknown {unknown:?}");
    assert_eq!(faults.len(), named.len(), "a rule has two faults");
}

/// True the `n`th time it is asked, from 0.
fn nth(n: u32) -> impl Fn() -> bool {
    let asked = AtomicU32::new(0);
    move || asked.fetch_add(1, Ordering::Relaxed) == n
}
