//! What `gpup check` says of the built-in driver, and its page of rules.

use std::collections::BTreeSet;

use dxgksim::check::{self, Kind, Verdict};

use crate::wrap;

#[test]
fn the_built_in_driver_keeps_every_rule() {
    let findings = wrap::check(&[]);
    let not_kept: Vec<_> = findings.iter().filter(|finding| finding.verdict != Verdict::Kept).collect();
    assert!(not_kept.is_empty(), "{not_kept:#?}");
    let illegal = [Kind::State, Kind::Size, Kind::Parallel];
    assert!(findings.len() >= 150, "{} rules", findings.len());
    assert!(findings.iter().filter(|finding| illegal.contains(&finding.rule.kind)).count() >= 60);
}

/// As its INF sets it up but for the sizes, and with tracking that begins with a migration.
#[test]
fn it_keeps_them_without_scattered_memory_and_with_late_tracking() {
    let findings = wrap::check(&[("ScatterMapReserve", 0), ("DirtyTrackingPerformant", 0)]);
    let not_kept: Vec<_> = findings.iter().filter(|finding| finding.verdict != Verdict::Kept).collect();
    assert!(not_kept.is_empty(), "{not_kept:#?}");
}

#[test]
fn a_rule_has_an_id_of_its_own_a_page_and_a_demand() {
    let rules = check::rules();
    let ids: BTreeSet<_> = rules.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), rules.len(), "an id is there twice");
    for rule in rules {
        assert!(!rule.page.is_empty() && rule.demand.ends_with('.'), "{rule:?}");
    }
}

#[test]
fn the_page_of_rules_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/conformance.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    let current = page == check::markdown();
    assert!(current, "docs/conformance.md is old: cargo run -- check --markdown > docs/conformance.md");
}
