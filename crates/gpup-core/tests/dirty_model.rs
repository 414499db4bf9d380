//! The tracker against a model that keeps a set of pages for every basis: any bases, any order of starts,
//! stops, writes, harvests and migrations. After every step every bit of every basis is compared, so a
//! harvest that changed a neighbour's bits, at any alignment, is found.

use std::collections::BTreeSet;
use std::sync::Arc;

use gpup_core::Error;
use gpup_core::device::Region;
use gpup_core::dirty::{BasisHandle, Ledger, Outcome, Part, Tracker, Writer, runs};
use gpup_core::vram::SimulatedVram;
use proptest::prelude::*;

const PAGE: u64 = 4096;
const PAGES: u64 = 400;
/// Bases, and ledgers, a step can name.
const NAMES: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    Create(usize, Vec<Region>),
    Destroy(usize),
    Start(usize),
    Stop(usize),
    Write { offset: u64, bytes: u64 },
    Query { basis: usize, part: Part, clear: bool, short: bool },
    Open(usize, Vec<Region>),
    Late(usize),
    Close(usize, Outcome),
}

fn regions() -> impl Strategy<Value = Vec<Region>> {
    prop::collection::vec((0..PAGES, 1..140u64), 1..6).prop_map(|wanted| {
        let mut regions: Vec<Region> = Vec::new();
        for (page, pages) in wanted {
            let region = Region { offset: page * PAGE, bytes: pages.min(PAGES - page) * PAGE };
            if regions.iter().all(|other| region.end() <= other.offset || other.end() <= region.offset) {
                regions.push(region);
            }
        }
        regions
    })
}

fn part() -> impl Strategy<Value = Part> {
    let range = (0..6u64, 0..150u64, 0..150u64).prop_map(|(index, page, pages)| Part::Range {
        index,
        offset: page * PAGE,
        bytes: pages * PAGE,
    });
    prop_oneof![1 => Just(Part::Whole), 3 => range]
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..NAMES;
    prop_oneof![
        2 => (name.clone(), regions()).prop_map(|(name, regions)| Step::Create(name, regions)),
        1 => name.clone().prop_map(Step::Destroy),
        4 => name.clone().prop_map(Step::Start),
        1 => name.clone().prop_map(Step::Stop),
        8 => (0..PAGES * PAGE, 1..300_000u64).prop_map(|(offset, bytes)| Step::Write {
            offset,
            bytes: bytes.min(PAGES * PAGE - offset),
        }),
        10 => (name.clone(), part(), any::<bool>(), prop::bool::weighted(0.1))
            .prop_map(|(basis, part, clear, short)| Step::Query { basis, part, clear, short }),
        2 => (name.clone(), regions()).prop_map(|(name, regions)| Step::Open(name, regions)),
        4 => name.clone().prop_map(Step::Late),
        1 => (name, prop::sample::select(vec![Outcome::Restore, Outcome::Discard]))
            .prop_map(|(name, outcome)| Step::Close(name, outcome)),
    ]
}

fn pages(regions: &[Region]) -> Vec<u64> {
    regions.iter().flat_map(|region| region.offset / PAGE..region.end() / PAGE).collect()
}

/// What a basis should be.
struct Basis {
    handle: BasisHandle,
    regions: Vec<Region>,
    starts: u32,
    dirty: BTreeSet<u64>,
}

impl Basis {
    /// The pages of a part, in the order of their bits.
    fn part(&self, part: Part) -> Result<Vec<u64>, Error> {
        let Part::Range { index, offset, bytes } = part else {
            return Ok(pages(&self.regions));
        };
        let region = self.regions.get(index as usize).ok_or(Error::OutOfRange)?;
        match bytes {
            0 => Err(Error::InvalidParameter),
            _ if offset + bytes > region.bytes => Err(Error::OutOfRange),
            _ => Ok(pages(&[Region { offset: region.offset + offset, bytes }])),
        }
    }
}

/// What a ledger should be.
struct Record {
    ledger: Arc<Ledger>,
    pages: Vec<u64>,
    recorded: BTreeSet<u64>,
    harvested: BTreeSet<u64>,
}

struct World {
    tracker: Tracker,
    writer: Writer,
    bases: [Option<Basis>; NAMES],
    ledgers: [Option<Record>; NAMES],
}

fn packed(pages: &[u64], dirty: &BTreeSet<u64>) -> Vec<u8> {
    let mut out = vec![0u8; pages.len().div_ceil(8)];
    for (bit, _) in pages.iter().enumerate().filter(|(_, page)| dirty.contains(page)) {
        out[bit / 8] |= 1 << (bit % 8);
    }
    out
}

impl World {
    fn new() -> Self {
        gpup_core::os::host::install();
        let tracker = Tracker::new(Arc::new(SimulatedVram::new(PAGES * PAGE).unwrap()), PAGE, 1).unwrap();
        let writer = tracker.writer().unwrap();
        Self { tracker, writer, bases: Default::default(), ledgers: Default::default() }
    }

