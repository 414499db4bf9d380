//! The memory of real PCI devices, as Linux hands it to a process through sysfs.
//!
//! A process opens the BAR that an adapter's VRAM is to lie in ([`Bar::open`]) and gives Dxgkrnl its [`Bar::range`] as
//! the device's resource. What the driver then maps at these addresses, as it would with MmMapIoSpaceEx, is the BAR.
//!
//! Documentation/PCI/sysfs-pci.rst of the kernel describes the files.

mod location;
mod problem;
mod resources;

use core::fmt;
use core::ptr::NonNull;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use memmap2::{MmapOptions, MmapRaw};

pub use location::{BadLocation, Location};
pub use problem::Problem;
use resources::Resource;

/// Where Linux lists the PCI devices.
const DEVICES: &str = "/sys/bus/pci/devices";

/// The BARs that this process has opened.
static OPENED: Mutex<Vec<Arc<Opened>>> = Mutex::new(Vec::new());

/// An open BAR, and what it is.
struct Opened {
    start: u64,
    bytes: u64,
    file: File,
}

/// A BAR of a PCI device, this process's own until the value is dropped.
pub struct Bar {
    location: Location,
    index: usize,
    write_combined: bool,
    opened: Arc<Opened>,
    /// The device's `enable`, if it had to be enabled.
    enabled: Option<PathBuf>,
}

impl Bar {
    /// Opens a BAR: the one that `location` names, or the device's largest prefetchable one.
    ///
    /// The device must have no driver. It is enabled if it was not, and disabled again by the drop.
    pub fn open(location: Location) -> Result<Self, Problem> {
        Self::open_under(Path::new(DEVICES), location)
    }

    fn open_under(devices: &Path, location: Location) -> Result<Self, Problem> {
        let device = devices.join(location.function());
        let table = fs::read_to_string(device.join("resource"))
            .map_err(|_| Problem::NoDevice(location, devices.to_path_buf()))?;
        if let Ok(driver) = fs::read_link(device.join("driver")) {
            let name = driver.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Err(Problem::Bound(location, name));
        }
        let (index, resource) = resources::choose(&resources::parse(&table), location)?;
        let enabled = enable(&device, location)?;
        let opened = open_file(&device, location, index, &resource);
        let (file, write_combined) = match opened {
            Ok(opened) => opened,
            Err(problem) => {
                disable(enabled.as_deref());
                return Err(problem);
            }
        };
        let opened = Arc::new(Opened { start: resource.start, bytes: resource.bytes, file });
        OPENED.lock().unwrap_or_else(PoisonError::into_inner).push(opened.clone());
        Ok(Self { location, index, write_combined, opened, enabled })
    }

    /// Physical address of its first byte, as the bus has it, and its bytes.
    pub fn range(&self) -> (u64, u64) {
        (self.opened.start, self.opened.bytes)
    }

    /// Whether the processor may gather stores to it.
    pub fn is_write_combined(&self) -> bool {
        self.write_combined
    }
}

impl fmt::Display for Bar {
    /// The function and the BAR's number: `0000:00:04.0:2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.location.function(), self.index)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        opened.retain(|other| !Arc::ptr_eq(other, &self.opened));
        disable(self.enabled.as_deref());
    }
}

/// Has the device decode its memory. Gives the file that takes this back, if it did not do so before.
fn enable(device: &Path, location: Location) -> Result<Option<PathBuf>, Problem> {
    let switch = device.join("enable");
    let failed = |error| Problem::of_io(location, "enable it", error);
    if fs::read_to_string(&switch).map_err(failed)?.trim() != "0" {
        return Ok(None);
    }
    fs::write(&switch, "1").map_err(failed)?;
    Ok(Some(switch))
}

fn disable(switch: Option<&Path>) {
    if let Some(switch) = switch {
        // Nothing is lost if the device stays enabled.
        let _ = fs::write(switch, "0");
    }
}

/// Opens the file of a BAR, write-combined where Linux offers that, for this process alone, and tries to map it.
fn open_file(
    device: &Path,
    location: Location,
    index: usize,
    resource: &Resource,
) -> Result<(File, bool), Problem> {
    let open = |name: String| OpenOptions::new().read(true).write(true).open(device.join(name));
    let (file, write_combined) = match open(format!("resource{index}_wc")) {
        Ok(file) => (file, true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let plain = open(format!("resource{index}"));
            (plain.map_err(|error| Problem::of_io(location, "open its memory", error))?, false)
        }
        Err(error) => return Err(Problem::of_io(location, "open its memory", error)),
    };
    file.try_lock().map_err(|_| Problem::InUse(location, index))?;
    let opened = Opened { start: resource.start, bytes: resource.bytes, file };
    // A locked-down kernel says no only here.
    opened.map(0, 4096).map_err(|error| Problem::of_io(location, "map its memory", error))?;
    Ok((opened.file, write_combined))
}

impl Opened {
    fn map(&self, offset: u64, bytes: usize) -> io::Result<Mapping> {
        let mapped = MmapOptions::new().offset(offset).len(bytes).map_raw(&self.file)?;
        Ok(Mapping(mapped))
    }
}

/// Part of a BAR in this process's address space.
pub(super) struct Mapping(MmapRaw);

impl Mapping {
    /// First byte.
    pub(super) fn base(&self) -> Option<NonNull<u8>> {
        NonNull::new(self.0.as_mut_ptr())
    }
}

/// Maps `bytes` at a physical address that lies in an opened BAR; `None` when it lies in none.
pub(super) fn map(physical: u64, bytes: usize) -> Option<io::Result<Mapping>> {
    let opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let (bar, offset) = opened.iter().find_map(|bar| {
        let offset = physical.checked_sub(bar.start).filter(|offset| *offset < bar.bytes)?;
        Some((bar.clone(), offset))
    })?;
    drop(opened);
    if bytes as u64 > bar.bytes - offset {
        return Some(Err(io::ErrorKind::InvalidInput.into()));
    }
    Some(bar.map(offset, bytes))
}

#[cfg(test)]
mod tests;
