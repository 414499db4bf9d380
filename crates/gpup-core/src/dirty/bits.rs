//! Bit ranges over words: masks, shifted copies, runs. Bit `i` is bit `i % 64` of word `i / 64`.

use core::ops::Range;

const _: () = assert!(usize::BITS == 64, "page numbers and bit numbers index memory");

/// A bit or page number as an index.
pub(super) const fn index(number: u64) -> usize {
    number as usize
}

/// Words that hold `bits` bits.
pub(super) const fn words_for(bits: u64) -> usize {
    index(bits.div_ceil(64))
}

/// Bytes that hold `bits` bits.
pub(super) const fn bytes_for(bits: u64) -> usize {
    index(bits.div_ceil(8))
}

/// The low `bits` bits, 64 at most.
const fn low(bits: u64) -> u64 {
    if bits >= 64 { u64::MAX } else { (1 << bits) - 1 }
}

/// The words that `count` bits from `first` touch, each with the mask of those bits.
pub(super) fn masks(first: u64, count: u64) -> impl Iterator<Item = (usize, u64)> {
    let end = first + count;
    let words = if count == 0 { 0..0 } else { index(first / 64)..words_for(end) };
    words.map(move |word| {
        let base = word as u64 * 64;
        (word, low(end - base) & !low(first.saturating_sub(base)))
    })
}

/// A bitmap to read, however its words are kept.
pub(super) trait Source {
    /// Word `index`; zero past the end.
    fn word(&self, index: usize) -> u64;

    /// The 64 bits from `bit` on.
    fn at(&self, bit: u64) -> u64 {
        let (word, shift) = (index(bit / 64), bit % 64);
        if shift == 0 {
            return self.word(word);
        }
        (self.word(word) >> shift) | (self.word(word + 1) << (64 - shift))
    }
}

impl Source for [u64] {
    #[inline]
    fn word(&self, index: usize) -> u64 {
        self.get(index).copied().unwrap_or(0)
    }
}

/// Packs `count` bits from `first` into the first bytes of `out`, least significant bit first. Spare bits
/// of the last byte are zero; bytes after it stay.
pub(super) fn extract(source: &(impl Source + ?Sized), first: u64, count: u64, out: &mut [u8]) {
    let out = &mut out[..bytes_for(count)];
    let (whole, last) = out.split_at_mut(index(count / 64) * 8);
    let (whole, _) = whole.as_chunks_mut::<8>();
    let start = index(first / 64);
    if first.is_multiple_of(64) {
        for (word, bytes) in whole.iter_mut().enumerate() {
            *bytes = source.word(start + word).to_le_bytes();
        }
    } else {
        let shift = first % 64;
        let mut this = source.word(start);
        for (word, bytes) in whole.iter_mut().enumerate() {
            let next = source.word(start + word + 1);
            *bytes = ((this >> shift) | (next << (64 - shift))).to_le_bytes();
            this = next;
        }
    }
    if !last.is_empty() {
        let bytes = (source.at(first + count / 64 * 64) & low(count % 64)).to_le_bytes();
        last.copy_from_slice(&bytes[..last.len()]);
    }
}

/// Gives `count` bits from `from` to `sink` as words shifted to begin at bit `to`: word index and bits. Words
/// without a bit set are left out.
pub(super) fn transfer(
    source: &(impl Source + ?Sized),
    from: u64,
    to: u64,
    count: u64,
    mut sink: impl FnMut(usize, u64),
) {
    let mut done = 0;
    while done < count {
        let (bit, shift) = (to + done, (to + done) % 64);
        let step = (64 - shift).min(count - done);
        let bits = source.at(from + done) & low(step);
        if bits != 0 {
            sink(index(bit / 64), bits << shift);
        }
        done += step;
    }
}

/// Clears `count` bits from `first`.
pub(super) fn clear(words: &mut [u64], first: u64, count: u64) {
    if count == 0 {
        return;
    }
    let last_bit = first + count - 1;
    let (head, last) = (index(first / 64), index(last_bit / 64));
    let (from, to) = (!low(first % 64), low(last_bit % 64 + 1));
    if head == last {
        words[head] &= !(from & to);
    } else {
        words[head] &= !from;
        words[head + 1..last].fill(0);
        words[last] &= !to;
    }
}

