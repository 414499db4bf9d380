//! Sections: what may run is not written, and nothing is paged out or thrown away under running code.

use anyhow::{Result, ensure};
use object::LittleEndian as LE;
use object::pe;
use object::read::pe::PeFile64;

/// Pages: sections begin on them, so that each has its own protection.
const PAGE: u32 = 4096;

pub(super) fn check(image: &PeFile64<'_>) -> Result<()> {
    let optional = &image.nt_headers().optional_header;
    ensure!(optional.section_alignment.get(LE) >= PAGE, "sections share pages");
    let entry = optional.address_of_entry_point.get(LE);
    let mut entered = false;
    for section in image.section_table().iter() {
        let name = String::from_utf8_lossy(section.raw_name());
        let flags = section.characteristics.get(LE);
        let runs = flags & pe::IMAGE_SCN_MEM_EXECUTE != 0;
        let written = flags & pe::IMAGE_SCN_MEM_WRITE != 0;
        let discarded = flags & pe::IMAGE_SCN_MEM_DISCARDABLE != 0;
        ensure!(!(runs && written), "{name} may be written and run");
        ensure!(flags & pe::IMAGE_SCN_MEM_SHARED == 0, "{name} is shared");
        // Nothing of this driver is pageable: its engines and interrupts may come at any time. The memory manager
        // goes by these names.
        ensure!(!name.starts_with("PAGE"), "{name} is pageable");
        // Only what is used up at load may go: INIT, and the relocations.
        let spent = name.starts_with("INIT") || name == ".reloc";
        ensure!(
            discarded == spent,
            "{name} is{} discarded after DriverEntry",
            if discarded { "" } else { " not" }
        );
        let begin = section.virtual_address.get(LE);
        let end = begin.saturating_add(section.virtual_size.get(LE));
        entered |= runs && (begin..end).contains(&entry);
    }
    ensure!(entered, "the entry point {entry:#x} lies in no executable section");
    Ok(())
}
