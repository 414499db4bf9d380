//! The mutable stream: its bytes, its size, and that a VF comes out as it went in.

use gpup_core::Error;
use gpup_core::device::abi;
use gpup_core::migration::state::VfHardware;
use gpup_core::migration::{Damage, Mutable, PageRun, PageRuns};
use gpup_core::sched::{Priority, VfParameters};
use proptest::prelude::*;

use crate::support::{
    CONFIG, PAGE, dump, hardware, mutable_stream, read_vram, records, scheduling, snapshot, undump, vf,
    vram_byte,
};

const LATE: [PageRun; 2] = [PageRun { first: 3, pages: 2 }, PageRun { first: 4095, pages: 1 }];

/// The stream of [`hardware`] without late pages. Bytes on other people's disks look like this.
const GOLDEN: &str = "\
00000 47 50 55 50 56 46 4d 53 01 00 01 00 02 00 00 00
00010 44 02 03 00 00 00 00 00 07 00 00 00 a5 f2 74 c1
00020 10 00 01 00 01 00 00 00 10 00 00 00 00 00 00 00
00030 14 97 7c b0 7f 8b 63 e1 01 00 00 00 00 00 00 00
00040 00 00 00 00 00 00 00 00 11 00 01 00 01 00 00 00
00050 08 00 00 00 00 00 00 00 b6 5a 15 da 3d b7 0b 30
00060 02 00 00 00 06 00 00 00 12 00 01 00 00 00 00 00
00070 10 00 00 00 00 00 00 00 fd 1c 7d 49 cd 87 ec b9
00080 c4 09 00 00 00 00 00 00 01 00 00 00 00 08 00 00
00090 13 00 01 00 01 00 00 00 04 00 01 00 00 00 00 00
000a0 8e 4c 4b 38 7c 94 6b 81 00 00 01 00 72 65 61 64
000b0 62 61 63 6b 00 00 00 00 00 00 00 00 00 00 00 00
000c0 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
100a0 00 00 00 00 00 00 00 00 00 00 00 00 14 00 01 00
100b0 00 00 00 00 04 01 00 00 00 00 00 00 71 86 c1 2e
100c0 ed 89 99 cf 00 01 00 00 00 00 00 00 06 00 00 00
100d0 00 00 00 00 00 00 00 00 0c 00 04 e0 00 00 00 00
100e0 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
10100 00 00 00 00 00 00 00 00 00 00 00 80 00 00 00 00
10110 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
101c0 00 00 00 00 00 00 00 00 20 00 01 00 01 00 00 00
101d0 24 00 01 00 00 00 00 00 ec ab 1a 12 c6 14 dd e6
101e0 c0 00 01 00 40 00 01 00 29 00 00 00 00 00 00 00
101f0 00 86 3b a1 01 00 00 00 63 00 00 00 00 00 00 00
10200 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00
10210 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
10240 00 00 00 00 a0 a0 a0 a0 a0 a0 a0 a0 a0 a0 a0 a0
10250 a0 a0 a0 a0 00 00 00 00 00 00 00 00 00 00 00 00
10260 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
20200 00 00 00 ff 21 00 01 00 01 00 00 00 24 00 01 00
20210 00 00 00 00 a9 83 8e d6 79 39 d1 8b c0 01 01 00
20220 40 01 01 00 2a 00 00 00 00 00 00 00 01 86 3b a1
20230 01 00 00 00 63 00 00 00 00 00 00 00 00 00 01 00
20240 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
20280 a1 a1 a1 a1 a1 a1 a1 a1 a1 a1 a1 a1 a1 a1 a1 a1
20290 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
30230 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 ff
30240 ab 33 3d 8e
";

