//! What a migration measured and proved.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use live_migration::converge::{FULL_SPEED, Iteration};
use live_migration::{Error, Outcome, Pause};
use serde::Serialize;

use crate::calls::Calls;

/// What was proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every page and the guest's result are identical to those of a VF that never moved.
    Identical,
    /// Something differs.
    Different,
    /// Nothing differs in what was compared, but the guest's result or the pages were not.
    #[serde(rename = "not-compared")]
    NotCompared,
    /// The migration did not happen.
    Failed,
}

/// Where the VM is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whereabouts {
    /// On the source, where it runs on.
    Source,
    /// On the target, which runs it or ran it to its end.
    Target,
    /// In a file, and nowhere else.
    File,
    /// On the target, or in the file that the report names, or nowhere: only the target can tell.
    InDoubt,
}

/// A neighbour's part of the compute engine, by the device's clock.
#[derive(Clone, Debug, Serialize)]
pub struct Neighbour {
    /// Its VF.
    pub vf: u32,
    /// Its workload.
    pub workload: String,
    /// Its part of the engine time granted before the migration.
    pub share_before: f64,
    /// Its part during the migration, the mover's part left out on both sides.
    pub share_during: f64,
}

/// One iteration.
#[derive(Clone, Debug, Serialize)]
pub struct IterationReport {
    /// Bytes on the wire.
    pub bytes: u64,
    /// Pages of VRAM.
    pub pages: u64,
    /// Of them zero.
    pub zero_pages: u64,
    /// Seconds.
    pub seconds: f64,
}

impl From<&Iteration> for IterationReport {
    fn from(it: &Iteration) -> Self {
        Self { bytes: it.bytes, pages: it.pages, zero_pages: it.zero_pages, seconds: it.seconds }
    }
}

/// The pause by step, in seconds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PauseReport {
    /// The VM's processors and the VF stop.
    pub stop: f64,
    /// The last dirty bits are gathered.
    pub drain: f64,
    /// The last pages move.
    pub last_pages: f64,
    /// The driver's mutable data is saved and sent.
    pub mutable_data: f64,
    /// The target restores it and loads the VM.
    pub restore: f64,
    /// Ownership passes and the VM runs.
    pub resume: f64,
}

impl From<&Pause> for PauseReport {
    fn from(pause: &Pause) -> Self {
        Self {
            stop: pause.stop,
            drain: pause.drain,
            last_pages: pause.last_pages,
            mutable_data: pause.mutable,
            restore: pause.restore,
            resume: pause.resume,
        }
    }
}

/// Everything there is to say of a migration.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What was proved.
    pub verdict: Verdict,
    /// Why not, if it was not.
    pub error: Option<String>,
    /// Where the VM is.
    pub vm: Whereabouts,
    /// The moving guest's work.
    pub workload: String,
    /// What the source's VRAM is; none where nobody says.
    pub source_vram: Option<String>,
    /// The same of the target.
    pub target_vram: Option<String>,
    /// Bytes of the VF's VRAM.
    pub vf_bytes: u64,
    /// Pages compared on both sides before ownership passed.
    pub pages_compared: u64,
    /// Pages that differed.
    pub pages_different: u64,
    /// Whether the guest's result is that of a guest that never moved; none if it was not compared here.
    pub result_identical: Option<bool>,
    /// Steps the guest had done at its end.
    pub guest_steps: Option<u64>,
    /// Bytes on the wire.
    pub bytes_sent: u64,
    /// Pages sent.
    pub pages_sent: u64,
    /// Of them zero.
    pub zero_pages: u64,
    /// Each iteration, the one within the pause last.
    pub iterations: Vec<IterationReport>,
    /// Seconds from the first page to the pause.
    pub brownout_seconds: f64,
    /// VRAM bytes moved in the brownout, each second.
    pub brownout_bytes_per_second: f64,
    /// Seconds the guest stood still, the proof left out.
    pub pause_seconds: f64,
    /// The same by step.
    pub pause: PauseReport,
    /// What the pause was expected to be when the VM was stopped.
    pub estimated_pause_seconds: f64,
    /// Seconds both sides stood still for the proof.
    pub proof_seconds: f64,
    /// Bytes of the driver's data: immutable and mutable.
    pub driver_data_bytes: [u64; 2],
    /// The slowest speed of the guest's engine work, 1 = full.
    pub slowest_speed: f64,
    /// Seconds of work at full speed that this cost a guest that wanted to work all the time.
    pub throttle_cost_seconds: f64,
    /// The wire was cut in the commit window, and it was settled.
    pub was_in_doubt: bool,
    /// Where the VF was saved because it stayed in doubt.
    pub in_doubt_file: Option<String>,
    /// The other VFs on the source.
    pub neighbours: Vec<Neighbour>,
    /// What the driver was called for, from its load on: of both hosts, where both are here.
    pub calls: Calls,
}

