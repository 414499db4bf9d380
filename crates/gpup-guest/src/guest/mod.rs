//! The guest: one workload on one VF, from its inputs to its result.
//!
//! ```text
//! load      copy node      setup of the workload, then the image
//! step      compute node   step after step, until the goal
//! digest    copy node      hashes of all of it, then a sample
//! ```
//! Where it stands is never written down: the copy node's counter says how far load and digest are, the
//! compute node's how far the steps are, and each stage begins when the one before is done.

mod check;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use dxgksim::guest::{Bar, Cpu, Guest, Outcome, Progress};
use gpup_core::device::abi::{COMPUTE_NODE, COPY_NODE};

use crate::command::{Command, UPLOAD_BYTES};
use crate::digest::{Plan, Range, SAMPLE_BYTES};
use crate::driver::{Driver, POLL_NS, Ring};
use crate::spec::{Layout, Spec};
use crate::workload::Work;

/// Commands in flight while stepping: a guest whose processor is late must not lose its share of the engine.
pub(crate) const STEP_WINDOW: u64 = 64;
/// Commands in flight while hashing: no more than the window has places for their answers.
const WINDOW: u64 = 8;
/// How late a paced step may be and still be caught up with.
const MOST_LATE_NS: u64 = 50_000_000;

/// Longest wait while the device has nothing to do: how soon the guest notices that it shall finish.
const LONGEST_WAIT_NS: u64 = 20_000_000;

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Finished(Outcome),
    Failed(String),
}

/// What of a guest travels with the VM, [`Spec`] apart; everything else follows from it.
#[derive(Default)]
pub(crate) struct State {
    /// The driver.
    pub(crate) driver: Driver,
    /// Step to stop at, once asked to.
    pub(crate) goal: Option<u64>,
    /// When the next paced step is due.
    pub(crate) due: Option<u64>,
    /// Digest commands whose results were folded.
    pub(crate) folded: u64,
    /// Digest of each hashed range so far.
    pub(crate) digests: Vec<u64>,
    /// The image's bytes from `image_from` on; nothing once all were given to the device.
    pub(crate) image: Vec<u8>,
    /// Where in the image `image` begins.
    pub(crate) image_from: u64,
    /// How it ended, if it has.
    pub(crate) ending: Option<Ending>,
}

/// A guest.
pub(crate) struct VfGuest {
    pub(crate) spec: Spec,
    pub(crate) state: State,
    work: Box<dyn Work>,
    image: Range,
}

impl VfGuest {
    /// A guest in a state: a fresh one, or one that [`VfGuest::check`] passes.
    pub(crate) fn new(spec: Spec, layout: Layout, mut state: State) -> Self {
        let mut guest = Self { spec, state: State::default(), work: layout.work, image: layout.image };
        if state.digests.is_empty() {
            state.digests.resize(guest.ranges().len(), 0);
        }
        guest.state = state;
        guest
    }

    fn copy(&self) -> Ring {
        self.state.driver.rings[COPY_NODE]
    }

    fn compute(&self) -> Ring {
        self.state.driver.rings[COMPUTE_NODE]
    }

    /// Steps of which at least one command was submitted.
    fn begun(&self) -> u64 {
        self.compute().submitted.div_ceil(self.work.step_len())
    }

    /// Commands of the load stage.
    fn load_len(&self) -> u64 {
        self.work.setup_len() + self.image.bytes.div_ceil(UPLOAD_BYTES)
    }

    /// Bytes of the image that the first `submitted` commands of the copy node upload.
    fn image_sent(&self, submitted: u64) -> u64 {
        (submitted.saturating_sub(self.work.setup_len()) * UPLOAD_BYTES).min(self.image.bytes)
    }

    /// Bytes of the image that were given to the device, padding included.
    pub(crate) fn image_given(&self) -> u64 {
        self.image_sent(self.copy().submitted)
    }

    /// What is hashed: the workload's memory and the image.
    fn ranges(&self) -> Vec<Range> {
        let work = Range { at: 0, bytes: self.work.extent() };
        [work, self.image].into_iter().filter(|range| range.bytes != 0).collect()
    }

    /// The digest stage at the goal.
    fn digest(&self) -> Plan {
        let ranges = self.ranges();
        let steps = self.state.goal.unwrap_or(0);
        let sample = match self.work.extent() {
            0 => self.image,
            extent => {
                let at = self.work.current(steps);
                Range { at, bytes: extent - at }
            }
        };
        Plan { ranges, sample: Range { at: sample.at, bytes: sample.bytes.min(SAMPLE_BYTES) } }
    }

    /// The `index`-th command of the load stage.
    fn load_command(&self, index: u64) -> Command {
        if index < self.work.setup_len() {
            return self.work.setup(index);
        }
        let sent = self.image_sent(index);
        let here = (sent - self.state.image_from) as usize;
        let rest = self.state.image.get(here..).unwrap_or_default();
        let mut data = rest[..rest.len().min(UPLOAD_BYTES as usize)].to_vec();
        data.resize(data.len().next_multiple_of(8), 0);
        Command::Upload { dst: self.image.at + sent, data }
    }

