//! The tracker by example: one test for each promise of its interface.

use std::sync::Arc;

use gpup_core::Error;
use gpup_core::device::Region;
use gpup_core::dirty::{BasisHandle, Fault, MAX_BASES, Outcome, Part, SECTION_BYTES, Tracker, runs};
use gpup_core::vram::SimulatedVram;

const PAGE: u64 = 4096;
const PAGES: u64 = 512;

fn tracker() -> Tracker {
    gpup_core::os::host::install();
    Tracker::new(Arc::new(SimulatedVram::new(PAGES * PAGE).unwrap()), PAGE, 4).unwrap()
}

fn region(page: u64, pages: u64) -> Region {
    Region { offset: page * PAGE, bytes: pages * PAGE }
}

fn started(tracker: &Tracker, regions: &[Region]) -> BasisHandle {
    let basis = tracker.create(regions).unwrap();
    tracker.start(basis).unwrap();
    basis
}

/// The dirty pages of a part, as bit numbers.
fn dirty(tracker: &Tracker, basis: BasisHandle, part: Part, clear: bool) -> Vec<u64> {
    let mut out = vec![0u8; tracker.needed(basis, part).unwrap()];
    tracker.query(basis, part, clear, &mut out).unwrap();
    (0..out.len() as u64 * 8).filter(|bit| out[(bit / 8) as usize] >> (bit % 8) & 1 == 1).collect()
}

#[test]
fn dirty_a_write_marks_every_page_it_touches_in_every_basis_that_is_tracked() {
    let tracker = tracker();
    let mut writer = tracker.writer().unwrap();
    let a = started(&tracker, &[region(10, 20)]);
    let b = started(&tracker, &[region(100, 5), region(20, 80)]);
    let idle = tracker.create(&[region(0, PAGES)]).unwrap();
    writer.write(25 * PAGE - 1, &[1, 2]).unwrap();
    writer.fill(99 * PAGE, 2 * PAGE, 7).unwrap();
    writer.copy(0, 12 * PAGE + 8, 8).unwrap();
    writer.mark(Region { offset: 15 * PAGE + 5, bytes: 1 }).unwrap();
    writer.batch(|section| section.write(29 * PAGE, &[3; 3])).unwrap();
    assert_eq!(dirty(&tracker, a, Part::Whole, false), [2, 5, 14, 15, 19]);
    // b packs its ranges in the order they were given: bits 0-4 are pages 100-104, bit 5 is page 20.
    assert_eq!(dirty(&tracker, b, Part::Whole, true), [0, 5 + 4, 5 + 5, 5 + 9, 5 + 79]);
    assert_eq!(dirty(&tracker, b, Part::Whole, true), []);
    assert_eq!(dirty(&tracker, a, Part::Whole, true), [2, 5, 14, 15, 19]);
    let mut out = [0xffu8; 64];
    assert_eq!(tracker.query(idle, Part::Whole, false, &mut out), Err(Error::WrongState));
    let mut two = [0u8; 2];
    tracker.vram().read(25 * PAGE - 1, &mut two).unwrap();
    assert_eq!(two, [1, 2]);
}

#[test]
fn dirty_pieces_add_up_and_leave_each_other_alone() {
    let tracker = tracker();
    let mut writer = tracker.writer().unwrap();
    let basis = started(&tracker, &[region(3, 130), region(300, 70)]);
    for page in [3, 66, 67, 68, 132, 300, 369] {
        writer.mark(region(page, 1)).unwrap();
    }
    let piece = |index, page, pages| Part::Range { index, offset: page * PAGE, bytes: pages * PAGE };
    assert_eq!(dirty(&tracker, basis, piece(0, 64, 1), true), [0]);
    assert_eq!(dirty(&tracker, basis, piece(1, 69, 1), true), [0]);
    assert_eq!(dirty(&tracker, basis, piece(0, 64, 1), true), []);
    assert_eq!(dirty(&tracker, basis, piece(0, 60, 70), true), [3, 5, 69]);
    assert_eq!(dirty(&tracker, basis, Part::Whole, true), [0, 130]);
}

