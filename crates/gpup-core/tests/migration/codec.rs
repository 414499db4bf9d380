//! The record stream by itself: whatever is done to a stream, its reader says so.

use gpup_core::Error;
use gpup_core::migration::codec::{FormatVersion, Reader, StreamKind, Tag, Writer, stream_bytes};
use gpup_core::migration::{Damage, Mismatch};
use proptest::prelude::*;

use crate::support::{stream, stream_of};

const FIRST: Tag = Tag::mandatory(1, 1);
const SECOND: Tag = Tag::optional(2, 1);

fn sample() -> Vec<(Tag, Vec<u8>)> {
    vec![(FIRST, vec![1, 2, 3]), (SECOND, vec![4; 12]), (Tag::mandatory(9, 2), vec![])]
}

/// Reads all of a stream; what its records say.
fn read(bytes: &[u8]) -> Result<Vec<(Tag, Vec<u8>)>, Error> {
    let reader = Reader::open(bytes, StreamKind::Mutable)?;
    reader
        .map(|record| record.map(|record| (record.tag, record.payload.to_vec())).map_err(Error::from))
        .collect()
}

fn write(records: &[(Tag, Vec<u8>)], out: &mut [u8]) -> Result<usize, Error> {
    let bytes = stream_bytes(records.iter().map(|(_, payload)| payload.len() as u64));
    let mut writer =
        Writer::new(out, StreamKind::Mutable, FormatVersion::CURRENT, records.len() as u32, bytes)?;
    for (tag, payload) in records {
        writer.record(*tag, payload.len() as u64, |out| out.bytes(payload))?;
    }
    writer.finish()
}

fn written(records: &[(Tag, Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![0; 4096];
    let length = write(records, &mut out).unwrap();
    out.truncate(length);
    out
}

fn corrupt(damage: Damage) -> Result<Vec<(Tag, Vec<u8>)>, Error> {
    Err(Error::Corrupt(damage))
}

#[test]
fn an_independent_writer_writes_the_same_bytes() {
    assert_eq!(written(&sample()), stream(StreamKind::Mutable, &sample()));
    assert_eq!(written(&[]), stream(StreamKind::Mutable, &[]));
}

#[test]
fn every_flipped_bit_is_refused() {
    let good = written(&sample());
    assert_eq!(read(&good), Ok(sample()));
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&bad).is_err(), "bit {bit}");
    }
}

#[test]
fn a_cut_anywhere_is_told_as_a_cut() {
    let good = written(&sample());
    for length in 0..good.len() {
        assert_eq!(read(&good[..length]), corrupt(Damage::Truncated), "{length} bytes");
    }
}

#[test]
fn a_byte_too_many_is_refused() {
    let mut bytes = written(&sample());
    bytes.push(0);
    assert_eq!(read(&bytes), corrupt(Damage::BadLength));
}

#[test]
fn order_is_strict() {
    let mut swapped = sample();
    swapped.swap(0, 1);
    let twice = vec![sample()[0].clone(), sample()[0].clone()];
    for records in [swapped, twice] {
        assert_eq!(read(&stream(StreamKind::Mutable, &records)), corrupt(Damage::BadOrder));
        assert_eq!(write(&records, &mut [0; 4096]), Err(Error::InvalidParameter));
    }
}

/// Writes `value` at `at` and puts the checksums of the header and of the first record's header right.
fn forge(at: usize, value: &[u8]) -> Vec<u8> {
    let mut bytes = written(&sample());
    bytes[at..at + value.len()].copy_from_slice(value);
    let header = crate::support::crc32c(&bytes[..28]);
    bytes[28..32].copy_from_slice(&header.to_le_bytes());
    let record = crate::support::crc32c(&bytes[32..52]);
    bytes[52..56].copy_from_slice(&record.to_le_bytes());
    bytes
}

#[test]
fn forged_headers_are_refused() {
    let total = written(&sample()).len() as u64;
    let cases: [(&str, usize, Vec<u8>, Damage); 12] = [
        ("magic", 0, b"GPUPVFMT".to_vec(), Damage::BadMagic),
        ("kind of the other stream", 12, vec![1], Damage::BadValue),
        ("unknown kind", 12, vec![3], Damage::BadValue),
        ("reserved byte", 15, vec![1], Damage::BadValue),
        ("a byte shorter", 16, (total - 1).to_le_bytes().to_vec(), Damage::BadLength),
        ("a byte longer", 16, (total + 1).to_le_bytes().to_vec(), Damage::Truncated),
        ("endless", 16, u64::MAX.to_le_bytes().to_vec(), Damage::Truncated),
        ("empty", 16, vec![0; 8], Damage::BadLength),
        ("a record fewer", 24, vec![2, 0, 0, 0], Damage::Checksum),
        ("a record more", 24, vec![4, 0, 0, 0], Damage::BadLength),
        ("record as long as all numbers", 40, vec![0xff; 8], Damage::BadLength),
        ("record version 0", 34, vec![0, 0], Damage::BadValue),
    ];
    for (name, at, value, damage) in cases {
        assert_eq!(read(&forge(at, &value)), corrupt(damage), "{name}");
    }
}

