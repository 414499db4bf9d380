//! The MSI-X table of a VF.
//!
//! ```text
//!             raise                       raise, while masked or without an address
//!   message sent <--- idle, unmasked         idle, masked ---------> pending
//!                                                                       |
//!   message sent, once <-------- unmasked and programmed, VF running ---+
//! ```

use super::system;
use crate::device::MsixEntry;
use crate::device::abi::MSIX_VECTORS;
use crate::{Error, Result};

const MASKED: u32 = 1;

/// The entries and the pending bits.
pub(super) struct Msix {
    entries: [MsixEntry; MSIX_VECTORS],
    pending: u32,
    /// The device is stopped: nothing is sent.
    silent: bool,
}

impl Msix {
    /// The table after a reset: everything masked, nothing pending.
    pub(super) fn new() -> Self {
        let entries = [MsixEntry { address: 0, data: 0, control: MASKED }; MSIX_VECTORS];
        Self { entries, pending: 0, silent: false }
    }

    /// Forgets entries and messages.
    pub(super) fn reset(&mut self) {
        *self = Self { silent: self.silent, ..Self::new() };
    }

    /// Keeps every message pending, or no longer. What is pending goes out with the next [`Msix::flush`].
    pub(super) fn set_silent(&mut self, silent: bool) {
        self.silent = silent;
    }

    /// Writes an entry. What is pending goes out with the next [`Msix::flush`].
    pub(super) fn write(&mut self, index: usize, entry: MsixEntry) -> Result<()> {
        let slot = self.entries.get_mut(index).ok_or(Error::OutOfRange)?;
        if !entry.address.is_multiple_of(4) {
            return Err(Error::Misaligned);
        }
        *slot = entry;
        Ok(())
    }

    /// Sends a vector's message, or keeps it pending.
    pub(super) fn raise(&mut self, vector: usize) {
        self.pending |= 1 << vector;
        self.flush();
    }

    /// Sends what is pending and may go.
    pub(super) fn flush(&mut self) {
        if self.silent {
            return;
        }
        for (vector, entry) in self.entries.iter().enumerate() {
            let bit = 1 << vector;
            // An entry nobody has programmed yet keeps its message, as if it were masked.
            if self.pending & bit == 0 || entry.control & MASKED != 0 || entry.address == 0 {
                continue;
            }
            self.pending &= !bit;
            // A message to memory that is not there is lost, as on a bus.
            let _ = system::send(entry.address, entry.data);
        }
    }

    /// The pending bits and the masked bits.
    pub(super) fn bits(&self) -> (u32, u32) {
        let masked = |(vector, entry): (usize, &MsixEntry)| (entry.control & MASKED) << vector;
        (self.pending, self.entries.iter().enumerate().map(masked).fold(0, |all, bit| all | bit))
    }

    /// Takes the bits of a state. Addresses do not travel: they belong to the host, which writes every entry again,
    /// before or after this. An entry it has written already keeps its own mask.
    pub(super) fn restore(&mut self, pending: u32, masked: u32) {
        self.pending = pending;
        for (vector, entry) in self.entries.iter_mut().enumerate() {
            if entry.address == 0 {
                entry.control = (masked >> vector) & MASKED;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn entry(target: &AtomicU32, data: u32, control: u32) -> MsixEntry {
        MsixEntry { address: target.as_ptr().expose_provenance() as u64, data, control }
    }

    #[test]
    fn masked_messages_wait_and_go_once() {
        crate::os::host::install();
        let target = AtomicU32::new(0);
        let mut msix = Msix::new();
        msix.write(1, entry(&target, 7, MASKED)).unwrap();
        msix.raise(1);
        msix.raise(1);
        assert_eq!((target.load(Ordering::Relaxed), msix.bits()), (0, (0b010, 0b111)));
        msix.write(1, entry(&target, 7, 0)).unwrap();
        msix.flush();
        assert_eq!((target.swap(0, Ordering::Relaxed), msix.bits()), (7, (0, 0b101)));
        msix.flush();
        assert_eq!(target.load(Ordering::Relaxed), 0);
        msix.raise(1);
        assert_eq!(target.load(Ordering::Relaxed), 7);
    }

    #[test]
    fn a_restored_table_waits_for_its_addresses() {
        crate::os::host::install();
        let target = AtomicU32::new(0);
        let mut msix = Msix::new();
        msix.restore(0b100, 0b010);
        msix.flush();
        assert_eq!(msix.bits(), (0b100, 0b010));
        msix.write(2, entry(&target, 9, 0)).unwrap();
        msix.flush();
        assert_eq!((target.load(Ordering::Relaxed), msix.bits().0), (9, 0));
    }

    #[test]
    fn a_table_written_before_the_restore_keeps_its_addresses() {
        crate::os::host::install();
        let target = AtomicU32::new(0);
        let mut msix = Msix::new();
        msix.write(0, entry(&target, 5, 0)).unwrap();
        msix.restore(0b001, 0b111);
        msix.flush();
        assert_eq!((target.load(Ordering::Relaxed), msix.bits()), (5, (0, 0b110)));
    }

    #[test]
    fn a_silent_table_keeps_its_messages() {
        crate::os::host::install();
        let target = AtomicU32::new(0);
        let mut msix = Msix::new();
        msix.set_silent(true);
        msix.reset();
        msix.write(0, entry(&target, 5, 0)).unwrap();
        msix.raise(0);
        assert_eq!((target.load(Ordering::Relaxed), msix.bits().0), (0, 1));
        msix.set_silent(false);
        msix.flush();
        assert_eq!((target.load(Ordering::Relaxed), msix.bits().0), (5, 0));
    }

    #[test]
    fn bad_entries_are_refused() {
        let mut msix = Msix::new();
        assert_eq!(msix.write(MSIX_VECTORS, MsixEntry::default()), Err(Error::OutOfRange));
        let odd = MsixEntry { address: 2, data: 0, control: 0 };
        assert_eq!(msix.write(0, odd), Err(Error::Misaligned));
    }
}
