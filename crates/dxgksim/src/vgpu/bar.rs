//! BAR 0 of a VF as a guest has it mapped: pages of device registers, or pages that the host traps.

use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use crate::guest::Bar;
use crate::memory::{PAGE, Registers};

/// What lies behind a page of a BAR.
#[derive(Clone, Copy)]
pub(super) struct BarPage {
    /// Registers of the device; none when every access is emulated.
    pub(super) registers: Option<Registers>,
    pub(super) trap_reads: bool,
    pub(super) trap_writes: bool,
}

/// BAR 0 of a VF.
pub struct VfBar {
    pages: Vec<BarPage>,
}

impl VfBar {
    pub(super) fn new(pages: Vec<BarPage>) -> Self {
        Self { pages }
    }

    /// Pages on which the host traps writes: where the MSI-X table is.
    pub fn trapped_pages(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.pages.len()).filter(|page| self.pages[*page].trap_writes)
    }

    /// Pages that a guest reads without the host's help.
    pub fn readable_pages(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.pages.len())
            .filter(|page| self.pages[*page].registers.is_some() && !self.pages[*page].trap_reads)
    }

    fn page(&self, offset: usize, write: bool) -> Registers {
        let page = &self.pages[offset / PAGE];
        let trapped = if write { page.trap_writes } else { page.trap_reads };
        match page.registers {
            Some(registers) if !trapped => registers,
            _ => panic!("offset {offset:#x} of the BAR is trapped"),
        }
    }
}

impl Bar for VfBar {
    fn bytes(&self) -> usize {
        self.pages.len() * PAGE
    }

    fn read_u32(&self, offset: usize) -> u32 {
        self.page(offset, false).u32(offset % PAGE).load(Ordering::Acquire)
    }

    fn read_u64(&self, offset: usize) -> u64 {
        self.page(offset, false).u64(offset % PAGE).load(Ordering::Acquire)
    }

    fn write_u32(&self, offset: usize, value: u32) {
        self.page(offset, true).u32(offset % PAGE).store(value, Ordering::Release);
    }

    fn write_u64(&self, offset: usize, value: u64) {
        self.page(offset, true).u64(offset % PAGE).store(value, Ordering::Release);
    }

    fn read_bytes(&self, offset: usize, out: &mut [u8]) {
        assert!(
            offset.is_multiple_of(8) && out.len().is_multiple_of(8),
            "BAR reads are multiples of 8 bytes"
        );
        let (mut at, mut rest) = (offset, out);
        while !rest.is_empty() {
            let here = rest.len().min(PAGE - at % PAGE);
            let (now, later) = rest.split_at_mut(here);
            self.page(at, false).read(at % PAGE, now);
            at += here;
            rest = later;
        }
    }

    fn write_bytes(&self, offset: usize, data: &[u8]) {
        assert!(
            offset.is_multiple_of(8) && data.len().is_multiple_of(8),
            "BAR writes are multiples of 8 bytes"
        );
        let (mut at, mut rest) = (offset, data);
        while !rest.is_empty() {
            let here = rest.len().min(PAGE - at % PAGE);
            let (now, later) = rest.split_at(here);
            self.page(at, true).write(at % PAGE, now);
            at += here;
            rest = later;
        }
    }
}
