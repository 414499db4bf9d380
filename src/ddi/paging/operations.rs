//! Moving and setting memory by GPU virtual address.
//!
//! UNSAFETY: reads the private data of a context allocation.
#![expect(unsafe_code)]

use gpup_core::Result;
use gpup_core::device::paging::Encoder;
use wddm::{
    DXGK_BUILDPAGINGBUFFER_FILLVIRTUAL, DXGK_BUILDPAGINGBUFFER_SIGNALMONITOREDFENCE,
    DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL, DXGK_BUILDPAGINGBUFFER_UPDATECONTEXTALLOCATION,
};

use super::Built;
use crate::ddi::edge;

/// Done if it fits, else again in the next buffer from the start.
fn whole<E>(encoded: core::result::Result<(), E>) -> Built {
    if encoded.is_ok() { Built::Done } else { Built::More(0) }
}

/// The allocation and its offset are information; the addresses are complete.
/// "DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL structure (d3dkmddi.h)".
pub(super) fn transfer(args: &DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL, encoder: &mut Encoder<'_>) -> Built {
    whole(encoder.copy(args.SourceVirtualAddress, args.DestinationVirtualAddress, args.TransferSizeInBytes))
}

/// "DXGK_BUILDPAGINGBUFFER_FILLVIRTUAL structure (d3dkmddi.h)".
pub(super) fn fill(args: &DXGK_BUILDPAGINGBUFFER_FILLVIRTUAL, encoder: &mut Encoder<'_>) -> Built {
    whole(encoder.fill(args.DestinationVirtualAddress, args.FillSizeInBytes, args.FillPattern))
}

/// "DXGK_BUILDPAGINGBUFFER_SIGNALMONITOREDFENCE structure (d3dkmddi.h)".
pub(super) fn signal(args: &DXGK_BUILDPAGINGBUFFER_SIGNALMONITOREDFENCE, encoder: &mut Encoder<'_>) -> Built {
    whole(encoder.store(args.MonitoredFenceGpuVa, args.MonitoredFenceValue))
}

/// Writes the private data to the front of the context allocation, eight bytes a command; the multipass offset
/// counts commands. "DXGK_BUILDPAGINGBUFFER_UPDATECONTEXTALLOCATION structure (d3dkmddi.h)".
pub(super) fn update_context(
    args: &DXGK_BUILDPAGINGBUFFER_UPDATECONTEXTALLOCATION,
    from: u32,
    encoder: &mut Encoder<'_>,
) -> Result<Built> {
    let bytes = u64::from(args.DriverPrivateDataSize).min(args.ContextAllocationSize) as usize;
    // SAFETY: VidMm passes on the private data of DxgkCbUpdateContextAllocation with its size.
    let data = unsafe { edge::slice(args.pDriverPrivateData.cast::<u8>(), bytes) }?;
    for (index, piece) in (0u32..).zip(data.chunks(8)).skip(from as usize) {
        let mut word = [0; 8];
        word[..piece.len()].copy_from_slice(piece);
        let at = args.ContextAllocation.wrapping_add(u64::from(index) * 8);
        if encoder.store(at, u64::from_le_bytes(word)).is_err() {
            return Ok(Built::More(index));
        }
    }
    Ok(Built::Done)
}
