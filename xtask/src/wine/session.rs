//! A Wine prefix, and one program's run in it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, sleep};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::command::run;
use crate::silence::{LONGEST, Silence};

/// Lines of the log that are shown when something failed.
const SHOWN: usize = 60;

/// A prefix: Wine's registry and its C: drive.
pub(super) struct Prefix(PathBuf);

/// How a program ended.
pub(super) struct Ended {
    code: Option<i32>,
    log: PathBuf,
}

impl Ended {
    /// Fails, and shows the end of the log, unless the exit code is `code`.
    pub(super) fn must_be(&self, code: i32) -> Result<()> {
        if self.code == Some(code) {
            return Ok(());
        }
        let log = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(SHOWN)..].iter().for_each(|line| eprintln!("  {line}"));
        let found = self.code.map_or("was killed".into(), |code| format!("ended with code {code}"));
        bail!("the test program {found} where {code} belongs; its log is {}", self.log.display())
    }
}

impl Ended {
    /// Fails unless the log has these words: a program can end with a code for more than one reason.
    pub(super) fn must_say(&self, words: &str) -> Result<()> {
        let log = fs::read(&self.log)?;
        let said = String::from_utf8_lossy(&log).contains(words);
        ensure!(said, "the test program did not say '{words}': see {}", self.log.display());
        Ok(())
    }
}

impl Prefix {
    /// Makes a prefix, in place of whatever is at `path`.
    pub(super) fn fresh(path: &Path) -> Result<Self> {
        println!("wine: a fresh prefix");
        let prefix = Self::cleared(path)?;
        fs::create_dir_all(path)?;
        let log = path.with_extension("log");
        let file = File::create(&log)?;
        let mut boot = prefix.command("wineboot");
        boot.arg("-i").stdout(file.try_clone()?).stderr(file);
        let code = wait(&mut boot.spawn().context("cannot run wineboot")?, &log)?;
        // Debug channels are set for a session, so the next run must have one of its own.
        prefix.end();
        ensure!(code == Some(0), "Wine cannot make a prefix: see {}", log.display());
        Ok(prefix)
    }

    /// A copy of this prefix, in place of whatever is at `path`.
    pub(super) fn copy(&self, path: &Path) -> Result<Self> {
        let prefix = Self::cleared(path)?;
        run(Command::new("cp").arg("-a").arg(&self.0).arg(path))?;
        Ok(prefix)
    }

    fn cleared(path: &Path) -> Result<Self> {
        if path.exists() {
            fs::remove_dir_all(path).with_context(|| format!("cannot clear {}", path.display()))?;
        }
        Ok(Self(path.to_owned()))
    }

    /// Puts a driver where the system's own lie.
    pub(super) fn add_system_driver(&self, image: &Path, name: &str) -> Result<()> {
        let drivers = self.0.join("drive_c/windows/system32/drivers");
        fs::create_dir_all(&drivers)?;
        fs::copy(image, drivers.join(name)).with_context(|| format!("cannot copy {}", image.display()))?;
        Ok(())
    }

    /// Runs a Windows program: what it prints goes to the terminal and, with what drivers print, into `log`.
    pub(super) fn run(&self, program: &Path, arguments: &[&str], log: &Path) -> Result<Ended> {
        let file = File::create(log)?;
        let mut wine = self.command("wine");
        // DbgPrint, and nothing else that is not an error.
        wine.env("WINEDEBUG", "+debugstr").arg(program).args(arguments);
        let mut child =
            wine.stdout(Stdio::piped()).stderr(file.try_clone()?).spawn().context("cannot run wine")?;
        let out = child.stdout.take().context("no output")?;
        let echo = thread::spawn(move || echo(out, file));
        let code = wait(&mut child, log)?;
        self.end();
        let _ = echo.join();
        Ok(Ended { code, log: log.to_owned() })
    }

    /// A program of Wine's for this prefix, without a display and without offers to download anything.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("WINEPREFIX", &self.0)
            .env("WINEARCH", "win64")
            .env("WINEDLLOVERRIDES", "mscoree=;mshtml=;winemenubuilder.exe=")
            .env("WINEDEBUG", "-all")
            .env_remove("DISPLAY")
            .stdin(Stdio::null());
        command
    }

    /// Ends the session of this prefix, with whatever runs in it.
    fn end(&self) {
        for what in ["-k", "-w"] {
            let mut server = self.command("wineserver");
            let _ = server.arg(what).stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
    }
}

/// Copies lines to the terminal and into the log.
fn echo(out: impl std::io::Read, mut log: File) {
    for line in BufReader::new(out).lines().map_while(Result::ok) {
        println!("  {}", line.trim_end());
        let _ = std::io::Write::write_all(&mut log, format!("{line}\n").as_bytes());
    }
}

/// Waits for a program's end; kills it when nothing has come into its log for too long.
fn wait(child: &mut Child, log: &Path) -> Result<Option<i32>> {
    let mut silence = Silence::of(log);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        if silence.is_over() {
            child.kill()?;
            child.wait()?;
            eprintln!("wine: nothing for {} s: killed", LONGEST.as_secs());
            return Ok(None);
        }
        sleep(Duration::from_millis(50));
    }
}
