//! What the checker must say: every rule kept, and every function of the driver called and once accepted.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::{Map, Value};

use super::report::read;

/// Functions that nothing in Wine's kernel calls, and why.
const NEVER_CALLED: &[(&str, &str)] = &[
    ("DxgkDdiInterruptRoutine", "a root-enumerated device has no interrupt line"),
    ("DxgkDdiResetDevice", "called when the system has stopped, to leave the device to the firmware"),
    ("DxgkDdiUnload", "called after the report is written: the test program counts it"),
];

/// Functions that only refuse, and why.
const ONLY_REFUSED: &[(&str, &str)] = &[
    ("DxgkDdiEscape", "its data is the driver's own, which a checker of any driver does not know"),
    ("DxgkDdiVirtualGpuDriverEscape", "likewise"),
    ("DxgkDdiReadVirtualFunctionConfigBlock", "the simulated device has no config blocks"),
    ("DxgkDdiWriteVirtualFunctionConfigBlock", "likewise"),
    ("DxgkDdiQueryChildStatus", "a compute-only adapter has no children"),
    ("DxgkDdiQueryDeviceDescriptor", "likewise"),
];

/// Every rule was judged, and kept.
pub(super) fn all_kept(path: &Path) -> Result<()> {
    let report = read(path)?;
    let rules = report["rules"].as_array().map_or(&[][..], Vec::as_slice);
    ensure!(!rules.is_empty(), "no rule was judged");
    let not_kept = not_kept(rules);
    ensure!(
        not_kept.is_empty(),
        "{} of {} rules were not kept:\n  {}",
        not_kept.len(),
        rules.len(),
        not_kept.join("\n  ")
    );
    println!("wine: {} rules of the conformance checker kept", rules.len());
    Ok(())
}

fn not_kept(rules: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rules = rules.iter().filter(|rule| rule["verdict"] != "kept");
    rules
        .map(|rule| format!("{} {}: {}", text(&rule["id"]), text(&rule["verdict"]), text(&rule["detail"])))
        .collect()
}

/// Every function that the driver gave was called, and accepted at least one call.
pub(super) fn all_called(path: &Path) -> Result<()> {
    let report = read(path)?;
    let none = Map::new();
    let calls = report["calls"].as_object().unwrap_or(&none);
    ensure!(!calls.is_empty(), "no function was counted");
    let wrong = wrong(calls);
    ensure!(wrong.is_empty(), "of the driver's {} functions\n  {}", calls.len(), wrong.join("\n  "));
    println!("wine: {} functions of the driver counted, all called and judged but these:", calls.len());
    for (name, why) in NEVER_CALLED {
        println!("  never called: {name}: {why}");
    }
    for (name, why) in ONLY_REFUSED {
        println!("  always refused: {name}: {why}");
    }
    Ok(())
}

/// What is wrong with the counts. An exception that is none any more is wrong too.
fn wrong(calls: &Map<String, Value>) -> Vec<String> {
    let excepted = |list: &[(&str, &str)], name: &str| list.iter().any(|(known, _)| *known == name);
    let judge = |(name, count): (&String, &Value)| {
        let of = |field: &str| count[field].as_u64().unwrap_or_default();
        let (called, accepted) = (of("called"), of("called").saturating_sub(of("refused")));
        match (excepted(NEVER_CALLED, name), excepted(ONLY_REFUSED, name)) {
            (false, _) if called == 0 => Some(format!("{name} was never called")),
            (false, false) if accepted == 0 => Some(format!("{name} refused all of {called} calls")),
            (true, _) if called > 0 => Some(format!("{name} was called after all: it is no exception")),
            (_, true) if accepted > 0 => Some(format!("{name} accepted a call: it is no exception")),
            _ => None,
        }
    };
    calls.iter().filter_map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judged(name: &str, called: u64, refused: u64) -> Vec<String> {
        let calls = json!({ name: { "called": called, "refused": refused } });
        wrong(calls.as_object().unwrap())
    }

    #[test]
    fn a_function_that_nobody_called_is_named() {
        assert_eq!(judged("DxgkDdiX", 2, 1), [""; 0]);
        assert_eq!(judged("DxgkDdiX", 0, 0), ["DxgkDdiX was never called"]);
        assert_eq!(judged("DxgkDdiX", 3, 3), ["DxgkDdiX refused all of 3 calls"]);
    }

    #[test]
    fn an_exception_holds_for_its_own_reason_only() {
        assert_eq!(judged("DxgkDdiUnload", 0, 0), [""; 0]);
        assert_eq!(judged("DxgkDdiUnload", 1, 0).len(), 1);
        assert_eq!(judged("DxgkDdiEscape", 3, 3), [""; 0]);
        assert_eq!(judged("DxgkDdiEscape", 0, 0), ["DxgkDdiEscape was never called"]);
        assert_eq!(judged("DxgkDdiEscape", 3, 2).len(), 1);
    }

    #[test]
    fn a_rule_that_was_not_kept_is_named_with_its_reason() {
        let rules = json!([
            { "id": "a", "verdict": "kept", "detail": null },
            { "id": "b", "verdict": "skipped", "detail": "no thread" },
        ]);
        assert_eq!(not_kept(rules.as_array().unwrap()), ["b skipped: no thread"]);
    }
}
