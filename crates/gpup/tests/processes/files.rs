//! A VF saved by one process and restored by another.

use serde_json::Value;

use crate::harness::{Dir, SMALL, run, run_by};

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
    let restore = ["restore", &file, "--cool-down", "100ms"];
    let restored = run(&restore).exits(7).complains(&["was not compared", "is not there"]);
    assert!(restored.out.contains("NOT COMPARED: the image"), "{}", restored.out);
    let report = run(&[&restore[..], &["--json", "-"]].concat()).exits(7).json();
    assert_eq!((&report["verdict"], &report["exit_code"]), (&"not-compared".into(), &7.into()));
    assert_eq!((&report["result_identical"], &report["pages_compared"]), (&Value::Null, &1024.into()));
}

#[cfg(unix)]
#[test]
fn an_image_that_is_another_by_now_is_said_and_not_held_against_the_vf() {
    let dir = Dir::new();
    let (file, image) = (dir.file("saved.vf"), image(&dir));
    run(&[&["save", &file, "--image", &image, "--workload", "idle"], &SMALL[..]].concat()).exits(0);
    let restore = ["restore", &file, "--cool-down", "1ms"];
    let good = std::fs::read(&image).unwrap();
    let mut other = good.clone();
    other[77] ^= 1;
    for changed in [&other[..], &good[1..], b""] {
        std::fs::write(&image, changed).unwrap();
        run(&restore).exits(7).complains(&["was not compared", "has changed since"]);
    }
    std::fs::remove_file(&image).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&image).status().unwrap().success());
    run(&restore).exits(7).complains(&["has changed since"]);
    std::fs::remove_file(&image).unwrap();
    std::fs::write(&image, good).unwrap();
    run(&restore).exits(0);
    run(&[&restore[..], &["--json", &image]].concat())
        .exits(2)
        .complains(&["same file", "the image that FILE names"]);
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_text_is_a_name() {
    use std::os::unix::ffi::OsStringExt;
    let dir = Dir::new();
    std::fs::write(dir.file("plain"), vec![7; 1 << 20]).unwrap();
    std::fs::write(dir.file("plain.toml"), include_str!("../../scenarios/light.toml")).unwrap();
    let script = |words: &str| {
        format!(
            "cd {}; n=$(printf 'n\\377'); cp -n plain $n.img; cp -n plain.toml $n.toml; exec TOOL {words}",
            dir.path().display()
        )
    };
    let saved = "--image $n.img --json $n.json --trace $n.trace $n.vf";
    run_by(&script(saved), &[&["save", "--workload", "idle"], &SMALL[..]].concat()).exits(0);
    let restored =
        run_by(&script("$n.vf"), &["restore", "--cool-down", "1ms", "--json", "-"]).exits(0).json();
    assert_eq!(restored["verdict"], "identical");
    run_by(&script("$n.vf"), &["inspect"]).exits(0);
    run_by(&script("$n.toml --svg $n.svg"), &["schedule", "--scenario"]).exits(0);
    run_by(&script("$n.no"), &["restore"]).exits(1).complains(&["n\u{fffd}.no"]);
    let mut names: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let named = |ending: &str| std::ffi::OsString::from_vec([b"n\xff.", ending.as_bytes()].concat());
    let wanted = ["img", "json", "svg", "toml", "trace", "vf"].map(named);
    assert_eq!(&names[..6], &wanted);
}

#[test]
fn bytes_behind_the_end_are_refused() {
    let dir = Dir::new();
    let file = dir.file("saved.vf");
    run(&[&["save", &file], &SMALL[..]].concat()).exits(0);
    let good = std::fs::read(&file).unwrap();
    for more in [&b"x"[..], &good] {
        std::fs::write(&file, [&good[..], more].concat()).unwrap();
        for command in ["restore", "inspect"] {
            run(&[command, &file]).exits(1).complains(&["bytes behind its last record"]);
        }
    }
}

#[test]
fn a_record_of_another_version_is_said_to_be_one() {
    let dir = Dir::new();
    let file = dir.file("saved.vf");
    run(&[&["save", &file], &SMALL[..]].concat()).exits(0);
    let good = std::fs::read(&file).unwrap();
    let mut newer = good.clone();
    newer[6] += 1;
    std::fs::write(&file, newer).unwrap();
    for command in ["restore", "inspect"] {
        run(&[command, &file])
            .exits(1)
            .complains(&["made by newer software (format version 3; this is version 2)"]);
    }
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
