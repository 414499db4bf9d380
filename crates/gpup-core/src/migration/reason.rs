//! Why migration data is refused, in words for the triage event.

use core::fmt;

use crate::Error;

/// What of the source does not fit the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// PCI vendor or device id.
    DeviceId,
    /// Silicon revision.
    Revision,
    /// Firmware major version.
    Firmware,
    /// Driver or format major version.
    DriverVersion,
    /// Page size of the dirty plane.
    DirtyPageSize,
    /// Bytes of the VF's VRAM.
    VramSize,
    /// The vGPU profile.
    Profile,
    /// A mandatory record this driver does not know.
    UnknownRecord,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DeviceId => "device id",
            Self::Revision => "revision",
            Self::Firmware => "firmware version",
            Self::DriverVersion => "driver version",
            Self::DirtyPageSize => "dirty page size",
            Self::VramSize => "VRAM size",
            Self::Profile => "vGPU profile",
            Self::UnknownRecord => "unknown mandatory record",
        })
    }
}

/// How migration data is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It ends before its length says.
    Truncated,
    /// It does not begin as migration data does.
    BadMagic,
    /// A record's or the whole's checksum is wrong.
    Checksum,
    /// A length is impossible.
    BadLength,
    /// A record comes twice or out of order.
    BadOrder,
    /// A mandatory record is missing.
    Missing,
    /// A value inside a record is outside its limits.
    BadValue,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "truncated",
            Self::BadMagic => "not migration data",
            Self::Checksum => "wrong checksum",
            Self::BadLength => "impossible length",
            Self::BadOrder => "records repeated or out of order",
            Self::Missing => "a mandatory record is missing",
            Self::BadValue => "a value is outside its limits",
        })
    }
}

impl From<Mismatch> for Error {
    fn from(mismatch: Mismatch) -> Self {
        Self::Incompatible(mismatch)
    }
}

impl From<Damage> for Error {
    fn from(damage: Damage) -> Self {
        Self::Corrupt(damage)
    }
}
