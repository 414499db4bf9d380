//! Decoding of a ring's commands, from a copy that the guest can no longer change.

use crate::device::abi::{
    COMPUTE_NODE, FLAG_FENCE, FLAG_INTERRUPT, FaultCode, HEADER_BYTES, Opcode, Pattern, RING_BYTES,
};

/// A command's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) opcode: u16,
    pub(super) flags: u16,
    pub(super) bytes: u32,
    pub(super) fence: u64,
}

impl Header {
    /// Decodes a header whose command may have `room` bytes.
    pub(super) fn decode(bytes: &[u8; HEADER_BYTES], room: u32) -> Result<Self, FaultCode> {
        let fields = Fields(bytes);
        let header = Self {
            opcode: fields.half(0) as u16,
            flags: (fields.half(0) >> 16) as u16,
            bytes: fields.half(4),
            fence: fields.word(8),
        };
        let smallest = HEADER_BYTES as u32;
        if header.bytes < smallest || !header.bytes.is_multiple_of(smallest) || header.bytes > room {
            return Err(FaultCode::BadLength);
        }
        if header.flags & !(FLAG_FENCE | FLAG_INTERRUPT) != 0 {
            return Err(FaultCode::BadParameter);
        }
        Ok(header)
    }
}

/// A decoded command; the fields are those of [`Opcode`]. Ranges and limits are for the kernels to check.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Command<'a> {
    Nop,
    Fill { dst: u64, bytes: u64, pattern: u64 },
    Copy { src: u64, dst: u64, bytes: u64 },
    Upload { dst: u64, data: &'a [u8] },
    Readback { src: u64, bytes: u32, window: u32 },
    Hash { src: u64, bytes: u64, window: u32 },
    Matmul(Matmul),
    Life(Life),
    Nbody(Nbody),
    WritePages(WritePages),
}

/// Rows of a matrix product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Matmul {
    pub(super) a: u64,
    pub(super) b: u64,
    pub(super) c: u64,
    pub(super) n: u32,
    pub(super) first_row: u32,
    pub(super) rows: u32,
    pub(super) scale: f32,
}

/// Rows of a step of Life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) src: u64,
    pub(super) dst: u64,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) first_row: u32,
    pub(super) rows: u32,
}

/// Bodies moved by a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Nbody {
    pub(super) src: u64,
    pub(super) dst: u64,
    pub(super) count: u32,
    pub(super) first: u32,
    pub(super) bodies: u32,
    pub(super) dt: f32,
}

/// Stamps over pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WritePages {
    pub(super) base: u64,
    pub(super) pages: u64,
    pub(super) index: u64,
    pub(super) count: u32,
    pub(super) pattern: Pattern,
    pub(super) seed: u64,
}

impl<'a> Command<'a> {
    /// Decodes a whole command of `node`; `bytes` begins with its header and has its length.
    pub(super) fn decode(node: usize, opcode: u16, bytes: &'a [u8]) -> Result<Self, FaultCode> {
        let opcode = Opcode::from_u16(opcode).ok_or(FaultCode::UnknownCommand)?;
        let compute = matches!(opcode, Opcode::Matmul | Opcode::Life | Opcode::Nbody);
        if compute && node != COMPUTE_NODE {
            return Err(FaultCode::UnknownCommand);
        }
        let payload = &bytes[HEADER_BYTES..];
        if payload.len() < smallest_payload(opcode) {
            return Err(FaultCode::BadLength);
        }
        let fields = Fields(payload);
        let (word, half) = (|at| fields.word(at), |at| fields.half(at));
        let (command, expected) = match opcode {
            Opcode::Nop => return Ok(Self::Nop),
            Opcode::Fill => (Self::Fill { dst: word(0), bytes: word(8), pattern: word(16) }, 24),
            Opcode::Copy => (Self::Copy { src: word(0), dst: word(8), bytes: word(16) }, 24),
            Opcode::Upload => {
                let length = usize::try_from(word(8)).ok().filter(|length| *length < RING_BYTES);
                let length = length.ok_or(FaultCode::BadLength)?;
                let data = payload[16..].get(..length).ok_or(FaultCode::BadLength)?;
                (Self::Upload { dst: word(0), data }, 16 + length)
            }
            Opcode::Readback => (Self::Readback { src: word(0), bytes: half(8), window: half(12) }, 16),
            Opcode::Hash => {
                if half(20) != 0 {
                    return Err(FaultCode::BadParameter);
                }
                (Self::Hash { src: word(0), bytes: word(8), window: half(16) }, 24)
            }
            Opcode::Matmul => {
                let matmul = Matmul {
                    a: word(0),
                    b: word(8),
                    c: word(16),
                    n: half(24),
                    first_row: half(28),
                    rows: half(32),
                    scale: f32::from_bits(half(36)),
                };
                (Self::Matmul(matmul), 40)
            }
            Opcode::Life => {
                let life = Life {
                    src: word(0),
                    dst: word(8),
                    width: half(16),
                    height: half(20),
                    first_row: half(24),
                    rows: half(28),
                };
                (Self::Life(life), 32)
            }
            Opcode::Nbody => {
                let nbody = Nbody {
                    src: word(0),
                    dst: word(8),
                    count: half(16),
                    first: half(20),
                    bodies: half(24),
                    dt: f32::from_bits(half(28)),
                };
                (Self::Nbody(nbody), 32)
            }
            Opcode::WritePages => {
                let write = WritePages {
                    base: word(0),
                    pages: word(8),
                    index: word(16),
                    count: half(24),
                    pattern: Pattern::from_u32(half(28)).ok_or(FaultCode::BadParameter)?,
                    seed: word(32),
                };
                (Self::WritePages(write), 40)
            }
        };
        if payload.len() != expected.next_multiple_of(HEADER_BYTES) {
            return Err(FaultCode::BadLength);
        }
        Ok(command)
    }
}

