//! Shows that the package's checks mean something: one altered byte, and signatures fail; the image for Wine, or one
//! without a signature, and the checks of the .sys fail.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use object::LittleEndian as LE;
use object::read::pe::PeFile64;

use super::sign::Certificate;
use super::{Package, members};
use crate::{cross, image};

/// Alters one byte in copies of the members, and passes off other images; each must be refused.
pub(super) fn refused(package: &Package, certificate: &Certificate, images: &cross::Images) -> Result<()> {
    another_image(images)?;
    let folder = cross::root().join("target/cross/altered");
    fs::create_dir_all(&folder)?;
    let altered = Package { folder };
    for kind in ["sys", "inf", "cat"] {
        fs::copy(package.file(kind), altered.file(kind))?;
    }
    let sys = altered.file("sys");
    flip(&sys, code(&fs::read(&sys)?)?)?;
    ensure!(certificate.verify(&sys, None).is_err(), "an altered byte in the .sys goes unnoticed");
    let complaint = image::check(&sys, &images.map).err().context("the checks take an altered .sys")?;
    ensure!(
        format!("{complaint:#}").contains("checksum"),
        "an altered .sys has another fault: {complaint:#}"
    );
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

/// The image for Wine has the shim's code in it, and the linker's own has neither checksum nor signature.
fn another_image(images: &cross::Images) -> Result<()> {
    ensure!(image::check(&images.wine, &images.wine_map).is_err(), "the checks take the image for Wine");
    let shimmed =
        image::check_origins(&images.wine_map).err().context("the checks do not see the shim's code")?;
    ensure!(shimmed.to_string().contains("is defined in the image"), "{shimmed:#}");
    ensure!(
        image::check(&images.clean, &images.map).is_err(),
        "the checks take an image without a signature"
    );
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
