//! Where files come from and go to: "INF SourceDisksFiles Section", "INF DestinationDirs Section".

use anyhow::{Result, ensure};

use super::Inf;
use super::check::Seen;

/// The driver store: "Using DIRID 13".
const DRIVER_STORE: &str = "13";

/// Checks the sections and gives the files of the package.
pub(super) fn check(inf: &Inf, seen: &mut Seen) -> Result<Vec<String>> {
    seen.extend(["sourcedisksnames", "sourcedisksfiles", "destinationdirs"].map(String::from));
    let directories = inf.section("DestinationDirs", "CopyFiles")?;
    directories.need("DefaultDestDir")?;
    for line in &directories.lines {
        let only = line.fields.len() == 1 && line.field(0) == DRIVER_STORE;
        ensure!(only, "line {}: files stay in the driver store, which is 13", line.number);
    }
    let disks = inf.section("SourceDisksNames", "SourceDisksFiles")?;
    let files = inf.section("SourceDisksFiles", "CopyFiles")?;
    let mut names = Vec::new();
    for line in &files.lines {
        let name = line.key.as_deref().unwrap_or_default();
        ensure!(!name.is_empty(), "line {}: a file has no name", line.number);
        let disk = line.field(0);
        ensure!(
            disks.line(disk).is_some(),
            "line {}: {name} lies on disk {disk}, which has no name",
            line.number
        );
        names.push(name.to_owned());
    }
    Ok(names)
}

/// Checks a CopyFiles section against the files of the package.
pub(super) fn listed(inf: &Inf, name: &str, files: &[String], seen: &mut Seen) -> Result<Vec<String>> {
    let section = inf.section(name, "CopyFiles")?;
    seen.insert(name.to_ascii_lowercase());
    let mut copied = Vec::new();
    for line in &section.lines {
        let name = line.field(0);
        let known = files.iter().any(|file| file.eq_ignore_ascii_case(name));
        ensure!(known, "line {}: {name} is not in [SourceDisksFiles]", line.number);
        copied.push(name.to_owned());
    }
    ensure!(!copied.is_empty(), "line {}: [{}] copies nothing", section.number, section.name);
    Ok(copied)
}
