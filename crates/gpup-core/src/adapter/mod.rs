//! An adapter: the device, its VFs, its memory bases, and how it is divided.

mod bases;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

pub use crate::shared::{Bounds, COMPUTE_UNITS, Grant, Profile, Settings, Share, Shares, shares};
pub use bases::Bases;

use crate::device::{Device, EngineReset, InterruptSink};
use crate::os::{self, Level, TraceEvent};
use crate::shared::Shared;
use crate::vf::{Vf, VfTable};
use crate::{Error, Result, VfIndex};

/// An adapter.
pub struct Adapter {
    shared: Arc<Shared>,
    vfs: VfTable,
    bases: Bases,
    /// The device was taken away: nothing starts it any more.
    removed: AtomicBool,
}

impl Adapter {
    /// An adapter over `device`, with a seat for each VF it can have.
    pub fn new(device: Arc<dyn Device>, settings: Settings) -> Result<Self> {
        let shared = Arc::new(Shared::new(device, settings));
        let vfs = VfTable::new(&shared, shared.device.geometry().max_vfs)?;
        Ok(Self { vfs, bases: Bases::new(shared.clone()), removed: AtomicBool::new(false), shared })
    }

    /// Starts the engines; interrupts go to `sink`. Refused once the device was taken away.
    pub fn start(&self, sink: Arc<dyn InterruptSink>) -> Result<()> {
        if !self.removed.load(Ordering::SeqCst) {
            self.shared.device.start(sink)?;
        }
        // Looked at again: the device may have gone while it was started.
        if self.removed.load(Ordering::SeqCst) {
            self.shared.device.stop();
            return Err(Error::Removed);
        }
        Ok(())
    }

    /// Has the engines stand still until [`Adapter::resume`]. Cannot fail.
    pub fn suspend(&self) {
        self.shared.device.suspend();
    }

    /// Lets the engines go on, unless the device was taken away. Cannot fail.
    pub fn resume(&self) {
        if !self.removed.load(Ordering::SeqCst) {
            self.shared.device.resume();
        }
        // Looked at again: the device may have gone meanwhile.
        if self.removed.load(Ordering::SeqCst) {
            self.shared.device.stop();
        }
    }

    /// The device was taken away without notice: its engines stop for good. VFs and migrations can still be ended.
    pub fn remove(&self) {
        self.removed.store(true, Ordering::SeqCst);
        self.shared.device.stop();
    }

    /// Ends every VF, whatever it is doing, and stops the engines.
    pub fn stop(&self) {
        for vf in self.vfs.iter() {
            match vf.destroy() {
                Ok(()) => os::log(Level::Warning, format_args!("VF {} was still there", vf.index())),
                Err(Error::UnknownVf) => {}
                Err(error) => os::log(Level::Error, format_args!("VF {}: {error}", vf.index())),
            }
        }
        self.shared.device.stop();
        self.bases.clear();
    }

    /// The adapter's number in traces.
    pub fn id(&self) -> u32 {
        self.shared.id
    }

    /// Tells an event of this adapter.
    pub fn trace(&self, event: TraceEvent) {
        self.shared.trace(event);
    }

    /// Resets an engine, and says so; the answer is the last aborted fence, or the last completed one when none was.
    pub fn reset_engine(&self, node: usize) -> Result<u32> {
        let EngineReset { last_aborted: fence, vf } = self.device().reset_engine(node)?;
        self.trace(TraceEvent::EngineReset { node, fence, vf });
        Ok(fence)
    }

    /// The device.
    pub fn device(&self) -> &Arc<dyn Device> {
        &self.shared.device
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// How the device is divided.
    pub fn shares(&self) -> &Shares {
        &self.shared.shares
    }

    /// The memory bases.
    pub fn bases(&self) -> &Bases {
        &self.bases
    }

    /// The VF with an index, whether it exists or not. No lock is taken.
    pub fn vf(&self, index: VfIndex) -> Result<&Vf> {
        self.vfs.get(index)
    }

    /// All VFs that could exist.
    pub fn vfs(&self) -> impl Iterator<Item = &Vf> {
        self.vfs.iter()
    }

    /// Whether writes to every local segment are tracked: only then can a VF be moved while it runs.
    pub fn tracks_every_segment(&self) -> bool {
        // There is one local segment, and the device's contract gives it a tracker.
        self.shared.device.tracker().page_bytes() == self.shared.device.geometry().dirty_page_bytes
    }
}
