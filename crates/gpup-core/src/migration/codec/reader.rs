//! Reading a stream: nothing in it is believed before it is checked.

use super::{
    CHECKSUM, Digest, Fields, FormatVersion, HEADER_BYTES, MAGIC, MANDATORY, RECORD_HEADER_BYTES, StreamKind,
    TRAILER_BYTES, Tag,
};
use crate::Result;
use crate::migration::{Damage, Mismatch};

/// What the first bytes of a stream say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which stream it is.
    pub kind: StreamKind,
    /// The format its writer used.
    pub format: FormatVersion,
    /// Bytes of the stream, header and trailer included.
    pub bytes: u64,
    /// Records in it.
    pub records: u32,
}

impl Header {
    /// Reads and checks the header alone; `bytes` may be cut anywhere behind it.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let shown = bytes.len().min(MAGIC.len());
        if bytes[..shown] != MAGIC[..shown] {
            return Err(Damage::BadMagic.into());
        }
        let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(Damage::Truncated.into());
        };
        let u16_at = |at| u16::from_le_bytes(array(header, at));
        if CHECKSUM.checksum(&header[..28]) != u32::from_le_bytes(array(header, 28)) {
            return Err(Damage::Checksum.into());
        }
        let format = FormatVersion { major: u16_at(8), minor: u16_at(10) };
        if format.major != FormatVersion::CURRENT.major {
            return Err(Mismatch::DriverVersion.into());
        }
        let kind = match header[12] {
            1 => StreamKind::Immutable,
            2 => StreamKind::Mutable,
            _ => return Err(Damage::BadValue.into()),
        };
        if header[13..16] != [0; 3] {
            return Err(Damage::BadValue.into());
        }
        let total = u64::from_le_bytes(array(header, 16));
        Ok(Self { kind, format, bytes: total, records: u32::from_le_bytes(array(header, 24)) })
    }
}

/// One record, its checksums right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Type, version and flags.
    pub tag: Tag,
    /// The payload.
    pub payload: &'a [u8],
}

impl<'a> Record<'a> {
    /// Its fields, for a reader that knows versions up to `known`.
    ///
    /// # Errors
    /// A flag nobody knows says something about the record that this reader would miss.
    pub fn fields(&self, known: u16) -> core::result::Result<Fields<'a>, Mismatch> {
        if self.tag.flags & !MANDATORY == 0 {
            Ok(Fields::new(self, known))
        } else {
            Err(Mismatch::UnknownRecord)
        }
    }

    /// What a reader that does not know the type does with it: skip it if it may.
    pub fn skip(&self) -> core::result::Result<(), Mismatch> {
        if self.tag.flags == 0 { Ok(()) } else { Err(Mismatch::UnknownRecord) }
    }
}

/// The records of a stream, each checked as it comes; ends behind the first that is damaged.
///
/// Past the last record it checks the trailer, so a walk to the end without an error has checked every
/// byte, each once. Whoever decodes keeps what it reads aside until then.
#[derive(Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    header: Header,
    at: usize,
    index: u32,
    last: Option<u16>,
    digest: Digest,
    over: bool,
}

impl<'a> Reader<'a> {
    /// Opens `bytes`, which must be one whole stream of this kind and nothing else.
    pub fn open(bytes: &'a [u8], kind: StreamKind) -> Result<Self> {
        let header = Header::parse(bytes)?;
        if header.kind != kind {
            return Err(Damage::BadValue.into());
        }
        // A cut is told before megabytes are summed.
        if (bytes.len() as u64) < header.bytes {
            return Err(Damage::Truncated.into());
        }
        Ok(Self::new(bytes, header))
    }

    /// The records of `bytes` as far as they go; `header` was read from it.
    pub fn new(bytes: &'a [u8], header: Header) -> Self {
        let mut digest = CHECKSUM.digest();
        digest.update(&bytes[..HEADER_BYTES.min(bytes.len())]);
        Self { bytes, header, at: HEADER_BYTES, index: 0, last: None, digest, over: false }
    }

    /// The stream's header.
    pub fn header(&self) -> Header {
        self.header
    }

    /// Number of the record that comes next, and its type if its header can be read at all.
    pub fn upcoming(&self) -> (u32, Option<u16>) {
        let header = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<2>());
        let kind = header.filter(|_| self.index < self.header.records).map(|kind| u16::from_le_bytes(*kind));
        (self.index, kind)
    }

    /// The next `length` bytes of the stream.
    fn take(&mut self, length: u64) -> core::result::Result<&'a [u8], Damage> {
        let end = (self.at as u64).checked_add(length).ok_or(Damage::BadLength)?;
        if end > self.header.bytes {
            return Err(Damage::BadLength);
        }
        // Where the length is no usize, so many bytes cannot be here.
        let end = usize::try_from(end).map_err(|_| Damage::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(Damage::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    fn record(&mut self) -> core::result::Result<Record<'a>, Damage> {
        let header = self.take(RECORD_HEADER_BYTES as u64)?;
        if CHECKSUM.checksum(&header[..20]) != u32::from_le_bytes(array(header, 20)) {
            return Err(Damage::Checksum);
        }
        let u16_at = |at| u16::from_le_bytes(array(header, at));
        let tag = Tag { kind: u16_at(0), version: u16_at(2), flags: u16_at(4) };
        if tag.version == 0 || u16_at(6) != 0 {
            return Err(Damage::BadValue);
        }
        if self.last.is_some_and(|last| last >= tag.kind) {
            return Err(Damage::BadOrder);
        }
        let payload = self.take(u64::from_le_bytes(array(header, 8)))?;
        if CHECKSUM.checksum(payload) != u32::from_le_bytes(array(header, 16)) {
            return Err(Damage::Checksum);
        }
        self.digest.update(header);
        self.last = Some(tag.kind);
        self.index += 1;
        Ok(Record { tag, payload })
    }

    fn trailer(&mut self) -> core::result::Result<(), Damage> {
        let trailer = self.take(TRAILER_BYTES as u64)?;
        if self.digest.clone().finalize() != u32::from_le_bytes(array(trailer, 0)) {
            return Err(Damage::Checksum);
        }
        if self.at as u64 != self.header.bytes || self.at != self.bytes.len() {
            return Err(Damage::BadLength);
        }
        Ok(())
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = core::result::Result<Record<'a>, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let at = self.at;
        let item = if self.index < self.header.records {
            Some(self.record())
        } else {
            self.over = true;
            self.trailer().err().map(Err)
        };
        if let Some(Err(_)) = item {
            self.over = true;
            self.at = at;
        }
        item
    }
}

/// `N` bytes at `at`, which the caller knows to be there.
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    core::array::from_fn(|i| bytes[at + i])
}