    fn advance(&mut self, cpu: &mut dyn Cpu) -> Result<Progress, String> {
        if !self.state.driver.poll(cpu, self.spec.vram_bytes)? {
            return Ok(Progress::Waiting(POLL_NS));
        }
        let now = cpu.now();
        let bar = cpu.bar();
        let load_len = self.load_len();
        if self.copy().completed < load_len {
            Ok(self.load(bar, load_len))
        } else if self.copy().submitted > load_len || self.at_goal() {
            Ok(self.show(bar, load_len))
        } else {
            Ok(self.step(bar, now))
        }
    }

    fn load(&mut self, bar: &dyn Bar, load_len: u64) -> Progress {
        for index in self.copy().submitted..load_len {
            let command = self.load_command(index);
            if !self.state.driver.submit(bar, COPY_NODE, &command, index + 1 == load_len) {
                return Progress::Waiting(POLL_NS);
            }
        }
        self.state.image = Vec::new();
        self.state.image_from = self.image_sent(load_len);
        Progress::Waiting(POLL_NS)
    }

    /// Whether all steps are done.
    fn at_goal(&self) -> bool {
        let compute = self.compute();
        compute.outstanding() == 0 && self.steps_submitted()
    }

    /// Whether all steps were given to the device.
    fn steps_submitted(&self) -> bool {
        let step_len = self.work.step_len();
        self.state.goal.is_some_and(|goal| self.compute().submitted >= goal.saturating_mul(step_len))
    }

    fn step(&mut self, bar: &dyn Bar, now: u64) -> Progress {
        let step_len = self.work.step_len();
        while !self.steps_submitted() && self.compute().outstanding() < STEP_WINDOW {
            let (step, part) = (self.compute().submitted / step_len, self.compute().submitted % step_len);
            if part == 0 && self.work.interval_ns() != 0 {
                let early = self.state.due.get_or_insert(now).saturating_sub(now);
                if early != 0 {
                    return Progress::Waiting(early.min(self.longest_wait()));
                }
            }
            let command = self.work.command(step, part);
            if !self.state.driver.submit(bar, COMPUTE_NODE, &command, part + 1 == step_len) {
                return Progress::Waiting(POLL_NS);
            }
            if part == 0 {
                self.state.due = self.state.due.map(|due| next_due(due, self.work.interval_ns(), now));
            }
        }
        Progress::Waiting(POLL_NS)
    }

    /// How long to wait at most for a step to be due.
    fn longest_wait(&self) -> u64 {
        if self.compute().outstanding() == 0 { LONGEST_WAIT_NS } else { POLL_NS }
    }

    fn show(&mut self, bar: &dyn Bar, load_len: u64) -> Progress {
        let plan = self.digest();
        let copy = self.copy();
        for number in self.state.folded..copy.completed - load_len {
            plan.fold(number, bar, &mut self.state.digests);
            self.state.folded = number + 1;
        }
        if self.state.folded == plan.commands() {
            let result = plan.result(bar, &self.state.digests);
            let outcome = Outcome { steps: self.steps(), result };
            self.state.ending = Some(Ending::Finished(outcome.clone()));
            return Progress::Finished(outcome);
        }
        for number in copy.submitted - load_len..plan.commands() {
            let last = number + 1 == plan.commands();
            if self.copy().outstanding() == WINDOW
                || !self.state.driver.submit(bar, COPY_NODE, &plan.command(number), last)
            {
                break;
            }
        }
        Progress::Waiting(POLL_NS)
    }
}

/// When the step after one that was due at `due` is due; steps missed for long are not made up for.
fn next_due(due: u64, interval: u64, now: u64) -> u64 {
    let next = due.saturating_add(interval);
    if next.saturating_add(MOST_LATE_NS) < now { now } else { next }
}

impl Guest for VfGuest {
    fn run(&mut self, cpu: &mut dyn Cpu) -> Progress {
        match &self.state.ending {
            Some(Ending::Finished(outcome)) => return Progress::Finished(outcome.clone()),
            Some(Ending::Failed(words)) => return Progress::Failed(words.clone()),
            None => {}
        }
        self.advance(cpu).unwrap_or_else(|words| {
            self.state.ending = Some(Ending::Failed(words.clone()));
            Progress::Failed(words)
        })
    }

    /// Steps given to the device already are done; a goal before them means the last of them.
    fn finish(&mut self, steps: Option<u64>) {
        let begun = self.begun();
        if self.copy().submitted <= self.load_len() && self.state.ending.is_none() {
            self.state.goal = Some(steps.unwrap_or(begun).max(begun));
        }
    }

    fn steps(&self) -> u64 {
        self.compute().completed / self.work.step_len()
    }

    fn save(&self) -> Vec<u8> {
        crate::state::save(self)
    }

    fn name(&self) -> &str {
        self.work.workload().name()
    }
}
