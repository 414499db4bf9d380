//! `gpup check` as a process: its table, its JSON, its exit codes.

use serde_json::Value;

use crate::harness::run;

#[test]
fn the_driver_is_checked_and_the_exit_code_says_so() {
    let ran = run(&["check"]).exits(0);
    let last = ran.out.lines().last().unwrap_or_default();
    assert!(last.contains(" 0 broken, 0 skipped"), "{last}");
    assert!(ran.out.contains("migration.prepare.unknown-vf") && ran.out.contains("OUTPUT_OVERRUN"));
    let never = "functions of the driver, never called: DxgkDdiResetDevice, DxgkDdiUnload";
    assert!(ran.out.lines().any(|line| line.ends_with(never)), "{}", ran.out);
    assert!(ran.err.is_empty(), "{}", ran.err);
}

#[test]
fn each_rule_in_the_json_has_id_title_and_verdict() {
    let ran = run(&["check", "--json", "--rule", "fence_once", "--rule", "pause.again"]).exits(0);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(json["calls"]["DxgkDdiSetVirtualFunctionPauseState"]["called"].as_u64() > Some(0));
    assert_eq!(json["calls"]["DxgkDdiGetGpuEngines"]["called"], 0);
    let rules = json["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 2);
    for rule in rules {
        assert!(rule["id"].is_string() && !rule["title"].as_str().unwrap().is_empty());
        assert_eq!(rule["verdict"], "kept");
    }
}

#[test]
fn a_rule_that_nobody_knows_is_wrong_usage() {
    run(&["check", "--rule", "no.such.rule"]).exits(2).complains(&["no.such.rule", "--markdown"]);
}
