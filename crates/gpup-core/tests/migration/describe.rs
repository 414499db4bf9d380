//! Streams in words, whole and damaged.

use gpup_core::Error;
use gpup_core::migration::codec::{StreamKind, Tag};
use gpup_core::migration::describe::describe;
use gpup_core::migration::{Damage, PageRun};
use proptest::prelude::*;

use crate::support::{hardware, immutable_stream, mutable_stream, records, stream, vf};

fn told(bytes: &[u8]) -> Vec<String> {
    describe(bytes)
        .map(|line| match line {
            Ok(line) => line.to_string(),
            Err(broken) => format!("! {broken}"),
        })
        .collect()
}

#[test]
fn an_immutable_stream() {
    assert_eq!(
        told(&immutable_stream(&vf())),
        [
            "header v0 32 bytes: kind=immutable format=1.1 bytes=184 records=4",
            "device v1 mandatory 12 bytes: vendor=0x1414 device=0x00c3 revision=0xa2 firmware=5.18",
            "driver v1 mandatory 8 bytes: version=3.1.4.1",
            "memory v1 mandatory 16 bytes: dirty_page_bytes=4096 vram_bytes=16777216",
            "profile v1 mandatory 16 bytes: weight=1024 nodes=2 ring_bytes=65536 msix_vectors=3",
        ]
    );
}

#[test]
fn a_mutable_stream() {
    assert_eq!(
        told(&mutable_stream(&hardware(), &[PageRun { first: 7, pages: 2 }])),
        [
            "header v0 32 bytes: kind=mutable format=1.1 bytes=205436 records=8",
            "vf-registers v1 mandatory 16 bytes: status=0x1 fault_code=0 fault_node=0 fault_head=0",
            "interrupts v1 mandatory 8 bytes: pending=0b10 masked=0b110",
            "scheduling v1 16 bytes: quantum_us=2500 preempt_timeout_us=0 priority=normal weight=2048",
            "readback v1 mandatory 65540 bytes: window_bytes=65536",
            "config v1 260 bytes: config_bytes=256 command=0x0006 bar0=0xe0040000 msix_control=0x8000",
            "node 0 v1 mandatory 65572 bytes: tail=65728 head=65600 fence=41 busy=7000000000 commands=99 ring_bytes=65536",
            "node 1 v1 mandatory 65572 bytes: tail=65984 head=65856 fence=42 busy=7000000001 commands=99 ring_bytes=65536",
            "late-pages v1 mandatory 8224 bytes: page_bytes=4096 runs=1 pages=2",
        ]
    );
}

#[test]
fn a_damaged_stream_is_told_up_to_the_damage() {
    let good = immutable_stream(&vf());
    let mut payload = good.clone();
    payload[32 + 36 + 24] ^= 1;
    assert_eq!(
        told(&payload)[1..],
        [told(&good)[1].clone(), "! record 2 (driver): damaged migration data: wrong checksum".into()]
    );
    let cut = told(&good[..130]);
    assert_eq!((cut.len(), cut[3].as_str()), (4, "! record 3 (memory): damaged migration data: truncated"));
    let mut trailer = good.clone();
    *trailer.last_mut().unwrap() ^= 1;
    assert_eq!(told(&trailer)[5..], ["! behind record 4: damaged migration data: wrong checksum"]);
    assert_eq!(told(b"GIF89a"), ["! header: damaged migration data: not migration data"]);
    assert_eq!(told(b""), ["! header: damaged migration data: truncated"]);
}

#[test]
fn strange_records_do_not_end_the_telling() {
    let mut list = records(&immutable_stream(&vf()));
    list[1].1.push(0);
    list.push((Tag::mandatory(0x77, 4), vec![0; 5]));
    let bytes = stream(StreamKind::Immutable, &list);
    let told = told(&bytes);
    assert_eq!(told[2], "! record 2 (driver): damaged migration data: impossible length");
    assert_eq!(told[5], "unknown 0x77 v4 mandatory 5 bytes:");
    let broken: Vec<_> = describe(&bytes).filter_map(Result::err).collect();
    assert_eq!(broken.len(), 1);
    assert_eq!(broken[0].error, Error::Corrupt(Damage::BadLength));
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0usize..184) {
        describe(&bytes).for_each(drop);
        let mut stream = immutable_stream(&vf());
        for (byte, new) in stream[at..].iter_mut().zip(&bytes) { *byte = *new; }
        prop_assert!(describe(&stream).count() <= 6);
    }
}
