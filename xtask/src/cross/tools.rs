//! This program as cargo's compiler wrapper and as its linker: which of them it is, its file name says.

mod compiler;
mod linker;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use super::{fresh, parts};

/// Environment variable: the shim's object file.
pub(super) const SHIM: &str = "GPUP_WINE_SHIM";

/// Environment variable: the import library of what only the shim uses.
pub(super) const SHIM_IMPORTS: &str = "GPUP_WINE_SHIM_IMPORTS";

const COMPILER: &str = "rustc-on-linux";

/// A name that tells rustc nothing: it then speaks to the linker as the target does.
const LINKER: &str = "link-twice";

/// The two.
pub(super) struct Tools {
    pub(super) compiler: PathBuf,
    pub(super) linker: PathBuf,
}

/// Puts copies of this program into `folder`. Copies, since cargo may build xtask again meanwhile.
pub(super) fn install(folder: &Path) -> Result<Tools> {
    // Whatever has become of the file's name since.
    let this = Path::new("/proc/self/exe");
    let tools = Tools { compiler: folder.join(COMPILER), linker: folder.join(LINKER) };
    fresh::copy(this, &tools.compiler)?;
    fresh::copy(this, &tools.linker)?;
    Ok(tools)
}

/// Runs as one of the two if it was called by that name.
pub(crate) fn dispatch() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    let name = PathBuf::from(arguments.next()?);
    let arguments: Vec<OsString> = arguments.collect();
    let done = match name.file_name()?.to_str()? {
        COMPILER => compiler::run(&parts(), &arguments),
        LINKER => linker::run(&arguments).map(|()| ExitCode::SUCCESS),
        _ => return None,
    };
    Some(done.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::FAILURE
    }))
}
