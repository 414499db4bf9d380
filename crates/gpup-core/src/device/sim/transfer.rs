//! Executing the host's paging buffers, a chunk at a time, so that a VF never waits longer than for one chunk.

use super::cost::Rates;
use super::regions::Owners;
use super::system;
use super::translate::{PageFault, Tlb, owner, page_rest};
use crate::device::paging::{ENTRIES_OFFSET, FIXED_BYTES, Op};
use crate::device::{Author, Fault, Geometry, HostSubmission, TableAddress};
use crate::dirty::{SECTION_BYTES, Writer};
use crate::{PAGE_SIZE, VfIndex};

/// Entries of a page table written in one chunk.
const ENTRIES: u64 = PAGE_SIZE / 8;
/// How many of them lie on the stack at a time.
const ENTRIES_AT_ONCE: usize = 64;

/// What an engine lends to the host's packet.
pub(super) struct Bench<'a> {
    pub(super) geometry: &'a Geometry,
    pub(super) rates: &'a Rates,
    pub(super) owners: &'a Owners,
    pub(super) writer: &'a mut Writer,
    pub(super) tlb: &'a mut Tlb,
}

/// A host submission that an engine has taken from its queue.
pub(super) struct HostPacket {
    submission: HostSubmission,
    /// Where in the buffer the operation begins.
    cursor: u64,
    /// The operation and its bytes in the buffer, once it was read.
    op: Option<(Op, u64)>,
    /// How far the operation has come, in bytes or entries.
    done: u64,
    begun: bool,
    /// It hung, and does not end by itself.
    stuck: bool,
}

/// What a chunk led to.
pub(super) enum Step {
    /// There is more to do.
    More,
    /// That was the last of the packet.
    Done,
    /// The packet is dropped.
    Fault(Fault),
}

/// What a chunk did, besides taking time.
#[derive(Default)]
pub(super) struct Chunk {
    /// Ticks, without the turn of the engine.
    pub(super) ticks: u64,
    /// Page tables may have changed: translations are stale on every engine.
    pub(super) flush: bool,
}

impl HostPacket {
    /// A packet that has not begun.
    pub(super) fn new(submission: HostSubmission) -> Self {
        Self { submission, cursor: 0, op: None, done: 0, begun: false, stuck: false }
    }

    /// Its fence.
    pub(super) fn fence(&self) -> u32 {
        self.submission.fence
    }

    /// Whether some of it is done.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether it is this submission, which comes once more.
    pub(super) fn is(&self, submission: &HostSubmission) -> bool {
        self.submission == *submission
    }

    /// It hangs.
    pub(super) fn stick(&mut self) {
        self.stuck = true;
    }

    /// Whether it hung.
    pub(super) fn is_stuck(&self) -> bool {
        self.stuck
    }

    /// The tables it is translated by.
    pub(super) fn root(&self) -> TableAddress {
        self.submission.root
    }

    /// The VF whose memory the next chunk touches. A chunk that will fault is nobody's.
    pub(super) fn owner(&mut self, bench: &mut Bench<'_>) -> Option<VfIndex> {
        let op = self.fetch(bench).ok()??.0;
        let (to, from) = match op {
            Op::Copy { src, dst, .. } => (dst + self.done, Some(src + self.done)),
            Op::Fill { dst, .. } => (dst + self.done, None),
            Op::WriteEntries { table, start, .. } => (table + (u64::from(start) + self.done) * 8, None),
            Op::Store { dst, .. } => (dst, None),
            Op::Nop | Op::FlushTlb { .. } | Op::Loop { .. } => return None,
        };
        let to = bench.translate(to, true).ok()?;
        let from = from.and_then(|from| bench.translate(from, false).ok());
        owner(bench.owners, to, from)
    }

    /// Executes the next chunk.
    pub(super) fn step(&mut self, bench: &mut Bench<'_>, chunk: &mut Chunk) -> Step {
        if !self.begun {
            chunk.ticks += bench.rates.packet;
            self.begun = true;
        }
        match self.advance(bench, chunk) {
            Err(fault) => Step::Fault(fault),
            Ok(()) if self.cursor >= u64::from(self.submission.dma_bytes) => Step::Done,
            Ok(()) => Step::More,
        }
    }

