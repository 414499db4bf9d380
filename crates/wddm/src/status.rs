//! Status codes: the type, and those that a graphics miniport gives or meets.

use crate::layout::ConstantValue;
use crate::zeroed::Zeroed;

/// What a call came to. Negative values are failures.
#[repr(transparent)]
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[must_use]
pub struct NTSTATUS(pub i32);

impl Zeroed for NTSTATUS {
    const ZERO: Self = Self(0);
}

impl NTSTATUS {
    /// Whether it is a success or an informational value, as the `NT_SUCCESS` macro has it.
    pub const fn is_success(self) -> bool {
        self.0 >= 0
    }

    /// Whether it is an error: the severity in the top two bits is three.
    pub const fn is_error(self) -> bool {
        (self.0 as u32) >> 30 == 3
    }

    /// The header's name, if this crate knows it.
    pub fn name(self) -> Option<&'static str> {
        CONSTANTS.iter().find(|known| known.value == u64::from(self.0 as u32)).map(|known| known.name)
    }
}

impl core::fmt::Display for NTSTATUS {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "NTSTATUS({:#010X})", self.0),
        }
    }
}

impl core::fmt::Debug for NTSTATUS {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

/// Declares the codes and this module's table of them.
macro_rules! statuses {
    ($( $(#[$meta:meta])* pub const $name:ident = $value:literal; )*) => {
        $( $(#[$meta])* pub const $name: NTSTATUS = NTSTATUS($value as u32 as i32); )*

        /// Status codes of this module.
        pub(crate) const CONSTANTS: &[ConstantValue] =
            &[ $( ConstantValue { name: stringify!($name), value: $value } ),* ];
    };
}

statuses! {
    /// It worked.
    pub const STATUS_SUCCESS = 0;

    /// A wait ran out of time.
    pub const STATUS_TIMEOUT = 0x0000_0102;

    /// It will be completed later.
    pub const STATUS_PENDING = 0x0000_0103;

    /// The answer is longer than the buffer; the length needed was given.
    pub const STATUS_BUFFER_OVERFLOW = 0x8000_0005;

    /// The device is busy.
    pub const STATUS_DEVICE_BUSY = 0x8000_0011;

    /// It failed, without a reason.
    pub const STATUS_UNSUCCESSFUL = 0xC000_0001;

    /// Not implemented.
    pub const STATUS_NOT_IMPLEMENTED = 0xC000_0002;

    /// Not a known class of information.
    pub const STATUS_INVALID_INFO_CLASS = 0xC000_0003;

    /// The length does not belong to the class of information.
    pub const STATUS_INFO_LENGTH_MISMATCH = 0xC000_0004;

    /// A pointer leads nowhere.
    pub const STATUS_ACCESS_VIOLATION = 0xC000_0005;

    /// No such handle.
    pub const STATUS_INVALID_HANDLE = 0xC000_0008;

    /// A parameter is wrong.
    pub const STATUS_INVALID_PARAMETER = 0xC000_000D;

    /// No such device.
    pub const STATUS_NO_SUCH_DEVICE = 0xC000_000E;

    /// Not a request for this device in this state.
    pub const STATUS_INVALID_DEVICE_REQUEST = 0xC000_0010;

    /// Out of memory or address space.
    pub const STATUS_NO_MEMORY = 0xC000_0017;

    /// Not allowed.
    pub const STATUS_ACCESS_DENIED = 0xC000_0022;

    /// The buffer is too small; nothing was written.
    pub const STATUS_BUFFER_TOO_SMALL = 0xC000_0023;

    /// The object is of another type: here, migration data that does not fit this adapter.
    pub const STATUS_OBJECT_TYPE_MISMATCH = 0xC000_0024;

    /// No object has that name.
    pub const STATUS_OBJECT_NAME_NOT_FOUND = 0xC000_0034;

    /// The data is damaged.
    pub const STATUS_DATA_ERROR = 0xC000_003E;

    /// A checksum is wrong.
    pub const STATUS_CRC_ERROR = 0xC000_003F;

    /// It is being deleted.
    pub const STATUS_DELETE_PENDING = 0xC000_0056;

    /// The revisions do not fit together.
    pub const STATUS_REVISION_MISMATCH = 0xC000_0059;

    /// A number does not fit.
    pub const STATUS_INTEGER_OVERFLOW = 0xC000_0095;

    /// Out of a resource.
    pub const STATUS_INSUFFICIENT_RESOURCES = 0xC000_009A;

    /// The device is not ready.
    pub const STATUS_DEVICE_NOT_READY = 0xC000_00A3;

    /// The device did not answer in time.
    pub const STATUS_IO_TIMEOUT = 0xC000_00B5;

    /// Not supported.
    pub const STATUS_NOT_SUPPORTED = 0xC000_00BB;

    /// The first parameter is wrong.
    pub const STATUS_INVALID_PARAMETER_1 = 0xC000_00EF;

    /// The second parameter is wrong.
    pub const STATUS_INVALID_PARAMETER_2 = 0xC000_00F0;

    /// The driver is already loaded.
    pub const STATUS_IMAGE_ALREADY_LOADED = 0xC000_010E;

    /// It was cancelled.
    pub const STATUS_CANCELLED = 0xC000_0120;

    /// The device is in the wrong state for it.
    pub const STATUS_INVALID_DEVICE_STATE = 0xC000_0184;

    /// The device failed.
    pub const STATUS_IO_DEVICE_ERROR = 0xC000_0185;

    /// There is no such thing.
    pub const STATUS_NOT_FOUND = 0xC000_0225;

    /// Ask again.
    pub const STATUS_RETRY = 0xC000_022D;

    /// The device is gone.
    pub const STATUS_DEVICE_REMOVED = 0xC000_02B6;

    /// The caller does not own the exclusive mode.
    pub const STATUS_GRAPHICS_NOT_EXCLUSIVE_MODE_OWNER = 0xC01E_0000;

    /// The DMA buffer is full: call again with a new one and the same `MultipassOffset`.
    pub const STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER = 0xC01E_0001;

    /// The adapter is not valid.
    pub const STATUS_GRAPHICS_INVALID_DISPLAY_ADAPTER = 0xC01E_0002;

    /// The adapter was reset.
    pub const STATUS_GRAPHICS_ADAPTER_WAS_RESET = 0xC01E_0003;

    /// The driver is of another model.
    pub const STATUS_GRAPHICS_INVALID_DRIVER_MODEL = 0xC01E_0004;

    /// The user-mode and the kernel-mode driver do not fit together.
    pub const STATUS_GRAPHICS_DRIVER_MISMATCH = 0xC01E_0009;

    /// Out of video memory.
    pub const STATUS_GRAPHICS_NO_VIDEO_MEMORY = 0xC01E_0100;

    /// The memory cannot be locked.
    pub const STATUS_GRAPHICS_CANT_LOCK_MEMORY = 0xC01E_0101;

    /// The allocation is in use: try again later.
    pub const STATUS_GRAPHICS_ALLOCATION_BUSY = 0xC01E_0102;

    /// Too many references to the allocation.
    pub const STATUS_GRAPHICS_TOO_MANY_REFERENCES = 0xC01E_0103;

    /// Try again later.
    pub const STATUS_GRAPHICS_TRY_AGAIN_LATER = 0xC01E_0104;

    /// Try again at once.
    pub const STATUS_GRAPHICS_TRY_AGAIN_NOW = 0xC01E_0105;

    /// The allocation is not valid.
    pub const STATUS_GRAPHICS_ALLOCATION_INVALID = 0xC01E_0106;

    /// The allocation is not meant for this use.
    pub const STATUS_GRAPHICS_INVALID_ALLOCATION_USAGE = 0xC01E_0110;

    /// The allocation was closed.
    pub const STATUS_GRAPHICS_ALLOCATION_CLOSED = 0xC01E_0112;

    /// Not an instance of the allocation.
    pub const STATUS_GRAPHICS_INVALID_ALLOCATION_INSTANCE = 0xC01E_0113;

    /// Not a handle of an allocation.
    pub const STATUS_GRAPHICS_INVALID_ALLOCATION_HANDLE = 0xC01E_0114;

    /// The GPU failed while working for this device.
    pub const STATUS_GRAPHICS_GPU_EXCEPTION_ON_DEVICE = 0xC01E_0200;
}
