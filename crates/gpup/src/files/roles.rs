//! The paths of a command against each other: what it writes may be neither what it reads nor what else it writes.

use std::path::{Path, PathBuf};

use super::identity::{Thing, is_device, is_door};
use crate::exit::Failure;

/// A file or stream of a command, and what becomes of it.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// The option or argument that names it.
    what: &'static str,
    place: Place,
    written: bool,
}

#[derive(Clone, Debug)]
enum Place {
    Path(PathBuf),
    /// A standard stream: whether an option asks for it, and the name it has among files.
    Stream(bool, &'static str),
}

const STDOUT: &str = "/dev/stdout";
const STDERR: &str = "/dev/stderr";

impl Role {
    /// A file that is read.
    pub(crate) fn read(what: &'static str, path: impl Into<PathBuf>) -> Self {
        Self { what, place: Place::Path(path.into()), written: false }
    }

    /// A file that is written.
    pub(crate) fn written(what: &'static str, path: impl Into<PathBuf>) -> Self {
        Self { what, place: Place::Path(path.into()), written: true }
    }

    /// A file that is written, or standard output for `-`.
    pub(crate) fn result(what: &'static str, path: &Path) -> Self {
        match path.to_str() {
            Some("-") => Self { what, place: Place::Stream(true, STDOUT), written: true },
            _ => Self::written(what, path),
        }
    }

    /// What every command writes to.
    pub(crate) fn streams() -> [Self; 2] {
        [("standard output", STDOUT), ("standard error", STDERR)].map(|(what, name)| Self {
            what,
            place: Place::Stream(false, name),
            written: true,
        })
    }

    fn path(&self) -> &Path {
        match &self.place {
            Place::Path(path) => path,
            Place::Stream(_, name) => Path::new(name),
        }
    }

    fn clashes(&self, other: &Self) -> bool {
        let door = |place: &Place| matches!(place, Place::Path(path) if is_door(path));
        match (&self.place, &other.place) {
            _ if !self.written && !other.written => false,
            (Place::Stream(one, _), Place::Stream(two, _)) => *one && *two,
            // Who names a stream as a file wants it so.
            (Place::Stream(..), path) | (path, Place::Stream(..)) if door(path) => false,
            _ => !is_device(self.path()) && Thing::of(self.path()) == Thing::of(other.path()),
        }
    }
}

/// Refuses two roles of one file.
pub(crate) fn check(roles: &[Role]) -> Result<(), Failure> {
    roles.iter().enumerate().try_for_each(|(number, role)| check_one(role, &roles[..number]))
}

/// Refuses `role` where it is that of another, too.
pub(crate) fn check_one(role: &Role, others: &[Role]) -> Result<(), Failure> {
    match others.iter().find(|other| other.clashes(role)) {
        None => Ok(()),
        Some(other) => Err(Failure::usage(format!(
            "{} and {} are the same file ({}): choose two",
            other.what,
            role.what,
            role.path().display()
        ))),
    }
}
