//! The hardware's page tables: their entries, and the walk from a root to a page.
//!
//! ```text
//! entry, 8 bytes   63                12 11      3   2          1       0
//!                  | address / 4096    | zero    | read-only | system | valid |
//! ```
//! An entry of a table above the last level names the next table, one of the last level a page. `system` says
//! that the address is a physical address of system memory; without it it is a byte offset in the local
//! segment. A table lies in either memory and has `1 << page_table_index_bits` entries. Read-only at any
//! level makes everything below it read-only.

use super::{Geometry, TableAddress};
use crate::PAGE_SIZE;

const VALID: u64 = 1;
const SYSTEM: u64 = 1 << 1;
const READ_ONLY: u64 = 1 << 2;
const RESERVED: u64 = (PAGE_SIZE - 1) & !(VALID | SYSTEM | READ_ONLY);

/// An entry of a page table, as it lies in memory (little-endian).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Entry(pub u64);

impl Entry {
    /// Maps nothing.
    pub const INVALID: Self = Self(0);

    /// Maps a page, or names the next table down. Bits below the page size are dropped from the address.
    pub const fn new(target: TableAddress, writable: bool) -> Self {
        let place = match target {
            TableAddress::System(address) => (address & !(PAGE_SIZE - 1)) | SYSTEM,
            TableAddress::Local(offset) => offset & !(PAGE_SIZE - 1),
        };
        Self(place | VALID | if writable { 0 } else { READ_ONLY })
    }

    /// The page or table it names; none when it is invalid or has reserved bits set.
    pub const fn target(self) -> Option<TableAddress> {
        if self.0 & VALID == 0 || self.0 & RESERVED != 0 {
            return None;
        }
        let address = self.0 & !(PAGE_SIZE - 1);
        Some(if self.0 & SYSTEM != 0 { TableAddress::System(address) } else { TableAddress::Local(address) })
    }

    /// Whether what it names may be written.
    pub const fn writable(self) -> bool {
        self.0 & READ_ONLY == 0
    }
}

/// Reads page tables where they lie.
pub trait TableMemory {
    /// The 8 bytes at a physical address, a multiple of 8; none when nothing is there.
    fn entry(&self, at: TableAddress) -> Option<Entry>;
}

/// The page behind a GPU virtual address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translation {
    /// First byte of the page.
    pub page: TableAddress,
    /// Whether every level allows writes.
    pub writable: bool,
}

/// Nothing is mapped at the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unmapped {
    /// Level of the table whose entry is missing, 0 being the last; `page_table_levels` when the address is
    /// too large for the tables.
    pub level: u32,
}

/// Walks the tables under `root` to the page that holds `address`.
pub fn walk(
    geometry: &Geometry,
    root: TableAddress,
    address: u64,
    memory: &impl TableMemory,
) -> Result<Translation, Unmapped> {
    let levels = geometry.page_table_levels;
    if address.checked_shr(geometry.va_bits()).is_some_and(|rest| rest != 0) {
        return Err(Unmapped { level: levels });
    }
    let mask = (1u64 << geometry.page_table_index_bits) - 1;
    let page = address / PAGE_SIZE;
    let mut here = Translation { page: root, writable: true };
    for level in (0..levels).rev() {
        let index = (page >> (level * geometry.page_table_index_bits)) & mask;
        let entry = memory.entry(here.page.plus(index * 8)).ok_or(Unmapped { level })?;
        let target = entry.target().ok_or(Unmapped { level })?;
        here = Translation { page: target, writable: here.writable && entry.writable() };
    }
    Ok(here)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[derive(Default)]
    struct Tables(HashMap<(bool, u64), u64>);

    impl Tables {
        fn set(&mut self, at: TableAddress, entry: Entry) {
            self.0.insert(Self::key(at), entry.0);
        }
        fn key(at: TableAddress) -> (bool, u64) {
            match at {
                TableAddress::System(address) => (true, address),
                TableAddress::Local(offset) => (false, offset),
            }
        }
    }

    impl TableMemory for Tables {
        fn entry(&self, at: TableAddress) -> Option<Entry> {
            self.0.get(&Self::key(at)).copied().map(Entry)
        }
    }

    const GEOMETRY: Geometry = Geometry {
        vram_bytes: 1 << 20,
        max_vfs: 1,
        dirty_page_bytes: 4096,
        page_table_levels: 3,
        page_table_index_bits: 9,
    };
    const ROOT: TableAddress = TableAddress::System(0x10_0000);
    const VA: u64 = (3 << 30) | (5 << 21) | (7 << 12) | 0x123;

    fn tables() -> Tables {
        let mut tables = Tables::default();
        tables.set(ROOT.plus(3 * 8), Entry::new(TableAddress::Local(0x2000), true));
        tables.set(TableAddress::Local(0x2000 + 5 * 8), Entry::new(TableAddress::Local(0x3000), true));
        tables.set(TableAddress::Local(0x3000 + 7 * 8), Entry::new(TableAddress::System(0x7000_5000), true));
        tables
    }

    #[test]
    fn walks_through_tables_in_both_memories() {
        let found = walk(&GEOMETRY, ROOT, VA, &tables()).unwrap();
        assert_eq!(found, Translation { page: TableAddress::System(0x7000_5000), writable: true });
    }

    #[test]
    fn a_missing_entry_is_found_at_its_level() {
        for (level, at) in
            [(2, ROOT.plus(24)), (1, TableAddress::Local(0x2028)), (0, TableAddress::Local(0x3038))]
        {
            let mut invalid = tables();
            invalid.set(at, Entry::INVALID);
            assert_eq!(walk(&GEOMETRY, ROOT, VA, &invalid), Err(Unmapped { level }));
            let mut absent = tables();
            absent.0.remove(&Tables::key(at));
            assert_eq!(walk(&GEOMETRY, ROOT, VA, &absent), Err(Unmapped { level }));
            let mut reserved = tables();
            reserved.set(at, Entry(VALID | 0x800));
            assert_eq!(walk(&GEOMETRY, ROOT, VA, &reserved), Err(Unmapped { level }));
        }
    }

    #[test]
    fn an_address_beyond_the_tables_is_unmapped() {
        assert_eq!(walk(&GEOMETRY, ROOT, 1 << 39, &tables()), Err(Unmapped { level: 3 }));
        assert_eq!(walk(&GEOMETRY, ROOT, VA | (1 << 63), &tables()), Err(Unmapped { level: 3 }));
    }

    #[test]
    fn read_only_at_any_level_holds() {
        let mut tables = tables();
        tables.set(TableAddress::Local(0x2028), Entry::new(TableAddress::Local(0x3000), false));
        assert!(!walk(&GEOMETRY, ROOT, VA, &tables).unwrap().writable);
    }

    #[test]
    fn entries_round_trip() {
        for target in [TableAddress::System(0xffff_f000), TableAddress::Local(0x1234_5000)] {
            for writable in [true, false] {
                let entry = Entry::new(target, writable);
                assert_eq!((entry.target(), entry.writable()), (Some(target), writable));
            }
        }
        assert_eq!(Entry::INVALID.target(), None);
    }
}
