//! `cargo xtask qemu`: VRAM in the BAR of a PCI device, in a machine of QEMU's.
//!
//! Debian's kernel boots with `gpup` as all there is. A VF moves from the BAR of an ivshmem device to simulated VRAM
//! and back again. The BAR is a file of the hypervisor's, so that it really held the VF's memory is seen from outside
//! too, without asking the driver.

mod guest;
mod judge;
mod machine;

use std::fs::{self, File};
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cross;

fn folder() -> PathBuf {
    cross::root().join("target/qemu")
}

/// Runs it all.
pub(crate) fn run() -> Result<()> {
    fs::create_dir_all(folder())?;
    let alone = File::create(folder().join(".lock"))?;
    alone.lock().context("cannot lock target/qemu")?;
    let kernel = guest::kernel(&folder())?;
    let initramfs = guest::initramfs(&folder())?;
    let bar = machine::Bar::fresh(&folder().join("bar.bin"))?;
    let seen = machine::boot(&kernel, &initramfs, &bar, &folder().join("serial.log"))?;
    let most = judge::judge(&seen)?;
    println!("qemu: identical both ways; {most} pages of the BAR's file held something while the guest ran");
    Ok(())
}
