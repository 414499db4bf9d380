//! `gpup schedule`: the same seed tells the same story, scenarios that cannot be are refused in a line, and the exit
//! code says whether the targets hold.

use crate::harness::{Dir, Ran, run};

/// A small sound scenario; tests break a line of it.
const SOUND: &str = r#"about = "a test"
length = "20s"
[[vf]]
count = 3
packets = { uniform = ["200us", "2ms"] }
[[migration]]
vf = 0
prepare = "5s"
pause = "10s"
end = "15s"
"#;

/// A VF that rarely works, with packets so long that its brownout's ceiling has to leave it more than it used before:
/// a packet must end within the guest's patience. So its busy neighbours lose some of what they had soaked up.
const BURSTS: &str = r#"about = "bursts"
length = "60s"
[[vf]]
packets = { fixed = "90ms" }
demand = { closed = "6s" }
[[vf]]
count = 3
packets = { fixed = "1ms" }
[[migration]]
vf = 0
prepare = "20s"
pause = "40s"
end = "41s"
"#;

/// Runs a scenario's text.
fn schedule(text: &str, more: &[&str]) -> Ran {
    let dir = Dir::new();
    let file = dir.file("test.toml");
    std::fs::write(&file, text).unwrap();
    run(&[&["schedule", "--scenario", &file], more].concat())
}

#[test]
fn a_run_is_its_seed() {
    let of =
        |seed: &str| run(&["schedule", "--scenario", "migration", "--seed", seed, "--json", "-"]).exits(0);
    let (first, again, other) = (of("7"), of("7"), of("8"));
    assert_eq!(first.out, again.out);
    assert_ne!(first.out, other.out);
    assert_eq!(first.json()["holds"], true);
    assert_eq!(first.json()["seed"], 7);
    let text = |_| run(&["schedule", "--scenario", "light"]).exits(0).out;
    assert_eq!(text(1), text(2));
}

#[test]
fn the_targets_hold_in_every_scenario_that_comes_with_the_tool() {
    let list = run(&["schedule", "--scenario", "list"]).exits(0).out;
    let names: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for wanted in ["mixed", "migration", "light", "many"] {
        assert!(names.contains(&wanted), "{list}");
    }
    for name in names {
        let ran = run(&["schedule", "--scenario", name]).exits(0);
        let words = if name == "target" { ["before (", "target ("] } else { ["brownout (", "blackout ("] };
        for word in words.iter().chain(&["owed at the most", "in force after", "paging"]) {
            assert!(ran.out.contains(word), "{name}: no '{word}' in\n{}", ran.out);
        }
    }
}

#[test]
fn the_report_has_every_phase_and_the_plot_is_drawn() {
    let dir = Dir::new();
    let (json, svg) = (dir.file("out.json"), dir.file("out.svg"));
    schedule(SOUND, &["--json", &json, "--svg", &svg, "--quiet"]).exits(0);
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let names: Vec<&str> =
        report["phases"].as_array().unwrap().iter().map(|phase| phase["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["before", "brownout", "blackout", "after"]);
    for phase in report["phases"].as_array().unwrap() {
        let guests: f64 =
            phase["vfs"].as_array().unwrap().iter().map(|vf| vf["share"].as_f64().unwrap()).sum();
        let paging = phase["paging"].as_array().unwrap().iter();
        let paging: f64 =
            paging.map(|one| one["of_share"].as_f64().unwrap() + one["of_idle"].as_f64().unwrap()).sum();
        let busy = phase["busy"].as_f64().unwrap();
        // A piece of paging may run on over the end.
        assert!((guests + paging - busy).abs() < 1e-4, "{phase}");
    }
    let svg = std::fs::read_to_string(svg).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("paging") && svg.contains("brownout"), "{svg}");
}

#[test]
fn a_missed_target_is_code_1_and_named() {
    let ran = schedule(BURSTS, &["--json", "-"]);
    assert_eq!(ran.json()["holds"], false);
    ran.exits(1).complains(&["a target was missed: brownout: busy neighbours keep"]);
}

#[test]
fn what_a_scenario_cannot_be_is_said_in_a_line() {
    let without = |line: &str| SOUND.replace(line, "");
    let with = |old: &str, new: &str| SOUND.replace(old, new);
    for (text, words) in [
        ("length = ".into(), &["line 1", "no TOML"][..]),
        (without("length = \"20s\"\n"), &["missing field `length`"]),
        (with("\"20s\"", "20"), &["length", "a duration in quotes", "\"4ms\""]),
        (with("\"20s\"", "\"soon\""), &["line 2", "length", "is no duration", "300ms"]),
        (with("count = 3", "counts = 3"), &["line 4", "vf[0].counts", "expected one of", "`count`"]),
        (with("count = 3", "count = 0"), &["vf", "between 1 and"]),
        (with("count = 3", "count = 5000"), &["vf", "between 1 and"]),
        (with("uniform", "gauss"), &["vf[0].packets", "unknown variant `gauss`", "`uniform`"]),
        (with("[\"200us\", \"2ms\"]", "[\"2ms\", \"200us\"]"), &["vf[0].packets", "the shorter one first"]),
        (with("count = 3", "quantum = \"1s\""), &["vf[0].quantum", "100us to 100ms"]),
        (with("count = 3", "preempt_timeout = \"1m\""), &["vf[0].preempt_timeout", "0s (none) to 10s"]),
        (with("count = 3", "weight = 0"), &["vf[0].weight", "at least 1"]),
        (with("count = 3", "max = \"150%\""), &["vf[0].max", "no part of a whole", "25%"]),
        (with("count = 3", "demand = { closed = \"0s\" }"), &["vf[0].demand", "saturated"]),
        (with("vf = 0", "vf = 3"), &["migration[0].vf", "no VF 3", "VFs 0 to 2"]),
        (with("\"5s\"", "\"0s\""), &["migration[0].prepare", "later than 0s"]),
        (without("pause = \"10s\"\n"), &["migration[0].pause", "missing", "role = \"target\""]),
        (with("\"10s\"", "\"5s\""), &["migration[0].pause", "later than prepare"]),
        (with("\"15s\"", "\"10s\""), &["migration[0].end", "later than prepare and pause"]),
        (with("\"15s\"", "\"21s\""), &["migration[0].end", "20.00 s"]),
        (
            SOUND.to_string() + "throttle = [{ at = \"12s\", speed = \"50%\" }]",
            &["migration[0].throttle", "12.00 s", "between prepare and pause"],
        ),
        (with("[[vf]]", "[engine]\nchunk = \"0s\"\n[[vf]]"), &["engine", "above 0s"]),
        (
            SOUND.to_string() + &SOUND[SOUND.find("[[migration]]").unwrap()..],
            &["migration[1].vf", "only once"],
        ),
    ] {
        let ran = schedule(&text, &[]).exits(2).complains(words).complains(&["test.toml: "]);
        assert!(ran.out.is_empty() && ran.err.trim().lines().count() == 1, "{}", ran.err);
    }
    run(&["schedule", "--scenario", "no-such"]).exits(2).complains(&["no-such", "a file or one of", "mixed"]);
}

#[test]
fn the_scenario_in_the_help_runs() {
    let help = run(&["schedule", "--help"]).exits(0).out;
    let lines = help.lines().skip_while(|line| !line.starts_with("  about"));
    let example: String =
        lines.take_while(|line| !line.starts_with("Exit")).flat_map(|line| [line, "\n"]).collect();
    assert!(example.contains("[[migration]]"), "{help}");
    schedule(&example, &[]).exits(0);
}
