//! Dirty tracking at the size of a large VF: 16 GiB in pages of 4 KiB, a plane of 512 KiB.
//!
//! Beside it stands vm-memory's AtomicBitmap, the bitmap of the Rust virtual machine monitors. It has no
//! query that reads and clears a part, and its marks go one page at a time.
//!
//! UNSAFETY: a stand-in for VRAM without bytes has to declare the raw copies.
#![expect(unsafe_code)]

use std::num::NonZeroUsize;
use std::sync::Arc;

use divan::{Bencher, black_box, counter::BytesCount};
use gpup_core::Result;
use gpup_core::device::Region;
use gpup_core::dirty::{BasisHandle, Outcome, Part, Tracker, Writer};
use gpup_core::vram::{SimulatedVram, Vram, VramStore};
use vm_memory::bitmap::{AtomicBitmap, Bitmap};

const PAGE: u64 = 4096;
const BYTES: u64 = 16 << 30;
const PAGES: u64 = BYTES / PAGE;
/// Pages of one mark of many.
const RUN: u64 = 64 * 1024;

fn main() {
    gpup_core::os::host::install();
    divan::main();
}

/// A segment of any size with no bytes in it.
struct NoBytes;

impl Vram for NoBytes {
    fn bytes(&self) -> u64 {
        BYTES
    }

    unsafe fn read_raw(&self, _: u64, _: *mut u8, _: usize) -> Result<()> {
        Ok(())
    }
}

impl VramStore for NoBytes {
    unsafe fn write_raw(&self, _: u64, _: *const u8, _: usize) -> Result<()> {
        Ok(())
    }

    fn fill(&self, _: u64, _: u64, _: u64) -> Result<()> {
        Ok(())
    }
}

struct Bench {
    tracker: Tracker,
    basis: BasisHandle,
    writer: Writer,
    out: Vec<u8>,
}

impl Bench {
    /// A basis over everything beside `neighbours` others.
    fn new(neighbours: u64) -> Self {
        let tracker = Tracker::new(Arc::new(NoBytes), PAGE, 4).unwrap();
        for neighbour in 0..neighbours {
            let basis = tracker.create(&[region(neighbour * 64, 64)]).unwrap();
            tracker.start(basis).unwrap();
        }
        let basis = tracker.create(&[region(0, PAGES)]).unwrap();
        tracker.start(basis).unwrap();
        let writer = tracker.writer().unwrap();
        Self { tracker, basis, writer, out: vec![0; PAGES as usize / 8] }
    }

    fn query(&mut self, part: Part, clear: bool) -> usize {
        self.tracker.query(self.basis, part, clear, &mut self.out).unwrap()
    }

    /// Makes one page of every `step` dirty.
    fn dirty(&mut self, step: u64) {
        if step > 0 {
            self.writer.batch(|section| {
                (0..PAGES).step_by(step as usize).for_each(|page| section.mark(region(page, 1)).unwrap());
            });
        }
    }
}

fn region(page: u64, pages: u64) -> Region {
    Region { offset: page * PAGE, bytes: pages * PAGE }
}

fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % PAGES
}

fn peer() -> AtomicBitmap {
    AtomicBitmap::new(BYTES as usize, NonZeroUsize::new(PAGE as usize).unwrap())
}

/// A mark of a random page, a section for each.
#[divan::bench(args = [0, 64], sample_size = 10_000)]
fn mark_random(bencher: Bencher<'_, '_>, neighbours: u64) {
    let (mut bench, mut state) = (Bench::new(neighbours), 1);
    bencher.bench_local(|| bench.writer.mark(region(random(&mut state), 1)));
}

/// The same, sixteen in a section.
#[divan::bench(sample_size = 1000)]
fn mark_random_16_in_a_section(bencher: Bencher<'_, '_>) {
    let (mut bench, mut state) = (Bench::new(0), 1);
    bencher.counter(16u32).bench_local(|| {
        bench.writer.batch(|section| (0..16).try_for_each(|_| section.mark(region(random(&mut state), 1))))
    });
}

#[divan::bench(sample_size = 10_000)]
fn mark_random_vm_memory(bencher: Bencher<'_, '_>) {
    let (bitmap, mut state) = (peer(), 1);
    bencher.bench_local(|| bitmap.mark_dirty((random(&mut state) * PAGE) as usize, PAGE as usize));
}

/// A mark while no basis is tracked.
#[divan::bench(sample_size = 10_000)]
fn mark_untracked(bencher: Bencher<'_, '_>) {
    let (mut bench, mut state) = (Bench::new(0), 1);
    bench.tracker.stop(bench.basis).unwrap();
    bencher.bench_local(|| bench.writer.mark(region(random(&mut state), 1)));
}

/// A mark of many pages, clean before.
#[divan::bench]
fn mark_range(bencher: Bencher<'_, '_>) {
    let mut bench = Bench::new(0);
    bencher.bench_local(|| {
        bench.writer.mark(region(17, RUN)).unwrap();
        // The harvest is small beside the mark only for the peer: it is in both figures.
        bench.query(Part::Whole, true)
    });
}

