//! The immutable stream: its bytes, its rules, and what versions make of each other.

use gpup_core::Error;
use gpup_core::device::{Geometry, Identity};
use gpup_core::migration::codec::{FormatVersion, StreamKind, Tag};
use gpup_core::migration::{Damage, DriverVersion, Immutable, Mismatch, Profile};
use proptest::prelude::*;

use crate::support::{dump, immutable_stream, records, shorten, stream, stream_of, u32s, u64s, vf};

/// The stream of [`vf`]. Bytes on other people's disks look like this: it never changes.
const GOLDEN: &str = "\
00000 47 50 55 50 56 46 4d 53 01 00 01 00 01 00 00 00
00010 b8 00 00 00 00 00 00 00 04 00 00 00 52 37 81 0e
00020 01 00 01 00 01 00 00 00 0c 00 00 00 00 00 00 00
00030 0d f4 55 43 32 24 ce e1 14 14 c3 00 a2 00 00 00
00040 12 00 05 00 02 00 01 00 01 00 00 00 08 00 00 00
00050 00 00 00 00 7e f7 dc d0 fb 71 ab 94 03 00 01 00
00060 04 00 01 00 03 00 01 00 01 00 00 00 10 00 00 00
00070 00 00 00 00 70 13 e7 1e 65 b0 32 b3 00 10 00 00
00080 00 00 00 00 00 00 00 01 00 00 00 00 04 00 01 00
00090 01 00 00 00 10 00 00 00 00 00 00 00 5f 52 56 36
000a0 4a 0d f7 6f 00 04 00 00 02 00 00 00 00 00 01 00
000b0 03 00 00 00 c0 90 52 fd
";

#[test]
fn the_bytes_are_the_ones_of_format_1() {
    assert_eq!(dump(&immutable_stream(&vf())), GOLDEN);
}

#[test]
fn a_state_of_this_driver_round_trips() {
    let geometry = Geometry {
        vram_bytes: 1 << 30,
        max_vfs: 4,
        dirty_page_bytes: 65536,
        page_table_levels: 4,
        page_table_index_bits: 9,
    };
    let state = Immutable::new(vf().identity, &geometry, 256 << 20, 512);
    assert_eq!((state.format, state.driver), (FormatVersion::CURRENT, DriverVersion::CURRENT));
    assert_eq!(Immutable::decode(&immutable_stream(&state)), Ok(state));
    assert_eq!(state.check(&state), Ok(()));
}

#[test]
fn every_flipped_bit_and_every_cut_is_refused() {
    let good = immutable_stream(&vf());
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(Immutable::decode(&bad).is_err(), "bit {bit}");
    }
    for length in 0..good.len() {
        assert_eq!(Immutable::decode(&good[..length]), Err(Error::Corrupt(Damage::Truncated)));
    }
}

#[test]
fn one_byte_short_writes_nothing() {
    let mut short = vec![0x5a; vf().size() as usize - 1];
    assert_eq!(vf().encode(&mut short), Err(Error::BufferTooSmall));
    assert!(short.iter().all(|byte| *byte == 0x5a));
}

/// What `target` says to a VF from `source`.
fn verdict(source: impl Fn(&mut Immutable), target: impl Fn(&mut Immutable)) -> Result<(), Mismatch> {
    let (mut from, mut to) = (vf(), vf());
    source(&mut from);
    target(&mut to);
    from.check(&to)
}

#[test]
fn a_target_differing_in_one_point_says_which() {
    type Change = fn(&mut Immutable);
    let refused: [(Change, Mismatch); 13] = [
        (|s| s.identity.vendor ^= 1, Mismatch::DeviceId),
        (|s| s.identity.device ^= 1, Mismatch::DeviceId),
        (|s| s.identity.revision += 1, Mismatch::Revision),
        (|s| s.identity.firmware += 0x1_0000, Mismatch::Firmware),
        (|s| s.identity.firmware -= 0x1_0000, Mismatch::Firmware),
        (|s| s.driver.major += 1, Mismatch::DriverVersion),
        (|s| s.format.major += 1, Mismatch::DriverVersion),
        (|s| s.dirty_page_bytes *= 2, Mismatch::DirtyPageSize),
        (|s| s.vram_bytes += 4096, Mismatch::VramSize),
        (|s| s.profile.weight += 1, Mismatch::Profile),
        (|s| s.profile.nodes += 1, Mismatch::Profile),
        (|s| s.profile.ring_bytes *= 2, Mismatch::Profile),
        (|s| s.profile.msix_vectors += 1, Mismatch::Profile),
    ];
    for (change, mismatch) in refused {
        assert_eq!(verdict(change, |_| ()), Err(mismatch));
        assert_eq!(verdict(|_| (), change), Err(mismatch));
    }
}

