//! The driver's private escape: figures of a VF and the scheduler's knobs, for tools.
//!
//! One block of [`BYTES`] bytes goes in and comes back; everything is little-endian.
//!
//! ```text
//! request   0 magic "GPUE"  4 version  8 command  12 VF  16 four arguments, u32 each
//! reply     32 fields of the command, u64 each
//! ```

use gpup_core::migration::Phase;
use gpup_core::sched::{Counters, Priority, Totals};

/// Bytes of the block.
pub const BYTES: usize = 160;
/// First bytes of a request.
pub const MAGIC: u32 = u32::from_le_bytes(*b"GPUE");
/// Version of this format.
pub const VERSION: u32 = 1;

const ARGUMENTS: usize = 16;
const FIELDS: usize = 32;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// How a VF stands: answered with a [`State`].
    State {
        /// The VF.
        vf: u32,
    },
    /// A VF's figures on a node: answered with [`Counters`].
    Counters {
        /// The VF.
        vf: u32,
        /// The node.
        node: u32,
    },
    /// Sets a VF's knobs.
    SetParameters {
        /// The VF.
        vf: u32,
        /// Engine time of a turn, in microseconds.
        quantum_us: u32,
        /// How far a packet may run past its turn, in microseconds; 0 = without limit.
        preempt_timeout_us: u32,
        /// How eagerly it is scheduled.
        priority: Priority,
    },
    /// Slows a migrating VF to so many thousandths; 1000 = not at all.
    Throttle {
        /// The VF.
        vf: u32,
        /// Thousandths.
        permille: u32,
    },
    /// A node's figures, of all VFs and the host together: answered with an [`Engine`].
    Engine {
        /// The node.
        node: u32,
    },
    /// Makes a VF's next packet on a node hang. Only a driver built with `fault-injection` does so.
    Hang {
        /// The VF.
        vf: u32,
        /// The node.
        node: u32,
    },
}

/// How a VF stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Bytes of VRAM it has.
    pub vram_bytes: u64,
    /// Its weight on an engine.
    pub weight: u64,
    /// It has power.
    pub powered: bool,
    /// The host paused it.
    pub paused: bool,
    /// Its commands are executed.
    pub executes: bool,
    /// Where its migration is.
    pub phase: Phase,
    /// Engine time of a turn, in microseconds.
    pub quantum_us: u64,
    /// Thousandths of its time that it may take.
    pub throttle: u64,
    /// How far a packet may run past its turn, in microseconds; 0 = without limit.
    pub preempt_timeout_us: u64,
    /// How eagerly it is scheduled.
    pub priority: Priority,
}

/// Where an engine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Engine {
    /// What its time went to.
    pub totals: Totals,
    /// Last fence it completed for the host.
    pub last_completed: u32,
    /// It makes progress, or is idle.
    pub responsive: bool,
}

impl Request {
    /// The block that asks this.
    pub fn encode(&self) -> [u8; BYTES] {
        let (command, vf, arguments) = match *self {
            Self::State { vf } => (1, vf, [0; 3]),
            Self::Counters { vf, node } => (2, vf, [node, 0, 0]),
            Self::SetParameters { vf, quantum_us, preempt_timeout_us, priority } => {
                (3, vf, [quantum_us, preempt_timeout_us, u32::from(priority == Priority::Normal)])
            }
            Self::Throttle { vf, permille } => (4, vf, [permille, 0, 0]),
            Self::Hang { vf, node } => (5, vf, [node, 0, 0]),
            Self::Engine { node } => (6, 0, [node, 0, 0]),
        };
        let mut block = [0; BYTES];
        let words = [MAGIC, VERSION, command, vf].into_iter().chain(arguments);
        for (place, word) in block.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        block
    }

    /// What a block asks; `None` when it is no request of this version.
    pub fn decode(block: &[u8; BYTES]) -> Option<Self> {
        let word = |at: usize| u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
        if word(0) != MAGIC || word(4) != VERSION {
            return None;
        }
        let vf = word(12);
        let argument = |index: usize| word(ARGUMENTS + 4 * index);
        Some(match word(8) {
            1 => Self::State { vf },
            2 => Self::Counters { vf, node: argument(0) },
            3 => Self::SetParameters {
                vf,
                quantum_us: argument(0),
                preempt_timeout_us: argument(1),
                priority: match argument(2) {
                    0 => Priority::Low,
                    1 => Priority::Normal,
                    _ => return None,
                },
            },
            4 => Self::Throttle { vf, permille: argument(0) },
            5 => Self::Hang { vf, node: argument(0) },
            6 => Self::Engine { node: argument(0) },
            _ => return None,
        })
    }
}

fn put(block: &mut [u8; BYTES], fields: &[u64]) {
    for (place, field) in block[FIELDS..].chunks_exact_mut(8).zip(fields) {
        place.copy_from_slice(&field.to_le_bytes());
    }
}

