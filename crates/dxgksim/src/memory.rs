//! System memory that a device may reach: page-aligned, and with its address as physical address.
//!
//! In this world a physical address is the virtual one. Nothing here is ever shared as a Rust reference while a
//! device may write it: the owner of a block knows when the device is through with it.
//!
//! UNSAFETY: allocates and frees, and reads and writes memory that a device shares.
#![expect(unsafe_code)]

use alloc::alloc::{alloc_zeroed, dealloc};
use core::alloc::Layout;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Bytes of a page of system memory.
pub const PAGE: usize = 4096;

/// A block of whole pages, zeroed when made.
#[derive(Debug)]
pub struct Pages {
    start: *mut u8,
    layout: Layout,
}

// SAFETY: a block is plain memory; what is done to it is decided by who holds it.
unsafe impl Send for Pages {}
// SAFETY: as above; access through `&self` is atomic.
unsafe impl Sync for Pages {}

impl Pages {
    /// At least `bytes` bytes, rounded up to whole pages and aligned to `align`; `None` when there is no memory.
    pub fn new(bytes: usize, align: usize) -> Option<Self> {
        let bytes = bytes.max(1).checked_next_multiple_of(PAGE)?;
        let layout = Layout::from_size_align(bytes, align.max(PAGE)).ok()?;
        // SAFETY: the layout's size is not zero.
        let start = unsafe { alloc_zeroed(layout) };
        (!start.is_null()).then_some(Self { start, layout })
    }

    /// Bytes of the block.
    pub fn bytes(&self) -> usize {
        self.layout.size()
    }

    /// First byte.
    pub fn start(&self) -> *mut u8 {
        self.start
    }

    /// Physical address of the first byte.
    pub fn address(&self) -> u64 {
        self.start.expose_provenance() as u64
    }

    /// The 32-bit word at `offset`, shared with the device.
    ///
    /// # Panics
    /// If the word is not inside the block or not aligned.
    pub fn word(&self, offset: usize) -> &AtomicU32 {
        assert!(offset.is_multiple_of(4) && offset < self.bytes(), "no word at {offset:#x}");
        // SAFETY: the offset is inside the block.
        let word = unsafe { self.start.add(offset) };
        // SAFETY: aligned, alive as long as the block, and reached only through atomics by both sides.
        unsafe { AtomicU32::from_ptr(word.cast()) }
    }

    /// The bytes, for an owner whose device is through with the block.
    pub fn as_slice(&self, _idle: &Idle) -> &[u8] {
        // SAFETY: the block is initialised, and the token says that nobody writes it.
        unsafe { core::slice::from_raw_parts(self.start, self.bytes()) }
    }

    /// The bytes, for an owner whose device is through with the block.
    pub fn as_mut_slice(&mut self, _idle: &Idle) -> &mut [u8] {
        // SAFETY: the block is initialised and borrowed mutably, and the token says that no device uses it.
        unsafe { core::slice::from_raw_parts_mut(self.start, self.bytes()) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the block came from alloc_zeroed with this layout and is freed once.
        unsafe { dealloc(self.start, self.layout) }
    }
}

/// The holder's word that no device uses a block of [`Pages`] for now.
#[derive(Debug)]
pub struct Idle(());

impl Idle {
    /// Gives that word.
    pub(crate) fn promised() -> Self {
        Self(())
    }
}

/// A window of device registers mapped into this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers {
    start: *mut u8,
}

// SAFETY: registers are reached by atomic accesses only.
unsafe impl Send for Registers {}
// SAFETY: as above.
unsafe impl Sync for Registers {}

impl Registers {
    /// The page of registers at a physical address.
    ///
    /// # Safety
    /// A page is mapped there and stays for as long as the value is used.
    pub(crate) unsafe fn at(address: u64) -> Self {
        Self { start: core::ptr::with_exposed_provenance_mut(address as usize) }
    }

    /// The 32-bit register at `offset` of the page.
    pub(crate) fn u32(&self, offset: usize) -> &AtomicU32 {
        assert!(offset.is_multiple_of(4) && offset < PAGE, "no register at {offset:#x}");
        // SAFETY: the offset is inside the page, which `at` was promised.
        let register = unsafe { self.start.add(offset) };
        // SAFETY: aligned, mapped, and reached only through atomics.
        unsafe { AtomicU32::from_ptr(register.cast()) }
    }

    /// The 64-bit register at `offset` of the page.
    pub(crate) fn u64(&self, offset: usize) -> &AtomicU64 {
        assert!(offset.is_multiple_of(8) && offset < PAGE, "no register at {offset:#x}");
        // SAFETY: the offset is inside the page, which `at` was promised.
        let register = unsafe { self.start.add(offset) };
        // SAFETY: aligned, mapped, and reached only through atomics.
        unsafe { AtomicU64::from_ptr(register.cast()) }
    }

    /// Copies out of the page, eight bytes at a time.
    pub(crate) fn read(&self, offset: usize, out: &mut [u8]) {
        for (index, word) in out.chunks_exact_mut(8).enumerate() {
            word.copy_from_slice(&self.u64(offset + index * 8).load(Ordering::Acquire).to_le_bytes());
        }
    }

    /// Copies into the page, eight bytes at a time.
    pub(crate) fn write(&self, offset: usize, data: &[u8]) {
        let (words, _) = data.as_chunks::<8>();
        for (index, word) in words.iter().enumerate() {
            self.u64(offset + index * 8).store(u64::from_le_bytes(*word), Ordering::Release);
        }
    }
}
