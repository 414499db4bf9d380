//! Copies between racing memory, seen as relaxed atomic words, and memory nobody else touches.
//!
//! Words keep a race sound and cost nothing: eight relaxed loads and one 64-byte store an iteration
//! run at the speed of the memory. A partial word at an edge is merged by compare-exchange, so a
//! neighbour's bytes in the same word are never lost.
//!
//! UNSAFETY: reads and writes through raw pointers that the caller vouches for.
#![expect(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bytes in a word.
const WORD: usize = 8;
/// Words copied in one iteration of a bulk loop.
const BLOCK: usize = 8;

/// The whole words of a byte range, and the partial ones at its edges.
struct Split {
    /// Byte in the first word at which the range begins; zero when there is no partial first word.
    head_at: usize,
    /// Bytes in the partial first word.
    head: usize,
    /// Index of the first whole word.
    first: usize,
    /// Whole words.
    whole: usize,
    /// Bytes in the partial last word.
    tail: usize,
}

impl Split {
    fn new(offset: usize, bytes: usize) -> Self {
        let head_at = offset % WORD;
        let head = if head_at == 0 { 0 } else { (WORD - head_at).min(bytes) };
        let rest = bytes - head;
        Self { head_at, head, first: (offset + head) / WORD, whole: rest / WORD, tail: rest % WORD }
    }
}

/// Copies `bytes` bytes at byte `offset` of `words` to `dst`.
///
/// # Safety
/// `dst` is valid for writes of `bytes` bytes and nothing else touches them meanwhile.
///
/// # Panics
/// When the range does not lie in `words`.
pub(super) unsafe fn copy_out(words: &[AtomicU64], offset: usize, dst: *mut u8, bytes: usize) {
    let split = Split::new(offset, bytes);
    if split.head > 0 {
        let word = words[offset / WORD].load(Relaxed).to_ne_bytes();
        let part = &word[split.head_at..split.head_at + split.head];
        // SAFETY: the caller gives `bytes` writable bytes and the head is no longer than that.
        unsafe { dst.copy_from_nonoverlapping(part.as_ptr(), part.len()) };
    }
    // SAFETY: the head is no longer than `bytes`.
    let mut at = unsafe { dst.add(split.head) };
    let (blocks, rest) = words[split.first..split.first + split.whole].as_chunks::<BLOCK>();
    for block in blocks {
        let values = block.each_ref().map(|word| word.load(Relaxed));
        // SAFETY: the range holds this block, which is at `at`.
        unsafe { at.cast::<[u64; BLOCK]>().write_unaligned(values) };
        // SAFETY: the range holds this block.
        at = unsafe { at.add(BLOCK * WORD) };
    }
    for word in rest {
        // SAFETY: the range holds this word, which is at `at`.
        unsafe { at.cast::<u64>().write_unaligned(word.load(Relaxed)) };
        // SAFETY: the range holds this word.
        at = unsafe { at.add(WORD) };
    }
    if split.tail > 0 {
        let word = words[split.first + split.whole].load(Relaxed).to_ne_bytes();
        // SAFETY: the tail is what remains of the caller's writable bytes.
        unsafe { at.copy_from_nonoverlapping(word.as_ptr(), split.tail) };
    }
}

/// Copies `bytes` bytes at `src` to byte `offset` of `words`.
///
/// # Safety
/// `src` is valid for reads of `bytes` bytes and nothing writes them meanwhile.
///
/// # Panics
/// When the range does not lie in `words`.
pub(super) unsafe fn copy_in(words: &[AtomicU64], offset: usize, src: *const u8, bytes: usize) {
    let split = Split::new(offset, bytes);
    if split.head > 0 {
        // SAFETY: the caller gives `bytes` readable bytes and the head is no longer than that.
        unsafe { merge(&words[offset / WORD], split.head_at, src, split.head) };
    }
    // SAFETY: the head is no longer than `bytes`.
    let mut at = unsafe { src.add(split.head) };
    let (blocks, rest) = words[split.first..split.first + split.whole].as_chunks::<BLOCK>();
    for block in blocks {
        // SAFETY: the range holds this block, which is at `at`.
        let values = unsafe { at.cast::<[u64; BLOCK]>().read_unaligned() };
        for (word, value) in block.iter().zip(values) {
            word.store(value, Relaxed);
        }
        // SAFETY: the range holds this block.
        at = unsafe { at.add(BLOCK * WORD) };
    }
    for word in rest {
        // SAFETY: the range holds this word, which is at `at`.
        let value = unsafe { at.cast::<u64>().read_unaligned() };
        word.store(value, Relaxed);
        // SAFETY: the range holds this word.
        at = unsafe { at.add(WORD) };
    }
    if split.tail > 0 {
        // SAFETY: the tail is what remains of the caller's readable bytes.
        unsafe { merge(&words[split.first + split.whole], 0, at, split.tail) };
    }
}

/// Replaces `bytes` bytes of a word, beginning with its byte `at`, and leaves the others to whoever writes them.
///
/// # Safety
/// `src` is valid for reads of `bytes` bytes and nothing writes them meanwhile.
unsafe fn merge(word: &AtomicU64, at: usize, src: *const u8, bytes: usize) {
    let mut value = [0u8; WORD];
    let mut mask = [0u8; WORD];
    mask[at..at + bytes].fill(0xff);
    let part = &mut value[at..at + bytes];
    // SAFETY: the caller gives `bytes` readable bytes.
    unsafe { part.as_mut_ptr().copy_from_nonoverlapping(src, part.len()) };
    let (value, mask) = (u64::from_ne_bytes(value), u64::from_ne_bytes(mask));
    word.update(Relaxed, Relaxed, |old| (old & !mask) | value);
}
