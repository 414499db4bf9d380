//! Operations, and their decoding from a buffer that nobody vouches for.

use super::{
    COPY, ENTRIES_OFFSET, FILL, FIXED_BYTES, FLUSH_TLB, HEADER_BYTES, LOOP, NOP, STORE, WRITE_ENTRIES,
};
use crate::device::{Author, TableAddress};

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
    /// Never ends.
    Loop {
        /// A preemption of the node ends it; else only a reset does.
        preemptible: bool,
    },
}

/// An operation cannot be what the driver encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

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
            COPY => (Self::Copy { src: word(8), dst: word(16), bytes: word(24) }, 32),
            FILL if half(28) == 0 => (Self::Fill { dst: word(8), bytes: word(16), pattern: half(24) }, 32),
            WRITE_ENTRIES => {
                let count = half(20);
                let op = Self::WriteEntries { table: word(8), start: half(16), count };
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
            STORE => (Self::Store { dst: word(8), value: word(16) }, 24),
            LOOP if word(8) <= 1 => (Self::Loop { preemptible: word(8) == 1 }, 16),
            _ => return Err(Malformed),
        };
        if bytes != expected || !op.is_sound() {
            return Err(Malformed);
        }
        Ok((op, bytes))
    }

    /// Whether a buffer of this author may hold it. Operations that write by virtual address under the submitter's own
    /// tables are anybody's; those on page tables and fences are the kernel's.
    pub const fn is_allowed(&self, author: Author) -> bool {
        match self {
            Self::Nop | Self::Copy { .. } | Self::Fill { .. } | Self::Loop { .. } => true,
            Self::WriteEntries { .. } | Self::FlushTlb { .. } | Self::Store { .. } => {
                matches!(author, Author::Kernel)
            }
        }
    }

    /// Whether it moves or sets memory, and so takes time by its bytes.
    pub const fn is_work(&self) -> bool {
        match self {
            Self::Copy { bytes, .. } | Self::Fill { bytes, .. } => *bytes > 0,
            _ => false,
        }
    }

    /// No range that runs past the last address, and whole words where words are written.
    fn is_sound(&self) -> bool {
        let range = |at: u64, bytes: u64| at.checked_add(bytes).is_some();
        let words = |at: u64, bytes: u64| at.is_multiple_of(8) && range(at, bytes);
        match *self {
            Self::Nop | Self::FlushTlb { .. } | Self::Loop { .. } => true,
            Self::Copy { src, dst, bytes } => range(src, bytes) && range(dst, bytes),
            Self::Fill { dst, bytes, .. } => range(dst, bytes),
            Self::WriteEntries { table, start, count } => {
                words(table, (u64::from(start) + u64::from(count)) * 8)
            }
            Self::Store { dst, .. } => words(dst, 8),
        }
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
