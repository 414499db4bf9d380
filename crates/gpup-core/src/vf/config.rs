//! The PCI configuration space of a VF: a type 0 header, one 64-bit BAR, MSI-X and PCI Express capabilities.

use crate::device::Identity;
use crate::device::abi::{self, CONFIG_BYTES};
use crate::{Error, Result};

/// What the BAR registers read after ones were written to them, all six: 64-bit, prefetchable memory in the first
/// two, nothing in the others.
pub const BAR_PROBE: [u32; 6] = [!(abi::BAR_BYTES as u32 - 1) | BAR_TYPE, u32::MAX, 0, 0, 0, 0];

/// Low bits of a 64-bit prefetchable memory BAR.
const BAR_TYPE: u32 = 0b1100;
const COMMAND: usize = 0x04;
const STATUS: usize = 0x06;
const BAR0: usize = 0x10;
const MSIX: usize = 0x40;
const EXPRESS: usize = 0x50;
const EXPRESS_CONTROL: usize = EXPRESS + 8;
/// Device Control bit 15: initiate function level reset; reads zero.
const INITIATE_RESET: u16 = 1 << 15;

/// A VF's configuration space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigSpace {
    bytes: [u8; CONFIG_BYTES],
    fresh: [u8; CONFIG_BYTES],
}

impl ConfigSpace {
    /// The space of a VF of this device, as after a reset.
    pub fn new(identity: Identity) -> Self {
        let fresh = layout(identity);
        Self { bytes: fresh, fresh }
    }

    /// As after a function level reset.
    pub fn reset(&mut self) {
        self.bytes = self.fresh;
    }

    /// All of it, for the migration data.
    pub fn bytes(&self) -> &[u8; CONFIG_BYTES] {
        &self.bytes
    }

    /// Takes the bits that the guest wrote from the space of a VF that arrives; a reset it asks for there has been
    /// done long ago. Bits that hardware owns keep their value.
    pub fn restore(&mut self, from: &[u8; CONFIG_BYTES]) {
        for (index, byte) in from.iter().enumerate() {
            self.put(index, *byte);
        }
        self.take_reset();
    }

    /// Copies `out.len()` bytes at `offset` out.
    pub fn read(&self, offset: u32, out: &mut [u8]) -> Result<()> {
        out.copy_from_slice(&self.bytes[span(offset, out.len())?]);
        Ok(())
    }

    /// Writes the bits a guest may write; whether it asked for a function level reset.
    pub fn write(&mut self, offset: u32, data: &[u8]) -> Result<bool> {
        let span = span(offset, data.len())?;
        for (index, byte) in span.zip(data) {
            self.put(index, *byte);
        }
        Ok(self.take_reset())
    }

    fn put(&mut self, index: usize, byte: u8) {
        let mask = writable(index);
        self.bytes[index] = self.bytes[index] & !mask | byte & mask;
    }

    /// Whether a function level reset was asked for; from now on the bit reads zero.
    fn take_reset(&mut self) -> bool {
        let control = u16::from_le_bytes([self.bytes[EXPRESS_CONTROL], self.bytes[EXPRESS_CONTROL + 1]]);
        self.bytes[EXPRESS_CONTROL + 1] &= !(INITIATE_RESET >> 8) as u8;
        control & INITIATE_RESET != 0
    }
}

fn span(offset: u32, bytes: usize) -> Result<core::ops::Range<usize>> {
    let start = offset as usize;
    match start.checked_add(bytes) {
        Some(end) if bytes > 0 && end <= CONFIG_BYTES => Ok(start..end),
        _ => Err(Error::OutOfRange),
    }
}

/// The bits of a byte that a guest may write.
fn writable(index: usize) -> u8 {
    // A BAR's low bits are its type and its size.
    let bar = |index: usize| (BAR_PROBE[0] & !BAR_TYPE).to_le_bytes()[index - BAR0];
    match index {
        // Memory space, bus master.
        COMMAND => 0b110,
        // Interrupt disable.
        0x05 => 0b100,
        BAR0..0x14 => bar(index),
        0x14..0x18 => 0xFF,
        // Interrupt line.
        0x3C => 0xFF,
        // MSI-X enable, function mask.
        0x43 => 0b1100_0000,
        EXPRESS_CONTROL => 0xFF,
        0x59 => 0xFF,
        _ => 0,
    }
}

