//! The shim for Wine: kernel functions that Wine's ntoskrnl lacks, in terms of those it has. Only the second link,
//! which is never packaged, sees it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{fresh, wdk};
use crate::command::run;

/// mingw-w64's headers.
pub(super) const MINGW: &str = "/usr/share/mingw-w64/include";

/// The compiler's own headers.
pub(super) const CLANG: &str = "/usr/lib/llvm-19/lib/clang/19/include";

/// What stands in front of the objects in the second link.
pub(super) struct Shim {
    /// The shim itself.
    pub(super) object: PathBuf,
    /// Imports that the shim needs and the driver may not use.
    pub(super) imports: PathBuf,
}

impl Shim {
    /// Both files.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        [self.object.as_path(), self.imports.as_path()].into_iter()
    }
}

/// Compiles the shim into `folder`.
pub(super) fn compile(parts: &Path, folder: &Path) -> Result<Shim> {
    std::fs::create_dir_all(folder)?;
    let shim = Shim { object: folder.join("shim.obj"), imports: folder.join("shim.lib") };
    let made = folder.join("shim.made");
    let mut clang = Command::new("clang-19");
    clang.args(["--target=x86_64-w64-windows-gnu", "-ffreestanding", "-fno-builtin", "-fno-stack-protector"]);
    clang.args(["-mno-red-zone", "-ffunction-sections", "-O1", "-D_KERNEL_MODE", "-D_AMD64_", "-nostdinc"]);
    // mingw-w64's headers include one that clang deprecates.
    clang.args(["-Wall", "-Werror", "-Wno-#warnings", "-Wno-unused-parameter"]);
    for include in [CLANG.to_owned(), format!("{MINGW}/ddk"), MINGW.to_owned()] {
        clang.arg("-isystem").arg(include);
    }
    run(clang.arg("-c").arg(parts.join("wine/shim.c")).arg("-o").arg(&made))?;
    fresh::write(&shim.object, &std::fs::read(&made)?)?;
    std::fs::remove_file(&made)?;
    wdk::import_library(&parts.join("wine/shim.def"), &shim.imports)?;
    Ok(shim)
}