    fn advance(&mut self, bench: &mut Bench<'_>, chunk: &mut Chunk) -> Result<(), Fault> {
        let Some((op, size)) = self.fetch(bench)? else {
            return Ok(());
        };
        if !op.is_work() && self.submission.author == Author::User {
            // Who writes many of them pays for the time they take to read.
            chunk.ticks += bench.rates.packet;
        }
        let all = match op {
            Op::Nop => 0,
            Op::Copy { src, dst, bytes } => {
                let limit = bench.rates.chunk(bench.rates.copy).min(bytes - self.done);
                let moved = bench.copy(src + self.done, dst + self.done, limit)?;
                chunk.ticks += bench.rates.moved(moved);
                self.done += moved;
                bytes
            }
            Op::Fill { dst, bytes, pattern } => {
                let limit = bench.rates.chunk(bench.rates.stream).min(bytes - self.done);
                // The pattern goes on where the last chunk left it.
                let pattern = pattern.rotate_right((self.done % 4) as u32 * 8);
                let filled = bench.fill(dst + self.done, limit, pattern)?;
                chunk.ticks += bench.rates.filled(filled);
                self.done += filled;
                bytes
            }
            Op::WriteEntries { table, start, count } => {
                let now = ENTRIES.min(u64::from(count) - self.done);
                let from = self.submission.dma_address + self.cursor + ENTRIES_OFFSET + self.done * 8;
                bench.copy_entries(from, table + (u64::from(start) + self.done) * 8, now)?;
                chunk.ticks += bench.rates.entries(now);
                chunk.flush = true;
                self.done += now;
                u64::from(count)
            }
            Op::FlushTlb { .. } => {
                chunk.flush = true;
                0
            }
            Op::Store { dst, value } => {
                bench.write(dst, &value.to_le_bytes())?;
                0
            }
            // The engine stays here: see `looping`.
            Op::Loop { .. } => return Ok(()),
        };
        if self.done >= all {
            self.cursor += size;
            self.done = 0;
            self.op = None;
        }
        Ok(())
    }

    /// Whether the operation at the cursor never ends, and then whether a preemption ends it.
    pub(super) fn looping(&mut self, bench: &mut Bench<'_>) -> Option<bool> {
        match self.fetch(bench).ok()??.0 {
            Op::Loop { preemptible } => Some(preemptible),
            _ => None,
        }
    }

    /// The operation at the cursor, copied out of the buffer once; none at the end of the buffer.
    fn fetch(&mut self, bench: &mut Bench<'_>) -> Result<Option<(Op, u64)>, Fault> {
        let remaining = u64::from(self.submission.dma_bytes) - self.cursor;
        if self.op.is_none() && remaining > 0 {
            let at = self.submission.dma_address.saturating_add(self.cursor);
            let mut fixed = [0; FIXED_BYTES];
            let look = remaining.min(FIXED_BYTES as u64) as usize;
            bench.read(at, &mut fixed[..look])?;
            let decoded = Op::decode(&fixed, remaining).ok();
            let allowed = decoded.filter(|(op, _)| op.is_allowed(self.submission.author));
            self.op = Some(allowed.ok_or(Fault::Operation(at))?);
        }
        Ok(self.op)
    }
}

