//! Dirty tracking that costs performance: a migration begins it and ends it.
//!
//! "DXGKDDI_PREPARELIVEMIGRATION callback function (d3dkmddi.h)" has tracking start there when it is not reported as
//! performant; the article lets Dxgkrnl start it. Both work: starts are counted, and this is one of them.

use alloc::vec::Vec;

use super::{Partition, Vf};
use crate::device::Region;
use crate::dirty::BasisHandle;
use crate::{Error, Result};

impl Vf {
    /// Starts the bases that lie in the VF's memory, unless tracking is on all the time anyway.
    pub(super) fn begin_tracking(&self, partition: &mut Partition) -> Result<()> {
        if self.shared.settings.performant {
            return Ok(());
        }
        let tracker = self.shared.device.tracker();
        let regions = &partition.memory()?.regions;
        let mut started: Vec<BasisHandle> = Vec::new();
        started.try_reserve_exact(tracker.leaked()).map_err(|_| Error::NoResources)?;
        for basis in tracker.handles() {
            let inside = tracker.regions(basis).is_ok_and(|basis| basis.iter().all(|it| covers(regions, it)));
            // One that was made since its place was counted is Dxgkrnl's to start.
            if inside && started.len() < started.capacity() && tracker.start(basis).is_ok() {
                started.push(basis);
            }
        }
        partition.tracked = started;
        Ok(())
    }

    /// Takes the starts back. A basis that has gone meanwhile took its own with it.
    pub(super) fn end_tracking(&self, partition: &mut Partition) {
        for basis in core::mem::take(&mut partition.tracked) {
            let _ = self.shared.device.tracker().stop(basis);
        }
    }
}

/// Whether all of `part` lies in one of `regions`.
fn covers(regions: &[Region], part: &Region) -> bool {
    regions.iter().any(|it| it.offset <= part.offset && part.offset + part.bytes <= it.offset + it.bytes)
}
