//! What the conformance checker found, as a report.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use dxgksim::check::{Finding, Verdict};
use dxgksim::contract::Contract;
use serde::Serialize;

use crate::calls::{Calls, calls};

/// A rule and its verdict.
#[derive(Clone, Debug, Serialize)]
pub struct RuleReport {
    /// The rule's name.
    pub id: &'static str,
    /// Title of the page that states it.
    pub title: &'static str,
    /// What it demands.
    pub demand: &'static str,
    /// What it is about.
    pub kind: String,
    /// `kept`, `broken` or `skipped`.
    pub verdict: &'static str,
    /// What came, or what was missing, if it was not kept.
    pub detail: Option<String>,
}

/// Everything there is to say of a check.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// The rules that were judged.
    pub rules: Vec<RuleReport>,
    /// What the driver was called for.
    pub calls: Calls,
}

impl Checked {
    /// The report of `findings`, and of the driver's calls since it was loaded.
    pub fn new(findings: &[Finding], contract: &Contract) -> Self {
        let rules = findings.iter().map(|Finding { rule, verdict }| RuleReport {
            id: rule.id,
            title: rule.page,
            demand: rule.demand,
            kind: rule.kind.to_string(),
            verdict: verdict.word(),
            detail: match verdict {
                Verdict::Kept => None,
                Verdict::Broken(what) | Verdict::Skipped(what) => Some(what.clone()),
            },
        });
        Self { rules: rules.collect(), calls: calls(contract) }
    }
}
