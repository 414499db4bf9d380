//! Memory descriptor lists and hardware resource lists, as the kernel hands them to a driver.

use crate::base::{PHYSICAL_ADDRESS, PVOID};
use crate::macros::{abi, constants};

constants! {
    /// `MappedSystemVa` is valid.
    pub const MDL_MAPPED_TO_SYSTEM_VA: i16 = 0x1;
    /// The pages are locked in memory.
    pub const MDL_PAGES_LOCKED: i16 = 0x2;
    /// The buffer is nonpaged pool.
    pub const MDL_SOURCE_IS_NONPAGED_POOL: i16 = 0x4;
    /// The list came from a look-aside list.
    pub const MDL_ALLOCATED_FIXED_SIZE: i16 = 0x8;
    /// The list describes part of another.
    pub const MDL_PARTIAL: i16 = 0x10;
    /// The pages are device memory.
    pub const MDL_IO_SPACE: i16 = 0x800;
    /// Resource type: none.
    pub const CmResourceTypeNull: u8 = 0;
    /// Resource type: an I/O port range.
    pub const CmResourceTypePort: u8 = 1;
    /// Resource type: an interrupt.
    pub const CmResourceTypeInterrupt: u8 = 2;
    /// Resource type: a memory range below 4 GiB of length.
    pub const CmResourceTypeMemory: u8 = 3;
    /// Resource type: a DMA channel.
    pub const CmResourceTypeDma: u8 = 4;
    /// Resource type: private to a driver.
    pub const CmResourceTypeDeviceSpecific: u8 = 5;
    /// Resource type: bus numbers.
    pub const CmResourceTypeBusNumber: u8 = 6;
    /// Resource type: a memory range whose length is scaled.
    pub const CmResourceTypeMemoryLarge: u8 = 7;
    /// Resource type: a serial or GPIO connection.
    pub const CmResourceTypeConnection: u8 = 132;
    /// Sharing: not said.
    pub const CmResourceShareUndetermined: u8 = 0;
    /// Sharing: this device only.
    pub const CmResourceShareDeviceExclusive: u8 = 1;
    /// Sharing: this driver only.
    pub const CmResourceShareDriverExclusive: u8 = 2;
    /// Sharing: anyone.
    pub const CmResourceShareShared: u8 = 3;
    /// Memory flag: readable and writable.
    pub const CM_RESOURCE_MEMORY_READ_WRITE: u16 = 0;
    /// Memory flag: prefetchable.
    pub const CM_RESOURCE_MEMORY_PREFETCHABLE: u16 = 4;
    /// Memory flag: assigned to a base address register.
    pub const CM_RESOURCE_MEMORY_BAR: u16 = 128;
    /// Memory flag: the length is in units of 256 bytes.
    pub const CM_RESOURCE_MEMORY_LARGE_40: u16 = 0x200;
    /// Memory flag: the length is in units of 64 KiB.
    pub const CM_RESOURCE_MEMORY_LARGE_48: u16 = 0x400;
    /// Memory flag: the length is in units of 4 GiB.
    pub const CM_RESOURCE_MEMORY_LARGE_64: u16 = 0x800;
    /// Interrupt flag: level-triggered.
    pub const CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE: u16 = 0;
    /// Interrupt flag: edge-triggered.
    pub const CM_RESOURCE_INTERRUPT_LATCHED: u16 = 1;
    /// Interrupt flag: message-signalled.
    pub const CM_RESOURCE_INTERRUPT_MESSAGE: u16 = 2;
}

