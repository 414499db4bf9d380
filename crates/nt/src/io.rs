//! Physical addresses: pages of memory through descriptor lists, memory of a device through MmMapIoSpaceEx.
//!
//! A page of memory must not be mapped by MmMapIoSpace: the second mapping might differ in caching from the first,
//! and the kernel refuses it. Instead a list is made over the frame number, as a driver gets one from VidMm, and
//! mapped cached. "MmGetMdlPfnArray macro" recommends not to write frame numbers; there is no documented function
//! that makes a list over pages which VidMm names by physical address alone, and those it has locked.
//!
//! Paging cannot fail for want of a mapping, and Driver Verifier's low resources simulation makes mappings fail. So the
//! addresses are reserved when the driver loads, and mapping them takes nothing any more.
//!
//! UNSAFETY: calls the kernel with lists of its own and lends what it maps.
#![expect(unsafe_code)]

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering};

use wdk_sys::ntddk::{
    MmAllocateMappingAddress, MmFreeMappingAddress, MmMapIoSpaceEx, MmMapLockedPagesWithReservedMapping,
    MmUnmapIoSpace, MmUnmapReservedMapping,
};
use wdk_sys::{
    _MEMORY_CACHING_TYPE, MDL, MDL_PAGES_LOCKED, NTSTATUS, PAGE_READWRITE, PAGE_WRITECOMBINE, PFN_NUMBER,
    STATUS_INSUFFICIENT_RESOURCES,
};

use crate::fields::large;
use crate::pool::PAGE;

/// Most pages that are mapped at once: each engine needs two, and each caller of BuildPagingBuffer one. Whoever finds
/// none free waits for the end of a copy.
const SLOTS: usize = 64;
/// Tag of the reserved addresses: "GpMp".
const TAG: u32 = u32::from_le_bytes(*b"GpMp");

/// A list over one page.
#[repr(C)]
struct PageList {
    header: MDL,
    frame: PFN_NUMBER,
}

/// A place for a mapping, so that none needs an allocation.
struct Slot {
    /// Address of a page that MmAllocateMappingAddress has reserved.
    reserved: AtomicPtr<c_void>,
    /// The mapped page; null while free, [`MAKING`] while the list is being made or unmade.
    page: AtomicPtr<u8>,
    list: UnsafeCell<PageList>,
}

// SAFETY: the list is touched only by the one who has taken the slot.
unsafe impl Sync for Slot {}

/// No page begins here.
const MAKING: *mut u8 = ptr::without_provenance_mut(1);

/// The mappings of a driver.
pub struct Frames {
    slots: [Slot; SLOTS],
}

const NOTHING: MDL = MDL {
    Next: ptr::null_mut(),
    Size: 0,
    MdlFlags: 0,
    Process: ptr::null_mut(),
    MappedSystemVa: ptr::null_mut(),
    StartVa: ptr::null_mut(),
    ByteCount: 0,
    ByteOffset: 0,
};

impl Frames {
    /// None yet.
    pub const fn new() -> Self {
        let slots = [const {
            Slot {
                reserved: AtomicPtr::new(ptr::null_mut()),
                page: AtomicPtr::new(ptr::null_mut()),
                list: UnsafeCell::new(PageList { header: NOTHING, frame: 0 }),
            }
        }; SLOTS];
        Self { slots }
    }

    /// Reserves an address for every mapping. <= APC_LEVEL. "MmAllocateMappingAddress function".
    pub fn reserve(&self) -> Result<(), NTSTATUS> {
        for slot in &self.slots {
            // SAFETY: a range of one page, under this driver's tag; `release` gives it back.
            let reserved = unsafe { MmAllocateMappingAddress(PAGE as _, TAG) };
            if reserved.is_null() {
                self.release();
                return Err(STATUS_INSUFFICIENT_RESOURCES);
            }
            slot.reserved.store(reserved, Ordering::Release);
        }
        Ok(())
    }

    /// Gives the addresses back. Nothing is mapped any more. <= APC_LEVEL. "MmFreeMappingAddress function".
    pub fn release(&self) {
        for slot in &self.slots {
            let reserved = slot.reserved.swap(ptr::null_mut(), Ordering::AcqRel);
            if !reserved.is_null() {
                // SAFETY: `reserve` has reserved it under this tag, and nothing is mapped there.
                unsafe { MmFreeMappingAddress(reserved, TAG) };
            }
        }
    }

