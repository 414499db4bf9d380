//! Why a BAR cannot be had, each in one line that says what to do.

use core::fmt;
use std::io;
use std::path::PathBuf;

use super::Location;

/// Why a BAR cannot be had.
#[derive(Debug)]
pub enum Problem {
    /// Nothing is there. The folder was looked in.
    NoDevice(Location, PathBuf),
    /// A driver has the device.
    Bound(Location, String),
    /// The device has no such memory BAR, or it has no address.
    NoMemory(Location, String),
    /// Somebody else has it open for the same purpose.
    InUse(Location, usize),
    /// The kernel lets only root do this.
    NotRoot(Location),
    /// The kernel lets nobody do this.
    LockedDown(Location),
    /// Something else went wrong.
    Io(Location, &'static str, io::Error),
}

impl Problem {
    /// The problem behind an error.
    pub(super) fn of_io(location: Location, doing: &'static str, error: io::Error) -> Self {
        match error.raw_os_error() {
            // Permission bits of the file.
            Some(EACCES) => Self::NotRoot(location),
            // Beyond them: a capability that root has, or what lockdown forbids root too.
            Some(EPERM) if is_root() => Self::LockedDown(location),
            Some(EPERM) => Self::NotRoot(location),
            _ => Self::Io(location, doing, error),
        }
    }
}

const EPERM: i32 = 1;
const EACCES: i32 = 13;

/// Whether this process is root's, by the owner that Linux gives its folder in /proc.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|folder| folder.uid() == 0)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |location: &Location| location.function();
        match self {
            Self::NoDevice(location, devices) => {
                write!(f, "no PCI device {}: {} does not list it", at(location), devices.display())
            }
            Self::Bound(location, driver) => {
                let at = at(location);
                write!(
                    f,
                    "the PCI device {at} is in use by the driver {driver}: take it away first, with \
                     `echo {at} > /sys/bus/pci/drivers/{driver}/unbind`"
                )
            }
            Self::NoMemory(location, why) => write!(f, "the PCI device {} {why}", at(location)),
            Self::InUse(location, index) => {
                write!(f, "BAR {index} of the PCI device {} is in use by another host", at(location))
            }
            Self::NotRoot(location) => {
                write!(f, "only root may map the memory of the PCI device {}: run as root", at(location))
            }
            Self::LockedDown(location) => write!(
                f,
                "the kernel lets no process map the memory of the PCI device {}: it is locked down (secure boot), or \
                 this container lacks the capability",
                at(location)
            ),
            Self::Io(location, doing, error) => {
                write!(f, "the PCI device {}: cannot {doing}: {error}", at(location))
            }
        }
    }
}

impl core::error::Error for Problem {}
