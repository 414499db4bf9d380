//! The global allocator: honours alignments, counts, and falls back on a small reserve.
//!
//! The kernel's pool gives blocks aligned to 16 and wdk-alloc asks for no more, whatever the layout says. For a larger
//! alignment this asks for `size + align` bytes and keeps where the block began in the word before what it gives:
//!
//! ```text
//!   block              aligned
//!   |....... [block] | size bytes ..... |
//! ```
//!
//! UNSAFETY: an allocator hands out and takes back raw memory.
#![expect(unsafe_code)]

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

use super::count::Count;
use super::reserve::Reserve;

/// What every block of the pool is aligned to on x64. "ExAllocatePool2 function".
const POOL_ALIGN: usize = 16;

/// An allocator over one that aligns to 16 at most.
pub struct Allocator<A> {
    inner: A,
    count: Count,
    reserve: Reserve,
}

impl<A> Allocator<A> {
    /// Over `inner`, which aligns every block to 16.
    pub const fn new(inner: A) -> Self {
        Self { inner, count: Count::new(), reserve: Reserve::new() }
    }

    /// What is allocated now.
    pub fn count(&self) -> &Count {
        &self.count
    }

    /// Most small blocks that came from the reserve at once; zero when the pool always had memory.
    pub fn most_from_reserve(&self) -> usize {
        self.reserve.most()
    }
}

/// What to ask the inner allocator for; none when that is more than there can be.
fn room(layout: Layout) -> Option<Layout> {
    let extra = if layout.align() > POOL_ALIGN { layout.align() } else { 0 };
    Layout::from_size_align(layout.size().checked_add(extra)?, POOL_ALIGN).ok()
}

/// Where a block's aligned part begins. It leaves room for a word before it: the block is aligned to 16, so what is
/// skipped is a multiple of 16 and not zero.
fn aligned(block: *mut u8, align: usize) -> *mut u8 {
    block.wrapping_add(align - block.addr() % align)
}

/// The word before an aligned part.
fn keep(at: *mut u8) -> *mut *mut u8 {
    at.cast::<*mut u8>().wrapping_sub(1)
}

// SAFETY: blocks are those of the inner allocator or of the reserve, moved on to the alignment asked for within the
// room that was made for that; nothing here panics.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Allocator<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(room) = room(layout) else { return ptr::null_mut() };
        // SAFETY: the room is not empty, for the layout is not.
        let block = unsafe { self.inner.alloc(room) };
        let at = if block.is_null() {
            self.reserve.take(layout)
        } else if layout.align() > POOL_ALIGN {
            let at = aligned(block, layout.align());
            // SAFETY: the word lies in the block, aligned, before the part that is given out.
            unsafe { keep(at).write(block) };
            at
        } else {
            block
        };
        if !at.is_null() {
            self.count.add(layout.size());
        }
        at
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        self.count.remove(layout.size());
        if self.reserve.give(at) {
            return;
        }
        let Some(room) = room(layout) else { return };
        let block = if layout.align() > POOL_ALIGN {
            // SAFETY: `alloc` left the word there.
            unsafe { keep(at).read() }
        } else {
            at
        };
        // SAFETY: the block came from the inner allocator with this room.
        unsafe { self.inner.dealloc(block, room) };
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::System;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    /// Gives blocks that are aligned to 16 and to nothing more, as the pool may; or none at all.
    struct Pool {
        blocks: AtomicUsize,
        empty: AtomicBool,
    }

    impl Pool {
        const fn new(empty: bool) -> Self {
            Self { blocks: AtomicUsize::new(0), empty: AtomicBool::new(empty) }
        }

        fn behind(layout: Layout) -> Layout {
            Layout::from_size_align(layout.size() + 32, 32).unwrap()
        }
    }

    // SAFETY: what is given lies 16 bytes into a larger block of the system's.
    unsafe impl GlobalAlloc for Pool {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            assert_eq!(layout.align(), 16, "the pool is asked for no more than it has");
            if self.empty.load(Ordering::Relaxed) {
                return ptr::null_mut();
            }
            self.blocks.fetch_add(1, Ordering::Relaxed);
            // SAFETY: the layout is not empty.
            unsafe { System.alloc(Self::behind(layout)) }.wrapping_add(16)
        }

        unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
            self.blocks.fetch_sub(1, Ordering::Relaxed);
            // SAFETY: as `alloc` made it.
            unsafe { System.dealloc(at.wrapping_sub(16), Self::behind(layout)) }
        }
    }

    #[test]
    fn alignments_are_honoured_over_a_pool_that_has_16() {
        let allocator = Allocator::new(Pool::new(false));
        assert_eq!(super::super::self_test(&allocator), Ok(()));
        assert_eq!((allocator.count().blocks(), allocator.count().bytes()), (0, 0));
        assert_eq!(allocator.inner.blocks.load(Ordering::Relaxed), 0);
        assert_eq!(allocator.most_from_reserve(), 0);
    }

    #[test]
    fn small_blocks_outlive_an_empty_pool() {
        let allocator = Allocator::new(Pool::new(true));
        let small = Layout::from_size_align(64, 64).unwrap();
        let large = Layout::from_size_align(4096, 8).unwrap();
        // SAFETY: the layout is not empty.
        let block = unsafe { allocator.alloc(small) };
        assert!(!block.is_null());
        // SAFETY: the layout is not empty.
        assert!(unsafe { allocator.alloc(large) }.is_null());
        assert_eq!((allocator.count().blocks(), allocator.most_from_reserve()), (1, 1));
        allocator.inner.empty.store(false, Ordering::Relaxed);
        // SAFETY: it came from `alloc` with this layout; the pool must not see it.
        unsafe { allocator.dealloc(block, small) };
        assert_eq!(allocator.count().blocks(), 0);
    }

    #[test]
    fn a_size_that_cannot_be_is_refused() {
        let allocator = Allocator::new(Pool::new(false));
        let layout = Layout::from_size_align(isize::MAX as usize - 4095, 4096).unwrap();
        // SAFETY: the layout is not empty.
        assert!(unsafe { allocator.alloc(layout) }.is_null());
        assert_eq!(allocator.count().blocks(), 0);
    }
}
