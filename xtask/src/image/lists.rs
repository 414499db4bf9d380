//! The reviewed lists of imports, and what must never be on them.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};

use crate::cross;

/// Allocation functions that are deprecated since ExAllocatePool2: their nonpaged pool may be executable.
const FORBIDDEN: [&str; 6] = [
    "ExAllocatePool",
    "ExAllocatePoolWithTag",
    "ExAllocatePoolWithTagPriority",
    "ExAllocatePoolWithQuota",
    "ExAllocatePoolWithQuotaTag",
    "ExAllocatePoolQuotaUninitialized",
];

/// What may be imported from where.
#[derive(Clone, Debug)]
pub(crate) struct Lists {
    lists: Vec<(String, BTreeSet<String>)>,
}

impl Lists {
    /// The lists that the import libraries are made of.
    pub(crate) fn read() -> Result<Self> {
        let read = |path: std::path::PathBuf| {
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        Self::parse(cross::import_lists().map(read).into_iter().collect::<Result<Vec<_>>>()?)
    }

    /// Reads module definition files.
    pub(crate) fn parse(files: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self> {
        let lists = files.into_iter().map(|file| list(file.as_ref())).collect::<Result<Vec<_>>>()?;
        for name in lists.iter().flat_map(|(_, names)| names) {
            ensure!(
                !FORBIDDEN.contains(&name.as_str()),
                "{name} is in a list: pool comes from ExAllocatePool2"
            );
        }
        Ok(Self { lists })
    }

    /// What may come from a library; none if nothing may.
    pub(super) fn of(&self, library: &str) -> Option<&BTreeSet<String>> {
        self.lists.iter().find(|(name, _)| name.eq_ignore_ascii_case(library)).map(|(_, names)| names)
    }

    /// The libraries.
    pub(super) fn libraries(&self) -> impl Iterator<Item = &str> {
        self.lists.iter().map(|(name, _)| name.as_str())
    }

    /// Whether a function is one of the kernel's: in a list, or such a one that it never may be.
    pub(super) fn is_kernels(&self, name: &str) -> bool {
        FORBIDDEN.contains(&name) || self.lists.iter().any(|(_, names)| names.contains(name))
    }
}

fn list(text: &str) -> Result<(String, BTreeSet<String>)> {
    let mut library = None;
    let mut names = BTreeSet::new();
    for line in text.lines() {
        let mut words = line.split(';').next().unwrap_or_default().split_whitespace();
        match (words.next(), words.next()) {
            (Some("LIBRARY"), name) => library = name.map(str::to_owned),
            (Some("EXPORTS") | None, _) => {}
            (Some(name), _) => ensure!(names.insert(name.to_owned()), "{name} is listed twice"),
        }
    }
    Ok((library.context("a list names its LIBRARY")?, names))
}
