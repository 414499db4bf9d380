//! Memory on NT: who allocates under which tag, and what is physical.
//!
//! | tag | what |
//! |---|---|
//! | `rust` | everything on the heap: wdk-alloc's tag, under this driver's counting and aligning wrapper |
//! | `GpVr` | simulated VRAM |
//! | `GpDp` | dirty planes and re-dirty ledgers |
//! | `GpMp` | addresses to map pages at |
//! | none | BARs, physically contiguous: MmAllocateContiguousNodeMemory takes no tag |
//!
//! UNSAFETY: allocates, frees and maps memory.
#![expect(unsafe_code)]

use gpup_core::os::{Level, Purpose};
use gpup_core::{Error, PAGE_SIZE, Result};
use nt::io::Frames;
use nt::pool::{Contiguous, KernelAllocator, Tag};
use wddm::MDL;

use super::log;

#[global_allocator]
static HEAP: KernelAllocator = KernelAllocator::new(wdk_alloc::WdkAllocator);

static VRAM: Tag = Tag::new(*b"GpVr");
static DIRTY: Tag = Tag::new(*b"GpDp");

/// The tag of a purpose.
pub(super) fn tag(purpose: Purpose) -> &'static Tag {
    match purpose {
        Purpose::Vram => &VRAM,
        Purpose::Dirty => &DIRTY,
    }
}

/// BARs of VFs.
pub(super) static BARS: Contiguous = Contiguous::new();

/// Pages of system memory that an engine or a transfer looks at, at addresses that are reserved while the driver is
/// loaded.
pub(super) static FRAMES: Frames = Frames::new();

/// Where x86 processors take a write for an interrupt message, or for a register of their own interrupt controller.
/// Never memory. Intel SDM volume 3, "Message Address Register Format".
const INTERRUPT_MESSAGES: core::ops::Range<u64> = 0xFEE0_0000..0xFEF0_0000;

/// Maps system memory; null when the address is none.
///
/// A store by a processor to an interrupt message's address raises no interrupt, it changes the processor's own
/// interrupt controller: only a device on the bus can send one. So a VF's message goes nowhere from a software device.
pub(super) fn map_system(physical: u64) -> *mut u8 {
    if INTERRUPT_MESSAGES.contains(&physical) {
        return core::ptr::null_mut();
    }
    // SAFETY: VidMm names pages of memory that it has locked, in page tables and lists.
    unsafe { FRAMES.map(physical) }
}

/// Says what is still allocated.
pub(super) fn report() {
    let tagged = VRAM.count().blocks() + DIRTY.count().blocks();
    let left = HEAP.count().blocks() + tagged + BARS.count().blocks() + FRAMES.mapped();
    let level = if left == 0 { Level::Info } else { Level::Error };
    let (heap, bars, mapped) = (HEAP.count(), BARS.count(), FRAMES.mapped());
    log::write(
        level,
        format_args!("unload: heap {heap}; {VRAM}; {DIRTY}; BARs {bars}; {mapped} pages mapped"),
    );
    let saved = HEAP.most_from_reserve();
    if saved > 0 {
        log::write(Level::Warning, format_args!("the pool was empty: {saved} blocks came from the reserve"));
    }
}

/// A memory descriptor list over non-paged memory.
pub(crate) struct Mdl(nt::mdl::Mdl);

impl Mdl {
    /// Describes `bytes` at `base`, both multiples of the page size: memory of the driver's that outlives the list.
    pub(crate) fn new(base: *mut u8, bytes: usize) -> Result<Self> {
        let page = PAGE_SIZE as usize;
        if !base.addr().is_multiple_of(page) || !bytes.is_multiple_of(page) || bytes == 0 {
            return Err(Error::Misaligned);
        }
        let bytes = u32::try_from(bytes).map_err(|_| Error::OutOfRange)?;
        // SAFETY: the pages of a BAR are non-paged, and stay until the list over them is gone.
        let list = unsafe { nt::mdl::Mdl::over_nonpaged(base, bytes) };
        list.map(Self).ok_or(Error::NoResources)
    }

    /// The list, for Dxgkrnl. It lives as long as `self`.
    pub(crate) fn as_ptr(&self) -> *mut MDL {
        self.0.as_ptr().cast()
    }

    /// Physical address of the first page.
    pub(crate) fn physical_address(&self) -> u64 {
        self.0.first_frame() * PAGE_SIZE
    }
}