#[divan::bench]
fn mark_range_vm_memory(bencher: Bencher<'_, '_>) {
    let bitmap = peer();
    bencher.bench_local(|| {
        bitmap.mark_dirty((17 * PAGE) as usize, (RUN * PAGE) as usize);
        black_box(bitmap.get_and_reset())
    });
}

/// A clearing query of the whole, with one page of `step` dirty; 0 is none.
#[divan::bench(args = [1, 2, 100, 10_000, 0])]
fn harvest(bencher: Bencher<'_, '_>, step: u64) {
    let bench = std::cell::RefCell::new(Bench::new(0));
    bencher
        .with_inputs(|| bench.borrow_mut().dirty(step))
        .bench_local_values(|()| bench.borrow_mut().query(Part::Whole, true));
}

#[divan::bench(args = [1, 2, 100, 10_000, 0])]
fn harvest_vm_memory(bencher: Bencher<'_, '_>, step: u64) {
    let bitmap = peer();
    let dirty = || match step {
        0 => {}
        _ => (0..PAGES).step_by(step as usize).for_each(|page| bitmap.set_bit(page as usize)),
    };
    bencher.with_inputs(dirty).bench_local_values(|()| bitmap.get_and_reset());
}

/// How many pages of an answer are dirty, which the driver's trace says of each clearing query.
#[divan::bench]
fn count(bencher: Bencher<'_, '_>) {
    let out = vec![0x10u8; PAGES as usize / 8];
    bencher.bench_local(|| gpup_core::dirty::count(black_box(&out)));
}

/// A clearing query of 64 MiB that begins off a word.
#[divan::bench]
fn harvest_piece(bencher: Bencher<'_, '_>) {
    let mut bench = Bench::new(0);
    let part = Part::Range { index: 0, offset: 13 * PAGE, bytes: 64 << 20 };
    bencher.bench_local(|| bench.query(part, true));
}

/// A query that clears nothing.
#[divan::bench]
fn peek(bencher: Bencher<'_, '_>) {
    let mut bench = Bench::new(0);
    bencher.bench_local(|| bench.query(Part::Whole, false));
}

/// A clearing query of the whole while a ledger records a plane that is all dirty.
#[divan::bench]
fn harvest_into_a_ledger(bencher: Bencher<'_, '_>) {
    let bench = std::cell::RefCell::new(Bench::new(0));
    let ledger = bench.borrow().tracker.open_ledger(&[region(0, PAGES)]).unwrap();
    bencher
        .with_inputs(|| bench.borrow_mut().dirty(1))
        .bench_local_values(|()| bench.borrow_mut().query(Part::Whole, true));
    bench.borrow().tracker.close_ledger(&ledger, Outcome::Discard).unwrap();
}

/// Copies out of and into simulated VRAM, 256 MiB through a buffer of 64 KiB.
#[divan::bench_group(sample_count = 10, sample_size = 1)]
mod copy {
    use super::{Arc, Bencher, BytesCount, PAGE, SimulatedVram, Tracker};

    const BYTES: u64 = 256 << 20;

    fn tracker() -> Tracker {
        Tracker::new(Arc::new(SimulatedVram::new(BYTES).unwrap()), PAGE, 1).unwrap()
    }

    #[divan::bench]
    fn read(bencher: Bencher<'_, '_>) {
        let (tracker, mut out) = (tracker(), vec![0u8; BYTES as usize]);
        out.fill(1);
        tracker.writer().unwrap().fill(0, BYTES, 7).unwrap();
        bencher.counter(BytesCount::new(BYTES)).bench_local(|| tracker.vram().read(0, &mut out));
    }

    #[divan::bench]
    fn write(bencher: Bencher<'_, '_>) {
        let (tracker, data) = (tracker(), vec![1u8; BYTES as usize]);
        let mut writer = tracker.writer().unwrap();
        bencher.counter(BytesCount::new(BYTES)).bench_local(|| writer.write(0, &data));
    }

    #[divan::bench]
    fn fill(bencher: Bencher<'_, '_>) {
        let tracker = tracker();
        let mut writer = tracker.writer().unwrap();
        bencher.counter(BytesCount::new(BYTES)).bench_local(|| writer.fill(0, BYTES, 5));
    }

    #[divan::bench]
    fn copy(bencher: Bencher<'_, '_>) {
        let tracker = tracker();
        let mut writer = tracker.writer().unwrap();
        bencher.counter(BytesCount::new(BYTES / 2)).bench_local(|| writer.copy(0, BYTES / 2, BYTES / 2));
    }

    /// The same size by slice copy.
    #[divan::bench]
    fn memcpy(bencher: Bencher<'_, '_>) {
        let (from, mut to) = (vec![1u8; BYTES as usize], vec![2u8; BYTES as usize]);
        bencher.counter(BytesCount::new(BYTES)).bench_local(|| {
            to.copy_from_slice(divan::black_box(&from));
            divan::black_box(&mut to);
        });
    }
}
