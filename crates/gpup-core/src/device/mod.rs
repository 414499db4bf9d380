//! The device below the adapter: what a vendor implements for real hardware, and the simulated SR-IOV GPU.

pub mod abi;
pub mod page_table;
pub mod paging;
pub mod sim;
pub mod stamp;

use alloc::sync::Arc;

use crate::dirty::Tracker;
use crate::migration::state::VfHardware;
use crate::sched::{Counters, Policy, Totals, VfParameters};
use crate::vram::Vram;
use crate::{Error, PAGE_SIZE, Result, VfIndex};

/// A run of bytes in the local segment, page-aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region {
    /// Byte offset in the segment.
    pub offset: u64,
    /// Size in bytes.
    pub bytes: u64,
}

impl Region {
    /// First byte after the region.
    pub const fn end(&self) -> u64 {
        self.offset + self.bytes
    }
}

/// What a host must share for a VF's state to fit this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// PCI vendor id.
    pub vendor: u16,
    /// PCI device id of a VF.
    pub device: u16,
    /// Revision of the silicon.
    pub revision: u8,
    /// Version of the firmware; newer takes the state of older within one major version (high 16 bits).
    pub firmware: u32,
}

/// The fixed sizes of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes of the local segment.
    pub vram_bytes: u64,
    /// Most VFs that can exist at once.
    pub max_vfs: u32,
    /// Bytes of a page of the dirty plane: a power of two, 4096 or more.
    pub dirty_page_bytes: u64,
    /// Levels of a GPU page table, root included.
    pub page_table_levels: u32,
    /// Index bits of each level; a table has `1 << bits` entries of 8 bytes.
    pub page_table_index_bits: u32,
}

impl Geometry {
    /// Bits of a GPU virtual address.
    pub const fn va_bits(&self) -> u32 {
        self.page_table_levels * self.page_table_index_bits + PAGE_SIZE.trailing_zeros()
    }

    /// Bytes of one page table.
    pub const fn table_bytes(&self) -> u64 {
        8 << self.page_table_index_bits
    }
}

/// Physical address of a page table or a page, in the terms of its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableAddress {
    /// System memory, physical address.
    System(u64),
    /// Local segment, byte offset.
    Local(u64),
}

impl TableAddress {
    /// The address `bytes` further on in the same memory.
    pub const fn plus(self, bytes: u64) -> Self {
        match self {
            Self::System(address) => Self::System(address.wrapping_add(bytes)),
            Self::Local(offset) => Self::Local(offset.wrapping_add(bytes)),
        }
    }
}

/// Who wrote a DMA buffer, and so what it may contain. Whoever submits says so; the buffer never does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// The host's memory manager, by way of the driver: any operation.
    Kernel,
    /// Anybody: it came through user mode. Only operations on the submitting process's own addresses.
    User,
}

/// Why a host submission was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It touched an address that is not mapped, or not writable.
    Page {
        /// The address.
        address: u64,
        /// To write there.
        write: bool,
    },
    /// At this address of its buffer stands no operation, or one that its author may not use.
    Operation(u64),
}

/// A DMA buffer of the host, submitted to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostSubmission {
    /// Node to run on.
    pub node: usize,
    /// Root page table of the submitting process.
    pub root: TableAddress,
    /// GPU virtual address of the DMA buffer.
    pub dma_address: u64,
    /// Bytes in the DMA buffer.
    pub dma_bytes: u32,
    /// Fence to report when it is done.
    pub fence: u32,
    /// Who wrote the buffer.
    pub author: Author,
}

/// What an engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// Whose packet it is.
    pub whose: Whose,
    /// For how long it has run, in nanoseconds.
    pub since_ns: u64,
}

/// Whose packet an engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The host's submission with this fence.
    Host(u32),
    /// A VF's.
    Vf(VfIndex),
}

/// What the reset of an engine did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineReset {
    /// Fence of the host's packet that was aborted in the middle of its execution; the last completed one when none was.
    /// What was queued behind it is submitted again.
    pub last_aborted: u32,
    /// The VF whose packet was cut, if one was.
    pub vf: Option<VfIndex>,
}

/// What the device tells the adapter. Called on engine threads at PASSIVE_LEVEL, in order for each node, with no lock
/// held: each call waits for the routine that reports at the device's level. What a packet wrote is visible and marked
/// before.
pub trait InterruptSink: Send + Sync {
    /// A host submission is done.
    fn completed(&self, node: usize, fence: u32);
    /// A host submission faulted. It is dropped; those after it go on.
    fn faulted(&self, node: usize, fence: u32, fault: Fault);
    /// A preemption request is done: nothing after `last_completed` runs.
    fn preempted(&self, node: usize, preemption_fence: u32, last_completed: u32);
}

/// An MSI-X table entry with the host's address, as WriteVirtualizedInterrupt delivers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MsixEntry {
    /// Physical address the message is written to.
    pub address: u64,
    /// The message.
    pub data: u32,
    /// Bit 0 masks the vector.
    pub control: u32,
}