/// The same as format 1.0 had it, without a config record.
const GOLDEN_1_0: &str = "\
00000 47 50 55 50 56 46 4d 53 01 00 00 00 02 00 00 00
00010 28 01 03 00 00 00 00 00 06 00 00 00 5f 63 77 b2
00020 10 00 01 00 01 00 00 00 10 00 00 00 00 00 00 00
00030 14 97 7c b0 7f 8b 63 e1 01 00 00 00 00 00 00 00
00040 00 00 00 00 00 00 00 00 11 00 01 00 01 00 00 00
00050 08 00 00 00 00 00 00 00 b6 5a 15 da 3d b7 0b 30
00060 02 00 00 00 06 00 00 00 12 00 01 00 00 00 00 00
00070 10 00 00 00 00 00 00 00 fd 1c 7d 49 cd 87 ec b9
00080 c4 09 00 00 00 00 00 00 01 00 00 00 00 08 00 00
00090 13 00 01 00 01 00 00 00 04 00 01 00 00 00 00 00
000a0 8e 4c 4b 38 7c 94 6b 81 00 00 01 00 72 65 61 64
000b0 62 61 63 6b 00 00 00 00 00 00 00 00 00 00 00 00
000c0 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
100a0 00 00 00 00 00 00 00 00 00 00 00 00 20 00 01 00
100b0 01 00 00 00 24 00 01 00 00 00 00 00 ec ab 1a 12
100c0 c6 14 dd e6 c0 00 01 00 40 00 01 00 29 00 00 00
100d0 00 00 00 00 00 86 3b a1 01 00 00 00 63 00 00 00
100e0 00 00 00 00 00 00 01 00 00 00 00 00 00 00 00 00
100f0 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
10120 00 00 00 00 00 00 00 00 a0 a0 a0 a0 a0 a0 a0 a0
10130 a0 a0 a0 a0 a0 a0 a0 a0 00 00 00 00 00 00 00 00
10140 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
200e0 00 00 00 00 00 00 00 ff 21 00 01 00 01 00 00 00
200f0 24 00 01 00 00 00 00 00 a9 83 8e d6 79 39 d1 8b
20100 c0 01 01 00 40 01 01 00 2a 00 00 00 00 00 00 00
20110 01 86 3b a1 01 00 00 00 63 00 00 00 00 00 00 00
20120 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00
20130 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
20160 00 00 00 00 a1 a1 a1 a1 a1 a1 a1 a1 a1 a1 a1 a1
20170 a1 a1 a1 a1 00 00 00 00 00 00 00 00 00 00 00 00
20180 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
30120 00 00 00 ff ba a7 fd dc
";

/// The late-pages record of [`LATE`] up to its first page's first bytes.
const GOLDEN_LATE: &str = "\
00000 00 10 00 00 00 00 00 00 02 00 00 00 00 00 00 00
00010 03 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00
00020 ff 0f 00 00 00 00 00 00 01 00 00 00 00 00 00 00
00030 66 05 a3 41 df 7d 1c ba 58 f6 94 33 d1 6f 0d ac
";

#[test]
fn the_bytes_are_the_ones_of_format_1() {
    assert_eq!(dump(&mutable_stream(&hardware(), &[])), GOLDEN);
    let late = &records(&mutable_stream(&hardware(), &LATE))[7];
    assert_eq!((late.0.kind, late.0.flags), (0x40, 1));
    assert_eq!(dump(&late.1[..64]), GOLDEN_LATE);
}

#[test]
fn a_stream_of_format_1_0_is_still_read() {
    let bytes = undump(GOLDEN_1_0);
    assert_eq!(restore(&bytes), (hardware(), Some(scheduling()), vec![]));
    assert_eq!(Mutable::parse(&bytes, &vf()).unwrap().config(), None);
    let today = mutable_stream(&hardware(), &[]);
    assert_eq!(Mutable::parse(&today, &vf()).unwrap().config(), Some(&CONFIG));
}

/// Offsets in the VF's memory and the bytes that belong there.
type Pages = Vec<(u64, Vec<u8>)>;

/// What a target makes of a stream.
fn restore(bytes: &[u8]) -> (VfHardware, Option<VfParameters>, Pages) {
    let vf = vf();
    let mutable = Mutable::parse(bytes, &vf).unwrap();
    let mut hardware = VfHardware::new().unwrap();
    mutable.load(&mut hardware).unwrap();
    let late = mutable.late_pages().map(|run| (run.offset, run.bytes.to_vec())).collect();
    (hardware, mutable.scheduling(), late)
}

