//! The cost model: what work takes in engine time.
//!
//! Engine time is simulated: a packet's ticks (nanoseconds) follow from the packet alone, so scheduling and its
//! figures are the same on a busy host, an idle one, and every time. The default rates are near what a processor
//! core does for real, so engine time and wall time stay comparable.

use super::command::{Command, Life, Matmul, Nbody};
use crate::VfIndex;

/// Bytes of one chunk of host paging, at most.
pub const CHUNK_BYTES: u64 = 1 << 20;
/// Ticks of one chunk of host paging, at most: what a neighbour can lose to it.
pub const CHUNK_TICKS: u64 = 250_000;

/// How fast the engines are. Times are in ticks, which are nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Fixed cost of each packet.
    pub packet: u64,
    /// Cost of turning an engine from one VF to another.
    pub switch: u64,
    /// Bytes per microsecond that COPY, UPLOAD, READBACK and paging move.
    pub copy: u64,
    /// Bytes per microsecond that FILL writes and HASH reads.
    pub stream: u64,
    /// Multiply-adds per microsecond of MATMUL.
    pub multiply_adds: u64,
    /// Cells per microsecond of LIFE.
    pub cells: u64,
    /// Pairs per microsecond of NBODY.
    pub pairs: u64,
    /// Stamps per microsecond of WRITE_PAGES, and page-table entries of paging.
    pub stamps: u64,
}

impl Rates {
    /// Rates near those of one processor core.
    pub const USUAL: Self = Self {
        packet: 2_000,
        switch: 5_000,
        copy: 6_000,
        stream: 10_000,
        multiply_adds: 4_000,
        cells: 1_000,
        pairs: 250,
        stamps: 10,
    };
}

impl Default for Rates {
    fn default() -> Self {
        Self::USUAL
    }
}

impl Rates {
    /// Whether every rate can be divided by.
    pub(super) fn are_sound(&self) -> bool {
        [self.copy, self.stream, self.multiply_adds, self.cells, self.pairs, self.stamps]
            .iter()
            .all(|rate| *rate > 0)
    }

    /// Ticks of a guest's command.
    pub(super) fn command(&self, command: &Command<'_>) -> u64 {
        let (work, rate) = match command {
            Command::Nop => (0, 1),
            Command::Fill { bytes, .. } | Command::Hash { bytes, .. } => (*bytes, self.stream),
            Command::Copy { bytes, .. } => (*bytes, self.copy),
            Command::Upload { data, .. } => (data.len() as u64, self.copy),
            Command::Readback { bytes, .. } => (u64::from(*bytes), self.copy),
            Command::Matmul(Matmul { n, rows, .. }) => {
                (u64::from(*n).pow(2).saturating_mul(u64::from(*rows)), self.multiply_adds)
            }
            Command::Life(Life { width, rows, .. }) => (u64::from(*width) * u64::from(*rows), self.cells),
            Command::Nbody(Nbody { count, bodies, .. }) => {
                (u64::from(*count) * u64::from(*bodies), self.pairs)
            }
            Command::WritePages(write) => (u64::from(write.count), self.stamps),
        };
        self.packet + ticks(work, rate)
    }

    /// Ticks to move `bytes` bytes.
    pub(super) fn moved(&self, bytes: u64) -> u64 {
        ticks(bytes, self.copy)
    }

    /// Ticks to fill `bytes` bytes.
    pub(super) fn filled(&self, bytes: u64) -> u64 {
        ticks(bytes, self.stream)
    }

    /// Ticks to write page-table entries.
    pub(super) fn entries(&self, count: u64) -> u64 {
        ticks(count, self.stamps)
    }

    /// Whole pages that fit a chunk of paging at `rate`, in bytes; a page at least.
    pub(super) fn chunk(&self, rate: u64) -> u64 {
        let bytes = CHUNK_TICKS.saturating_sub(self.packet + self.switch).saturating_mul(rate) / 1_000;
        bytes.clamp(crate::PAGE_SIZE, CHUNK_BYTES) & !(crate::PAGE_SIZE - 1)
    }

    /// Ticks to turn from `from` to `to`; the PF's everyday work is `None` too.
    pub(super) fn turn(&self, from: Option<VfIndex>, to: Option<VfIndex>) -> u64 {
        if from == to { 0 } else { self.switch }
    }
}

/// `work` at `rate` a microsecond, in nanoseconds.
fn ticks(work: u64, rate: u64) -> u64 {
    work.saturating_mul(1_000) / rate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_end_within_their_time() {
        for copy in [1, 100, 3_000, 4_300, 6_000, 1_000_000] {
            let rates = Rates { copy, ..Rates::default() };
            let chunk = rates.chunk(copy);
            assert!(chunk.is_multiple_of(4096) && (4096..=CHUNK_BYTES).contains(&chunk));
            if chunk > 4096 {
                assert!(rates.packet + rates.switch + rates.moved(chunk) <= CHUNK_TICKS, "{copy}");
            }
        }
        assert!(Rates::default().are_sound());
        assert!(!Rates { cells: 0, ..Rates::default() }.are_sound());
    }
}