abi! {
    /// A memory descriptor list: a buffer and, right behind this head, its page frame numbers (8 bytes each).
    pub struct MDL {
        /// The next list of a chain.
        Next: *mut MDL,
        /// Bytes of this head and the page frame numbers.
        Size: i16,
        MdlFlags: i16,
        Process: PVOID,
        MappedSystemVa: PVOID,
        /// The buffer's address, rounded down to a page.
        StartVa: PVOID,
        /// Bytes that the list describes.
        ByteCount: u32,
        /// Bytes from the start of the first page.
        ByteOffset: u32,
    }

    /// `Generic` of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR_GENERIC {
        Start: PHYSICAL_ADDRESS,
        Length: u32,
    }

    /// `Port` of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR_PORT {
        Start: PHYSICAL_ADDRESS,
        Length: u32,
    }

    /// `Interrupt` of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR_INTERRUPT {
        Level: u16,
        Group: u16,
        Vector: u32,
        Affinity: u64,
    }

    /// `Raw` of [`CM_PARTIAL_RESOURCE_DESCRIPTOR_MESSAGEINTERRUPT`].
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR_MESSAGEINTERRUPT_RAW {
        Group: u16,
        MessageCount: u16,
        Vector: u32,
        Affinity: u64,
    }

    /// `Translated` of [`CM_PARTIAL_RESOURCE_DESCRIPTOR_MESSAGEINTERRUPT`].
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR_MESSAGEINTERRUPT_TRANSLATED {
        Level: u16,
        Group: u16,
        Vector: u32,
        Affinity: u64,
    }

    /// The anonymous union of [`CM_PARTIAL_RESOURCE_DESCRIPTOR_MESSAGEINTERRUPT`].
    pub union CM_PARTIAL_RESOURCE_DESCRIPTOR_MESSAGEINTERRUPT_U {
        Raw: CM_PARTIAL_RESOURCE_DESCRIPTOR_MESSAGEINTERRUPT_RAW,
        Translated: CM_PARTIAL_RESOURCE_DESCRIPTOR_MESSAGEINTERRUPT_TRANSLATED,
    }

    /// `MessageInterrupt` of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR_MESSAGEINTERRUPT {
        u: CM_PARTIAL_RESOURCE_DESCRIPTOR_MESSAGEINTERRUPT_U,
    }

    /// `Memory` of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR_MEMORY {
        Start: PHYSICAL_ADDRESS,
        /// In bytes.
        Length: u32,
    }

    /// `Dma` of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR_DMA {
        Channel: u32,
        Port: u32,
        Reserved1: u32,
    }

    /// `DmaV3` of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR_DMAV3 {
        Channel: u32,
        RequestLine: u32,
        TransferWidth: u8,
        Reserved1: u8,
        Reserved2: u8,
        Reserved3: u8,
    }

    /// `DevicePrivate` of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR_DEVICEPRIVATE {
        Data: [u32; 3],
    }

    /// `BusNumber` of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR_BUSNUMBER {
        Start: u32,
        Length: u32,
        Reserved: u32,
    }

    /// `DeviceSpecificData` of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR_DEVICESPECIFICDATA {
        DataSize: u32,
        Reserved1: u32,
        Reserved2: u32,
    }

    /// `Memory40` of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR_MEMORY40 {
        Start: PHYSICAL_ADDRESS,
        Length40: u32,
    }

    /// `Memory48` of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR_MEMORY48 {
        Start: PHYSICAL_ADDRESS,
        Length48: u32,
    }

    /// `Memory64` of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR_MEMORY64 {
        Start: PHYSICAL_ADDRESS,
        Length64: u32,
    }

    /// `Connection` of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR_CONNECTION {
        Class: u8,
        Type: u8,
        Reserved1: u8,
        Reserved2: u8,
        IdLowPart: u32,
        IdHighPart: u32,
    }

    /// The anonymous union of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
    pub union CM_PARTIAL_RESOURCE_DESCRIPTOR_U {
        Generic: CM_PARTIAL_RESOURCE_DESCRIPTOR_GENERIC,
        Port: CM_PARTIAL_RESOURCE_DESCRIPTOR_PORT,
        Interrupt: CM_PARTIAL_RESOURCE_DESCRIPTOR_INTERRUPT,
        MessageInterrupt: CM_PARTIAL_RESOURCE_DESCRIPTOR_MESSAGEINTERRUPT,
        Memory: CM_PARTIAL_RESOURCE_DESCRIPTOR_MEMORY,
        Dma: CM_PARTIAL_RESOURCE_DESCRIPTOR_DMA,
        DmaV3: CM_PARTIAL_RESOURCE_DESCRIPTOR_DMAV3,
        DevicePrivate: CM_PARTIAL_RESOURCE_DESCRIPTOR_DEVICEPRIVATE,
        BusNumber: CM_PARTIAL_RESOURCE_DESCRIPTOR_BUSNUMBER,
        DeviceSpecificData: CM_PARTIAL_RESOURCE_DESCRIPTOR_DEVICESPECIFICDATA,
        Memory40: CM_PARTIAL_RESOURCE_DESCRIPTOR_MEMORY40,
        Memory48: CM_PARTIAL_RESOURCE_DESCRIPTOR_MEMORY48,
        Memory64: CM_PARTIAL_RESOURCE_DESCRIPTOR_MEMORY64,
        Connection: CM_PARTIAL_RESOURCE_DESCRIPTOR_CONNECTION,
    }

    /// One hardware resource. Packed to 4 bytes in the header.
    pub packed4 CM_PARTIAL_RESOURCE_DESCRIPTOR {
        /// One of the `CmResourceType` numbers.
        Type: u8,
        ShareDisposition: u8,
        Flags: u16,
        u: CM_PARTIAL_RESOURCE_DESCRIPTOR_U,
    }

    /// Resources of one device, of variable length.
    pub packed4 CM_PARTIAL_RESOURCE_LIST {
        Version: u16,
        Revision: u16,
        Count: u32,
        PartialDescriptors: [CM_PARTIAL_RESOURCE_DESCRIPTOR; 1],
    }

    /// Resources of one device on one bus.
    pub packed4 CM_FULL_RESOURCE_DESCRIPTOR {
        InterfaceType: i32,
        BusNumber: u32,
        PartialResourceList: CM_PARTIAL_RESOURCE_LIST,
    }

    /// Resources as the Plug and Play manager assigns them, of variable length.
    pub packed4 CM_RESOURCE_LIST {
        Count: u32,
        List: [CM_FULL_RESOURCE_DESCRIPTOR; 1],
    }
}
