//! A guest's driver, as small as it can be.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::super::SimGpu;
use super::super::bar::Bar;
use super::super::registers::node_register;
use super::until;
use crate::PAGE_SIZE;
use crate::device::abi::{
    COMPUTE_NODE, COPY_NODE, FLAG_FENCE, FLAG_INTERRUPT, MSIX_VECTORS, NODES, Opcode, Pattern,
    READBACK_OFFSET, RING_BYTES, RING_OFFSET, reg, status,
};
use crate::device::{Device, MsixEntry};

/// A guest of a VF.
pub(super) struct Guest {
    gpu: Arc<SimGpu>,
    vf: u32,
    pub(super) tails: [u32; NODES],
    pub(super) fences: [u64; NODES],
    /// Where its messages arrive: the vector's number and 100. Never freed: a message follows the fence that the test
    /// waits for, and may come when the guest is gone.
    messages: &'static [AtomicU32; MSIX_VECTORS],
}

impl Guest {
    /// A guest that begins, with its vectors unmasked.
    pub(super) fn new(gpu: &Arc<SimGpu>, vf: u32) -> Self {
        let messages = Box::leak(Box::default());
        let guest = Self { gpu: gpu.clone(), vf, tails: [0; 2], fences: [0; 2], messages };
        (0..MSIX_VECTORS).for_each(|vector| guest.mask(vector, false));
        guest
    }

    pub(super) fn mask(&self, vector: usize, masked: bool) {
        let entry = MsixEntry {
            address: self.messages[vector].as_ptr().expose_provenance() as u64,
            data: 100 + vector as u32,
            control: u32::from(masked),
        };
        self.gpu.vf_write_msix(self.vf, vector, entry).unwrap();
    }

    /// The message that came for a vector since the last time; 0 is none.
    pub(super) fn message(&self, vector: usize) -> u32 {
        self.messages[vector].swap(0, Ordering::Acquire)
    }

    pub(super) fn bar(&self) -> &Bar {
        self.gpu.shared.vfs[self.vf as usize].bar()
    }

    pub(super) fn register(&self, node: usize, register: usize) -> u64 {
        let at = node_register(node, register);
        u64::from(self.bar().load(at)) | u64::from(self.bar().load(at + 4)) << 32
    }

    pub(super) fn head(&self, node: usize) -> u32 {
        self.bar().load(node_register(node, reg::HEAD))
    }

    pub(super) fn status(&self) -> u32 {
        self.bar().load(reg::STATUS)
    }

    pub(super) fn faulted(&self) -> bool {
        self.status() & status::FAULT != 0
    }

    /// Writes raw bytes at the tail, after a NOP where they would wrap, and rings. Waits for room.
    pub(super) fn ring(&mut self, node: usize, command: &[u8]) {
        let to_end = RING_BYTES as u32 - self.tails[node] % RING_BYTES as u32;
        if command.len() as u32 > to_end {
            self.put(node, &header(Opcode::Nop as u16, 0, to_end, 0), to_end);
        }
        self.put(node, command, command.len() as u32);
    }

    /// Writes bytes at the tail, moves it on by `advance` once there is room for that, and rings.
    fn put(&mut self, node: usize, bytes: &[u8], advance: u32) {
        let tail = self.tails[node];
        let room = |guest: &Self| RING_BYTES as u32 - tail.wrapping_sub(guest.head(node)) >= advance;
        until("room in the ring", || room(self) || self.faulted());
        self.bar().write(RING_OFFSET + node * RING_BYTES + tail as usize % RING_BYTES, bytes);
        self.tails[node] = tail.wrapping_add(advance);
        self.bar().store(node_register(node, reg::TAIL), self.tails[node]);
    }

    /// A command of words, with the next fence.
    pub(super) fn command(&mut self, node: usize, opcode: Opcode, flags: u16, words: &[u64]) {
        let payload: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.raw(node, opcode, flags, &payload);
    }

    fn raw(&mut self, node: usize, opcode: Opcode, flags: u16, payload: &[u8]) {
        self.fences[node] += 1;
        let bytes = (16 + payload.len()).next_multiple_of(16);
        let mut command = header(opcode as u16, flags, bytes as u32, self.fences[node]).to_vec();
        command.extend_from_slice(payload);
        command.resize(bytes, 0);
        self.ring(node, &command);
    }

    pub(super) fn fill(&mut self, dst: u64, bytes: u64, pattern: u64) {
        self.command(COPY_NODE, Opcode::Fill, FLAG_FENCE | FLAG_INTERRUPT, &[dst, bytes, pattern]);
    }

    pub(super) fn upload(&mut self, dst: u64, data: &[u8]) {
        let words = [dst, data.len() as u64].map(u64::to_le_bytes).concat();
        self.raw(COPY_NODE, Opcode::Upload, FLAG_FENCE, &[&words, data].concat());
    }

    /// Stamps `pages` pages from the VF's second page on.
    pub(super) fn write_pages(&mut self, node: usize, pages: u64, index: u64, count: u32, seed: u64) {
        self.write_pages_at(node, PAGE_SIZE, pages, index, count, seed);
    }

    pub(super) fn write_pages_at(
        &mut self,
        node: usize,
        base: u64,
        pages: u64,
        index: u64,
        count: u32,
        seed: u64,
    ) {
        let place = u64::from(count) | (Pattern::Random as u64) << 32;
        let words = [base, pages, index, place, seed];
        self.command(node, Opcode::WritePages, FLAG_FENCE | FLAG_INTERRUPT, &words);
    }

    pub(super) fn fence(&self, node: usize) -> u64 {
        self.register(node, reg::FENCE)
    }

    /// Waits until both nodes have done everything.
    pub(super) fn wait(&self) {
        for node in [COMPUTE_NODE, COPY_NODE] {
            until("a guest's fence", || self.fence(node) >= self.fences[node] || self.faulted());
        }
        assert!(!self.faulted(), "fault {}", self.bar().load(reg::FAULT_CODE));
    }

    /// Reads memory the guest's way.
    pub(super) fn read(&mut self, src: u64, bytes: usize) -> Vec<u8> {
        self.command(COPY_NODE, Opcode::Readback, FLAG_FENCE, &[src, bytes as u64]);
        self.wait();
        let mut out = vec![0; bytes];
        self.bar().read(READBACK_OFFSET, &mut out);
        out
    }

    /// The hash of memory, made by the device.
    pub(super) fn hash(&mut self, src: u64, bytes: u64) -> u64 {
        self.command(COPY_NODE, Opcode::Hash, FLAG_FENCE, &[src, bytes, 0]);
        self.wait();
        let mut out = [0; 8];
        self.bar().read(READBACK_OFFSET, &mut out);
        u64::from_le_bytes(out)
    }
}

/// A command's header.
pub(super) fn header(opcode: u16, flags: u16, bytes: u32, fence: u64) -> [u8; 16] {
    let mut header = [0; 16];
    header[0..2].copy_from_slice(&opcode.to_le_bytes());
    header[2..4].copy_from_slice(&flags.to_le_bytes());
    header[4..8].copy_from_slice(&bytes.to_le_bytes());
    header[8..16].copy_from_slice(&fence.to_le_bytes());
    header
}
