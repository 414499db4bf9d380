//! `cargo xtask wine`: the driver in Wine's kernel, an independent implementation of NT's.
//!
//! The package is installed from its INF by SetupAPI, with one file of it changed: gpup_kmd.sys is the second link of
//! the same objects. A test program then has live migrations and the conformance checker run in the kernel, takes
//! devices away in the middle of a migration, unloads and loads again. Every rule must be kept there, and every
//! function that the driver gave must have been called. What must fail is run too: with the dirty tracker switched off
//! the migration must not be proved identical, and an INF with an error must not install.

mod calls;
mod report;
mod session;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::command::run as finish;
use crate::{cross, package};
use session::{Ended, Prefix};

/// Rounds in bounded form.
pub(crate) const ROUNDS: u32 = 5;
/// Rounds of the long run.
pub(crate) const MANY_ROUNDS: u32 = 20;

/// The driver's feature and setting that switch the dirty tracker off.
const FAULT: (&str, &str) = ("fault-injection", "FaultNoDirtyMarks");
/// The test program's exit code when the migration came out other than identical.
const NOT_IDENTICAL: i32 = 3;

/// The INF's models section, and the name that Wine's SetupAPI looks for: it knows architectures, but no versions of
/// Windows behind them, so the choice of the section by version is made here. Nothing else of the INF changes.
const MODELS: [&str; 2] = ["[GpupKmd_Models.NTamd64.10.0...26100]", "[GpupKmd_Models.NTamd64]"];

fn folder() -> PathBuf {
    cross::root().join("target/wine")
}

/// Everything a run needs.
struct Parts {
    harness: PathBuf,
    inf: PathBuf,
    dxgkrnl: PathBuf,
    template: Prefix,
}

/// Runs it all, with so many rounds.
pub(crate) fn run(rounds: u32) -> Result<()> {
    let package = package::make()?;
    let driver = cross::build(&cross::GPUP_KMD, &[])?.wine;
    let faulty = cross::build(&cross::GPUP_KMD, &[FAULT.0])?.wine;
    let dxgkrnl = cross::build(&cross::DXGKRNL, &[])?.wine;
    fs::create_dir_all(folder())?;
    let alone = fs::File::create(folder().join(".lock"))?;
    alone.lock().context("cannot lock target/wine")?;
    let template = Prefix::fresh(&folder().join("template"))?;
    let parts = Parts { harness: harness()?, inf: package.file("inf"), dxgkrnl, template };
    rounds_pass(&parts, &driver, rounds)?;
    untracked_fails(&parts, &faulty)?;
    broken_inf_fails(&parts, &driver)
}

/// The rounds, and the report's fields against those of a run on the host.
fn rounds_pass(parts: &Parts, driver: &Path, rounds: u32) -> Result<()> {
    println!("wine: {rounds} rounds of migration, surprise removal and unload; every rule, every function");
    let reports = reports("rounds")?;
    let inf = parts.package("package", driver, Ok)?;
    let ended = parts.harness("rounds", &inf, &[&rounds.to_string(), &wide(&reports)])?;
    ended.must_be(0)?;
    report::identical(&reports.join("scattered.json"))?;
    calls::all_kept(&reports.join("check.json"))?;
    calls::all_called(&reports.join("check.json"))?;
    let fields = report::identical(&reports.join("report.json"))?;
    let host = report::of_host(&folder().join("host.json"))?;
    ensure!(fields == host, "the report under Wine has other fields than the host's:\n{fields:?}\n{host:?}");
    println!("wine: the report has the {} fields of `gpup migrate --json`", fields.len());
    Ok(())
}

/// The proof of the proof: without the dirty tracker the same migration must come out different.
fn untracked_fails(parts: &Parts, faulty: &Path) -> Result<()> {
    println!("wine: the same with the dirty tracker switched off, which must fail");
    let inf = parts.package("package-untracked", faulty, Ok)?;
    let reports = reports("untracked")?;
    let ended = parts.harness("untracked", &inf, &["1", &wide(&reports), FAULT.1])?;
    ended.must_be(NOT_IDENTICAL)?;
    report::different(&reports.join("report.json"))
}