#[test]
fn dirty_a_refused_query_writes_and_clears_nothing() {
    let tracker = tracker();
    let mut writer = tracker.writer().unwrap();
    let basis = started(&tracker, &[region(0, 100)]);
    writer.mark(region(0, 100)).unwrap();
    let piece = |index, offset, bytes| Part::Range { index, offset, bytes };
    let mut out = [0x55u8; 13];
    let refused = |part, out: &mut [u8]| tracker.query(basis, part, true, out).unwrap_err();
    assert_eq!(refused(Part::Whole, &mut out[..12]), Error::BufferTooSmall);
    assert_eq!(refused(piece(1, 0, PAGE), &mut out), Error::OutOfRange);
    assert_eq!(refused(piece(u64::MAX, 0, PAGE), &mut out), Error::OutOfRange);
    assert_eq!(refused(piece(0, 1, PAGE), &mut out), Error::Misaligned);
    assert_eq!(refused(piece(0, 0, PAGE + 8), &mut out), Error::Misaligned);
    assert_eq!(refused(piece(0, 0, 0), &mut out), Error::InvalidParameter);
    assert_eq!(refused(piece(0, 99 * PAGE, 2 * PAGE), &mut out), Error::OutOfRange);
    assert_eq!(refused(piece(0, u64::MAX - PAGE + 1, PAGE), &mut out), Error::OutOfRange);
    assert_eq!(out, [0x55; 13]);
    let mut long = [0x55u8; 15];
    assert_eq!(tracker.query(basis, Part::Whole, true, &mut long), Ok(13));
    assert_eq!(long[..12], [0xff; 12]);
    assert_eq!(long[12..], [0x0f, 0x55, 0x55]);
}

#[test]
fn dirty_bases_are_whole_pages_inside_the_segment_and_disjoint() {
    let tracker = tracker();
    let refused = |regions: &[Region]| tracker.create(regions).unwrap_err();
    assert_eq!(refused(&[]), Error::InvalidParameter);
    assert_eq!(refused(&[region(0, 0)]), Error::InvalidParameter);
    assert_eq!(refused(&[Region { offset: 8, bytes: PAGE }]), Error::Misaligned);
    assert_eq!(refused(&[Region { offset: 0, bytes: PAGE - 1 }]), Error::Misaligned);
    assert_eq!(refused(&[region(PAGES - 1, 2)]), Error::OutOfRange);
    assert_eq!(refused(&[Region { offset: u64::MAX - PAGE + 1, bytes: PAGE }]), Error::OutOfRange);
    assert_eq!(refused(&[region(4, 4), region(0, 5)]), Error::InvalidParameter);
    assert_eq!(tracker.leaked(), 0);
    let basis = tracker.create(&[region(4, 4), region(0, 4)]).unwrap();
    assert_eq!(tracker.leaked(), 1);
    tracker.destroy(basis).unwrap();
    assert_eq!(tracker.leaked(), 0);
}

#[test]
fn dirty_handles_go_stale_and_the_table_is_bounded() {
    let tracker = tracker();
    let first = tracker.create(&[region(0, 1)]).unwrap();
    assert_eq!(BasisHandle::from_raw(first.to_raw()), Some(first));
    assert_eq!(BasisHandle::from_raw(0), None);
    tracker.destroy(first).unwrap();
    let second = tracker.create(&[region(0, 1)]).unwrap();
    assert_ne!(first, second);
    for stale in [first, BasisHandle::from_raw(u64::MAX).unwrap(), BasisHandle::from_raw(1).unwrap()] {
        assert_eq!(tracker.start(stale), Err(Error::StaleHandle));
        assert_eq!(tracker.stop(stale), Err(Error::StaleHandle));
        assert_eq!(tracker.destroy(stale), Err(Error::StaleHandle));
        assert_eq!(tracker.needed(stale, Part::Whole), Err(Error::StaleHandle));
        assert_eq!(tracker.query(stale, Part::Whole, true, &mut [0]), Err(Error::StaleHandle));
    }
    let more: Vec<_> = (1..MAX_BASES).map(|_| tracker.create(&[region(0, 1)]).unwrap()).collect();
    assert_eq!(tracker.create(&[region(0, 1)]), Err(Error::NoResources));
    more.into_iter().chain([second]).for_each(|basis| tracker.destroy(basis).unwrap());
    assert_eq!(tracker.leaked(), 0);
}

#[test]
fn dirty_starts_are_counted_and_the_first_begins_clean() {
    let tracker = tracker();
    let mut writer = tracker.writer().unwrap();
    let basis = tracker.create(&[region(0, 64)]).unwrap();
    assert_eq!(tracker.stop(basis), Err(Error::WrongState));
    tracker.start(basis).unwrap();
    assert!(tracker.is_active());
    writer.mark(region(1, 1)).unwrap();
    tracker.start(basis).unwrap();
    assert_eq!(dirty(&tracker, basis, Part::Whole, false), [1]);
    tracker.stop(basis).unwrap();
    writer.mark(region(2, 1)).unwrap();
    assert_eq!(dirty(&tracker, basis, Part::Whole, false), [1, 2]);
    tracker.stop(basis).unwrap();
    assert!(!tracker.is_active());
    writer.mark(region(3, 1)).unwrap();
    tracker.start(basis).unwrap();
    assert_eq!(dirty(&tracker, basis, Part::Whole, false), []);
}

