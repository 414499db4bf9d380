//! What a migration measured and proved: for people as text, for machines as JSON.

use std::fmt;

pub use gpup_scene::report::{IterationReport, Neighbour, PauseReport, Report, Verdict, Whereabouts};

use crate::tell::say;
use crate::units::{Bytes, count, seconds};

/// Says a report to people.
pub fn print(report: &Report) {
    let steps = report.guest_steps.unwrap_or_default();
    match (report.verdict, report.result_identical) {
        (Verdict::Failed, Some(true)) => say!(
            "The source VF ran on: its guest's result after {} is that of a guest nobody tried to move.",
            count(steps, "step")
        ),
        (Verdict::Failed, _) => say!("The source VF did NOT run on to its right result."),
        _ => say!("{}", ForPeople(report)),
    }
    if let (Some(error), Verdict::Different | Verdict::NotCompared) = (&report.error, report.verdict) {
        say!("           {error}");
    }
}

/// A report as text.
struct ForPeople<'a>(&'a Report);

impl fmt::Display for ForPeople<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        writeln!(
            f,
            "{:>12} {:>10} {:>12} {:>10} {:>12}",
            "iteration", "pages", "zero pages", "time", "on the wire"
        )?;
        let last = report.iterations.len().saturating_sub(1);
        for (number, it) in report.iterations.iter().enumerate() {
            let name = if number == last { "in the pause".to_string() } else { number.to_string() };
            let (time, bytes) = (seconds(it.seconds), Bytes(it.bytes).to_string());
            writeln!(f, "{name:>12} {:>10} {:>12} {time:>10} {bytes:>12}", it.pages, it.zero_pages)?;
        }
        writeln!(
            f,
            "\nmoved      {} in {} ({} zero) for a VF of {}",
            Bytes(report.bytes_sent),
            count(report.pages_sent, "page"),
            report.zero_pages,
            Bytes(report.vf_bytes)
        )?;
        writeln!(
            f,
            "brownout   {}, {}/s of VRAM while the guest ran",
            seconds(report.brownout_seconds),
            Bytes(report.brownout_bytes_per_second as u64)
        )?;
        if let (Some(source), Some(target)) = (&report.source_vram, &report.target_vram)
            && source != target
        {
            writeln!(f, "VRAM       {source} on the source, {target} on the target")?;
        }
        let p = &report.pause;
        writeln!(
            f,
            "pause      {}, expected {}",
            seconds(report.pause_seconds),
            seconds(report.estimated_pause_seconds)
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
        writeln!(
            f,
            "proof      {} more standing still, to compare every page",
            seconds(report.proof_seconds)
        )?;
        if report.slowest_speed < 1.0 {
            writeln!(
                f,
                "throttle   the guest's engine work ran at {:.0} % at the least, which cost it up to {} of work",
                report.slowest_speed * 100.0,
                seconds(report.throttle_cost_seconds)
            )?;
        }
        if report.was_in_doubt {
            writeln!(f, "in doubt   the connection was cut while ownership passed; asking again settled it")?;
        }
        for neighbour in &report.neighbours {
            writeln!(
                f,
                "neighbour  VF {} ({}): {:.1} % of the neighbours' engine time before, {:.1} % during",
                neighbour.vf,
                neighbour.workload,
                neighbour.share_before * 100.0,
                neighbour.share_during * 100.0
            )?;
        }
        let result = match (report.result_identical, report.guest_steps) {
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
            match report.verdict {
                Verdict::Identical => "IDENTICAL",
                Verdict::Different => "DIFFERENT",
                Verdict::NotCompared => "NOT COMPARED",
                Verdict::Failed => "FAILED",
            },
            report.pages_compared - report.pages_different,
            count(report.pages_compared, "page")
        )
    }
}
