//! Small blocks for when there is no memory.
//!
//! `Box::new` and `Arc::new` cannot fail gracefully on stable Rust: without memory they panic, and a panic in a driver
//! stops the system. Everything that is large or whose number an outside party sets is allocated fallibly; the few
//! small objects that are not come from here when the pool has nothing, so that one refused allocation, as Driver
//! Verifier's low resources simulation makes them, is survived. When the reserve is used up as well, it is a panic.
//!
//! UNSAFETY: hands out parts of an array, each to one owner.
#![expect(unsafe_code)]

use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Bytes of a block, and its alignment.
const BLOCK: usize = 256;
/// Bits of a word of the map.
const BITS: usize = u64::BITS as usize;
/// Words of the map of taken blocks.
const WORDS: usize = 4;
/// How many blocks there are: 64 KiB together, part of the image.
const BLOCKS: usize = WORDS * BITS;

#[repr(align(256))]
struct Memory {
    _bytes: [u8; BLOCK * BLOCKS],
}

/// A fixed number of small blocks.
pub(super) struct Reserve {
    memory: UnsafeCell<Memory>,
    taken: [AtomicU64; WORDS],
    most: AtomicUsize,
}

// SAFETY: a block is touched only by the one who took it.
unsafe impl Sync for Reserve {}

impl Reserve {
    pub(super) const fn new() -> Self {
        Self {
            memory: UnsafeCell::new(Memory { _bytes: [0; BLOCK * BLOCKS] }),
            taken: [const { AtomicU64::new(0) }; WORDS],
            most: AtomicUsize::new(0),
        }
    }

    /// A block for `layout`; null when it is too large or there is none.
    pub(super) fn take(&self, layout: Layout) -> *mut u8 {
        if layout.size() > BLOCK || layout.align() > BLOCK {
            return ptr::null_mut();
        }
        for (index, word) in self.taken.iter().enumerate() {
            let mut free = !word.load(Ordering::Relaxed);
            while free != 0 {
                let bit = free.trailing_zeros() as usize;
                if word.fetch_or(1 << bit, Ordering::Acquire) & (1 << bit) == 0 {
                    self.most.fetch_max(self.in_use(), Ordering::Relaxed);
                    return self.memory.get().cast::<u8>().wrapping_add((index * BITS + bit) * BLOCK);
                }
                free &= !(1 << bit);
            }
        }
        ptr::null_mut()
    }

    /// Takes `block` back if it is one of these; false when it is not.
    pub(super) fn give(&self, block: *mut u8) -> bool {
        let Some(index) = block.addr().checked_sub(self.memory.get().addr()).map(|offset| offset / BLOCK)
        else {
            return false;
        };
        let Some(word) = self.taken.get(index / BITS) else { return false };
        word.fetch_and(!(1 << (index % BITS)), Ordering::Release);
        true
    }

    fn in_use(&self) -> usize {
        self.taken.iter().map(|word| word.load(Ordering::Relaxed).count_ones() as usize).sum()
    }

    /// Most blocks in use at once.
    pub(super) fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_block_is_given_once_and_comes_back() {
        let reserve = Reserve::new();
        let layout = Layout::from_size_align(256, 256).unwrap();
        for _ in 0..2 {
            let blocks: BTreeSet<_> = (0..BLOCKS).map(|_| reserve.take(layout)).collect();
            assert_eq!(blocks.len(), BLOCKS);
            assert!(blocks.iter().all(|block| !block.is_null() && block.addr().is_multiple_of(256)));
            assert!(reserve.take(layout).is_null());
            assert!(blocks.iter().all(|block| reserve.give(*block)));
        }
        assert_eq!((reserve.in_use(), reserve.most()), (0, BLOCKS));
    }

    #[test]
    fn what_does_not_fit_or_belong_is_refused() {
        let reserve = Reserve::new();
        assert!(reserve.take(Layout::from_size_align(257, 1).unwrap()).is_null());
        assert!(reserve.take(Layout::from_size_align(8, 512).unwrap()).is_null());
        let mut other = [0u8; 8];
        assert!(!reserve.give(other.as_mut_ptr()));
    }
}
