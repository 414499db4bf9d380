//! The WDK-shaped folder that wdk-build and wdk-sys look into: headers of mingw-w64 under fix-ups, and import
//! libraries made from the reviewed lists.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::fresh;
use crate::command::run;

/// The WDK version that the folder says it is.
pub(super) const VERSION: &str = "10.0.26100.0";

/// The reviewed lists of imports, in the folder of the parts.
pub(super) const IMPORT_LISTS: [&str; 2] = ["lib/ntoskrnl.def", "lib/hal.def"];

/// Libraries that wdk-sys or tracelogging name to the linker and nothing is needed of.
const EMPTY: [&str; 3] = ["BufferOverflowFastFailK", "wmilib", "rpcrt4"];

/// Lays the folder out in `wdk`, and says which libraries are in it.
pub(super) fn lay_out(parts: &Path, wdk: &Path) -> Result<Vec<PathBuf>> {
    let include = wdk.join("Include").join(VERSION);
    let libraries = wdk.join("Lib").join(VERSION).join("km/x64");
    fs::create_dir_all(include.join("shared"))?;
    fs::create_dir_all(&libraries)?;
    copy_tree(&parts.join("include/km"), &include.join("km"))?;
    let mut made = Vec::new();
    for list in IMPORT_LISTS.map(|list| parts.join(list)) {
        let library = libraries.join(list.file_name().unwrap_or_default()).with_extension("lib");
        import_library(&list, &library)?;
        made.push(library);
    }
    for name in EMPTY {
        let library = libraries.join(name).with_extension("lib");
        empty_library(&library)?;
        made.push(library);
    }
    Ok(made)
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &to)?
        } else {
            fresh::copy(&entry.path(), &to)?
        }
    }
    Ok(())
}

/// Makes the import library of a module definition file: each name becomes a true import, nothing else.
pub(super) fn import_library(list: &Path, library: &Path) -> Result<()> {
    let made = library.with_extension("made");
    run(Command::new("llvm-dlltool-19").args(["-m", "i386:x86-64", "-d"]).arg(list).arg("-l").arg(&made))?;
    fresh::write(library, &fs::read(&made)?)?;
    Ok(fs::remove_file(&made)?)
}

/// An archive's signature and no members.
fn empty_library(library: &Path) -> Result<()> {
    fresh::write(library, b"!<arch>\n")
}
