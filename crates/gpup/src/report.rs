//! What a migration measured and proved: for people as text, for machines as JSON.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use dxgksim::agent::converge::{FULL_SPEED, Iteration};
use dxgksim::agent::{Outcome, Pause};
use serde::Serialize;

use crate::units::{Bytes, count, seconds};

/// Prints a line; who reads it may have gone (`gpup caps | head -1`), which is no failure.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}
pub(crate) use say;

/// What was proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every page and the guest's result are identical to those of a VF that never moved.
    Identical,
    /// Something differs.
    Different,
    /// The migration did not happen.
    Failed,
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
    /// The moving guest's work.
    pub workload: String,
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
    /// The wire was cut in the commit window, and it was settled.
    pub was_in_doubt: bool,
    /// Where the VF was saved because it stayed in doubt.
    pub in_doubt_file: Option<PathBuf>,
    /// The other VFs on the source.
    pub neighbours: Vec<Neighbour>,
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
            workload,
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
            was_in_doubt: outcome.was_in_doubt,
            in_doubt_file: None,
            neighbours: Vec::new(),
        }
    }

    /// The report of a migration that did not happen.
    pub fn failed(workload: String, vf_bytes: u64, error: String) -> Self {
        let nothing = Outcome { speed: FULL_SPEED, ..Outcome::default() };
        Self { error: Some(error), ..Self::new(workload, vf_bytes, 1, &nothing) }
    }

    /// Says it to people.
    pub fn print(&self) {
        let steps = self.guest_steps.unwrap_or_default();
        match (self.verdict, self.result_identical) {
            (Verdict::Failed, Some(true)) => say!(
                "The source VF ran on: its guest's result after {} is that of a guest nobody tried to move.",
                count(steps, "step")
            ),
            (Verdict::Failed, _) => say!("The source VF did NOT run on to its right result."),
            _ => say!("{self}"),
        }
        if let (Some(error), Verdict::Different) = (&self.error, self.verdict) {
            say!("           {error}");
        }
    }

    /// Draws the verdict from the pages and the result.
    pub fn conclude(&mut self) {
        let same =
            self.pages_different == 0 && self.pages_compared > 0 && self.result_identical == Some(true);
        self.verdict = if same { Verdict::Identical } else { Verdict::Different };
    }
}

/// Makes sure that `path` can be written before anything is done whose result would be lost.
pub(crate) fn touch(path: &Path) -> anyhow::Result<()> {
    if path == Path::new("-") {
        return Ok(());
    }
    let opened = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(path);
    opened.map(drop).map_err(|error| anyhow::anyhow!("cannot write {}: {error}", path.display()))
}

/// Writes `value` as JSON to a file, or to standard output for `-`.
pub fn write_json(value: &impl Serialize, path: &Path) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)? + "\n";
    if path == Path::new("-") {
        let _ = std::io::stdout().write_all(text.as_bytes());
    } else {
        std::fs::write(path, text)
            .map_err(|error| anyhow::anyhow!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>12} {:>10} {:>12} {:>10} {:>12}",
            "iteration", "pages", "zero pages", "time", "on the wire"
        )?;
        let last = self.iterations.len().saturating_sub(1);
        for (number, it) in self.iterations.iter().enumerate() {
            let name = if number == last { "in the pause".to_string() } else { number.to_string() };
            let (time, bytes) = (seconds(it.seconds), Bytes(it.bytes).to_string());
            writeln!(f, "{name:>12} {:>10} {:>12} {time:>10} {bytes:>12}", it.pages, it.zero_pages)?;
        }
        writeln!(
            f,
            "\nmoved      {} in {} ({} zero) for a VF of {}",
            Bytes(self.bytes_sent),
            count(self.pages_sent, "page"),
            self.zero_pages,
            Bytes(self.vf_bytes)
        )?;
        writeln!(
            f,
            "brownout   {}, {}/s of VRAM while the guest ran",
            seconds(self.brownout_seconds),
            Bytes(self.brownout_bytes_per_second as u64)
        )?;
        let p = &self.pause;
        writeln!(
            f,
            "pause      {}, expected {}",
            seconds(self.pause_seconds),
            seconds(self.estimated_pause_seconds)
        )?;
        writeln!(
            f,
            "           stop {}, drain {}, last pages {},\n           mutable data {}, restore {}, resume {}",
            seconds(p.stop),
            seconds(p.drain),
            seconds(p.last_pages),
            seconds(p.mutable_data),
            seconds(p.restore),
            seconds(p.resume)
        )?;
        writeln!(f, "proof      {} more standing still, to compare every page", seconds(self.proof_seconds))?;
        if self.slowest_speed < 1.0 {
            writeln!(
                f,
                "throttle   the guest's engine work ran at {:.0} % at the least",
                self.slowest_speed * 100.0
            )?;
        }
        if self.was_in_doubt {
            writeln!(f, "in doubt   the connection was cut while ownership passed; asking again settled it")?;
        }
        for neighbour in &self.neighbours {
            writeln!(
                f,
                "neighbour  VF {} ({}): {:.1} % of the neighbours' engine time before, {:.1} % during",
                neighbour.vf,
                neighbour.workload,
                neighbour.share_before * 100.0,
                neighbour.share_during * 100.0
            )?;
        }
        let result = match (self.result_identical, self.guest_steps) {
            (Some(true), Some(steps)) => {
                format!("the guest's result after {} is identical", count(steps, "step"))
            }
            (Some(false), Some(steps)) => {
                format!("THE GUEST'S RESULT after {} DIFFERS", count(steps, "step"))
            }
            _ => "the guest's result was not compared here".into(),
        };
        write!(
            f,
            "verdict    {}: {} of {} identical, {result}",
            match self.verdict {
                Verdict::Identical => "IDENTICAL",
                Verdict::Different => "DIFFERENT",
                Verdict::Failed => "FAILED",
            },
            self.pages_compared - self.pages_different,
            count(self.pages_compared, "page")
        )
    }
}
