//! A host process: system pages, page tables in both memories, and paging buffers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::SimGpu;
use super::MIB;
use crate::PAGE_SIZE;
use crate::device::page_table::Entry;
use crate::device::paging::Encoder;
use crate::device::{Author, Device, HostSubmission, TableAddress};
use crate::dirty::Writer;

/// Words of a page.
const WORDS: usize = 512;

#[repr(align(4096))]
struct Page([AtomicU64; WORDS]);

/// Pages of system memory.
pub(super) struct Pages(Box<[Page]>);

impl Pages {
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).map(|_| Page([const { AtomicU64::new(0) }; WORDS])).collect())
    }

    /// The physical address of a page.
    pub(super) fn at(&self, page: usize) -> TableAddress {
        TableAddress::System(self.0[page].0.as_ptr().expose_provenance() as u64)
    }

    pub(super) fn set(&self, word: usize, value: u64) {
        self.0[word / WORDS].0[word % WORDS].store(value, Ordering::Relaxed);
    }

    pub(super) fn get(&self, word: usize) -> u64 {
        self.0[word / WORDS].0[word % WORDS].load(Ordering::Acquire)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        (0..self.0.len() * WORDS).flat_map(|word| self.get(word).to_le_bytes()).collect()
    }
}

/// GPU virtual address of the paging buffer.
const BUFFER: u64 = 1 << 30;
const BUFFER_PAGES: usize = 4;

/// A process whose root and middle table lie in system memory, and whose last tables lie in the host's part of
/// the VRAM: its address space is the first GiB and the buffer.
pub(super) struct Process {
    gpu: Arc<SimGpu>,
    writer: Writer,
    /// Root, middle tables of two GiB, last table of the buffer.
    tables: Pages,
    buffer: Pages,
    local: u64,
    /// Byte offset in VRAM of the last table of each 2 MiB.
    leaves: std::collections::HashMap<u64, u64>,
    fence: u32,
}

impl Process {
    /// A process with its tables in the VRAM from `local` on.
    pub(super) fn new(gpu: &Arc<SimGpu>, local: u64) -> Self {
        let tables = Pages::new(4);
        let buffer = Pages::new(BUFFER_PAGES);
        tables.set(0, Entry::new(tables.at(1), true).0);
        tables.set(1, Entry::new(tables.at(2), true).0);
        tables.set(2 * WORDS, Entry::new(tables.at(3), true).0);
        for page in 0..BUFFER_PAGES {
            // Back to front, so that the buffer is not contiguous.
            tables.set(3 * WORDS + page, Entry::new(buffer.at(BUFFER_PAGES - 1 - page), false).0);
        }
        let writer = gpu.tracker().writer().unwrap();
        Self { gpu: gpu.clone(), writer, tables, buffer, local, leaves: Default::default(), fence: 0 }
    }

    pub(super) fn root(&self) -> TableAddress {
        self.tables.at(0)
    }

    /// Where in VRAM the last table of an address lies.
    pub(super) fn leaf(&mut self, address: u64) -> u64 {
        let index = address / (2 * MIB);
        if let Some(leaf) = self.leaves.get(&index) {
            return *leaf;
        }
        let leaf = self.local + self.leaves.len() as u64 * PAGE_SIZE;
        self.leaves.insert(index, leaf);
        self.tables.set(WORDS + index as usize, Entry::new(TableAddress::Local(leaf), true).0);
        leaf
    }

    pub(super) fn map(&mut self, address: u64, target: TableAddress, writable: bool) {
        self.set_entry(address, Entry::new(target, writable));
    }

    pub(super) fn set_entry(&mut self, address: u64, entry: Entry) {
        let at = self.leaf(address) + address / PAGE_SIZE % 512 * 8;
        self.writer.write(at, &entry.0.to_le_bytes()).unwrap();
    }

    /// Encodes and submits a paging buffer, and answers its fence.
    pub(super) fn submit(&mut self, node: usize, encode: impl FnOnce(&mut Encoder<'_>)) -> u32 {
        self.submit_bytes(node, &encoded(encode))
    }

    /// Submits bytes as a paging buffer.
    pub(super) fn submit_bytes(&mut self, node: usize, bytes: &[u8]) -> u32 {
        self.submit_from(Author::Kernel, node, bytes)
    }

    /// Submits bytes of an author.
    pub(super) fn submit_from(&mut self, author: Author, node: usize, bytes: &[u8]) -> u32 {
        for (index, word) in bytes.chunks(8).enumerate() {
            let mut value = [0; 8];
            value[..word.len()].copy_from_slice(word);
            let page = BUFFER_PAGES - 1 - index / WORDS;
            self.buffer.set(page * WORDS + index % WORDS, u64::from_le_bytes(value));
        }
        self.fence += 1;
        let submission = HostSubmission {
            node,
            root: self.root(),
            dma_address: BUFFER,
            dma_bytes: bytes.len() as u32,
            fence: self.fence,
            author,
        };
        self.gpu.submit(submission).unwrap();
        self.fence
    }
}

/// The bytes of a buffer with these operations.
pub(super) fn encoded(encode: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    let mut bytes = vec![0; BUFFER_PAGES * PAGE_SIZE as usize];
    let mut encoder = Encoder::new(&mut bytes);
    encode(&mut encoder);
    let used = encoder.used();
    bytes.truncate(used);
    bytes
}

impl Process {
    /// Maps the pages of a system buffer one after the other from `address` on.
    pub(super) fn map_pages(&mut self, address: u64, pages: &Pages) {
        for page in 0..pages.0.len() {
            self.map(address + page as u64 * PAGE_SIZE, pages.at(page), true);
        }
    }

    /// Maps a run of VRAM from `address` on.
    pub(super) fn map_local(&mut self, address: u64, offset: u64, bytes: u64) {
        for at in (0..bytes).step_by(PAGE_SIZE as usize) {
            self.map(address + at, TableAddress::Local(offset + at), true);
        }
    }
}