/// Bytes of an opcode's payload, before its data.
const fn smallest_payload(opcode: Opcode) -> usize {
    match opcode {
        Opcode::Nop => 0,
        Opcode::Upload | Opcode::Readback => 16,
        Opcode::Fill | Opcode::Copy | Opcode::Hash => 24,
        Opcode::Life | Opcode::Nbody => 32,
        Opcode::Matmul | Opcode::WritePages => 40,
    }
}

/// Little-endian fields of bytes that are long enough.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn half(&self, at: usize) -> u32 {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.0[at..at + 4]);
        u32::from_le_bytes(bytes)
    }

    fn word(&self, at: usize) -> u64 {
        u64::from(self.half(at)) | u64::from(self.half(at + 4)) << 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::abi::COPY_NODE;
    use proptest::prelude::*;

    fn header(opcode: u16, flags: u16, bytes: u32) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[0..2].copy_from_slice(&opcode.to_le_bytes());
        header[2..4].copy_from_slice(&flags.to_le_bytes());
        header[4..8].copy_from_slice(&bytes.to_le_bytes());
        header[8..16].copy_from_slice(&77u64.to_le_bytes());
        header
    }

    #[test]
    fn lengths_and_flags_of_a_header_are_checked() {
        let good = Header::decode(&header(1, 3, 48), 48).unwrap();
        assert_eq!(good, Header { opcode: 1, flags: 3, bytes: 48, fence: 77 });
        for bytes in [0, 8, 15, 17, 64, u32::MAX - 15] {
            assert_eq!(Header::decode(&header(1, 0, bytes), 48), Err(FaultCode::BadLength), "{bytes}");
        }
        assert_eq!(Header::decode(&header(1, 4, 48), 48), Err(FaultCode::BadParameter));
    }

    #[test]
    fn compute_commands_are_unknown_to_the_copy_node() {
        let bytes = [0; 64];
        for opcode in [Opcode::Matmul, Opcode::Life, Opcode::Nbody] {
            let decoded = Command::decode(COPY_NODE, opcode as u16, &bytes);
            assert_eq!(decoded, Err(FaultCode::UnknownCommand));
        }
        assert_eq!(Command::decode(COPY_NODE, 10, &bytes), Err(FaultCode::UnknownCommand));
    }

    #[test]
    fn payloads_have_exactly_their_length() {
        for (opcode, payload) in [(1, 32), (2, 32), (4, 16), (5, 32), (6, 48), (7, 32), (8, 32), (9, 48)] {
            for bytes in (16..=96).step_by(16) {
                let command = vec![0; bytes];
                let decoded = Command::decode(COMPUTE_NODE, opcode, &command);
                assert_eq!(decoded.is_ok(), bytes == 16 + payload, "{opcode} {bytes}");
            }
        }
        let mut upload = [0; 64];
        for (bytes, fits) in [(16, false), (17, true), (32, true), (33, false), (u64::MAX, false)] {
            upload[24..32].copy_from_slice(&bytes.to_le_bytes());
            assert_eq!(Command::decode(COPY_NODE, 3, &upload).is_ok(), fits, "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn hostile_commands_are_decoded_or_refused(
            node in 0usize..2, opcode in 0u16..12, bytes in proptest::collection::vec(any::<u8>(), 16..256)
        ) {
            let _ = Command::decode(node, opcode, &bytes);
        }
    }
}
