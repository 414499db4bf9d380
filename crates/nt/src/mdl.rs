//! Memory descriptor lists over non-paged memory.
//!
//! UNSAFETY: calls the kernel, and reads what follows a list's header.
#![expect(unsafe_code)]

use core::ptr::{self, NonNull};

use wdk_sys::ntddk::{IoAllocateMdl, IoFreeMdl, MmBuildMdlForNonPagedPool};
use wdk_sys::{FALSE, MDL, PFN_NUMBER};

/// A list over memory that is never paged out.
pub struct Mdl(NonNull<MDL>);

// SAFETY: the list is only read after it has been built.
unsafe impl Send for Mdl {}
// SAFETY: as above.
unsafe impl Sync for Mdl {}

impl Mdl {
    /// Describes `bytes` at `base`; none when there is no memory for the list. <= DISPATCH_LEVEL.
    /// "MmBuildMdlForNonPagedPool function".
    ///
    /// # Safety
    /// `base` is as many bytes of non-paged system memory, for as long as anyone uses the list.
    pub unsafe fn over_nonpaged(base: *mut u8, bytes: u32) -> Option<Self> {
        // SAFETY: the list belongs to no request, and describes what it is told.
        let list = unsafe { IoAllocateMdl(base.cast(), bytes, FALSE as u8, FALSE as u8, ptr::null_mut()) };
        let list = NonNull::new(list)?;
        // SAFETY: a list of IoAllocateMdl over non-paged memory, as the caller promises.
        unsafe { MmBuildMdlForNonPagedPool(list.as_ptr()) };
        Some(Self(list))
    }

    /// The list. It lives as long as `self`.
    pub fn as_ptr(&self) -> *mut MDL {
        self.0.as_ptr()
    }

    /// Frame number of the first page. "MmGetMdlPfnArray macro".
    pub fn first_frame(&self) -> u64 {
        let frames = self.0.as_ptr().wrapping_add(1).cast::<PFN_NUMBER>();
        // SAFETY: at least one frame number follows the header of a list over at least one byte.
        unsafe { frames.read() }
    }
}

impl Drop for Mdl {
    fn drop(&mut self) {
        // SAFETY: the list came from IoAllocateMdl and was mapped by nobody who has not unmapped it.
        unsafe { IoFreeMdl(self.0.as_ptr()) };
    }
}
