//! The simulated SR-IOV GPU: a compute engine and a copy engine that VFs and the host share.
//!
//! ```text
//!   guest --BAR: ring, doorbell--> Vf --+                        +--> VRAM, through a Writer that marks
//!                                       +--> Scheduler --> Engine +--> registers, fence, MSI-X of the VF
//!   host --submit--> HostQueue ---------+     (a node each)      +--> InterruptSink
//! ```
//! Each engine is a thread. Turn by turn it looks who has work, asks its scheduler, executes one packet (a
//! command of a guest, or a chunk of the host's paging) and charges what that took by the [cost model](Rates).
//! Engine time is the sum of these costs and of the time the engine was idle.

mod bar;
mod command;
mod cost;
mod device;
mod engine;
mod hang;
mod host;
mod kernels;
mod memory;
mod msix;
mod node;
mod packet;
mod regions;
mod registers;
mod ring;
mod system;
#[cfg(test)]
mod tests;
mod transfer;
mod translate;
mod vf;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub use cost::{CHUNK_BYTES, CHUNK_TICKS, Rates};
pub use host::HOST_QUEUE_DEPTH;

use crate::device::abi::{COMPUTE_NODE, COPY_NODE, NODES};
use crate::device::{Geometry, Identity, InterruptSink};
use crate::dirty::Tracker;
use crate::os::{Mutex, Thread, now};
use crate::sched::Limits;
use crate::vram::{SimulatedVram, Vram, VramStore};
use crate::{Error, PAGE_SIZE, Result, VfIndex};

use engine::Engine;
use node::Node;
use regions::Owners;
use vf::Vf;

/// Writers left for others after the engines and the VFs have theirs.
const SPARE_WRITERS: usize = 8;
/// Most VFs a simulated device can have.
const MOST_VFS: u32 = 1024;

/// What kind of device to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimConfig {
    /// Ids and versions.
    pub identity: Identity,
    /// Sizes.
    pub geometry: Geometry,
    /// How fast it is.
    pub rates: Rates,
    /// Bytes of engine time's second that the paging for one migrating VF moves at most; 0 = no limit.
    pub paging_bytes_per_second: u64,
}

impl SimConfig {
    /// A device of the usual kind with so much local memory and so many VFs.
    pub const fn new(vram_bytes: u64, max_vfs: u32) -> Self {
        Self {
            identity: Identity { vendor: 0x1234, device: 0x4756, revision: 1, firmware: 0x0001_0000 },
            geometry: Geometry {
                vram_bytes,
                max_vfs,
                dirty_page_bytes: PAGE_SIZE,
                page_table_levels: 3,
                page_table_index_bits: 9,
            },
            rates: Rates::USUAL,
            paging_bytes_per_second: 0,
        }
    }

    /// What a node's scheduler goes by. Only the copy engine does paging.
    fn limits(&self, node: usize) -> Limits {
        // Bytes a microsecond are millions a second, so this is millionths of what the engine can copy.
        let paging_ppm = match self.paging_bytes_per_second {
            0 => 1_000_000,
            bytes => (bytes / self.rates.copy).clamp(1, 1_000_000) as u32,
        };
        let usual = Limits { chunk: CHUNK_TICKS, paging_ppm, ..Limits::default() };
        if node == COPY_NODE { usual } else { Limits { paging_permille: 0, ..usual } }
    }

    fn check(&self) -> Result<()> {
        let Geometry { max_vfs, page_table_levels, page_table_index_bits, .. } = self.geometry;
        // A table fits a page or is made of whole ones, and an address fits 64 bits with room to spare.
        let tables = (1..=6).contains(&page_table_levels) && (9..=16).contains(&page_table_index_bits);
        if max_vfs == 0 || max_vfs > MOST_VFS || !tables || self.geometry.va_bits() > 57 {
            return Err(Error::InvalidParameter);
        }
        if !self.rates.are_sound() {
            return Err(Error::InvalidParameter);
        }
        Ok(())
    }
}

#[cfg(test)]
impl SimGpu {
    /// Looks at a node's scheduler.
    pub(crate) fn with_scheduler<R>(
        &self,
        node: usize,
        look: impl FnOnce(&crate::sched::Scheduler) -> R,
    ) -> R {
        look(&self.shared.nodes[node].scheduler.lock())
    }
}

