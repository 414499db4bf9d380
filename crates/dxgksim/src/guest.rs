//! What runs inside a VM: the guest's own driver for its VF and the work it does.
//!
//! The simulated Dxgkrnl never looks inside: it gives the guest a processor, its BAR and its interrupts,
//! and takes its state along when the VM moves.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// BAR 0 of a VF as the guest has it mapped. Offsets are bytes; a wrong or unaligned one panics the guest.
pub trait Bar {
    /// Size in bytes.
    fn bytes(&self) -> usize;
    /// Reads a register (acquire).
    fn read_u32(&self, offset: usize) -> u32;
    /// Reads a register (acquire).
    fn read_u64(&self, offset: usize) -> u64;
    /// Writes a register (release: what was written before is seen before).
    fn write_u32(&self, offset: usize, value: u32);
    /// Writes a register (release).
    fn write_u64(&self, offset: usize, value: u64);
    /// Copies out of the BAR; offset and length are multiples of 8.
    fn read_bytes(&self, offset: usize, out: &mut [u8]);
    /// Copies into the BAR; offset and length are multiples of 8.
    fn write_bytes(&self, offset: usize, data: &[u8]);
}

/// An MSI-X table entry as the guest writes it: its own address, never the host's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MsixMessage {
    /// Guest physical address the message goes to.
    pub address: u64,
    /// The message.
    pub data: u32,
    /// Bit 0 masks the vector.
    pub control: u32,
}

/// The virtual processor a guest runs on.
pub trait Cpu {
    /// BAR 0.
    fn bar(&self) -> &dyn Bar;
    /// Messages that arrived since the last call: bit `n` for the message number `n` (the entry's `data`, 0-31).
    fn take_interrupts(&mut self) -> u32;
    /// Writes an entry of the MSI-X table (the page is trapped; the host translates the address).
    fn write_msix(&mut self, index: u16, message: MsixMessage);
    /// Reads an entry back: what the guest wrote, host addresses never appear.
    fn read_msix(&self, index: u16) -> MsixMessage;
    /// Monotonic guest clock in nanoseconds; it stands still while the VM is paused and goes on where it stood.
    fn now(&self) -> u64;
}

/// Where a guest stands after a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More to do at once.
    Working,
    /// Nothing to do until an interrupt comes or so many nanoseconds passed.
    Waiting(u64),
    /// It was asked to finish and has: its result.
    Finished(Outcome),
    /// The device refused its work; the words say how.
    Failed(String),
}

/// What a guest has to show at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Steps done. A guest made to stop after as many steps has the same result, migrated or not.
    pub steps: u64,
    /// The result, byte for byte.
    pub result: Vec<u8>,
}

/// A guest.
pub trait Guest: Send {
    /// Runs for one short slice (well below a millisecond) and never blocks.
    fn run(&mut self, cpu: &mut dyn Cpu) -> Progress;
    /// Asks it to finish: at step `steps`, or as soon as it can when `None`.
    fn finish(&mut self, steps: Option<u64>);
    /// Steps done so far.
    fn steps(&self) -> u64;
    /// Its whole state, as the VM's memory would carry it.
    fn save(&self) -> Vec<u8>;
    /// One word for reports: the workload's name.
    fn name(&self) -> &str;
}

/// Makes a guest from the state another host saved.
pub trait GuestLoader: Send + Sync {
    /// The guest that saved `state`, or why that cannot be.
    fn load(&self, state: &[u8]) -> Result<Box<dyn Guest>, String>;
}