/// The pages of a VF's BAR 0: page-aligned system memory that the device owns and the guest maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarPages {
    /// First byte.
    pub base: *mut u8,
    /// Size in bytes.
    pub bytes: usize,
}

/// An SR-IOV GPU whose VFs can be moved.
///
/// Every method may be called from several threads at once. A method that names a VF never waits for another VF; calls
/// that name one VF come one at a time, but [`Device::vf_counters`]. Where nothing is said, a method is called at
/// PASSIVE_LEVEL, may block, and answers [`Error::UnknownVf`] for a VF that the device cannot have.
/// docs/porting.md says which DDI calls what, and what hardware must do.
pub trait Device: Send + Sync {
    /// Ids and versions. Constant.
    /// Any IRQL up to DISPATCH_LEVEL.
    fn identity(&self) -> Identity;
    /// Sizes. Constant.
    /// Any IRQL up to DISPATCH_LEVEL.
    fn geometry(&self) -> Geometry;
    /// The local segment's bytes, to read. Writes go through the engines or a [`crate::dirty::Writer`] of
    /// [`Device::tracker`]. Takes no lock.
    fn vram(&self) -> &dyn Vram;
    /// The dirty plane and the bases over it.
    /// Takes no lock. Answers queries also while the device is stopped.
    fn tracker(&self) -> &Tracker;

    /// Starts the engines; interrupts go to `sink`.
    ///
    /// From StartDevice: all that the engines ever need is made here.
    ///
    /// # Errors
    /// [`Error::WrongState`] when started already.
    fn start(&self, sink: Arc<dyn InterruptSink>) -> Result<()>;
    /// Ends the engines: as [`Device::suspend`], until the next start.
    ///
    /// From StopDevice and NotifySurpriseRemoval, also when the device has gone: it waits for nothing that may never come.
    fn stop(&self);
    /// Has the engines stand still, and waits until they do: then no interrupt of the device and no message of a VF any
    /// more until [`Device::resume`], which sends what has become pending. What the host queued is dropped unanswered
    /// and counts as completed. VFs keep state, memory and what was written to their MSI-X tables; marks stay.
    /// Idempotent; nothing on a device that is not started.
    ///
    /// From SetPowerState and ResetFromTimeout, which may not fail: nothing is allocated.
    fn suspend(&self);
    /// Lets the engines go on. Idempotent; nothing on a device that is not started.
    ///
    /// From SetPowerState and RestartFromTimeout, which may not fail: nothing is allocated, no thread is made.
    fn resume(&self);

    /// Queues a host DMA buffer. In order for each node. Callable at DISPATCH_LEVEL.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for an unknown node or an address that is no
    /// multiple of 8, [`Error::NoResources`] when the queue is full.
    fn submit(&self, submission: HostSubmission) -> Result<()>;
    /// A submission was refused, by `submit` or before it came so far: nothing is reported of its fence, which counts as
    /// completed once all those before it on the node do. Callable at DISPATCH_LEVEL. An unknown node does nothing.
    fn refuse(&self, node: usize, fence: u32);
    /// Asks a node to drop what the host queued; the answer comes as `preempted`, when a packet that has begun has come
    /// to its end: what is packed into one buffer may not be done twice in part. One that never ends is stopped if it
    /// lets itself be. One request at a time; a later one replaces an unanswered one.
    ///
    /// Callable at DISPATCH_LEVEL. An unknown node does nothing.
    fn preempt(&self, node: usize, preemption_fence: u32);
    /// Last fence the node completed for the host: a packet that faulted has come to its end too.
    /// Takes no lock; any IRQL. 0 for an unknown node.
    fn last_completed_fence(&self, node: usize) -> u32;
    /// Whether the node makes progress or is idle (false: it hangs in one packet).
    /// Takes no lock; any IRQL.
    fn responsive(&self, node: usize) -> bool;
    /// What the node runs this moment. Takes no lock; any IRQL.
    fn running(&self, node: usize) -> Option<Running>;
    /// The node's figures, of all VFs and the host together.
    /// May take a spin lock, and waits for no packet.
    fn totals(&self, node: usize) -> Result<Totals>;
    /// Aborts the packet that hangs on the node, and drops what the host queued there, unanswered; a packet that makes
    /// progress ends by itself, so that no other VF loses by it. A host's packet that waited for a VF's was not
    /// aborted: the operating system submits it again under its fence, and parts of it that are done are not done
    /// again. An aborted fence counts as completed from now on.
    ///
    /// From ResetEngine and ResetFromTimeout. What the packet wrote until then is marked.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for an unknown node, [`Error::Timeout`] when the engine does not stop: the operating
    /// system then resets the adapter.
    fn reset_engine(&self, node: usize) -> Result<EngineReset>;
    /// Makes the next packet of a VF on a node hang until it is reset: for tests of the ways out.
    #[cfg(feature = "fault-injection")]
    fn vf_hang(&self, vf: VfIndex, node: usize) -> Result<()> {
        let _ = (vf, node);
        Err(Error::NotSupported)
    }
    /// Forgets cached translations under `root`.
    /// Before the return, for packets that begin later. From BuildPagingBuffer.
    fn flush_tlb(&self, root: TableAddress);
    /// Device clock in ticks (nanoseconds), and ticks a second.
    /// Never goes back. Called at DISPATCH_LEVEL, by CalibrateGpuClock: takes no lock that is held while waiting.
    fn clock(&self) -> (u64, u64);

