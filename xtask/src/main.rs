//! The project's chores: `cargo xtask test` is every test in bounded form, `cargo xtask full` adds the long runs,
//! `cargo xtask sys` builds the driver's package.

mod command;
mod cross;
mod image;
mod inf;
mod package;
mod packages;
#[cfg(unix)]
mod qemu;
#[cfg(test)]
mod scratch;
mod silence;
mod steps;
mod wine;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask test    every test in bounded form: formatting, clippy, unit, property and migration tests,
                    the interleavings of the dirty plane (loom), AddressSanitizer where the nightly is there,
                    a whole migration by the command of the README, the driver's package with its checks, the driver
                    in Wine's kernel, and VRAM in a PCI BAR in QEMU
cargo xtask full    the same, then the long runs: all workloads, wider interleavings, repeated migrations
cargo xtask bench   the benchmarks behind the README's table
cargo xtask sys     gpup_kmd.sys and its package, built on Linux into target/package, signed for tests and checked
cargo xtask wine    that driver in Wine's kernel: installed from its INF, a live migration, surprise removal in
                    the middle of one, unloaded and loaded again: 5 times, or as often as --rounds N says
cargo xtask qemu    a migration between the BAR of a PCI device and simulated VRAM, there and back, in a machine of
                    QEMU's (Linux on x86-64)

Exit code 0 if everything passed, 1 if something failed, 2 for wrong usage.
";

fn main() -> ExitCode {
    // The cross build calls copies of this program as its compiler wrapper and its linker.
    if let Some(code) = cross::dispatch() {
        return code;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let run = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => steps::test,
        ["full"] => steps::full,
        ["bench"] => steps::bench,
        ["sys"] => steps::sys,
        ["qemu"] => steps::qemu,
        ["wine", ref rest @ ..] => {
            return match wine::rounds(rest) {
                Ok(rounds) => code(&steps::wine(rounds)),
                Err(error) => {
                    eprintln!("{error:#}");
                    ExitCode::from(2)
                }
            };
        }
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    code(&run())
}

fn code(summary: &steps::Summary) -> ExitCode {
    if summary.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
