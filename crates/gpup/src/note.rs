//! What the tool notes beside a VF, so that its guest's result can be proved wherever it ends.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use gpup_guest::{Pattern, Spec, Workload};
use serde::{Deserialize, Serialize};

use crate::args::{GuestArgs, HostArgs, MAX_VFS};
use crate::world::{Work, work_with};

/// How the guest was made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Note {
    workload: String,
    seed: u64,
    dirty_rate: u64,
    pattern: String,
    image: Option<PathBuf>,
    fill: u8,
    /// VFs of its host: a VF's profile is its part of the adapter.
    pub(crate) vfs: u32,
    /// The host's dirty tracking was on from the start.
    pub(crate) performant: bool,
}

impl Note {
    /// The note of a guest made from the command line.
    pub(crate) fn of(guest: &GuestArgs, host: &HostArgs) -> Self {
        // The file may be restored from another directory.
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        Self {
            workload: guest.workload.to_string(),
            seed: guest.seed,
            dirty_rate: guest.dirty_rate,
            pattern: guest.pattern.to_string(),
            image: guest.image.as_ref().map(absolute),
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
        serde_json::from_slice(bytes)
            .ok()
            .filter(|note: &Self| (1..=MAX_VFS).contains(&note.vfs))
            .ok_or_else(|| anyhow!("its note about the guest cannot be read"))
    }

    /// The guest's work, to be done again for comparison; none if its image is no longer there.
    pub(crate) fn work(&self, vf_bytes: u64) -> anyhow::Result<Option<Work>> {
        let strange = |what: &str| anyhow!("the note about the guest has a strange {what}");
        let workload: Workload = self.workload.parse().map_err(|_| strange("workload"))?;
        let pattern: Pattern = self.pattern.parse().map_err(|_| strange("pattern"))?;
        let spec =
            Spec { seed: self.seed, dirty_rate: self.dirty_rate, pattern, ..Spec::new(workload, vf_bytes) };
        match &self.image {
            Some(path) if !path.exists() => Ok(None),
            image => work_with(spec, image.as_deref(), self.fill).map(Some),
        }
    }
}