    fn mark(&mut self, pages: &BTreeSet<u64>) {
        for basis in self.bases.iter_mut().flatten().filter(|basis| basis.starts > 0) {
            let covered: BTreeSet<u64> = self::pages(&basis.regions).into_iter().collect();
            basis.dirty.extend(pages.intersection(&covered));
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Create(name, regions) => {
                if self.bases[name].is_none() {
                    let handle = self.tracker.create(&regions).unwrap();
                    self.bases[name] = Some(Basis { handle, regions, starts: 0, dirty: BTreeSet::new() });
                }
            }
            Step::Destroy(name) => {
                let Some(basis) = &self.bases[name] else { return };
                let (handle, answer) = (basis.handle, self.tracker.destroy(basis.handle));
                assert_eq!(answer, Ok(()));
                assert_eq!(self.tracker.start(handle), Err(Error::StaleHandle));
                self.bases[name] = None;
            }
            Step::Start(name) => {
                let Some(basis) = &mut self.bases[name] else {
                    return;
                };
                self.tracker.start(basis.handle).unwrap();
                if basis.starts == 0 {
                    basis.dirty.clear();
                }
                basis.starts += 1;
            }
            Step::Stop(name) => {
                let Some(basis) = &mut self.bases[name] else {
                    return;
                };
                let answer = self.tracker.stop(basis.handle);
                assert_eq!(answer, if basis.starts > 0 { Ok(()) } else { Err(Error::WrongState) });
                basis.starts = basis.starts.saturating_sub(1);
            }
            Step::Write { offset, bytes } => {
                self.writer.write(offset, &vec![1; bytes as usize]).unwrap();
                self.mark(&(offset / PAGE..(offset + bytes).div_ceil(PAGE)).collect());
            }
            Step::Query { basis, part, clear, short } => self.query(basis, part, clear, short),
            Step::Open(name, regions) => {
                if self.ledgers[name].is_none() {
                    let (ledger, pages) = (self.tracker.open_ledger(&regions).unwrap(), pages(&regions));
                    let (recorded, harvested) = Default::default();
                    self.ledgers[name] = Some(Record { ledger, pages, recorded, harvested });
                }
            }
            Step::Late(name) => self.late(name),
            Step::Close(name, outcome) => {
                let Some(record) = self.ledgers[name].take() else {
                    return;
                };
                assert_eq!(record.ledger.recorded(), record.recorded.len() as u64);
                self.tracker.close_ledger(&record.ledger, outcome).unwrap();
                if outcome == Outcome::Restore {
                    self.mark(&record.recorded);
                }
            }
        }
    }

    fn query(&mut self, name: usize, part: Part, clear: bool, short: bool) {
        let Some(basis) = &mut self.bases[name] else {
            return;
        };
        let mut out = vec![0xa5; 64];
        let answer = |out: &mut [u8]| self.tracker.query(basis.handle, part, clear, out);
        let pages = match basis.part(part) {
            Ok(pages) => pages,
            Err(error) => return assert_eq!(answer(&mut out), Err(error)),
        };
        if basis.starts == 0 {
            return assert_eq!(answer(&mut out), Err(Error::WrongState));
        }
        let expected = packed(&pages, &basis.dirty);
        if short {
            assert_eq!(answer(&mut out[..expected.len() - 1]), Err(Error::BufferTooSmall));
            return assert!(out.iter().all(|byte| *byte == 0xa5));
        }
        assert_eq!(answer(&mut out), Ok(expected.len()));
        assert_eq!(out[..expected.len()], expected);
        assert!(out[expected.len()..].iter().all(|byte| *byte == 0xa5));
        if clear {
            let asked: BTreeSet<u64> = pages.into_iter().collect();
            for record in self.ledgers.iter_mut().flatten() {
                let mine: BTreeSet<u64> = record.pages.iter().copied().collect();
                if !mine.is_disjoint(&asked) {
                    record.harvested.insert(basis.handle.to_raw());
                }
                record
                    .recorded
                    .extend(basis.dirty.iter().filter(|page| asked.contains(page) && mine.contains(page)));
            }
            basis.dirty.retain(|page| !asked.contains(page));
        }
    }

    fn late(&self, name: usize) {
        let Some(record) = &self.ledgers[name] else { return };
        let mut out = vec![u64::MAX; record.ledger.words()];
        let count = self.tracker.late_pages(&record.ledger, &mut out).unwrap();
        let tracked = || self.bases.iter().flatten().filter(|basis| basis.starts > 0);
        let harvested = |basis: &&Basis| record.harvested.contains(&basis.handle.to_raw());
        let all = !tracked().any(|basis| harvested(&basis));
        let dirty =
            tracked().filter(|basis| all || harvested(basis)).flat_map(|basis| basis.dirty.iter().copied());
        let dirty: BTreeSet<u64> = dirty.filter(|page| record.pages.contains(page)).collect();
        let listed: BTreeSet<u64> = runs(&out).flatten().map(|bit| record.pages[bit as usize]).collect();
        assert_eq!(listed, dirty);
        assert_eq!(count, dirty.len() as u64);
    }

    fn check(&self) {
        assert_eq!(self.tracker.leaked(), self.bases.iter().flatten().count());
        for basis in self.bases.iter().flatten().filter(|basis| basis.starts > 0) {
            let expected = packed(&pages(&basis.regions), &basis.dirty);
            let mut out = vec![0; expected.len()];
            self.tracker.query(basis.handle, Part::Whole, false, &mut out).unwrap();
            assert_eq!(out, expected);
        }
    }
}

proptest! {
    #[test]
    fn dirty_the_tracker_is_its_model(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
            world.check();
        }
    }
}
