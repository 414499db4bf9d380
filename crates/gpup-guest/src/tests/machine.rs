//! A processor and a VF over plain memory.

use std::cell::RefCell;

use dxgksim::guest::{Bar, Cpu, MsixMessage};
use gpup_core::device::abi::{self, FaultCode, reg, status};

use super::kernels::{self, Window};

/// BAR 0 over plain memory. The guest may write doorbells and rings.
pub(super) struct Memory(RefCell<Vec<u8>>);

impl Memory {
    pub(super) fn poke(&self, offset: usize, data: &[u8]) {
        self.0.borrow_mut()[offset..offset + data.len()].copy_from_slice(data);
    }

    fn peek<const N: usize>(&self, offset: usize) -> [u8; N] {
        assert_eq!(offset % N.min(8), 0);
        self.0.borrow()[offset..offset + N].try_into().unwrap()
    }
}

fn doorbell(offset: usize) -> bool {
    (0..abi::NODES).any(|node| offset == register(node, reg::TAIL))
}

impl Bar for Memory {
    fn bytes(&self) -> usize {
        abi::BAR_BYTES
    }
    fn read_u32(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.peek(offset))
    }
    fn read_u64(&self, offset: usize) -> u64 {
        u64::from_le_bytes(self.peek(offset))
    }
    fn write_u32(&self, offset: usize, value: u32) {
        assert!(doorbell(offset));
        self.poke(offset, &value.to_le_bytes());
    }
    fn write_u64(&self, _offset: usize, _value: u64) {
        panic!("no register of 8 bytes is the guest's to write");
    }
    fn read_bytes(&self, offset: usize, out: &mut [u8]) {
        assert!(offset.is_multiple_of(8) && out.len().is_multiple_of(8));
        out.copy_from_slice(&self.0.borrow()[offset..offset + out.len()]);
    }
    fn write_bytes(&self, offset: usize, data: &[u8]) {
        assert!(offset.is_multiple_of(8) && data.len().is_multiple_of(8));
        assert!(offset >= abi::RING_OFFSET && offset + data.len() <= abi::READBACK_OFFSET);
        self.poke(offset, data);
    }
}

/// A VM with its VF.
pub(super) struct Machine {
    pub(super) bar: Memory,
    pub(super) vram: Vec<u8>,
    pub(super) msix: [MsixMessage; abi::MSIX_VECTORS],
    pub(super) messages: u32,
    pub(super) clock: u64,
    /// No message arrives.
    pub(super) deaf: bool,
}

impl Machine {
    pub(super) fn new(vram_bytes: u64) -> Self {
        let bar = Memory(RefCell::new(vec![0; abi::BAR_BYTES]));
        bar.poke(reg::MAGIC, &abi::DEVICE_MAGIC.to_le_bytes());
        bar.poke(reg::VERSION, &abi::ABI_VERSION.to_le_bytes());
        bar.poke(reg::VRAM_BYTES, &vram_bytes.to_le_bytes());
        bar.poke(reg::STATUS, &status::READY.to_le_bytes());
        let masked = MsixMessage { control: 1, ..MsixMessage::default() };
        let msix = [masked; abi::MSIX_VECTORS];
        Self { bar, vram: vec![0; vram_bytes as usize], msix, messages: 0, clock: 5, deaf: false }
    }

    /// Lets the time pass that a guest waits for, or less when a message is there.
    pub(super) fn wait(&mut self, ns: u64) {
        self.clock += if self.messages != 0 { ns.min(1000) } else { ns };
    }

    pub(super) fn node_u32(&self, node: usize, offset: usize) -> u32 {
        self.bar.read_u32(register(node, offset))
    }

    /// Executes up to `count` commands of a node.
    pub(super) fn execute(&mut self, node: usize, count: u64) {
        for _ in 0..count {
            let (head, tail) = (self.node_u32(node, reg::HEAD), self.node_u32(node, reg::TAIL));
            if head == tail || self.bar.read_u32(reg::STATUS) != status::READY {
                return;
            }
            if let Err(code) = self.command(node, head, tail) {
                self.fault(node, code);
            }
        }
    }

    /// Refuses the node's next command.
    pub(super) fn fault(&mut self, node: usize, code: FaultCode) {
        let head = self.node_u32(node, reg::HEAD);
        self.bar.poke(reg::FAULT_CODE, &(code as u32).to_le_bytes());
        self.bar.poke(reg::FAULT_NODE, &(node as u32).to_le_bytes());
        self.bar.poke(reg::FAULT_HEAD, &head.to_le_bytes());
        self.bar.poke(reg::STATUS, &(status::READY | status::FAULT).to_le_bytes());
        self.raise(abi::FAULT_VECTOR);
    }

    fn command(&mut self, node: usize, head: u32, tail: u32) -> Result<(), FaultCode> {
        let at = head as usize % abi::RING_BYTES;
        let ring = abi::RING_OFFSET + node * abi::RING_BYTES;
        let [opcode, flags] = [0, 2].map(|skip| u16::from_le_bytes(self.bar.peek(ring + at + skip)));
        let bytes = self.bar.read_u32(ring + at + 4) as usize;
        let fence = self.bar.read_u64(ring + at + 8);
        if bytes < 16
            || !bytes.is_multiple_of(16)
            || at + bytes > abi::RING_BYTES
            || bytes > tail.wrapping_sub(head) as usize
        {
            return Err(FaultCode::BadLength);
        }
        let mut payload = vec![0; bytes - 16];
        self.bar.read_bytes(ring + at + 16, &mut payload);
        let window: Window<'_> = &mut |offset, data: &[u8]| {
            if !(offset as usize).is_multiple_of(8) || offset as usize + data.len() > abi::READBACK_BYTES {
                return Err(FaultCode::OutOfRange);
            }
            self.bar.poke(abi::READBACK_OFFSET + offset as usize, data);
            Ok(())
        };
        kernels::execute(node, opcode, &payload, &mut self.vram, window)?;
        self.bar.poke(register(node, reg::HEAD), &head.wrapping_add(bytes as u32).to_le_bytes());
        if flags & abi::FLAG_FENCE != 0 {
            self.bar.poke(register(node, reg::FENCE), &fence.to_le_bytes());
        }
        if flags & abi::FLAG_INTERRUPT != 0 {
            self.raise(node);
        }
        Ok(())
    }

    fn raise(&mut self, vector: usize) {
        let entry = self.msix[vector];
        if entry.control & 1 == 0 && !self.deaf {
            assert_ne!(entry.address, 0);
            self.messages |= 1 << entry.data;
        }
    }
}

impl Cpu for Machine {
    fn bar(&self) -> &dyn Bar {
        &self.bar
    }
    fn take_interrupts(&mut self) -> u32 {
        std::mem::take(&mut self.messages)
    }
    fn write_msix(&mut self, index: u16, message: MsixMessage) {
        self.msix[usize::from(index)] = message;
    }
    fn read_msix(&self, index: u16) -> MsixMessage {
        self.msix[usize::from(index)]
    }
    fn now(&self) -> u64 {
        self.clock
    }
}

pub(super) fn register(node: usize, offset: usize) -> usize {
    reg::NODE + node * reg::NODE_STRIDE + offset
}