#[test]
fn a_basis_takes_its_tracking_with_it() {
    let tracker = tracker();
    let mut writer = tracker.writer().unwrap();
    let [basis, other] = [(); 2].map(|()| tracker.create(&[region(0, 64)]).unwrap());
    for basis in [basis, basis, other] {
        tracker.start(basis).unwrap();
    }
    tracker.destroy(basis).unwrap();
    writer.mark(region(1, 1)).unwrap();
    assert_eq!(dirty(&tracker, other, Part::Whole, false), [1]);
    tracker.destroy(other).unwrap();
    assert!(!tracker.is_active());
    assert_eq!(tracker.leaked(), 0);
}

#[test]
fn dirty_writers_are_bounded_and_refuse_what_lies_outside() {
    let tracker = tracker();
    let basis = started(&tracker, &[region(0, PAGES)]);
    let mut writers: Vec<_> = (0..4).map(|_| tracker.writer().unwrap()).collect();
    assert_eq!(tracker.writer().err(), Some(Error::NoResources));
    let mut writer = writers.pop().unwrap();
    drop(writers.pop());
    drop(tracker.writer().unwrap());
    let end = PAGES * PAGE;
    assert_eq!(writer.write(end - 1, &[1, 2]), Err(Error::OutOfRange));
    assert_eq!(writer.fill(end - SECTION_BYTES, 2 * SECTION_BYTES, 1), Err(Error::OutOfRange));
    assert_eq!(writer.fill(4, 8, 1), Err(Error::Misaligned));
    assert_eq!(writer.copy(end - 8, 0, 16), Err(Error::OutOfRange));
    assert_eq!(writer.copy(0, u64::MAX, 16), Err(Error::OutOfRange));
    assert_eq!(writer.mark(Region { offset: u64::MAX, bytes: 2 }), Err(Error::OutOfRange));
    writer.write(0, &[]).unwrap();
    writer.mark(region(PAGES, 0)).unwrap();
    assert_eq!(dirty(&tracker, basis, Part::Whole, false), []);
    // One that crosses several sections.
    writer.fill(SECTION_BYTES - PAGE, SECTION_BYTES + 2 * PAGE, 5).unwrap();
    assert_eq!(dirty(&tracker, basis, Part::Whole, false), (15..33).collect::<Vec<u64>>());
}

#[test]
fn dirty_a_ledger_gives_back_what_was_taken() {
    let tracker = tracker();
    let mut writer = tracker.writer().unwrap();
    let (vf, all) = (started(&tracker, &[region(50, 80)]), started(&tracker, &[region(0, PAGES)]));
    writer.mark(region(60, 1)).unwrap();
    assert_eq!(dirty(&tracker, vf, Part::Whole, true), [10]);

    let ledger = tracker.open_ledger(&[region(100, 30), region(50, 50)]).unwrap();
    assert_eq!((ledger.pages(), ledger.words()), (80, 2));
    for page in [10, 49, 50, 99, 100, 129, 130] {
        writer.mark(region(page, 1)).unwrap();
    }
    assert_eq!(dirty(&tracker, vf, Part::Whole, false).len(), 4);
    assert_eq!(ledger.recorded(), 0);
    assert_eq!(dirty(&tracker, vf, Part::Whole, true), [0, 49, 50, 79]);
    assert_eq!(ledger.recorded(), 4);
    tracker.close_ledger(&ledger, Outcome::Restore).unwrap();
    assert_eq!(dirty(&tracker, vf, Part::Whole, true), [0, 49, 50, 79]);
    assert_eq!(dirty(&tracker, all, Part::Whole, true), [10, 49, 50, 60, 99, 100, 129, 130]);
    assert_eq!(ledger.recorded(), 4);
    assert_eq!(tracker.close_ledger(&ledger, Outcome::Restore), Err(Error::StaleHandle));
    let mut late = [0u64; 2];
    assert_eq!(tracker.late_pages(&ledger, &mut late), Err(Error::StaleHandle));
}

#[test]
fn dirty_a_discarded_ledger_gives_nothing_back() {
    let tracker = tracker();
    let basis = started(&tracker, &[region(0, 64)]);
    let ledger = tracker.open_ledger(&[region(0, 64)]).unwrap();
    tracker.writer().unwrap().mark(region(5, 3)).unwrap();
    assert_eq!(dirty(&tracker, basis, Part::Whole, true), [5, 6, 7]);
    tracker.close_ledger(&ledger, Outcome::Discard).unwrap();
    assert_eq!(dirty(&tracker, basis, Part::Whole, true), []);
}

