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

/// What every block is aligned to.
const ALIGN: usize = 256;
/// Bits of a word of a map.
const BITS: usize = u64::BITS as usize;
/// Words of a map of taken blocks.
const WORDS: usize = 4;

/// Blocks of two sizes: most objects fit the small ones; an adapter's own, a handful, need the large ones. Together
/// 96 KiB, part of the image.
pub(super) struct Reserve {
    small: Blocks<256, 256>,
    large: Blocks<2048, 16>,
}

impl Reserve {
    pub(super) const fn new() -> Self {
        Self { small: Blocks::new(), large: Blocks::new() }
    }

    /// A block for `layout`; null when it is too large or there is none.
    pub(super) fn take(&self, layout: Layout) -> *mut u8 {
        let small = self.small.take(layout);
        if small.is_null() { self.large.take(layout) } else { small }
    }

    /// Takes `block` back if it is one of these; false when it is not.
    pub(super) fn give(&self, block: *mut u8) -> bool {
        self.small.give(block) || self.large.give(block)
    }

    /// Most blocks in use at once, of either size.
    pub(super) fn most(&self) -> usize {
        self.small.most.load(Ordering::Relaxed) + self.large.most.load(Ordering::Relaxed)
    }
}

#[repr(align(256))]
struct Memory<const BYTES: usize, const BLOCKS: usize> {
    _blocks: [[u8; BYTES]; BLOCKS],
}

/// A fixed number of blocks of one size.
struct Blocks<const BYTES: usize, const BLOCKS: usize> {
    memory: UnsafeCell<Memory<BYTES, BLOCKS>>,
    taken: [AtomicU64; WORDS],
    most: AtomicUsize,
}

// SAFETY: a block is touched only by the one who took it.
unsafe impl<const BYTES: usize, const BLOCKS: usize> Sync for Blocks<BYTES, BLOCKS> {}

impl<const BYTES: usize, const BLOCKS: usize> Blocks<BYTES, BLOCKS> {
    const fn new() -> Self {
        const { assert!(BYTES.is_multiple_of(ALIGN) && BLOCKS <= WORDS * BITS) };
        Self {
            memory: UnsafeCell::new(Memory { _blocks: [[0; BYTES]; BLOCKS] }),
            taken: [const { AtomicU64::new(0) }; WORDS],
            most: AtomicUsize::new(0),
        }
    }

    fn take(&self, layout: Layout) -> *mut u8 {
        if layout.size() > BYTES || layout.align() > ALIGN {
            return ptr::null_mut();
        }
        for index in 0..BLOCKS {
            let (word, bit) = (&self.taken[index / BITS], 1 << (index % BITS));
            let free = word.load(Ordering::Relaxed) & bit == 0;
            if free && word.fetch_or(bit, Ordering::Acquire) & bit == 0 {
                self.most.fetch_max(self.in_use(), Ordering::Relaxed);
                return self.memory.get().cast::<u8>().wrapping_add(index * BYTES);
            }
        }
        ptr::null_mut()
    }

    fn give(&self, block: *mut u8) -> bool {
        let offset = block.addr().checked_sub(self.memory.get().addr());
        let Some(index) = offset.map(|offset| offset / BYTES).filter(|index| *index < BLOCKS) else {
            return false;
        };
        self.taken[index / BITS].fetch_and(!(1 << (index % BITS)), Ordering::Release);
        true
    }

    fn in_use(&self) -> usize {
        self.taken.iter().map(|word| word.load(Ordering::Relaxed).count_ones() as usize).sum()
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
            // The large ones serve when the small ones are gone.
            let blocks: BTreeSet<_> = (0..256 + 16).map(|_| reserve.take(layout)).collect();
            assert_eq!(blocks.len(), 256 + 16);
            assert!(blocks.iter().all(|block| !block.is_null() && block.addr().is_multiple_of(256)));
            assert!(reserve.take(layout).is_null());
            assert!(blocks.iter().all(|block| reserve.give(*block)));
        }
        assert_eq!((reserve.small.in_use(), reserve.large.in_use(), reserve.most()), (0, 0, 272));
    }

    #[test]
    fn an_object_gets_a_block_that_it_fits() {
        let reserve = Reserve::new();
        let block = reserve.take(Layout::from_size_align(257, 1).unwrap());
        assert!(!block.is_null());
        assert_eq!((reserve.small.in_use(), reserve.large.in_use()), (0, 1));
        assert!(reserve.give(block));
    }

    #[test]
    fn what_does_not_fit_or_belong_is_refused() {
        let reserve = Reserve::new();
        assert!(reserve.take(Layout::from_size_align(2049, 1).unwrap()).is_null());
        assert!(reserve.take(Layout::from_size_align(8, 512).unwrap()).is_null());
        let mut other = [0u8; 8];
        assert!(!reserve.give(other.as_mut_ptr()));
    }
}