/// How many bits of a bitmap are set.
///
/// ```
/// assert_eq!(gpup_core::dirty::count(&[0b1110_0001, 0, 1]), 5);
/// ```
pub fn count(bitmap: &[u8]) -> u64 {
    // By words, which the compiler adds up in vectors.
    let (words, rest) = bitmap.as_chunks::<8>();
    let words = words.iter().map(|bytes| u64::from(u64::from_le_bytes(*bytes).count_ones()));
    let rest = rest.iter().map(|byte| u64::from(byte.count_ones()));
    words.sum::<u64>() + rest.sum::<u64>()
}

/// The runs of set bits of a bitmap, in order: half-open ranges of bit numbers.
///
/// ```
/// let runs: Vec<_> = gpup_core::dirty::runs(&[0b1110_0001]).collect();
/// assert_eq!(runs, [0..1, 5..8]);
/// ```
pub fn runs(words: &[u64]) -> impl Iterator<Item = Range<u64>> {
    let bits = words.len() as u64 * 64;
    let mut bit = 0;
    core::iter::from_fn(move || {
        let start = seek(words, bit, true)?;
        bit = seek(words, start, false).unwrap_or(bits);
        Some(start..bit)
    })
}

/// First bit from `from` on that is `set`.
fn seek(words: &[u64], from: u64, set: bool) -> Option<u64> {
    let mut word = index(from / 64);
    let mut skip = low(from % 64);
    while word < words.len() {
        let bits = (if set { words[word] } else { !words[word] }) & !skip;
        if bits != 0 {
            return Some(word as u64 * 64 + u64::from(bits.trailing_zeros()));
        }
        skip = 0;
        word += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn bit(words: &[u64], bit: u64) -> bool {
        words[index(bit / 64)] >> (bit % 64) & 1 == 1
    }

    proptest! {
        #[test]
        fn dirty_bits_extract_packs_exactly_the_bits_asked_for(
            words in prop::collection::vec(any::<u64>(), 4), first in 0u64..130, count in 0u64..120,
        ) {
            let mut out = [0xa5u8; 24];
            extract(&words[..], first, count, &mut out);
            let set = (first..first + count).filter(|i| bit(&words, *i)).count();
            prop_assert_eq!(super::count(&out[..bytes_for(count)]), set as u64);
            for i in 0..count {
                prop_assert_eq!(out[index(i / 8)] >> (i % 8) & 1 == 1, bit(&words, first + i));
            }
            for i in count..bytes_for(count) as u64 * 8 {
                prop_assert_eq!(out[index(i / 8)] >> (i % 8) & 1, 0);
            }
            prop_assert!(out[bytes_for(count)..].iter().all(|byte| *byte == 0xa5));
        }

        #[test]
        fn dirty_bits_clear_spares_both_neighbours(
            words in prop::collection::vec(any::<u64>(), 4), first in 0u64..130, count in 0u64..120,
        ) {
            let mut cleared = words.clone();
            clear(&mut cleared, first, count);
            for i in 0..256 {
                let inside = (first..first + count).contains(&i);
                prop_assert_eq!(bit(&cleared, i), bit(&words, i) && !inside);
            }
        }

        #[test]
        fn dirty_bits_transfer_shifts(
            words in prop::collection::vec(any::<u64>(), 4),
            from in 0u64..130, to in 0u64..130, count in 0u64..120,
        ) {
            let mut copy = [0u64; 4];
            transfer(&words[..], from, to, count, |word, bits| copy[word] |= bits);
            for i in 0..256 {
                let expected = (to..to + count).contains(&i) && bit(&words, from + i - to);
                prop_assert_eq!(bit(&copy, i), expected);
            }
        }

        #[test]
        fn dirty_bits_runs_are_the_set_bits(words in prop::collection::vec(any::<u64>(), 0..4)) {
            let listed: Vec<u64> = runs(&words).flatten().collect();
            let expected: Vec<u64> = (0..words.len() as u64 * 64).filter(|i| bit(&words, *i)).collect();
            prop_assert_eq!(listed, expected);
            prop_assert!(runs(&words).zip(runs(&words).skip(1)).all(|(a, b)| a.end < b.start));
        }
    }

    #[test]
    fn dirty_bits_a_run_may_reach_the_end() {
        assert_eq!(runs(&[u64::MAX, u64::MAX]).next(), Some(0..128));
        assert_eq!(runs(&[]).count(), 0);
    }
}
