//! The memory bases that Dxgkrnl has made, with the regions they were made of.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::device::{Device, Region};
use crate::dirty::{BasisHandle, Part};
use crate::os::SpinLock;
use crate::{Error, Result};

/// Regions under the handle of their basis.
type Kept = Vec<(BasisHandle, Box<[Region]>)>;

/// The memory bases of an adapter.
pub struct Bases {
    device: Arc<dyn Device>,
    kept: SpinLock<Kept>,
}

impl Bases {
    pub(super) fn new(device: Arc<dyn Device>) -> Self {
        Self { device, kept: SpinLock::new(Vec::new()) }
    }

    /// Makes a basis of regions of the local segment.
    pub fn create(&self, regions: &[Region]) -> Result<BasisHandle> {
        if regions.is_empty() {
            return Err(Error::InvalidParameter);
        }
        let copy = Box::from(regions);
        let handle = self.device.tracker().create(regions)?;
        self.kept.lock().push((handle, copy));
        Ok(handle)
    }

    /// Ends a basis. Refused while it is tracked.
    pub fn destroy(&self, handle: BasisHandle) -> Result<()> {
        self.device.tracker().destroy(handle)?;
        self.kept.lock().retain(|(other, _)| *other != handle);
        Ok(())
    }

    /// The regions a basis was made of.
    pub fn regions(&self, handle: BasisHandle) -> Result<Box<[Region]>> {
        let kept = self.kept.lock();
        let found = kept.iter().find(|(other, _)| *other == handle);
        found.map(|(_, regions)| regions.clone()).ok_or(Error::StaleHandle)
    }

    /// Starts tracking a basis; it begins clean.
    pub fn start(&self, handle: BasisHandle) -> Result<()> {
        self.device.tracker().start(handle)
    }

    /// Takes back one start.
    pub fn stop(&self, handle: BasisHandle) -> Result<()> {
        self.device.tracker().stop(handle)
    }

    /// Bytes that a query writes.
    pub fn needed(&self, handle: BasisHandle, part: Part) -> Result<usize> {
        self.device.tracker().needed(handle, part)
    }

    /// Writes one bit a page to the front of `out`, and clears exactly those bits if asked to.
    pub fn query(&self, handle: BasisHandle, part: Part, clear: bool, out: &mut [u8]) -> Result<usize> {
        self.device.tracker().query(handle, part, clear, out)
    }

    /// Ends every basis that is left.
    pub(super) fn clear(&self) {
        let kept = core::mem::take(&mut *self.kept.lock());
        for (handle, _) in kept {
            while self.device.tracker().stop(handle).is_ok() {}
            let _ = self.device.tracker().destroy(handle);
        }
    }
}
