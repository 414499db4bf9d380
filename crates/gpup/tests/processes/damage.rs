//! Damaged files: refused, the record named, nothing restored.

use std::ops::Range;

use live_migration::Error;
use live_migration::saved::walk;
use live_migration::wire::frame::{FrameError, HEADER_BYTES};
use live_migration::wire::framed::Loopback;

use crate::harness::{Dir, SMALL, run};

fn walk_through(bytes: &[u8]) -> Result<(), Error> {
    walk(Box::new(Loopback::holding(bytes.to_vec())), |_, _, _| {})
}

/// Where each record lies.
fn records(file: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < file.len() {
        let bytes = u32::from_le_bytes(file[at + 12..at + 16].try_into().unwrap()) as usize;
        found.push(at..at + HEADER_BYTES + bytes);
        at = found.last().unwrap().end;
    }
    found
}

fn saved(dir: &Dir, more: &[&str]) -> (String, Vec<u8>) {
    let file = dir.file("saved.vf");
    run(&[&["save", &file], &SMALL[..], more].concat()).exits(0);
    let bytes = std::fs::read(&file).unwrap();
    (file, bytes)
}

/// The number of the record that an error names.
fn named(error: &Error) -> Option<u32> {
    match error {
        Error::Frame(
            FrameError::BadMagic { sequence }
            | FrameError::Version { sequence, .. }
            | FrameError::UnknownKind { sequence, .. }
            | FrameError::TooLong { sequence, .. }
            | FrameError::Checksum { sequence, .. }
            | FrameError::CutShort { sequence }
            | FrameError::Senseless { sequence, .. },
        ) => Some(*sequence),
        Error::Frame(FrameError::OutOfOrder { expected, .. }) => Some(*expected),
        _ => None,
    }
}

#[test]
fn every_flipped_byte_is_found_and_its_record_named() {
    let dir = Dir::new();
    // Nothing but the driver's state and a page or two, so that the whole of it can be tried.
    let (_, good) = saved(&dir, &["--workload", "idle", "--fill", "0"]);
    walk_through(&good).unwrap();
    for (number, record) in records(&good).into_iter().enumerate() {
        let header = record.start..record.start + HEADER_BYTES;
        let payload = record.start + HEADER_BYTES..record.end;
        let dense = if payload.len() < 512 { 1 } else { 97 };
        for at in header.chain(payload.step_by(dense)) {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            let error = walk_through(&bad).expect_err("it is refused");
            assert_eq!(named(&error), Some(number as u32), "byte {at}: {error}");
        }
    }
}

#[test]
fn every_cut_is_found_and_its_record_named() {
    let dir = Dir::new();
    let (_, good) = saved(&dir, &["--workload", "idle", "--fill", "0"]);
    for (number, record) in records(&good).into_iter().enumerate() {
        let borders = record.start..record.start + HEADER_BYTES + 1;
        for end in borders.chain(record.clone().step_by(997)).filter(|end| record.contains(end)) {
            let error = walk_through(&good[..end]).expect_err("it is refused");
            assert_eq!(error, FrameError::CutShort { sequence: number as u32 }.into(), "cut at {end}");
        }
    }
}

#[test]
fn a_damaged_file_restores_nothing() {
    let dir = Dir::new();
    let (_, good) = saved(&dir, &["--compress", "lz4"]);
    let bad_file = dir.file("bad.vf");
    for (number, record) in records(&good).into_iter().enumerate() {
        // The middle, and the list of a batch, which is used before the whole batch has come.
        let places = [record.start + record.len() / 2, (record.start + HEADER_BYTES + 1).min(record.end - 1)];
        for at in places {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            std::fs::write(&bad_file, bad).unwrap();
            let name = format!("record {number}");
            run(&["restore", &bad_file]).exits(1).complains(&["is refused", &name, "nothing was restored"]);
            run(&["inspect", &bad_file]).exits(1).complains(&["is damaged", &name]);
        }
        std::fs::write(&bad_file, &good[..record.start + record.len() / 2]).unwrap();
        let name = format!("ends within record {number}");
        run(&["restore", &bad_file]).exits(1).complains(&["is refused", &name, "nothing was restored"]);
    }
}

#[test]
fn inspect_shows_what_comes_before_the_damage() {
    let dir = Dir::new();
    let (file, good) = saved(&dir, &[]);
    let mut bad = good.clone();
    let last_page = records(&good)[2].end - 1;
    bad[last_page] ^= 1;
    std::fs::write(&file, bad).unwrap();
    let shown = run(&["inspect", &file]).exits(1).complains(&["record 2 (Pages) is damaged: wrong checksum"]);
    assert!(shown.out.contains("1 Immutable"), "{}", shown.out);
    let contents = run(&["inspect", &file, "--json", "-"]).exits(1).json();
    assert_eq!(contents["records"].as_array().unwrap().len(), 2);
    assert!(contents["damage"].as_str().unwrap().contains("record 2"));
}

#[test]
fn what_is_no_saved_vf_is_said_to_be_none() {
    let dir = Dir::new();
    for (name, bytes) in [("empty", &b""[..]), ("text", &[b'x'; 4096])] {
        let file = dir.file(name);
        std::fs::write(&file, bytes).unwrap();
        run(&["restore", &file]).exits(1).complains(&[name, "is refused", "record 0"]);
        run(&["inspect", &file]).exits(1).complains(&[name, "is damaged", "record 0"]);
    }
}
