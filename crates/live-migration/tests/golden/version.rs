//! A reader of this version refuses the one before and the one behind, and says which it found.

use live_migration::Error;
use live_migration::saved::open;
use live_migration::wire::frame::{FrameError, HEADER_BYTES, Kind, VERSION};
use live_migration::wire::framed::Loopback;
use xxhash_rust::xxh3::Xxh3;

use crate::{payload, tape};

/// Those records as other software would write them: their version, and checksums that are right.
fn of_version(version: u16, kinds: &[Kind]) -> Vec<u8> {
    let frames: Vec<_> = kinds.iter().map(|kind| (*kind, payload::of(*kind))).collect();
    let mut bytes = tape::record(&frames);
    let mut at = 0;
    for (_, payload) in frames {
        let (header, body) = bytes[at..].split_at_mut(HEADER_BYTES);
        header[6..8].copy_from_slice(&version.to_le_bytes());
        let mut sum = Xxh3::new();
        sum.update(&header[..16]);
        sum.update(&body[..payload.len()]);
        header[16..].copy_from_slice(&sum.digest().to_le_bytes());
        at += HEADER_BYTES + payload.len();
    }
    bytes
}

#[test]
fn the_golden_version_is_this_one() {
    assert_eq!(VERSION, 2);
    tape::play(&of_version(2, &[Kind::Hello])).receive().unwrap();
}

#[test]
fn versions_1_and_3_are_refused_by_name() {
    for (version, age) in [(1, "older"), (3, "newer")] {
        let refusal = FrameError::Version { sequence: 0, found: version };
        let found = tape::play(&of_version(version, &[Kind::Hello])).receive();
        assert_eq!(found, Err(refusal.clone()));
        assert_eq!(
            refusal.to_string(),
            format!(
                "made by {age} software (format version {version}; this is version 2): use the same release on both \
                 sides"
            )
        );
        let file = of_version(version, &[Kind::Hello, Kind::Immutable]);
        let opened = open(Box::new(Loopback::holding(file)));
        assert_eq!(opened.err(), Some(Error::Frame(refusal)));
    }
}

#[test]
fn another_version_is_named_even_where_its_kinds_and_checksums_are_others() {
    let mut bytes = of_version(3, &[Kind::Hello]);
    // A kind, a checksum and a length that this version does not have.
    bytes[4..6].copy_from_slice(&999_u16.to_le_bytes());
    bytes[12..24].fill(0xff);
    assert_eq!(tape::play(&bytes).receive(), Err(FrameError::Version { sequence: 0, found: 3 }));
}