impl Bench<'_> {
    fn translate(&mut self, address: u64, write: bool) -> Result<TableAddress, PageFault> {
        self.tlb.translate(self.geometry, self.writer.vram(), address, write)
    }

    /// Copies as much of `limit` bytes as belongs to one owner, and answers how much.
    fn copy(&mut self, src: u64, dst: u64, limit: u64) -> Result<u64, PageFault> {
        let mut whose = None;
        let mut moved = 0;
        // The run of contiguous memory that was found and not yet copied.
        let mut run: Option<(TableAddress, TableAddress, u64)> = None;
        while moved < limit {
            let (src, dst) = (src + moved, dst + moved);
            let from = self.translate(src, false)?;
            let to = self.translate(dst, true)?;
            let owner = owner(self.owners, to, Some(from));
            if *whose.get_or_insert(owner) != owner {
                break;
            }
            let bytes = page_rest(src).min(page_rest(dst)).min(limit - moved);
            run = match run {
                Some((first, target, so_far))
                    if is_local(from)
                        && is_local(to)
                        && first.plus(so_far) == from
                        && target.plus(so_far) == to
                        && so_far + bytes <= SECTION_BYTES =>
                {
                    Some((first, target, so_far + bytes))
                }
                Some((first, target, so_far)) => {
                    self.move_bytes(first, target, so_far).ok_or(PageFault { address: dst, write: true })?;
                    Some((from, to, bytes))
                }
                None => Some((from, to, bytes)),
            };
            moved += bytes;
        }
        if let Some((first, target, so_far)) = run {
            self.move_bytes(first, target, so_far)
                .ok_or(PageFault { address: dst + moved - so_far, write: true })?;
        }
        Ok(moved)
    }

    /// Copies contiguous memory: within a page, unless both ends are local.
    fn move_bytes(&mut self, from: TableAddress, to: TableAddress, bytes: u64) -> Option<()> {
        use TableAddress::{Local, System};
        match (from, to) {
            (Local(from), Local(to)) => self.writer.copy(from, to, bytes).ok(),
            (Local(from), System(to)) => system::from_vram(self.writer.vram(), from, to, bytes as usize),
            (System(from), Local(to)) => system::to_vram(self.writer, from, to, bytes as usize),
            (System(from), System(to)) => system::copy(from, to, bytes as usize),
        }
    }

    /// Fills as much of `limit` bytes as belongs to one owner, and answers how much. The first byte of `pattern` goes
    /// to `dst`, wherever that is.
    fn fill(&mut self, dst: u64, limit: u64, pattern: u32) -> Result<u64, PageFault> {
        let mut whose = None;
        let mut filled = 0;
        while filled < limit {
            let at = dst + filled;
            let to = self.translate(at, true)?;
            let owner = owner(self.owners, to, None);
            if *whose.get_or_insert(owner) != owner {
                break;
            }
            let bytes = fill_piece(at, page_rest(at).min(limit - filled));
            let pattern = pattern.rotate_right((filled % 4) as u32 * 8);
            self.fill_piece(to, bytes, u64::from(pattern) | u64::from(pattern) << 32)
                .ok_or(PageFault { address: at, write: true })?;
            filled += bytes;
        }
        Ok(filled)
    }

    /// Fills whole words, or a few bytes at an edge.
    fn fill_piece(&mut self, to: TableAddress, bytes: u64, pattern: u64) -> Option<()> {
        let edge = bytes < 8;
        match to {
            TableAddress::Local(offset) if edge => {
                self.writer.write(offset, &pattern.to_le_bytes()[..bytes as usize]).ok()
            }
            TableAddress::Local(offset) => self.writer.fill(offset, bytes, pattern).ok(),
            TableAddress::System(physical) if edge => {
                system::write(physical, &pattern.to_le_bytes()[..bytes as usize])
            }
            TableAddress::System(physical) => system::fill(physical, bytes as usize, pattern),
        }
    }

    /// Reads virtual memory.
    fn read(&mut self, address: u64, out: &mut [u8]) -> Result<(), PageFault> {
        let mut rest = out;
        let mut at = address;
        while !rest.is_empty() {
            let bytes = page_rest(at).min(rest.len() as u64) as usize;
            let (piece, after) = rest.split_at_mut(bytes);
            let read = match self.translate(at, false)? {
                TableAddress::Local(offset) => self.writer.vram().read(offset, piece).ok(),
                TableAddress::System(physical) => system::read(physical, piece),
            };
            read.ok_or(PageFault { address: at, write: false })?;
            at = at.wrapping_add(bytes as u64);
            rest = after;
        }
        Ok(())
    }

    /// Copies page table entries, some at a time: an engine's thread has a kernel's small stack.
    fn copy_entries(&mut self, from: u64, to: u64, count: u64) -> Result<(), PageFault> {
        let mut room = [0; ENTRIES_AT_ONCE * 8];
        let mut done = 0;
        while done < count {
            let now = (count - done).min(ENTRIES_AT_ONCE as u64);
            let entries = &mut room[..now as usize * 8];
            self.read(from + done * 8, entries)?;
            self.write(to + done * 8, entries)?;
            done += now;
        }
        Ok(())
    }

    /// Writes virtual memory, in whole words; another engine that walks these tables sees each old or new.
    fn write(&mut self, address: u64, data: &[u8]) -> Result<(), PageFault> {
        let mut rest = data;
        let mut at = address;
        while !rest.is_empty() {
            let bytes = page_rest(at).min(rest.len() as u64) as usize;
            let (piece, after) = rest.split_at(bytes);
            let written = match self.translate(at, true)? {
                TableAddress::Local(offset) => self.writer.write(offset, piece).ok(),
                TableAddress::System(physical) => store_words(physical, piece),
            };
            written.ok_or(PageFault { address: at, write: true })?;
            at = at.wrapping_add(bytes as u64);
            rest = after;
        }
        Ok(())
    }
}

fn store_words(physical: u64, data: &[u8]) -> Option<()> {
    data.chunks_exact(8).zip(0u64..).try_for_each(|(bytes, word)| {
        let mut value = [0; 8];
        value.copy_from_slice(bytes);
        system::store(physical + word * 8, u64::from_le_bytes(value))
    })
}

/// How much of `bytes` bytes at `address` is filled at once: up to the first whole word, whole words, or what is left.
const fn fill_piece(address: u64, bytes: u64) -> u64 {
    let head = (8 - address % 8) % 8;
    if head > 0 {
        if head < bytes { head } else { bytes }
    } else if bytes < 8 {
        bytes
    } else {
        bytes & !7
    }
}

const fn is_local(at: TableAddress) -> bool {
    matches!(at, TableAddress::Local(_))
}