#[test]
fn dirty_a_ledger_that_is_switched_off_loses_pages() {
    let tracker = tracker();
    tracker.set_fault(Fault::LedgerOff);
    let basis = started(&tracker, &[region(0, 64)]);
    let ledger = tracker.open_ledger(&[region(0, 64)]).unwrap();
    tracker.writer().unwrap().mark(region(5, 3)).unwrap();
    assert_eq!(dirty(&tracker, basis, Part::Whole, true), [5, 6, 7]);
    tracker.close_ledger(&ledger, Outcome::Restore).unwrap();
    assert_eq!(dirty(&tracker, basis, Part::Whole, true), []);
}

#[test]
fn dirty_writes_that_mark_nothing_are_lost() {
    let tracker = tracker();
    tracker.set_fault(Fault::NoMarks);
    let basis = started(&tracker, &[region(0, 64)]);
    tracker.writer().unwrap().write(5 * PAGE, &[1]).unwrap();
    assert_eq!(dirty(&tracker, basis, Part::Whole, true), []);
}

#[test]
fn dirty_late_pages_are_those_the_harvested_basis_still_holds() {
    let tracker = tracker();
    let mut writer = tracker.writer().unwrap();
    let vf = started(&tracker, &[region(50, 80)]);
    let all = started(&tracker, &[region(0, PAGES)]);
    writer.mark(region(60, 2)).unwrap();
    let ledger = tracker.open_ledger(&[region(100, 30), region(50, 50)]).unwrap();
    let mut late = [u64::MAX; 3];
    let list = |late: &[u64]| runs(late).flatten().collect::<Vec<u64>>();
    // Nothing was harvested: all bases count.
    assert_eq!(tracker.late_pages(&ledger, &mut late), Ok(2));
    assert_eq!(list(&late[..2]), [40, 41]);
    assert_eq!(late[2], u64::MAX);
    assert_eq!(tracker.late_pages(&ledger, &mut late[..1]), Err(Error::BufferTooSmall));
    // The VF's basis was harvested: what only the other still holds was sent.
    dirty(&tracker, vf, Part::Whole, true);
    writer.mark(region(129, 3)).unwrap();
    writer.mark(region(98, 1)).unwrap();
    assert_eq!(tracker.late_pages(&ledger, &mut late), Ok(2));
    assert_eq!(list(&late[..2]), [29, 78]);
    // It changed nothing.
    assert_eq!(dirty(&tracker, vf, Part::Whole, true), [48, 79]);
    assert_eq!(dirty(&tracker, all, Part::Whole, true), [60, 61, 98, 129, 130, 131]);
    assert_eq!(tracker.late_pages(&ledger, &mut late), Ok(0));
}

#[test]
fn dirty_late_pages_forget_a_basis_that_is_gone() {
    let tracker = tracker();
    let mut writer = tracker.writer().unwrap();
    let other = started(&tracker, &[region(0, 64)]);
    let harvested = started(&tracker, &[region(0, 64)]);
    let ledger = tracker.open_ledger(&[region(0, 64)]).unwrap();
    writer.mark(region(7, 1)).unwrap();
    dirty(&tracker, harvested, Part::Whole, true);
    let mut late = [0u64; 1];
    assert_eq!(tracker.late_pages(&ledger, &mut late), Ok(0));
    tracker.stop(harvested).unwrap();
    tracker.destroy(harvested).unwrap();
    // Another takes the slot; neither it nor `other` was harvested.
    let _fresh = started(&tracker, &[region(0, 64)]);
    assert_eq!(tracker.late_pages(&ledger, &mut late), Ok(1));
    assert_eq!(dirty(&tracker, other, Part::Whole, true), [7]);
}

#[test]
fn dirty_pages_may_be_larger() {
    gpup_core::os::host::install();
    let new = |bytes, page| Tracker::new(Arc::new(SimulatedVram::new(bytes).unwrap()), page, 1);
    assert_eq!(new(1 << 20, 2048).err(), Some(Error::InvalidParameter));
    assert_eq!(new(1 << 20, 12288).err(), Some(Error::InvalidParameter));
    assert_eq!(new(1 << 20, 1 << 21).err(), Some(Error::Misaligned));
    let tracker = new(1 << 20, 1 << 16).unwrap();
    let basis = started(&tracker, &[Region { offset: 1 << 16, bytes: 1 << 18 }]);
    assert_eq!(tracker.create(&[region(1, 16)]), Err(Error::Misaligned));
    tracker.writer().unwrap().write((2 << 16) - 4, &[1; 8]).unwrap();
    assert_eq!(dirty(&tracker, basis, Part::Whole, true), [0, 1]);
}
