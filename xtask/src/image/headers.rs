//! "PE Format": the COFF header, the optional header and the data directories.

use anyhow::{Result, ensure};
use object::LittleEndian as LE;
use object::pe;
use object::read::pe::PeFile64;

/// What the loader must do with the image, and the linker's option for it.
const REQUIRED: [(u16, &str); 4] = [
    (pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT, "data may not run: /NXCOMPAT"),
    (pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE, "the base may move: /DYNAMICBASE"),
    (pe::IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA, "it may move in 64 bits: /HIGHENTROPYVA"),
    (pe::IMAGE_DLLCHARACTERISTICS_FORCE_INTEGRITY, "it loads with a signature only: /INTEGRITYCHECK"),
];

/// Data directories that a driver has no use for.
const ABSENT: [(usize, &str); 4] = [
    (pe::IMAGE_DIRECTORY_ENTRY_TLS, "thread-local storage"),
    (pe::IMAGE_DIRECTORY_ENTRY_BOUND_IMPORT, "bound imports"),
    (pe::IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT, "delayed imports"),
    (pe::IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR, "a .NET header"),
];

pub(super) fn check(image: &PeFile64<'_>) -> Result<()> {
    let headers = image.nt_headers();
    let (file, optional) = (&headers.file_header, &headers.optional_header);
    ensure!(
        file.machine.get(LE) == pe::IMAGE_FILE_MACHINE_AMD64,
        "machine {:#x}, not AMD64",
        file.machine.get(LE)
    );
    let kind = file.characteristics.get(LE);
    ensure!(kind & pe::IMAGE_FILE_EXECUTABLE_IMAGE != 0, "not an executable image");
    ensure!(kind & pe::IMAGE_FILE_RELOCS_STRIPPED == 0, "its relocations are stripped");
    let subsystem = optional.subsystem.get(LE);
    ensure!(subsystem == pe::IMAGE_SUBSYSTEM_NATIVE, "subsystem {subsystem}, not native");
    let flags = optional.dll_characteristics.get(LE);
    for (flag, what) in REQUIRED {
        ensure!(flags & flag != 0, "DllCharacteristics {flags:#x} do not say that {what}");
    }
    for (index, what) in ABSENT {
        let there = image.data_directory(index).is_some_and(|entry| entry.size.get(LE) != 0);
        ensure!(!there, "it has {what}");
    }
    relocations(image)
}

/// An image that moves needs them, and each must lie in it.
fn relocations(image: &PeFile64<'_>) -> Result<()> {
    let size = image.nt_headers().optional_header.size_of_image.get(LE);
    let directories = image.data_directories();
    let mut blocks = directories
        .relocation_blocks(image.data(), &image.section_table())?
        .ok_or_else(|| anyhow::anyhow!("it has no relocations"))?;
    let mut count = 0;
    while let Some(block) = blocks.next()? {
        for relocation in block {
            let (kind, at) = (relocation.typ, relocation.virtual_address);
            ensure!(kind == pe::IMAGE_REL_BASED_DIR64, "a relocation of kind {kind} at {at:#x}");
            ensure!(at < size, "a relocation at {at:#x}, outside the image");
            count += 1;
        }
    }
    ensure!(count > 0, "it has no relocations");
    Ok(())
}
