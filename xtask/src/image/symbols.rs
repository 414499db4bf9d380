//! The linker's map: whose code is in the image.

use anyhow::{Context, Result, ensure};
use object::LittleEndian as LE;
use object::read::pe::PeFile64;

use super::Lists;

/// The entry point that the driver's source names.
const ENTRY: &str = "DriverEntry";

/// Entry points of the C run-time library, and what it starts with.
const RUN_TIME: [&str; 5] = [
    "_DllMainCRTStartup",
    "DllMainCRTStartup",
    "mainCRTStartup",
    "__scrt_initialize_crt",
    "__security_init_cookie",
];

/// A symbol of the image.
#[derive(Debug)]
struct Symbol {
    name: String,
    /// With the preferred base.
    address: u64,
    /// `library:object`; an import's stub has the import library and the file that it imports from.
    origin: String,
}

/// A map.
#[derive(Debug)]
pub(crate) struct Map {
    symbols: Vec<Symbol>,
}

impl Map {
    /// Reads what lld-link's /MAP writes.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let symbols: Vec<Symbol> = text.lines().filter_map(symbol).collect();
        ensure!(!symbols.is_empty(), "the linker's map names no symbol");
        Ok(Self { symbols })
    }
}

/// ` 0001:0003b160       ExAllocatePool2            000000018003c160     ntoskrnl:ntoskrnl.exe`
fn symbol(line: &str) -> Option<Symbol> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [place, name, address, origin] = words[..] else { return None };
    let (section, offset) = place.split_once(':')?;
    if (section.len(), offset.len(), address.len()) != (4, 8, 16) {
        return None;
    }
    let address = u64::from_str_radix(address, 16).ok()?;
    Some(Symbol { name: name.to_owned(), address, origin: origin.to_owned() })
}

/// Checks that no kernel function is defined in the image: each is a true import. So nothing of Wine's shim is in it.
pub(super) fn check(map: &Map, lists: &Lists) -> Result<()> {
    for symbol in &map.symbols {
        let name = symbol.name.strip_prefix("__imp_").unwrap_or(&symbol.name);
        let imported = symbol.origin.split_once(':').is_some_and(|(_, file)| lists.of(file).is_some());
        ensure!(
            imported || !lists.is_kernels(name),
            "{name} is defined in the image by {}, and not imported",
            symbol.origin
        );
        ensure!(!symbol.origin.to_ascii_lowercase().contains("shim"), "{name} comes from the shim for Wine");
        ensure!(!RUN_TIME.contains(&name), "{name} belongs to a C run-time library");
    }
    Ok(())
}

/// Checks that the system enters the image at DriverEntry.
pub(super) fn entry(image: &PeFile64<'_>, map: &Map) -> Result<()> {
    let optional = &image.nt_headers().optional_header;
    let at = optional.image_base.get(LE) + u64::from(optional.address_of_entry_point.get(LE));
    let mut named = map.symbols.iter().filter(|symbol| symbol.name == ENTRY);
    let symbol = named.next().with_context(|| format!("the linker's map has no {ENTRY}"))?;
    ensure!(symbol.address == at, "the entry point is {at:#x}, and {ENTRY} is at {:#x}", symbol.address);
    Ok(())
}
