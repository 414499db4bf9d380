//! Output buffers with a canary behind them: who writes past the size he was given kills it.

use alloc::vec;
use alloc::vec::Vec;

use super::{Contract, rules};

const CANARY: u64 = 0xC0A1_7A5A_5EED_D00D;
const TAIL: usize = 8;

/// A structure that the driver writes, with a canary behind it.
#[repr(C)]
pub(crate) struct Guarded<T> {
    /// The structure.
    pub(crate) value: T,
    tail: [u64; TAIL],
}

impl<T> Guarded<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value, tail: [CANARY; TAIL] }
    }

    /// The structure, once the canary has been looked at.
    pub(crate) fn checked(self, contract: &Contract, name: &str) -> T {
        contract.require(
            self.tail == [CANARY; TAIL],
            &rules::OUTPUT_OVERRUN,
            format_args!("{name} wrote past the end of its {} bytes", size_of::<T>()),
        );
        self.value
    }
}

/// A buffer of any size that the driver writes, with a canary behind it. Aligned to 8 bytes.
pub(crate) struct GuardedBytes {
    words: Vec<u64>,
    bytes: usize,
}

impl GuardedBytes {
    pub(crate) fn zeroed(bytes: usize) -> Self {
        let mut guarded = Self { words: vec![0; bytes.div_ceil(8) + TAIL], bytes };
        guarded.arm();
        guarded
    }

    /// Renews the canary.
    fn arm(&mut self) {
        let bytes = self.bytes;
        for at in bytes..self.words.len() * 8 {
            self.set(at, canary(at));
        }
    }

    fn set(&mut self, at: usize, byte: u8) {
        let shift = at % 8 * 8;
        let word = &mut self.words[at / 8];
        *word = *word & !(0xFF << shift) | u64::from(byte) << shift;
    }

    fn get(&self, at: usize) -> u8 {
        (self.words[at / 8] >> (at % 8 * 8)) as u8
    }

    pub(crate) fn as_mut_ptr<T>(&mut self) -> *mut T {
        self.words.as_mut_ptr().cast()
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// The words that hold the buffer, the last one masked.
    pub(crate) fn words(&self) -> impl Iterator<Item = u64> + '_ {
        let last = self.bytes / 8;
        let tail = (1 << (self.bytes % 8 * 8)) - 1;
        let mask = move |index: usize| if index < last { u64::MAX } else { tail };
        self.words[..self.bytes.div_ceil(8)].iter().enumerate().map(move |(index, word)| word & mask(index))
    }

    /// The bytes of the buffer.
    pub(crate) fn to_vec(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(self.bytes);
        bytes
    }

    /// Records a violation when the canary is dead.
    pub(crate) fn check(&self, contract: &Contract, name: &str) {
        let alive = (self.bytes..self.words.len() * 8).all(|at| self.get(at) == canary(at));
        contract.require(
            alive,
            &rules::OUTPUT_OVERRUN,
            format_args!("{name} wrote past the end of its {} bytes", self.bytes),
        );
    }
}

fn canary(at: usize) -> u8 {
    (CANARY >> (at % 8 * 8)) as u8
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn every_overrun_kills_the_canary_and_no_write_inside_does() {
        crate::host::std_host::install();
        for bytes in [0, 1, 4, 7, 8, 9, 592] {
            let mut buffer = GuardedBytes::zeroed(bytes);
            let contract = Contract::default();
            for at in 0..bytes {
                buffer.set(at, 0xFF);
            }
            buffer.check(&contract, "inside");
            assert_eq!(contract.count(), 0);
            buffer.set(bytes, 0);
            buffer.check(&contract, "outside");
            assert_eq!(contract.violations()[0].rule.id, "OUTPUT_OVERRUN");
        }
    }
}
