//! The state of a VF as it travels: types of their own, never the runtime's.

use alloc::boxed::Box;
use alloc::vec;

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
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl Default for VfHardware {
    fn default() -> Self {
        let node = || NodeState {
            tail: 0,
            head: 0,
            fence: 0,
            busy: 0,
            commands: 0,
            ring: vec![0; abi::RING_BYTES].into_boxed_slice(),
        };
        Self {
            status: 0,
            fault: [0; 3],
            nodes: core::array::from_fn(|_| node()),
            pending: 0,
            masked: 0,
            readback: vec![0; abi::READBACK_BYTES].into_boxed_slice(),
        }
    }
}
