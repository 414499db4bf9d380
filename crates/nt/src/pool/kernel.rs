//! The kernel's own memory: pool under a tag, and physically contiguous pages.
//!
//! UNSAFETY: calls the kernel, and hands out and takes back raw memory.
#![expect(unsafe_code)]

use core::fmt;

use wdk_alloc::WdkAllocator;
use wdk_sys::ntddk::{ExAllocatePool2, ExFreePoolWithTag, MmFreeContiguousMemory};
use wdk_sys::{MM_ANY_NODE_OK, PAGE_READWRITE, POOL_FLAG_NON_PAGED};

use super::{Allocator, Count, PAGE};
use crate::exports::MmAllocateContiguousNodeMemory;
use crate::fields::large;

/// The global allocator of a driver: `#[global_allocator] static HEAP: KernelAllocator = KernelAllocator::KERNEL`.
pub type KernelAllocator = Allocator<WdkAllocator>;

impl KernelAllocator {
    /// Over wdk-alloc, whose blocks have the tag `rust`.
    #[expect(clippy::declare_interior_mutable_const, reason = "a static is made of it, once")]
    pub const KERNEL: Self = Self::new(WdkAllocator);
}

/// A pool tag, and what is allocated under it.
pub struct Tag {
    name: [u8; 4],
    count: Count,
}

impl Tag {
    /// A tag of four printable characters, as debuggers show them.
    pub const fn new(name: [u8; 4]) -> Self {
        assert!(name[0] >= b' ' && name[1] >= b' ' && name[2] >= b' ' && name[3] >= b' ' && name.is_ascii());
        Self { name, count: Count::new() }
    }

    /// What is allocated now.
    pub fn count(&self) -> &Count {
        &self.count
    }

    const fn value(&self) -> u32 {
        u32::from_ne_bytes(self.name)
    }

    /// `bytes` zeroed bytes of non-paged, no-execute pool, beginning on a page; null when there are none.
    /// <= DISPATCH_LEVEL. "ExAllocatePool2 function": from a page on, blocks begin on one.
    pub fn allocate_pages(&self, bytes: usize) -> *mut u8 {
        let size = bytes.max(PAGE);
        // SAFETY: the size and the tag are not zero.
        let block = unsafe { ExAllocatePool2(POOL_FLAG_NON_PAGED, size as _, self.value()) };
        if !block.is_null() {
            debug_assert!(block.addr().is_multiple_of(PAGE));
            self.count.add(bytes);
        }
        block.cast()
    }

    /// Frees what [`Tag::allocate_pages`] gave. <= DISPATCH_LEVEL. "ExFreePoolWithTag function".
    ///
    /// # Safety
    /// `block` came from `allocate_pages(bytes)` of this tag, and nothing uses it any more.
    pub unsafe fn free_pages(&self, block: *mut u8, bytes: usize) {
        self.count.remove(bytes);
        // SAFETY: the caller's promise.
        unsafe { ExFreePoolWithTag(block.cast(), self.value()) };
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = core::str::from_utf8(&self.name).unwrap_or("????");
        write!(f, "{name}: {}", self.count)
    }
}

/// Non-paged memory whose pages follow each other physically too, and what there is of it. It has no pool tag.
pub struct Contiguous {
    count: Count,
}

impl Contiguous {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { count: Count::new() }
    }

    /// What is allocated now.
    pub fn count(&self) -> &Count {
        &self.count
    }

    /// `bytes` zeroed bytes, beginning on a page, cached and no-execute, anywhere in physical memory; null when there
    /// are none. PASSIVE_LEVEL, early: memory falls to pieces. "MmAllocateContiguousNodeMemory function".
    pub fn allocate(&self, bytes: usize) -> *mut u8 {
        // SAFETY: every address is acceptable, and the protection is one that the page lists.
        let memory = unsafe {
            MmAllocateContiguousNodeMemory(
                bytes as _,
                large(0),
                large(i64::MAX),
                large(0),
                PAGE_READWRITE,
                MM_ANY_NODE_OK,
            )
        };
        let memory = memory.cast::<u8>();
        if !memory.is_null() {
            // SAFETY: as many bytes were just allocated; what they held before is nobody's business.
            unsafe { memory.write_bytes(0, bytes) };
            self.count.add(bytes);
        }
        memory
    }

    /// Frees what [`Contiguous::allocate`] gave. <= DISPATCH_LEVEL. "MmFreeContiguousMemory function".
    ///
    /// # Safety
    /// `memory` came from `allocate(bytes)`, and nothing uses it any more.
    pub unsafe fn free(&self, memory: *mut u8, bytes: usize) {
        self.count.remove(bytes);
        // SAFETY: the caller's promise.
        unsafe { MmFreeContiguousMemory(memory.cast()) };
    }
}

impl Default for Contiguous {
    fn default() -> Self {
        Self::new()
    }
}