#[test]
fn an_exact_buffer_is_enough_and_one_byte_less_stays_untouched() {
    let exact = written(&sample()).len();
    assert_eq!(write(&sample(), &mut vec![0; exact]), Ok(exact));
    let mut short = vec![0x5a; exact - 1];
    assert_eq!(write(&sample(), &mut short), Err(Error::BufferTooSmall));
    assert!(short.iter().all(|byte| *byte == 0x5a));
}

#[test]
fn a_writer_holds_its_caller_to_what_was_announced() {
    let begin = |out| Writer::new(out, StreamKind::Mutable, FormatVersion::CURRENT, 1, stream_bytes([8]));
    let (mut a, mut b, mut c, mut d) = ([0; 128], [0; 128], [0; 128], [0; 128]);
    let refused = Err(Error::InvalidParameter);
    assert_eq!(begin(&mut a).unwrap().record(FIRST, 8, |out| out.u32(0)), refused, "half filled");
    assert_eq!(begin(&mut b).unwrap().record(FIRST, 4, |out| out.u64(0)), refused, "overfilled");
    assert_eq!(begin(&mut c).unwrap().record(FIRST, 9, |out| out.bytes(&[0; 9])), refused, "too long");
    assert_eq!(begin(&mut d).unwrap().finish(), Err(Error::InvalidParameter), "a record missing");
}

#[test]
fn another_major_version_is_incompatible_and_another_minor_is_not() {
    for (major, minor, answer) in
        [(1, 0, Ok(sample())), (1, 77, Ok(sample())), (0, 9, Err(())), (2, 0, Err(()))]
    {
        let bytes = stream_of(FormatVersion { major, minor }, StreamKind::Mutable as u8, &sample());
        let answer = answer.map_err(|()| Error::Incompatible(Mismatch::DriverVersion));
        assert_eq!(read(&bytes), answer, "{major}.{minor}");
    }
}

#[test]
fn fields_follow_the_version_of_their_record() {
    // Known: version 2 = a u32 since version 1, a u64 since version 2 with the default 7.
    let decode = |version: u16, payload: &[u8]| {
        let bytes = stream(StreamKind::Mutable, &[(Tag::mandatory(1, version), payload.to_vec())]);
        let record = Reader::open(&bytes, StreamKind::Mutable).unwrap().next().unwrap().unwrap();
        let mut fields = record.fields(2).unwrap();
        let values = (fields.u32()?, fields.u64_since(2, 7)?);
        fields.end().map(|()| values)
    };
    let long = [1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3];
    assert_eq!(decode(1, &long[..4]), Ok((1, 7)), "older: default");
    assert_eq!(decode(2, &long[..12]), Ok((1, 2)), "same");
    assert_eq!(decode(3, &long[..13]), Ok((1, 2)), "newer: rest ignored");
    assert_eq!(decode(3, &long[..12]), Ok((1, 2)), "newer without new fields");
    for (version, length) in [(1, 3), (1, 5), (1, 12), (2, 4), (2, 11), (2, 13), (3, 11), (3, 0)] {
        assert_eq!(decode(version, &long[..length]), Err(Damage::BadLength), "v{version}, {length} bytes");
    }
}

#[test]
fn unknown_records_are_skipped_only_if_nothing_is_said_against_it() {
    let skip = |flags| {
        let bytes = stream(StreamKind::Mutable, &[(Tag { kind: 1, version: 1, flags }, vec![])]);
        let record = Reader::open(&bytes, StreamKind::Mutable).unwrap().next().unwrap().unwrap();
        (record.skip(), record.fields(1).map(|_| ()))
    };
    let unknown = Err(Mismatch::UnknownRecord);
    assert_eq!(skip(0), (Ok(()), Ok(())));
    assert_eq!(skip(1), (unknown, Ok(())));
    assert_eq!(skip(2), (unknown, unknown));
    assert_eq!(skip(0x8000), (unknown, unknown));
}

proptest! {
    #[test]
    fn what_is_written_is_read(payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8)) {
        let records: Vec<_> =
            payloads.into_iter().zip(1..).map(|(payload, kind)| (Tag::optional(kind * 3, kind), payload)).collect();
        let bytes = written(&records);
        prop_assert_eq!(&bytes, &stream(StreamKind::Mutable, &records));
        prop_assert_eq!(read(&bytes), Ok(records));
    }

    #[test]
    fn changed_bytes_never_mean_something_else(at in 0usize..200, with in prop::collection::vec(any::<u8>(), 1..40)) {
        let good = written(&sample());
        let mut bad = good.clone();
        for (byte, new) in bad.iter_mut().skip(at).zip(with) { *byte = new; }
        if bad != good { prop_assert!(read(&bad).is_err()); }
    }
}
