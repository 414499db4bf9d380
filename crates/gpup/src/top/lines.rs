//! Samples as plain lines, and as JSON.

use std::time::Instant;

use serde::Serialize;

use super::sample::Row;
use super::scene::Scene;
use crate::args::Top;
use crate::exit::Failure;
use crate::interrupt;
use crate::json;
use crate::tell::say;
use crate::units::seconds;

/// A sample for machines.
#[derive(Serialize)]
struct Taken {
    /// Seconds since the start.
    at: f64,
    /// Seconds it covers.
    seconds: f64,
    /// What became of the move.
    migration: String,
    rows: Vec<Row>,
}

/// Names and widths of the columns.
pub(super) const COLUMNS: [(&str, u16); 17] = [
    ("host", 6),
    ("VF", 3),
    ("work", 8),
    ("engine", 8),
    ("phase", 8),
    ("busy", 7),
    ("share", 7),
    ("entitled", 8),
    ("packets/s", 9),
    ("wait p50", 8),
    ("p99", 8),
    ("longest", 8),
    ("preempt/s", 9),
    ("resets", 6),
    ("speed", 7),
    ("paging", 7),
    ("from idle", 9),
];

/// A row's cells.
pub(super) fn cells(row: &Row, workload: &str) -> [String; COLUMNS.len()] {
    let percent = |part: f64| format!("{:.1} %", part * 100.0);
    [
        row.host.into(),
        row.vf.to_string(),
        workload.into(),
        row.engine.clone(),
        row.phase.into(),
        percent(row.busy),
        row.share.map_or("-".into(), percent),
        percent(row.entitled),
        format!("{:.0}", row.packets_per_second),
        seconds(row.wait_p50),
        seconds(row.wait_p99),
        seconds(row.longest_wait),
        format!("{:.0}", row.preemptions_per_second),
        row.resets.to_string(),
        percent(row.speed),
        percent(row.paging_share),
        percent(row.paging_idle),
    ]
}

/// Cells in one line.
fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let padded =
        cells.zip(COLUMNS).map(|(cell, (_, width))| format!("{cell:>width$}", width = usize::from(width)));
    padded.collect::<Vec<_>>().join("  ")
}

/// Prints samples until there are enough, or Ctrl-C.
pub(super) fn show(args: &Top, scene: &mut Scene<'_>) -> Result<(), Failure> {
    let wanted = if args.once { Some(1) } else { args.samples };
    let began = Instant::now();
    let mut taken = Vec::new();
    let mut number = 0;
    while wanted.is_none_or(|wanted| number < wanted) && interrupt::pause(args.interval.0).is_ok() {
        if args.move_after.is_some_and(|after| began.elapsed() >= after.0) && !scene.was_moved() {
            scene.start_move()?;
        }
        let (passed, rows) = scene.sample();
        if args.output.speaks() {
            print(scene, &rows, number > 0);
        }
        if args.output.json.is_some() {
            let (at, migration) = (began.elapsed().as_secs_f64(), scene.said());
            taken.push(Taken { at, seconds: passed, migration, rows });
        }
        number += 1;
    }
    json::set(&taken);
    Ok(())
}

fn print(scene: &Scene<'_>, rows: &[Row], again: bool) {
    if again {
        say!("");
    }
    say!("{}", scene.said());
    say!("{}", line(COLUMNS.iter().map(|(name, _)| *name)));
    for row in rows {
        let cells = cells(row, &scene.workload(row));
        say!("{}", line(cells.iter().map(String::as_str)));
    }
}
