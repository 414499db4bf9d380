//! GPU virtual addresses of the host's work: the walk with a small cache in front of it.

use alloc::boxed::Box;

use super::system;
use crate::device::page_table::{Entry, TableMemory, Translation, walk};
use crate::device::{Fault, Geometry, TableAddress};
use crate::vram::Vram;
use crate::{PAGE_SIZE, VfIndex, boxed};

use super::regions::Owners;

/// Translations kept.
const LINES: usize = 64;

/// The access that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageFault {
    pub(super) address: u64,
    pub(super) write: bool,
}

impl From<PageFault> for Fault {
    fn from(PageFault { address, write }: PageFault) -> Self {
        Self::Page { address, write }
    }
}

/// Translations of one submission, by page number.
pub(super) struct Tlb {
    root: TableAddress,
    lines: Box<[Option<(u64, Translation)>]>,
    /// The device's count of flushes that this cache has seen.
    epoch: u64,
}

struct Tables<'a>(&'a dyn Vram);

impl TableMemory for Tables<'_> {
    fn entry(&self, at: TableAddress) -> Option<Entry> {
        match at {
            TableAddress::System(physical) => system::load(physical).map(Entry),
            TableAddress::Local(offset) => {
                let mut bytes = [0; 8];
                self.0.read(offset, &mut bytes).ok()?;
                Some(Entry(u64::from_le_bytes(bytes)))
            }
        }
    }
}

impl Tlb {
    /// An empty cache.
    pub(super) fn new() -> crate::Result<Self> {
        Ok(Self { root: TableAddress::System(0), lines: boxed::slice(LINES, || None)?, epoch: 0 })
    }

    /// Forgets everything; from now on translates under `root`.
    pub(super) fn restart(&mut self, root: TableAddress) {
        self.root = root;
        self.lines.fill(None);
    }

    /// Forgets everything when the device's count of flushes has moved on.
    pub(super) fn follow(&mut self, epoch: u64) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.lines.fill(None);
        }
    }

    /// The physical address behind `address`.
    pub(super) fn translate(
        &mut self,
        geometry: &Geometry,
        vram: &dyn Vram,
        address: u64,
        write: bool,
    ) -> Result<TableAddress, PageFault> {
        let page = address / PAGE_SIZE;
        let line = &mut self.lines[page as usize % LINES];
        let translation = match line {
            Some((cached, translation)) if *cached == page => *translation,
            _ => {
                let walked = walk(geometry, self.root, address, &Tables(vram));
                let translation = walked.map_err(|_| PageFault { address, write })?;
                *line = Some((page, translation));
                translation
            }
        };
        if write && !translation.writable {
            return Err(PageFault { address, write });
        }
        Ok(translation.page.plus(address % PAGE_SIZE))
    }
}

/// The VF whose memory is written, or else read.
pub(super) fn owner(owners: &Owners, to: TableAddress, from: Option<TableAddress>) -> Option<VfIndex> {
    let of = |at: TableAddress| match at {
        TableAddress::Local(offset) => owners.of(offset),
        TableAddress::System(_) => None,
    };
    of(to).or_else(|| from.and_then(of))
}

/// Bytes from `address` to the end of its page.
pub(super) fn page_rest(address: u64) -> u64 {
    PAGE_SIZE - address % PAGE_SIZE
}
