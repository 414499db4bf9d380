//! Drivers for Windows, cross-built on Linux with the genuine WDK crates: why each part exists is in
//! xtask/cross/README.md.

mod cargo;
mod fresh;
mod tools;
mod wdk;
mod wine;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

pub(crate) use cargo::clippy;
pub(crate) use tools::dispatch;

/// A driver of this workspace.
pub(crate) struct Driver {
    /// The package's name.
    pub(crate) package: &'static str,
    /// The name of its library, which its image is called by.
    pub(crate) library: &'static str,
}

/// The driver itself.
pub(crate) const GPUP_KMD: Driver = Driver { package: "gpup-kmd", library: "gpup_kmd" };

/// The stand-in for Dxgkrnl that runs under Wine.
pub(crate) const DXGKRNL: Driver = Driver { package: "dxgkrnl-standin", library: "dxgkrnl" };

/// What a build gives: two links of one set of objects.
pub(crate) struct Images {
    /// The image that ships: every kernel function is a true import.
    pub(crate) clean: PathBuf,
    /// The same objects with the shim for Wine in front. Never packaged.
    pub(crate) wine: PathBuf,
    /// The symbols of `clean`.
    pub(crate) pdb: PathBuf,
    /// The linker's map of `clean`.
    pub(crate) map: PathBuf,
    /// The linker's map of `wine`.
    pub(crate) wine_map: PathBuf,
}

/// The workspace's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}

/// The folder of the cross build's parts.
fn parts() -> PathBuf {
    root().join("xtask/cross")
}

/// The reviewed lists of imports.
pub(crate) fn import_lists() -> [PathBuf; 2] {
    wdk::IMPORT_LISTS.map(|list| parts().join(list))
}

/// Where everything of the cross build is made. It must lie below the workspace's Cargo.lock: wdk-build looks there.
fn target() -> PathBuf {
    root().join("target/cross")
}

/// Builds `driver` with the feature `kernel`, which each of them has, and `features` besides.
pub(crate) fn build(driver: &Driver, features: &[&str]) -> Result<Images> {
    ensure!(cfg!(target_os = "linux"), "this builds the driver on Linux only: on Windows run `cargo make`");
    let _alone = fresh::lock(&target())?;
    let kit = kit()?;
    let kept = target().join("images").join([&[driver.package], features].concat().join("+"));
    let linked = cargo::linked(driver);
    // The linker's inputs that cargo does not know of, and what else names the same output file.
    let stamp = fresh::stamp(&kit.linked, features)?;
    fresh::forget_unless(&target().join("stamps").join(driver.library), &stamp, &linked)?;
    cargo::build(driver, features, &kit)?;
    keep(driver, &linked, &kept).with_context(|| format!("the images of {}", driver.package))
}

/// Everything that a build needs beside the sources.
struct Kit {
    /// The WDK-shaped folder.
    wdk: PathBuf,
    /// The shim's object file and the imports that only the shim uses.
    shim: wine::Shim,
    /// Files that reach the linker without cargo's knowledge.
    linked: Vec<PathBuf>,
    /// This program under the names that make it a compiler wrapper and a linker.
    tools: tools::Tools,
}

fn kit() -> Result<Kit> {
    let wdk = target().join("wdk");
    let mut linked = wdk::lay_out(&parts(), &wdk)?;
    let shim = wine::compile(&parts(), &target().join("wine"))?;
    linked.extend(shim.files().map(Path::to_path_buf));
    Ok(Kit { wdk, shim, linked, tools: tools::install(&target().join("tools"))? })
}

/// Copies the images out of cargo's folder, where the next build with other features writes.
fn keep(driver: &Driver, linked: &Path, kept: &Path) -> Result<Images> {
    std::fs::create_dir_all(kept)?;
    let copy = |from: &str, to: &str| -> Result<PathBuf> {
        let to = kept.join(format!("{}.{to}", driver.library));
        fresh::copy(&linked.with_extension(from), &to)?;
        Ok(to)
    };
    Ok(Images {
        clean: copy("dll", "sys")?,
        wine: copy("wine.dll", "wine.sys")?,
        pdb: copy("pdb", "pdb")?,
        map: copy("map", "map")?,
        wine_map: copy("wine.map", "wine.map")?,
    })
}
