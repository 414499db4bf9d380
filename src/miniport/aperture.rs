//! VRAM behind a BAR: the device's first memory resource, mapped write-combined for as long as the adapter is started.
//!
//! The BAR holds the bytes; the engines and the dirty plane are still the simulated device's, working on it.
//!
//! UNSAFETY: follows Dxgkrnl's list of resources, maps what it names, and passes raw copies on.
#![expect(unsafe_code)]

use core::mem::offset_of;
use core::sync::atomic::{Ordering::SeqCst, fence};

use gpup_core::vram::{BarVram, Vram, VramStore};
use gpup_core::{Error, Result};
use wddm::{
    CM_FULL_RESOURCE_DESCRIPTOR, CM_PARTIAL_RESOURCE_DESCRIPTOR, CM_PARTIAL_RESOURCE_LIST, CM_RESOURCE_LIST,
    CM_RESOURCE_MEMORY_LARGE_40, CM_RESOURCE_MEMORY_LARGE_48, CM_RESOURCE_MEMORY_LARGE_64,
    CmResourceTypeMemory, CmResourceTypeMemoryLarge,
};

use crate::os::DeviceMemory;

/// A device's memory, mapped.
pub(crate) struct Aperture {
    vram: BarVram,
    /// What `vram` lies in. Declared after it, so dropped after it.
    _mapping: DeviceMemory,
}

impl Aperture {
    /// Maps the first `bytes` bytes of the first memory resource of a device. PASSIVE_LEVEL.
    ///
    /// # Safety
    /// `resources` is null or DXGK_DEVICE_INFO.TranslatedResourceList, and the device this driver's own.
    pub(crate) unsafe fn of(resources: *const CM_RESOURCE_LIST, bytes: u64) -> Result<Self> {
        // SAFETY: the caller's promise.
        let (physical, length) = unsafe { first_memory(resources) }.ok_or(Error::NotSupported)?;
        if length < bytes {
            return Err(Error::OutOfRange);
        }
        let size = usize::try_from(bytes).map_err(|_| Error::OutOfRange)?;
        // SAFETY: the range is memory of the device, which Dxgkrnl gave to this driver.
        let mapping = unsafe { DeviceMemory::map(physical, size) }.ok_or(Error::NoResources)?;
        // SAFETY: the mapping lives as long as what is made of it, and is reached through it alone.
        let vram = unsafe { BarVram::new(mapping.base(), bytes) }?;
        Ok(Self { vram, _mapping: mapping })
    }
}

impl Vram for Aperture {
    fn bytes(&self) -> u64 {
        self.vram.bytes()
    }

    unsafe fn read_raw(&self, offset: u64, dst: *mut u8, bytes: usize) -> Result<()> {
        // SAFETY: the caller vouches for `dst`.
        unsafe { self.vram.read_raw(offset, dst, bytes) }
    }
}

impl VramStore for Aperture {
    unsafe fn write_raw(&self, offset: u64, src: *const u8, bytes: usize) -> Result<()> {
        // SAFETY: the caller vouches for `src`.
        unsafe { self.vram.write_raw(offset, src, bytes) }?;
        drain();
        Ok(())
    }

    fn fill(&self, offset: u64, bytes: u64, pattern: u64) -> Result<()> {
        self.vram.fill(offset, bytes, pattern)?;
        drain();
        Ok(())
    }
}

/// Has write-combined stores leave this processor: else whoever sees that the writer has left the dirty plane's section
/// might read the page before they arrive.
fn drain() {
    fence(SeqCst);
}

/// Address and length of the first memory resource of the first bus's list: a device has one list.
///
/// # Safety
/// `resources` is null or a readable list of the length that it says.
unsafe fn first_memory(resources: *const CM_RESOURCE_LIST) -> Option<(u64, u64)> {
    // SAFETY: the caller's promise.
    let list = unsafe { resources.as_ref() }?;
    if list.Count == 0 {
        return None;
    }
    let partial =
        offset_of!(CM_RESOURCE_LIST, List) + offset_of!(CM_FULL_RESOURCE_DESCRIPTOR, PartialResourceList);
    let count = list.List[0].PartialResourceList.Count as usize;
    let first = resources
        .wrapping_byte_add(partial + offset_of!(CM_PARTIAL_RESOURCE_LIST, PartialDescriptors))
        .cast::<CM_PARTIAL_RESOURCE_DESCRIPTOR>();
    // SAFETY: as many descriptors follow the count, aligned to 4 as the packing asks.
    let descriptors = unsafe { core::slice::from_raw_parts(first, count) };
    descriptors.iter().find_map(memory)
}

