//! Dirties pages at a set rate, over all of the VRAM that the image leaves.
//!
//! The pace follows the guest's clock, which stands still while the VM is paused; which pages are written
//! follows from the step alone.

use gpup_core::PAGE_SIZE;
use gpup_core::device::abi;

use super::Work;
use crate::command::Command;
use crate::spec::{Pattern, Spec, Workload};

/// Most pages of a batch, and the pages of one without a rate.
const BATCH_PAGES: u64 = 1024;
/// Batches a second to aim for.
const BATCHES: u64 = 500;

/// Batches of WRITE_PAGES.
pub(crate) struct Writer {
    seed: u64,
    pages: u64,
    batch: u64,
    interval_ns: u64,
    pattern: abi::Pattern,
}

impl Writer {
    /// Over the pages of `room`, if there is one.
    pub(crate) fn new(spec: &Spec, room: u64) -> Option<Self> {
        let pages = room / PAGE_SIZE;
        let (batch, interval_ns) = pace(spec.dirty_rate);
        let pattern = match spec.pattern {
            Pattern::Sequential => abi::Pattern::Sequential,
            Pattern::Random => abi::Pattern::Random,
            Pattern::Hot => abi::Pattern::Hot,
        };
        (pages != 0).then_some(Self { seed: spec.seed, pages, batch, interval_ns, pattern })
    }
}

/// Pages of a batch and nanoseconds between two, for so many pages a second (0 = without limit).
fn pace(rate: u64) -> (u64, u64) {
    if rate == 0 {
        return (BATCH_PAGES, 0);
    }
    let batch = (rate / BATCHES).clamp(1, BATCH_PAGES);
    (batch, (batch * 1_000_000_000 / rate).max(1))
}

impl Work for Writer {
    fn workload(&self) -> Workload {
        Workload::Writer
    }

    fn extent(&self) -> u64 {
        self.pages * PAGE_SIZE
    }

    fn setup_len(&self) -> u64 {
        0
    }

    fn setup(&self, _index: u64) -> Command {
        Command::Nop
    }

    fn step_len(&self) -> u64 {
        1
    }

    fn command(&self, step: u64, _part: u64) -> Command {
        Command::WritePages {
            base: 0,
            pages: self.pages,
            index: step * self.batch,
            count: self.batch as u32,
            pattern: self.pattern,
            seed: self.seed,
        }
    }

    fn interval_ns(&self) -> u64 {
        self.interval_ns
    }
}

#[cfg(test)]
mod tests {
    use super::pace;

    #[test]
    fn pace_keeps_the_rate() {
        for rate in [1, 7, 499, 500, 1_000, 25_600, 512_000, 1_000_000, 50_000_000] {
            let (batch, interval) = pace(rate);
            let got = batch as f64 * 1e9 / interval as f64;
            assert!((got / rate as f64 - 1.0).abs() < 1e-3, "{rate}: {got}");
            assert!(interval >= 1_000_000 || batch == super::BATCH_PAGES, "{rate}");
        }
        assert_eq!(pace(u64::MAX), (super::BATCH_PAGES, 1));
        assert_eq!(pace(0), (super::BATCH_PAGES, 0));
    }
}
