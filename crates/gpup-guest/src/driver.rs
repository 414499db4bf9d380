//! The guest's driver for its VF: rings, fences, MSI-X and faults.
//!
//! A command's fence is its number on its node, so two counters a node say everything: how many were
//! submitted and how many the FENCE register says are done. Interrupts only end a wait early; every slice
//! reads the registers, so that a message lost on the way (or left behind on the source host) costs a poll
//! and nothing else.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use dxgksim::guest::{Bar, Cpu, MsixMessage};
use gpup_core::device::abi::{self, reg, status};

use crate::command::{Command, encode_filler};

/// Longest wait for an interrupt before the registers are looked at again.
pub(crate) const POLL_NS: u64 = 2_000_000;
/// Commands between two that interrupt, where the work itself asks for none.
const INTERRUPT_EVERY: u64 = 4;
/// Where the guest has its messages delivered: its own address, which means nothing to the host.
const MSIX_ADDRESS: u64 = 0xfee0_1000;
/// Room left in a full ring.
const RING_SLACK: u32 = 16;

/// A node's ring as the driver knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ring {
    /// Bytes written, modulo 2^32: what the doorbell holds.
    pub(crate) tail: u32,
    /// Commands submitted, fillers apart: the last one's fence.
    pub(crate) submitted: u64,
    /// Commands done, when last looked at.
    pub(crate) completed: u64,
}

impl Ring {
    /// Commands submitted and not known to be done.
    pub(crate) const fn outstanding(&self) -> u64 {
        self.submitted - self.completed
    }
}

/// The driver's state. All but the last two fields travels with the VM.
#[derive(Debug, Default)]
pub(crate) struct Driver {
    /// The MSI-X table has been written.
    pub(crate) armed: bool,
    /// The rings, by node.
    pub(crate) rings: [Ring; abi::NODES],
    /// The device was identified by this instance.
    attached: bool,
    /// Where commands are put together.
    scratch: Vec<u8>,
}

impl Driver {
    /// A driver in a saved state.
    pub(crate) fn restored(armed: bool, rings: [Ring; abi::NODES]) -> Self {
        Self { armed, rings, ..Self::default() }
    }

    /// Takes note of interrupts, faults and completed fences. `Ok(false)`: the device is not ready yet.
    pub(crate) fn poll(&mut self, cpu: &mut dyn Cpu, vram_bytes: u64) -> Result<bool, String> {
        let messages = cpu.take_interrupts();
        let state = cpu.bar().read_u32(reg::STATUS);
        if state & (status::READY | status::FAULT) == 0 {
            return Ok(false);
        }
        self.attach(cpu, vram_bytes)?;
        let bar = cpu.bar();
        if state & status::FAULT != 0 {
            return Err(fault(bar));
        }
        if messages >> abi::MSIX_VECTORS != 0 {
            return Err(format!("messages {messages:#x} arrived that no vector of the VF sends"));
        }
        for (node, ring) in self.rings.iter_mut().enumerate() {
            observe(bar, node, ring)?;
        }
        Ok(true)
    }

    /// Identifies the device and enables the vectors; after a move, checks that the vectors are still enabled.
    fn attach(&mut self, cpu: &mut dyn Cpu, vram_bytes: u64) -> Result<(), String> {
        if self.attached {
            return Ok(());
        }
        let bar = cpu.bar();
        let (magic, version) = (bar.read_u32(reg::MAGIC), bar.read_u32(reg::VERSION));
        if magic != abi::DEVICE_MAGIC || bar.bytes() < abi::BAR_BYTES {
            return Err(format!(
                "not a VF this driver knows: magic {magic:#010x}, BAR of {} bytes",
                bar.bytes()
            ));
        }
        if version != abi::ABI_VERSION {
            return Err(format!("the VF speaks version {version}, this driver {}", abi::ABI_VERSION));
        }
        let owned = bar.read_u64(reg::VRAM_BYTES);
        if owned < vram_bytes {
            return Err(format!("the VF owns {owned} bytes of VRAM, the guest was made for {vram_bytes}"));
        }
        for vector in 0..abi::MSIX_VECTORS as u16 {
            let message = MsixMessage { address: MSIX_ADDRESS, data: u32::from(vector), control: 0 };
            if !self.armed {
                cpu.write_msix(vector, message);
            } else if cpu.read_msix(vector) != message {
                return Err(format!("entry {vector} of the MSI-X table is not what the guest wrote"));
            }
        }
        self.armed = true;
        self.attached = true;
        Ok(())
    }

