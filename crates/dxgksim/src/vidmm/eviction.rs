//! What VidMm tells of allocations whose content a reset of the adapter has taken: a TRANSFER of no bytes each.
//!
//! Article: "Thread Synchronization and TDR".

use wddm::*;

use super::Paging;
use crate::contract::rules;
use crate::dxgkrnl::Core;
use crate::memory::Pages;

/// From nowhere to nowhere, and nothing of it.
pub(crate) fn eviction(allocation: HANDLE, flags: DXGK_TRANSFERFLAGS) -> DXGKARG_BUILDPAGINGBUFFER_U {
    let mut transfer = DXGKARG_BUILDPAGINGBUFFER_TRANSFER::zeroed();
    transfer.hAllocation = allocation;
    transfer.Source.SegmentId = 1;
    transfer.Source.u.SegmentAddress = i64::MAX;
    transfer.Flags = flags;
    DXGKARG_BUILDPAGINGBUFFER_U { Transfer: transfer }
}

impl Paging {
    /// Tells of the eviction of an allocation, again when the driver wants it idle first.
    pub(crate) fn evict(&self, core: &Core, allocation: HANDLE) {
        let Some(pages) = Pages::new(self.buffer_bytes(), 4096) else { return };
        let tell = |flags| {
            let mut args = DXGKARG_BUILDPAGINGBUFFER::zeroed();
            (args.pDmaBuffer, args.DmaSize) = (pages.start().cast(), self.buffer_bytes() as u32);
            args.Operation = DXGK_BUILDPAGINGBUFFER_OPERATION::DXGK_OPERATION_TRANSFER;
            args.u = eviction(allocation, flags);
            args.hSystemContext = self.context();
            core.build_paging_buffer(&mut args)
        };
        if tell(DXGK_TRANSFERFLAGS::empty()) == STATUS_GRAPHICS_ALLOCATION_BUSY {
            let idle = tell(DXGK_TRANSFERFLAGS::AllocationIsIdle);
            let busy = idle == STATUS_GRAPHICS_ALLOCATION_BUSY;
            core.contract.require(
                !busy,
                &rules::BUSY_IDLE,
                format_args!("an eviction with AllocationIsIdle"),
            );
        }
    }
}
