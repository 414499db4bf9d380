//! What an adapter and its VFs share: the device, its settings, and how it is divided.

mod settings;
pub mod shares;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, Ordering};

pub use settings::Settings;
pub use shares::{Bounds, COMPUTE_UNITS, Grant, Profile, Share, Shares};

use crate::device::Device;
use crate::os::{self, TraceEvent};

/// What an adapter and its VFs share.
pub(crate) struct Shared {
    /// The adapter's number in traces.
    pub(crate) id: u32,
    pub(crate) device: Arc<dyn Device>,
    pub(crate) settings: Settings,
    pub(crate) shares: Shares,
}

impl Shared {
    /// Of an adapter over `device`.
    pub(crate) fn new(device: Arc<dyn Device>, settings: Settings) -> Self {
        Self { id: next_id(), shares: Shares::new(&device.geometry()), device, settings }
    }

    /// Tells an event of this adapter.
    pub(crate) fn trace(&self, event: TraceEvent) {
        os::trace(self.id, event);
    }
}

/// Every adapter of the image has a number of its own.
fn next_id() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