    /// Puts a command into a node's ring and rings the doorbell; false when there is no room for it now.
    /// `urgent`: interrupt when it is done.
    pub(crate) fn submit(&mut self, bar: &dyn Bar, node: usize, command: &Command, urgent: bool) -> bool {
        let ring = &mut self.rings[node];
        let fence = ring.submitted + 1;
        let mut flags = abi::FLAG_FENCE;
        if urgent || fence.is_multiple_of(INTERRUPT_EVERY) {
            flags |= abi::FLAG_INTERRUPT;
        }
        command.encode(flags, fence, &mut self.scratch);
        let bytes = self.scratch.len() as u32;

        let size = abi::RING_BYTES as u32;
        let to_end = size - ring.tail % size;
        let filler = if bytes > to_end { to_end } else { 0 };
        let used = ring.tail.wrapping_sub(bar.read_u32(register(node, reg::HEAD)));
        if used.saturating_add(filler + bytes + RING_SLACK) > size {
            return false;
        }

        let start = abi::RING_OFFSET + node * abi::RING_BYTES;
        let mut tail = ring.tail;
        bar.write_bytes(start + ((tail.wrapping_add(filler)) % size) as usize, &self.scratch);
        if filler != 0 {
            encode_filler(filler as usize, &mut self.scratch);
            bar.write_bytes(start + (tail % size) as usize, &self.scratch);
        }
        tail = tail.wrapping_add(filler + bytes);
        bar.write_u32(register(node, reg::TAIL), tail);
        ring.tail = tail;
        ring.submitted = fence;
        true
    }
}

/// Byte offset of a node's register.
const fn register(node: usize, offset: usize) -> usize {
    reg::NODE + node * reg::NODE_STRIDE + offset
}

/// Reads a node's registers and checks that they can be those of the ring this driver fills.
fn observe(bar: &dyn Bar, node: usize, ring: &mut Ring) -> Result<(), String> {
    let name = node_name(node);
    let fence = bar.read_u64(register(node, reg::FENCE));
    let head = bar.read_u32(register(node, reg::HEAD));
    let tail = bar.read_u32(register(node, reg::TAIL));
    if tail != ring.tail {
        return Err(format!(
            "the {name} node's doorbell reads {tail}, the driver wrote {}: was it reset?",
            ring.tail
        ));
    }
    if ring.tail.wrapping_sub(head) > abi::RING_BYTES as u32 {
        return Err(format!("the {name} node's head {head} lies outside what was submitted (tail {tail})"));
    }
    if fence < ring.completed || fence > ring.submitted {
        let (from, to) = (ring.completed, ring.submitted);
        return Err(format!("the {name} node's fence {fence} is not between {from} and {to}"));
    }
    ring.completed = fence;
    Ok(())
}

/// The fault registers in words.
fn fault(bar: &dyn Bar) -> String {
    const CODES: [(abi::FaultCode, &str); 6] = [
        (abi::FaultCode::UnknownCommand, "unknown command"),
        (abi::FaultCode::BadLength, "bad length"),
        (abi::FaultCode::Misaligned, "misaligned address"),
        (abi::FaultCode::OutOfRange, "range outside the VF's memory"),
        (abi::FaultCode::BadParameter, "parameter outside its limits"),
        (abi::FaultCode::Reset, "the engine was reset under it"),
    ];
    let code = bar.read_u32(reg::FAULT_CODE);
    let node = bar.read_u32(reg::FAULT_NODE) as usize;
    let head = bar.read_u32(reg::FAULT_HEAD);
    let reason =
        CODES.iter().find(|(known, _)| *known as u32 == code).map_or("unknown fault", |(_, words)| words);
    format!("the {} node refused the command at head {head}: {reason} (code {code})", node_name(node))
}

/// A node in words.
const fn node_name(node: usize) -> &'static str {
    match node {
        abi::COMPUTE_NODE => "compute",
        abi::COPY_NODE => "copy",
        _ => "unknown",
    }
}
