//! The protocols of the dirty plane under loom, which runs every interleaving and every stale read that the
//! memory model allows.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test -p gpup-core --release --lib loom
//! ```
//!
//! The invariant: when a write raced with a harvest that was followed by a copy, the copy has the new data or
//! the page is still dirty. These models run the real code; where they leave something out, they must
//! lose a write, lest they prove nothing.

use std::vec;

use loom::sync::Arc;
use loom::thread;

use super::bits::Source;
use super::planes::Planes;
use super::published::Published;
use super::section::{Seat, Sections};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

/// A page of data under a basis.
struct Page {
    data: AtomicU64,
    planes: Planes,
    sections: std::sync::Arc<Sections>,
}

impl Page {
    fn new(writers: usize) -> Arc<Self> {
        Arc::new(Self {
            data: AtomicU64::new(0),
            planes: Planes::new(64).unwrap(),
            sections: Sections::new(writers).unwrap(),
        })
    }

    fn seat(&self) -> Seat {
        self.sections.seat(0..2).unwrap()
    }

    /// A harvest of bit `bit` and, if it was dirty, a copy of the data; with or without waiting.
    fn harvest(&self, residue: &mut [u64], grace: bool) {
        let old = self.planes.flip();
        if grace {
            self.sections.grace(|_| thread::yield_now());
        }
        self.planes.drain(old, residue);
    }

    fn is_dirty(&self, residue: &[u64]) -> bool {
        self.planes.with(residue).word(0) & 1 == 1
    }

    fn copy_if_taken(&self, residue: &mut [u64], copy: &mut u64) {
        if residue[0] & 1 == 1 {
            residue[0] &= !1;
            *copy = self.data.load(Ordering::Relaxed);
        }
    }
}

/// One write and mark against `harvests` harvests, the page clean or dirty before.
fn write_against_harvests(harvests: usize, dirty_before: bool, grace: bool) {
    let page = Page::new(1);
    if dirty_before {
        page.planes.mark(0, 1);
    }
    let writer = thread::spawn({
        let (page, mut seat) = (page.clone(), page.seat());
        move || {
            let _inside = seat.enter();
            page.data.store(1, Ordering::Relaxed);
            page.planes.mark(0, 1);
        }
    });
    let (mut residue, mut copy) = (vec![0; 1], 0);
    for _ in 0..harvests {
        page.harvest(&mut residue, grace);
        page.copy_if_taken(&mut residue, &mut copy);
    }
    writer.join().unwrap();
    assert!(copy == 1 || page.is_dirty(&residue), "lost write");
}

#[test]
fn loom_a_harvest_loses_no_write() {
    loom::model(|| write_against_harvests(1, false, true));
}

#[test]
fn loom_a_bit_that_is_set_may_be_left() {
    loom::model(|| write_against_harvests(1, true, true));
}

#[test]
fn loom_a_plane_comes_back_clean() {
    loom::model(|| write_against_harvests(3, true, true));
}

#[test]
#[should_panic = "lost write"]
fn loom_a_flip_without_a_grace_period_loses() {
    loom::model(|| write_against_harvests(1, false, false));
}

#[test]
fn loom_a_writer_that_comes_back_loses_nothing() {
    loom::model(|| {
        let page = Page::new(1);
        let writer = thread::spawn({
            let (page, mut seat) = (page.clone(), page.seat());
            move || {
                for value in 1..=2 {
                    let _inside = seat.enter();
                    page.data.store(value, Ordering::Relaxed);
                    page.planes.mark(0, 1);
                }
            }
        });
        let (mut residue, mut copy) = (vec![0; 1], 0);
        for _ in 0..2 {
            page.harvest(&mut residue, true);
            page.copy_if_taken(&mut residue, &mut copy);
        }
        writer.join().unwrap();
        assert!(copy == 2 || page.is_dirty(&residue), "lost write");
    });
}

#[test]
fn loom_a_harvester_that_meets_the_next_section_has_met_the_last() {
    loom::model(|| {
        let page = Page::new(1);
        page.planes.mark(0, 1);
        let writer = thread::spawn({
            let (page, mut seat) = (page.clone(), page.seat());
            move || {
                let inside = seat.enter();
                page.data.store(1, Ordering::Relaxed);
                page.planes.mark(0, 1);
                drop(inside);
                drop(seat.enter());
            }
        });
        let (mut residue, mut copy) = (vec![0; 1], 0);
        page.harvest(&mut residue, true);
        page.copy_if_taken(&mut residue, &mut copy);
        writer.join().unwrap();
        assert!(copy == 1 || page.is_dirty(&residue), "lost write");
    });
}

