//! LIFE: a step of Conway's game on a torus.

use core::mem;

use super::{Scratch, check_part};
use crate::device::abi::{FaultCode, LIFE_MAX, LIFE_WORK_MAX};
use crate::device::sim::command::Life;
use crate::device::sim::memory::{VfMemory, check_disjoint};

/// Rows between two looks at whether the command must end.
const ROWS_A_LOOK: u32 = 16;

pub(super) fn run(memory: &mut VfMemory<'_>, scratch: &mut Scratch, op: &Life) -> Result<(), FaultCode> {
    let sides = 1..=LIFE_MAX;
    if !sides.contains(&op.width) || !sides.contains(&op.height) || !op.width.is_multiple_of(8) {
        return Err(FaultCode::BadParameter);
    }
    check_part(op.first_row, op.rows, op.height)?;
    let width = u64::from(op.width);
    if width * u64::from(op.rows) > LIFE_WORK_MAX {
        return Err(FaultCode::BadParameter);
    }
    let grid = width * u64::from(op.height);
    memory.check(op.src, grid)?;
    memory.check(op.dst, grid)?;
    check_disjoint(op.src, grid, op.dst, grid)?;

    let mut rows = scratch.bytes.chunks_exact_mut(LIFE_MAX as usize).map(|row| &mut row[..op.width as usize]);
    let (Some(mut up), Some(mut here), Some(mut down), Some(next)) =
        (rows.next(), rows.next(), rows.next(), rows.next())
    else {
        return Err(FaultCode::BadParameter);
    };
    let row_at = |row: u32| u64::from(row % op.height) * width;
    memory.read(op.src + row_at(op.first_row + op.height - 1), up)?;
    memory.read(op.src + row_at(op.first_row), here)?;
    for row in op.first_row..op.first_row + op.rows {
        if row % ROWS_A_LOOK == 0 {
            memory.proceed()?;
        }
        memory.read(op.src + row_at(row + 1), down)?;
        step(up, here, down, next);
        memory.write(op.dst + row_at(row), next)?;
        // The row just read is the middle of the next step, the middle its upper one.
        mem::swap(&mut up, &mut here);
        mem::swap(&mut here, &mut down);
    }
    Ok(())
}

/// The row after `here`, between `up` and `down`.
fn step(up: &[u8], here: &[u8], down: &[u8], next: &mut [u8]) {
    let width = next.len();
    let column = |x: usize| (up[x] & 1) + (here[x] & 1) + (down[x] & 1);
    let (mut left, mut middle) = (column(width - 1), column(0));
    let first = middle;
    for x in 0..width {
        let right = if x + 1 < width { column(x + 1) } else { first };
        let alive = here[x] & 1;
        let around = left + middle + right - alive;
        next[x] = u8::from(around == 3) | (alive & u8::from(around == 2));
        (left, middle) = (middle, right);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;
    use crate::device::sim::command::Command;

    fn plain(width: usize, height: usize, cells: &[u8]) -> Vec<u8> {
        let cell = |x: usize, y: usize| cells[y % height * width + x % width] & 1;
        let mut next = vec![0; cells.len()];
        for y in 0..height {
            for x in 0..width {
                let mut around = 0;
                for dy in 0..3 {
                    for dx in 0..3 {
                        if (dx, dy) != (1, 1) {
                            around += cell(x + width + dx - 1, y + height + dy - 1);
                        }
                    }
                }
                next[y * width + x] = u8::from(around == 3 || (around == 2 && cell(x, y) == 1));
            }
        }
        next
    }

    #[test]
    fn rows_make_up_the_plain_step() {
        for (width, height) in [(8usize, 1usize), (8, 2), (16, 3), (64, 40), (128, 97)] {
            let mut bench = Bench::new(16);
            let cells: Vec<u8> = (0..width * height).map(|n| ((n * n * 31 + n * 7) >> 3) as u8).collect();
            bench.write(0, &cells);
            let rows = height.div_ceil(3);
            for first_row in (0..height).step_by(rows) {
                let life = Life {
                    src: 0,
                    dst: 20_000,
                    width: width as u32,
                    height: height as u32,
                    first_row: first_row as u32,
                    rows: rows.min(height - first_row) as u32,
                };
                bench.run(&Command::Life(life)).unwrap();
            }
            assert_eq!(bench.read(20_000, cells.len()), plain(width, height, &cells), "{width} x {height}");
        }
    }

    #[test]
    fn limits_hold() {
        let good = Life { src: 0, dst: 4096, width: 64, height: 64, first_row: 0, rows: 64 };
        let run = |life| Bench::new(4).run(&Command::Life(life));
        assert_eq!(run(good), Ok(()));
        for bad in [
            Life { width: 0, ..good },
            Life { width: 12, ..good },
            Life { width: LIFE_MAX + 8, ..good },
            Life { height: 0, ..good },
            Life { rows: 65, ..good },
            Life { rows: 0, ..good },
            Life { first_row: u32::MAX, ..good },
            Life { dst: 4088, ..good },
            Life { width: 32768, height: 64, ..good },
        ] {
            assert_eq!(run(bad), Err(FaultCode::BadParameter), "{bad:?}");
        }
        assert_eq!(run(Life { dst: 4096 * 3 + 8, ..good }), Err(FaultCode::OutOfRange));
    }
}