/// What the engines and the callers share.
struct Shared {
    config: SimConfig,
    tracker: Tracker,
    owners: Owners,
    vfs: Box<[Vf]>,
    nodes: [Node; NODES],
    /// The engines end.
    stop: AtomicBool,
    /// The engines stand still.
    suspended: AtomicBool,
    /// Counts flushes of translations; engines forget theirs when it moves.
    tlb_epoch: AtomicU64,
    /// System time at which the device came to be.
    born: u64,
}

/// The simulated GPU.
pub struct SimGpu {
    shared: Arc<Shared>,
    threads: Mutex<Option<[Thread; NODES]>>,
}

impl SimGpu {
    /// A device with simulated VRAM. All its memory, BARs of every VF included, is allocated here.
    pub fn new(config: SimConfig) -> Result<Arc<Self>> {
        Self::over(config, Arc::new(SimulatedVram::new(config.geometry.vram_bytes)?))
    }

    /// A device over other VRAM, of the size that the geometry says.
    pub fn over(config: SimConfig, vram: Arc<dyn VramStore>) -> Result<Arc<Self>> {
        config.check()?;
        let Geometry { vram_bytes, max_vfs, dirty_page_bytes, .. } = config.geometry;
        if vram.bytes() != vram_bytes {
            return Err(Error::InvalidParameter);
        }
        let writers = NODES + max_vfs as usize + SPARE_WRITERS;
        let tracker = Tracker::new(vram, dirty_page_bytes, writers)?;
        let mut vfs = Vec::new();
        vfs.try_reserve_exact(max_vfs as usize).map_err(|_| Error::NoResources)?;
        for index in 0..max_vfs {
            vfs.push(Vf::new(index, tracker.writer()?)?);
        }
        let shared = Shared {
            config,
            owners: Owners::new(vram_bytes)?,
            tracker,
            vfs: vfs.into_boxed_slice(),
            nodes: [Node::new(max_vfs, config.limits(0))?, Node::new(max_vfs, config.limits(1))?],
            stop: AtomicBool::new(false),
            suspended: AtomicBool::new(false),
            tlb_epoch: AtomicU64::new(0),
            born: now(),
        };
        Ok(Arc::new(Self { shared: Arc::new(shared), threads: Mutex::new(None) }))
    }

    /// Makes the next packet of a VF, or of the host, on a node hang until the engine is reset: what TDR is for.
    pub fn hang(&self, node: usize, vf: Option<VfIndex>) -> Result<()> {
        self.shared.node(node)?.set_hang(vf);
        Ok(())
    }

    fn spawn(&self, sink: &Arc<dyn InterruptSink>) -> Result<[Thread; NODES]> {
        let compute = Engine::new(self.shared.clone(), COMPUTE_NODE, sink.clone())?;
        let copy = Engine::new(self.shared.clone(), COPY_NODE, sink.clone())?;
        let compute = Thread::spawn("gpup compute engine", move || compute.run())?;
        match Thread::spawn("gpup copy engine", move || copy.run()) {
            Ok(copy) => Ok([compute, copy]),
            Err(error) => {
                self.shared.ask_to_stop();
                drop(compute);
                Err(error)
            }
        }
    }
}

impl Drop for SimGpu {
    fn drop(&mut self) {
        crate::device::Device::stop(self);
    }
}

impl Shared {
    fn node(&self, node: usize) -> Result<&Node> {
        self.nodes.get(node).ok_or(Error::InvalidParameter)
    }

    fn vf(&self, vf: VfIndex) -> Result<&Vf> {
        self.vfs.get(vf as usize).ok_or(Error::UnknownVf)
    }

    fn vram(&self) -> &dyn Vram {
        self.tracker.vram()
    }

    /// Lets every engine look at what is new.
    fn wake(&self) {
        self.nodes.iter().for_each(|node| node.wake.signal());
    }

    /// Whether no engine is to do anything.
    fn is_still(&self) -> bool {
        self.stop.load(Ordering::SeqCst) || self.suspended.load(Ordering::SeqCst)
    }

    /// Ends the engines' loops.
    fn ask_to_stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        self.wake();
    }
}
