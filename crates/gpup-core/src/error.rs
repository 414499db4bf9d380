//! What can go wrong in the adapter, in the adapter's own words.

use core::fmt;

/// Result of an operation of the adapter.
pub type Result<T> = core::result::Result<T, Error>;

/// Why an operation was refused. Every refusal leaves the adapter as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// No VF has this index.
    UnknownVf,
    /// The VF, adapter or migration is not in a state that allows the operation.
    WrongState,
    /// A migration is under way on this VF already.
    Busy,
    /// An offset or a size is not a multiple of what the device demands.
    Misaligned,
    /// A range reaches outside the memory, the basis or the table it names.
    OutOfRange,
    /// The caller's buffer is too small; nothing was written.
    BufferTooSmall,
    /// A handle names nothing that lives.
    StaleHandle,
    /// An argument is none of the values the operation knows.
    InvalidParameter,
    /// Memory or another resource ran out.
    NoResources,
    /// The operation is not offered by this device.
    NotSupported,
    /// The segment has no dirty tracking.
    NotTracked,
    /// Migration data does not fit this device, firmware, driver or VF.
    Incompatible(crate::migration::Mismatch),
    /// Migration data is damaged.
    Corrupt(crate::migration::Damage),
    /// The device did not answer in time.
    Timeout,
    /// The device is gone.
    Removed,
    /// The caller has no right to ask this.
    Denied,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownVf => f.write_str("no VF has this index"),
            Self::WrongState => f.write_str("not allowed in the present state"),
            Self::Busy => f.write_str("a migration of this VF is under way"),
            Self::Misaligned => f.write_str("offset or size is not aligned"),
            Self::OutOfRange => f.write_str("range reaches outside"),
            Self::BufferTooSmall => f.write_str("buffer too small"),
            Self::StaleHandle => f.write_str("handle names nothing that lives"),
            Self::InvalidParameter => f.write_str("invalid parameter"),
            Self::NoResources => f.write_str("out of resources"),
            Self::NotSupported => f.write_str("not supported by this device"),
            Self::NotTracked => f.write_str("the segment has no dirty tracking"),
            Self::Incompatible(mismatch) => write!(f, "incompatible migration data: {mismatch}"),
            Self::Corrupt(damage) => write!(f, "damaged migration data: {damage}"),
            Self::Timeout => f.write_str("the device did not answer in time"),
            Self::Removed => f.write_str("the device is gone"),
            Self::Denied => f.write_str("for administrators only"),
        }
    }
}

impl core::error::Error for Error {}
