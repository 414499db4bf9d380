//! How a source migrates, and what it measures.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::AtomicBool;

use dxgksim::host::SECOND;

use crate::converge::{Iteration, Limits, OnTimeout};
use crate::pages::list::Packer;
use crate::wire::channel::{Channel, LinkError};
use crate::wire::message::PageVerdict;
use crate::wire::vigil::{Clock, HostClock, SILENCE_S, Vigil};

/// How to migrate.
#[derive(Clone)]
pub struct Options {
    /// Names this attempt; unique.
    pub migration: u128,
    /// Pause and time limits, and what to do when they cannot be kept.
    pub limits: Limits,
    /// Data streams, one at least.
    pub streams: u16,
    /// Bytes a second all streams may use together.
    pub bandwidth: Option<u64>,
    /// Zero pages travel without bytes.
    pub find_zero: bool,
    /// How pages are packed, if at all.
    pub packer: Option<Arc<dyn Packer>>,
    /// Call SetVirtualFunctionPauseState, or leave the VF to the driver.
    pub pause_vf: bool,
    /// Hash every page on both sides before ownership passes.
    pub prove: bool,
    /// How long to wait and ask for an answer once Commit was said, in nanoseconds.
    pub settle_ns: u64,
    /// How long a target that says nothing at all is waited for, in seconds.
    pub silence_s: u64,
    /// What all limits and measurements go by.
    pub clock: Arc<dyn Clock>,
    /// Set by anyone to cancel.
    pub cancel: Arc<AtomicBool>,
    /// Words for the tool on the other side.
    pub note: Vec<u8>,
}

impl Options {
    /// What is usual, for the attempt of this name.
    pub fn new(migration: u128) -> Self {
        Self {
            migration,
            limits: Limits { pause: 0.1, grace: 1.0, time: 60.0, on_timeout: OnTimeout::default() },
            streams: 1,
            bandwidth: None,
            find_zero: true,
            packer: None,
            pause_vf: true,
            prove: true,
            settle_ns: 30 * SECOND,
            silence_s: SILENCE_S,
            clock: Arc::new(HostClock),
            cancel: Arc::default(),
            note: Vec::new(),
        }
    }
}

/// Opens connections to the target.
pub trait Connect {
    /// Opens one more connection, unless `vigil` ends the wait for it.
    fn connect(&mut self, vigil: &Vigil) -> Result<Box<dyn Channel>, LinkError>;
}

impl<F: FnMut(&Vigil) -> Result<Box<dyn Channel>, LinkError>> Connect for F {
    fn connect(&mut self, vigil: &Vigil) -> Result<Box<dyn Channel>, LinkError> {
        self(vigil)
    }
}

/// The pause, in seconds by step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pause {
    /// The VM's processors and the VF stop.
    pub stop: f64,
    /// The last dirty bits are gathered.
    pub drain: f64,
    /// The last pages move.
    pub last_pages: f64,
    /// The driver's state is saved and sent.
    pub mutable: f64,
    /// The target restores the state and loads the VM.
    pub restore: f64,
    /// Ownership passes and the VM runs.
    pub resume: f64,
}

impl Pause {
    /// All steps together.
    pub fn total(&self) -> f64 {
        self.stop + self.drain + self.last_pages + self.mutable + self.restore + self.resume
    }
}

/// What a migration measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Each iteration, the one within the pause last.
    pub iterations: Vec<Iteration>,
    /// Seconds from the first page to the pause.
    pub brownout: f64,
    /// The pause.
    pub pause: Pause,
    /// Pauses that were given up before this one, because they would have become too long.
    pub pauses_given_up: u32,
    /// The pause as it was expected when the VM was stopped, in seconds.
    pub estimated_pause: f64,
    /// Seconds both sides stood still for the proof, which the pause does not contain.
    pub proof_hold: f64,
    /// Bytes of driver data: immutable, mutable.
    pub driver_bytes: [u64; 2],
    /// How the pages compared, if they were.
    pub pages: Option<PageVerdict>,
    /// The slowest speed the guest was given, in thousandths.
    pub speed: u32,
    /// What that cost a guest that wanted to work all the time: seconds at full speed.
    pub throttle_cost: f64,
    /// The wire was cut in the commit window, and it was settled.
    pub was_in_doubt: bool,
}
