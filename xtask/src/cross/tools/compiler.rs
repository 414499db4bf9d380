//! The compiler wrapper: compiles wdk-build on Linux from a copy with small edits, and stubs in place of two crates
//! of the Windows API that it names. Every other crate goes to rustc as it is.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};

/// A place where wdk-build knows only Windows, and what stands there instead.
struct Edit {
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

const EDITS: [Edit; 3] = [
    // A compile_error! off Windows, around an environment variable's setter.
    Edit { file: "utils.rs", from: "cfg(target_os = \"windows\")", to: "cfg(unix)" },
    Edit { file: "utils.rs", from: "cfg(not(target_os = \"windows\"))", to: "cfg(not(unix))" },
    // Used by cargo-make tasks only.
    Edit {
        file: "cargo_make.rs",
        from: "std::os::windows::fs::symlink_file",
        to: "std::os::unix::fs::symlink",
    },
];

/// cargo calls with rustc's path and rustc's arguments.
pub(super) fn run(parts: &Path, arguments: &[OsString]) -> Result<ExitCode> {
    let (rustc, arguments) = arguments.split_first().context("cargo calls this with a compiler")?;
    let mut arguments = arguments.to_vec();
    if let Some(root) = arguments.iter().position(|argument| Path::new(argument).ends_with("src/lib.rs")) {
        let source = Path::new(&arguments[root]).parent().unwrap_or(Path::new("")).to_path_buf();
        let stub = |name: &str| Some(parts.join("stubs").join(name));
        let other = match after(&arguments, "--crate-name").and_then(OsStr::to_str) {
            Some("wdk_build") => {
                let folder = after(&arguments, "--out-dir").context("wdk-build goes into a folder")?;
                Some(edited(&source, &Path::new(folder).join("wdk-build-on-linux"))?)
            }
            Some("windows") => stub("windows.rs"),
            Some("windows_future") => stub("windows_future.rs"),
            _ => None,
        };
        if let Some(other) = other {
            arguments[root] = other.into();
        }
    }
    let status =
        Command::new(rustc).args(arguments).args(elsewhere()).status().context("cannot run the compiler")?;
    // The compiler has said what is wrong.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Keeps this machine's folders out of what is built: panics and symbols name the files of crates without them.
fn elsewhere() -> Vec<OsString> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")));
    let renamed = |from: &Path, to: &str| {
        let mut option = OsString::from("--remap-path-prefix=");
        option.push(from);
        option.push("=");
        option.push(to);
        option
    };
    let registry = home.map(|home| renamed(&home.join("registry/src"), "registry"));
    registry.into_iter().chain([renamed(super::super::root(), "gpup-kmd")]).collect()
}

/// The argument after `option`.
fn after<'a>(arguments: &'a [OsString], option: &str) -> Option<&'a OsStr> {
    let at = arguments.iter().position(|argument| argument == option)?;
    arguments.get(at + 1).map(OsString::as_os_str)
}

/// Copies the sources in `source` to `folder` with the edits, and gives the copy's root.
fn edited(source: &Path, folder: &Path) -> Result<PathBuf> {
    let copied = folder.join("src");
    copy(source, &copied)?;
    for edit in &EDITS {
        let path = copied.join(edit.file);
        let text = fs::read_to_string(&path)?;
        ensure!(text.contains(edit.from), "wdk-build's {} has changed: no `{}` in it", edit.file, edit.from);
        fs::write(&path, text.replace(edit.from, edit.to))?;
    }
    // wdk-build includes its manifest's neighbours by relative paths.
    for entry in fs::read_dir(source.parent().unwrap_or(source))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), folder.join(entry.file_name()))?;
        }
    }
    age(folder)?;
    Ok(copied.join("lib.rs"))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), &to)?;
        }
    }
    Ok(())
}

/// Makes a folder's files old: cargo builds again what is newer than the start of its last build.
fn age(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            age(&entry.path())?;
        } else {
            let file = File::options().write(true).open(entry.path())?;
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(86_400))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn wdk_build_is_edited_in_a_copy() {
        let folder = Scratch::new("compiler");
        let source = folder.path().join("wdk-build/src");
        fs::create_dir_all(&source).unwrap();
        fs::write(source.join("lib.rs"), "mod utils;").unwrap();
        fs::write(
            source.join("utils.rs"),
            "#[cfg(target_os = \"windows\")] #[cfg(not(target_os = \"windows\"))]",
        )
        .unwrap();
        fs::write(source.join("cargo_make.rs"), "std::os::windows::fs::symlink_file(a, b)").unwrap();
        let root = edited(&source, &folder.path().join("copy")).unwrap();
        let read = |name: &str| fs::read_to_string(root.with_file_name(name)).unwrap();
        assert_eq!(read("utils.rs"), "#[cfg(unix)] #[cfg(not(unix))]");
        assert_eq!(read("cargo_make.rs"), "std::os::unix::fs::symlink(a, b)");
        assert!(
            fs::read_to_string(source.join("utils.rs")).unwrap().contains("windows"),
            "the original stays"
        );
    }

    #[test]
    fn another_wdk_build_is_noticed() {
        let folder = Scratch::new("compiler-other");
        let source = folder.path().join("wdk-build/src");
        fs::create_dir_all(&source).unwrap();
        fs::write(source.join("utils.rs"), "").unwrap();
        fs::write(source.join("cargo_make.rs"), "").unwrap();
        let text = edited(&source, &folder.path().join("copy")).unwrap_err().to_string();
        assert!(text.contains("wdk-build's utils.rs has changed"), "{text}");
    }
}
