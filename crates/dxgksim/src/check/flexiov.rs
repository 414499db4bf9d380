//! The FlexIOV and mitigable-device interfaces: what lies behind a BAR, and what of it is trapped.

use alloc::vec;

use wddm::*;

use super::args::ask;
use super::{Bench, Outcome, broken, declare, needed, refused};

const RESOURCE: &str = "DXGKDDI_GETBACKINGRESOURCE callback function (dispmprt.h)";
const COUNT: &str = "DXGKDDI_GETMMIORANGECOUNT callback function (dispmprt.h)";
const RANGES: &str = "DXGKDDI_GETMMIORANGES callback function (dispmprt.h)";
const MITIGATED_COUNT: &str = "DXGKDDI_QUERYMITIGATEDRANGECOUNT callback function (dispmprt.h)";
const MITIGATED: &str = "DXGKDDI_QUERYMITIGATEDRANGES callback function (dispmprt.h)";

declare! {
    "flexiov.resource.unknown-vf" Handle RESOURCE, "A VF that does not exist has no backing resource.", |b| {
        let mut args = DXGKARG_GETBACKINGRESOURCE::zeroed();
        args.VirtualFunctionIndex = b.no_vf();
        refused("GetBackingResource of no VF", ask!(b, flexiov.DxgkDdiGetBackingResource, &mut args))
    };
    "flexiov.resource.again" Answer RESOURCE, "A backing resource lies where it lay before.", resource_again;
    "flexiov.count.unknown-vf" Handle COUNT, "A VF that does not exist has no MMIO ranges to count.",
        |b| refused("GetMmioRangeCount of no VF", count(b, b.no_vf()).0);
    "flexiov.ranges.unknown-vf" Handle RANGES, "A VF that does not exist has no MMIO ranges.",
        |b| refused("GetMmioRanges of no VF", ranges(b, b.no_vf(), 0, 8).0);
    "flexiov.ranges.short" Size RANGES,
        "An array that lacks a place is refused and stays as it was.",
        ranges_short;
    "flexiov.ranges.bar" Handle RANGES, "A BAR that does not exist has no ranges.", |b| {
        let _vgpu = b.vf(0)?;
        refused("GetMmioRanges of BAR 6", ranges(b, 0, 6, 8).0)
    };
    "flexiov.ranges.longer" Size RANGES,
        "A longer array gets the same ranges, and NumRanges says how many.",
        ranges_longer;
    "mitigable.ranges.unknown-vf" Handle MITIGATED, "A VF that does not exist has no mitigated ranges.",
        |b| refused("QueryMitigatedRanges of no VF", mitigated(b, b.no_vf(), 0, 8).0);
    "mitigable.ranges.short" Size MITIGATED,
        "An array that lacks a place is refused and stays as it was.",
        mitigated_short;
    "mitigable.ranges.bar" Handle MITIGATED, "A BAR that does not exist has no mitigated ranges.", |b| {
        let _vgpu = b.vf(0)?;
        refused("QueryMitigatedRanges of BAR 6", mitigated(b, 0, 6, 8).0)
    };
    "mitigable.count" Answer MITIGATED_COUNT,
        "As many mitigated ranges are given as were counted.",
        mitigated_counted;
}

fn count(b: &Bench, vf: u32) -> (NTSTATUS, u32) {
    let mut args = DXGKARG_GETMMIORANGECOUNT::zeroed();
    args.VirtualFunctionIndex = vf;
    (ask!(b, flexiov.DxgkDdiGetMmioRangeCount, &mut args), args.RangeCount[0])
}

/// What no range says.
const EMPTY: DXGK_MMIORANGEINFO =
    DXGK_MMIORANGEINFO { BasePageNumber: 0xA5A5, PageCount: 0xA5A5, ..DXGK_MMIORANGEINFO::zeroed() };

fn ranges(b: &Bench, vf: u32, bar: u32, places: u32) -> (NTSTATUS, vec::Vec<DXGK_MMIORANGEINFO>, u32) {
    let mut list = vec![EMPTY; places as usize];
    let mut args = DXGKARG_GETMMIORANGES::zeroed();
    (args.VirtualFunctionIndex, args.BarIndex, args.NumRanges) = (vf, bar, places);
    args.pMmioRanges = list.as_mut_ptr();
    (ask!(b, flexiov.DxgkDdiGetMmioRanges, &mut args), list, args.NumRanges)
}

fn resource_again(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let ask = || {
        let mut descriptor = CM_PARTIAL_RESOURCE_DESCRIPTOR::zeroed();
        let mut args = DXGKARG_GETBACKINGRESOURCE::zeroed();
        args.Resource = &raw mut descriptor;
        let status = ask!(b, flexiov.DxgkDdiGetBackingResource, &mut args);
        (status, { descriptor.Type }, args.pMdl.addr())
    };
    let first = ask();
    needed("GetBackingResource", first.0)?;
    super::same("resource 0, asked for again", &first, &ask())
}

fn ranges_short(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let (status, known) = count(b, 0);
    needed("GetMmioRangeCount", status)?;
    let (status, list, _) = ranges(b, 0, 0, known - 1);
    refused("GetMmioRanges with an array that is too short", status)?;
    super::same("the array", &vec![EMPTY; known as usize - 1], &list)
}

fn ranges_longer(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let known = count(b, 0).1;
    let (status, exact, _) = ranges(b, 0, 0, known);
    needed("GetMmioRanges", status)?;
    let (status, mut longer, given) = ranges(b, 0, 0, known + 3);
    super::accepted("GetMmioRanges with a longer array", status)?;
    super::same("NumRanges", &known, &given)?;
    longer.truncate(known as usize);
    super::same("the ranges", &exact, &longer)
}

fn mitigated(
    b: &Bench,
    vf: u32,
    bar: u32,
    places: u32,
) -> (NTSTATUS, vec::Vec<DXGK_MITIGATEDRANGEINFO>, u32) {
    let mut list = vec![
        DXGK_MITIGATEDRANGEINFO { PageCount: 0xA5A5, ..DXGK_MITIGATEDRANGEINFO::zeroed() };
        places as usize
    ];
    let mut args = DXGKARG_QUERYMITIGATEDRANGES::zeroed();
    (args.VirtualFunctionIndex, args.BarIndex, args.NumRanges) = (vf, bar, places);
    args.pMitigatedRange = list.as_mut_ptr();
    (ask!(b, mitigable.DxgkDdiQueryMitigatedRanges, &mut args), list, args.NumRanges)
}

fn mitigated_count(b: &Bench) -> u32 {
    let mut args = DXGKARG_QUERYMITIGATEDRANGECOUNT::zeroed();
    let _ = ask!(b, mitigable.DxgkDdiQueryMitigatedRangeCount, &mut args);
    args.RangeCount[0]
}

fn mitigated_short(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let known = mitigated_count(b);
    if known == 0 {
        return Ok(());
    }
    let (status, list, _) = mitigated(b, 0, 0, known - 1);
    refused("QueryMitigatedRanges with an array that is too short", status)?;
    if list.iter().any(|it| it.PageCount != 0xA5A5) {
        broken!("QueryMitigatedRanges was refused, but wrote into the array")
    }
    Ok(())
}

fn mitigated_counted(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let known = mitigated_count(b);
    let (status, _, given) = mitigated(b, 0, 0, known + 2);
    super::accepted("QueryMitigatedRanges", status)?;
    super::same("NumRanges", &known, &given)
}
