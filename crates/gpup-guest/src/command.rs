//! The commands of a ring, as data, and their bytes.

use alloc::vec::Vec;

use gpup_core::device::abi::{self, Opcode};

/// Bytes of data in one UPLOAD, so that the whole command has 8 KiB and eight fill a ring without a gap.
pub(crate) const UPLOAD_BYTES: u64 = 8192 - 32;

/// A command, without the fence the driver gives it. Fields are those of [`Opcode`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    Nop,
    Fill { dst: u64, bytes: u64, pattern: u64 },
    Upload { dst: u64, data: Vec<u8> },
    Readback { src: u64, bytes: u32, window: u32 },
    Hash { src: u64, bytes: u64, window: u32 },
    Matmul { a: u64, b: u64, c: u64, n: u32, first_row: u32, rows: u32, scale: f32 },
    Life { src: u64, dst: u64, width: u32, height: u32, first_row: u32, rows: u32 },
    Nbody { src: u64, dst: u64, count: u32, first: u32, bodies: u32, dt: f32 },
    WritePages { base: u64, pages: u64, index: u64, count: u32, pattern: abi::Pattern, seed: u64 },
}

impl Command {
    const fn opcode(&self) -> Opcode {
        match self {
            Self::Nop => Opcode::Nop,
            Self::Fill { .. } => Opcode::Fill,
            Self::Upload { .. } => Opcode::Upload,
            Self::Readback { .. } => Opcode::Readback,
            Self::Hash { .. } => Opcode::Hash,
            Self::Matmul { .. } => Opcode::Matmul,
            Self::Life { .. } => Opcode::Life,
            Self::Nbody { .. } => Opcode::Nbody,
            Self::WritePages { .. } => Opcode::WritePages,
        }
    }

    /// Writes the command's bytes over `out`: a multiple of 16 with the header filled in.
    pub(crate) fn encode(&self, flags: u16, fence: u64, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&[0; abi::HEADER_BYTES]);
        self.payload(out);
        out.resize(out.len().next_multiple_of(16), 0);
        header(out, self.opcode(), flags, fence);
    }

    fn payload(&self, out: &mut Vec<u8>) {
        match self {
            Self::Nop => {}
            Self::Fill { dst, bytes, pattern } => put64(out, &[*dst, *bytes, *pattern]),
            Self::Upload { dst, data } => {
                put64(out, &[*dst, data.len() as u64]);
                out.extend_from_slice(data);
            }
            Self::Readback { src, bytes, window } => {
                put64(out, &[*src]);
                put32(out, &[*bytes, *window]);
            }
            Self::Hash { src, bytes, window } => {
                put64(out, &[*src, *bytes]);
                put32(out, &[*window, 0]);
            }
            Self::Matmul { a, b, c, n, first_row, rows, scale } => {
                put64(out, &[*a, *b, *c]);
                put32(out, &[*n, *first_row, *rows, scale.to_bits()]);
            }
            Self::Life { src, dst, width, height, first_row, rows } => {
                put64(out, &[*src, *dst]);
                put32(out, &[*width, *height, *first_row, *rows]);
            }
            Self::Nbody { src, dst, count, first, bodies, dt } => {
                put64(out, &[*src, *dst]);
                put32(out, &[*count, *first, *bodies, dt.to_bits()]);
            }
            Self::WritePages { base, pages, index, count, pattern, seed } => {
                put64(out, &[*base, *pages, *index]);
                put32(out, &[*count, *pattern as u32]);
                put64(out, &[*seed]);
            }
        }
    }
}

/// Writes over `out` the NOP of exactly `bytes` (a multiple of 16, at least 16) that fills the end of a ring.
pub(crate) fn encode_filler(bytes: usize, out: &mut Vec<u8>) {
    out.clear();
    out.resize(bytes, 0);
    header(out, Opcode::Nop, 0, 0);
}

fn header(command: &mut [u8], opcode: Opcode, flags: u16, fence: u64) {
    let bytes = command.len() as u32;
    command[0..2].copy_from_slice(&(opcode as u16).to_le_bytes());
    command[2..4].copy_from_slice(&flags.to_le_bytes());
    command[4..8].copy_from_slice(&bytes.to_le_bytes());
    command[8..16].copy_from_slice(&fence.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, values: &[u64]) {
    values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
}

fn put32(out: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
}
