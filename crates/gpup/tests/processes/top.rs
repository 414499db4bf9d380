//! `gpup top` without a terminal: what it prints, what it writes, and a VF that moves while it is watched.

use serde_json::Value;

use crate::harness::{Ran, SMALL, run};

fn top(more: &[&str]) -> Ran {
    run(&[&["top"], &SMALL[..], more].concat())
}

/// Rows of a sample.
fn rows(sample: &Value) -> &Vec<Value> {
    sample["rows"].as_array().unwrap()
}

#[test]
fn one_sample_is_a_table() {
    let out = top(&["--once", "--interval", "100ms"]).exits(0).out;
    let lines: Vec<&str> = out.lines().collect();
    // Two VFs on two engines below two headings.
    assert_eq!(lines.len(), 6, "{out}");
    for column in ["VF", "engine", "busy", "share", "entitled", "packets/s", "resets", "paging"] {
        assert!(lines[1].contains(column), "{out}");
    }
    assert!(
        lines[2].contains("Compute") && lines[3].contains("Copy") && lines[2].contains("50.0 %"),
        "{out}"
    );
}

#[test]
fn samples_are_written_as_json() {
    let samples = top(&["--samples", "3", "--interval", "50ms", "--json", "-"]).exits(0).json();
    let samples = samples.as_array().unwrap();
    assert_eq!(samples.len(), 3);
    for sample in samples {
        assert!(sample["seconds"].as_f64().unwrap() >= 0.05);
        let shares = rows(sample)
            .iter()
            .filter(|row| row["engine"] == "Compute")
            .filter_map(|row| row["share"].as_f64());
        let sum: f64 = shares.sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sample}");
    }
    let worked = |row: &Value| row["packets_per_second"].as_f64().unwrap() > 0.0;
    assert!(samples.iter().any(|sample| rows(sample).iter().any(worked)));
}

#[test]
fn a_vf_moves_while_it_is_watched() {
    let moves = ["--move-after", "100ms", "--pause-limit", "5s", "--workload", "idle"];
    let arrived = |sample: &Value| rows(sample).iter().any(|row| row["host"] == "second");
    // Two seconds are plenty. A machine on which they are not has more.
    assert!(["100", "1000", "10000"].iter().any(|samples| {
        let watch = ["--samples", samples, "--interval", "20ms", "--json", "-"];
        let samples = top(&[&watch[..], &moves].concat()).exits(0).json();
        samples.as_array().unwrap().iter().any(arrived)
    }));
}

#[test]
fn no_time_between_samples_is_refused() {
    top(&["--once", "--interval", "0"]).exits(2).complains(&["--interval", "1s"]);
    top(&["--once", "--vf", "2"]).exits(2).complains(&["no VF 2"]);
}
