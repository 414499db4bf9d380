//! Writing a stream into the caller's buffer, without a byte allocated.

use super::{
    CHECKSUM, Digest, FormatVersion, HEADER_BYTES, MAGIC, MANDATORY, RECORD_HEADER_BYTES, StreamKind,
    TRAILER_BYTES,
};
use crate::{Error, Result};

/// Bytes of a stream whose records have payloads of these sizes.
pub fn stream_bytes(payloads: impl IntoIterator<Item = u64>) -> u64 {
    payloads.into_iter().fold((HEADER_BYTES + TRAILER_BYTES) as u64, |sum, bytes| {
        sum.saturating_add(bytes).saturating_add(RECORD_HEADER_BYTES as u64)
    })
}

/// What stands in a record's header beside its length and checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Type of the record: its place in the stream.
    pub kind: u16,
    /// Version of the record: which fields it has.
    pub version: u16,
    /// [`MANDATORY`] or 0.
    pub flags: u16,
}

impl Tag {
    /// A record without which the VF would be wrong.
    pub const fn mandatory(kind: u16, version: u16) -> Self {
        Self { kind, version, flags: MANDATORY }
    }

    /// A record that a reader may do without.
    pub const fn optional(kind: u16, version: u16) -> Self {
        Self { kind, version, flags: 0 }
    }
}

/// Writes a stream whose length and number of records are known beforehand.
pub struct Writer<'a> {
    out: &'a mut [u8],
    at: usize,
    records_left: u32,
    last: Option<u16>,
    digest: Digest,
}

impl<'a> Writer<'a> {
    /// Begins a stream of `bytes` bytes with `records` records in `out`, which may be larger.
    ///
    /// # Errors
    /// [`Error::BufferTooSmall`] if `out` is smaller; nothing is written then.
    pub fn new(
        out: &'a mut [u8],
        kind: StreamKind,
        format: FormatVersion,
        records: u32,
        bytes: u64,
    ) -> Result<Self> {
        let length = usize::try_from(bytes).map_err(|_| Error::BufferTooSmall)?;
        let out = out.get_mut(..length).ok_or(Error::BufferTooSmall)?;
        if length < HEADER_BYTES + TRAILER_BYTES {
            return Err(Error::InvalidParameter);
        }
        let header = &mut out[..HEADER_BYTES];
        header[0..8].copy_from_slice(&MAGIC);
        header[8..10].copy_from_slice(&format.major.to_le_bytes());
        header[10..12].copy_from_slice(&format.minor.to_le_bytes());
        header[12..16].copy_from_slice(&[kind as u8, 0, 0, 0]);
        header[16..24].copy_from_slice(&bytes.to_le_bytes());
        header[24..28].copy_from_slice(&records.to_le_bytes());
        let sum = CHECKSUM.checksum(&header[..28]);
        header[28..32].copy_from_slice(&sum.to_le_bytes());
        let mut digest = CHECKSUM.digest();
        digest.update(header);
        Ok(Self { out, at: HEADER_BYTES, records_left: records, last: None, digest })
    }

    /// Appends a record of `bytes` payload bytes, which `fill` writes, every one of them.
    ///
    /// # Errors
    /// Whatever `fill` answers; [`Error::InvalidParameter`] if the record comes out of order, does not fit
    /// what was announced, or is not filled. The stream is not valid then.
    pub fn record(
        &mut self,
        tag: Tag,
        bytes: u64,
        fill: impl FnOnce(&mut Payload<'_>) -> Result<()>,
    ) -> Result<()> {
        let room = self.out.len() - TRAILER_BYTES - self.at;
        let length = usize::try_from(bytes).map_err(|_| Error::InvalidParameter)?;
        let in_order = self.last.is_none_or(|last| last < tag.kind);
        let fits = length.checked_add(RECORD_HEADER_BYTES).is_some_and(|whole| whole <= room);
        if !in_order || !fits || self.records_left == 0 {
            return Err(Error::InvalidParameter);
        }
        let (header, rest) = self.out[self.at..].split_at_mut(RECORD_HEADER_BYTES);
        let mut payload = Payload { rest: &mut rest[..length], digest: CHECKSUM.digest() };
        fill(&mut payload)?;
        if !payload.rest.is_empty() {
            return Err(Error::InvalidParameter);
        }
        header[0..2].copy_from_slice(&tag.kind.to_le_bytes());
        header[2..4].copy_from_slice(&tag.version.to_le_bytes());
        header[4..6].copy_from_slice(&tag.flags.to_le_bytes());
        header[6..8].fill(0);
        header[8..16].copy_from_slice(&bytes.to_le_bytes());
        header[16..20].copy_from_slice(&payload.digest.finalize().to_le_bytes());
        let sum = CHECKSUM.checksum(&header[..20]);
        header[20..24].copy_from_slice(&sum.to_le_bytes());
        self.digest.update(header);
        self.at += RECORD_HEADER_BYTES + length;
        self.records_left -= 1;
        self.last = Some(tag.kind);
        Ok(())
    }

    /// Writes the trailer and returns the bytes of the stream.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] if records or bytes that were announced are missing.
    pub fn finish(self) -> Result<usize> {
        if self.records_left != 0 || self.at + TRAILER_BYTES != self.out.len() {
            return Err(Error::InvalidParameter);
        }
        self.out[self.at..].copy_from_slice(&self.digest.finalize().to_le_bytes());
        Ok(self.out.len())
    }
}

/// The payload of a record while it is written, front to back.
pub struct Payload<'a> {
    rest: &'a mut [u8],
    digest: Digest,
}

impl Payload<'_> {
    /// Appends a value.
    pub fn u32(&mut self, value: u32) -> Result<()> {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends a value.
    pub fn u64(&mut self, value: u64) -> Result<()> {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] if they do not fit the length the record was begun with.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.with(bytes.len(), |out| {
            out.copy_from_slice(bytes);
            Ok(())
        })
    }

    /// Appends `length` bytes that `fill` puts in place: no copy between their source and the stream.
    ///
    /// # Errors
    /// Whatever `fill` answers; [`Error::InvalidParameter`] if the bytes do not fit.
    pub fn with(&mut self, length: usize, fill: impl FnOnce(&mut [u8]) -> Result<()>) -> Result<()> {
        if length > self.rest.len() {
            return Err(Error::InvalidParameter);
        }
        let (now, rest) = core::mem::take(&mut self.rest).split_at_mut(length);
        self.rest = rest;
        fill(now)?;
        self.digest.update(now);
        Ok(())
    }
}
