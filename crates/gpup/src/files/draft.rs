//! A file that bears its name only when it is whole, and outlives a crash of the machine once it does.
//!
//! ```text
//! open      FILE.<number>.part is made where nothing is, and the folder is opened
//! commit    its bytes reach the disk
//!           a link makes it FILE, but not over another; or a rename, which replaces one
//!           the folder reaches the disk
//! ```
//! Until commit returns there is nothing under the name that anybody is told of. What fails takes back what was done.
//! A device or a pipe has no draft: it is written to as it is.

use std::collections::hash_map::RandomState;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::identity::{Thing, folder, followed, is, is_special};
use crate::tell::tell;

/// Drafts that are there: see [`abandon`].
static DRAFTS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Files under names that could not be taken away from them again: see [`withdraw_left`].
static LEFT: Mutex<Vec<(PathBuf, File)>> = Mutex::new(Vec::new());

/// Tries to find a name that nobody has.
const TRIES: u32 = 16;

/// Longest name that a draft's own fits behind, in bytes.
const LONGEST: usize = 200;

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct Draft {
    file: File,
    name: PathBuf,
    /// None for what is no ordinary file.
    part: Option<PathBuf>,
    /// None where folders are not synced.
    folder: Option<File>,
    old: Old,
}

/// A file that bears the name already.
#[derive(Debug)]
enum Old {
    Stays,
    /// This one goes, and no other that has come since: it may be another's VM.
    Goes(Thing),
    AnyGoes,
}

impl Draft {
    /// For a VM, which is its owner's alone. It `replaces` what bears the name now, or nothing.
    pub(crate) fn of_vm(name: &Path, replaces: bool) -> io::Result<Self> {
        let old = match Thing::of(name) {
            old @ Thing::There(_) if replaces => Old::Goes(old),
            _ => Old::Stays,
        };
        Self::open(name, old)
    }

    /// For a report or a picture; it takes the place of an older one, and lets the same people read it.
    pub(crate) fn of_result(name: &Path) -> io::Result<Self> {
        let draft = Self::open(name, Old::AnyGoes)?;
        if let (Some(_), Ok(old)) = (&draft.part, fs::metadata(&draft.name)) {
            draft.file.set_permissions(old.permissions())?;
        }
        Ok(draft)
    }

    fn open(name: &Path, old: Old) -> io::Result<Self> {
        withdraw_left();
        if matches!((&old, fs::metadata(name)), (Old::Stays, Ok(_))) {
            return Err(io::Error::new(ErrorKind::AlreadyExists, "it exists: choose another name"));
        }
        if is_special(name)? {
            let file = OpenOptions::new().write(true).open(name)?;
            return Ok(Self { file, name: name.into(), part: None, folder: None, old });
        }
        let name = followed(name);
        let private = !matches!(old, Old::AnyGoes);
        let folder = if private { open_folder(&name)? } else { None };
        let (file, part) = create(&name, private)?;
        Ok(Self { file, part: Some(part), folder, old, name })
    }

    /// The file, to be written to.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// The file is whole: it gets its name and stays. On an error there is nothing under the name.
    pub(crate) fn commit(mut self) -> io::Result<()> {
        let Some(part) = self.part.clone() else {
            return or_cannot_be(self.file.sync_all()).map_err(because("its bytes do not arrive"));
        };
        self.file.sync_all().map_err(because("its bytes do not reach the disk"))?;
        let published = match &self.old {
            Old::Stays => self.link(&part),
            Old::Goes(old) if Thing::of(&self.name) != *old => Err(taken(ErrorKind::AlreadyExists)),
            Old::Goes(_) | Old::AnyGoes => self.rename(&part),
        };
        let settled = published.and_then(|()| match &self.folder {
            Some(folder) => {
                or_cannot_be(folder.sync_all()).map_err(because("its folder does not reach the disk"))
            }
            None => Ok(()),
        });
        if let Err(error) = settled {
            return Err(self.withdraw(error));
        }
        self.part = None;
        forget(&part);
        // After a rename there is none, and after a link it is a second name of what is whole.
        if retried(|| fs::remove_file(&part)).is_err() && is(&part, &self.file) {
            tell!("{} is a second name of {}: remove it", part.display(), self.name.display());
        }
        Ok(())
    }

