//! Mutable streams from somebody who means harm: checksums right, contents not.

use gpup_core::Error;
use gpup_core::device::abi;
use gpup_core::migration::codec::{FormatVersion, StreamKind, Tag};
use gpup_core::migration::{Damage, Immutable, Mismatch, Mutable, PageRun};
use proptest::prelude::*;

use crate::support::{
    PAGE, hardware, immutable_stream, mutable_stream, records, shorten, stream, stream_of, u32s, u64s, vf,
};

const LATE: [PageRun; 1] = [PageRun { first: 1, pages: 1 }];
// Places of the records in a stream with late pages.
const REGISTERS: usize = 0;
const INTERRUPTS: usize = 1;
const SCHEDULING: usize = 2;
const READBACK: usize = 3;
const CONFIG: usize = 4;
const NODE: usize = 5;
const PAGES: usize = 7;

fn parse(bytes: &[u8]) -> Result<(), Error> {
    Mutable::parse(bytes, &vf()).map(|_| ())
}

/// What a target says to the sample after a change to its records.
fn parse_with(change: impl FnOnce(&mut Vec<(Tag, Vec<u8>)>)) -> Result<(), Error> {
    let mut list = records(&mutable_stream(&hardware(), &LATE));
    change(&mut list);
    parse(&stream(StreamKind::Mutable, &list))
}

const BAD_VALUE: Result<(), Error> = Err(Error::Corrupt(Damage::BadValue));
const BAD_LENGTH: Result<(), Error> = Err(Error::Corrupt(Damage::BadLength));

#[test]
fn values_outside_their_limits() {
    assert_eq!(parse_with(|_| ()), Ok(()));
    for registers in [[4, 0, 0, 0], [2, 0, 0, 0], [2, 7, 0, 0], [1, 7, 0, 0], [2, 1, 2, 0], [2, 1, 0, 8]] {
        assert_eq!(parse_with(|list| list[REGISTERS].1 = u32s(&registers)), BAD_VALUE, "{registers:?}");
    }
    for registers in [[3, 6, 1, 16], [1, 0, 0, 0], [0, 3, 1, 0]] {
        assert_eq!(parse_with(|list| list[REGISTERS].1 = u32s(&registers)), Ok(()), "{registers:?}");
    }
    for bits in [[8, 0], [0, 8], [0, u32::MAX]] {
        assert_eq!(parse_with(|list| list[INTERRUPTS].1 = u32s(&bits)), BAD_VALUE, "{bits:?}");
    }
    for knobs in [[0, 0, 0, 1], [1, 0, 0, 0], [1, 0, 2, 1], [1, 0, u32::MAX, 1]] {
        assert_eq!(parse_with(|list| list[SCHEDULING].1 = u32s(&knobs)), BAD_VALUE, "{knobs:?}");
    }
    assert_eq!(parse_with(|list| list[NODE].1[4] |= 8), BAD_VALUE, "head between commands");
}

#[test]
fn blocks_of_another_size() {
    let sized = |claim: usize, real: usize| [u32s(&[claim as u32]), vec![0; real]].concat();
    let window = abi::READBACK_BYTES;
    for (claim, real) in
        [(window - 1, window - 1), (window, window - 1), (window + 1, window + 1), (window, 0)]
    {
        assert_eq!(parse_with(|list| list[READBACK].1 = sized(claim, real)), BAD_LENGTH, "{claim} {real}");
    }
    for (claim, real) in [(255, 255), (256, 255), (257, 257), (0, 0)] {
        assert_eq!(parse_with(|list| list[CONFIG].1 = sized(claim, real)), BAD_LENGTH, "{claim} {real}");
    }
    for claim in [0, abi::RING_BYTES - 1, abi::RING_BYTES * 2, u32::MAX as usize] {
        let claim = (claim as u32).to_le_bytes();
        assert_eq!(parse_with(|list| list[NODE].1[32..36].copy_from_slice(&claim)), BAD_LENGTH);
    }
}

#[test]
fn records_missing_added_moved() {
    for index in [REGISTERS, INTERRUPTS, READBACK, NODE, NODE + 1] {
        let missing = parse_with(|list| drop(list.remove(index)));
        assert_eq!(missing, Err(Error::Corrupt(Damage::Missing)), "no record {index}");
    }
    for index in [SCHEDULING, CONFIG, PAGES] {
        assert_eq!(parse_with(|list| drop(list.remove(index))), Ok(()), "no record {index}");
    }
    for index in 0..7 {
        let bad_order = Err(Error::Corrupt(Damage::BadOrder));
        assert_eq!(parse_with(|list| list.swap(index, index + 1)), bad_order);
        assert_eq!(parse_with(|list| list.insert(index, list[index].clone())), bad_order);
    }
    let unknown = Err(Error::Incompatible(Mismatch::UnknownRecord));
    assert_eq!(parse_with(|list| list.push((Tag::optional(0x99, 1), vec![1]))), Ok(()));
    assert_eq!(parse_with(|list| list.push((Tag::mandatory(0x99, 1), vec![1]))), unknown);
    let third_node = |list: &mut Vec<(Tag, Vec<u8>)>| {
        let payload = list[NODE].1.clone();
        list.insert(PAGES, (Tag::mandatory(0x22, 1), payload));
    };
    assert_eq!(parse_with(third_node), unknown, "a node this device lacks");
    let stream = stream(StreamKind::Immutable, &records(&mutable_stream(&hardware(), &[])));
    assert_eq!(parse(&stream), BAD_VALUE, "the other stream");
    assert_eq!(parse(&immutable_stream(&vf())), BAD_VALUE, "the other stream");
}

