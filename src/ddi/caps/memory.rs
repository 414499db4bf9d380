//! Segments, page tables, dirty tracking.

use gpup_core::{Error, PAGE_SIZE, Result};
use wddm::{
    DXGK_DIRTY_BIT_TRACKING_CAPS, DXGK_DIRTY_BIT_TRACKING_SEGMENT_CAPS, DXGK_GPUMMUCAPS,
    DXGK_GPUMMUCAPS_VALUE, DXGK_PAGE_TABLE_LEVEL_DESC, DXGK_PAGETABLEUPDATEMODE, DXGK_QUERYGPUMMUCAPSIN,
    DXGK_QUERYPAGETABLELEVELDESCIN, DXGK_QUERYSCATTERRESERVEIN, DXGK_QUERYSCATTERRESERVEOUT,
    DXGK_QUERYSEGMENTIN4, DXGK_QUERYSEGMENTOUT4, DXGK_SEGMENTDESCRIPTOR4, DXGK_SEGMENTFLAGS,
};

use super::Query;
use super::overview::only_adapter;
use crate::ddi::segment::{LOCAL_SEGMENT, PAGING_BUFFER_BYTES, SYSTEM_SEGMENT};
use crate::miniport::Started;

/// DXGKQAITYPE_QUERYSEGMENT4: asked twice, first for the number of segments, then for the segments.
/// "DXGK_QUERYSEGMENTOUT4 structure (d3dkmddi.h)".
pub(super) fn query_segment4(started: &Started, query: &Query<'_>) -> Result<()> {
    only_adapter(query.input::<DXGK_QUERYSEGMENTIN4>()?.PhysicalAdapterIndex)?;
    let mut out = query.filled::<DXGK_QUERYSEGMENTOUT4>()?;
    // The first time nothing but the number is touched.
    if out.NbSegment > 0 && !out.pSegmentDescriptor.is_null() {
        query.segment_descriptor(&out, segment(started))?;
        out.PagingBufferSegmentId = SYSTEM_SEGMENT;
        out.PagingBufferSize = PAGING_BUFFER_BYTES;
        out.PagingBufferPrivateDataSize = 0;
    }
    out.NbSegment = 1;
    query.answer(out)
}

/// The local segment. CPUs do not see it: everything in it is moved by the copy engine.
fn segment(started: &Started) -> DXGK_SEGMENTDESCRIPTOR4 {
    let bytes = started.adapter.device().geometry().vram_bytes as usize;
    DXGK_SEGMENTDESCRIPTOR4 {
        Flags: DXGK_SEGMENTFLAGS::ApplicationTarget | DXGK_SEGMENTFLAGS::LocalBudgetGroup,
        Size: bytes,
        CommitLimit: bytes,
        ..DXGK_SEGMENTDESCRIPTOR4::zeroed()
    }
}

/// DXGKQAITYPE_GPUMMUCAPS: tables are written by the copy engine. "DXGK_GPUMMUCAPS structure (d3dkmddi.h)".
pub(super) fn gpu_mmu_caps(started: &Started, asked: DXGK_QUERYGPUMMUCAPSIN) -> Result<DXGK_GPUMMUCAPS> {
    only_adapter(asked.PhysicalAdapterIndex)?;
    let geometry = started.adapter.device().geometry();
    Ok(DXGK_GPUMMUCAPS {
        Value: DXGK_GPUMMUCAPS_VALUE::ReadOnlyMemorySupported
            | DXGK_GPUMMUCAPS_VALUE::CacheCoherentMemorySupported,
        PageTableUpdateMode: DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_GPU_VIRTUAL,
        VirtualAddressBitCount: geometry.va_bits(),
        PageTableLevelCount: geometry.page_table_levels,
        ..DXGK_GPUMMUCAPS::zeroed()
    })
}

/// DXGKQAITYPE_PAGETABLELEVELDESC: tables lie in the local segment, those of the paging process in system memory.
/// "DXGK_PAGE_TABLE_LEVEL_DESC structure (d3dkmddi.h)".
pub(super) fn page_table_level_desc(
    started: &Started,
    asked: DXGK_QUERYPAGETABLELEVELDESCIN,
) -> Result<DXGK_PAGE_TABLE_LEVEL_DESC> {
    only_adapter(u32::from(asked.PhysicalAdapterIndex))?;
    let geometry = started.adapter.device().geometry();
    if u32::from(asked.LevelIndex) >= geometry.page_table_levels {
        return Err(Error::InvalidParameter);
    }
    let bytes = geometry.table_bytes().max(PAGE_SIZE) as u32;
    Ok(DXGK_PAGE_TABLE_LEVEL_DESC {
        PageTableIndexBitCount: geometry.page_table_index_bits,
        PageTableSegmentId: LOCAL_SEGMENT,
        PagingProcessPageTableSegmentId: SYSTEM_SEGMENT,
        PageTableSizeInBytes: bytes,
        PageTableAlignmentInBytes: bytes,
    })
}

/// DXGKQAITYPE_DIRTYBITTRACKINGCAPS. "DXGK_DIRTY_BIT_TRACKING_CAPS structure (d3dkmddi.h)".
pub(super) fn dirty_tracking_caps(started: &Started) -> DXGK_DIRTY_BIT_TRACKING_CAPS {
    let mut caps = DXGK_DIRTY_BIT_TRACKING_CAPS::DirtyBitTrackingSupported;
    caps.set(DXGK_DIRTY_BIT_TRACKING_CAPS::DirtyBitTrackingPerformant, started.adapter.settings().performant);
    caps
}

/// DXGKQAITYPE_DIRTYBITTRACKINGSEGMENTCAPS: any other segment is not tracked, which is STATUS_NOT_IMPLEMENTED.
/// "DXGK_DIRTY_BIT_TRACKING_SEGMENT_CAPS structure (d3dkmddi.h)".
pub(super) fn dirty_tracking_segment_caps(
    started: &Started,
    segment: u32,
) -> Result<DXGK_DIRTY_BIT_TRACKING_SEGMENT_CAPS> {
    if segment != LOCAL_SEGMENT {
        return Err(Error::NotTracked);
    }
    let page = started.adapter.device().geometry().dirty_page_bytes;
    Ok(DXGK_DIRTY_BIT_TRACKING_SEGMENT_CAPS { PageSize: page as u32 })
}

/// DXGKQAITYPE_SCATTER_RESERVE: what SetVirtualGpuResources2 asks of a range. "DXGK_QUERYSCATTERRESERVEOUT structure
/// (d3dkmddi.h)".
pub(super) fn scatter_reserve(
    started: &Started,
    asked: DXGK_QUERYSCATTERRESERVEIN,
) -> Result<DXGK_QUERYSCATTERRESERVEOUT> {
    if asked.SegmentId != LOCAL_SEGMENT {
        return Err(Error::InvalidParameter);
    }
    let page = started.adapter.device().geometry().dirty_page_bytes;
    Ok(DXGK_QUERYSCATTERRESERVEOUT { SetVGPUResourcesPageSize: page })
}
