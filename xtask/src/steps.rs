//! The steps of a test run, each a command with its time, and the summary at the end.

use std::process::{Command, Stdio};
use std::time::Instant;

use crate::cross;
use crate::packages::{self, BASE, CROSS, Need, QEMU, WINE};
#[cfg(unix)]
use crate::qemu;
use crate::wine;

/// How the steps went.
#[derive(Default)]
pub(crate) struct Summary {
    lines: Vec<String>,
    failed: usize,
    skipped: usize,
}

impl Summary {
    /// Whether no step failed.
    pub(crate) fn passed(&self) -> bool {
        self.failed == 0
    }

    fn step(&mut self, name: &str, command: &mut Command) {
        println!("\n=== {name}");
        let begin = Instant::now();
        let passed = command.status().is_ok_and(|status| status.success());
        self.note(name, begin, passed);
    }

    /// A step of this program itself.
    pub(crate) fn own(&mut self, name: &str, work: impl FnOnce() -> anyhow::Result<()>) {
        println!("\n=== {name}");
        let begin = Instant::now();
        let result = work();
        if let Err(error) = &result {
            eprintln!("{error:#}");
        }
        self.note(name, begin, result.is_ok());
    }

    fn note(&mut self, name: &str, begin: Instant, passed: bool) {
        let seconds = begin.elapsed().as_secs_f64();
        self.failed += usize::from(!passed);
        self.lines.push(format!("{} {seconds:7.1} s  {name}", if passed { "passed" } else { "FAILED" }));
    }

    /// Sees to the machine's packages. False when that failed.
    fn packages(&mut self, groups: &[&[Need]]) -> bool {
        let begin = Instant::now();
        let there = packages::install(groups);
        if !there {
            self.note("Debian packages", begin, false);
        }
        there
    }

    fn skip(&mut self, name: &str, why: &str) {
        println!("\n=== {name}: skipped, {why}");
        self.skipped += 1;
        self.lines.push(format!("skipped          {name}: {why}"));
    }

    fn print(self) -> Self {
        println!("\n=== summary");
        self.lines.iter().for_each(|line| println!("{line}"));
        let passed = self.lines.len() - self.failed - self.skipped;
        println!("steps: {passed} passed, {} failed, {} skipped", self.failed, self.skipped);
        self
    }
}

/// Whether the machine of QEMU's, which runs the `gpup` of this machine, can be had.
const IN_QEMU: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

/// Its packages, where it can be had.
const fn for_qemu() -> &'static [Need] {
    if IN_QEMU { QEMU } else { &[] }
}

/// A cargo command of this toolchain.
fn cargo(arguments: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments.split_whitespace()).stdin(Stdio::null());
    command
}

/// A cargo command of the nightly toolchain, by rustup.
fn nightly(arguments: &str) -> Command {
    let mut command = Command::new("cargo");
    // The outer cargo's choice of toolchain must not reach the inner one.
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").env_remove("RUSTC");
    command.arg("+nightly").args(arguments.split_whitespace()).stdin(Stdio::null());
    command
}

fn loom(command: &mut Command, preemptions: &str) {
    command
        .env("RUSTFLAGS", "--cfg loom")
        .env("LOOM_MAX_PREEMPTIONS", preemptions)
        .env("CARGO_TARGET_DIR", "target/loom");
}

/// Every test of every binary, whatever fails. cargo-nextest runs tests of several binaries side by side.
fn tests(summary: &mut Summary) {
    let there = cargo("nextest --version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if there.is_ok_and(|status| status.success()) {
        let run = "nextest run --workspace --locked --no-fail-fast";
        summary.step("tests (cargo nextest)", &mut cargo(run));
        // Which it does not run.
        let examples = "test --doc --workspace --locked --no-fail-fast";
        summary.step("tests in documentation (cargo test)", &mut cargo(examples));
    } else {
        let run = "test --workspace --locked --no-fail-fast";
        summary.step("tests (cargo test: no cargo-nextest here)", &mut cargo(run));
    }
}

fn common(summary: &mut Summary) {
    summary.step("formatting", &mut cargo("fmt --all --check"));
    summary.step("clippy", &mut cargo("clippy --workspace --all-targets --locked -- -D warnings"));
    tests(summary);
    let mut documentation = cargo("doc --workspace --no-deps --locked --quiet");
    documentation.env("RUSTDOCFLAGS", "-D warnings");
    summary.step("documentation", &mut documentation);
    let mut interleavings = cargo("test -p gpup-core --lib --release --locked loom");
    loom(&mut interleavings, "2");
    summary.step("interleavings of the dirty plane (loom)", &mut interleavings);
    address_sanitizer(summary);
    summary.step("a whole migration (README)", &mut cargo("run --release --locked -- migrate"));
    package(summary);
}

/// The driver's package, and the lints of what only Windows compiles.
fn package(summary: &mut Summary) {
    if !cfg!(target_os = "linux") {
        return summary
            .skip("the driver's package (sys)", "built on Linux here; on Windows, run `cargo make`");
    }
    summary.own("clippy for Windows", || cross::clippy(&cross::GPUP_KMD));
    summary.own("the driver's package (sys)", || crate::package::make().map(drop));
}

