//! MATMUL: rows of a product of two square matrices.
//!
//! Each element is summed over k from 0 up, in f32, then scaled: the order is part of the result.

use bytemuck::cast_slice_mut;

use super::{BLOCK_FLOATS, Scratch, check_part};
use crate::device::abi::{FaultCode, MATMUL_MAX, MATMUL_WORK_MAX};
use crate::device::sim::command::Matmul;
use crate::device::sim::memory::{VfMemory, check_disjoint};

pub(super) fn run(memory: &mut VfMemory<'_>, scratch: &mut Scratch, op: &Matmul) -> Result<(), FaultCode> {
    if op.n == 0 || op.n > MATMUL_MAX {
        return Err(FaultCode::BadParameter);
    }
    check_part(op.first_row, op.rows, op.n)?;
    let (n, rows) = (u64::from(op.n), u64::from(op.rows));
    if rows * n * n > MATMUL_WORK_MAX {
        return Err(FaultCode::BadParameter);
    }
    // A square of odd side ends in the middle of eight bytes; what is checked is the whole eight.
    let matrix = (n * n * 4).next_multiple_of(8);
    for at in [op.a, op.b, op.c] {
        memory.check(at, matrix)?;
    }
    check_disjoint(op.a, matrix, op.c, matrix)?;
    check_disjoint(op.b, matrix, op.c, matrix)?;

    let (n, rows) = (op.n as usize, op.rows as usize);
    let row_bytes = n as u64 * 4;
    let part = u64::from(op.first_row) * row_bytes;
    let (a, rest) = scratch.floats.split_at_mut(BLOCK_FLOATS);
    let (c, rest) = rest.split_at_mut(BLOCK_FLOATS);
    let (a, c, b) = (&mut a[..rows * n], &mut c[..rows * n], &mut rest[..n]);
    memory.read(op.a + part, cast_slice_mut(a))?;
    c.fill(0.0);
    for k in 0..n {
        if k % 64 == 0 {
            memory.proceed()?;
        }
        memory.read(op.b + k as u64 * row_bytes, cast_slice_mut(b))?;
        for (a, c) in a.chunks_exact(n).zip(c.chunks_exact_mut(n)) {
            let factor = a[k];
            for (c, b) in c.iter_mut().zip(&*b) {
                *c += factor * b;
            }
        }
    }
    c.iter_mut().for_each(|element| *element *= op.scale);
    memory.write(op.c + part, cast_slice_mut(c))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, bytes_of};
    use super::*;
    use crate::device::sim::command::Command;

    fn product(n: usize, a: &[f32], b: &[f32], scale: f32) -> Vec<f32> {
        let element =
            |i: usize, j: usize| (0..n).fold(0.0f32, |sum, k| sum + a[i * n + k] * b[k * n + j]) * scale;
        (0..n * n).map(|at| element(at / n, at % n)).collect()
    }

    #[test]
    fn rows_make_up_the_plain_product() {
        for n in [1usize, 7, 48, 203] {
            let mut bench = Bench::new(160);
            let a: Vec<f32> = (0..n * n).map(|at| (at % 17) as f32 - 8.25).collect();
            let b: Vec<f32> = (0..n * n).map(|at| (at % 13) as f32 * 0.5 - 3.0).collect();
            let (at_b, at_c) = (200_000, 400_000);
            for (base, matrix) in [(0, &a), (at_b, &b)] {
                for (number, part) in (0..).zip(bytes_of(matrix).chunks(32_768)) {
                    let mut part = part.to_vec();
                    part.resize(part.len().next_multiple_of(8), 0);
                    bench.write(base + number * 32_768, &part);
                }
            }
            let rows = n.div_ceil(2);
            for first_row in (0..n).step_by(rows) {
                let matmul = Matmul {
                    a: 0,
                    b: at_b,
                    c: at_c,
                    n: n as u32,
                    first_row: first_row as u32,
                    rows: rows.min(n - first_row) as u32,
                    scale: 0.125,
                };
                bench.run(&Command::Matmul(matmul)).unwrap();
            }
            assert_eq!(bench.floats(at_c, n * n), product(n, &a, &b, 0.125), "{n}");
        }
    }

    #[test]
    fn limits_hold() {
        let good = Matmul { a: 0, b: 65_536, c: 131_072, n: 128, first_row: 0, rows: 128, scale: 1.0 };
        let run = |matmul| Bench::new(64).run(&Command::Matmul(matmul));
        assert_eq!(run(good), Ok(()));
        for bad in [
            Matmul { n: 0, rows: 0, ..good },
            Matmul { n: MATMUL_MAX + 1, ..good },
            Matmul { rows: 0, ..good },
            Matmul { first_row: 1, ..good },
            Matmul { first_row: u32::MAX, ..good },
            Matmul { c: 65_528, ..good },
            Matmul { c: 0, ..good },
            Matmul { n: 204, rows: 204, ..good },
        ] {
            assert_eq!(run(bad), Err(FaultCode::BadParameter), "{bad:?}");
        }
        assert_eq!(run(Matmul { c: 262_144 - 65_536 + 8, ..good }), Err(FaultCode::OutOfRange));
    }

    #[test]
    fn the_largest_rows_fit_the_buffers() {
        let most = (1..=u64::from(MATMUL_MAX)).map(|n| n * n.min(MATMUL_WORK_MAX / (n * n))).max();
        assert!(most.unwrap() as usize <= BLOCK_FLOATS);
    }
}
