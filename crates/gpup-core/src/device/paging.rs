//! The format of a paging DMA buffer: what the driver's BuildPagingBuffer encodes and a node executes.
//!
//! ```text
//! every operation   opcode: u32, bytes: u32 (all of the operation, a multiple of 8), payload
//!   NOP             anything
//!   COPY            src_va, dst_va, bytes
//!   FILL            dst_va, bytes, pattern: u32, zero: u32
//!   WRITE_ENTRIES   table_va, start: u32, count: u32, entries
//!   FLUSH_TLB       memory (0 local, 1 system), address of the root
//!   STORE           dst_va, value: what a monitored fence is signalled with
//! ```
//! Fields are u64 and little-endian where nothing is said. Addresses are GPU virtual addresses under the root of
//! the submission; addresses and lengths are multiples of 8. An engine reads the buffer through the same page
//! tables, an operation at a time, and trusts nothing in it.

use super::TableAddress;
use super::page_table::Entry;

/// Bytes of an operation's header.
const HEADER_BYTES: usize = 8;
/// Bytes of an operation without its entries: as many as [`Op::decode`] ever looks at.
pub const FIXED_BYTES: usize = 32;
/// Bytes of WRITE_ENTRIES before the first entry.
pub const ENTRIES_OFFSET: u64 = 24;
/// The smallest buffer in which every operation fits, WRITE_ENTRIES with one entry at least.
pub const SMALLEST_BUFFER: usize = FIXED_BYTES;

const NOP: u32 = 0;
const COPY: u32 = 1;
const FILL: u32 = 2;
const WRITE_ENTRIES: u32 = 3;
const FLUSH_TLB: u32 = 4;
const STORE: u32 = 5;

/// An operation of a paging buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Nothing.
    Nop,
    /// Copies memory; ranges must not overlap.
    Copy {
        /// First byte to read.
        src: u64,
        /// First byte to write.
        dst: u64,
        /// Bytes.
        bytes: u64,
    },
    /// Repeats a pattern over memory.
    Fill {
        /// First byte to write.
        dst: u64,
        /// Bytes.
        bytes: u64,
        /// The pattern.
        pattern: u32,
    },
    /// Writes page-table entries, which follow in the buffer from [`ENTRIES_OFFSET`] on.
    WriteEntries {
        /// Address of the table, as data.
        table: u64,
        /// Index of the first entry to write.
        start: u32,
        /// Entries.
        count: u32,
    },
    /// Forgets cached translations under a root.
    FlushTlb {
        /// The root.
        root: TableAddress,
    },
    /// Writes 8 bytes.
    Store {
        /// Where.
        dst: u64,
        /// What.
        value: u64,
    },
}

/// An operation cannot be what the driver encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// The buffer has no room for the operation; nothing of it was encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Op {
    /// Decodes the operation that begins with `fixed`, of which `remaining` bytes of the buffer are left. Bytes of
    /// `fixed` past `remaining` are zero. Answers the operation and the bytes it occupies.
    pub fn decode(fixed: &[u8; FIXED_BYTES], remaining: u64) -> Result<(Self, u64), Malformed> {
        let half = |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
        let word = |at: usize| u64::from(half(at)) | u64::from(half(at + 4)) << 32;
        let bytes = u64::from(half(4));
        if bytes < HEADER_BYTES as u64 || !bytes.is_multiple_of(8) || bytes > remaining {
            return Err(Malformed);
        }
        let (op, expected) = match half(0) {
            NOP => return Ok((Self::Nop, bytes)),
            COPY => (
                Self::Copy {
                    src: word(8),
                    dst: word(16),
                    bytes: word(24),
                },
                32,
            ),
            FILL if half(28) == 0 => (
                Self::Fill {
                    dst: word(8),
                    bytes: word(16),
                    pattern: half(24),
                },
                32,
            ),
            WRITE_ENTRIES => {
                let count = half(20);
                let op = Self::WriteEntries {
                    table: word(8),
                    start: half(16),
                    count,
                };
                (op, ENTRIES_OFFSET + u64::from(count) * 8)
            }
            FLUSH_TLB => {
                let root = match word(8) {
                    0 => TableAddress::Local(word(16)),
                    1 => TableAddress::System(word(16)),
                    _ => return Err(Malformed),
                };
                (Self::FlushTlb { root }, 24)
            }
            STORE => (
                Self::Store {
                    dst: word(8),
                    value: word(16),
                },
                24,
            ),
            _ => return Err(Malformed),
        };
        if bytes != expected || !op.is_sound() {
            return Err(Malformed);
        }
        Ok((op, bytes))
    }

    /// Alignment, and no range that runs past the last address.
    fn is_sound(&self) -> bool {
        let range = |at: u64, bytes: u64| (at | bytes).is_multiple_of(8) && at.checked_add(bytes).is_some();
        match *self {
            Self::Nop | Self::FlushTlb { .. } => true,
            Self::Copy { src, dst, bytes } => range(src, bytes) && range(dst, bytes),
            Self::Fill { dst, bytes, .. } => range(dst, bytes),
            Self::WriteEntries { table, start, count } => {
                range(table, (u64::from(start) + u64::from(count)) * 8)
            }
            Self::Store { dst, .. } => range(dst, 8),
        }
    }
}

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
        let fit = count
            .min(u32::try_from(room).unwrap_or(u32::MAX))
            .min((u32::MAX >> 3) - 3);
        if fit == 0 {
            return if count == 0 { Ok(0) } else { Err(Full) };
        }
        let bytes = ENTRIES_OFFSET as usize + fit as usize * 8;
        let out = self.begin(WRITE_ENTRIES, bytes)?;
        let place = u64::from(start) | u64::from(fit) << 32;
        let words = [table, place]
            .into_iter()
            .chain((0..fit).map(|number| entry(number).0));
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

