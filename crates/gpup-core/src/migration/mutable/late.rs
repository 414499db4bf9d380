//! The late pages: which they are, how they lie in a record, how they are read back.

use crate::Result;
use crate::migration::codec::Record;
use crate::migration::{Damage, Immutable, Mismatch};

/// Neighbouring pages of the dirty plane, counted from the start of the VF's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRun {
    /// The first page.
    pub first: u64,
    /// How many, at least 1.
    pub pages: u64,
}

impl PageRun {
    /// First page behind the run, if such a number exists.
    pub(super) fn end(&self) -> Option<u64> {
        self.first.checked_add(self.pages)
    }
}

/// The runs of set bits in a bitmap that a closure gives word by word; bit `n % 64` of word `n / 64` is page n.
#[derive(Clone, Debug)]
pub struct PageRuns<F> {
    word: F,
    next: u64,
    pages: u64,
}

impl<F: Fn(usize) -> u64> PageRuns<F> {
    /// Runs over `pages` pages; bits beyond them are ignored.
    pub fn new(pages: u64, word: F) -> Self {
        Self { word, next: 0, pages }
    }

    /// First page at or after `from` whose bit is `set`, or the number of pages.
    fn seek(&self, from: u64, set: bool) -> u64 {
        let mut page = from;
        while page < self.pages {
            let word = (self.word)((page / 64) as usize);
            let wanted = (if set { word } else { !word }) >> (page % 64);
            if wanted != 0 {
                return self.pages.min(page + u64::from(wanted.trailing_zeros()));
            }
            page = (page / 64 + 1) * 64;
        }
        self.pages
    }
}

impl<F: Fn(usize) -> u64> Iterator for PageRuns<F> {
    type Item = PageRun;

    fn next(&mut self) -> Option<PageRun> {
        let first = self.seek(self.next, true);
        if first == self.pages {
            self.next = first;
            return None;
        }
        self.next = self.seek(first, false);
        Some(PageRun { first, pages: self.next - first })
    }
}

/// Bytes to write into the VF's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LateRun<'a> {
    /// Byte offset in the VF's memory.
    pub offset: u64,
    /// What belongs there.
    pub bytes: &'a [u8],
}

/// The record, its lengths checked.
#[derive(Clone, Debug)]
pub struct LatePages<'a> {
    page_bytes: u64,
    runs: &'a [u8],
    pages: &'a [u8],
}

/// Bytes of page size and number of runs, in front of the runs.
pub(super) const HEAD_BYTES: u64 = 16;
/// Bytes of one run.
pub(super) const RUN_BYTES: u64 = 16;

impl<'a> LatePages<'a> {
    pub(in crate::migration) fn decode(record: &Record<'a>) -> Result<Self> {
        let mut fields = record.fields(super::VERSION)?;
        let (page_bytes, count) = (fields.u64()?, fields.u64()?);
        let runs = fields.bytes(length(count, RUN_BYTES)?)?;
        let mut total = 0u64;
        let mut last = 0;
        for run in page_runs(runs) {
            let end = run.end().ok_or(Damage::BadValue)?;
            if run.pages == 0 || run.first < last {
                return Err(Damage::BadValue.into());
            }
            // Runs that do not overlap cannot have more pages than there are numbers.
            total += run.pages;
            last = end;
        }
        let pages = fields.bytes(length(total, page_bytes)?)?;
        fields.end()?;
        Ok(Self { page_bytes, runs, pages })
    }

    /// Whether every page lies in the memory of `vf` and has its page size.
    pub(super) fn check(&self, vf: &Immutable) -> Result<()> {
        if self.page_bytes != vf.dirty_page_bytes {
            return Err(Mismatch::DirtyPageSize.into());
        }
        let end = page_runs(self.runs).last().map_or(0, |run| run.first + run.pages);
        match end.checked_mul(self.page_bytes) {
            Some(end) if end <= vf.vram_bytes => Ok(()),
            _ => Err(Damage::BadValue.into()),
        }
    }

    /// Bytes of a page.
    pub fn page_bytes(&self) -> u64 {
        self.page_bytes
    }

    /// Number of runs, and of pages in them.
    pub fn counts(&self) -> (u64, u64) {
        page_runs(self.runs).fold((0, 0), |(runs, pages), run| (runs + 1, pages + run.pages))
    }

    /// The runs with their bytes.
    pub fn runs(self) -> impl Iterator<Item = LateRun<'a>> + Clone + use<'a> {
        let Self { page_bytes, runs, pages } = self;
        page_runs(runs).scan(pages, move |rest, run| {
            let length = usize::try_from(run.pages.checked_mul(page_bytes)?).ok()?;
            let (bytes, behind) = rest.split_at_checked(length)?;
            *rest = behind;
            Some(LateRun { offset: run.first * page_bytes, bytes })
        })
    }
}

/// Bytes of `count` pieces, if this machine can hold so many.
fn length(count: u64, bytes: u64) -> core::result::Result<usize, Damage> {
    let bytes = count.checked_mul(bytes).ok_or(Damage::BadLength)?;
    usize::try_from(bytes).map_err(|_| Damage::BadLength)
}

fn page_runs(runs: &[u8]) -> impl Iterator<Item = PageRun> + Clone {
    runs.as_chunks::<16>().0.iter().map(|run| {
        let (first, pages) = run.split_at(8);
        let value = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        PageRun { first: value(first), pages: value(pages) }
    })
}
