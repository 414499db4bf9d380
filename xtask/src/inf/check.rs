//! The rules, and what all of them share.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::{Inf, copy, install, version};

/// What the package is called and holds.
pub(crate) struct Package<'a> {
    /// The service, and the stem of each file's name.
    pub(crate) name: &'a str,
    /// The hardware ids that must be in the file.
    pub(crate) hardware_ids: &'a [&'a str],
}

/// The sections that some rule has looked at.
pub(super) type Seen = BTreeSet<String>;

/// Checks a filled-in INF. The error is the first rule that is broken, with its line.
pub(crate) fn check(text: &str, package: &Package<'_>) -> Result<()> {
    ensure!(!text.contains("$ARCH$"), "$ARCH$ is left: the file is not filled in");
    let inf = Inf::parse(text)?;
    let mut seen = Seen::from(["version", "strings", "manufacturer"].map(String::from));
    strings(&inf)?;
    version::check(&inf, package)?;
    let files = copy::check(&inf, &mut seen)?;
    let installs = install::models(&inf, package, &mut seen)?;
    for section in &installs {
        install::check(&inf, section, package, &files, &mut seen)?;
    }
    for section in &inf.sections {
        let name = &section.name;
        let known = seen.contains(&name.to_ascii_lowercase());
        ensure!(known, "line {}: nothing refers to [{name}]", section.number);
    }
    Ok(())
}

/// Every %string% is defined once and used.
fn strings(inf: &Inf) -> Result<()> {
    let mut used = BTreeSet::new();
    for line in inf.sections.iter().flat_map(|section| &section.lines) {
        for field in line.key.iter().chain(&line.fields) {
            inf.expand(field, line.number)?;
            used.extend(field.split('%').skip(1).step_by(2).map(str::to_ascii_lowercase));
        }
    }
    let section = inf.section("Strings", "every %string%")?;
    let mut defined = BTreeSet::new();
    for line in &section.lines {
        let key = line.key.as_deref().unwrap_or_default().to_ascii_lowercase();
        ensure!(used.contains(&key), "line {}: %{key}% is defined and not used", line.number);
        ensure!(defined.insert(key), "line {}: the string is defined twice", line.number);
    }
    Ok(())
}