#[test]
fn minor_versions_may_differ_and_firmware_only_upwards() {
    let newer_driver = |s: &mut Immutable| (s.driver.minor, s.driver.build, s.format.minor) = (9, 9, 9);
    assert_eq!(verdict(newer_driver, |_| ()), Ok(()));
    assert_eq!(verdict(|_| (), newer_driver), Ok(()));
    let newer_firmware = |s: &mut Immutable| s.identity.firmware += 1;
    assert_eq!(verdict(|_| (), newer_firmware), Ok(()));
    assert_eq!(verdict(newer_firmware, |_| ()), Err(Mismatch::Firmware));
}

#[test]
fn the_first_rule_that_fails_is_the_answer() {
    let wrong = |s: &mut Immutable| (s.vram_bytes, s.identity.revision, s.profile.weight) = (0, 0, 0);
    assert_eq!(verdict(wrong, |_| ()), Err(Mismatch::Revision));
}

/// Decodes the sample's stream after a change to its records.
fn decode_with(change: impl Fn(&mut Vec<(Tag, Vec<u8>)>)) -> Result<Immutable, Error> {
    let mut list = records(&immutable_stream(&vf()));
    change(&mut list);
    Immutable::decode(&stream(StreamKind::Immutable, &list))
}

#[test]
fn records_of_other_versions() {
    assert_eq!(decode_with(|_| ()), Ok(vf()));
    let unknown = |flags| (Tag { kind: 0x7000, version: 3, flags }, vec![1, 2, 3]);
    assert_eq!(decode_with(|list| list.push(unknown(0))), Ok(vf()), "unknown, optional");
    let refused = Err(Error::Incompatible(Mismatch::UnknownRecord));
    assert_eq!(decode_with(|list| list.push(unknown(1))), refused, "unknown, mandatory");
    assert_eq!(decode_with(|list| list[0].0.flags |= 4), refused, "unknown flag");
    for index in 0..4 {
        let newer = decode_with(|list| {
            list[index].0.version = 2;
            list[index].1.extend([9; 5]);
        });
        assert_eq!(newer, Ok(vf()), "a newer record {index}");
        let longer = decode_with(|list| list[index].1.push(0));
        assert_eq!(longer, Err(Error::Corrupt(Damage::BadLength)), "a longer record {index}");
        let shorter = decode_with(|list| shorten(&mut list[index].1));
        assert_eq!(shorter, Err(Error::Corrupt(Damage::BadLength)), "a shorter record {index}");
        let missing = decode_with(|list| drop(list.remove(index)));
        assert_eq!(missing, Err(Error::Corrupt(Damage::Missing)), "no record {index}");
    }
}

#[test]
fn impossible_values_are_refused() {
    let bad = Err(Error::Corrupt(Damage::BadValue));
    for page in [0, 1, 2048, 4097, u64::MAX] {
        assert_eq!(decode_with(|list| list[2].1 = u64s(&[page, 1 << 24])), bad, "page of {page}");
    }
    let wide_revision = [&[0x14, 0x14, 0xc3, 0x00][..], &u32s(&[256, 0])].concat();
    assert_eq!(decode_with(|list| list[0].1 = wide_revision.clone()), bad);
    let mutable = stream(StreamKind::Mutable, &records(&immutable_stream(&vf())));
    assert_eq!(Immutable::decode(&mutable), bad, "the other stream");
}

#[test]
fn another_format_is_read_or_refused_by_its_major() {
    let list = records(&immutable_stream(&vf()));
    let decode = |major, minor| {
        Immutable::decode(&stream_of(FormatVersion { major, minor }, StreamKind::Immutable as u8, &list))
    };
    assert_eq!(decode(1, 6), Ok(Immutable { format: FormatVersion { major: 1, minor: 6 }, ..vf() }));
    assert_eq!(decode(2, 0), Err(Error::Incompatible(Mismatch::DriverVersion)));
}

proptest! {
    #[test]
    fn any_state_round_trips(
        ids in any::<(u16, u16, u8, u32)>(),
        driver in any::<[u16; 4]>(),
        shift in 12u32..64,
        vram_bytes in any::<u64>(),
        profile in any::<[u32; 4]>(),
    ) {
        let [major, minor, build, revision] = driver;
        let [weight, nodes, ring_bytes, msix_vectors] = profile;
        let state = Immutable {
            format: FormatVersion::CURRENT,
            driver: DriverVersion { major, minor, build, revision },
            identity: Identity { vendor: ids.0, device: ids.1, revision: ids.2, firmware: ids.3 },
            dirty_page_bytes: 1 << shift,
            vram_bytes,
            profile: Profile { weight, nodes, ring_bytes, msix_vectors },
        };
        prop_assert_eq!(Immutable::decode(&immutable_stream(&state)), Ok(state));
    }
}
