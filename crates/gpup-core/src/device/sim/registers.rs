//! The registers a guest may only read: kept here, published in its BAR.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use super::bar::Bar;
use crate::device::abi::{ABI_VERSION, DEVICE_MAGIC, FaultCode, NODES, reg, status};
use crate::migration::state::VfHardware;

/// Byte offset of a node's register.
pub(super) const fn node_register(node: usize, register: usize) -> usize {
    reg::NODE + node * reg::NODE_STRIDE + register
}

/// A VF's registers. Written by the engine that has the VF in flight, or by a control path while none has.
#[derive(Default)]
pub(super) struct Registers {
    vram_bytes: AtomicU64,
    status: AtomicU32,
    /// FAULT_CODE, FAULT_NODE, FAULT_HEAD.
    fault: [AtomicU32; 3],
    pub(super) nodes: [NodeRegisters; NODES],
}

/// A VF's registers of one node.
#[derive(Default)]
pub(super) struct NodeRegisters {
    head: AtomicU32,
    fence: AtomicU64,
    busy: AtomicU64,
    commands: AtomicU64,
}

impl NodeRegisters {
    /// How far the engine has come.
    pub(super) fn head(&self) -> u32 {
        self.head.load(Relaxed)
    }

    /// Counts a command that is done.
    pub(super) fn advance(&self, bytes: u32, ticks: u64, fence: Option<u64>) {
        self.head.store(self.head().wrapping_add(bytes), Relaxed);
        self.busy.store(self.busy.load(Relaxed).wrapping_add(ticks), Relaxed);
        self.commands.store(self.commands.load(Relaxed).wrapping_add(1), Relaxed);
        if let Some(fence) = fence {
            self.fence.store(fence, Relaxed);
        }
    }

    /// Shows the node's registers; the fence last, so that who sees it sees all that came before.
    pub(super) fn publish(&self, bar: &Bar, node: usize) {
        bar.store(node_register(node, reg::HEAD), self.head());
        bar.store64(node_register(node, reg::BUSY), self.busy.load(Relaxed));
        bar.store64(node_register(node, reg::COMMANDS), self.commands.load(Relaxed));
        bar.store64(node_register(node, reg::FENCE), self.fence.load(Relaxed));
    }
}

impl Registers {
    /// Puts everything as after a reset, of a VF with so much memory; 0 is a VF without.
    pub(super) fn reset(&self, vram_bytes: u64) {
        self.vram_bytes.store(vram_bytes, Relaxed);
        self.status.store(if vram_bytes > 0 { status::READY } else { 0 }, Relaxed);
        self.fault.iter().for_each(|word| word.store(0, Relaxed));
        for node in &self.nodes {
            node.head.store(0, Relaxed);
            node.fence.store(0, Relaxed);
            node.busy.store(0, Relaxed);
            node.commands.store(0, Relaxed);
        }
    }

    /// Whether a command was refused.
    pub(super) fn faulted(&self) -> bool {
        self.status.load(Relaxed) & status::FAULT != 0
    }

    /// Notes a refused command, unless another node was first.
    pub(super) fn set_fault(&self, node: usize, code: FaultCode) -> bool {
        if self.status.fetch_or(status::FAULT, Relaxed) & status::FAULT != 0 {
            return false;
        }
        let words = [code as u32, node as u32, self.nodes[node].head()];
        self.fault.iter().zip(words).for_each(|(register, word)| register.store(word, Relaxed));
        true
    }

    /// Shows what does not belong to a node; the status last.
    pub(super) fn publish(&self, bar: &Bar) {
        bar.store(reg::MAGIC, DEVICE_MAGIC);
        bar.store(reg::VERSION, ABI_VERSION);
        bar.store64(reg::VRAM_BYTES, self.vram_bytes.load(Relaxed));
        for (at, word) in [reg::FAULT_CODE, reg::FAULT_NODE, reg::FAULT_HEAD].into_iter().zip(&self.fault) {
            bar.store(at, word.load(Relaxed));
        }
        bar.store(reg::STATUS, self.status.load(Relaxed));
    }

    /// Copies the registers into a state.
    pub(super) fn save(&self, state: &mut VfHardware) {
        state.status = self.status.load(Relaxed);
        state.fault = core::array::from_fn(|word| self.fault[word].load(Relaxed));
        for (node, saved) in self.nodes.iter().zip(&mut state.nodes) {
            saved.head = node.head();
            saved.fence = node.fence.load(Relaxed);
            saved.busy = node.busy.load(Relaxed);
            saved.commands = node.commands.load(Relaxed);
        }
    }

    /// Takes the registers of a state that was validated. A VF with memory is ready, whatever the state says.
    pub(super) fn restore(&self, state: &VfHardware) {
        self.status.store((state.status & status::FAULT) | status::READY, Relaxed);
        self.fault.iter().zip(state.fault).for_each(|(register, word)| register.store(word, Relaxed));
        for (node, saved) in self.nodes.iter().zip(&state.nodes) {
            node.head.store(saved.head, Relaxed);
            node.fence.store(saved.fence, Relaxed);
            node.busy.store(saved.busy, Relaxed);
            node.commands.store(saved.commands, Relaxed);
        }
    }
}
