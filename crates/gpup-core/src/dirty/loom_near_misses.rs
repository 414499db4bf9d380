//! Why there are two planes: one plane without an epoch under loom, with the marks and harvests one might try.
//!
//! Those that are right pay for a locked instruction or a full fence at every mark, dirty or not.

use loom::sync::Arc;
use loom::thread;

use crate::sync::atomic::{AtomicU64, Ordering, fence};

/// A write and `mark` against `harvest` and a copy, the page dirty before.
fn one_plane(mark: fn(&AtomicU64), harvest: fn(&AtomicU64) -> u64) {
    loom::model(move || {
        let page = Arc::new((AtomicU64::new(0), AtomicU64::new(1)));
        let writer = thread::spawn({
            let page = page.clone();
            move || {
                page.0.store(1, Ordering::Relaxed);
                mark(&page.1);
            }
        });
        let taken = harvest(&page.1);
        let copy = if taken == 1 { page.0.load(Ordering::Relaxed) } else { 0 };
        writer.join().unwrap();
        assert!(copy == 1 || page.1.load(Ordering::Relaxed) == 1, "lost write");
    });
}

fn set(plane: &AtomicU64) {
    plane.fetch_or(1, Ordering::Release);
}

fn take(plane: &AtomicU64) -> u64 {
    plane.swap(0, Ordering::AcqRel)
}

#[test]
fn loom_one_plane_read_and_cleared_at_once_loses_nothing() {
    one_plane(set, take);
}

#[test]
#[should_panic = "lost write"]
fn loom_one_plane_marked_relaxed_loses() {
    one_plane(
        |plane| {
            plane.fetch_or(1, Ordering::Relaxed);
        },
        take,
    );
}

#[test]
#[should_panic = "lost write"]
fn loom_one_plane_tested_first_loses() {
    one_plane(
        |plane| {
            if plane.load(Ordering::Acquire) == 0 {
                set(plane);
            }
        },
        take,
    );
}

#[test]
#[should_panic = "lost write"]
fn loom_one_plane_read_then_cleared_loses() {
    one_plane(set, |plane| {
        let taken = plane.load(Ordering::Acquire);
        plane.store(0, Ordering::Release);
        taken
    });
}

#[test]
fn loom_one_plane_tested_first_behind_fences_loses_nothing() {
    one_plane(
        |plane| {
            fence(Ordering::SeqCst);
            if plane.load(Ordering::Relaxed) == 0 {
                set(plane);
            }
        },
        |plane| {
            let taken = take(plane);
            fence(Ordering::SeqCst);
            taken
        },
    );
}
