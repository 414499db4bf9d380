//! What a migration reports, and what its settings change.

use serde_json::Value;

use crate::harness::{self, Dir, migrate_to, run, serve};

fn migrate(more: &[&str]) -> Value {
    let report = run(&harness::migrate(&[&["--json", "-"], more].concat())).exits(0).json();
    assert_eq!(report["verdict"], "identical", "{more:?}");
    report
}

fn number(report: &Value, key: &str) -> f64 {
    report[key].as_f64().unwrap_or_else(|| panic!("no {key} in {report}"))
}

#[test]
fn a_report_has_every_figure() {
    let report = migrate(&[]);
    assert_eq!(report["vf_bytes"], 4 << 20);
    assert_eq!(report["workload"], "matmul");
    assert_eq!(report["pages_compared"], 1024);
    assert_eq!(report["pages_different"], 0);
    assert_eq!((&report["slowest_speed"], &report["throttle_cost_seconds"]), (&1.0.into(), &0.0.into()));
    assert!(report["error"].is_null() && report["in_doubt_file"].is_null());
    let iterations = report["iterations"].as_array().unwrap();
    assert!(iterations.len() >= 2, "one in the brownout and one in the pause");
    let sum = |key: &str| iterations.iter().map(|it| number(it, key)).sum::<f64>();
    assert_eq!(sum("pages"), number(&report, "pages_sent"));
    assert_eq!(sum("zero_pages"), number(&report, "zero_pages"));
    assert!(sum("bytes") <= number(&report, "bytes_sent"));
    assert!(sum("seconds") > 0.0);
    let pause = report["pause"].as_object().unwrap();
    for step in ["stop", "drain", "last_pages", "mutable_data", "restore", "resume"] {
        assert!(pause[step].as_f64().unwrap() >= 0.0, "{step}");
    }
    let steps: f64 = pause.values().map(|step| step.as_f64().unwrap()).sum();
    assert!((steps - number(&report, "pause_seconds")).abs() < 1e-6);
    for key in ["brownout_seconds", "brownout_bytes_per_second", "estimated_pause_seconds", "proof_seconds"] {
        assert!(number(&report, key) > 0.0, "{key}");
    }
    let [neighbour] = &report["neighbours"].as_array().unwrap()[..] else { panic!("one neighbour") };
    assert_eq!(neighbour["vf"], 0);
    for share in ["share_before", "share_during"] {
        assert!((0.0..=1.0).contains(&number(neighbour, share)), "{neighbour}");
    }
}

#[test]
fn a_report_for_people_fits_a_hundred_columns() {
    let out = run(&harness::migrate(&[])).exits(0).out;
    for line in out.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    for words in ["in the pause", "brownout", "pause ", "proof", "neighbour  VF 0", "verdict    IDENTICAL"] {
        assert!(out.contains(words), "no '{words}' in\n{out}");
    }
}

#[test]
fn a_report_can_go_to_a_file_and_to_people() {
    let dir = Dir::new();
    let file = dir.file("report.json");
    let ran = run(&harness::migrate(&["--json", &file])).exits(0);
    assert!(ran.out.contains("IDENTICAL"));
    let report: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(report["verdict"], "identical");
}

#[test]
fn streams_carry_every_page_once() {
    let four = migrate(&["--streams", "4", "--workload", "writer"]);
    assert_eq!(four["pages_compared"], 1024);
    let (target, address) = serve("1", &[]);
    run(&migrate_to(&address.to_string(), &["--streams", "4", "--compress", "lz4"])).exits(0);
    target.ends().exits(0);
}

#[test]
fn a_bandwidth_is_kept() {
    const LIMIT: f64 = 4e6;
    for streams in ["1", "4"] {
        let report = migrate(&["--bandwidth", "4MB/s", "--streams", streams]);
        let first = &report["iterations"][0];
        let rate = number(first, "bytes") / number(first, "seconds");
        assert!(number(first, "bytes") > 1e6, "enough to tell a rate from: {first}");
        assert!(rate <= LIMIT * 1.25, "{rate} bytes a second with {streams} streams");
    }
}

#[test]
fn zero_pages_and_packing_save_bytes() {
    let dir = Dir::new();
    let (zeroes, text) = (dir.file("zeroes"), dir.file("text"));
    std::fs::write(&zeroes, vec![0; 1 << 20]).unwrap();
    std::fs::write(&text, "the same words again and again, ".repeat(1 << 15)).unwrap();
    let idle = |more: &[&str]| migrate(&[&["--workload", "idle"], more].concat());
    let (on, off) = (idle(&["--image", &zeroes]), idle(&["--image", &zeroes, "--zero-pages", "off"]));
    assert!(number(&on, "zero_pages") >= 256.0);
    assert_eq!(off["zero_pages"], 0);
    assert!(number(&off, "bytes_sent") > number(&on, "bytes_sent") + 1e6);
    let plain = number(&idle(&["--image", &text]), "bytes_sent");
    for packing in ["lz4", "zstd"] {
        let packed = idle(&["--image", &text, "--compress", packing]);
        assert!(number(&packed, "bytes_sent") + 9e5 < plain, "{packing}");
    }
}

#[test]
fn bytes_that_do_not_pack_cost_nothing_extra() {
    let plain = number(&migrate(&["--workload", "idle", "--fill", "90"]), "bytes_sent");
    let packed =
        number(&migrate(&["--workload", "idle", "--fill", "90", "--compress", "zstd"]), "bytes_sent");
    assert!(packed <= plain * 1.01, "{packed} against {plain}");
}
