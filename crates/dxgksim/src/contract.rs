//! The documented contract between Dxgkrnl and a display miniport, and the record of what broke it.
//!
//! Every call into the driver goes through [`Contract::call`], every callback through [`Contract::callback`]. Both know
//! the simulated IRQL of the calling thread. A broken rule is recorded as a [`Violation`] that names the rule, the
//! page that states it and what happened; the simulated kernel goes on where it can.

mod caps;
mod counts;
mod ddi;
mod fences;
mod guarded;
mod irql;
pub(crate) mod rules;
mod table;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub(crate) use caps::check_caps;
pub use counts::Calls;
pub(crate) use counts::declared;
pub(crate) use ddi::calls;
pub use ddi::{Ddi, Statuses};
pub use fences::{Aborted, Fault, FenceState, Fences};
pub(crate) use guarded::{Guarded, GuardedBytes};
pub use irql::Irql;
pub(crate) use irql::{current, raised};
pub use rules::{RULES, Rule};
pub use table::check_table;

use crate::host::{Mutex, host};
use wddm::{DXGK_QUERYADAPTERINFOTYPE, NTSTATUS};

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: &'static Rule,
    /// What happened.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.rule.id, self.what, self.rule.page)
    }
}

/// Violations kept; more are only counted.
const KEPT: usize = 256;

#[derive(Default)]
struct Record {
    violations: Vec<Violation>,
    count: u64,
}

/// The contract with one driver, and what broke it so far.
#[derive(Default)]
pub struct Contract {
    record: Mutex<Record>,
    counts: counts::Counts,
}

impl Contract {
    /// What broke the contract so far, oldest first.
    pub fn violations(&self) -> Vec<Violation> {
        self.record.lock().violations.clone()
    }

    /// How often it was broken.
    pub fn count(&self) -> u64 {
        self.record.lock().count
    }

    /// How often each function that the driver gave was called.
    pub fn calls(&self) -> Vec<Calls> {
        self.counts.read()
    }

    /// The driver gave these functions.
    pub(crate) fn supply(&self, functions: impl Iterator<Item = &'static str>) {
        self.counts.supply(functions);
    }

    /// The driver answers queries.
    pub(crate) fn supply_queries(&self) {
        self.counts.supply_queries();
    }

    /// Counts a call that neither [`call`](Self::call) nor [`run`](Self::run) makes.
    pub(crate) fn count_call(&self, function: &str, refused: bool) {
        self.counts.count(function, refused);
    }

    /// Counts what a query asked for, beside the call.
    pub(crate) fn count_query(&self, kind: DXGK_QUERYADAPTERINFOTYPE, status: NTSTATUS) {
        self.counts.count_query(kind, !status.is_success());
    }

    /// Records a broken rule.
    pub fn broken(&self, rule: &'static Rule, what: fmt::Arguments<'_>) {
        host().log(format_args!("VIOLATION {}: {what} ({})", rule.id, rule.page));
        let mut record = self.record.lock();
        record.count += 1;
        if record.violations.len() < KEPT {
            record.violations.push(Violation { rule, what: alloc::format!("{what}") });
        }
    }

    /// Records a broken rule unless `held`.
    pub fn require(&self, held: bool, rule: &'static Rule, what: fmt::Arguments<'_>) {
        if !held {
            self.broken(rule, what);
        }
    }

    /// Calls into the driver: at the DDI's IRQL, with a status the DDI's page allows.
    pub fn call(&self, ddi: &'static Ddi, call: impl FnOnce() -> NTSTATUS) -> NTSTATUS {
        let status = self.run_as(ddi, call, |status| !status.is_success());
        if !ddi.statuses.allow(status) {
            let rule = ddi.status_rule();
            self.broken(rule, format_args!("{} returned {status}", ddi.name));
        }
        status
    }

    /// Calls a function of the driver that returns something else than a status.
    pub fn run<R>(&self, ddi: &'static Ddi, call: impl FnOnce() -> R) -> R {
        self.run_as(ddi, call, |_| false)
    }

    /// The same, where `refused` tells a refusal by the result.
    pub(crate) fn run_as<R>(
        &self,
        ddi: &'static Ddi,
        call: impl FnOnce() -> R,
        refused: impl FnOnce(&R) -> bool,
    ) -> R {
        let _level = raised(ddi.irql);
        let result = call();
        self.counts.count(ddi.name, refused(&result));
        let after = current();
        self.require(
            after == ddi.irql,
            &rules::IRQL_CHANGED,
            format_args!("{} was entered at {} and left at {after}", ddi.name, ddi.irql),
        );
        result
    }

    /// Checks the IRQL of a callback: at most `highest`.
    pub fn callback(&self, name: &'static str, highest: Irql) {
        let level = current();
        self.require(
            level <= highest,
            &rules::CALLBACK_IRQL,
            format_args!("{name} was called at {level}, above {highest}"),
        );
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn a_ddi_that_leaves_the_irql_raised_is_noticed() {
        crate::host::std_host::install();
        let contract = Contract::default();
        contract.run(&calls::UNLOAD, || core::mem::forget(raised(Irql::Dispatch)));
        assert_eq!(contract.violations()[0].rule.id, "IRQL_CHANGED");
    }
}
