//! Writing the mutable stream: two calls that agree on its size to the byte.

use super::late::{HEAD_BYTES, PageRun, RUN_BYTES};
use super::{
    CONFIG, INTERRUPTS, LATE_PAGES, NODE, READBACK, SCHEDULING, VERSION, VF_REGISTERS, check_scheduling,
};
use crate::device::abi;
use crate::migration::codec::{FormatVersion, Payload, StreamKind, Tag, Writer, stream_bytes};
use crate::migration::state::{NodeState, VfHardware};
use crate::sched::{Priority, VfParameters};
use crate::{Error, Result};

const VF_REGISTERS_BYTES: u64 = 16;
const INTERRUPTS_BYTES: u64 = 8;
const SCHEDULING_BYTES: u64 = 16;
const READBACK_BYTES: u64 = 4 + abi::READBACK_BYTES as u64;
const CONFIG_BYTES: u64 = 4 + abi::CONFIG_BYTES as u64;
const NODE_BYTES: u64 = 36 + abi::RING_BYTES as u64;
/// Pages are read in pieces of this size, so that a piece is summed while the cache still has it.
const PIECE_BYTES: usize = 64 * 1024;

/// Everything the mutable stream of a paused VF is made from. Nothing of it may change between
/// [`Snapshot::size`] and [`Snapshot::encode`].
#[derive(Clone, Debug)]
pub struct Snapshot<'a, R> {
    /// The hardware's state.
    pub hardware: &'a VfHardware,
    /// The PCI configuration space.
    pub config: &'a [u8; abi::CONFIG_BYTES],
    /// The scheduler's parameters.
    pub scheduling: VfParameters,
    /// Bytes of a page of the dirty plane.
    pub page_bytes: u64,
    /// Pages dirtied since the last harvest that cleared bits: ascending runs that do not overlap.
    pub late: R,
}

impl<R: Iterator<Item = PageRun> + Clone> Snapshot<'_, R> {
    /// Bytes of the stream.
    pub fn size(&self) -> u64 {
        let late = self.late_payload();
        let fixed = [VF_REGISTERS_BYTES, INTERRUPTS_BYTES, SCHEDULING_BYTES, READBACK_BYTES, CONFIG_BYTES];
        stream_bytes(fixed.into_iter().chain([NODE_BYTES; abi::NODES]).chain(late.map(|(_, bytes)| bytes)))
    }

    /// Runs, and payload bytes, of the late-pages record; none without late pages.
    fn late_payload(&self) -> Option<(u64, u64)> {
        let (runs, pages) = self
            .late
            .clone()
            .fold((0u64, 0u64), |(runs, pages), run| (runs + 1, pages.saturating_add(run.pages)));
        let bytes = runs.saturating_mul(RUN_BYTES).saturating_add(pages.saturating_mul(self.page_bytes));
        (runs > 0).then(|| (runs, bytes.saturating_add(HEAD_BYTES)))
    }

    /// Writes the stream to the front of `out` and returns its bytes. `read(offset, bytes)` fills `bytes`
    /// from the VF's own memory.
    ///
    /// # Errors
    /// `BufferTooSmall` if `out` is smaller than [`Snapshot::size`]; `Corrupt` if the hardware's state or
    /// the parameters are such that a target would refuse them; `InvalidParameter` if the late runs are
    /// not in order: nothing is written. What `read` answers: the front of `out` holds no valid stream.
    pub fn encode(
        &self,
        out: &mut [u8],
        mut read: impl FnMut(u64, &mut [u8]) -> Result<()>,
    ) -> Result<usize> {
        self.hardware.validate()?;
        check_scheduling(&self.scheduling)?;
        self.check_runs()?;
        let late = self.late_payload();
        let records = 5 + abi::NODES as u32 + u32::from(late.is_some());
        let mut stream = Writer::new(out, StreamKind::Mutable, FormatVersion::CURRENT, records, self.size())?;
        let hardware = self.hardware;
        stream.record(Tag::mandatory(VF_REGISTERS, VERSION), VF_REGISTERS_BYTES, |payload| {
            payload.u32(hardware.status)?;
            hardware.fault.iter().try_for_each(|value| payload.u32(*value))
        })?;
        stream.record(Tag::mandatory(INTERRUPTS, VERSION), INTERRUPTS_BYTES, |payload| {
            payload.u32(hardware.pending)?;
            payload.u32(hardware.masked)
        })?;
        stream.record(Tag::optional(SCHEDULING, VERSION), SCHEDULING_BYTES, |payload| {
            payload.u32(self.scheduling.quantum_us)?;
            payload.u32(self.scheduling.preempt_timeout_us)?;
            payload.u32(match self.scheduling.priority {
                Priority::Low => 0,
                Priority::Normal => 1,
            })?;
            payload.u32(self.scheduling.weight)
        })?;
        stream.record(Tag::mandatory(READBACK, VERSION), READBACK_BYTES, |payload| {
            payload.u32(abi::READBACK_BYTES as u32)?;
            payload.bytes(&hardware.readback)
        })?;
        stream.record(Tag::optional(CONFIG, VERSION), CONFIG_BYTES, |payload| {
            payload.u32(abi::CONFIG_BYTES as u32)?;
            payload.bytes(self.config)
        })?;
        for (kind, node) in (NODE..).zip(&hardware.nodes) {
            stream.record(Tag::mandatory(kind, VERSION), NODE_BYTES, |payload| write_node(payload, node))?;
        }
        if let Some((runs, bytes)) = late {
            stream.record(Tag::mandatory(LATE_PAGES, VERSION), bytes, |payload| {
                payload.u64(self.page_bytes)?;
                payload.u64(runs)?;
                for run in self.late.clone() {
                    payload.u64(run.first)?;
                    payload.u64(run.pages)?;
                }
                self.late.clone().try_for_each(|run| write_pages(payload, run, self.page_bytes, &mut read))
            })?;
        }
        stream.finish()
    }

    /// Whether a target would take the runs.
    fn check_runs(&self) -> Result<()> {
        let mut last = 0;
        for run in self.late.clone() {
            let end = run.end().filter(|_| run.pages > 0 && run.first >= last);
            last = end.ok_or(Error::InvalidParameter)?;
        }
        last.checked_mul(self.page_bytes).map(|_| ()).ok_or(Error::InvalidParameter)
    }
}

fn write_node(payload: &mut Payload<'_>, node: &NodeState) -> Result<()> {
    payload.u32(node.tail)?;
    payload.u32(node.head)?;
    payload.u64(node.fence)?;
    payload.u64(node.busy)?;
    payload.u64(node.commands)?;
    payload.u32(abi::RING_BYTES as u32)?;
    payload.bytes(&node.ring)
}

fn write_pages(
    payload: &mut Payload<'_>,
    run: PageRun,
    page_bytes: u64,
    read: &mut impl FnMut(u64, &mut [u8]) -> Result<()>,
) -> Result<()> {
    let mut offset = run.first * page_bytes;
    let mut left = run.pages * page_bytes;
    while left > 0 {
        let piece = left.min(PIECE_BYTES as u64);
        payload.with(piece as usize, |out| read(offset, out))?;
        offset += piece;
        left -= piece;
    }
    Ok(())
}
