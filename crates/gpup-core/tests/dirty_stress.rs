//! Writers against harvesters on real threads: no write is lost, whatever else is started, stopped and
//! migrated meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use gpup_core::device::Region;
use gpup_core::dirty::{BasisHandle, Outcome, Part, Tracker};
use gpup_core::vram::SimulatedVram;

const PAGE: u64 = 4096;
const PAGES: u64 = 96;
/// Writes of each writer, and harvests beside them, at least.
const WRITES: u64 = 4 << 20;
const HARVESTS: u64 = 1000;

/// A small generator, so that a failure depends on nothing but the schedule.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn region(page: u64, pages: u64) -> Region {
    Region { offset: page * PAGE, bytes: pages * PAGE }
}

fn stamp(tracker: &Tracker, page: u64) -> u64 {
    let mut out = [0; 8];
    tracker.vram().read(page * PAGE, &mut out).unwrap();
    u64::from_le_bytes(out)
}

/// Harvests a part and copies the stamps of its dirty pages, as a migration would.
fn harvest(tracker: &Tracker, basis: BasisHandle, part: Part, first: u64, copy: &mut [u64]) {
    let mut out = [0u8; PAGES as usize / 8 + 1];
    let bytes = tracker.query(basis, part, true, &mut out).unwrap();
    for bit in (0..bytes as u64 * 8).filter(|bit| out[(bit / 8) as usize] >> (bit % 8) & 1 == 1) {
        copy[(first + bit) as usize] = stamp(tracker, first + bit);
    }
}

/// Tells the other threads to end, also when this one panics: else they would go on for ever.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn dirty_no_write_is_lost_between_threads() {
    gpup_core::os::host::install();
    let tracker = Tracker::new(Arc::new(SimulatedVram::new(PAGES * PAGE).unwrap()), PAGE, 3).unwrap();
    let bases = [(); 2].map(|()| {
        let basis = tracker.create(&[region(0, PAGES)]).unwrap();
        tracker.start(basis).unwrap();
        basis
    });
    let done = AtomicBool::new(false);
    let harvests = AtomicU64::new(0);
    let (tracker, done, harvests) = (&tracker, &done, &harvests);

    thread::scope(|scope| {
        let end = End(done);
        let writers: Vec<_> = (0..3)
            .map(|lane| {
                scope.spawn(move || {
                    let mut writer = tracker.writer().unwrap();
                    let mut random = Random(lane);
                    let mut count = 0u64;
                    while count < WRITES || harvests.load(Ordering::Relaxed) < HARVESTS {
                        for _ in 0..64 {
                            count += 1;
                            let stamp = (count << 2 | lane).to_le_bytes();
                            // Few hot pages, so that most marks find their bit set.
                            let page =
                                if count.is_multiple_of(4) { random.below(PAGES) } else { random.below(4) };
                            writer.write(page * PAGE, &stamp).unwrap();
                        }
                    }
                })
            })
            .collect();
        let harvesters: Vec<_> = bases
            .iter()
            .map(|basis| {
                scope.spawn(move || {
                    let mut copy = vec![0u64; PAGES as usize];
                    let mut random = Random(basis.to_raw());
                    while !done.load(Ordering::SeqCst) {
                        let page = random.below(PAGES);
                        let pages = 1 + random.below(PAGES - page);
                        let (offset, bytes) = (page * PAGE, pages * PAGE);
                        harvest(tracker, *basis, Part::Range { index: 0, offset, bytes }, page, &mut copy);
                        harvests.fetch_add(1, Ordering::Relaxed);
                    }
                    harvest(tracker, *basis, Part::Whole, 0, &mut copy);
                    copy
                })
            })
            .collect();
        // Neighbours come and go, and a migration that never happens.
        scope.spawn(move || {
            let mut random = Random(99);
            while !done.load(Ordering::SeqCst) {
                let basis = tracker.create(&[region(random.below(50), 40)]).unwrap();
                tracker.start(basis).unwrap();
                let ledger = tracker.open_ledger(&[region(random.below(50), 40)]).unwrap();
                thread::yield_now();
                let mut late = [0; 1];
                tracker.late_pages(&ledger, &mut late).unwrap();
                tracker.close_ledger(&ledger, Outcome::Restore).unwrap();
                tracker.stop(basis).unwrap();
                tracker.destroy(basis).unwrap();
            }
        });
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        drop(end);
        for harvester in harvesters {
            let copy = harvester.join().unwrap();
            let vram: Vec<u64> = (0..PAGES).map(|page| stamp(tracker, page)).collect();
            assert_eq!(copy, vram);
        }
    });
    assert_eq!(tracker.leaked(), 2);
}

#[test]
fn dirty_a_basis_that_is_started_under_writes_misses_none_after() {
    gpup_core::os::host::install();
    let tracker = Tracker::new(Arc::new(SimulatedVram::new(PAGES * PAGE).unwrap()), PAGE, 1).unwrap();
    let (done, ended) = (AtomicBool::new(false), AtomicU64::new(0));
    let (tracker, done, ended) = (&tracker, &done, &ended);
    thread::scope(|scope| {
        let _end = End(done);
        scope.spawn(move || {
            let mut writer = tracker.writer().unwrap();
            let mut count = 0u64;
            while !done.load(Ordering::SeqCst) {
                count += 1;
                writer.write(count % 8 * PAGE, &count.to_le_bytes()).unwrap();
                ended.store(count, Ordering::SeqCst);
            }
        });
        for _ in 0..2000 {
            let basis = tracker.create(&[region(0, 8)]).unwrap();
            tracker.start(basis).unwrap();
            // As a migration does whose plane begins late: everything is sent first, then what is dirty.
            let mut copy: Vec<u64> = (0..8).map(|page| stamp(tracker, page)).collect();
            // Writes that have ended are in the query. One that is under way may be seen already and be in the next.
            let ended = ended.load(Ordering::SeqCst);
            harvest(tracker, basis, Part::Whole, 0, &mut copy);
            for (page, copy) in (0u64..).zip(&copy) {
                let last = ended.saturating_sub((ended + 8 - page) % 8);
                assert!(*copy >= last, "page {page} has {copy}, and {last} had been written");
            }
            tracker.stop(basis).unwrap();
            tracker.destroy(basis).unwrap();
        }
    });
}
