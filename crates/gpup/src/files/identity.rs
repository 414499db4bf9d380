//! What a path stands for: two paths may be one file.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// Most symbolic links on the way to a file, as Linux has it.
const MOST_LINKS: u32 = 40;

/// What a path stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    /// Something that is there.
    There(Id),
    /// A name that is free, in a folder.
    Free(Id, OsString),
    /// Neither can be told.
    Unknown(PathBuf),
}

/// Names a file as long as it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Id {
    /// Device and inode.
    #[cfg(unix)]
    Inode(u64, u64),
    /// The one path without links and dots.
    #[cfg(not(unix))]
    Path(PathBuf),
}

impl Thing {
    /// What `path` stands for.
    pub(crate) fn of(path: &Path) -> Self {
        let path = followed(path);
        let unknown = || Self::Unknown(std::path::absolute(&path).unwrap_or_else(|_| path.clone()));
        match (fs::metadata(&path), path.file_name()) {
            (Ok(found), _) => id(&path, &found).map_or_else(unknown, Self::There),
            (Err(_), Some(name)) => {
                let folder = folder(&path);
                let found = fs::metadata(folder).ok().and_then(|found| id(folder, &found));
                found.map_or_else(unknown, |id| Self::Free(id, name.into()))
            }
            (Err(_), None) => unknown(),
        }
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there may be none")]
fn id(_path: &Path, found: &Metadata) -> Option<Id> {
    use std::os::unix::fs::MetadataExt;
    Some(Id::Inode(found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn id(path: &Path, _found: &Metadata) -> Option<Id> {
    fs::canonicalize(path).ok().map(Id::Path)
}

/// Whether `path` is the open `file` itself.
#[cfg(unix)]
pub(crate) fn is(path: &Path, file: &File) -> bool {
    let both = fs::symlink_metadata(path).and_then(|there| Ok((there, file.metadata()?)));
    both.is_ok_and(|(there, ours)| id(path, &there) == id(path, &ours))
}

/// Whether `path` is the open `file` itself: not to be told, so no.
#[cfg(not(unix))]
pub(crate) fn is(_path: &Path, _file: &File) -> bool {
    false
}

/// `path`, or what it points to if it is a symbolic link, be that there or not.
pub(crate) fn followed(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(to) if !is_descriptor(&path) => path = folder(&path).join(to),
            _ => break,
        }
    }
    path
}

/// Whether it is no ordinary file that a name belongs to: a device, a pipe, or another name of an open file.
pub(crate) fn is_special(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(found) => Ok(!found.is_file() || is_door(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether it is another name of an open file, such as `/dev/stdout`.
pub(crate) fn is_door(path: &Path) -> bool {
    is_descriptor(&followed(path))
}

/// Whether it is a link that only looks like one: what it says it points to may be no path.
fn is_descriptor(path: &Path) -> bool {
    fs::canonicalize(folder(path)).is_ok_and(|folder| folder.starts_with("/proc"))
}

/// Whether it is a device without a place, such as a terminal or `/dev/null`: it may be as much at once as one likes.
#[cfg(unix)]
pub(crate) fn is_device(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    fs::metadata(path).is_ok_and(|found| found.file_type().is_char_device())
}

/// Whether it is a device without a place: not to be told, so no.
#[cfg(not(unix))]
pub(crate) fn is_device(_path: &Path) -> bool {
    false
}

/// The folder that a path lies in.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}