impl Report {
    /// A report of what `outcome` measured, with nothing proved yet.
    pub fn new(workload: String, vf_bytes: u64, page_bytes: u64, outcome: &Outcome) -> Self {
        let brownout = outcome.iterations.split_last().map_or(&[][..], |(_, brownout)| brownout);
        let moved: u64 = brownout.iter().map(|it| it.pages * page_bytes).sum();
        let busy: f64 = brownout.iter().map(|it| it.seconds).sum();
        let sum = |of: fn(&Iteration) -> u64| outcome.iterations.iter().map(of).sum();
        let pages = outcome.pages.unwrap_or_default();
        Self {
            verdict: Verdict::Failed,
            error: None,
            vm: Whereabouts::Target,
            workload,
            source_vram: None,
            target_vram: None,
            vf_bytes,
            pages_compared: pages.compared,
            pages_different: pages.different,
            result_identical: None,
            guest_steps: None,
            bytes_sent: sum(|it| it.bytes) + outcome.driver_bytes.iter().sum::<u64>(),
            pages_sent: sum(|it| it.pages),
            zero_pages: sum(|it| it.zero_pages),
            iterations: outcome.iterations.iter().map(IterationReport::from).collect(),
            brownout_seconds: outcome.brownout,
            brownout_bytes_per_second: if busy > 0.0 { moved as f64 / busy } else { 0.0 },
            pause_seconds: outcome.pause.total(),
            pause: PauseReport::from(&outcome.pause),
            estimated_pause_seconds: outcome.estimated_pause,
            proof_seconds: outcome.proof_hold,
            driver_data_bytes: outcome.driver_bytes,
            slowest_speed: f64::from(outcome.speed) / f64::from(FULL_SPEED),
            throttle_cost_seconds: outcome.throttle_cost,
            was_in_doubt: outcome.was_in_doubt,
            in_doubt_file: None,
            neighbours: Vec::new(),
            calls: Calls::new(),
        }
    }

    /// The report of a migration that did not happen.
    pub fn failed(workload: String, vf_bytes: u64, error: String) -> Self {
        let nothing = Outcome { speed: FULL_SPEED, ..Outcome::default() };
        Self { error: Some(error), vm: Whereabouts::Source, ..Self::new(workload, vf_bytes, 1, &nothing) }
    }

    /// The report of a migration that `error` ended. Pages that differ are a verdict, not only a failure.
    pub fn of_error(workload: String, vf_bytes: u64, error: &Error) -> Self {
        let mut report = Self::failed(workload, vf_bytes, error.to_string());
        if let Error::Different(pages) = error {
            report.verdict = Verdict::Different;
            report.pages_compared = pages.compared;
            report.pages_different = pages.different;
        }
        report
    }

    /// Draws the verdict from the pages and the result.
    pub fn conclude(&mut self) {
        self.verdict = match self.result_identical {
            _ if self.pages_different > 0 => Verdict::Different,
            Some(false) => Verdict::Different,
            Some(true) if self.pages_compared > 0 => Verdict::Identical,
            _ => Verdict::NotCompared,
        };
    }
}
