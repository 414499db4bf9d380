//! DXGKDDI_FLEXIOV_DEVICE_INTERFACE and DXGKDDI_MITIGABLE_DEVICE_INTERFACE: what memory is behind a VF's BAR, and
//! which of its pages the host traps.
//!
//! BAR 0 is one run of memory the device owns. Its MSI-X page is trapped in both directions: writes reach the driver
//! as WriteVirtualizedInterrupt, reads are answered from what the guest wrote.
//!
//! UNSAFETY: fills the arrays that the calls pass.
#![expect(unsafe_code)]

use gpup_core::device::abi;
use gpup_core::{Error, PAGE_SIZE, Result};
use wddm::{
    CM_PARTIAL_RESOURCE_DESCRIPTOR, DXGK_MITIGATEDRANGEINFO, DXGK_MMIORANGEINFO, DXGKARG_GETBACKINGRESOURCE,
    DXGKARG_GETMMIORANGECOUNT, DXGKARG_GETMMIORANGES, DXGKARG_QUERYMITIGATEDRANGECOUNT,
    DXGKARG_QUERYMITIGATEDRANGES, DXGKDDI_FLEXIOV_DEVICE_INTERFACE, DXGKDDI_MAX_FLEXIOV_RESOURCES,
    DXGKDDI_MITIGABLE_DEVICE_INTERFACE, FALSE, TRUE,
};

use super::{edge, sriov};
use crate::miniport::Started;

const PAGE: usize = PAGE_SIZE as usize;
/// Page of the MSI-X table.
const MSIX_PAGE: u64 = (abi::MSIX_OFFSET / PAGE) as u64;
/// Pages of BAR 0.
const BAR_PAGES: u64 = (abi::BAR_BYTES / PAGE) as u64;

/// BAR 0 in runs of pages: those before the MSI-X table, its page, those after it.
const RUNS: [(u64, u64, bool); 3] =
    [(0, MSIX_PAGE, false), (MSIX_PAGE, 1, true), (MSIX_PAGE + 1, BAR_PAGES - MSIX_PAGE - 1, false)];

/// Fills the FlexIOV interface's functions in.
pub(super) fn fill(interface: &mut DXGKDDI_FLEXIOV_DEVICE_INTERFACE) {
    interface.DxgkDdiGetBackingResource = Some(get_backing_resource);
    interface.DxgkDdiGetMmioRangeCount = Some(get_mmio_range_count);
    interface.DxgkDdiGetMmioRanges = Some(get_mmio_ranges);
}

/// Fills the mitigable-device interface's functions in.
pub(super) fn fill_mitigable(interface: &mut DXGKDDI_MITIGABLE_DEVICE_INTERFACE) {
    interface.DxgkDdiQueryMitigatedRangeCount = Some(query_mitigated_range_count);
    interface.DxgkDdiQueryMitigatedRanges = Some(query_mitigated_ranges);
}

edge::entries! {
    /// DxgkDdiGetBackingResource. PASSIVE_LEVEL. "DXGKDDI_GETBACKINGRESOURCE callback function (dispmprt.h)".
    write get_backing_resource(DXGKARG_GETBACKINGRESOURCE) => backing_resource;

    /// DxgkDdiGetMmioRangeCount. PASSIVE_LEVEL. "DXGKDDI_GETMMIORANGECOUNT callback function (dispmprt.h)".
    write get_mmio_range_count(DXGKARG_GETMMIORANGECOUNT) => range_count;

    /// DxgkDdiGetMmioRanges. PASSIVE_LEVEL. "DXGKDDI_GETMMIORANGES callback function (dispmprt.h)".
    write get_mmio_ranges(DXGKARG_GETMMIORANGES) => ranges;

    /// DxgkDdiQueryMitigatedRangeCount. PASSIVE_LEVEL.
    /// "DXGKDDI_QUERYMITIGATEDRANGECOUNT callback function (dispmprt.h)".
    void query_mitigated_range_count(DXGKARG_QUERYMITIGATEDRANGECOUNT) => mitigated_count;

    /// DxgkDdiQueryMitigatedRanges. PASSIVE_LEVEL. "DXGKDDI_QUERYMITIGATEDRANGES callback function (dispmprt.h)".
    write query_mitigated_ranges(DXGKARG_QUERYMITIGATEDRANGES) => mitigated;
}