fn field(block: &[u8; BYTES], index: usize) -> u64 {
    block[FIELDS + 8 * index..][..8].iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

impl State {
    /// Writes the reply's fields.
    pub fn put(&self, block: &mut [u8; BYTES]) {
        let phase = Phase::ALL.iter().position(|phase| *phase == self.phase).unwrap_or(0);
        let flag = u64::from;
        put(
            block,
            &[
                self.vram_bytes,
                self.weight,
                flag(self.powered),
                flag(self.paused),
                flag(self.executes),
                phase as u64,
                self.quantum_us,
                self.throttle,
                self.preempt_timeout_us,
                flag(self.priority == Priority::Normal),
            ],
        );
    }

    /// Reads the reply's fields; `None` when they make no state.
    pub fn get(block: &[u8; BYTES]) -> Option<Self> {
        Some(Self {
            vram_bytes: field(block, 0),
            weight: field(block, 1),
            powered: field(block, 2) != 0,
            paused: field(block, 3) != 0,
            executes: field(block, 4) != 0,
            phase: *Phase::ALL.get(usize::try_from(field(block, 5)).ok()?)?,
            quantum_us: field(block, 6),
            throttle: field(block, 7),
            preempt_timeout_us: field(block, 8),
            priority: if field(block, 9) == 0 { Priority::Low } else { Priority::Normal },
        })
    }
}

impl Engine {
    /// Writes the reply's fields.
    pub fn put(&self, block: &mut [u8; BYTES]) {
        let Totals { busy, pf, idle_class, held } = self.totals;
        let rest = [u64::from(self.last_completed), u64::from(self.responsive)];
        put(block, &[busy, pf, idle_class, held, rest[0], rest[1]]);
    }

    /// Reads the reply's fields.
    pub fn get(block: &[u8; BYTES]) -> Self {
        Self {
            totals: Totals {
                busy: field(block, 0),
                pf: field(block, 1),
                idle_class: field(block, 2),
                held: field(block, 3),
            },
            last_completed: field(block, 4) as u32,
            responsive: field(block, 5) != 0,
        }
    }
}

/// Writes the reply's fields.
pub fn put_counters(counters: &Counters, block: &mut [u8; BYTES]) {
    let Counters {
        busy,
        paging_granted,
        paging_idle,
        packets,
        worst_wait,
        resets,
        wait_p50,
        wait_p99,
        preemptions,
    } = *counters;
    put(
        block,
        &[busy, paging_granted, paging_idle, packets, worst_wait, resets, wait_p50, wait_p99, preemptions],
    );
}

/// Reads the reply's fields.
pub fn get_counters(block: &[u8; BYTES]) -> Counters {
    Counters {
        busy: field(block, 0),
        paging_granted: field(block, 1),
        paging_idle: field(block, 2),
        packets: field(block, 3),
        worst_wait: field(block, 4),
        resets: field(block, 5),
        wait_p50: field(block, 6),
        wait_p99: field(block, 7),
        preemptions: field(block, 8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_replies_round_trip() {
        for request in [
            Request::State { vf: 3 },
            Request::Counters { vf: 1, node: 1 },
            Request::SetParameters {
                vf: 2,
                quantum_us: 500,
                preempt_timeout_us: 0,
                priority: Priority::Normal,
            },
            Request::Throttle { vf: 0, permille: 250 },
            Request::Hang { vf: 1, node: 1 },
            Request::Engine { node: 1 },
        ] {
            assert_eq!(Request::decode(&request.encode()), Some(request));
        }
        assert_eq!(Request::decode(&[0; BYTES]), None);
        for wrong in [0, 4] {
            let mut block = Request::Engine { node: 1 }.encode();
            block[wrong] ^= 1;
            assert_eq!(Request::decode(&block), None, "byte {wrong}");
        }
        let state = State {
            vram_bytes: 1 << 40,
            weight: 4096,
            powered: true,
            paused: false,
            executes: true,
            phase: Phase::MutableSized,
            quantum_us: 4000,
            throttle: 1000,
            preempt_timeout_us: 640_000,
            priority: Priority::Normal,
        };
        let mut block = Request::State { vf: 0 }.encode();
        state.put(&mut block);
        assert_eq!(State::get(&block), Some(state));
        let totals = Totals { busy: u64::MAX, pf: 2, idle_class: 3, held: 4 };
        let engine = Engine { totals, last_completed: u32::MAX, responsive: true };
        engine.put(&mut block);
        assert_eq!(Engine::get(&block), engine);
        let counters = Counters {
            busy: 1,
            worst_wait: u64::MAX,
            resets: 3,
            wait_p99: 7,
            preemptions: 9,
            ..Counters::default()
        };
        put_counters(&counters, &mut block);
        assert_eq!(get_counters(&block), counters);
    }
}
