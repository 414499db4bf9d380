//! docs/ddi.md: a section for every function that the driver gives and every query that it answers, rules that exist, and
//! every rule that does.

use std::collections::BTreeSet;

use dxgksim::check;

use crate::wrap;

/// One demand: what it is, how it is met, which rules judge it.
struct Demand<'a> {
    met: &'a str,
    rules: &'a str,
}

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ddi.md");
    std::fs::read_to_string(path).expect("docs/ddi.md")
}

fn sections(page: &str) -> BTreeSet<&str> {
    page.lines().filter_map(|line| line.strip_prefix("### ")).collect()
}

fn demands(page: &str) -> Vec<Demand<'_>> {
    let tables = page.split_once("\n## ").expect("chapters").1;
    let rows = tables.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| demand "));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').trim().split(" | ").collect();
        assert_eq!(cells.len(), 3, "{row}");
        Demand { met: cells[1], rules: cells[2] }
    })
    .collect()
}

/// The ids in a cell.
fn ids(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// A function's heading, by the name under which its calls are counted.
fn heading(function: &str) -> String {
    match function.strip_prefix("DxgkDdiQueryAdapterInfo(") {
        Some(query) => format!("DXGKQAITYPE_{}", query.trim_end_matches(')')),
        None => function.replacen("pfn", "DxgkDdi", 1),
    }
}

#[test]
fn every_function_of_the_driver_has_its_section() {
    let page = page();
    let there = sections(&page);
    let given: BTreeSet<_> = wrap::functions().into_iter().map(heading).collect();
    let missing: Vec<_> = given.iter().filter(|function| !there.contains(function.as_str())).collect();
    let others = |section: &&&str| section.starts_with("DxgkDdi") && !given.contains(**section);
    let unknown: Vec<_> = there.iter().filter(others).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing {missing:?}, unknown {unknown:?}");
}

#[test]
fn every_rule_judges_a_demand_and_every_demand_names_rules_that_exist() {
    let page = page();
    let demands = demands(&page);
    let named: BTreeSet<_> = demands.iter().flat_map(|demand| ids(demand.rules)).collect();
    let known: BTreeSet<_> = check::rules().iter().map(|rule| rule.id).collect();
    let unknown: Vec<_> = named.difference(&known).collect();
    let unused: Vec<_> = known.difference(&named).collect();
    assert!(unknown.is_empty() && unused.is_empty(), "unknown {unknown:?}, judge no demand {unused:?}");
    for demand in &demands {
        let said = ids(demand.rules).next().is_some()
            || ["none", "—"].iter().any(|word| demand.rules.starts_with(word));
        assert!(said, "neither a rule nor why there is none: {}", demand.rules);
    }
}

#[test]
fn the_page_counts_right() {
    let page = page();
    let demands = demands(&page);
    let count = |is: &dyn Fn(&Demand<'_>) -> bool| demands.iter().filter(|demand| is(demand)).count();
    let ruled = |demand: &Demand<'_>| ids(demand.rules).next().is_some();
    let counts = [
        sections(&page).len(),
        demands.len(),
        count(&ruled),
        count(&|demand| !ruled(demand) && demand.rules.starts_with("none")),
        count(&|demand| !ruled(demand) && demand.rules.starts_with('—')),
        count(&|demand| demand.met.starts_with("not met")),
    ];
    let line = counts.map(|count| format!(" {count} |")).concat();
    assert!(page.contains(&format!("\n|{line}\n")), "the head of docs/ddi.md should say |{line}");
}
