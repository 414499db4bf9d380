//! The page of rules: what the checker demands, and where it is written.

use alloc::string::String;
use core::fmt::Write;

use super::{Kind, rules};

/// docs/conformance.md.
pub fn markdown() -> String {
    let rules = rules();
    let mut page = String::from(
        "# Conformance rules\n\n\
         What `gpup check` demands of a driver, call by call. A test compares this page with the rules; \
         `gpup check --markdown` writes it anew.\n\n\
         A rule whose id is in capitals is judged on every call that the simulated Dxgkrnl makes. The others have a \
         function of their own. Where a page leaves open which failure a call returns, every failure is accepted; a \
         refused call must have changed nothing. A rule that needs a legal call which fails is skipped, and the \
         rule of that call is broken.\n\n",
    );
    let _ = writeln!(page, "| kind | rules |\n|---|---|");
    for kind in Kind::ALL {
        let _ = writeln!(page, "| {kind} | {} |", rules.iter().filter(|rule| rule.kind == kind).count());
    }
    let _ = writeln!(page, "| all | {} |\n\n| rule | kind | demand | page |\n|---|---|---|---|", rules.len());
    for rule in &rules {
        let _ = writeln!(page, "| `{}` | {} | {} | {} |", rule.id, rule.kind, rule.demand, rule.page);
    }
    page
}
