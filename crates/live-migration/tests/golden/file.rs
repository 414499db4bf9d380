//! A small whole file, as a VM in doubt is saved.

use live_migration::saved::{describe_pages, open, walk};
use live_migration::wire::frame::{HEADER_BYTES, Kind};
use live_migration::wire::framed::Loopback;
use live_migration::wire::message::Doubt;

use crate::payload::{TARGET, hello};
use crate::{assert_golden, hex, payload, tape};

const GOLDEN: &str = include_str!("file.txt");
const ORDER: [Kind; 9] = [
    Kind::Hello,
    Kind::Doubt,
    Kind::Immutable,
    Kind::Pages,
    Kind::IterationEnd,
    Kind::PageHashes,
    Kind::Mutable,
    Kind::Guest,
    Kind::End,
];

fn golden() -> Vec<u8> {
    hex::parts(GOLDEN).into_iter().flat_map(|(_, record)| record).collect()
}

fn file(bytes: Vec<u8>) -> Box<Loopback> {
    Box::new(Loopback::holding(bytes))
}

#[test]
fn a_file_is_encoded_as_ever() {
    let records: Vec<_> = ORDER.into_iter().map(|kind| (kind, payload::of(kind))).collect();
    let bytes = tape::record(&records);
    let mut rest = &bytes[..];
    let mut now = String::new();
    for (number, (kind, payload)) in records.iter().enumerate() {
        let (record, behind) = rest.split_at(HEADER_BYTES + payload.len());
        now += &format!("record {number}: {kind:?}\n{}", hex::of_frame(record));
        rest = behind;
    }
    assert_golden("file.txt", GOLDEN, &now);
}

#[test]
fn its_beginning_says_whose_it_is_and_who_may_have_it_too() {
    let opened = open(file(golden())).unwrap();
    assert_eq!(opened.hello, hello());
    assert_eq!(opened.doubt, Some(Doubt { target: TARGET, address: "host-b:7433".into() }));
}

#[test]
fn a_file_that_was_not_saved_in_doubt_names_nobody() {
    let certain = [Kind::Hello, Kind::Immutable].map(|kind| (kind, payload::of(kind)));
    let opened = open(file(tape::record(&certain))).unwrap();
    assert_eq!((opened.hello, opened.doubt), (hello(), None));
}

#[test]
fn its_records_are_walked_to_its_last_byte() {
    let mut found = Vec::new();
    let mut batch = String::new();
    let visit = |number, kind, payload: &[u8]| {
        found.push((number, kind));
        if kind == Kind::Pages {
            batch = describe_pages(payload).unwrap();
        }
    };
    walk(file(golden()), visit).unwrap();
    let numbered: Vec<_> = (0..).zip(ORDER).collect();
    assert_eq!(found, numbered);
    assert_eq!(batch, "iteration 2, 2 pages, 1 zero pages, packing 0");
    let mut longer = golden();
    longer.push(0);
    assert!(walk(file(longer), |_, _, _| {}).is_err(), "bytes behind the end");
}
