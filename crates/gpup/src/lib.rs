//! The command-line tool as a library, so that tests drive what people drive.

pub mod args;
mod caps;
pub mod check;
mod doubt;
pub mod exit;
mod inspect;
mod interrupt;
pub mod migrate;
mod note;
pub mod pack;
mod progress;
pub mod report;
mod resolve;
mod restore;
mod save;
mod schedule;
pub mod serve;
mod spans;
pub mod tcp;
mod top;
mod trace;
pub mod units;
mod watch;
pub mod world;

use args::{Cli, Command};
use exit::Failure;

/// Runs a command.
pub fn run(cli: &Cli) -> Result<(), Failure> {
    let output = cli.command.output();
    output.check()?;
    if let Some(path) = output.json.as_deref() {
        report::touch(path)?;
    }
    if let Some(path) = output.trace.as_deref() {
        trace::begin(path)?;
    }
    match &cli.command {
        Command::Migrate(args) => migrate::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Save(args) => save::run(args),
        Command::Restore(args) => restore::run(args),
        Command::Resolve(args) => resolve::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Caps(args) => caps::run(args),
        Command::Check(args) => check::run(args),
        Command::Schedule(args) => schedule::run(args),
        Command::Top(args) => top::run(args),
    }
}
