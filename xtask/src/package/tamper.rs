//! Shows that the package's signatures mean something: one altered byte, and they fail.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use object::LittleEndian as LE;
use object::read::pe::PeFile64;

use super::sign::Certificate;
use super::{Package, members};
use crate::cross;

/// Alters one byte in copies of the members; each must be refused.
pub(super) fn refused(package: &Package, certificate: &Certificate) -> Result<()> {
    let folder = cross::root().join("target/cross/altered");
    fs::create_dir_all(&folder)?;
    let altered = Package { folder };
    for kind in ["sys", "inf", "cat"] {
        fs::copy(package.file(kind), altered.file(kind))?;
    }
    let sys = altered.file("sys");
    flip(&sys, code(&fs::read(&sys)?)?)?;
    ensure!(certificate.verify(&sys, None).is_err(), "an altered byte in the .sys goes unnoticed");
    let catalog = altered.file("cat");
    ensure!(certificate.verify(&sys, Some(&catalog)).is_err(), "the catalog takes an altered .sys");
    ensure!(members(&altered).is_err(), "the catalog's digests take an altered .sys");
    fs::copy(package.file("sys"), &sys)?;
    members(&altered)?;
    flip(&altered.file("inf"), 100)?;
    ensure!(members(&altered).is_err(), "the catalog takes an altered .inf");
    let length = fs::metadata(&catalog)?.len();
    flip(&catalog, usize::try_from(length / 3)?)?;
    ensure!(certificate.verify(&catalog, None).is_err(), "an altered byte in the catalog goes unnoticed");
    println!("one altered byte in the .sys, the .inf or the .cat is refused");
    Ok(())
}

/// Where the code of an image begins in its file.
fn code(bytes: &[u8]) -> Result<usize> {
    let image = PeFile64::parse(bytes)?;
    let first = image.section_table().iter().next().context("an image has sections")?;
    Ok(first.pointer_to_raw_data.get(LE) as usize)
}

fn flip(path: &Path, at: usize) -> Result<()> {
    let mut bytes = fs::read(path)?;
    *bytes.get_mut(at).with_context(|| format!("{} is too short", path.display()))? ^= 1;
    Ok(fs::write(path, bytes)?)
}
