//! The address space of the paging process: its tables in system memory, its fixed part, its scratch area.
//!
//! ```text
//! 0            page 0 is never valid
//! 4096         paging buffers
//!              the leaf tables themselves, as data: so the process can change its own scratch area
//! aligned      scratch area, in slices: one for each channel
//! ```
//! Article: "System paging process".

use alloc::vec;
use alloc::vec::Vec;

use wddm::{DXGK_PTE, DXGK_PTE_FLAGS};

use super::PagingError;
use super::geometry::{Geometry, PAGE, entry};
use crate::host::Mutex;
use crate::memory::Pages;

/// The tables of one level, in a row.
pub(crate) struct Tables {
    pub(crate) level: u32,
    pub(crate) count: u64,
    pub(crate) stride: u64,
    pub(crate) memory: Pages,
}

impl Tables {
    fn new(geometry: &Geometry, level: u32, count: u64, stride: u64) -> Result<Self, PagingError> {
        let align = geometry.level(level).alignment.next_power_of_two() as usize;
        let memory = Pages::new((count * stride) as usize, align).ok_or(PagingError::NoMemory)?;
        Ok(Self { level, count, stride, memory })
    }

    /// Physical address of a table.
    pub(crate) fn address(&self, table: u64) -> u64 {
        self.memory.address() + table * self.stride
    }
}

/// The paging process's address space.
pub(crate) struct Space {
    pub(crate) geometry: Geometry,
    /// The tables, the leaf's first.
    pub(crate) levels: Vec<Tables>,
    pub(crate) root_entries: u32,
    /// Flags of entries that map system memory.
    pub(crate) system: DXGK_PTE_FLAGS,
    /// Physical addresses of the fixed part's pages.
    fixed: Vec<u64>,
    /// Where the leaf tables are mapped.
    window: u64,
    slice_bytes: u64,
    free: Mutex<Vec<u64>>,
}

impl Space {
    /// A space of `bytes` bytes whose root has `root_entries` entries in `root_bytes` bytes.
    pub(crate) fn new(
        geometry: Geometry,
        bytes: u64,
        root: (u32, u64),
        system: DXGK_PTE_FLAGS,
        buffers: &[&Pages],
        slice_bytes: u64,
    ) -> Result<Self, PagingError> {
        let mut levels = Vec::new();
        for level in 0..geometry.root() {
            let count = bytes.div_ceil(geometry.coverage(level)).max(1);
            levels.push(Tables::new(&geometry, level, count, geometry.stride(level))?);
        }
        levels.push(Tables::new(&geometry, geometry.root(), 1, root.1.next_multiple_of(PAGE))?);
        let mut space = Self {
            geometry,
            levels,
            root_entries: root.0,
            system,
            fixed: vec![0],
            window: 0,
            slice_bytes,
            free: Mutex::new(Vec::new()),
        };
        for buffer in buffers {
            space.map_fixed(buffer.address(), buffer.bytes() as u64);
        }
        let leaf = &space.levels[0];
        let (address, length) = (leaf.address(0), leaf.count * leaf.stride);
        space.window = space.map_fixed(address, length);
        let scratch = (space.fixed.len() as u64 * PAGE).next_multiple_of(slice_bytes);
        let slices =
            (scratch..bytes).step_by(slice_bytes as usize).filter(|start| start + slice_bytes <= bytes);
        let mut slices: Vec<u64> = slices.collect();
        if slices.len() < 2 {
            return Err(PagingError::Unsupported("the paging process's address space is too small"));
        }
        slices.reverse();
        space.free = Mutex::new(slices);
        Ok(space)
    }

    fn map_fixed(&mut self, address: u64, bytes: u64) -> u64 {
        let at = self.fixed.len() as u64 * PAGE;
        self.fixed.extend((0..bytes.div_ceil(PAGE)).map(|page| address + page * PAGE));
        at
    }

    /// Virtual address of the fixed buffer `index`, all of `bytes` bytes.
    pub(crate) fn buffer_address(&self, index: usize, bytes: usize) -> u64 {
        PAGE + (index * bytes) as u64
    }

    /// The entries that table `table` of `level` begins with.
    pub(crate) fn initial(&self, level: u32, table: u64, out: &mut Vec<DXGK_PTE>) {
        let root = level == self.geometry.root();
        let entries = u64::from(if root { self.root_entries } else { self.geometry.entries(level) });
        let first = table * entries;
        out.clear();
        out.extend((first..first + entries).map(|index| {
            if level == 0 {
                match self.fixed.get(index as usize) {
                    Some(address) if *address != 0 => entry(0, *address, self.system),
                    _ => DXGK_PTE::zeroed(),
                }
            } else {
                let lower = &self.levels[level as usize - 1];
                if index < lower.count {
                    entry(0, lower.address(index), self.system)
                } else {
                    DXGK_PTE::zeroed()
                }
            }
        }));
    }

    /// The leaf table that maps `address`, the index in it, and the table's own virtual address.
    pub(crate) fn leaf(&self, address: u64) -> (u64, u32, u64) {
        let page = address / PAGE;
        let entries = u64::from(self.geometry.entries(0));
        let table = page / entries;
        (table, (page % entries) as u32, self.window + table * self.levels[0].stride)
    }

    /// Takes a slice of the scratch area: its address.
    pub(crate) fn take_slice(&self) -> Option<u64> {
        self.free.lock().pop()
    }

    /// Gives a slice back.
    pub(crate) fn give_slice(&self, slice: u64) {
        self.free.lock().push(slice);
    }

    pub(crate) fn slice_bytes(&self) -> u64 {
        self.slice_bytes
    }

    /// Address and entries of the root table.
    pub(crate) fn root(&self) -> (u64, u32) {
        (self.levels[self.geometry.root() as usize].address(0), self.root_entries)
    }
}
