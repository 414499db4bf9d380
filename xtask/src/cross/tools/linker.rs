//! The linker: one set of objects, linked twice.
//!
//! First exactly as rustc asks, which gives the image that ships; then with Wine's shim in front and under other
//! names, which gives the image for Wine. An object file's symbol goes before an import library's, so the shim's
//! functions take the place of the imports of the same name, and of nothing else.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::{SHIM, SHIM_IMPORTS};
use crate::command::run as finish;

const LLD: &str = "lld-link-19";

/// rustc calls with the linker's arguments.
pub(super) fn run(arguments: &[OsString]) -> Result<()> {
    finish(Command::new(LLD).args(arguments))?;
    let (Some(shim), Some(imports)) = (std::env::var_os(SHIM), std::env::var_os(SHIM_IMPORTS)) else {
        return Ok(());
    };
    // rustc may begin with `-flavor link`, which must stay at the beginning.
    let flavor = if arguments.first().is_some_and(|first| first == "-flavor") { 2 } else { 0 };
    let (flavor, rest) = arguments.split_at(flavor.min(arguments.len()));
    finish(Command::new(LLD).args(flavor).arg(shim).args(rest).arg(imports).args(names(arguments)?))
}

/// Names for the second image and its companions. The last of two options counts.
fn names(arguments: &[OsString]) -> Result<Vec<String>> {
    let out = option(arguments, "/OUT:")?;
    let path = Path::new(&out).with_extension("wine.dll");
    let companion =
        |option: &str, extension: &str| format!("{option}{}", path.with_extension(extension).display());
    Ok(vec![
        companion("/OUT:", "dll"),
        companion("/PDB:", "pdb"),
        companion("/IMPLIB:", "dll.lib"),
        companion("/MAP:", "map"),
    ])
}

/// An option's value: among the arguments, or in the file that they are handed over in when they are many.
fn option(arguments: &[OsString], name: &str) -> Result<String> {
    for argument in arguments.iter().filter_map(|argument| argument.to_str()) {
        if let Some(value) = argument.strip_prefix(name) {
            return Ok(value.to_owned());
        }
        if let Some(list) = argument.strip_prefix('@') {
            let text = text(&std::fs::read(list).with_context(|| format!("cannot read {list}"))?);
            if let Some(value) = text.lines().find_map(|line| line.trim_matches('"').strip_prefix(name)) {
                return Ok(value.to_owned());
            }
        }
    }
    anyhow::bail!("rustc names no {name} to the linker")
}

/// A response file's text: rustc writes UTF-16 for this linker.
fn text(bytes: &[u8]) -> String {
    match bytes {
        [0xFF, 0xFE, rest @ ..] => {
            let units: Vec<u16> =
                rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    const EXPECTED: [&str; 4] =
        ["/OUT:/t/a.wine.dll", "/PDB:/t/a.wine.pdb", "/IMPLIB:/t/a.wine.dll.lib", "/MAP:/t/a.wine.map"];

    #[test]
    fn the_second_image_has_names_of_its_own() {
        let arguments = ["/NOLOGO", "x.o", "/OUT:/t/a.dll", "/DLL"].map(OsString::from);
        assert_eq!(names(&arguments).unwrap(), EXPECTED);
    }

    #[test]
    fn a_long_command_is_read_from_its_file() {
        let folder = Scratch::new("linker");
        let list = folder.path().join("linker-arguments");
        let text = "\"x.o\"\n\"/OUT:/t/a.dll\"\n";
        let wide: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        for bytes in [text.as_bytes(), &wide] {
            std::fs::write(&list, bytes).unwrap();
            let arguments = [OsString::from(format!("@{}", list.display()))];
            assert_eq!(names(&arguments).unwrap(), EXPECTED);
        }
        assert!(names(&["/DLL".into()]).is_err());
    }
}