#[test]
fn loom_a_whole_word_and_a_bit_of_it_are_marked_at_once() {
    // Three threads: all interleavings would take hours, those with three forced switches take a moment.
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(|| {
        let page = Page::new(2);
        let spawn = |count: u64| {
            let (page, mut seat) = (page.clone(), page.seat());
            thread::spawn(move || {
                let _inside = seat.enter();
                page.data.fetch_add(1, Ordering::Relaxed);
                page.planes.mark(0, count);
            })
        };
        let (word, bit) = (spawn(64), spawn(1));
        let (mut residue, mut copy) = (vec![0; 1], 0);
        page.harvest(&mut residue, true);
        page.copy_if_taken(&mut residue, &mut copy);
        word.join().unwrap();
        bit.join().unwrap();
        assert!(copy == 2 || page.is_dirty(&residue), "lost write");
        assert_eq!(page.planes.with(&residue).word(0) | 1, u64::MAX, "a page of the word is lost");
    });
}

/// A value that says when it is gone.
struct Mortal(AtomicBool);

fn read_against_replace(grace: bool) {
    let sections = Sections::new(1).unwrap();
    let first = std::sync::Arc::new(Mortal(AtomicBool::new(true)));
    let published = Arc::new(Published::new(sections.clone(), std::boxed::Box::new(first.clone())));
    let reader = thread::spawn({
        let (published, mut seat) = (published.clone(), sections.seat(0..1).unwrap());
        move || {
            let inside = seat.enter();
            let value = published.get(&inside);
            assert!(value.0.load(Ordering::Relaxed), "read after it was freed");
        }
    });
    let second = std::sync::Arc::new(Mortal(AtomicBool::new(true)));
    let retired = published.replace(std::boxed::Box::new(second));
    if grace {
        drop(retired.reclaim(|_| thread::yield_now()));
    }
    first.0.store(false, Ordering::Relaxed);
    reader.join().unwrap();
}

#[test]
fn loom_a_map_outlives_its_readers() {
    loom::model(|| read_against_replace(true));
}

#[test]
#[should_panic = "read after it was freed"]
fn loom_a_map_freed_without_a_grace_period_is_read() {
    loom::model(|| read_against_replace(false));
}

/// Start against a write: what the write does not mark was there when Start returned.
fn start_against_write(grace: bool) {
    let page = Page::new(1);
    let map = Arc::new(Published::new(page.sections.clone(), std::boxed::Box::new(false)));
    let writer = thread::spawn({
        let (page, map, mut seat) = (page.clone(), map.clone(), page.seat());
        move || {
            let inside = seat.enter();
            let tracked = *map.get(&inside);
            page.data.store(1, Ordering::Relaxed);
            if tracked {
                page.planes.mark(0, 1);
            }
        }
    });
    let retired = map.replace(std::boxed::Box::new(true));
    if grace {
        drop(retired.reclaim(|_| thread::yield_now()));
    }
    let copy = page.data.load(Ordering::Relaxed);
    writer.join().unwrap();
    assert!(copy == 1 || page.is_dirty(&[0]), "lost write");
}

#[test]
fn loom_start_returns_when_every_writer_marks() {
    loom::model(|| start_against_write(true));
}

#[test]
#[should_panic = "lost write"]
fn loom_start_that_does_not_wait_loses() {
    loom::model(|| start_against_write(false));
}

/// A section that is entered without the full fence.
fn unfenced_section() {
    let page = Page::new(1);
    let count = Arc::new(AtomicU64::new(0));
    let writer = thread::spawn({
        let (page, count) = (page.clone(), count.clone());
        move || {
            count.store(1, Ordering::Release);
            page.data.store(1, Ordering::Relaxed);
            page.planes.mark(0, 1);
            count.store(2, Ordering::Release);
        }
    });
    let (mut residue, mut copy) = (vec![0; 1], 0);
    let old = page.planes.flip();
    fence(Ordering::SeqCst);
    while count.load(Ordering::Acquire) == 1 {
        thread::yield_now();
    }
    page.planes.drain(old, &mut residue);
    page.copy_if_taken(&mut residue, &mut copy);
    writer.join().unwrap();
    assert!(copy == 1 || page.is_dirty(&residue), "lost write");
}

#[test]
#[should_panic = "lost write"]
fn loom_a_section_without_a_fence_loses() {
    loom::model(unfenced_section);
}
