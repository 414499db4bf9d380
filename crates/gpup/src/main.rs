//! The command-line tool.

use std::process::ExitCode;

use clap::Parser;
use gpup::args::Cli;

fn main() -> ExitCode {
    match gpup::run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("gpup: {failure}");
            failure.code()
        }
    }
}
