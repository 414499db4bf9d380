//! The stream that migration data travels in: a header, checked records, a checksum over them all.
//!
//! ```text
//! header, 32 bytes   0 magic "GPUPVFMS"   8 major u16   10 minor u16   12 kind u8   13 zero u8 x 3
//!                   16 bytes of the stream u64         24 records u32  28 crc32c of bytes 0..28
//! record, 24 bytes   0 type u16   2 version u16   4 flags u16   6 zero u16   8 bytes of payload u64
//!                   16 crc32c of the payload u32   20 crc32c of bytes 0..20 u32   24 payload
//! trailer, 4 bytes   0 crc32c of the header and of every record header
//! ```
//! All values are little-endian. A record header carries its payload's checksum and the trailer covers
//! every record header, so the trailer vouches for every byte while each byte is summed once. The layout
//! of header, record header and trailer is the same in every major version.
//!
//! # What a reader makes of a stream
//! | the stream | answer |
//! |---|---|
//! | begins otherwise | `Corrupt(BadMagic)` |
//! | ends before its length says, at any byte | `Corrupt(Truncated)` |
//! | bytes after its end, a record past its end, records short of its end | `Corrupt(BadLength)` |
//! | any bit changed | refused, as a rule `Corrupt(Checksum)` |
//! | types not strictly ascending (reordered, repeated) | `Corrupt(BadOrder)` |
//! | of the other kind; reserved bytes not zero; record version 0 | `Corrupt(BadValue)` |
//! | another major version | `Incompatible(DriverVersion)` |
//! | an unknown record, optional | skipped |
//! | an unknown record, [`MANDATORY`] | `Incompatible(UnknownRecord)` |
//! | a record with a flag nobody knows | `Incompatible(UnknownRecord)` |
//! | a known record, newer version | its known fields are read, what follows them is ignored |
//! | a known record, older version | the fields it lacks take their defaults |
//! | a known record, same version, other length | `Corrupt(BadLength)` |
//!
//! # Changing the format
//! A new field goes to the end of its record and raises that record's version; a new record is
//! [`MANDATORY`] only if a VF restored without it is wrong; both raise the minor version. A field never
//! changes its meaning. Anything else raises the major version, and hosts of two major versions do not
//! exchange VFs.
//!
//! # Checksum
//! CRC-32C by the `crc` crate, which is `no_std` and works by table (16 KiB in read-only data): no
//! instruction set is probed for, so it runs in a kernel that may not touch AVX.

mod fields;
mod reader;
mod writer;

use core::fmt;

use crc::{CRC_32_ISCSI, Crc, Table};

pub use fields::Fields;
pub use reader::{Header, Reader, Record};
pub use writer::{Payload, Tag, Writer, stream_bytes};

/// First bytes of a stream.
pub const MAGIC: [u8; 8] = *b"GPUPVFMS";
/// Bytes of the stream header.
pub const HEADER_BYTES: usize = 32;
/// Bytes of a record header.
pub const RECORD_HEADER_BYTES: usize = 24;
/// Bytes of the trailer.
pub const TRAILER_BYTES: usize = 4;
/// Record flag: a reader that does not know the record must refuse the stream.
pub const MANDATORY: u16 = 1;

/// CRC-32C, sixteen bytes a step.
type Checksum = Crc<u32, Table<16>>;
/// CRC-32C under way.
type Digest = crc::Digest<'static, u32, Table<16>>;
static CHECKSUM: Checksum = Checksum::new(&CRC_32_ISCSI);

/// Version of the stream format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatVersion {
    /// Streams of another major version are refused.
    pub major: u16,
    /// Raised by a new record or a new field.
    pub minor: u16,
}

impl FormatVersion {
    /// What this driver writes.
    pub const CURRENT: Self = Self { major: 1, minor: 1 };
}

impl fmt::Display for FormatVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Which of the two streams of a migration this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum StreamKind {
    /// [`super::immutable`].
    Immutable = 1,
    /// [`super::mutable`].
    Mutable = 2,
}

impl fmt::Display for StreamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Immutable => "immutable",
            Self::Mutable => "mutable",
        })
    }
}