/// The driver in Wine's kernel.
fn in_wine(summary: &mut Summary, rounds: u32) {
    if !cfg!(target_os = "linux") {
        return summary.skip("Wine", "runs on Linux");
    }
    summary.own("clippy for Windows, the stand-in", || cross::clippy(&cross::DXGKRNL));
    summary.own(&format!("Wine: {rounds} rounds"), || wine::run(rounds));
}

/// The same alone.
pub(crate) fn wine(rounds: u32) -> Summary {
    let mut summary = Summary::default();
    if summary.packages(&[BASE, CROSS, WINE]) {
        in_wine(&mut summary, rounds);
    }
    summary.print()
}

/// VRAM in a PCI device's BAR, in a machine of QEMU's.
fn in_qemu(summary: &mut Summary) {
    #[cfg(unix)]
    if IN_QEMU {
        return summary.own("VRAM in a PCI BAR (QEMU)", qemu::run);
    }
    summary.skip("VRAM in a PCI BAR (QEMU)", "runs on Linux on x86-64");
}

/// The same alone.
pub(crate) fn qemu() -> Summary {
    let mut summary = Summary::default();
    if summary.packages(&[BASE, for_qemu()]) {
        in_qemu(&mut summary);
    }
    summary.print()
}

/// The driver's package alone.
pub(crate) fn sys() -> Summary {
    let mut summary = Summary::default();
    if summary.packages(&[BASE, CROSS]) {
        package(&mut summary);
    }
    summary.print()
}

fn address_sanitizer(summary: &mut Summary) {
    let name = "AddressSanitizer (nightly): dirty plane, VRAM, device, driver table";
    let there = nightly("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        return summary.skip(name, "no nightly toolchain on this machine");
    }
    let mut command = nightly(
        "test -p gpup-core -p gpup-kmd --lib --tests --target x86_64-unknown-linux-gnu --locked --no-fail-fast",
    );
    command.env("RUSTFLAGS", "-Zsanitizer=address").env("CARGO_TARGET_DIR", "target/asan");
    // Leaks are looked for by the tests' own counts; the sanitizer's leak check needs ptrace, which CI may lack.
    command.env("ASAN_OPTIONS", "detect_leaks=0");
    summary.step(name, &mut command);
}

/// Every test in bounded form.
pub(crate) fn test() -> Summary {
    let mut summary = Summary::default();
    if !summary.packages(&[BASE, CROSS, WINE, for_qemu()]) {
        return summary.print();
    }
    common(&mut summary);
    in_wine(&mut summary, wine::ROUNDS);
    in_qemu(&mut summary);
    summary.print()
}

/// The bounded tests and the long runs.
pub(crate) fn full() -> Summary {
    let mut summary = Summary::default();
    if !summary.packages(&[BASE, CROSS, WINE, for_qemu()]) {
        return summary.print();
    }
    common(&mut summary);
    in_wine(&mut summary, wine::MANY_ROUNDS);
    let mut wide = cargo("test -p gpup-core --lib --release --locked loom");
    loom(&mut wide, "3");
    summary.step("wider interleavings (loom, 3 preemptions)", &mut wide);
    let mut hand_over = cargo("test -p live-migration --test handover --locked");
    hand_over.env("GPUP_MODEL", "wide");
    summary.step("wider bounds of the hand-over's model (stateright)", &mut hand_over);
    let mut sweep = cargo("test -p gpup --test processes --locked sweep");
    sweep.env("GPUP_SWEEP", "all");
    summary.step("every system call on files with every fault", &mut sweep);
    let mut frames = cargo("test -p gpup --test frames --locked");
    frames.env("GPUP_FRAMES", "all");
    summary.step("every frame through every fate, and a next migration after each", &mut frames);
    for workload in ["matmul", "stencil", "nbody", "writer", "idle"] {
        let run = format!("run --release --locked -- migrate --quiet --workload {workload} --vf-size 512MiB");
        for round in 1..=5 {
            summary.step(&format!("migrate {workload}, round {round}"), &mut cargo(&run));
        }
    }
    in_qemu(&mut summary);
    summary.print()
}

/// The benchmarks behind the README's table.
pub(crate) fn bench() -> Summary {
    let mut summary = Summary::default();
    summary.step("dirty plane", &mut cargo("bench -p gpup-core --bench dirty --locked"));
    summary.step("scheduler", &mut cargo("bench -p gpup-core --bench scheduler --locked"));
    summary.step("migration", &mut cargo("bench -p gpup --bench migrate --locked"));
    summary.step("fairness on the threads", &mut cargo("bench -p gpup --bench fairness --locked"));
    let scenarios =
        ["mixed", "migration", "light", "surplus", "several", "target", "weights", "many", "crowd"];
    for scenario in scenarios {
        let run = format!("run --release --locked -- schedule --scenario {scenario}");
        summary.step(&format!("schedule {scenario}"), &mut cargo(&run));
    }
    summary.print()
}