/// Resource 0 is all of BAR 0; the other indices are answered as unused.
fn backing_resource(started: &Started, args: &mut DXGKARG_GETBACKINGRESOURCE) -> Result<()> {
    let vf = started.adapter.vf(args.VirtualFunctionIndex)?;
    if u32::from(args.ResourceIndex) >= DXGKDDI_MAX_FLEXIOV_RESOURCES {
        return Err(Error::InvalidParameter);
    }
    let (resource, mdl) = if args.ResourceIndex == 0 {
        let backing = started.bars.backing(vf.index(), vf.bar()?)?;
        (sriov::memory_resource(backing.physical, backing.bytes), backing.mdl)
    } else {
        vf.report()?;
        (CM_PARTIAL_RESOURCE_DESCRIPTOR::zeroed(), core::ptr::null_mut())
    };
    if !args.Resource.is_null() {
        // SAFETY: Dxgkrnl's descriptor to fill; its packing makes it valid at any address.
        *unsafe { edge::output(args.Resource) }? = resource;
    }
    args.pMdl = mdl;
    Ok(())
}

fn range_count(started: &Started, args: &mut DXGKARG_GETMMIORANGECOUNT) -> Result<()> {
    started.adapter.vf(args.VirtualFunctionIndex)?.report()?;
    args.RangeCount = [RUNS.len() as u32, 0, 0, 0, 0, 0];
    Ok(())
}

/// Page numbers count from the start of the BAR, and from the start of resource 0.
fn ranges(started: &Started, args: &mut DXGKARG_GETMMIORANGES) -> Result<()> {
    started.adapter.vf(args.VirtualFunctionIndex)?.report()?;
    bar0(args.BarIndex, args.NumRanges, RUNS.len())?;
    // SAFETY: Dxgkrnl's array with as many places as it says.
    let places = unsafe { edge::slice_mut(args.pMmioRanges, args.NumRanges as usize) }?;
    for (place, (first, pages, trapped)) in places.iter_mut().zip(RUNS) {
        let trapped = if trapped { TRUE } else { FALSE };
        *place = DXGK_MMIORANGEINFO {
            BasePageNumber: first,
            BasePhysicalPageNumber: first,
            BasePhysicalResourceNumber: 0,
            InterceptReads: trapped,
            InterceptWrites: trapped,
            PageCount: pages as u32,
        };
    }
    args.NumRanges = RUNS.len() as u32;
    Ok(())
}

fn mitigated_count(started: &Started, args: &mut DXGKARG_QUERYMITIGATEDRANGECOUNT) -> Result<()> {
    started.adapter.vf(args.VirtualFunctionIndex)?;
    args.RangeCount = [1, 0, 0, 0, 0, 0];
    Ok(())
}

fn mitigated(started: &Started, args: &mut DXGKARG_QUERYMITIGATEDRANGES) -> Result<()> {
    started.adapter.vf(args.VirtualFunctionIndex)?;
    bar0(args.BarIndex, args.NumRanges, 1)?;
    // SAFETY: Dxgkrnl's array with as many places as it says.
    let places = unsafe { edge::slice_mut(args.pMitigatedRange, args.NumRanges as usize) }?;
    places[0] = DXGK_MITIGATEDRANGEINFO {
        BasePageNumber: MSIX_PAGE,
        PageCount: 1,
        InterceptReads: TRUE,
        InterceptWrites: TRUE,
    };
    args.NumRanges = 1;
    Ok(())
}

/// Only BAR 0 has ranges, and all of them must fit.
fn bar0(bar: u32, places: u32, needed: usize) -> Result<()> {
    if bar != 0 {
        return Err(Error::InvalidParameter);
    }
    if (places as usize) < needed { Err(Error::BufferTooSmall) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_cover_every_page_of_the_bar_once() {
        let mut next = 0;
        for (first, pages, _) in RUNS {
            assert_eq!(first, next);
            assert!(pages > 0);
            next += pages;
        }
        assert_eq!(next, BAR_PAGES);
    }
}
