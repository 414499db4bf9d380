//! `--trace FILE`: what a file of spans and events says of a migration, without anything else.

use serde_json::Value;

use crate::harness::{self, Dir, run};

/// The lines of a trace.
struct Lines(Vec<Value>);

impl Lines {
    fn parse(text: &str) -> Self {
        Self(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// The spans of a name that were closed, with all their fields.
    fn closed(&self, name: &str) -> Vec<&Value> {
        let lines = self.0.iter().filter(|line| line["fields"]["message"] == "close");
        lines.map(|line| &line["span"]).filter(|span| span["name"] == name).collect()
    }

    /// What the source measured: the step, and its nanoseconds.
    fn steps(&self) -> Vec<(&str, u64)> {
        let step = |line: &Value| {
            let ns = |field: &str| line["fields"][field].as_u64();
            Some(ns("to_ns")? - ns("from_ns")?)
        };
        let lines = self.0.iter().filter_map(|line| Some((line["fields"]["step"].as_str()?, step(line)?)));
        lines.collect()
    }

    /// The first driver's event from `from` on with these fields, and the names of the spans it lies in.
    fn event(&self, from: usize, with: &[(&str, &str)]) -> (usize, Vec<&str>) {
        let is = |line: &Value, name: &str, value: &str| match &line["fields"][name] {
            Value::String(found) => found == value,
            Value::Bool(found) => *found == (value == "true"),
            found => found.as_u64().is_some_and(|found| value.parse() == Ok(found)),
        };
        let fits = |line: &Value| {
            line["target"] == "gpup_kmd" && with.iter().all(|(name, value)| is(line, name, value))
        };
        let at = (from..self.0.len()).find(|at| fits(&self.0[*at])).unwrap_or_else(|| panic!("no {with:?}"));
        let spans = self.0[at]["spans"].as_array().map_or(&[][..], Vec::as_slice);
        (at, spans.iter().filter_map(|span| span["name"].as_str()).collect())
    }
}

/// A figure of a report as nanoseconds: its seconds were made from so many.
fn ns(figure: &Value) -> u64 {
    (figure.as_f64().unwrap() * 1e9).round() as u64
}

#[test]
fn brownout_pause_and_iterations_are_those_of_the_report() {
    let dir = Dir::new();
    let (file, json) = (dir.file("trace.jsonl"), dir.file("report.json"));
    run(&harness::migrate(&["--trace", &file, "--json", &json])).exits(0);
    let lines = Lines::parse(&std::fs::read_to_string(&file).unwrap());
    let report: Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();

    // Step by step.
    let pause = &report["pause"];
    let expected = [
        ("brownout", &report["brownout_seconds"]),
        ("stop", &pause["stop"]),
        ("drain", &pause["drain"]),
        ("last pages", &pause["last_pages"]),
        ("mutable data", &pause["mutable_data"]),
        ("restore", &pause["restore"]),
        ("proof", &report["proof_seconds"]),
        ("resume", &pause["resume"]),
    ];
    assert_eq!(lines.steps(), expected.map(|(step, figure)| (step, ns(figure))));
    // As spans.
    let phases = lines.closed("phase");
    let brownout = phases.iter().find(|span| span["phase"] == "brownout" && span["ns"].is_u64()).unwrap();
    assert_eq!(brownout["ns"], ns(&report["brownout_seconds"]));
    let [pause] = lines.closed("pause")[..] else { panic!("one pause") };
    assert_eq!(pause["ns"], ns(&report["pause_seconds"]));
    let iterations: Vec<_> = lines.closed("iteration").into_iter().filter(|it| it["ns"].is_u64()).collect();
    let reported = report["iterations"].as_array().unwrap();
    assert_eq!(iterations.len(), reported.len());
    for (number, (span, reported)) in iterations.iter().zip(reported).enumerate() {
        assert_eq!((&span["number"], &span["ns"]), (&number.into(), &ns(&reported["seconds"]).into()));
        for field in ["pages", "zero_pages", "bytes"] {
            assert_eq!(span[field], reported[field], "{field} of iteration {number}");
        }
    }
    let migrations = lines.closed("migration");
    let [source, target] = ["source", "target"]
        .map(|side| *migrations.iter().find(|span| span["side"] == side).unwrap_or_else(|| panic!("{side}")));
    assert_eq!((&source["vf"], &source["migration"]), (&1.into(), &target["migration"]));
}

#[test]
fn the_drivers_events_lie_in_the_spans_of_their_side() {
    let dir = Dir::new();
    let file = dir.file("trace.jsonl");
    run(&harness::migrate(&["--trace", &file])).exits(0);
    let lines = Lines::parse(&std::fs::read_to_string(&file).unwrap());
    let phase = |to| [("event", "PhaseChanged"), ("to", to)];
    let (prepared, within) = lines.event(0, &phase("source-prepared"));
    assert_eq!(within, ["migration", "phase"]);
    let adapter = lines.0[prepared]["fields"]["adapter"].to_string();
    let stopped = [("event", "ExecutesChanged"), ("executes", "false"), ("vf", "1"), ("adapter", &*adapter)];
    let (stopped, within) = lines.event(prepared, &stopped);
    assert_eq!(within, ["migration", "pause", "phase"]);
    let (_, within) = lines.event(stopped, &[("event", "Harvested"), ("adapter", &*adapter)]);
    assert_eq!(within, ["migration", "pause", "phase"]);
    let (restored, _) = lines.event(stopped, &phase("mutable-restored"));
    lines.event(restored, &[("event", "ExecutesChanged"), ("executes", "true")]);
}

#[test]
fn a_migration_that_fails_says_why_on_its_span() {
    let dir = Dir::new();
    let file = dir.file("trace.jsonl");
    let never = ["--pause-limit", "2ms", "--time-limit", "1us", "--on-timeout", "cancel"];
    let args =
        [&["migrate"][..], &harness::SMALL, &["--workload", "writer", "--trace", &file], &never].concat();
    run(&args).exits(5);
    let lines = Lines::parse(&std::fs::read_to_string(&file).unwrap());
    let migrations = lines.closed("migration");
    let source = migrations.iter().find(|span| span["side"] == "source").unwrap();
    assert!(source["error"].as_str().is_some_and(|error| !error.is_empty()), "{source}");
    assert!(lines.closed("pause").is_empty());
}

#[test]
fn saving_and_restoring_are_traced_too() {
    let dir = Dir::new();
    let (vf, file) = (dir.file("a.vf"), dir.file("trace.jsonl"));
    run(&[&["save", &vf][..], &harness::SMALL, &["--trace", &file]].concat()).exits(0);
    let side = |text: String| Lines::parse(&text).closed("migration")[0]["side"].clone();
    assert_eq!(side(std::fs::read_to_string(&file).unwrap()), "save");
    let out = run(&["restore", &vf, "--cool-down", "50ms", "--trace", "-"]).exits(0).out;
    assert_eq!(side(out), "restore", "standard output has nothing but the trace");
}

#[test]
fn a_file_that_cannot_be_made_is_an_error_at_once() {
    let dir = Dir::new();
    let missing = dir.file("no/such/folder/trace.jsonl");
    run(&harness::migrate(&["--trace", &missing])).exits(1).complains(&["cannot write", &missing]);
    run(&harness::migrate(&["--trace", "-", "--json", "-"])).exits(2).complains(&["--json", "--trace"]);
}
