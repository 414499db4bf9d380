//! Conway's Life on a torus, from a random soup.

use super::{Work, upload, uploads};
use crate::command::Command;
use crate::random;
use crate::spec::Workload;

/// Sides, from the largest: powers of two, multiples of 8.
const SIDES: [u32; 6] = [1024, 512, 256, 128, 64, 32];
/// Cells of a command.
const COMMAND_CELLS: u32 = 1 << 16;
/// Of 256 cells so many live at first.
const DENSITY: u8 = 96;

/// Two grids in turn, a byte a cell.
pub(crate) struct Stencil {
    seed: u64,
    /// Cells of a row and rows of the grid.
    pub(crate) side: u32,
}

impl Stencil {
    /// The largest that fits.
    pub(crate) fn new(seed: u64, room: u64) -> Option<Self> {
        SIDES.map(|side| Self { seed, side }).into_iter().find(|work| work.extent() <= room)
    }

    const fn grid_bytes(&self) -> u64 {
        self.side as u64 * self.side as u64
    }

    /// Fills `cells` with the first grid from cell `offset` (a multiple of 8) on.
    pub(crate) fn start(&self, offset: u64, cells: &mut [u8]) {
        for (index, eight) in (offset / 8..).zip(cells.chunks_exact_mut(8)) {
            let draw = random::number(self.seed, index).to_le_bytes();
            eight.iter_mut().zip(draw).for_each(|(cell, byte)| *cell = u8::from(byte < DENSITY));
        }
    }

    fn rows(&self) -> u32 {
        (COMMAND_CELLS / self.side).min(self.side)
    }
}

impl Work for Stencil {
    fn workload(&self) -> Workload {
        Workload::Stencil
    }

    fn extent(&self) -> u64 {
        2 * self.grid_bytes()
    }

    fn setup_len(&self) -> u64 {
        uploads(self.grid_bytes()) + 1
    }

    fn setup(&self, index: u64) -> Command {
        let bytes = self.grid_bytes();
        if index < uploads(bytes) {
            upload(0, bytes, index, |offset, cells| self.start(offset, cells))
        } else {
            Command::Fill { dst: bytes, bytes, pattern: 0 }
        }
    }

    fn step_len(&self) -> u64 {
        u64::from(self.side / self.rows())
    }

    fn command(&self, step: u64, part: u64) -> Command {
        let rows = self.rows();
        Command::Life {
            src: self.current(step),
            dst: self.current(step + 1),
            width: self.side,
            height: self.side,
            first_row: part as u32 * rows,
            rows,
        }
    }

    fn current(&self, steps: u64) -> u64 {
        steps % 2 * self.grid_bytes()
    }
}
