//! What of a VF is in no VRAM page the host has read: registers, rings, interrupts, scheduling, last pages.
//!
//! | record | fields | without it |
//! |---|---|---|
//! | vf-registers 0x10 | status, fault code, fault node, fault head: u32 each | refused |
//! | interrupts 0x11 | pending, masked: u32 each, a bit a vector; no address or message ever travels | refused |
//! | scheduling 0x12, optional | quantum µs, preemption timeout µs, priority (0 low, 1 normal), weight: u32 each | the target's own parameters stay |
//! | readback 0x13 | bytes u32, the readback window | refused |
//! | config 0x14, optional, since 1.1 | bytes u32, the PCI configuration space | it reads as after a reset |
//! | node n 0x20 + n | tail u32, head u32, fence u64, busy u64, commands u64, ring bytes u32, the ring | refused |
//! | late-pages 0x40 | page bytes u64, runs u64; each run: first page u64, pages u64; then the pages | no page is late |
//!
//! **A ring travels whole**, not from head to tail: a guest paused between writing a command and storing
//! the tail has bytes in its ring that no doorbell covers yet. So the size depends on the late pages alone.
//!
//! **Late pages** are those dirtied since the last harvest that cleared bits. Page numbers count pages of
//! the dirty plane from the start of the VF's own memory. Runs ascend and do not overlap. The bytes go
//! from VRAM into the caller's buffer and back with no stop between.
//!
//! **Values** are checked by [`VfHardware::validate`](super::state::VfHardware::validate) at both ends;
//! scheduling needs a quantum and a weight above 0; of config the target takes the bits that a guest may write
//! and no others. [`Mutable::parse`] answers only when all of the stream is right, so a refused one has changed
//! nothing.

mod encode;
mod late;

pub use encode::Snapshot;
pub use late::{LatePages, LateRun, PageRun, PageRuns};

use super::codec::{Reader, Record, StreamKind};
use super::state::{NodeRegisters, VfHardware, VfRegisters};
use super::{Damage, Immutable};
use crate::device::abi;
use crate::sched::{Priority, VfParameters};
use crate::{Error, Result};

pub(super) const VF_REGISTERS: u16 = 0x10;
pub(super) const INTERRUPTS: u16 = 0x11;
pub(super) const SCHEDULING: u16 = 0x12;
pub(super) const READBACK: u16 = 0x13;
pub(super) const CONFIG: u16 = 0x14;
pub(super) const NODE: u16 = 0x20;
pub(super) const NODE_LAST: u16 = NODE + abi::NODES as u16 - 1;
pub(super) const LATE_PAGES: u16 = 0x40;
/// Newest version of each record.
const VERSION: u16 = 1;

/// The mutable state of a VF, read from a stream and checked; rings and pages still lie in the stream.
#[derive(Clone, Debug)]
pub struct Mutable<'a> {
    registers: VfRegisters,
    nodes: [(NodeRegisters, &'a [u8]); abi::NODES],
    readback: &'a [u8],
    config: Option<&'a [u8; abi::CONFIG_BYTES]>,
    scheduling: Option<VfParameters>,
    late: Option<LatePages<'a>>,
}

impl<'a> Mutable<'a> {
    /// Reads and checks a stream for a VF whose memory and page size are `vf`'s; `bytes` is all of it.
    pub fn parse(bytes: &'a [u8], vf: &Immutable) -> Result<Self> {
        let (mut status, mut interrupts, mut scheduling, mut readback, mut config, mut late) =
            (None, None, None, None, None, None);
        let mut nodes = [None; abi::NODES];
        for record in Reader::open(bytes, StreamKind::Mutable)? {
            let record = record?;
            match record.tag.kind {
                VF_REGISTERS => status = Some(decode_registers(&record)?),
                INTERRUPTS => interrupts = Some(decode_interrupts(&record)?),
                SCHEDULING => scheduling = Some(decode_scheduling(&record)?),
                READBACK => readback = Some(decode_readback(&record)?),
                CONFIG => config = Some(decode_config(&record)?),
                NODE..=NODE_LAST => {
                    nodes[usize::from(record.tag.kind - NODE)] = Some(decode_node(&record)?);
                }
                LATE_PAGES => {
                    let pages = LatePages::decode(&record)?;
                    pages.check(vf)?;
                    late = Some(pages);
                }
                _ => record.skip()?,
            }
        }
        let (status, fault) = status.ok_or(Damage::Missing)?;
        let (pending, masked) = interrupts.ok_or(Damage::Missing)?;
        let registers = VfRegisters { status, fault, pending, masked };
        registers.validate()?;
        let mut whole = [(NodeRegisters::default(), &[][..]); abi::NODES];
        for (slot, node) in whole.iter_mut().zip(nodes) {
            *slot = node.ok_or(Damage::Missing)?;
            slot.0.validate()?;
        }
        let readback = readback.ok_or(Damage::Missing)?;
        Ok(Self { registers, nodes: whole, readback, config, scheduling, late })
    }

    /// Puts the hardware's part into `hardware`, for the device to restore. Allocates nothing.
    ///
    /// # Errors
    /// `InvalidParameter` if a block of `hardware` has another size than the device's; it is unchanged then.
    pub fn load(&self, hardware: &mut VfHardware) -> Result<()> {
        if !hardware.has_blocks() {
            return Err(Error::InvalidParameter);
        }
        hardware.set_registers(&self.registers);
        hardware.readback.copy_from_slice(self.readback);
        for (node, (registers, ring)) in hardware.nodes.iter_mut().zip(&self.nodes) {
            node.set_registers(registers);
            node.ring.copy_from_slice(ring);
        }
        Ok(())
    }

    /// The PCI configuration space the VF had at the source, if it travelled.
    pub fn config(&self) -> Option<&'a [u8; abi::CONFIG_BYTES]> {
        self.config
    }

    /// The scheduler parameters the VF had at the source, if they travelled.
    pub fn scheduling(&self) -> Option<VfParameters> {
        self.scheduling
    }

    /// The pages to write into the VF's memory before it runs, in ascending order.
    pub fn late_pages(&self) -> impl Iterator<Item = LateRun<'a>> + Clone + use<'a> {
        self.late.clone().into_iter().flat_map(|pages| pages.runs())
    }

    /// Bytes that [`Mutable::late_pages`] writes.
    pub fn late_bytes(&self) -> u64 {
        self.late_pages().map(|run| run.bytes.len() as u64).sum()
    }
}

