//! NBODY: bodies moved by one step under the others' gravity.
//!
//! Each body sums the pull of all, itself included (it pulls by nothing), from body 0 up, in f32; then its
//! velocity moves by the sum and its place by the new velocity. The order is part of the result.

use bytemuck::{cast_slice, cast_slice_mut};

use super::{Scratch, check_part};
use crate::device::abi::{FaultCode, NBODY_MAX, NBODY_SOFTENING, NBODY_WORK_MAX};
use crate::device::sim::command::Nbody;
use crate::device::sim::memory::{VfMemory, check_disjoint};

/// Numbers of a body: x y z mass, vx vy vz pad.
pub(super) const BODY_FLOATS: usize = 8;
/// Most bodies that one command moves: with as many pairs each as there are bodies.
pub(super) const MOST_MOVED: usize = 512;
const _: () = assert!((MOST_MOVED as u64).pow(2) == NBODY_WORK_MAX);

pub(super) fn run(memory: &mut VfMemory<'_>, scratch: &mut Scratch, op: &Nbody) -> Result<(), FaultCode> {
    if op.count > NBODY_MAX || u64::from(op.count) * u64::from(op.bodies) > NBODY_WORK_MAX {
        return Err(FaultCode::BadParameter);
    }
    check_part(op.first, op.bodies, op.count)?;
    let body_bytes = BODY_FLOATS as u64 * 4;
    let set = u64::from(op.count) * body_bytes;
    memory.check(op.src, set)?;
    memory.check(op.dst, set)?;
    check_disjoint(op.src, set, op.dst, set)?;

    let (all, moved) = scratch.floats.split_at_mut(NBODY_MAX as usize * BODY_FLOATS);
    let all = &mut all[..op.count as usize * BODY_FLOATS];
    let moved = &mut moved[..op.bodies as usize * BODY_FLOATS];
    memory.read(op.src, cast_slice_mut(all))?;
    let first = op.first as usize * BODY_FLOATS;
    moved.copy_from_slice(&all[first..first + moved.len()]);
    for body in moved.chunks_exact_mut(BODY_FLOATS) {
        memory.proceed()?;
        step(body, all, op.dt);
    }
    memory.write(op.dst + u64::from(op.first) * body_bytes, cast_slice(moved))
}

fn step(body: &mut [f32], all: &[f32], dt: f32) {
    let mut pull = [0.0f32; 3];
    for other in all.chunks_exact(BODY_FLOATS) {
        let away = [other[0] - body[0], other[1] - body[1], other[2] - body[2]];
        let square = away[0] * away[0] + away[1] * away[1] + away[2] * away[2] + NBODY_SOFTENING;
        let strength = other[3] / (square * libm::sqrtf(square));
        for (pull, away) in pull.iter_mut().zip(away) {
            *pull += away * strength;
        }
    }
    for axis in 0..3 {
        body[4 + axis] += pull[axis] * dt;
        body[axis] += body[4 + axis] * dt;
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, bytes_of};
    use super::*;
    use crate::device::sim::command::Command;

    const COUNT: usize = 100;

    fn bodies() -> Vec<f32> {
        (0..COUNT * BODY_FLOATS)
            .map(|at| if at % 8 == 7 { 0.0 } else { ((at * 37 + 11) % 101) as f32 / 101.0 + 0.01 })
            .collect()
    }

    #[test]
    fn parts_make_up_the_plain_step() {
        let mut bench = Bench::new(8);
        let before = bodies();
        bench.write(0, &bytes_of(&before));
        for (first, count) in [(0, 33), (33, 66), (99, 1)] {
            let nbody = Nbody { src: 0, dst: 8192, count: COUNT as u32, first, bodies: count, dt: 0.5 };
            bench.run(&Command::Nbody(nbody)).unwrap();
        }
        let after = bench.floats(8192, COUNT * BODY_FLOATS);
        for i in 0..COUNT {
            // In f64, from the definition: the kernel may differ by rounding only.
            let value = |j: usize, lane: usize| f64::from(before[j * 8 + lane]);
            let mut pull = [0.0f64; 3];
            for j in 0..COUNT {
                let away = [0, 1, 2].map(|axis| value(j, axis) - value(i, axis));
                let square = away.iter().map(|d| d * d).sum::<f64>() + f64::from(NBODY_SOFTENING);
                for axis in 0..3 {
                    pull[axis] += away[axis] * value(j, 3) / square.powf(1.5);
                }
            }
            for axis in 0..3 {
                let speed = value(i, 4 + axis) + pull[axis] * 0.5;
                let place = value(i, axis) + speed * 0.5;
                assert!((f64::from(after[i * 8 + 4 + axis]) - speed).abs() < 1e-3 * (1.0 + speed.abs()));
                assert!((f64::from(after[i * 8 + axis]) - place).abs() < 1e-3 * (1.0 + place.abs()));
            }
            assert_eq!(after[i * 8 + 3], before[i * 8 + 3]);
        }
    }

    #[test]
    fn limits_hold() {
        let good = Nbody { src: 0, dst: 16384, count: 512, first: 0, bodies: 512, dt: 0.1 };
        let run = |nbody| Bench::new(8).run(&Command::Nbody(nbody));
        assert_eq!(run(good), Ok(()));
        for bad in [
            Nbody { count: 0, bodies: 0, ..good },
            Nbody { bodies: 0, ..good },
            Nbody { first: 1, ..good },
            Nbody { first: u32::MAX, ..good },
            Nbody { count: NBODY_MAX + 1, bodies: 1, ..good },
            Nbody { count: 513, bodies: 512, ..good },
            Nbody { dst: 8, ..good },
        ] {
            assert_eq!(run(bad), Err(FaultCode::BadParameter), "{bad:?}");
        }
        assert_eq!(run(Nbody { dst: 16392, ..good }), Err(FaultCode::OutOfRange));
    }
}
