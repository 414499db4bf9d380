//! A run as text.

use std::fmt;

use hdrhistogram::Histogram;

use super::figures::{Figures, Paging, Phase, Place, Vf, Wait};
use super::targets::Target;
use crate::units::{count, seconds};

/// The table of a run.
pub(super) struct Table<'a>(pub(super) &'a Figures);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = self.0;
        writeln!(
            f,
            "{}\n{}, {} of virtual time, {}, longest request {}, seed {}",
            figures.about,
            count(u64::from(figures.vfs), "VF"),
            seconds(figures.seconds),
            count(figures.packets, "packet"),
            seconds(figures.longest_request),
            figures.seed
        )?;
        figures.phases.iter().try_for_each(|one| phase(f, one))?;
        if !figures.changes.is_empty() {
            writeln!(
                f,
                "\n{:<16} {:>12} {:>14} {:>24}",
                "policy", "at", "in force after", "paging's first packet"
            )?;
        }
        for change in &figures.changes {
            let time = |value: Option<f64>| value.map_or("-".into(), seconds);
            writeln!(
                f,
                "{:<16} {:>12} {:>14} {:>24}",
                change.what,
                seconds(change.at),
                time(change.in_force),
                time(change.first_paging.filter(|_| !change.what.ends_with("End")))
            )?;
        }
        Ok(())
    }
}

fn percent(part: f64) -> String {
    format!("{:.2} %", part * 100.0)
}

fn phase(f: &mut fmt::Formatter<'_>, phase: &Phase) -> fmt::Result {
    let jain = match phase.jain {
        Some((index, vfs)) => format!(", Jain's index of {vfs} equal busy VFs {index:.6}"),
        None => String::new(),
    };
    let also = |name: &str, part: f64| {
        if part > 0.0 { format!(", {name} {}", percent(part)) } else { String::new() }
    };
    writeln!(
        f,
        "\n{} ({} to {}): engine busy {}{}{}{}{jain}",
        phase.name,
        seconds(phase.from),
        seconds(phase.to),
        percent(phase.busy),
        also("switches", phase.switches),
        also("slots held", phase.held),
        also("PF", phase.pf),
    )?;
    writeln!(
        f,
        "  {:<14} {:>18} {:>9} {:>19} {:>10} {:>10} {:>10} {:>8} {:>7}",
        "VF", "share", "entitled", "of before", "wait p50", "p99", "longest", "owed", "resets"
    )?;
    rows(&phase.vfs).iter().try_for_each(|vfs| row(f, vfs))?;
    phase.paging.iter().try_for_each(|one| paging(f, one))
}

/// Neighbours in a table of the scenario have a row together.
fn rows(vfs: &[Vf]) -> Vec<Vec<&Vf>> {
    let mut rows: Vec<Vec<&Vf>> = Vec::new();
    for vf in vfs {
        match rows.last_mut() {
            Some(row) if [(vf.group, Place::Here); 2] == [row[0], vf].map(|vf| (vf.group, vf.place)) => {
                row.push(vf)
            }
            _ => rows.push(vec![vf]),
        }
    }
    rows
}

/// `low to high`, or one where they do not differ.
fn span(values: impl Iterator<Item = f64> + Clone) -> String {
    let (low, high) = (values.clone().reduce(f64::min), values.reduce(f64::max));
    match (low.map(percent), high.map(percent)) {
        (Some(low), Some(high)) if low == high => low,
        (Some(low), Some(high)) => format!("{} to {high}", low.trim_end_matches(" %")),
        _ => "-".into(),
    }
}

fn row(f: &mut fmt::Formatter<'_>, vfs: &[&Vf]) -> fmt::Result {
    let (first, last) = (vfs[0], vfs[vfs.len() - 1]);
    let name = match (first.vf, last.vf) {
        (first, last) if first == last => format!("{first}"),
        (first, last) => format!("{first} to {last}"),
    };
    let mut waits: Histogram<u64> = first.waits.clone();
    for vf in &vfs[1..] {
        waits.add(&vf.waits).map_err(|_| fmt::Error)?;
    }
    let wait = Wait::of(&waits);
    let time = |value: f64| if waits.is_empty() { "-".into() } else { seconds(value) };
    let owed = vfs.iter().filter_map(|vf| vf.owed).reduce(f64::max);
    writeln!(
        f,
        "  {:<14} {:>18} {:>9} {:>19} {:>10} {:>10} {:>10} {:>8} {:>7}",
        name + first.place.word(),
        span(vfs.iter().map(|vf| vf.share)),
        percent(first.entitled),
        span(vfs.iter().filter_map(|vf| vf.kept)),
        time(wait.p50),
        time(wait.p99),
        time(wait.max),
        owed.map_or("-".into(), |owed| format!("{owed:.3}")),
        vfs.iter().map(|vf| vf.resets).sum::<u64>(),
    )
}

fn paging(f: &mut fmt::Formatter<'_>, paging: &Paging) -> fmt::Result {
    writeln!(
        f,
        "  paging for VF {}: {} of its share and {} that nobody wanted; granted {}, unassigned {}: reached {}",
        paging.vf,
        percent(paging.of_share),
        percent(paging.of_idle),
        percent(paging.granted),
        percent(paging.unassigned),
        percent(paging.reached)
    )
}

/// The targets of a run.
pub(super) struct Verdicts<'a>(pub(super) &'a [Target]);

impl fmt::Display for Verdicts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for target in self.0 {
            let word = if target.holds { "holds " } else { "MISSED" };
            writeln!(f, "{word} {target}")?;
        }
        let held = self.0.iter().filter(|target| target.holds).count();
        write!(f, "{held} of {} hold", count(self.0.len() as u64, "target"))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.what, self.found, self.wanted)
    }
}
