//! What a guest shows at its end: hashes of all it has in VRAM, made by the device.
//!
//! A range is hashed in pieces, so that no command takes long, and the pieces' hashes are folded in order.
//! Each piece writes its hash into a slot of the readback window, which the guest reads once the fence
//! says so; fewer pieces are in flight than there are slots.

use alloc::vec::Vec;

use dxgksim::guest::Bar;
use gpup_core::device::abi;

use crate::command::Command;

/// Bytes of a piece.
pub(crate) const PIECE_BYTES: u64 = 512 * 1024;
/// Slots of 8 bytes in the readback window.
const SLOTS: u64 = 64;
/// Where the sample goes in the readback window, past the slots.
const SAMPLE_WINDOW: u32 = 4096;
/// Most bytes of the sample.
pub(crate) const SAMPLE_BYTES: u64 = 64;

/// A range of the VF's VRAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) at: u64,
    pub(crate) bytes: u64,
}

impl Range {
    const fn pieces(&self) -> u64 {
        self.bytes.div_ceil(PIECE_BYTES)
    }
}

/// What is hashed, and of what the first bytes are shown.
pub(crate) struct Plan {
    /// Ranges to hash, none empty.
    pub(crate) ranges: Vec<Range>,
    /// Range whose bytes are part of the result.
    pub(crate) sample: Range,
}

impl Plan {
    /// Commands it takes: one a piece, and one for the sample.
    pub(crate) fn commands(&self) -> u64 {
        self.hashes() + 1
    }

    fn hashes(&self) -> u64 {
        self.ranges.iter().map(Range::pieces).sum()
    }

    /// The range a piece lies in, and the piece.
    fn piece(&self, mut number: u64) -> Option<(usize, Range)> {
        for (index, range) in self.ranges.iter().enumerate() {
            if number < range.pieces() {
                let skipped = number * PIECE_BYTES;
                let bytes = PIECE_BYTES.min(range.bytes - skipped);
                return Some((index, Range { at: range.at + skipped, bytes }));
            }
            number -= range.pieces();
        }
        None
    }

    /// The `number`-th command.
    pub(crate) fn command(&self, number: u64) -> Command {
        match self.piece(number) {
            Some((_, piece)) => Command::Hash { src: piece.at, bytes: piece.bytes, window: slot(number) },
            None => Command::Readback {
                src: self.sample.at,
                bytes: self.sample.bytes as u32,
                window: SAMPLE_WINDOW,
            },
        }
    }

    /// Folds what the `number`-th command left in the window into the ranges' digests.
    pub(crate) fn fold(&self, number: u64, bar: &dyn Bar, digests: &mut [u64]) {
        if let Some((index, _)) = self.piece(number) {
            let mut hash = [0; 8];
            bar.read_bytes(abi::READBACK_OFFSET + slot(number) as usize, &mut hash);
            digests[index] = fold(digests[index], u64::from_le_bytes(hash));
        }
    }

    /// The result, once every command is done and folded: the digests, then the sample.
    pub(crate) fn result(&self, bar: &dyn Bar, digests: &[u64]) -> Vec<u8> {
        let mut result: Vec<u8> = digests.iter().flat_map(|digest| digest.to_le_bytes()).collect();
        let mut sample = [0; SAMPLE_BYTES as usize];
        let sample = &mut sample[..self.sample.bytes as usize];
        bar.read_bytes(abi::READBACK_OFFSET + SAMPLE_WINDOW as usize, sample);
        result.extend_from_slice(sample);
        result
    }
}

/// Where in the window a piece's hash goes.
const fn slot(number: u64) -> u32 {
    (number % SLOTS * 8) as u32
}

/// A digest with one more hash: a bijection of either argument, so one changed piece changes the digest.
pub(crate) const fn fold(digest: u64, hash: u64) -> u64 {
    (digest.rotate_left(5) ^ hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