/// The range of a memory descriptor. "CM_PARTIAL_RESOURCE_DESCRIPTOR structure (wdm.h)".
fn memory(descriptor: &CM_PARTIAL_RESOURCE_DESCRIPTOR) -> Option<(u64, u64)> {
    // Every variant for memory begins with the address, then 32 bits of length; large ones leave low bits out.
    // SAFETY: the variant is plain data of the descriptor's own bytes.
    let range = unsafe { descriptor.u.Memory };
    let large = |flag| descriptor.Type == CmResourceTypeMemoryLarge && descriptor.Flags & flag != 0;
    let shift = if descriptor.Type == CmResourceTypeMemory {
        0
    } else if large(CM_RESOURCE_MEMORY_LARGE_40) {
        8
    } else if large(CM_RESOURCE_MEMORY_LARGE_48) {
        16
    } else if large(CM_RESOURCE_MEMORY_LARGE_64) {
        32
    } else {
        return None;
    };
    Some((range.Start as u64, u64::from(range.Length) << shift))
}

#[cfg(test)]
mod tests {
    use wddm::{CM_PARTIAL_RESOURCE_DESCRIPTOR_MEMORY, CmResourceTypeInterrupt};

    use super::*;

    fn descriptor(kind: u8, flags: u16, start: i64, length: u32) -> CM_PARTIAL_RESOURCE_DESCRIPTOR {
        let mut descriptor = CM_PARTIAL_RESOURCE_DESCRIPTOR::zeroed();
        (descriptor.Type, descriptor.Flags) = (kind, flags);
        descriptor.u.Memory = CM_PARTIAL_RESOURCE_DESCRIPTOR_MEMORY { Start: start, Length: length };
        descriptor
    }

    #[test]
    fn lengths_follow_their_flags() {
        let found = |kind, flags| memory(&descriptor(kind, flags, 0xE000_0000, 0x30));
        assert_eq!(found(CmResourceTypeMemory, 0), Some((0xE000_0000, 0x30)));
        let large = [CM_RESOURCE_MEMORY_LARGE_40, CM_RESOURCE_MEMORY_LARGE_48, CM_RESOURCE_MEMORY_LARGE_64];
        let lengths = large.map(|flag| found(CmResourceTypeMemoryLarge, flag).map(|range| range.1));
        assert_eq!(lengths, [Some(0x3000), Some(0x30_0000), Some(0x30_0000_0000)]);
        assert_eq!(found(CmResourceTypeMemoryLarge, 0), None);
        assert_eq!(found(CmResourceTypeInterrupt, 0), None);
    }

    #[test]
    fn the_first_memory_of_the_list_is_mapped_as_far_as_asked() {
        #[repr(C, align(8))]
        struct List(CM_RESOURCE_LIST, [CM_PARTIAL_RESOURCE_DESCRIPTOR; 1]);
        #[repr(align(4096))]
        struct Pages([u8; 8192]);
        let mut pages = Pages([7; 8192]);
        let start = pages.0.as_mut_ptr().expose_provenance() as i64;
        let mut list = List(CM_RESOURCE_LIST::zeroed(), [descriptor(CmResourceTypeMemory, 0, start, 8192)]);
        list.0.Count = 1;
        list.0.List[0].PartialResourceList.Count = 2;
        list.0.List[0].PartialResourceList.PartialDescriptors[0] =
            descriptor(CmResourceTypeInterrupt, 0, 1, 1);
        let of = |bytes| {
            // SAFETY: the list lives on, and names memory of the test.
            unsafe { Aperture::of((&raw const list).cast(), bytes) }
        };
        let aperture = of(8192).unwrap();
        aperture.write(4096, &[1, 2, 3]).unwrap();
        let mut read = [0; 4];
        aperture.read(4095, &mut read).unwrap();
        assert_eq!((read, aperture.bytes()), ([7, 1, 2, 3], 8192));
        assert_eq!(of(12288).err(), Some(Error::OutOfRange));
        // SAFETY: nothing is read of a null list.
        assert_eq!(unsafe { Aperture::of(core::ptr::null(), 4096) }.err(), Some(Error::NotSupported));
    }
}