fn expected_pages(runs: &[PageRun]) -> Pages {
    let bytes = |run: &PageRun| {
        let start = run.first * PAGE;
        (start, (start..start + run.pages * PAGE).map(vram_byte).collect())
    };
    runs.iter().map(bytes).collect()
}

#[test]
fn a_vf_comes_out_as_it_went_in() {
    let bytes = mutable_stream(&hardware(), &LATE);
    assert_eq!(restore(&bytes), (hardware(), Some(scheduling()), expected_pages(&LATE)));
    assert_eq!(Mutable::parse(&bytes, &vf()).unwrap().late_bytes(), 3 * PAGE);
    assert_eq!(bytes, mutable_stream(&hardware(), &LATE), "a second save gives the same bytes");
    let nothing = mutable_stream(&VfHardware::new().unwrap(), &[]);
    assert_eq!(restore(&nothing), (VfHardware::new().unwrap(), Some(scheduling()), vec![]));
}

#[test]
fn the_size_depends_on_the_late_pages_alone() {
    let size = |hardware: &VfHardware, late: &[PageRun]| snapshot(hardware, late).size();
    let fixed = size(&hardware(), &[]);
    assert_eq!(fixed, size(&VfHardware::new().unwrap(), &[]));
    assert_eq!(size(&hardware(), &LATE), fixed + 24 + 16 + 2 * 16 + 3 * PAGE);
}

#[test]
fn one_byte_short_writes_nothing_and_more_is_left_alone() {
    let hardware = hardware();
    let snapshot = snapshot(&hardware, &LATE);
    let exact = snapshot.size() as usize;
    let mut out = vec![0x5a; exact + 100];
    assert_eq!(snapshot.encode(&mut out[..exact - 1], read_vram), Err(Error::BufferTooSmall));
    assert!(out.iter().all(|byte| *byte == 0x5a));
    assert_eq!(snapshot.encode(&mut out, read_vram), Ok(exact));
    assert!(out[exact..].iter().all(|byte| *byte == 0x5a));
}

#[test]
fn a_read_that_fails_leaves_no_valid_stream() {
    let hardware = hardware();
    let snapshot = snapshot(&hardware, &LATE);
    let mut out = mutable_stream(&hardware, &LATE);
    assert_eq!(snapshot.encode(&mut out[..], |_, _| Err(Error::Timeout)), Err(Error::Timeout));
    let mut fresh = vec![0; out.len()];
    assert_eq!(snapshot.encode(&mut fresh, |_, _| Err(Error::Timeout)), Err(Error::Timeout));
    assert!(Mutable::parse(&fresh, &vf()).is_err());
}

#[test]
fn a_source_does_not_save_what_no_target_takes() {
    let encode = |hardware: &VfHardware, late: &[PageRun]| {
        snapshot(hardware, late).encode(&mut vec![0; 1 << 20], read_vram).map(|_| ())
    };
    let run = |first, pages| PageRun { first, pages };
    for late in [
        [run(5, 1), run(4, 1)],
        [run(4, 2), run(5, 1)],
        [run(4, 0), run(5, 1)],
        [run(4, 1), run(u64::MAX, 1)],
        [run(4, 1), run(u64::MAX / 4096, 1)],
    ] {
        assert_eq!(encode(&hardware(), &late), Err(Error::InvalidParameter), "{late:?}");
    }
    let odd = VfHardware { status: 4, ..hardware() };
    assert_eq!(encode(&odd, &[]), Err(Error::Corrupt(Damage::BadValue)));
    let short = VfHardware { readback: Box::new([0; 16]), ..hardware() };
    assert_eq!(encode(&short, &[]), Err(Error::Corrupt(Damage::BadLength)));
}