/// The operations of a whole buffer, entries left out; the last is an error when the buffer is malformed.
pub fn decode(buffer: &[u8]) -> impl Iterator<Item = Result<Op, Malformed>> + '_ {
    let mut rest = buffer;
    core::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut fixed = [0; FIXED_BYTES];
        let look = rest.len().min(FIXED_BYTES);
        fixed[..look].copy_from_slice(&rest[..look]);
        match Op::decode(&fixed, rest.len() as u64) {
            Ok((op, bytes)) => {
                rest = &rest[bytes as usize..];
                Some(Ok(op))
            }
            Err(malformed) => {
                rest = &[];
                Some(Err(malformed))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let mut buffer = [0; 4096];
        let mut encoder = Encoder::new(&mut buffer);
        let root = TableAddress::System(0x5000);
        encoder.copy(0x1000, 0x2000, 0x800).unwrap();
        encoder.fill(0x3000, 64, 0xdead_beef).unwrap();
        assert_eq!(
            encoder.write_entries(0x4000, 7, 3, |n| Entry(u64::from(n) << 12 | 1)),
            Ok(3)
        );
        encoder.flush_tlb(root).unwrap();
        encoder.store(0x8, 9).unwrap();
        encoder.nop().unwrap();
        let used = encoder.used();
        let ops: Vec<Op> = decode(&buffer[..used]).map(Result::unwrap).collect();
        assert_eq!(
            ops,
            [
                Op::Copy {
                    src: 0x1000,
                    dst: 0x2000,
                    bytes: 0x800
                },
                Op::Fill {
                    dst: 0x3000,
                    bytes: 64,
                    pattern: 0xdead_beef
                },
                Op::WriteEntries {
                    table: 0x4000,
                    start: 7,
                    count: 3
                },
                Op::FlushTlb { root },
                Op::Store { dst: 8, value: 9 },
                Op::Nop,
            ]
        );
        let entries = 64 + ENTRIES_OFFSET as usize;
        assert_eq!(buffer[entries + 8..][..8], (1u64 << 12 | 1).to_le_bytes());
    }

    #[test]
    fn what_does_not_fit_is_left_for_the_next_buffer() {
        for (size, fits) in [(0, 0), (31, 0), (32, 1), (39, 1), (40, 2), (1000, 5)] {
            let mut buffer = vec![0; size];
            let mut encoder = Encoder::new(&mut buffer);
            let expected = if fits == 0 { Err(Full) } else { Ok(fits) };
            assert_eq!(encoder.write_entries(0, 0, 5, |_| Entry::INVALID), expected);
        }
        let mut buffer = [0; SMALLEST_BUFFER];
        let mut encoder = Encoder::new(&mut buffer);
        encoder.copy(0, 8, 8).unwrap();
        assert_eq!(encoder.nop(), Err(Full));
        assert_eq!(encoder.used(), 32);
    }

    #[test]
    fn unsound_operations_are_malformed() {
        for (src, dst, bytes) in [
            (1, 0, 8),
            (0, 4, 8),
            (0, 8, 12),
            (u64::MAX - 7, 0, 16),
            (0, u64::MAX - 7, 8),
        ] {
            let mut buffer = [0; 32];
            Encoder::new(&mut buffer).copy(src, dst, bytes).unwrap();
            assert_eq!(
                decode(&buffer).next(),
                Some(Err(Malformed)),
                "{src:#x} {dst:#x} {bytes}"
            );
        }
    }

    proptest! {
        #[test]
        fn hostile_buffers_end(buffer in proptest::collection::vec(any::<u8>(), 0..512)) {
            prop_assert!(decode(&buffer).count() <= buffer.len() / 8 + 1);
        }

        #[test]
        fn buffers_of_small_numbers_end(words in proptest::collection::vec(0u32..64, 0..256)) {
            let buffer: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            for op in decode(&buffer).flatten() {
                if let Op::WriteEntries { count, .. } = op {
                    prop_assert!(count as usize * 8 <= buffer.len());
                }
            }
        }
    }
}
