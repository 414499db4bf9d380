//! What WRITE_PAGES writes, and where: numbers that follow from the command alone, so that whoever knows the
//! commands knows the memory.

use super::abi::Pattern;

/// Bytes of a stamp.
pub const STAMP_BYTES: usize = 64;

/// Streams drawn from a command's seed.
const PAGE_STREAM: u64 = 0x7061_6765;
const CHOICE_STREAM: u64 = 0x6368_6f69;

/// The `index`-th number of the stream `seed` (SplitMix64).
const fn number(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The page, below `pages`, that write `index` hits. `pages` is not zero.
pub const fn page(pattern: Pattern, seed: u64, index: u64, pages: u64) -> u64 {
    let drawn = number(seed ^ PAGE_STREAM, index);
    match pattern {
        Pattern::Sequential => index % pages,
        Pattern::Random => drawn % pages,
        Pattern::Hot => {
            let hot = if pages < 10 { 1 } else { pages / 10 };
            if number(seed ^ CHOICE_STREAM, index) % 10 < 9 { drawn % hot } else { drawn % pages }
        }
    }
}

/// The bytes of write `index`.
pub fn bytes(seed: u64, index: u64) -> [u8; STAMP_BYTES] {
    let mut stamp = [0; STAMP_BYTES];
    let stream = number(seed, index);
    for (lane, word) in (0..).zip(stamp.chunks_exact_mut(8)) {
        word.copy_from_slice(&number(stream, lane).to_le_bytes());
    }
    stamp
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stay_inside_and_hot_is_hot() {
        for pages in [1, 2, 9, 10, 11, 1000] {
            for pattern in [Pattern::Sequential, Pattern::Random, Pattern::Hot] {
                assert!((0..500).all(|index| page(pattern, 7, index, pages) < pages));
            }
        }
        let hot = (0..10_000).filter(|index| page(Pattern::Hot, 7, *index, 1000) < 100).count();
        assert!((8_800..9_400).contains(&hot), "{hot}");
        assert_eq!(page(Pattern::Sequential, 7, 1003, 1000), 3);
    }

    #[test]
    fn stamps_differ_by_seed_and_index() {
        assert_eq!(bytes(1, 2), bytes(1, 2));
        assert_ne!(bytes(1, 2), bytes(1, 3));
        assert_ne!(bytes(1, 2), bytes(2, 2));
    }
}
