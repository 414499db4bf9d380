//! The memory bases that Dxgkrnl has made.

use alloc::boxed::Box;
use alloc::sync::Arc;

use crate::device::Region;
use crate::dirty::{self, BasisHandle, Part};
use crate::os::TraceEvent;
use crate::shared::Shared;
use crate::{Error, Result};

/// The memory bases of an adapter.
pub struct Bases {
    shared: Arc<Shared>,
}

impl Bases {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Makes a basis of regions of the local segment.
    pub fn create(&self, regions: &[Region]) -> Result<BasisHandle> {
        if regions.is_empty() {
            return Err(Error::InvalidParameter);
        }
        self.shared.device.tracker().create(regions)
    }

    /// Ends a basis. Refused while it is tracked.
    pub fn destroy(&self, handle: BasisHandle) -> Result<()> {
        self.shared.device.tracker().destroy(handle)
    }

    /// The regions a basis was made of, in their order.
    pub fn regions(&self, handle: BasisHandle) -> Result<Box<[Region]>> {
        self.shared.device.tracker().regions(handle)
    }

    /// Starts tracking a basis; it begins clean.
    pub fn start(&self, handle: BasisHandle) -> Result<()> {
        self.shared.device.tracker().start(handle)
    }

    /// Takes back one start.
    pub fn stop(&self, handle: BasisHandle) -> Result<()> {
        self.shared.device.tracker().stop(handle)
    }

    /// Bytes that a query writes.
    pub fn needed(&self, handle: BasisHandle, part: Part) -> Result<usize> {
        self.shared.device.tracker().needed(handle, part)
    }

    /// Writes one bit a page to the front of `out`, and clears exactly those bits if asked to.
    pub fn query(&self, handle: BasisHandle, part: Part, clear: bool, out: &mut [u8]) -> Result<usize> {
        let bytes = self.shared.device.tracker().query(handle, part, clear, out)?;
        if clear {
            let pages = dirty::count(&out[..bytes]);
            self.shared.trace(TraceEvent::Harvested { basis: handle.to_raw(), part, pages });
        }
        Ok(bytes)
    }

    /// Ends every basis that is left.
    pub(super) fn clear(&self) {
        let tracker = self.shared.device.tracker();
        for handle in tracker.handles() {
            let _ = tracker.destroy(handle);
        }
    }
}
