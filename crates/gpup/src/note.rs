//! What the tool notes beside a VF, so that its guest's result can be proved wherever it ends.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use gpup_guest::{Pattern, Spec, Workload};
use live_migration::saved;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use crate::args::{GuestArgs, HostArgs, MAX_VFS};
use crate::files::channel::Reader;
use crate::world::{Work, read_image};

/// How the guest was made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Note {
    workload: String,
    seed: u64,
    dirty_rate: u64,
    pattern: String,
    image: Option<Name>,
    /// The image's bytes, by number and hash: another file may bear its name by now.
    #[serde(default)]
    image_bytes: Option<u64>,
    #[serde(default)]
    image_xxh3: Option<String>,
    fill: u8,
    /// VFs of its host: a VF's profile is its part of the adapter.
    pub(crate) vfs: u32,
    /// The host's dirty tracking was on from the start.
    pub(crate) performant: bool,
}

/// A path: text where it is text, else its bytes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Bytes(Vec<u8>),
}

impl Name {
    fn of(path: PathBuf) -> Self {
        path.into_os_string()
            .into_string()
            .map_or_else(|name| Self::Bytes(name.into_encoded_bytes()), Self::Text)
    }

    /// The path, where this system has such a one.
    fn path(&self) -> Option<PathBuf> {
        match self {
            Self::Text(text) => Some(text.into()),
            Self::Bytes(bytes) => from_bytes(bytes).map(Into::into),
        }
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there may be none")]
fn from_bytes(bytes: &[u8]) -> Option<OsString> {
    Some(std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec()))
}

#[cfg(not(unix))]
fn from_bytes(bytes: &[u8]) -> Option<OsString> {
    String::from_utf8(bytes.to_vec()).ok().map(Into::into)
}

impl Note {
    /// The note of a guest that `work` was made for, from the command line.
    pub(crate) fn of(guest: &GuestArgs, host: &HostArgs, work: &Work) -> Self {
        // The file may be restored from another directory.
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let image = work.image.as_ref().filter(|_| guest.image.is_some());
        Self {
            workload: guest.workload.to_string(),
            seed: guest.seed,
            dirty_rate: guest.dirty_rate,
            pattern: guest.pattern.to_string(),
            image: guest.image.as_ref().map(absolute).map(Name::of),
            image_bytes: image.map(|image| image.len() as u64),
            image_xxh3: image.map(|image| hash(image)),
            fill: guest.fill,
            vfs: host.vfs,
            performant: host.performant_tracking.is_on(),
        }
    }

    /// As bytes.
    pub(crate) fn encode(&self) -> anyhow::Result<Vec<u8>> {
        serde_json::to_vec(self).context("the note about the guest")
    }

    /// The note in a file.
    pub(crate) fn decode(bytes: &[u8]) -> anyhow::Result<Self> {
        let note: Self = serde_json::from_slice(bytes)
            .ok()
            .filter(|note: &Self| (1..=MAX_VFS).contains(&note.vfs) && note.fill <= 100)
            .ok_or_else(|| anyhow!("its note about the guest cannot be read"))?;
        note.spec(0)?;
        Ok(note)
    }

    /// The image that a saved file's note names, if it can be told without taking anything from it.
    pub(crate) fn image_of(file: &Path) -> Option<PathBuf> {
        fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
        let hello = saved::open(Box::new(Reader::new(File::open(file).ok()?).0)).ok()?.hello;
        Self::decode(&hello.note).ok()?.image?.path()
    }

    fn spec(&self, vf_bytes: u64) -> anyhow::Result<Spec> {
        let strange = |what: &str| anyhow!("its note about the guest has a strange {what}");
        let workload: Workload = self.workload.parse().map_err(|_| strange("workload"))?;
        let pattern: Pattern = self.pattern.parse().map_err(|_| strange("pattern"))?;
        Ok(Spec { seed: self.seed, dirty_rate: self.dirty_rate, pattern, ..Spec::new(workload, vf_bytes) })
    }

    /// The guest's work, to be done again for comparison; or why that cannot be.
    pub(crate) fn work(&self, vf_bytes: u64) -> Result<Work, String> {
        let spec = self.spec(vf_bytes).map_err(|error| error.to_string())?;
        let work = match &self.image {
            None => Work::with_noise(spec, self.fill),
            Some(name) => Work::with_image(spec, Some(self.image(name, vf_bytes)?)),
        };
        work.map_err(|problem| format!("its work cannot be done again: {problem}"))
    }

    /// The image as it was. The note may come from anywhere, so what it names is opened only where it can be that.
    fn image(&self, name: &Name, vf_bytes: u64) -> Result<Vec<u8>, String> {
        let path = name.path().ok_or("its image has a name that this system cannot have")?;
        let shown = path.display();
        let (Some(bytes), Some(xxh3)) = (self.image_bytes, &self.image_xxh3) else {
            return Err(format!("the note does not say what was in the image {shown}"));
        };
        let found =
            fs::metadata(&path).map_err(|error| format!("the image {shown} is not there: {error}"))?;
        let changed = || format!("the image {shown} has changed since");
        if !found.is_file() || found.len() != bytes || bytes > vf_bytes {
            return Err(changed());
        }
        let image = read_image(&path, bytes).map_err(|error| format!("{error:#}"))?;
        if hash(&image) == *xxh3 { Ok(image) } else { Err(changed()) }
    }
}

fn hash(image: &[u8]) -> String {
    format!("{:032x}", xxh3_128(image))
}