    /// Gives a VF its memory: zeroed before anything can read it. Regions are whole pages in the order of VF
    /// addresses. [`Error::Busy`] when a page belongs to another VF. A VF that was paused
    /// before stays paused.
    ///
    /// The VF is paused before and stays so. Zeroing marks the pages.
    fn vf_enable(&self, vf: VfIndex, regions: &[Region]) -> Result<()>;
    /// Takes a VF's memory away, zeroed, and stops it; its pause, policy and parameters end.
    ///
    /// Its packet in flight is ended. Zeroing marks the pages. Works also when the device is stopped or gone.
    ///
    /// # Errors
    /// [`Error::WrongState`] without memory, [`Error::Timeout`] when its packet does not end: then the VF stays.
    fn vf_disable(&self, vf: VfIndex) -> Result<()>;
    /// Function level reset: rings, registers and memory as after `vf_enable`; a pause stays.
    ///
    /// Its packet in flight is ended. Zeroing marks every page of it. Errors as of [`Device::vf_disable`].
    fn vf_reset(&self, vf: VfIndex) -> Result<()>;
    /// Takes the VF off every engine and waits for its packet in flight. Then: no write, interrupt or dirty mark of
    /// it. Idempotent. Who pauses waits as a neighbour does: a packet past its preemption timeout is cut. Without one
    /// it is not, and the wait ends after two seconds with [`Error::Timeout`]: then the VF is not paused.
    /// A VF without memory can be paused too: it is, before [`Device::vf_enable`].
    fn vf_pause(&self, vf: VfIndex) -> Result<()>;
    /// Lets a paused VF run again, and sends the messages that were pending and are not masked. Idempotent.
    fn vf_resume(&self, vf: VfIndex) -> Result<()>;
    /// Reads the VF's own memory; `offset` is a VF address.
    /// [`Error::WrongState`] without memory, [`Error::OutOfRange`] beyond its end.
    fn vf_read(&self, vf: VfIndex, offset: u64, out: &mut [u8]) -> Result<()>;
    /// Writes the VF's own memory and marks it dirty; `offset` is a VF address. Only while paused.
    /// [`Error::WrongState`] when it is not, [`Error::OutOfRange`] beyond its end.
    fn vf_write(&self, vf: VfIndex, offset: u64, data: &[u8]) -> Result<()>;
    /// The pages of its BAR 0.
    /// The same as long as the device lives.
    fn vf_bar(&self, vf: VfIndex) -> Result<BarPages>;
    /// Writes an entry of its MSI-X table: after a reset all are masked. A pending message that it lets through is
    /// sent, once: now, or when the VF is resumed.
    ///
    /// [`Error::OutOfRange`] for a vector that the table lacks, [`Error::Misaligned`] for an address that is no multiple
    /// of 4.
    fn vf_write_msix(&self, vf: VfIndex, index: usize, entry: MsixEntry) -> Result<()>;
    /// Copies its state, VRAM apart, into `state` without allocating. Only while paused.
    /// [`Error::WrongState`] when it is not, [`Error::BufferTooSmall`] when `state` was not made for this device. Marks
    /// nothing.
    fn vf_save(&self, vf: VfIndex, state: &mut VfHardware) -> Result<()>;
    /// Puts a state back, all of it or, when it is refused, nothing. Only while paused. MSI-X entries written before
    /// keep their addresses and masks.
    ///
    /// [`Error::WrongState`] when it is not paused, [`Error::Corrupt`] for what [`VfHardware::validate`] refuses.
    fn vf_restore(&self, vf: VfIndex, state: &VfHardware) -> Result<()>;

    /// Sets a VF's quantum, preemption timeout, priority and weight. This and what follows may take a spin lock, wait
    /// for no packet and mark nothing.
    fn vf_parameters(&self, vf: VfIndex, parameters: VfParameters) -> Result<()>;
    /// Sets the most a VF may take of every node, in millionths: what its profile's maximum is of the device.
    fn vf_max(&self, vf: VfIndex, ppm: u32) -> Result<()>;
    /// Sets a VF's migration policy on every node, in force by the next packet.
    fn vf_policy(&self, vf: VfIndex, policy: Policy) -> Result<()>;
    /// Slows a migrating VF's guest on every node to so many thousandths of what it may take; 1000 = not at all.
    /// [`Error::NotSupported`] by a device that cannot.
    fn vf_throttle(&self, vf: VfIndex, permille: u32) -> Result<()> {
        let _ = (vf, permille);
        Err(Error::NotSupported)
    }
    /// A VF's scheduling counters on a node.
    /// Waits for nobody who hangs: what is collected of a hang asks it without the VF's lock.
    fn vf_counters(&self, vf: VfIndex, node: usize) -> Result<Counters>;
}
