//! The command-line tool as a library, so that tests drive what people drive.

// What these macros print may end the process: see `tell`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod args;
mod caps;
pub mod check;
mod doubt;
pub mod exit;
mod files;
mod inspect;
mod interrupt;
mod json;
pub mod migrate;
mod named;
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
mod tell;
mod top;
mod trace;
pub mod units;
mod watch;
pub mod world;

use std::io::ErrorKind;
use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;
use exit::Failure;
use files::roles::{self, Role};
use tell::tell;

/// The tool from its command line to its exit code.
pub fn main() -> ExitCode {
    files::survive_limits();
    let done = match Cli::try_parse() {
        Ok(cli) => run(&cli),
        Err(answer) => match answer.print() {
            Err(error) if !answer.use_stderr() && error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::unwritten(&format!("standard output: {error}")))
            }
            _ => return ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2)),
        },
    };
    let code = match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // One line, whoever's words are in it.
            tell!("gpup: {}", failure.to_string().replace('\n', " "));
            failure.code()
        }
    };
    tell::settle();
    code
}

/// Runs a command. One that was done but whose result could not be written has failed in that alone.
pub fn run(cli: &Cli) -> Result<(), Failure> {
    // Whatever waits, waits by this machine's clock.
    dxgksim::host::std_host::install();
    let done = perform(cli);
    json::end(&done);
    files::draft::withdraw_left();
    match tell::take_unwritten() {
        None => done,
        Some(why) => Err(match done {
            Ok(()) => Failure::unwritten(&why),
            Err(failure) => failure.and(&format!("the result could not be written to {why}")),
        }),
    }
}

fn perform(cli: &Cli) -> Result<(), Failure> {
    let output = cli.command.output();
    let mut files = cli.command.files();
    files.extend(Role::streams());
    files.extend(output.trace.as_deref().map(|path| Role::result("--trace", path)));
    if let Some(path) = output.json.as_deref() {
        roles::check_one(&Role::result("--json", path), &files)?;
        json::begin(path)?;
    }
    // What follows is reported there if it fails.
    roles::check(&files)?;
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