/// An INF with an error must not install: one that does not parse, and one whose file is not copied.
fn broken_inf_fails(parts: &Parts, driver: &Path) -> Result<()> {
    println!("wine: two INFs with an error, which must fail");
    for (name, from, to, complaint) in [
        ("syntax", "[GpupKmd_Files]", "[GpupKmd_Files", "SetupAPI refuses"),
        (
            "file",
            "CopyFiles    = GpupKmd_Files",
            "CopyFiles    = GpupKmd_Flies",
            "the file that the service names",
        ),
    ] {
        let inf = parts.package(&format!("package-{name}"), driver, |inf| {
            ensure!(inf.contains(from), "the INF has no line '{from}' to be broken");
            Ok(inf.replace(from, to))
        })?;
        let reports = reports("broken")?;
        let ended = parts.harness(name, &inf, &["1", &wide(&reports)])?;
        ended
            .must_be(1)
            .and_then(|()| ended.must_say(complaint))
            .with_context(|| format!("an INF with an error ({name})"))?;
    }
    Ok(())
}

impl Parts {
    /// A copy of the package with the Wine image in it, and its INF as `change` makes it.
    fn package(
        &self,
        name: &str,
        driver: &Path,
        change: impl Fn(String) -> Result<String>,
    ) -> Result<PathBuf> {
        let folder = folder().join(name);
        fs::create_dir_all(&folder)?;
        fs::copy(driver, folder.join("gpup_kmd.sys"))?;
        fs::copy(self.inf.with_extension("cat"), folder.join("gpup_kmd.cat"))?;
        let inf = folder.join("gpup_kmd.inf");
        let text = fs::read_to_string(&self.inf)?;
        ensure!(text.contains(MODELS[0]), "the INF has no section {}", MODELS[0]);
        fs::write(&inf, change(text.replace(MODELS[0], MODELS[1]))?)?;
        Ok(inf)
    }

    /// Runs the test program in a fresh prefix.
    fn harness(&self, name: &str, inf: &Path, arguments: &[&str]) -> Result<Ended> {
        let prefix = self.template.copy(&folder().join("prefix"))?;
        prefix.add_system_driver(&self.dxgkrnl, "dxgkrnl.sys")?;
        let inf = wide(inf);
        let arguments: Vec<&str> = [inf.as_str()].into_iter().chain(arguments.iter().copied()).collect();
        prefix.run(&self.harness, &arguments, &folder().join(name).with_extension("log"))
    }
}

/// A path of this machine as Wine's programs name it.
fn wide(path: &Path) -> String {
    format!("Z:{}", path.display()).replace('/', "\\")
}

/// An empty folder for the reports of a run.
fn reports(name: &str) -> Result<PathBuf> {
    let folder = folder().join("reports").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Compiles the test program.
fn harness() -> Result<PathBuf> {
    let program = folder().join("harness.exe");
    let mut gcc = Command::new("x86_64-w64-mingw32-gcc");
    gcc.args(["-Wall", "-Wextra", "-Werror", "-O1", "-o"]).arg(&program);
    gcc.arg(cross::root().join("xtask/cross/wine/harness.c")).args(["-lsetupapi", "-lnewdev"]);
    finish(&mut gcc)?;
    Ok(program)
}

/// Reads `--rounds N`.
pub(crate) fn rounds(arguments: &[&str]) -> Result<u32> {
    match arguments {
        [] => Ok(ROUNDS),
        ["--rounds", number] => match number.parse() {
            Ok(rounds @ 1..=1000) => Ok(rounds),
            _ => bail!("--rounds {number}: write a number from 1 to 1000"),
        },
        _ => bail!("cargo xtask wine takes --rounds N and nothing else"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_bounded() {
        assert_eq!(rounds(&[]).unwrap(), ROUNDS);
        assert_eq!(rounds(&["--rounds", "20"]).unwrap(), 20);
        for bad in [&["--rounds", "0"][..], &["--rounds", "x"], &["--rounds"], &["20"]] {
            assert!(rounds(bad).is_err(), "{bad:?}");
        }
    }
}
