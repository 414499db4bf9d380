//! Bodies under each other's gravity.

use super::{Work, upload, uploads};
use crate::command::Command;
use crate::random;
use crate::spec::Workload;

/// Numbers of bodies, from the largest: powers of two.
const COUNTS: [u32; 7] = [1024, 512, 256, 128, 64, 32, 16];
/// Pairs of a command.
const COMMAND_PAIRS: u32 = 1 << 16;
/// Bytes of a body: x y z mass, vx vy vz pad.
const BODY_BYTES: u64 = 32;
/// Length of a time step.
pub(crate) const DT: f32 = 1.0 / 1024.0;
/// Fastest speed along an axis at first.
const SPEED: f32 = 1.0 / 16.0;

/// Two sets of bodies in turn.
pub(crate) struct Nbody {
    seed: u64,
    /// Number of bodies.
    pub(crate) count: u32,
}

impl Nbody {
    /// The largest that fits.
    pub(crate) fn new(seed: u64, room: u64) -> Option<Self> {
        COUNTS.map(|count| Self { seed, count }).into_iter().find(|work| work.extent() <= room)
    }

    const fn set_bytes(&self) -> u64 {
        self.count as u64 * BODY_BYTES
    }

    /// A body at first: a cube of two units, total mass 1.
    pub(crate) fn start(&self, body: u64) -> [f32; 8] {
        let draw = |lane| random::unit(self.seed, body * 8 + lane);
        let mass = 1.0 / self.count as f32;
        [draw(0), draw(1), draw(2), mass, draw(4) * SPEED, draw(5) * SPEED, draw(6) * SPEED, 0.0]
    }

    fn bodies(&self) -> u32 {
        (COMMAND_PAIRS / self.count).min(self.count)
    }
}

impl Work for Nbody {
    fn workload(&self) -> Workload {
        Workload::Nbody
    }

    fn extent(&self) -> u64 {
        2 * self.set_bytes()
    }

    fn setup_len(&self) -> u64 {
        uploads(self.set_bytes()) + 1
    }

    fn setup(&self, index: u64) -> Command {
        let bytes = self.set_bytes();
        if index == uploads(bytes) {
            return Command::Fill { dst: bytes, bytes, pattern: 0 };
        }
        upload(0, bytes, index, |offset, data| {
            for (body, bytes) in (offset / BODY_BYTES..).zip(data.chunks_exact_mut(BODY_BYTES as usize)) {
                for (lane, value) in bytes.chunks_exact_mut(4).zip(self.start(body)) {
                    lane.copy_from_slice(&value.to_le_bytes());
                }
            }
        })
    }

    fn step_len(&self) -> u64 {
        u64::from(self.count / self.bodies())
    }

    fn command(&self, step: u64, part: u64) -> Command {
        let bodies = self.bodies();
        Command::Nbody {
            src: self.current(step),
            dst: self.current(step + 1),
            count: self.count,
            first: part as u32 * bodies,
            bodies,
            dt: DT,
        }
    }

    fn current(&self, steps: u64) -> u64 {
        steps % 2 * self.set_bytes()
    }
}
