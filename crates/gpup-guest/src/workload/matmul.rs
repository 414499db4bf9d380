//! A chain of matrix products that never grows or fades: x <- (x q) / sqrt(n).
//!
//! q is a Hadamard matrix with the signs of its rows and columns drawn by the seed. Its entries are 1 and
//! -1 and n is a power of four, so q / sqrt(n) is orthogonal without a rounding error: x keeps its norm
//! however many steps are done, and every element depends on all of a row of the step before.

use super::{Work, upload, uploads};
use crate::command::Command;
use crate::random;
use crate::spec::Workload;

/// Sides, from the largest: powers of four.
const SIDES: [u32; 3] = [256, 64, 16];
/// Multiply-adds of a command.
const COMMAND_MACS: u32 = 1 << 20;
/// Streams of the signs of rows and columns.
const ROW_SIGNS: u64 = 0x726f_7773;
const COLUMN_SIGNS: u64 = 0x636f_6c73;

/// Three n x n matrices: x and its successor in turn, then q.
pub(crate) struct Matmul {
    seed: u64,
    /// Rows and columns.
    pub(crate) n: u32,
}

impl Matmul {
    /// The largest that fits.
    pub(crate) fn new(seed: u64, room: u64) -> Option<Self> {
        SIDES.map(|n| Self { seed, n }).into_iter().find(|work| work.extent() <= room)
    }

    const fn matrix_bytes(&self) -> u64 {
        self.n as u64 * self.n as u64 * 4
    }

    /// An element of the first x.
    pub(crate) fn start(&self, element: u64) -> f32 {
        random::unit(self.seed, element)
    }

    /// An element of q: 1 or -1.
    pub(crate) fn factor(&self, element: u64) -> f32 {
        let (row, column) = (element / u64::from(self.n), element % u64::from(self.n));
        let signs =
            random::number(self.seed ^ ROW_SIGNS, row) ^ random::number(self.seed ^ COLUMN_SIGNS, column);
        let odd = u64::from((row & column).count_ones()) ^ signs;
        if odd & 1 == 0 { 1.0 } else { -1.0 }
    }

    fn rows(&self) -> u32 {
        (COMMAND_MACS / (self.n * self.n)).clamp(1, self.n)
    }
}

/// Fills `data` with the elements from byte `offset` on.
fn elements(offset: u64, data: &mut [u8], element: impl Fn(u64) -> f32) {
    for (index, bytes) in (offset / 4..).zip(data.chunks_exact_mut(4)) {
        bytes.copy_from_slice(&element(index).to_le_bytes());
    }
}

impl Work for Matmul {
    fn workload(&self) -> Workload {
        Workload::Matmul
    }

    fn extent(&self) -> u64 {
        3 * self.matrix_bytes()
    }

    fn setup_len(&self) -> u64 {
        2 * uploads(self.matrix_bytes()) + 1
    }

    fn setup(&self, index: u64) -> Command {
        let bytes = self.matrix_bytes();
        let each = uploads(bytes);
        if index < each {
            upload(0, bytes, index, |offset, data| elements(offset, data, |i| self.start(i)))
        } else if index < 2 * each {
            upload(2 * bytes, bytes, index - each, |offset, data| elements(offset, data, |i| self.factor(i)))
        } else {
            Command::Fill { dst: bytes, bytes, pattern: 0 }
        }
    }

    fn step_len(&self) -> u64 {
        u64::from(self.n / self.rows())
    }

    fn command(&self, step: u64, part: u64) -> Command {
        let rows = self.rows();
        Command::Matmul {
            a: self.current(step),
            b: 2 * self.matrix_bytes(),
            c: self.current(step + 1),
            n: self.n,
            first_row: part as u32 * rows,
            rows,
            scale: 1.0 / (1 << (self.n.ilog2() / 2)) as f32,
        }
    }

    fn current(&self, steps: u64) -> u64 {
        steps % 2 * self.matrix_bytes()
    }
}
