//! A VF saved by one process and restored by another.

use serde_json::Value;

use crate::harness::{Dir, SMALL, run};

/// Saves a VF and restores it; the reports of both.
fn round_trip(save: &[&str]) -> (Value, Value) {
    let dir = Dir::new();
    let file = dir.file("saved.vf");
    let saved = run(&[&["save", &file, "--json", "-"], &SMALL[..], save].concat()).exits(0).json();
    assert_eq!(dir.names(), ["saved.vf"], "nothing half-written stays");
    assert_eq!(std::fs::metadata(&file).unwrap().len(), saved["bytes"].as_u64().unwrap());
    let restored = run(&["restore", &file, "--cool-down", "100ms", "--json", "-"]).exits(0).json();
    assert_eq!(restored["verdict"], "identical", "{save:?}: {restored}");
    assert_eq!(restored["result_identical"], true, "{save:?}");
    assert_eq!(restored["pages_compared"], 1024);
    (saved, restored)
}

/// A MiB of text and one of nothing.
fn image(dir: &Dir) -> String {
    let path = dir.file("image");
    let text = b"what a guest uploads may be quite compressible. ";
    let mut bytes: Vec<u8> = text.iter().copied().cycle().take(1 << 20).collect();
    bytes.resize(2 << 20, 0);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn every_workload_goes_on_where_it_was_saved() {
    for workload in ["matmul", "stencil", "nbody", "writer", "idle"] {
        round_trip(&["--workload", workload]);
    }
}

#[test]
fn a_late_tracker_is_saved_whole_too() {
    round_trip(&["--performant-tracking", "off"]);
}

#[test]
fn packing_and_zero_pages_change_the_size_and_nothing_else() {
    let dir = Dir::new();
    let image = image(&dir);
    let bytes = |more: &[&str]| {
        let idle: &[&str] = &["--workload", "idle", "--image", &image];
        let (saved, _) = round_trip(&[idle, more].concat());
        (saved["bytes"].as_u64().unwrap(), saved["zero_pages"].as_u64().unwrap())
    };
    let (plain, zero) = bytes(&[]);
    assert!(zero >= 256, "the second MiB is zero: {zero}");
    let (full, none) = bytes(&["--zero-pages", "off"]);
    assert_eq!(none, 0);
    assert!(full > plain + 1_000_000, "{full} against {plain}");
    for packing in ["lz4", "zstd"] {
        let (packed, still) = bytes(&["--compress", packing]);
        assert!(packed + 900_000 < plain, "{packing}: {packed} against {plain}");
        assert_eq!(still, zero);
    }
}

#[test]
fn a_file_is_not_overwritten_unasked() {
    let dir = Dir::new();
    let file = dir.file("saved.vf");
    let save = [&["save", &file, "--workload", "idle"], &SMALL[..]].concat();
    run(&save).exits(0);
    let before = std::fs::read(&file).unwrap();
    run(&save).exits(2).complains(&["saved.vf exists", "--force"]);
    assert_eq!(std::fs::read(&file).unwrap(), before);
    run(&[&save[..], &["--force", "--seed", "7"]].concat()).exits(0);
    assert_ne!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn an_image_that_is_gone_is_said_and_not_held_against_the_vf() {
    let dir = Dir::new();
    let (file, image) = (dir.file("saved.vf"), image(&dir));
    run(&[&["save", &file, "--image", &image, "--workload", "idle"], &SMALL[..]].concat()).exits(0);
    std::fs::remove_file(&image).unwrap();
    let restored = run(&["restore", &file, "--cool-down", "100ms"]).exits(0);
    assert!(restored.out.contains("the image is not there"), "{}", restored.out);
}

#[test]
fn a_file_is_shown_record_by_record_with_the_drivers_own() {
    let dir = Dir::new();
    let file = dir.file("saved.vf");
    run(&[&["save", &file], &SMALL[..]].concat()).exits(0);
    let shown = run(&["inspect", &file]).exits(0).out;
    for words in [
        "0 Hello",
        "1 Immutable",
        "device v1 mandatory",
        "dirty_page_bytes=4096 vram_bytes=4194304",
        "Pages",
        "PageHashes",
        "of 1024 pages",
        "Mutable",
        "vf-registers v1",
        "node 1 v1",
        "Guest",
        "End",
    ] {
        assert!(shown.contains(words), "no '{words}' in\n{shown}");
    }
    let contents = run(&["inspect", &file, "--json", "-"]).exits(0).json();
    assert!(contents["damage"].is_null());
    let records = contents["records"].as_array().unwrap();
    assert_eq!(records[0]["kind"], "Hello");
    assert_eq!(records.last().unwrap()["kind"], "End");
    for (number, record) in records.iter().enumerate() {
        assert_eq!(record["number"], number);
    }
}