pub(super) fn decode_registers(record: &Record<'_>) -> Result<(u32, [u32; 3])> {
    let mut fields = record.fields(VERSION)?;
    let registers = (fields.u32()?, [fields.u32()?, fields.u32()?, fields.u32()?]);
    fields.end()?;
    Ok(registers)
}

pub(super) fn decode_interrupts(record: &Record<'_>) -> Result<(u32, u32)> {
    let mut fields = record.fields(VERSION)?;
    let bits = (fields.u32()?, fields.u32()?);
    fields.end()?;
    Ok(bits)
}

pub(super) fn decode_scheduling(record: &Record<'_>) -> Result<VfParameters> {
    let mut fields = record.fields(VERSION)?;
    let parameters = VfParameters {
        quantum_us: fields.u32()?,
        preempt_timeout_us: fields.u32()?,
        priority: priority(fields.u32()?)?,
        weight: fields.u32()?,
    };
    fields.end()?;
    check_scheduling(&parameters)?;
    Ok(parameters)
}

fn priority(value: u32) -> core::result::Result<Priority, Damage> {
    match value {
        0 => Ok(Priority::Low),
        1 => Ok(Priority::Normal),
        _ => Err(Damage::BadValue),
    }
}

/// The limits of the scheduling record.
fn check_scheduling(parameters: &VfParameters) -> core::result::Result<(), Damage> {
    if parameters.quantum_us == 0 || parameters.weight == 0 { Err(Damage::BadValue) } else { Ok(()) }
}

pub(super) fn decode_readback<'a>(record: &Record<'a>) -> Result<&'a [u8]> {
    decode_block(record, abi::READBACK_BYTES)
}

pub(super) fn decode_config<'a>(record: &Record<'a>) -> Result<&'a [u8; abi::CONFIG_BYTES]> {
    decode_block(record, abi::CONFIG_BYTES)?.try_into().map_err(|_| Damage::BadLength.into())
}

/// The bytes of a record that is one block of a size the device has.
fn decode_block<'a>(record: &Record<'a>, bytes: usize) -> Result<&'a [u8]> {
    let mut fields = record.fields(VERSION)?;
    if fields.u32()? as usize != bytes {
        return Err(Damage::BadLength.into());
    }
    let block = fields.bytes(bytes)?;
    fields.end()?;
    Ok(block)
}

pub(super) fn decode_node<'a>(record: &Record<'a>) -> Result<(NodeRegisters, &'a [u8])> {
    let mut fields = record.fields(VERSION)?;
    let registers = NodeRegisters {
        tail: fields.u32()?,
        head: fields.u32()?,
        fence: fields.u64()?,
        busy: fields.u64()?,
        commands: fields.u64()?,
    };
    if fields.u32()? != abi::RING_BYTES as u32 {
        return Err(Damage::BadLength.into());
    }
    let ring = fields.bytes(abi::RING_BYTES)?;
    fields.end()?;
    Ok((registers, ring))
}
