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
    let with = |old: &str, new: &str| {
        assert!(SOUND.contains(old), "{old}");
        SOUND.replace(old, new)
    };
    let vf = |line: &str| match line.split(' ').next() {
        Some("packets") => with("packets = { uniform = [\"200us\", \"2ms\"] }", line),
        _ => with("count = 3", &format!("count = 3\n{line}")),
    };
    let engine = |line: &str| with("[[vf]]", &format!("[engine]\n{line}\n[[vf]]"));
    let target = |rest: &str| {
        let head = with("vf = 0", "vf = 0\nrole = \"target\"");
        head[..head.find("pause").unwrap()].to_string() + rest
    };
    let silent = vf("demand = \"silent\"");
    let nothing = silent[..silent.find("[[migration]]").unwrap()].to_string();
    for (text, words) in [
        ("length = ".into(), &["line 1", "no TOML"][..]),
        (without("length = \"20s\"\n"), &["missing field `length`"]),
        (with("\"20s\"", "20"), &["length", "a duration in quotes", "\"4ms\""]),
        (with("\"20s\"", "\"soon\""), &["line 2", "length", "is no duration", "300ms"]),
        (with("count = 3", "counts = 3"), &["line 4", "vf[0].counts", "expected one of", "`count`"]),
        (with("count = 3", "count = 0"), &["vf", "between 1 and"]),
        (with("count = 3", "count = 5000"), &["vf", "5000 VFs in all", "between 1 and 1024"]),
        (
            with("[[vf]]", "[[vf]]\npackets = { fixed = \"1ms\" }\n[[vf]]").replace("count = 3", "count = 0"),
            &["vf[1].count", "at least 1"],
        ),
        (with("uniform", "gauss"), &["vf[0].packets", "unknown variant `gauss`", "`uniform`"]),
        (vf("packets = { fixed = \"1ms\", mix = [] }"), &["vf[0].packets", "1 element"]),
        (
            vf("packets = { uniform = [\"1ms\", \"2ms\", \"3ms\"] }"),
            &["vf[0].packets", "more than two values"],
        ),
        (vf("packets = { mix = [[\"1ms\", 1, 1]] }"), &["vf[0].packets", "more than two values"]),
        (
            vf("packets = { uniform = [\"2ms\", \"200us\"] }"),
            &["vf[0].packets", "2ms", "the shorter one first"],
        ),
        (vf("packets = { uniform = [\"1ms\"] }"), &["vf[0].packets", "length 1", "two values"]),
        (vf("packets = { mix = [] }"), &["vf[0].packets", "an empty mix", "[\"50us\", 9]"]),
        (vf("packets = { mix = [[\"1ms\", 0]] }"), &["vf[0].packets", "0 times", "1 or more"]),
        (vf("packets = { mix = [[\"1ms\", -1]] }"), &["vf[0].packets", "-1", "u32"]),
        (vf("packets = { fixed = \"0s\" }"), &["vf[0].packets", "0s is too short", "1us to 100s"]),
        (vf("packets = { fixed = \"1ns\" }"), &["vf[0].packets", "'1ns' is no duration"]),
        (vf("packets = { fixed = \"0.001us\" }"), &["vf[0].packets", "0.001us is too short", "1us to 100s"]),
        (
            vf("packets = { fixed = \"0.0004us\" }"),
            &["vf[0].packets", "'0.0004us' is finer than a nanosecond"],
        ),
        (vf("packets = { mix = [[\"1ms\", 9], [\"101s\", 1]] }"), &["vf[0].packets", "101s is too long"]),
        (vf("packets = { fixed = \"20.5s\" }"), &["vf[0].packets", "20.5s is more", "at most 20s"]),
        (with("count = 3", "quantum = \"1s\""), &["vf[0].quantum", "1s is no quantum", "100us to 100ms"]),
        (
            with("count = 3", "quantum = \"100.5us\""),
            &["line 4", "vf[0].quantum", "'100.5us'", "microseconds"],
        ),
        (with("count = 3", "quantum = \"2h\""), &["vf[0].quantum", "7200s is no quantum", "100us to 100ms"]),
        (
            with("count = 3", "preempt_timeout = \"1m\""),
            &["vf[0].preempt_timeout", "60s", "0s (none) to 10s"],
        ),
        (
            with("count = 3", "preempt_timeout = \"0.5us\""),
            &["vf[0].preempt_timeout", "'0.5us' is no whole number of microseconds"],
        ),
        (with("count = 3", "weight = 0"), &["vf[0].weight", "0 is no weight", "1 to 1048576"]),
        (with("count = 3", "weight = 1048577"), &["vf[0].weight", "1048577 is no weight", "1 to 1048576"]),
        (with("count = 3", "weight = -1"), &["vf[0].weight", "-1", "u32"]),
        (with("count = 3", "weight = 1.5"), &["vf[0].weight", "1.5", "u32"]),
        (with("count = 3", "weight = nan"), &["vf[0].weight", "floating point", "u32"]),
        (with("count = 3", "max = \"150%\""), &["vf[0].max", "'150%' is no part of a whole", "25%"]),
        (with("count = 3", "max = \"0.04%\""), &["vf[0].max", "'0.04%' is no part of a whole", "from 0.1%"]),
        (with("count = 3", "max = \"12.34%\""), &["vf[0].max", "'12.34%' is finer than a tenth"]),
        (vf("demand = { closed = \"0s\" }"), &["vf[0].demand", "a rest of 0s", "saturated"]),
        (vf("demand = { closed = \"0.5us\" }"), &["vf[0].demand", "a rest of 0.5us", "saturated"]),
        (vf("demand = { closed = \"21s\" }"), &["vf[0].demand", "a rest of 21s", "at most 20s", "silent"]),
        (vf("demand = { closed = \"NaNs\" }"), &["vf[0].demand", "'NaNs' is no duration"]),
        (nothing, &["vf: all are silent", "nothing ever runs"]),
        (with("\"20s\"", "\"0.9ms\""), &["length", "900us is too short", "1ms or more"]),
        (with("\"20s\"", "\"1001h\""), &["length", "'1001h' is too long", "1000h"]),
        (with("\"20s\"", "\"99999999999999999999h\""), &["length", "is too long"]),
        (with("length", "seed = -1\nlength"), &["seed", "-1", "u64"]),
        (with("vf = 0", "vf = 3"), &["migration[0].vf", "no VF 3", "VFs 0 to 2"]),
        (with("\"5s\"", "\"0s\""), &["migration[0].prepare", "more than 0s"]),
        (without("pause = \"10s\"\n"), &["migration[0].pause", "missing", "role = \"target\""]),
        (with("\"10s\"", "\"5s\""), &["migration[0].pause", "5s is not later than prepare", "more than 5s"]),
        (with("\"10s\"", "\"4s\""), &["migration[0].pause", "4s is not later than prepare", "more than 5s"]),
        (with("\"15s\"", "\"10s\""), &["migration[0].end", "10s is not later than pause", "more than 10s"]),
        (with("\"15s\"", "\"21s\""), &["migration[0].end", "21s is past", "at most 20s"]),
        (
            SOUND.to_string() + "throttle = [{ at = \"12s\", speed = \"50%\" }]",
            &["migration[0].throttle", "12s", "between prepare, 5s, and pause, 10s"],
        ),
        (
            SOUND.to_string() + "throttle = [{ at = \"4s\", speed = \"50%\" }]",
            &["migration[0].throttle", "4s", "between prepare, 5s, and pause, 10s"],
        ),
        (
            SOUND.to_string()
                + "throttle = [{ at = \"6s\", speed = \"50%\" }, { at = \"6s\", speed = \"40%\" }]",
            &["migration[0].throttle", "two steps at 6s"],
        ),
        (
            SOUND.to_string() + "throttle = [{ at = \"6s\", speed = \"0%\" }]",
            &["migration[0].throttle[0].speed", "'0%'", "from 0.1%"],
        ),
        (SOUND.to_string() + "chunk = \"0s\"", &["migration[0].chunk", "0s is too short", "1us to 250us"]),
        (
            SOUND.to_string() + "chunk = \"300us\"",
            &["migration[0].chunk", "300us is too long", "1us to 250us"],
        ),
        (target("pause = \"10s\"\nend = \"15s\""), &["migration[0].pause", "leave it out"]),
        (target("end = \"5s\""), &["migration[0].end", "5s is not later than prepare", "more than 5s"]),
        (target("end = \"9s\"\ncancelled = true"), &["migration[0].cancelled", "source", "leave it out"]),
        (
            target("end = \"9s\"\nthrottle = [{ at = \"6s\", speed = \"50%\" }]"),
            &["migration[0].throttle", "no work yet", "leave it out"],
        ),
        (engine("chunk = \"0s\""), &["engine.chunk", "0s is too short", "1us to 100s"]),
        (engine("chunk = \"0.001us\""), &["engine.chunk", "0.001us is too short", "1us to 100s"]),
        (engine("packet = \"101s\""), &["engine.packet", "101s is too long", "1us to 100s"]),
        (engine("patience = \"0s\""), &["engine.patience", "0s is too short"]),
        (engine("pf_quantum = \"0.5us\""), &["engine.pf_quantum", "0.5us is too short"]),
        (engine("pf_weight = 0"), &["engine.pf_weight", "0 is no weight", "1 to 1048576"]),
        (engine("paging = \"0.05%\""), &["engine.paging", "'0.05%'", "from 0.1%"]),
        (engine("paging_limit = \"0.44%\""), &["engine.paging_limit", "'0.44%' is finer than a tenth"]),
        (engine("switch = \"250us\""), &["engine.switch", "250us", "less than 250us"]),
        (
            with("[[migration]]", "[pf]\npackets = { fixed = \"0s\" }\n[[migration]]"),
            &["pf.packets", "0s is too short"],
        ),
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

/// The least and the most that may be written, at once as far as they can be.
#[test]
fn what_is_just_allowed_runs() {
    let least = r#"about = "the least"
length = "1ms"
[engine]
packet = "1us"
chunk = "1us"
paging = "0.1%"
paging_limit = "0.1%"
patience = "1us"
pf_weight = 1
pf_quantum = "1us"
switch = "0.999us"
[[vf]]
count = 2
weight = 1
quantum = "100us"
preempt_timeout = "0s"
max = "0.1%"
packets = { fixed = "1us" }
demand = { closed = "1us" }
[[migration]]
vf = 0
prepare = "1us"
pause = "2us"
end = "2.001us"
chunk = "1us"
throttle = [{ at = "1us", speed = "0.1%" }]
"#;
    let most = r#"about = "the most"
length = "100s"
[engine]
packet = "100s"
chunk = "100s"
paging = "100%"
paging_limit = "100%"
patience = "100s"
pf_weight = 1048576
pf_quantum = "100s"
switch = "99.999999999s"
[[vf]]
count = 1024
weight = 1048576
quantum = "100ms"
preempt_timeout = "10s"
max = "100%"
packets = { uniform = ["1us", "100s"] }
demand = { closed = "100s" }
[pf]
packets = { mix = [["100s", 4294967295], ["100s", 4294967295]] }
[[migration]]
vf = 1023
prepare = "0.001us"
pause = "50s"
end = "100s"
chunk = "100s"
throttle = [{ at = "0.001us", speed = "100%" }]
"#;
    for text in [least, most] {
        let ran = schedule(text, &["--json", "-"]);
        assert!(matches!(ran.code, Some(0 | 1)), "{}", ran.err);
        assert!(ran.json()["packets"].as_u64().unwrap() > 0);
    }
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
