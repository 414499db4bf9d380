//! Files that are written only when they change, so that nothing is built again for nothing.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Waits until no other run works in `folder`, and keeps others out while the file lives.
pub(super) fn lock(folder: &Path) -> Result<File> {
    fs::create_dir_all(folder)?;
    let file = File::create(folder.join(".lock"))?;
    file.lock().context("cannot lock target/cross")?;
    Ok(file)
}

/// Writes `content` to `path` if that is not what it holds.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // A program that runs is not written over but replaced.
    let new = path.with_added_extension("new");
    fs::write(&new, content).with_context(|| format!("cannot write {}", new.display()))?;
    fs::rename(&new, path).with_context(|| format!("cannot write {}", path.display()))
}

/// Copies `from` to `to` if they differ, with the permissions.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    let content = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    write(to, &content)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    Ok(())
}

/// A text that differs when the files or the features differ.
pub(super) fn stamp(files: &[PathBuf], features: &[&str]) -> Result<String> {
    let mut stamp = format!("features {}\n", features.join(" "));
    for path in files {
        let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        stamp += &format!("{:02x?} {}\n", Sha256::digest(content), path.display());
    }
    Ok(stamp)
}

/// Takes away the linked image unless it was made under this stamp: cargo then links it again.
pub(super) fn forget_unless(kept: &Path, stamp: &str, linked: &Path) -> Result<()> {
    let same = fs::read(kept).is_ok_and(|old| old == stamp.as_bytes());
    let whole =
        ["dll", "wine.dll", "pdb", "map", "wine.map"].iter().all(|kind| linked.with_extension(kind).exists());
    if same && whole {
        return Ok(());
    }
    match fs::remove_file(linked.with_extension("dll")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    write(kept, stamp.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn what_is_the_same_keeps_its_time() {
        let folder = Scratch::new("fresh");
        let path = folder.path().join("a/b");
        write(&path, b"one").unwrap();
        let first = fs::metadata(&path).unwrap().modified().unwrap();
        write(&path, b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), first);
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }

    #[test]
    fn another_library_links_again() {
        let folder = Scratch::new("stamp");
        let (library, linked, kept) =
            (folder.path().join("l.lib"), folder.path().join("x.dll"), folder.path().join("stamp"));
        let all = || {
            ["dll", "wine.dll", "pdb", "map", "wine.map"]
                .map(|kind| write(&linked.with_extension(kind), b"x").unwrap())
        };
        write(&library, b"1").unwrap();
        let look = || {
            forget_unless(&kept, &stamp(std::slice::from_ref(&library), &[]).unwrap(), &linked).unwrap();
            linked.exists()
        };
        all();
        assert!(!look(), "never stamped");
        all();
        assert!(look(), "the same");
        write(&library, b"2").unwrap();
        assert!(!look(), "another library");
        all();
        fs::remove_file(linked.with_extension("wine.dll")).unwrap();
        assert!(!look(), "half a build");
    }
}
