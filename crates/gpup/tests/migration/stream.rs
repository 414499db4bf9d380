//! Migration data taken apart and put together again, with checksums that are right: what a forger would do.

use crc::{CRC_32_ISCSI, Crc};
use gpup_core::migration::codec::{HEADER_BYTES, RECORD_HEADER_BYTES};

const SUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// A record: type, version, flags, payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) kind: u16,
    pub(crate) version: u16,
    pub(crate) flags: u16,
    pub(crate) payload: Vec<u8>,
}

/// A stream: the header's first 16 bytes, and the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stream {
    pub(crate) head: [u8; 16],
    pub(crate) records: Vec<Record>,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// Where the records' headers lie.
pub(crate) fn record_headers(bytes: &[u8]) -> Vec<usize> {
    let count = u32::from_le_bytes(bytes[24..28].try_into().unwrap());
    let mut at = HEADER_BYTES;
    (0..count)
        .map(|_| {
            let here = at;
            at += RECORD_HEADER_BYTES + payload_bytes(bytes, here);
            here
        })
        .collect()
}

fn payload_bytes(bytes: &[u8], header: usize) -> usize {
    u64::from_le_bytes(bytes[header + 8..header + 16].try_into().unwrap()) as usize
}

impl Stream {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let record = |at: usize| Record {
            kind: u16_at(bytes, at),
            version: u16_at(bytes, at + 2),
            flags: u16_at(bytes, at + 4),
            payload: bytes[at + RECORD_HEADER_BYTES..][..payload_bytes(bytes, at)].to_vec(),
        };
        Self {
            head: bytes[..16].try_into().unwrap(),
            records: record_headers(bytes).into_iter().map(record).collect(),
        }
    }

    /// The record of this type.
    pub(crate) fn record(&mut self, kind: u16) -> &mut Record {
        self.records.iter_mut().find(|record| record.kind == kind).unwrap()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let bodies = self.records.iter().map(|record| RECORD_HEADER_BYTES + record.payload.len());
        let bytes = HEADER_BYTES + bodies.sum::<usize>() + 4;
        let mut out = self.head.to_vec();
        out.extend((bytes as u64).to_le_bytes());
        out.extend((self.records.len() as u32).to_le_bytes());
        out.extend(SUM.checksum(&out).to_le_bytes());
        let mut headers = out.clone();
        for record in &self.records {
            let at = out.len();
            for field in [record.kind, record.version, record.flags, 0] {
                out.extend(field.to_le_bytes());
            }
            out.extend((record.payload.len() as u64).to_le_bytes());
            out.extend(SUM.checksum(&record.payload).to_le_bytes());
            out.extend(SUM.checksum(&out[at..]).to_le_bytes());
            headers.extend_from_slice(&out[at..]);
            out.extend_from_slice(&record.payload);
        }
        out.extend(SUM.checksum(&headers).to_le_bytes());
        out
    }
}
