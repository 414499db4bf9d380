//! Memory bases and dirty-page tracking.
//!
//! What the pages leave open, as answered here: a basis that cannot be made is NULL; bits are least significant
//! first, and the ranges of a whole basis follow each other without padding.
//!
//! UNSAFETY: follows the range array and the caller's bit buffer.
#![expect(unsafe_code)]

use alloc::vec::Vec;
use core::mem::offset_of;

use gpup_core::device::Region;
use gpup_core::dirty::{BasisHandle, Part};
use gpup_core::os::TraceEvent;
use gpup_core::{Error, Result};
use wddm::{
    DXGK_MEMORYRANGE, DXGKARG_CREATEMEMORYBASIS, DXGKARG_QUERYDIRTYBITDATA, DXGKARG_QUERYDIRTYBITDATAFLAGS,
    HANDLE,
};

use super::edge;
use crate::ddi::segment::LOCAL_SEGMENT;
use crate::miniport::{self, Started};

wddm::ddi! {
    /// DxgkDdiCreateMemoryBasis. PASSIVE_LEVEL. "DXGKDDI_CREATEMEMORYBASIS callback function (d3dkmddi.h)".
    pub(crate) unsafe fn create_memory_basis(adapter: HANDLE, args: *const DXGKARG_CREATEMEMORYBASIS) -> HANDLE {
        // SAFETY: within a DDI of the adapter, and the reference ends with it.
        let started = unsafe { miniport::started(adapter) };
        // SAFETY: Dxgkrnl's own arguments.
        match started.and_then(|started| create(started, unsafe { ranges(args) }?)) {
            Ok(handle) => core::ptr::without_provenance_mut(handle.to_raw() as usize),
            Err(error) => {
                if let Ok(started) = started {
                    started.adapter.trace(TraceEvent::Refused { vf: None, what: "CreateMemoryBasis", error });
                }
                core::ptr::null_mut()
            }
        }
    }
}

edge::entries! {
    /// DxgkDdiDestroyMemoryBasis. PASSIVE_LEVEL. "DXGKDDI_DESTROYMEMORYBASIS callback function (d3dkmddi.h)".
    handle destroy_memory_basis => destroy;

    /// DxgkDdiStartDirtyTracking. PASSIVE_LEVEL. "DXGKDDI_STARTDIRTYTRACKING callback function (d3dkmddi.h)".
    handle start_dirty_tracking => start;

    /// DxgkDdiStopDirtyTracking. PASSIVE_LEVEL. "DXGKDDI_STOPDIRTYTRACKING callback function (d3dkmddi.h)".
    handle stop_dirty_tracking => stop;

    /// DxgkDdiQueryDirtyBitData. PASSIVE_LEVEL. "DXGKDDI_QUERYDIRTYBITDATA callback function (d3dkmddi.h)".
    write query_dirty_bit_data(DXGKARG_QUERYDIRTYBITDATA) => query;
}

/// The ranges of a new basis.
///
/// # Safety
/// `args` is the call's own pointer.
unsafe fn ranges<'a>(args: *const DXGKARG_CREATEMEMORYBASIS) -> Result<&'a [DXGK_MEMORYRANGE]> {
    // SAFETY: the caller's promise.
    let DXGKARG_CREATEMEMORYBASIS { SegmentId, RangeCount, .. } = *unsafe { edge::input(args) }?;
    if SegmentId != LOCAL_SEGMENT {
        return Err(Error::InvalidParameter);
    }
    let count = usize::try_from(RangeCount).map_err(|_| Error::InvalidParameter)?;
    // SAFETY: Dxgkrnl passes as many ranges as it says.
    unsafe { edge::trailing(args, offset_of!(DXGKARG_CREATEMEMORYBASIS, Ranges), count) }
}

fn create(started: &Started, ranges: &[DXGK_MEMORYRANGE]) -> Result<BasisHandle> {
    let mut regions = Vec::new();
    regions.try_reserve_exact(ranges.len()).map_err(|_| Error::NoResources)?;
    regions
        .extend(ranges.iter().map(|range| Region { offset: range.SegmentOffset, bytes: range.SizeInBytes }));
    started.adapter.bases().create(&regions)
}

fn destroy(started: &Started, basis: HANDLE) -> Result<()> {
    started.adapter.bases().destroy(basis_of(basis)?)
}

fn start(started: &Started, basis: HANDLE) -> Result<()> {
    started.adapter.bases().start(basis_of(basis)?)
}

fn stop(started: &Started, basis: HANDLE) -> Result<()> {
    started.adapter.bases().stop(basis_of(basis)?)
}

/// A buffer that is too small gets nothing and clears nothing; of a larger one only the first bytes are written.
fn query(started: &Started, args: &mut DXGKARG_QUERYDIRTYBITDATA) -> Result<()> {
    let bases = started.adapter.bases();
    let basis = basis_of(args.MemoryBasis)?;
    let clear = DXGKARG_QUERYDIRTYBITDATAFLAGS::DXGKARG_QUERYDIRTYBITDATAFLAGS_CLEARDATA;
    if args.Flags.0 & !clear.0 != 0 {
        return Err(Error::InvalidParameter);
    }
    let part = match args.SubrangeSize {
        0 => Part::Whole,
        bytes => Part::Range { index: args.SubrangeIndex, offset: args.SubrangeOffset, bytes },
    };
    let needed = bases.needed(basis, part)?;
    if args.BufferSize < needed {
        return Err(Error::BufferTooSmall);
    }
    // SAFETY: Dxgkrnl's buffer of BufferSize bytes, of which `needed` are used.
    let out = unsafe { edge::slice_mut(args.Buffer.cast::<u8>(), needed) }?;
    bases.query(basis, part, args.Flags.0 & clear.0 != 0, out).map(drop)
}

fn basis_of(handle: HANDLE) -> Result<BasisHandle> {
    BasisHandle::from_raw(handle.addr() as u64).ok_or(Error::StaleHandle)
}
