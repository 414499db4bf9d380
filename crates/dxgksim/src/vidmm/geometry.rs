//! How page tables divide a virtual address, from DXGK_PAGE_TABLE_LEVEL_DESC.
//!
//! Article: "GPU virtual address". Level 0 is the leaf; the last level is the root.

use alloc::vec::Vec;

use wddm::{DXGK_PTE, DXGK_PTE_FLAGS};

use crate::dxgkrnl::{Level, Mmu};

/// Bytes of a GPU page.
pub(crate) const PAGE: u64 = 4096;
/// Bits of a page offset.
pub(crate) const PAGE_SHIFT: u32 = 12;

/// The division of addresses.
#[derive(Clone, Debug)]
pub(crate) struct Geometry {
    levels: Vec<Level>,
}

impl Geometry {
    pub(crate) fn new(mmu: &Mmu) -> Self {
        Self { levels: mmu.levels.clone() }
    }

    pub(crate) fn root(&self) -> u32 {
        self.levels.len() as u32 - 1
    }

    pub(crate) fn level(&self, level: u32) -> &Level {
        &self.levels[level as usize]
    }

    /// Bits of an address below the index of `level`.
    pub(crate) fn shift(&self, level: u32) -> u32 {
        PAGE_SHIFT + self.levels[..level as usize].iter().map(|level| level.index_bits).sum::<u32>()
    }

    /// Entries of a table; the root of two levels is as large as it is made.
    pub(crate) fn entries(&self, level: u32) -> u32 {
        1 << self.level(level).index_bits.min(30)
    }

    /// Bytes of address space that one table covers.
    pub(crate) fn coverage(&self, level: u32) -> u64 {
        1 << (self.shift(level) + self.level(level).index_bits).min(63)
    }

    /// Bytes from one table to the next when they lie in a row: whole pages, aligned as the driver asks.
    pub(crate) fn stride(&self, level: u32) -> u64 {
        let it = self.level(level);
        u64::from(it.bytes).next_multiple_of(PAGE).next_multiple_of(u64::from(it.alignment).max(1))
    }
}

/// An entry that maps a page, or names a lower table: the address goes in as a page number.
pub(crate) fn entry(segment: u32, address: u64, flags: DXGK_PTE_FLAGS) -> DXGK_PTE {
    let mut entry = DXGK_PTE::zeroed();
    entry.Flags = (flags | DXGK_PTE_FLAGS::Valid).with_Segment(u64::from(segment));
    entry.u.PageAddress = address >> PAGE_SHIFT;
    entry
}
