//! Checks of the packaged .sys: what Windows asks of a driver's image, and what this project promises of it.

mod checksum;
mod headers;
mod imports;
mod lists;
mod sections;
mod signature;
mod symbols;
#[cfg(test)]
mod synthetic;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use object::LittleEndian as LE;
use object::read::pe::PeFile64;

pub(crate) use lists::Lists;
pub(crate) use symbols::Map;

/// What is said of an image that passed.
#[derive(Debug)]
pub(crate) struct Report {
    bytes: usize,
    sections: Vec<(String, u32)>,
    imports: Vec<(String, usize)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes:", self.bytes)?;
        for (name, bytes) in &self.sections {
            write!(f, " {name} {bytes}")?;
        }
        f.write_str("; imports:")?;
        for (library, count) in &self.imports {
            write!(f, " {count} from {library}")?;
        }
        Ok(())
    }
}

/// Checks everything about a signed image, given its linker's map.
pub(crate) fn check(image: &Path, map: &Path) -> Result<Report> {
    let bytes = fs::read(image).with_context(|| format!("cannot read {}", image.display()))?;
    let map = fs::read_to_string(map).with_context(|| format!("cannot read {}", map.display()))?;
    let report =
        inspect(&bytes, &Map::parse(&map)?, &Lists::read()?).with_context(|| image.display().to_string())?;
    signature::check(&bytes).with_context(|| image.display().to_string())?;
    Ok(report)
}

/// Checks whose code is in an image, by its linker's map.
pub(crate) fn check_origins(map: &Path) -> Result<()> {
    let map = fs::read_to_string(map).with_context(|| format!("cannot read {}", map.display()))?;
    symbols::check(&Map::parse(&map)?, &Lists::read()?)
}

/// Checks all but the signature.
pub(crate) fn inspect(bytes: &[u8], map: &Map, lists: &Lists) -> Result<Report> {
    let image = PeFile64::parse(bytes).context("no PE32+ image")?;
    headers::check(&image)?;
    sections::check(&image)?;
    let imports = imports::check(&image, lists)?;
    symbols::check(map, lists)?;
    symbols::entry(&image, map)?;
    checksum::check(&image, bytes)?;
    let sections = image.section_table().iter().map(|section| {
        let name = String::from_utf8_lossy(section.raw_name()).into_owned();
        (name, section.virtual_size.get(LE))
    });
    Ok(Report { bytes: bytes.len(), sections: sections.collect(), imports })
}
