//! Sets of pages as bitmaps and runs, and their cutting into batches.

use alloc::vec::Vec;

pub use dxgksim::vidmm::Run;

/// Calls `visit` with every run of set bits among the first `bits` of `words`, in order.
pub fn for_each_run(words: &[u64], bits: u64, mut visit: impl FnMut(Run)) {
    let mut open: Option<u64> = None;
    for (index, &word) in words.iter().enumerate() {
        let base = index as u64 * 64;
        if base >= bits {
            break;
        }
        if word == 0 || word == u64::MAX {
            match (word, open) {
                (0, Some(first)) => {
                    visit(Run { first, count: base - first });
                    open = None;
                }
                (u64::MAX, None) => open = Some(base),
                _ => {}
            }
            continue;
        }
        for bit in 0..64 {
            let set = word >> bit & 1 == 1 && base + bit < bits;
            match (set, open) {
                (true, None) => open = Some(base + bit),
                (false, Some(first)) => {
                    visit(Run { first, count: base + bit - first });
                    open = None;
                }
                _ => {}
            }
        }
    }
    if let Some(first) = open {
        visit(Run { first, count: bits.min(words.len() as u64 * 64) - first });
    }
}

/// Set bits in `words`.
pub fn count(words: &[u64]) -> u64 {
    words.iter().map(|word| u64::from(word.count_ones())).sum()
}

/// Pages to be moved, handed out in batches of at most `batch` pages.
pub struct Batches {
    runs: Vec<Run>,
    next: usize,
    batch: u64,
}

impl Batches {
    /// The set bits among the first `bits` of `words`.
    pub fn new(words: &[u64], bits: u64, batch: u64) -> Self {
        let mut runs = Vec::new();
        for_each_run(words, bits, |run| runs.push(run));
        Self { runs, next: 0, batch }
    }

    /// Pages not yet handed out.
    pub fn pages(&self) -> u64 {
        self.runs[self.next..].iter().map(|run| run.count).sum()
    }

    /// Hands out no more, and sets the bits of what was not handed out in `left`.
    pub fn stop_into(&mut self, left: &mut [u64]) {
        for run in &self.runs[self.next..] {
            for page in run.first..run.first + run.count {
                left[(page / 64) as usize] |= 1 << (page % 64);
            }
        }
        self.stop();
    }

    /// Hands out no more.
    pub fn stop(&mut self) {
        self.next = self.runs.len();
    }

    /// Puts the next batch's runs into `out`; false when none is left.
    pub fn take(&mut self, out: &mut Vec<Run>) -> bool {
        out.clear();
        let mut room = self.batch;
        while room > 0 && self.next < self.runs.len() {
            let run = &mut self.runs[self.next];
            let count = run.count.min(room);
            out.push(Run { first: run.first, count });
            room -= count;
            run.first += count;
            run.count -= count;
            if run.count == 0 {
                self.next += 1;
            }
        }
        !out.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(words: &[u64], bits: u64) -> Vec<(u64, u64)> {
        let mut found = Vec::new();
        for_each_run(words, bits, |run| found.push((run.first, run.count)));
        found
    }

    #[test]
    fn runs_cross_words_and_end_at_the_last_page() {
        assert_eq!(runs(&[0], 64), []);
        assert_eq!(runs(&[1], 1), [(0, 1)]);
        assert_eq!(runs(&[1 << 63, 1], 128), [(63, 2)]);
        assert_eq!(runs(&[u64::MAX, u64::MAX], 100), [(0, 100)]);
        assert_eq!(runs(&[u64::MAX, 0b101], 128), [(0, 65), (66, 1)]);
        assert_eq!(runs(&[0b10, u64::MAX, 0], 192), [(1, 1), (64, 64)]);
        assert_eq!(runs(&[0xff00], 10), [(8, 2)]);
    }

    #[test]
    fn batches_hold_every_page_once_and_no_more_than_asked() {
        let words = [0x00ff_0f0f_ffff_0001, u64::MAX, 0, 0x8000_0000_0000_0001];
        let mut batches = Batches::new(&words, 256, 7);
        let (mut seen, mut batch) = (0, Vec::new());
        let mut last = None;
        while batches.take(&mut batch) {
            let pages: u64 = batch.iter().map(|run| run.count).sum();
            assert!((1..=7).contains(&pages));
            seen += pages;
            for run in &batch {
                assert!(last.is_none_or(|last| run.first > last));
                last = Some(run.first + run.count - 1);
            }
        }
        assert_eq!(seen, count(&words));
    }

    #[test]
    fn what_was_not_handed_out_is_left() {
        let words = [0xffff_0000_0000_00ff, 0b1011];
        let mut batches = Batches::new(&words, 128, 10);
        let mut batch = Vec::new();
        assert!(batches.take(&mut batch));
        let mut left = [0; 2];
        batches.stop_into(&mut left);
        assert_eq!(left, [0xfffc_0000_0000_0000, 0b1011]);
        assert!(!batches.take(&mut batch));
        assert_eq!(batches.pages(), 0);
    }
}