fn layout(identity: Identity) -> [u8; CONFIG_BYTES] {
    let mut bytes = [0; CONFIG_BYTES];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0x00, &identity.vendor.to_le_bytes());
    put(0x02, &identity.device.to_le_bytes());
    // Status: there is a list of capabilities.
    put(STATUS, &0x0010u16.to_le_bytes());
    put(0x08, &[identity.revision]);
    // Class: processing accelerator.
    put(0x09, &[0x00, 0x00, 0x12]);
    put(BAR0, &BAR_TYPE.to_le_bytes());
    put(0x2C, &identity.vendor.to_le_bytes());
    put(0x2E, &identity.device.to_le_bytes());
    put(0x34, &[MSIX as u8]);
    // MSI-X: next capability, table size less one, table and pending bits in BAR 0.
    put(MSIX, &[0x11, EXPRESS as u8]);
    put(MSIX + 2, &(abi::MSIX_VECTORS as u16 - 1).to_le_bytes());
    put(MSIX + 4, &(abi::MSIX_OFFSET as u32).to_le_bytes());
    put(MSIX + 8, &(abi::MSIX_OFFSET as u32 + 0x800).to_le_bytes());
    // PCI Express endpoint, version 2, with function level reset.
    put(EXPRESS, &[0x10, 0x00]);
    put(EXPRESS + 2, &0x0002u16.to_le_bytes());
    put(EXPRESS + 4, &(1u32 << 28).to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> ConfigSpace {
        ConfigSpace::new(Identity { vendor: 0x1234, device: 0x4750, revision: 3, firmware: 0 })
    }

    fn word(space: &ConfigSpace, offset: u32) -> u32 {
        let mut bytes = [0; 4];
        space.read(offset, &mut bytes).unwrap();
        u32::from_le_bytes(bytes)
    }

    #[test]
    fn hardware_bits_keep_their_value() {
        let mut space = space();
        for offset in (0..256).step_by(4) {
            space.write(offset, &[0xFF; 4]).unwrap();
        }
        assert_eq!(word(&space, 0), 0x4750_1234);
        assert_eq!(word(&space, 0x10), BAR_PROBE[0]);
        assert_eq!(word(&space, 0x14), BAR_PROBE[1]);
        assert_eq!(word(&space, 0x18), 0);
        assert_eq!(word(&space, 0x40) >> 16, 0xC002);
        space.reset();
        assert_eq!(space, self::space());
    }

    #[test]
    fn a_space_that_arrives_brings_what_the_guest_wrote_and_nothing_else() {
        let mut source = space();
        for (offset, data) in [(0x04, &[0x06, 0x04][..]), (0x10, &[0, 0, 0x04, 0xE0]), (0x42, &[0, 0x80])] {
            source.write(offset, data).unwrap();
        }
        let mut target = space();
        target.restore(source.bytes());
        assert_eq!(target, source);
        target.restore(&[0xFF; CONFIG_BYTES]);
        assert_eq!(word(&target, 0), 0x4750_1234);
        assert_eq!(word(&target, 0x40) >> 16, 0xC002);
        assert!(!target.write(0x3C, &[7]).unwrap(), "a reset that travelled is no reset here");
    }

    #[test]
    fn a_reset_is_asked_for_once() {
        let mut space = space();
        assert!(space.write(EXPRESS_CONTROL as u32, &0x8000u16.to_le_bytes()).unwrap());
        assert!(!space.write(0x3C, &[7]).unwrap());
    }

    #[test]
    fn a_range_outside_is_refused() {
        let mut space = space();
        for (offset, bytes) in [(256, 1), (253, 4), (u32::MAX, 4), (0, 0)] {
            assert_eq!(space.write(offset, &vec![0; bytes]).unwrap_err(), Error::OutOfRange);
        }
        space.write(252, &[0; 4]).unwrap();
    }
}
