//! The driver's package in target/package: built, filled in, signed, and checked.

mod catalog;
pub(crate) mod digest;
mod sign;
mod tamper;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use sign::Certificate;

use crate::{cross, image, inf};

/// What the INF must say of the package.
pub(crate) const INF: inf::Package<'static> =
    inf::Package { name: "gpup_kmd", hardware_ids: &["Root\\GPUP_KMD", "ACPI\\GPUP0001"] };

/// The files of the package.
pub(crate) struct Package {
    folder: PathBuf,
}

impl Package {
    /// The package's file of this kind.
    pub(crate) fn file(&self, extension: &str) -> PathBuf {
        self.folder.join(INF.name).with_extension(extension)
    }
}

/// Builds the package and checks it.
pub(crate) fn make() -> Result<Package> {
    let images = cross::build(&cross::GPUP_KMD, &[])?;
    let certificate = Certificate::of(&cross::root().join("target/signing"))?;
    let package = assemble(&images, &certificate, now()?)?;
    verify(&package, &certificate)?;
    let report = image::check(&package.file("sys"), &images.map)?;
    tamper::refused(&package, &certificate, &images)?;
    println!("{report}");
    println!("the package is in {}", package.folder.display());
    Ok(package)
}

/// Puts the package's files into a folder of their own.
fn assemble(images: &cross::Images, certificate: &Certificate, now: SystemTime) -> Result<Package> {
    let package = Package { folder: cross::root().join("target/package") };
    if package.folder.exists() {
        fs::remove_dir_all(&package.folder).context("cannot clear target/package")?;
    }
    fs::create_dir_all(&package.folder)?;
    certificate.sign(&images.clean, &package.file("sys"), true)?;
    fs::write(package.file("inf"), filled_in(now)?)?;
    let unsigned = cross::root().join("target/cross/gpup_kmd.unsigned.cat");
    let members = [package.file("sys"), package.file("inf")];
    let members: Vec<&Path> = members.iter().map(PathBuf::as_path).collect();
    fs::write(&unsigned, catalog::write(&members, INF.hardware_ids[0], now)?)?;
    certificate.sign(&unsigned, &package.file("cat"), false)?;
    fs::copy(&images.pdb, package.file("pdb"))?;
    fs::copy(&certificate.der, package.file("cer"))?;
    Ok(package)
}

/// The INF, filled in and checked.
fn filled_in(now: SystemTime) -> Result<String> {
    let inx = fs::read_to_string(cross::root().join("inf/gpup_kmd.inx")).context("inf/gpup_kmd.inx")?;
    let day = der::DateTime::from_system_time(now)?;
    let date = format!("{:02}/{:02}/{:04}", day.month(), day.day(), day.year());
    let version = concat!(env!("CARGO_PKG_VERSION"), ".0");
    let catalog = format!("{}.cat", INF.name);
    let text = inf::stamp(&inx, &inf::Stamp { date: &date, version, catalog: &catalog })?;
    inf::check(&text, &INF).context("inf/gpup_kmd.inx")?;
    Ok(text)
}

/// The time that goes into the package: now, or what a reproducible build says.
fn now() -> Result<SystemTime> {
    let Some(epoch) = std::env::var_os("SOURCE_DATE_EPOCH") else { return Ok(SystemTime::now()) };
    let seconds = epoch
        .to_str()
        .and_then(|text| text.parse().ok())
        .context("SOURCE_DATE_EPOCH is no number of seconds")?;
    Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Verifies every signature, and that the catalog names just the package's members.
fn verify(package: &Package, certificate: &Certificate) -> Result<()> {
    let (sys, catalog) = (package.file("sys"), package.file("cat"));
    certificate.verify(&sys, None)?;
    certificate.verify(&catalog, None)?;
    certificate.verify(&sys, Some(&catalog))?;
    members(package)
}

/// Whether the catalog names the package's members, and nothing else.
fn members(package: &Package) -> Result<()> {
    let named = catalog::members(&fs::read(package.file("cat"))?)?;
    let files = [package.file("sys"), package.file("inf")];
    ensure!(named.len() == files.len(), "the catalog has {} members, not {}", named.len(), files.len());
    for file in &files {
        let (_, digest) = digest::digest(file)?;
        ensure!(named.contains(&digest), "the catalog does not know {}", file.display());
    }
    Ok(())
}
