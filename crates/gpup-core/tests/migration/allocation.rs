//! Nothing on the way into or out of a stream allocates.

use gpup_core::migration::state::VfHardware;
use gpup_core::migration::{Immutable, Mutable, PageRuns, Snapshot};

use crate::support::{CONFIG, PAGE, hardware, immutable_stream, mutable_stream, read_vram, scheduling, vf};

/// Allocations that `work` makes on this thread.
fn allocations(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

#[test]
fn sizing_and_encoding() {
    let (hardware, bitmap) = (hardware(), [0b1101u64, 0, 1 << 63]);
    let late = PageRuns::new(192, |word: usize| bitmap[word]);
    let snapshot =
        Snapshot { hardware: &hardware, config: &CONFIG, scheduling: scheduling(), page_bytes: PAGE, late };
    let mut out = vec![0; 1 << 20];
    let mut written = 0;
    let count = allocations(|| {
        assert_eq!(vf().encode(&mut out), Ok(vf().size() as usize));
        written = snapshot.encode(&mut out, read_vram).unwrap();
    });
    assert_eq!((count, written as u64), (0, snapshot.size()));
}

#[test]
fn decoding_and_loading_and_refusing() {
    let immutable = immutable_stream(&vf());
    let mutable = mutable_stream(&hardware(), &[gpup_core::migration::PageRun { first: 2, pages: 3 }]);
    let mut loaded = VfHardware::new().unwrap();
    let count = allocations(|| {
        let source = Immutable::decode(&immutable).unwrap();
        assert_eq!(source.check(&vf()), Ok(()));
        let state = Mutable::parse(&mutable, &source).unwrap();
        state.load(&mut loaded).unwrap();
        assert_eq!(state.late_pages().map(|run| run.bytes.len() as u64).sum::<u64>(), 3 * PAGE);
        assert!(Mutable::parse(&mutable[1..], &source).is_err());
    });
    assert_eq!((count, loaded), (0, hardware()));
}
