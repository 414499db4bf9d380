//! The machine: QEMU, its serial line, and the file behind the device's BAR.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::silence::{LONGEST, Silence};

/// The device's place on the bus.
pub(super) const SLOT: u8 = 4;
const PAGE: usize = 4096;
const BAR_BYTES: u64 = 256 << 20;
/// From one look at the BAR's file to the next.
const INTERVAL: Duration = Duration::from_secs(2);

/// What was seen of a run.
#[derive(Clone)]
pub(super) struct Seen {
    /// What the serial line said.
    pub(super) said: String,
    /// Pages of the BAR's file that held something, at each look while the guest ran.
    pub(super) pages: Vec<usize>,
}

/// The file behind the BAR. It is removed with this.
pub(super) struct Bar(PathBuf);

impl Bar {
    /// A file of zeros, in place of whatever is at `path`.
    pub(super) fn fresh(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot make {}", path.display()))?;
        let bar = Self(path.to_owned());
        file.set_len(BAR_BYTES)?;
        Ok(bar)
    }

    /// Pages that hold something.
    fn pages(&self) -> Result<usize> {
        let mut file = File::open(&self.0)?;
        let mut bytes = vec![0; 256 * PAGE];
        let mut pages = 0;
        for _ in 0..BAR_BYTES / bytes.len() as u64 {
            file.read_exact(&mut bytes)?;
            pages += bytes.chunks_exact(PAGE).filter(|page| **page != [0; PAGE]).count();
        }
        Ok(pages)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// QEMU. It ends with this.
struct Machine(Child);

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the guest to its end. What it says goes to the terminal and into `log`.
pub(super) fn boot(kernel: &Path, initramfs: &Path, bar: &Bar, log: &Path) -> Result<Seen> {
    let begin = Instant::now();
    let mut qemu = Machine(command(kernel, initramfs, bar).spawn().context("cannot run QEMU")?);
    let serial = qemu.0.stdout.take().context("no output")?;
    let file = File::create(log)?;
    let echo = thread::spawn(move || echo(serial, file));
    let pages = watch(&mut qemu.0, bar, log)?;
    let seconds = begin.elapsed().as_secs_f64();
    let ended = qemu.0.wait()?;
    let said = echo.join().ok().context("the serial line was not read to its end")?;
    ensure!(ended.success(), "QEMU failed ({ended})");
    println!("qemu: the machine ran for {seconds:.1} s");
    Ok(Seen { said, pages })
}

/// No accelerator is asked for: those that are faster are not on every machine. No network and no disk.
fn command(kernel: &Path, initramfs: &Path, bar: &Bar) -> Command {
    let mut qemu = Command::new("qemu-system-x86_64");
    qemu.args(["-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1G"]);
    qemu.args(["-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio"]);
    // A comma in a path is written twice.
    let path = bar.0.display().to_string().replace(',', ",,");
    qemu.arg("-object");
    qemu.arg(format!("memory-backend-file,id=bar,mem-path={path},size={BAR_BYTES},share=on"));
    qemu.arg("-device").arg(format!("ivshmem-plain,memdev=bar,addr={SLOT:#x}"));
    qemu.arg("-kernel").arg(kernel).arg("-initrd").arg(initramfs);
    qemu.args(["-append", "console=ttyS0 quiet panic=-1"]);
    qemu.stdin(Stdio::null()).stdout(Stdio::piped());
    qemu
}

/// Looks at the BAR's file until QEMU ends. An error when the machine says nothing for too long.
fn watch(qemu: &mut Child, bar: &Bar, log: &Path) -> Result<Vec<usize>> {
    let mut pages = Vec::new();
    let (mut next, mut silence) = (Instant::now(), Silence::of(log));
    loop {
        if Instant::now() >= next {
            let found = bar.pages()?;
            // What is found after the end was not seen while the guest ran.
            if qemu.try_wait()?.is_none() {
                pages.push(found);
            }
            next = Instant::now() + INTERVAL;
        }
        if qemu.try_wait()?.is_some() {
            return Ok(pages);
        }
        ensure!(!silence.is_over(), "the machine says nothing for {} s: killed", LONGEST.as_secs());
        sleep(Duration::from_millis(50));
    }
}

/// Copies lines to the terminal and into the log, and gives them all.
fn echo(serial: impl Read, mut log: File) -> String {
    let mut said = String::new();
    let mut serial = BufReader::new(serial);
    let mut line = Vec::new();
    // A serial line may carry bytes that are no text.
    while serial.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        println!("  {text}");
        let _ = writeln!(log, "{text}");
        said.push_str(&text);
        said.push('\n');
        line.clear();
    }
    said
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn pages_with_a_single_byte_count() {
        let path = std::env::temp_dir().join(format!("gpup-bar-{}", std::process::id()));
        let bar = Bar::fresh(&path).unwrap();
        assert_eq!(bar.pages().unwrap(), 0);
        let file = File::options().write(true).open(&path).unwrap();
        for offset in [0, 5, PAGE as u64, BAR_BYTES - 1] {
            file.write_all_at(&[1], offset).unwrap();
        }
        assert_eq!(bar.pages().unwrap(), 3);
        drop(bar);
        assert!(!path.exists());
    }
}