    fn rename(&self, part: &Path) -> io::Result<()> {
        let renamed = retried(|| fs::rename(part, &self.name));
        self.unless_done(renamed).map_err(because("it does not get its name"))
    }

    fn link(&self, part: &Path) -> io::Result<()> {
        let linked = retried(|| fs::hard_link(part, &self.name));
        match self.unless_done(linked) {
            // Not every file system has links.
            Err(error) if !matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => {
                self.claim(part, error)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(taken(error.kind())),
            done => done.map_err(because("it does not get its name")),
        }
    }

    /// The name is taken by an empty file first, which `part` then replaces: two who want it cannot both have it.
    fn claim(&self, part: &Path, no_link: io::Error) -> io::Result<()> {
        let refused = because("it does not get its name");
        let claim = match OpenOptions::new().write(true).create_new(true).open(&self.name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(taken(error.kind())),
            Err(_) => return Err(refused(no_link)),
            Ok(claim) => claim,
        };
        let renamed = retried(|| fs::rename(part, &self.name));
        self.unless_done(renamed).map_err(|error| {
            if is(&self.name, &claim) {
                let _ = retried(|| fs::remove_file(&self.name));
            }
            refused(error)
        })
    }

    /// A step whose answer was lost may have been done: the second try then finds it so.
    fn unless_done(&self, step: io::Result<()>) -> io::Result<()> {
        step.or_else(|error| if is(&self.name, &self.file) { Ok(()) } else { Err(error) })
    }

    /// Takes the name away again: whoever hears of the failure goes on as if there were no file.
    fn withdraw(&self, error: io::Error) -> io::Error {
        if is_gone(&self.name, &self.file) {
            return error;
        }
        let emptied = self.file.set_len(0);
        if let Ok(file) = self.file.try_clone() {
            LEFT.lock().unwrap_or_else(PoisonError::into_inner).push((self.name.clone(), file));
        }
        match emptied {
            Ok(()) => because("what is left there is empty")(error),
            Err(_) => because("it cannot be removed, and must not be used")(error),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            let _ = retried(|| fs::remove_file(part));
            forget(part);
        }
    }
}

/// Removes every draft: the process is about to end at once.
pub(crate) fn abandon() {
    for part in DRAFTS.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        let _ = fs::remove_file(part);
    }
}

/// Tries again to take away what could not be: the disk may have come back.
pub(crate) fn withdraw_left() {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner).retain(|(name, file)| {
        // Empty, it is at least no VM.
        let _ = file.set_len(0);
        !is_gone(name, file)
    });
}

/// Removes `file` from its name, where it is there.
fn is_gone(name: &Path, file: &File) -> bool {
    !is(name, file) || retried(|| fs::remove_file(name)).is_ok()
}

fn forget(part: &Path) {
    DRAFTS.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| other != part);
}

/// Makes a draft beside `name`.
fn create(name: &Path, private: bool) -> io::Result<(File, PathBuf)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    let base = name.file_name().filter(|base| base.len() <= LONGEST).unwrap_or("gpup".as_ref());
    for _ in 0..TRIES {
        let mut part: OsString = base.to_owned();
        part.push(format!(".{:016x}.part", RandomState::new().build_hasher().finish()));
        let part = name.with_file_name(part);
        match options.open(&part) {
            Ok(file) => {
                DRAFTS.lock().unwrap_or_else(PoisonError::into_inner).push(part.clone());
                return Ok((file, part));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                // It may be there nevertheless, and with this name it is nobody else's.
                let _ = retried(|| fs::remove_file(&part));
                return Err(error);
            }
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, "no name for a draft beside it is free"))
}

#[cfg(unix)]
fn open_folder(name: &Path) -> io::Result<Option<File>> {
    File::open(folder(name)).map(Some)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it may fail")]
fn open_folder(name: &Path) -> io::Result<Option<File>> {
    let _ = folder(name);
    Ok(None)
}

/// Pipes, most devices and some file systems' folders have nothing to sync.
fn or_cannot_be(synced: io::Result<()>) -> io::Result<()> {
    match synced {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        done => done,
    }
}

/// Does it again where a signal came between.
pub(crate) fn retried(mut step: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    loop {
        match step() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

fn taken(kind: ErrorKind) -> io::Error {
    io::Error::new(kind, "another file has got this name in the meantime: choose another name")
}

fn because(what: &'static str) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{what} ({error})"))
}