#[test]
fn versions_read_each_other() {
    for index in 0..8 {
        let newer = |list: &mut Vec<(Tag, Vec<u8>)>| {
            list[index].0.version = 2;
            list[index].1.extend([7; 9]);
        };
        assert_eq!(parse_with(newer), Ok(()), "a newer record {index}");
        assert_eq!(parse_with(|list| list[index].1.push(0)), BAD_LENGTH, "a longer record {index}");
        assert_eq!(parse_with(|list| shorten(&mut list[index].1)), BAD_LENGTH, "a shorter record {index}");
    }
    let list = records(&mutable_stream(&hardware(), &LATE));
    for (major, minor, answer) in
        [(1, 500, Ok(())), (2, 0, Err(Error::Incompatible(Mismatch::DriverVersion)))]
    {
        assert_eq!(parse(&stream_of(FormatVersion { major, minor }, 2, &list)), answer);
    }
}

/// A late-pages record with this page size, count and runs, and `bytes` bytes of pages.
fn late(page: u64, count: u64, runs: &[[u64; 2]], bytes: usize) -> Result<(), Error> {
    let payload = [u64s(&[page, count]), u64s(runs.as_flattened()), vec![0; bytes]].concat();
    parse_with(|list| list[PAGES].1 = payload)
}

#[test]
fn late_pages_stay_inside_the_vf() {
    let page = PAGE as usize;
    assert_eq!(late(PAGE, 0, &[], 0), Ok(()));
    assert_eq!(late(PAGE, 2, &[[0, 1], [1, 1]], 2 * page), Ok(()));
    assert_eq!(late(PAGE, 1, &[[4095, 1]], page), Ok(()), "the VF's last page");
    assert_eq!(late(PAGE, 1, &[[4096, 1]], page), BAD_VALUE, "the page behind it");
    assert_eq!(late(PAGE, 1, &[[4095, 2]], 2 * page), BAD_VALUE);
    assert_eq!(late(PAGE, 1, &[[u64::MAX - 1, 1]], page), BAD_VALUE);
    assert_eq!(late(PAGE, 1, &[[u64::MAX, 1]], page), BAD_VALUE);
    assert_eq!(late(PAGE, 1, &[[3, 0]], 0), BAD_VALUE, "an empty run");
    assert_eq!(late(PAGE, 2, &[[3, 1], [3, 1]], 2 * page), BAD_VALUE, "a page twice");
    assert_eq!(late(PAGE, 2, &[[3, 1], [2, 1]], 2 * page), BAD_VALUE, "backwards");
    assert_eq!(late(PAGE, 1, &[[3, 1]], page - 1), BAD_LENGTH);
    assert_eq!(late(PAGE, 1, &[[3, 1]], page + 1), BAD_LENGTH);
    assert_eq!(late(PAGE, 1, &[[0, u64::MAX]], page), BAD_LENGTH, "more bytes than numbers");
    assert_eq!(late(PAGE, u64::MAX, &[], 0), BAD_LENGTH);
    assert_eq!(late(PAGE, 1 << 60, &[], 0), BAD_LENGTH);
    let other_page = Err(Error::Incompatible(Mismatch::DirtyPageSize));
    assert_eq!(late(2 * PAGE, 1, &[[3, 1]], 2 * page), other_page);
    assert_eq!(late(0, 1, &[[3, 1]], 0), other_page);
}

#[test]
fn flipped_bits_of_a_large_stream() {
    let good = mutable_stream(&hardware(), &LATE);
    // Every bit of the headers and of a record; of the rest, a bit a kilobyte.
    let rest = (0..good.len()).step_by(1021).map(|byte| byte * 8 + byte % 8);
    for bit in (0..(32 + 24 + 16 + 24) * 8).chain(rest).chain(good.len() * 8 - 32..good.len() * 8) {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(parse(&bad).is_err(), "bit {bit}");
    }
}

#[test]
fn cuts_of_a_large_stream() {
    let good = mutable_stream(&hardware(), &LATE);
    for length in 0..good.len() {
        assert_eq!(parse(&good[..length]), Err(Error::Corrupt(Damage::Truncated)), "{length} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(parse(&bytes).is_err());
        prop_assert!(Immutable::decode(&bytes).is_err());
    }

    #[test]
    fn arbitrary_records_never_panic(
        list in prop::collection::btree_map(
            prop_oneof![0u16..6, 0x10u16..0x14, 0x20u16..0x23, Just(0x40)],
            (0u16..4, 0u16..3, prop::collection::vec(prop_oneof![Just(0), Just(255), any::<u8>()], 0..120)),
            0..8,
        ),
    ) {
        let list: Vec<_> =
            list.into_iter().map(|(kind, (version, flags, payload))| (Tag { kind, version, flags }, payload)).collect();
        // Too short to be a whole state of either kind.
        prop_assert!(parse(&stream(StreamKind::Mutable, &list)).is_err());
        let _ = Immutable::decode(&stream(StreamKind::Immutable, &list));
    }

    #[test]
    fn arbitrary_late_pages_never_reach_outside(
        words in prop::collection::vec(prop_oneof![0u64..5, 4090u64..4100, any::<u64>()], 0..9),
        pages in 0usize..4,
    ) {
        let mut list = records(&mutable_stream(&hardware(), &[]));
        list.push((Tag::mandatory(0x40, 1), [u64s(&[PAGE]), u64s(&words), vec![1; pages * PAGE as usize]].concat()));
        let bytes = stream(StreamKind::Mutable, &list);
        if let Ok(mutable) = Mutable::parse(&bytes, &vf()) {
            let mut last = 0;
            for run in mutable.late_pages() {
                prop_assert!(run.offset >= last);
                last = run.offset + run.bytes.len() as u64;
                prop_assert!(last <= vf().vram_bytes);
            }
            prop_assert_eq!(mutable.late_bytes(), pages as u64 * PAGE);
        }
    }
}
