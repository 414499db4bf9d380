//! The numbers of the memory segments, and addresses in them.

use gpup_core::device::TableAddress;
use gpup_core::{Error, PAGE_SIZE, Result};
use wddm::{D3DGPU_PHYSICAL_ADDRESS, DXGK_PTE, DXGK_PTE_FLAGS};

/// System memory.
pub(crate) const SYSTEM_SEGMENT: u32 = 0;
/// The local segment, all of VRAM.
pub(crate) const LOCAL_SEGMENT: u32 = 1;
/// What Microsoft's compute-only sample calls system memory: one past the last segment.
const SAMPLE_SYSTEM_SEGMENT: u32 = LOCAL_SEGMENT + 1;
/// Bytes of a paging buffer.
pub(crate) const PAGING_BUFFER_BYTES: u32 = 64 * 1024;

/// An address in a segment.
pub(crate) fn address(segment: u32, offset: u64) -> Result<TableAddress> {
    match segment {
        SYSTEM_SEGMENT | SAMPLE_SYSTEM_SEGMENT => Ok(TableAddress::System(offset)),
        LOCAL_SEGMENT => Ok(TableAddress::Local(offset)),
        _ => Err(Error::InvalidParameter),
    }
}

/// A page table's address.
pub(crate) fn table(at: &D3DGPU_PHYSICAL_ADDRESS) -> Result<TableAddress> {
    if at.SegmentOffset.is_multiple_of(PAGE_SIZE) {
        address(at.SegmentId, at.SegmentOffset)
    } else {
        Err(Error::Misaligned)
    }
}

/// The hardware's entry for VidMm's.
pub(crate) fn entry(pte: &DXGK_PTE) -> gpup_core::device::page_table::Entry {
    use gpup_core::device::page_table::Entry;
    let flags = pte.Flags;
    if !flags.contains(DXGK_PTE_FLAGS::Valid) {
        return Entry::INVALID;
    }
    let Ok(segment) = u32::try_from(flags.Segment()) else { return Entry::INVALID };
    let page = page_number(pte).checked_mul(PAGE_SIZE);
    match page.map(|page| address(segment, page)) {
        Some(Ok(target)) => Entry::new(target, !flags.contains(DXGK_PTE_FLAGS::ReadOnly)),
        _ => Entry::INVALID,
    }
}

/// Page or table, the number of its first page.
fn page_number(pte: &DXGK_PTE) -> u64 {
    // Both fields of the union are this one word.
    u64::from_ne_bytes(pte_bytes(pte))
}

fn pte_bytes(pte: &DXGK_PTE) -> [u8; 8] {
    #[expect(unsafe_code, reason = "the union's fields are the same eight bytes")]
    // SAFETY: every bit pattern is a valid byte array, and all eight bytes are initialized in either field.
    unsafe {
        pte.u.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_memory_has_two_numbers_and_vram_one() {
        let at = [0, 1, 2, 3].map(|segment| address(segment, 4096).ok());
        let (system, local) = (Some(TableAddress::System(4096)), Some(TableAddress::Local(4096)));
        assert_eq!(at, [system, local, system, None]);
    }
}
