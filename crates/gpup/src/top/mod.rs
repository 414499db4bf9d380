//! `gpup top`: the VFs of a host and their parts of its engines, live.

mod lines;
mod live;
mod sample;
mod scene;

use std::io::IsTerminal;

use crate::args::Top;
use crate::exit::Failure;
use scene::Scene;

/// Runs the command.
pub(crate) fn run(args: &Top) -> Result<(), Failure> {
    if args.interval.0.is_zero() {
        return Err(Failure::usage("--interval 0 shows nothing: choose a longer one, such as 1s"));
    }
    let plain = args.once || args.samples.is_some() || args.output.json.is_some();
    let terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    let mut scene = Scene::set(args)?;
    let shown = if plain || !terminal { lines::show(args, &mut scene) } else { live::show(args, &mut scene) };
    let ended = scene.end();
    shown.and(ended)
}
