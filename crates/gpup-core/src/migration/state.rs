//! The state of a VF as it travels: types of their own, never the runtime's.
//!
//! # What is checked, at the source before it leaves and at the target before it is restored
//! | value | must be |
//! |---|---|
//! | status | bits of [`abi::status`] |
//! | fault code | a [`abi::FaultCode`]; 0 too unless status has FAULT |
//! | fault node | a node of the device |
//! | pending, masked | bits of vectors the device has |
//! | head, fault head | a multiple of [`abi::HEADER_BYTES`]: an engine stops only between commands |
//! | ring, readback | of the device's sizes |
//! | tail, fence, busy, commands, the bytes of ring and readback | anything |
//!
//! The tail is the guest's own word: it may store any value at any moment, and the engine judges it when
//! it reads the doorbell ([`NodeState::doorbell`]). Refusing here what the engine has not yet judged would
//! let a guest nail itself to its host.

use alloc::boxed::Box;

use super::Damage;
use crate::boxed;
use crate::device::abi;

/// A VF's state in the hardware, VRAM apart. Made once for each VF, so that saving allocates nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VfHardware {
    /// Bits of the STATUS register.
    pub status: u32,
    /// FAULT_CODE, FAULT_NODE, FAULT_HEAD.
    pub fault: [u32; 3],
    /// State of each node.
    pub nodes: [NodeState; abi::NODES],
    /// Bit n: vector n is pending (raised while masked).
    pub pending: u32,
    /// Bit n: vector n is masked.
    pub masked: u32,
    /// The readback window.
    pub readback: Box<[u8]>,
}

/// A VF's state on one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeState {
    /// Doorbell, as last written by the guest.
    pub tail: u32,
    /// How far the engine has come.
    pub head: u32,
    /// Last fence completed.
    pub fence: u64,
    /// Engine time granted, in device ticks.
    pub busy: u64,
    /// Commands executed.
    pub commands: u64,
    /// The ring's bytes.
    pub ring: Box<[u8]>,
}

impl VfHardware {
    /// The state of a VF that has done nothing.
    pub fn new() -> crate::Result<Self> {
        let mut state = Self { readback: boxed::slice(abi::READBACK_BYTES, || 0)?, ..Self::empty() };
        for node in &mut state.nodes {
            node.ring = boxed::slice(abi::RING_BYTES, || 0)?;
        }
        Ok(state)
    }

    /// Without rings and window, for which memory must be there.
    fn empty() -> Self {
        Self {
            status: 0,
            fault: [0; 3],
            nodes: Default::default(),
            pending: 0,
            masked: 0,
            readback: Box::default(),
        }
    }
}

/// The part of [`VfHardware`] that is plain numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct VfRegisters {
    pub(super) status: u32,
    pub(super) fault: [u32; 3],
    pub(super) pending: u32,
    pub(super) masked: u32,
}

/// The part of [`NodeState`] that is plain numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NodeRegisters {
    pub(super) tail: u32,
    pub(super) head: u32,
    pub(super) fence: u64,
    pub(super) busy: u64,
    pub(super) commands: u64,
}

impl VfHardware {
    /// Checks every value against the table in the module's head.
    ///
    /// # Errors
    /// [`Damage::BadLength`] for a block of the wrong size, [`Damage::BadValue`] for all else.
    pub fn validate(&self) -> Result<(), Damage> {
        if !self.has_blocks() {
            return Err(Damage::BadLength);
        }
        let Self { status, fault, pending, masked, .. } = *self;
        VfRegisters { status, fault, pending, masked }.validate()?;
        self.nodes.iter().try_for_each(|node| check_head(node.head))
    }

    /// Whether rings and readback window have the device's sizes.
    pub(super) fn has_blocks(&self) -> bool {
        self.readback.len() == abi::READBACK_BYTES
            && self.nodes.iter().all(|node| node.ring.len() == abi::RING_BYTES)
    }

    pub(super) fn set_registers(&mut self, registers: &VfRegisters) {
        let VfRegisters { status, fault, pending, masked } = *registers;
        (self.status, self.fault, self.pending, self.masked) = (status, fault, pending, masked);
    }
}

impl NodeState {
    /// Bytes of commands between head and tail, or `None` if the tail is one no well-behaved guest stores:
    /// not a multiple of [`abi::HEADER_BYTES`], or further ahead than the ring is long.
    pub fn doorbell(&self) -> Option<usize> {
        let ahead = self.tail.wrapping_sub(self.head) as usize;
        let legal = ahead <= abi::RING_BYTES && ahead.is_multiple_of(abi::HEADER_BYTES);
        legal.then_some(ahead)
    }

    pub(super) fn set_registers(&mut self, registers: &NodeRegisters) {
        let NodeRegisters { tail, head, fence, busy, commands } = *registers;
        (self.tail, self.head, self.fence) = (tail, head, fence);
        (self.busy, self.commands) = (busy, commands);
    }
}

impl VfRegisters {
    pub(super) fn validate(&self) -> Result<(), Damage> {
        let vectors = (1 << abi::MSIX_VECTORS) - 1;
        let faulted = self.status & abi::status::FAULT != 0;
        let [code, node, head] = self.fault;
        let good = self.status & !(abi::status::READY | abi::status::FAULT) == 0
            && (is_fault_code(code) || code == 0 && !faulted)
            && (node as usize) < abi::NODES
            && (self.pending | self.masked) & !vectors == 0;
        if good { check_head(head) } else { Err(Damage::BadValue) }
    }
}

impl NodeRegisters {
    pub(super) fn validate(&self) -> Result<(), Damage> {
        check_head(self.head)
    }
}

fn check_head(head: u32) -> Result<(), Damage> {
    if (head as usize).is_multiple_of(abi::HEADER_BYTES) { Ok(()) } else { Err(Damage::BadValue) }
}

/// Whether FAULT_CODE can read this.
fn is_fault_code(code: u32) -> bool {
    use abi::FaultCode::{BadLength, BadParameter, Misaligned, OutOfRange, Reset, UnknownCommand};
    [UnknownCommand, BadLength, Misaligned, OutOfRange, BadParameter, Reset]
        .iter()
        .any(|known| *known as u32 == code)
}
