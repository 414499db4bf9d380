//! The fields of one record, front to back.

use super::Record;
use crate::migration::Damage;

type Result<T> = core::result::Result<T, Damage>;

/// A cursor over a record's payload that knows how far the record's version reaches.
///
/// | the record's version | a field is missing | bytes follow the last field |
/// |---|---|---|
/// | older than known | default, or `BadLength` if it had none in any version | `BadLength` |
/// | as known | `BadLength` | `BadLength` |
/// | newer than known | `BadLength` | ignored |
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
    version: u16,
    known: u16,
}

impl<'a> Fields<'a> {
    /// The fields of `record` for a reader that knows its versions up to `known`.
    pub fn new(record: &Record<'a>, known: u16) -> Self {
        Self { rest: record.payload, version: record.tag.version, known }
    }

    /// The next `length` bytes.
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8]> {
        let (field, rest) = self.rest.split_at_checked(length).ok_or(Damage::BadLength)?;
        self.rest = rest;
        Ok(field)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (field, rest) = self.rest.split_first_chunk().ok_or(Damage::BadLength)?;
        self.rest = rest;
        Ok(*field)
    }

    /// The next field.
    pub fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// The next field.
    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// The next field.
    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// The next field, which records of version `since` and later have; others mean `default`.
    pub fn u32_since(&mut self, since: u16, default: u32) -> Result<u32> {
        if self.version < since { Ok(default) } else { self.u32() }
    }

    /// The next field, which records of version `since` and later have; others mean `default`.
    pub fn u64_since(&mut self, since: u16, default: u64) -> Result<u64> {
        if self.version < since { Ok(default) } else { self.u64() }
    }

    /// Ends the record: nothing may follow, unless the record is newer than the reader.
    pub fn end(self) -> Result<()> {
        if self.rest.is_empty() || self.version > self.known { Ok(()) } else { Err(Damage::BadLength) }
    }
}
