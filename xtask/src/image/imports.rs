//! Imports: from the kernel only, and only what was reviewed.

use anyhow::{Context, Result, bail, ensure};
use object::LittleEndian as LE;
use object::pe::ImageNtHeaders64;
use object::read::pe::{Import, PeFile64};

use super::Lists;

/// Where memory comes from; code of the driver's own may not take its place.
const POOL: (&str, &str) = ("ntoskrnl.exe", "ExAllocatePool2");

/// Checks each import, and counts them by library.
pub(super) fn check(image: &PeFile64<'_>, lists: &Lists) -> Result<Vec<(String, usize)>> {
    let table = image.import_table()?.context("it imports nothing")?;
    let mut libraries = table.descriptors()?;
    let mut counted: Vec<(String, usize)> = Vec::new();
    let mut pool = false;
    while let Some(library) = libraries.next()? {
        let name = String::from_utf8_lossy(table.name(library.name.get(LE))?).into_owned();
        let Some(allowed) = lists.of(&name) else {
            let known: Vec<&str> = lists.libraries().collect();
            bail!("it imports from {name}; a driver imports from {} only", known.join(" and "));
        };
        let mut thunks = table.thunks(library.original_first_thunk.get(LE))?;
        let mut count = 0;
        while let Some(thunk) = thunks.next::<ImageNtHeaders64>()? {
            let function = match table.import::<ImageNtHeaders64>(thunk)? {
                Import::Name(_, function) => String::from_utf8_lossy(function).into_owned(),
                Import::Ordinal(number) => bail!("it imports number {number} of {name}; numbers change"),
            };
            ensure!(allowed.contains(&function), "{function} of {name} is not in the reviewed list");
            pool |= (name.as_str(), function.as_str()) == POOL;
            count += 1;
        }
        counted.push((name, count));
    }
    ensure!(pool, "{} is not imported from {}: who gives memory then?", POOL.1, POOL.0);
    Ok(counted)
}
