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
//!   LOOP            never ends (0 not even for a preemption, 1 until one)
//! ```
//! Fields are u64 and little-endian where nothing is said. Addresses are GPU virtual addresses under the root of
//! the submission. Those of tables, entries and stores are multiples of 8; COPY and FILL take any address and length.
//! An engine reads the buffer through the same page tables, an operation at a time, and trusts nothing in it.
//! NOP, COPY, FILL and LOOP are all that a [buffer from user mode](crate::device::Author::User) may hold.

mod encoder;
mod op;

pub use encoder::{Encoder, Full};
pub use op::{Malformed, Op, decode};

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
const LOOP: u32 = 6;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::device::TableAddress;
    use crate::device::page_table::Entry;

    #[test]
    fn what_is_encoded_is_decoded() {
        let mut buffer = [0; 4096];
        let mut encoder = Encoder::new(&mut buffer);
        let root = TableAddress::System(0x5000);
        encoder.copy(0x1000, 0x2000, 0x800).unwrap();
        encoder.fill(0x3000, 64, 0xdead_beef).unwrap();
        assert_eq!(encoder.write_entries(0x4000, 7, 3, |n| Entry(u64::from(n) << 12 | 1)), Ok(3));
        encoder.flush_tlb(root).unwrap();
        encoder.store(0x8, 9).unwrap();
        encoder.endless(true).unwrap();
        encoder.nop().unwrap();
        let used = encoder.used();
        let ops: Vec<Op> = decode(&buffer[..used]).map(Result::unwrap).collect();
        assert_eq!(
            ops,
            [
                Op::Copy { src: 0x1000, dst: 0x2000, bytes: 0x800 },
                Op::Fill { dst: 0x3000, bytes: 64, pattern: 0xdead_beef },
                Op::WriteEntries { table: 0x4000, start: 7, count: 3 },
                Op::FlushTlb { root },
                Op::Store { dst: 8, value: 9 },
                Op::Loop { preemptible: true },
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
        for (src, dst, bytes) in [(u64::MAX - 7, 0, 16), (0, u64::MAX - 6, 7), (0, u64::MAX, 1)] {
            let mut buffer = [0; 32];
            Encoder::new(&mut buffer).copy(src, dst, bytes).unwrap();
            assert_eq!(decode(&buffer).next(), Some(Err(Malformed)), "{src:#x} {dst:#x} {bytes}");
        }
        for encode in [
            |encoder: &mut Encoder<'_>| encoder.store(4, 0).unwrap(),
            |encoder: &mut Encoder<'_>| {
                assert_eq!(encoder.write_entries(12, 0, 1, |_| Entry::INVALID), Ok(1));
            },
        ] {
            let mut buffer = [0; 32];
            let mut encoder = Encoder::new(&mut buffer);
            encode(&mut encoder);
            let used = encoder.used();
            assert_eq!(decode(&buffer[..used]).next(), Some(Err(Malformed)));
        }
        let mut buffer = [0; 16];
        Encoder::new(&mut buffer).endless(true).unwrap();
        buffer[8] = 2;
        assert_eq!(decode(&buffer).next(), Some(Err(Malformed)));
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
