//! An ordinary process: its page tables lie where the driver wants them and are written by the paging process.
//!
//! Article: "GPU virtual address". One table a level is enough for what lies below the first leaf table's reach.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use wddm::*;

use super::geometry::{Geometry, PAGE, entry};
use super::memory::Range;
use super::paging::{Paging, create_context, create_device, create_process, set_root};
use super::{PagingChannel, PagingError, SegmentMemory};
use crate::dxgkrnl::{Caps, Core};
use crate::memory::Pages;

/// A page table: in a local segment, or in system memory.
struct Table {
    segment: u32,
    address: u64,
    bytes: u64,
    pages: Option<Pages>,
}

/// A process with a device, a context and page tables of its own.
pub(super) struct Process {
    core: Arc<Core>,
    memory: Arc<SegmentMemory>,
    geometry: Geometry,
    tables: Vec<Table>,
    process: usize,
    device: usize,
    context: usize,
}

impl Process {
    /// Makes the process with a context on `node`, and empty tables.
    pub(super) fn new(
        core: &Arc<Core>,
        caps: &Caps,
        paging: &Paging,
        channel: &mut PagingChannel,
        node: u32,
        flags: DXGK_CREATECONTEXTFLAGS,
    ) -> Result<Self, PagingError> {
        let mut it = Self {
            core: Arc::clone(core),
            memory: Arc::clone(&paging.memory),
            geometry: Geometry::new(&caps.mmu),
            tables: Vec::new(),
            process: 0,
            device: 0,
            context: 0,
        };
        it.process = create_process(core, DXGK_CREATEPROCESSFLAGS::empty())?;
        it.device = create_device(core, it.process, DXGK_CREATEDEVICEFLAGS::empty())?;
        it.context =
            create_context(core, it.device, node, flags | DXGK_CREATECONTEXTFLAGS::VirtualAddressing)?;
        it.make_tables(caps)?;
        it.link_tables(channel)?;
        let root = it.tables.last().ok_or(PagingError::NoMemory)?;
        let address =
            D3DGPU_PHYSICAL_ADDRESS { SegmentId: root.segment, Padding: 0, SegmentOffset: root.address };
        set_root(core, it.context, address, it.entries(it.geometry.root()));
        Ok(it)
    }

    fn entries(&self, level: u32) -> u32 {
        // The root of two levels is as large as needed: one entry is.
        if level == self.geometry.root() && level == 1 { 1 } else { self.geometry.entries(level) }
    }

    fn make_tables(&mut self, caps: &Caps) -> Result<(), PagingError> {
        for level in 0..=self.geometry.root() {
            let it = *self.geometry.level(level);
            let mut bytes = u64::from(it.bytes);
            if level == self.geometry.root() {
                let mut args = DXGKARG_GETROOTPAGETABLESIZE::zeroed();
                args.NumberOfPte = self.entries(level);
                bytes = self.core.root_page_table_size(&mut args) as u64;
            }
            let bytes = bytes.max(1).next_multiple_of(PAGE);
            let align = u64::from(it.alignment).max(PAGE);
            let table = if caps.is_system(it.segment) {
                let pages = Pages::new(bytes as usize, align as usize).ok_or(PagingError::NoMemory)?;
                Table { segment: 0, address: pages.address(), bytes, pages: Some(pages) }
            } else {
                let window = Range { offset: 0, bytes: u64::MAX };
                let range =
                    self.memory.take(it.segment, bytes, align, window).ok_or(PagingError::NoMemory)?;
                Table { segment: it.segment, address: range.offset, bytes, pages: None }
            };
            self.tables.push(table);
        }
        Ok(())
    }

    /// Every table starts empty; then each names the one below.
    fn link_tables(&self, channel: &mut PagingChannel) -> Result<(), PagingError> {
        for level in 0..=self.geometry.root() {
            let empty = [DXGK_PTE::zeroed()];
            let flags = DXGK_UPDATEPAGETABLEFLAGS::InitialUpdate | DXGK_UPDATEPAGETABLEFLAGS::Repeat;
            self.write(channel, level, 0, self.entries(level), flags, &empty)?;
        }
        for level in 1..=self.geometry.root() {
            let below = &self.tables[level as usize - 1];
            let link = [entry(below.segment, below.address, DXGK_PTE_FLAGS::empty())];
            self.write(channel, level, 0, 1, DXGK_UPDATEPAGETABLEFLAGS::empty(), &link)?;
        }
        Ok(())
    }

    /// Maps pages at `address`, which the first leaf table must reach.
    pub(super) fn map(
        &self,
        channel: &mut PagingChannel,
        address: u64,
        entries: &[DXGK_PTE],
    ) -> Result<(), PagingError> {
        let first = (address / PAGE) as u32;
        let count = entries.len() as u32;
        if first + count > self.geometry.entries(0) {
            return Err(PagingError::OutOfRange);
        }
        self.write(channel, 0, first, count, DXGK_UPDATEPAGETABLEFLAGS::empty(), entries)
    }

    /// Maps a table into the paging process and updates it there.
    fn write(
        &self,
        channel: &mut PagingChannel,
        level: u32,
        first: u32,
        count: u32,
        flags: DXGK_UPDATEPAGETABLEFLAGS,
        entries: &[DXGK_PTE],
    ) -> Result<(), PagingError> {
        let table = &self.tables[level as usize];
        let mut window: Vec<DXGK_PTE> = (0..table.bytes / PAGE)
            .map(|page| entry(table.segment, table.address + page * PAGE, DXGK_PTE_FLAGS::empty()))
            .collect();
        let mut entries = vec_of(entries);
        let process = core::ptr::with_exposed_provenance_mut(self.process);
        channel.run(|batch, scratch| {
            batch.map(scratch, &mut window)?;
            let mut update = DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE::zeroed();
            update.PageTableLevel = level;
            update.pPageTableEntries = entries.as_mut_ptr();
            update.StartIndex = first;
            update.NumPageTableEntries = count;
            update.Flags = flags;
            update.hProcess = process;
            update.FirstPteVirtualAddress = u64::from(first) << self.geometry.shift(level);
            batch.update(update, table.segment, table.address, scratch)
        })
    }

    pub(super) fn context(&self) -> HANDLE {
        core::ptr::with_exposed_provenance_mut(self.context)
    }
}

fn vec_of(entries: &[DXGK_PTE]) -> Vec<DXGK_PTE> {
    let mut copy = vec![DXGK_PTE::zeroed(); entries.len()];
    copy.copy_from_slice(entries);
    copy
}

impl Drop for Process {
    fn drop(&mut self) {
        let handle = |number: usize| -> HANDLE { core::ptr::with_exposed_provenance_mut(number) };
        if self.context != 0 {
            let _ = self.core.destroy_context(handle(self.context));
        }
        if self.device != 0 {
            let _ = self.core.destroy_device(handle(self.device));
        }
        if self.process != 0 {
            let _ = self.core.destroy_process(handle(self.process));
        }
        for table in self.tables.iter().filter(|table| table.pages.is_none()) {
            self.memory.give(table.segment, Range { offset: table.address, bytes: table.bytes });
        }
    }
}
