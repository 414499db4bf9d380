//! The hand-over: who owns the VM, as two pure transition functions that the agents run and a model checker explores.
//!
//! A step takes what happened and says what is to be done; it does nothing itself. Whoever runs the machine does that
//! one thing and tells how it went, which is the next thing that happened. So every order of losses, delays,
//! crashes and questions can be tried without a wire, a clock or a VM (`tests/handover`).
//!
//! Three rules carry it:
//!
//! - **One word passes ownership.** The source says Commit once the target stands ready, and from then on never runs
//!   its VM without the target's answer. The target runs the VM on that word alone.
//! - **Only that target's answer counts.** A target is a process that keeps what it took in in memory. It makes up an
//!   [`Identity`] when it starts and tells it in its Welcome and in every answer: whoever else is found at its address,
//!   its own successor too, knows nothing of the VM, and "unknown" frees nobody.
//! - **The target decides.** Whatever words reach it, and over however many connections, it takes one after another:
//!   a VM it has discarded never runs there, and a VM it has begun to run is never discarded.

pub mod source;
pub mod target;

use core::fmt;

use serde::{Deserialize, Serialize};

/// Names one run of one target: made up at random when it starts, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity(pub u128);

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// How a VM stands on a target, as the target says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Standing {
    /// Its agent is at work on it and may yet run it, discard it, or come into doubt: ask again.
    UnderWay,
    /// It stands ready and waits for a word.
    Ready,
    /// It runs there, or has run there.
    Running,
    /// It has been discarded there and will never run there.
    Discarded,
    /// The target never heard of it.
    Unknown,
}
