//! The translated resources of a device, as the driver finds them in DXGK_DEVICE_INFO.
//!
//! Microsoft's pages: "CM_RESOURCE_LIST structure (wdm.h)", "CM_PARTIAL_RESOURCE_DESCRIPTOR structure (wdm.h)".
//!
//! UNSAFETY: lays the variable-length list out in memory of its own.
#![expect(unsafe_code)]

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::mem::offset_of;

use wddm::*;

/// A range of memory that the device decodes: one of its BARs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryRange {
    /// Physical address of the first byte.
    pub start: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Where the descriptors begin in a list for one bus.
const DESCRIPTORS: usize = offset_of!(CM_RESOURCE_LIST, List)
    + offset_of!(CM_FULL_RESOURCE_DESCRIPTOR, PartialResourceList)
    + offset_of!(CM_PARTIAL_RESOURCE_LIST, PartialDescriptors);

/// A CM_RESOURCE_LIST for one device on one bus, or for none.
pub(crate) struct Resources {
    words: Box<[u64]>,
}

impl Resources {
    /// The memory ranges in their order, then the interrupt line if there is one.
    pub(crate) fn new(memory: &[MemoryRange], interrupt: bool) -> Self {
        let mut descriptors: Vec<_> = memory.iter().map(range).collect();
        if interrupt {
            let mut line = CM_PARTIAL_RESOURCE_DESCRIPTOR::zeroed();
            line.Type = CmResourceTypeInterrupt;
            descriptors.push(line);
        }
        let mut list = CM_RESOURCE_LIST::zeroed();
        if !descriptors.is_empty() {
            list.Count = 1;
            list.List[0].PartialResourceList.Version = 1;
            list.List[0].PartialResourceList.Revision = 1;
            list.List[0].PartialResourceList.Count = descriptors.len() as u32;
        }
        let behind = size_of::<CM_PARTIAL_RESOURCE_DESCRIPTOR>() * descriptors.len();
        let bytes = size_of::<CM_RESOURCE_LIST>().max(DESCRIPTORS + behind);
        let mut words = vec![0u64; bytes.div_ceil(8)].into_boxed_slice();
        let base = words.as_mut_ptr();
        // SAFETY: the words have room for a list of one descriptor, and are aligned to more than it asks.
        unsafe { base.cast::<CM_RESOURCE_LIST>().write(list) };
        let places = base.wrapping_byte_add(DESCRIPTORS).cast::<CM_PARTIAL_RESOURCE_DESCRIPTOR>();
        for (index, descriptor) in descriptors.into_iter().enumerate() {
            // SAFETY: the words have room for so many descriptors, which ask for an alignment of 4.
            unsafe { places.wrapping_add(index).write(descriptor) };
        }
        Self { words }
    }

    /// The list. It lives as long as `self`, and is never written.
    pub(crate) fn list(&self) -> *mut CM_RESOURCE_LIST {
        self.words.as_ptr().cast::<CM_RESOURCE_LIST>().cast_mut()
    }
}

/// The descriptor of a range: plain while its length has 32 bits, else in the finest unit that is exact.
fn range(range: &MemoryRange) -> CM_PARTIAL_RESOURCE_DESCRIPTOR {
    let forms = [
        (CmResourceTypeMemory, 0, 0),
        (CmResourceTypeMemoryLarge, CM_RESOURCE_MEMORY_LARGE_40, 8),
        (CmResourceTypeMemoryLarge, CM_RESOURCE_MEMORY_LARGE_48, 16),
        (CmResourceTypeMemoryLarge, CM_RESOURCE_MEMORY_LARGE_64, 32),
    ];
    let fits = |&&(_, _, shift): &&(u8, u16, u32)| u32::try_from(range.bytes >> shift).is_ok();
    let (kind, flag, shift) = *forms.iter().find(fits).unwrap_or(&forms[3]);
    let mut descriptor = CM_PARTIAL_RESOURCE_DESCRIPTOR::zeroed();
    descriptor.Type = kind;
    descriptor.ShareDisposition = CmResourceShareDeviceExclusive;
    descriptor.Flags = CM_RESOURCE_MEMORY_PREFETCHABLE | CM_RESOURCE_MEMORY_BAR | flag;
    descriptor.u.Memory = CM_PARTIAL_RESOURCE_DESCRIPTOR_MEMORY {
        Start: range.start as i64,
        Length: (range.bytes >> shift) as u32,
    };
    descriptor
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn the_unit_of_a_length_grows_with_it() {
        for (bytes, kind, flag, length) in [
            (4 * GIB - 4096, CmResourceTypeMemory, 0, 0xFFFF_F000),
            (4 * GIB, CmResourceTypeMemoryLarge, CM_RESOURCE_MEMORY_LARGE_40, 1 << 24),
            (1 << 40, CmResourceTypeMemoryLarge, CM_RESOURCE_MEMORY_LARGE_48, 1 << 24),
            (1 << 48, CmResourceTypeMemoryLarge, CM_RESOURCE_MEMORY_LARGE_64, 1 << 16),
        ] {
            let found = range(&MemoryRange { start: 0x38_0000_0000, bytes });
            let scale = found.Flags & 0xE00;
            // SAFETY: every variant for memory has these fields.
            let memory = unsafe { found.u.Memory };
            let (start, found_length) = (memory.Start, memory.Length);
            assert_eq!((found.Type, scale, start, found_length), (kind, flag, 0x38_0000_0000, length));
        }
    }

    #[test]
    fn memory_comes_before_the_interrupt() {
        let ranges = [0x1000, 0x2000].map(|start| MemoryRange { start, bytes: 4096 });
        let resources = Resources::new(&ranges, true);
        // SAFETY: the list is alive.
        let list = unsafe { resources.list().read() };
        let (lists, count) = (list.Count, list.List[0].PartialResourceList.Count);
        assert_eq!((lists, count), (1, 3));
        let first = resources.list().wrapping_byte_add(DESCRIPTORS).cast::<CM_PARTIAL_RESOURCE_DESCRIPTOR>();
        let kinds = [0, 1, 2].map(|index| {
            // SAFETY: three descriptors follow.
            unsafe { first.wrapping_add(index).read() }.Type
        });
        assert_eq!(kinds, [CmResourceTypeMemory, CmResourceTypeMemory, CmResourceTypeInterrupt]);
    }

    #[test]
    fn a_device_without_resources_has_an_empty_list() {
        let resources = Resources::new(&[], false);
        // SAFETY: the list is alive.
        assert_eq!(unsafe { resources.list().read() }.Count, 0);
    }
}