#[test]
fn loading_into_blocks_of_another_size_changes_nothing() {
    let bytes = mutable_stream(&hardware(), &[]);
    let mut target = VfHardware { readback: Box::new([1; 16]), ..VfHardware::new().unwrap() };
    let before = target.clone();
    assert_eq!(Mutable::parse(&bytes, &vf()).unwrap().load(&mut target), Err(Error::InvalidParameter));
    assert_eq!(target, before);
}

#[test]
fn a_doorbell_no_engine_has_judged_travels() {
    for tail in [0, 1, u32::MAX, 0x0001_0040 + abi::RING_BYTES as u32 + 16] {
        let mut wild = hardware();
        wild.nodes[0].tail = tail;
        assert_eq!(wild.nodes[0].doorbell(), None, "tail {tail:#x}");
        assert_eq!(restore(&mutable_stream(&wild, &[])).0, wild);
    }
    assert_eq!(hardware().nodes[0].doorbell(), Some(0x80));
    let mut full = hardware();
    full.nodes[0].head = u32::MAX - 15;
    full.nodes[0].tail = full.nodes[0].head.wrapping_add(abi::RING_BYTES as u32);
    assert_eq!(full.nodes[0].doorbell(), Some(abi::RING_BYTES), "full, and over the end of the numbers");
}

#[test]
fn runs_of_a_bitmap() {
    let runs = |words: &[u64], pages| -> Vec<(u64, u64)> {
        PageRuns::new(pages, |word| words[word]).map(|run| (run.first, run.pages)).collect()
    };
    assert_eq!(runs(&[], 0), []);
    assert_eq!(runs(&[0], 64), []);
    assert_eq!(runs(&[!0], 64), [(0, 64)]);
    assert_eq!(runs(&[!0], 63), [(0, 63)], "bits beyond the pages");
    assert_eq!(runs(&[1 << 63, 1], 65), [(63, 2)], "over a word's edge");
    assert_eq!(runs(&[0b1011, 0, !0, 1], 256), [(0, 2), (3, 1), (128, 65)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_vf_round_trips(
        status in 0u32..4,
        fault in (1u32..7, 0u32..2, any::<u32>()),
        bits in (0u32..8, 0u32..8),
        nodes in any::<[(u32, u32, u64, u64, u64, u8); 2]>(),
        knobs in (1u32.., any::<u32>(), any::<bool>(), 1u32..),
        bitmap in any::<[u64; 2]>(),
    ) {
        let mut state = VfHardware {
            status,
            fault: [fault.0, fault.1, fault.2 & !15],
            pending: bits.0,
            masked: bits.1,
            ..VfHardware::new().unwrap()
        };
        for (node, (tail, head, fence, busy, commands, byte)) in state.nodes.iter_mut().zip(nodes) {
            (node.tail, node.head, node.fence, node.busy, node.commands) = (tail, head & !15, fence, busy, commands);
            node.ring.fill(byte);
        }
        let parameters = VfParameters {
            quantum_us: knobs.0,
            preempt_timeout_us: knobs.1,
            priority: if knobs.2 { Priority::Normal } else { Priority::Low },
            weight: knobs.3,
        };
        let runs: Vec<PageRun> = PageRuns::new(100, |word| bitmap[word]).collect();
        let mut snapshot = snapshot(&state, &runs);
        snapshot.scheduling = parameters;
        let mut out = vec![0; snapshot.size() as usize];
        prop_assert_eq!(snapshot.encode(&mut out, read_vram), Ok(out.len()));
        drop(snapshot);
        prop_assert_eq!(restore(&out), (state, Some(parameters), expected_pages(&runs)));
    }

    #[test]
    fn runs_are_the_set_bits(words in prop::collection::vec(prop_oneof![Just(0), Just(!0), any::<u64>()], 1..5), cut in 0u64..64) {
        let pages = words.len() as u64 * 64 - cut;
        let from_runs: Vec<u64> = PageRuns::new(pages, |word| words[word])
            .flat_map(|run| run.first..run.first + run.pages)
            .collect();
        let from_bits: Vec<u64> =
            (0..pages).filter(|page| words[(page / 64) as usize] >> (page % 64) & 1 == 1).collect();
        prop_assert_eq!(from_runs, from_bits);
    }
}
