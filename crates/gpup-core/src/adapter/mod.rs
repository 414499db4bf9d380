//! An adapter: the device, its VFs, its memory bases, and how it is divided.

mod bases;
mod settings;
pub mod shares;

use alloc::sync::Arc;

pub use bases::Bases;
pub use settings::Settings;
pub use shares::{Bounds, COMPUTE_UNITS, Grant, Profile, Share, Shares};

use crate::device::{Device, InterruptSink};
use crate::os::{self, Level};
use crate::vf::{Vf, VfTable};
use crate::{Error, Result, VfIndex};

/// What an adapter and its VFs share.
pub(crate) struct Shared {
    pub(crate) device: Arc<dyn Device>,
    pub(crate) settings: Settings,
    pub(crate) shares: Shares,
}

/// An adapter.
pub struct Adapter {
    shared: Arc<Shared>,
    vfs: VfTable,
    bases: Bases,
}

impl Adapter {
    /// An adapter over `device`, with a seat for each VF it can have.
    pub fn new(device: Arc<dyn Device>, settings: Settings) -> Result<Self> {
        let geometry = device.geometry();
        let shared = Arc::new(Shared { shares: Shares::new(&geometry), device: device.clone(), settings });
        Ok(Self { vfs: VfTable::new(&shared, geometry.max_vfs)?, bases: Bases::new(device), shared })
    }

    /// Starts the engines; interrupts go to `sink`.
    pub fn start(&self, sink: Arc<dyn InterruptSink>) -> Result<()> {
        self.shared.device.start(sink)
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
