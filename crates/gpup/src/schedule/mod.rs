//! `gpup schedule`: the driver's scheduler on a discrete-event model of an engine.
//!
//! ```text
//! scenario, values           what is simulated
//! check, builtin             what of that can be, and what there is
//! window                     the phases of its migrations
//! model                      the run
//! record                     what happened in it
//! figures                    what that comes to
//! targets                    what must hold
//! text, plot                 for people
//! ```

mod builtin;
mod check;
mod figures;
mod model;
mod plot;
mod record;
mod scenario;
mod targets;
mod text;
mod values;
mod window;

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use serde::Serialize;

use crate::args::Schedule;
use crate::exit::Failure;
use crate::files::Draft;
use crate::json;
use crate::tell::{self, say, tell};
use crate::units::{count, seconds};
use figures::Figures;
use targets::Target;

/// What is written for machines.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    figures: &'a Figures,
    targets: &'a [Target],
    holds: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Schedule) -> Result<(), Failure> {
    if args.scenario == Path::new("list") {
        return builtin::list();
    }
    let mut scenario = builtin::find(&args.scenario)?;
    scenario.seed = args.seed.unwrap_or(scenario.seed);
    let picture = match &args.svg {
        Some(path) => {
            let draft = Draft::of_result(path).with_context(|| format!("cannot write {}", path.display()))?;
            Some((path, draft))
        }
        None => None,
    };
    let began = Instant::now();
    let record = model::simulate(&scenario);
    let took = began.elapsed().as_secs_f64();
    let figures = figures::figures(&scenario, &record);
    let targets = targets::judge(&scenario, &record, &figures);
    let lines = plot::lines(&scenario, &record);
    if let Some((path, draft)) = picture {
        let picture = plot::svg(&scenario, &record, &lines)?;
        let written = draft.file().write_all(picture.as_bytes()).and_then(|()| draft.commit());
        written.unwrap_or_else(|error| tell::unwritten(format!("{}: {error}", path.display())));
    }
    let missed = targets.iter().find(|target| !target.holds);
    json::set(&Report { figures: &figures, targets: &targets, holds: missed.is_none() });
    if args.output.speaks() {
        say!("{}\n{}\n{}", text::Table(&figures), plot::text(&scenario, &lines), text::Verdicts(&targets));
    }
    if !args.output.quiet {
        let hours = figures.seconds * f64::from(figures.vfs) / 3600.0;
        let packets = count(record.packets, "packet");
        tell!("simulated {hours:.2} VF-hours, {packets}, in {}", seconds(took));
    }
    match missed {
        None => Ok(()),
        Some(target) => Err(Failure::Failed(format!("a target was missed: {target}"))),
    }
}