    /// A slot for the caller alone; waits for one while all are taken.
    fn take(&self) -> &Slot {
        let free = |slot: &&Slot| {
            let taken =
                slot.page.compare_exchange(ptr::null_mut(), MAKING, Ordering::Acquire, Ordering::Relaxed);
            taken.is_ok()
        };
        loop {
            if let Some(slot) = self.slots.iter().find(free) {
                return slot;
            }
            if crate::irql::current() <= crate::irql::APC_LEVEL {
                crate::thread::yield_now();
            }
        }
    }

    /// Maps the page of memory that `physical` lies in and answers where that byte is. Null only when nothing was
    /// reserved. <= DISPATCH_LEVEL. "MmMapLockedPagesWithReservedMapping function".
    ///
    /// # Safety
    /// The page is memory, and locked until [`Frames::unmap`].
    pub unsafe fn map(&self, physical: u64) -> *mut u8 {
        let slot = self.take();
        let list = slot.list.get();
        let header = MDL {
            Size: size_of::<PageList>() as i16,
            MdlFlags: MDL_PAGES_LOCKED as i16,
            ByteCount: PAGE as u32,
            ..NOTHING
        };
        // SAFETY: the slot is taken, so nobody else touches its list.
        unsafe { list.write(PageList { header, frame: physical / PAGE as u64 }) };
        // SAFETY: the list describes one locked page, as the caller promises, and stays where it is until `unmap`.
        let page = unsafe {
            MmMapLockedPagesWithReservedMapping(
                slot.reserved.load(Ordering::Acquire),
                TAG,
                list.cast(),
                _MEMORY_CACHING_TYPE::MmCached,
            )
        };
        let page = page.cast::<u8>();
        slot.page.store(page, Ordering::Release);
        if page.is_null() { page } else { page.wrapping_add(physical as usize % PAGE) }
    }

    /// Takes a mapping back. <= DISPATCH_LEVEL. "MmUnmapReservedMapping function".
    ///
    /// # Safety
    /// `at` came from [`Frames::map`], and nothing uses it any more.
    pub unsafe fn unmap(&self, at: *mut u8) {
        let page = at.wrapping_sub(at.addr() % PAGE);
        let mapped = |slot: &&Slot| {
            slot.page.compare_exchange(page, MAKING, Ordering::Acquire, Ordering::Relaxed).is_ok()
        };
        let Some(slot) = self.slots.iter().find(mapped) else { return };
        // SAFETY: the page is mapped at the reserved address through this list, as the slot says.
        unsafe { MmUnmapReservedMapping(page.cast(), TAG, slot.list.get().cast()) };
        slot.page.store(ptr::null_mut(), Ordering::Release);
    }

    /// How many pages are mapped.
    pub fn mapped(&self) -> usize {
        self.slots.iter().filter(|slot| !slot.page.load(Ordering::Relaxed).is_null()).count()
    }
}

impl Default for Frames {
    fn default() -> Self {
        Self::new()
    }
}

/// Memory of a device in the address space of the system.
pub struct DeviceMemory {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the mapping belongs to the system's address space, which every thread shares.
unsafe impl Send for DeviceMemory {}
// SAFETY: as above; nothing here changes.
unsafe impl Sync for DeviceMemory {}

impl DeviceMemory {
    /// Maps `bytes` at a translated address of the device's resources, write-combined and no-execute; none when it
    /// cannot be mapped. PASSIVE_LEVEL to be safe; the page says <= DISPATCH_LEVEL. "MmMapIoSpaceEx function".
    ///
    /// # Safety
    /// The range is memory of a device that this driver owns, never memory of the system.
    pub unsafe fn map(physical: u64, bytes: usize) -> Option<Self> {
        let protection = PAGE_READWRITE | PAGE_WRITECOMBINE;
        // SAFETY: the caller's promise.
        let base = unsafe { MmMapIoSpaceEx(large(physical as i64), bytes as _, protection) };
        Some(Self { base: NonNull::new(base.cast())?, bytes })
    }

    /// First byte of the mapping.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Bytes of the mapping.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for DeviceMemory {
    fn drop(&mut self) {
        // SAFETY: `map` mapped as many bytes there.
        unsafe { MmUnmapIoSpace(self.base.as_ptr().cast(), self.bytes as _) };
    }
}
