//! Encoding, as much as fits: the rest is for the next buffer.

use super::{COPY, ENTRIES_OFFSET, FILL, FLUSH_TLB, HEADER_BYTES, LOOP, NOP, STORE, WRITE_ENTRIES};
use crate::device::TableAddress;
use crate::device::page_table::Entry;

/// The buffer has no room for the operation; nothing of it was encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Encodes operations into a paging buffer, as many as fit.
pub struct Encoder<'a> {
    buffer: &'a mut [u8],
    used: usize,
}

impl<'a> Encoder<'a> {
    /// Encodes from the start of `buffer` on.
    pub fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, used: 0 }
    }

    /// Bytes encoded so far: what pDmaBuffer moves on by.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Encodes a copy of `bytes` bytes from `src` to `dst`.
    pub fn copy(&mut self, src: u64, dst: u64, bytes: u64) -> Result<(), Full> {
        self.op(COPY, &[src, dst, bytes])
    }

    /// Encodes `pattern` repeated over `bytes` bytes at `dst`.
    pub fn fill(&mut self, dst: u64, bytes: u64, pattern: u32) -> Result<(), Full> {
        self.op(FILL, &[dst, bytes, u64::from(pattern)])
    }

    /// Encodes as many of `count` entries, from index `start` of the table at `table` on, as fit, and answers how
    /// many: `entry` is asked for each by its number from 0. The rest is for the next buffer, with `start` moved on.
    pub fn write_entries(
        &mut self,
        table: u64,
        start: u32,
        count: u32,
        mut entry: impl FnMut(u32) -> Entry,
    ) -> Result<u32, Full> {
        let room = (self.buffer.len() - self.used).saturating_sub(ENTRIES_OFFSET as usize) / 8;
        let fit = count.min(u32::try_from(room).unwrap_or(u32::MAX)).min((u32::MAX >> 3) - 3);
        if fit == 0 {
            return if count == 0 { Ok(0) } else { Err(Full) };
        }
        let bytes = ENTRIES_OFFSET as usize + fit as usize * 8;
        let out = self.begin(WRITE_ENTRIES, bytes)?;
        let place = u64::from(start) | u64::from(fit) << 32;
        let words = [table, place].into_iter().chain((0..fit).map(|number| entry(number).0));
        for (out, word) in out.chunks_exact_mut(8).zip(words) {
            out.copy_from_slice(&word.to_le_bytes());
        }
        Ok(fit)
    }

    /// Encodes the forgetting of translations under `root`.
    pub fn flush_tlb(&mut self, root: TableAddress) -> Result<(), Full> {
        match root {
            TableAddress::Local(offset) => self.op(FLUSH_TLB, &[0, offset]),
            TableAddress::System(address) => self.op(FLUSH_TLB, &[1, address]),
        }
    }

    /// Encodes the writing of 8 bytes at `dst`.
    pub fn store(&mut self, dst: u64, value: u64) -> Result<(), Full> {
        self.op(STORE, &[dst, value])
    }

    /// Encodes an operation that never ends, or ends only when the node is preempted.
    pub fn endless(&mut self, preemptible: bool) -> Result<(), Full> {
        self.op(LOOP, &[u64::from(preemptible)])
    }

    /// Encodes an operation that does nothing.
    pub fn nop(&mut self) -> Result<(), Full> {
        self.op(NOP, &[])
    }

    fn op(&mut self, opcode: u32, payload: &[u64]) -> Result<(), Full> {
        let out = self.begin(opcode, HEADER_BYTES + payload.len() * 8)?;
        for (out, word) in out.chunks_exact_mut(8).zip(payload) {
            out.copy_from_slice(&word.to_le_bytes());
        }
        Ok(())
    }

    /// Writes a header and answers the payload's place.
    fn begin(&mut self, opcode: u32, bytes: usize) -> Result<&mut [u8], Full> {
        let length = u32::try_from(bytes).map_err(|_| Full)?;
        let out = self.buffer[self.used..].get_mut(..bytes).ok_or(Full)?;
        self.used += bytes;
        let (header, payload) = out.split_at_mut(HEADER_BYTES);
        header[..4].copy_from_slice(&opcode.to_le_bytes());
        header[4..].copy_from_slice(&length.to_le_bytes());
        Ok(payload)
    }
}
