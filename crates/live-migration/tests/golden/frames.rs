//! A frame of every kind.

use live_migration::wire::frame::Kind;

use crate::{assert_golden, hex, payload, tape};

const GOLDEN: &str = include_str!("frames.txt");

/// All of them on one connection, in the order of their numbers.
fn frames() -> Vec<(Kind, Vec<u8>)> {
    payload::kinds().into_iter().map(|kind| (kind, payload::of(kind))).collect()
}

#[test]
fn a_frame_of_every_kind_is_encoded_as_ever() {
    let bytes = tape::record(&frames());
    let mut rest = &bytes[..];
    let mut now = String::new();
    for (kind, payload) in frames() {
        let (frame, behind) = rest.split_at(live_migration::wire::frame::HEADER_BYTES + payload.len());
        now += &format!("{kind:?}\n{}", hex::of_frame(frame));
        rest = behind;
    }
    assert!(rest.is_empty());
    assert_golden("frames.txt", GOLDEN, &now);
}

#[test]
fn a_frame_of_every_kind_is_read_as_it_was_meant() {
    let golden: Vec<u8> = hex::parts(GOLDEN).into_iter().flat_map(|(_, frame)| frame).collect();
    let mut link = tape::play(&golden);
    // What says only that somebody is at work never shows.
    for sent in frames().into_iter().filter(|(kind, _)| *kind != Kind::Alive) {
        assert_eq!(link.receive().unwrap(), sent);
    }
    assert!(link.receive().is_err(), "a frame too many");
}

#[test]
fn numbers_are_used_without_a_gap_and_every_kind_has_a_golden_frame() {
    let numbers: Vec<u16> = payload::kinds().into_iter().map(|kind| kind as u16).collect();
    assert_eq!(numbers, (1..=numbers.len() as u16).collect::<Vec<_>>());
    let named: Vec<&str> = hex::parts(GOLDEN).into_iter().map(|(name, _)| name).collect();
    let kinds: Vec<String> = payload::kinds().into_iter().map(|kind| format!("{kind:?}")).collect();
    assert_eq!(named, kinds);
}
