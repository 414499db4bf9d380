//! Scalars, identifiers and addresses that every family uses.

use core::ffi::c_void;

use crate::macros::{abi, bits, opaque, open_enum};

/// An opaque handle.
pub type HANDLE = *mut c_void;
/// A pointer to anything.
pub type PVOID = *mut c_void;
/// A byte that is zero for false.
pub type BOOLEAN = u8;
/// A 32-bit integer that is zero for false.
pub type BOOL = i32;
/// A size or offset in bytes, pointer-wide.
pub type SIZE_T = usize;
/// A signed 64-bit integer.
pub type LARGE_INTEGER = i64;
/// A physical address, as its 64-bit `QuadPart`.
pub type PHYSICAL_ADDRESS = LARGE_INTEGER;
/// The id of a COM class.
pub type CLSID = GUID;
/// A handle of the kernel's graphics handle table; 4 bytes, zero is none.
pub type D3DKMT_HANDLE = u32;
/// An address in a GPU virtual address space.
pub type D3DGPU_VIRTUAL_ADDRESS = u64;

/// True, as the headers spell it.
pub const TRUE: BOOLEAN = 1;
/// False, as the headers spell it.
pub const FALSE: BOOLEAN = 0;

/// A callback whose signature is unknown or belongs to the display: a slot for it is normally empty.
pub type UnknownCallback = ddi_type!(unsafe fn());

opaque! {
    /// A device object of the kernel.
    pub struct DEVICE_OBJECT;

    /// A driver object of the kernel.
    pub struct DRIVER_OBJECT;

    /// A request of the old video port interface.
    pub struct VIDEO_REQUEST_PACKET;

    /// Input of an ACPI method, of variable length.
    pub struct ACPI_EVAL_INPUT_BUFFER_COMPLEX;

    /// Output of an ACPI method, of variable length.
    pub struct ACPI_EVAL_OUTPUT_BUFFER;

    /// Head of a diagnostic record.
    pub struct DXGK_DIAGNOSTIC_HEADER;

    /// Flags of display ownership, on no published page.
    pub struct DXGK_DISPLAY_OWNERSHIP_FLAGS;
}

impl UNICODE_STRING {
    /// A string over UTF-16 units that stay where they are; the terminator is not counted.
    ///
    /// # Panics
    /// If the text is longer than 32767 units.
    pub const fn from_units(units: &'static [u16]) -> Self {
        let bytes = units.len() * 2;
        assert!(bytes <= u16::MAX as usize, "too long for a UNICODE_STRING");
        Self { Length: bytes as u16, MaximumLength: bytes as u16, Buffer: units.as_ptr().cast_mut() }
    }
}

impl GUID {
    /// A GUID from its usual notation read as one number: `0x462BC153_40EB_484A_8168_9972E3CD5AEF`.
    pub const fn from_u128(value: u128) -> Self {
        Self {
            Data1: (value >> 96) as u32,
            Data2: (value >> 80) as u16,
            Data3: (value >> 64) as u16,
            Data4: (value as u64).to_be_bytes(),
        }
    }
}

impl core::fmt::Display for GUID {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let tail = u64::from_be_bytes(self.Data4);
        let (node, clock) = (tail & 0xFFFF_FFFF_FFFF, tail >> 48);
        write!(f, "{:08X}-{:04X}-{:04X}-{clock:04X}-{node:012X}", self.Data1, self.Data2, self.Data3)
    }
}

open_enum! {
    /// Power states of a device: D0 is fully on.
    pub enum DEVICE_POWER_STATE {
        PowerDeviceUnspecified = 0,
        PowerDeviceD0 = 1,
        PowerDeviceD1 = 2,
        PowerDeviceD2 = 3,
        PowerDeviceD3 = 4,
        PowerDeviceMaximum = 5,
    }

    /// How the CPU caches memory that Dxgkrnl allocates for a driver.
    pub enum DXGK_MEMORY_CACHING_TYPE {
        DXGK_MEMORY_CACHING_TYPE_NON_CACHED = 0,
        DXGK_MEMORY_CACHING_TYPE_CACHED = 1,
        DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED = 2,
    }

    /// Why the power state changes.
    pub enum POWER_ACTION {
        PowerActionNone = 0,
        PowerActionReserved = 1,
        PowerActionSleep = 2,
        PowerActionHibernate = 3,
        PowerActionShutdown = 4,
        PowerActionShutdownReset = 5,
        PowerActionShutdownOff = 6,
        PowerActionWarmEject = 7,
        PowerActionDisplayOff = 8,
    }

    /// How the CPU caches a mapping.
    pub enum MEMORY_CACHING_TYPE {
        MmNonCached = 0,
        MmCached = 1,
        MmWriteCombined = 2,
        MmHardwareCoherentCached = 3,
        MmNonCachedUnordered = 4,
        MmUSWCCached = 5,
        MmMaximumCacheType = 6,
        MmNotMapped = -1,
    }
}

bits! {
    /// What an address descriptor list looks like.
    pub struct DXGK_ADL_FLAGS: u32 [Value] {
        Contiguous = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// Rights of a GPU virtual address range.
    pub struct D3DDDIGPUVIRTUALADDRESS_PROTECTION_TYPE: u64 [Value] {
        Write = 0,
        Execute = 1,
        Zero = 2,
        NoAccess = 3,
        SystemUseOnly = 4,
    } reserved {
        Reserved = 5: 59,
    }
}

abi! {
    /// A range of a segment. Both members are multiples of the segment's dirty-tracking page.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_MEMORYRANGE {
        /// Bytes from the start of the segment.
        SegmentOffset: u64,
        SizeInBytes: u64,
    }

    /// An address in a segment.
    #[derive(PartialEq, Eq)]
    pub struct D3DGPU_PHYSICAL_ADDRESS {
        /// 0 is system memory.
        SegmentId: u32,
        Padding: u32,
        /// In bytes.
        SegmentOffset: u64,
    }

    /// A fraction.
    pub struct D3DDDI_RATIONAL {
        Numerator: u32,
        Denominator: u32,
    }

    /// The anonymous union of [`DXGK_ADL`].
    pub union DXGK_ADL_U {
        /// The first page, if they are contiguous.
        BasePageNumber: u64,
        /// All page numbers, if they are not.
        Pages: *mut u64,
    }

    /// An address descriptor list: system pages, contiguous or listed one by one.
    pub struct DXGK_ADL {
        PageCount: u32,
        Flags: DXGK_ADL_FLAGS,
        u: DXGK_ADL_U,
    }

    /// A globally unique identifier.
    #[derive(PartialEq, Eq, Hash)]
    pub struct GUID {
        Data1: u32,
        Data2: u16,
        Data3: u16,
        Data4: [u8; 8],
    }

    /// An identifier that is unique until the next boot.
    #[derive(PartialEq, Eq, Hash)]
    pub struct LUID {
        LowPart: u32,
        HighPart: i32,
    }

    /// A counted UTF-16 string.
    pub struct UNICODE_STRING {
        /// Bytes in use.
        Length: u16,
        /// Bytes of room.
        MaximumLength: u16,
        Buffer: *mut u16,
    }
}
