//! SetVirtualGpuResources and SetVirtualGpuResources2: what memory a VF may be given, and when.

use alloc::vec;

use wddm::*;

use super::args::profile;
use super::{Bench, Outcome, Stop, accepted, declare, needed, refused};
use crate::vidmm::Range;

const PAGE: &str = "DXGKDDI_SETVIRTUALGPURESOURCES callback function (dispmprt.h)";
const SEGMENT: &str = "DXGK_VIRTUALGPUSEGMENTINFO structure (dispmprt.h)";
const RESERVE: &str = "DXGK_QUERYSCATTERRESERVEOUT structure (d3dkmddi.h)";
const SCATTERED: &str = "DXGKDDI_SETVIRTUALGPURESOURCES2 callback function (d3dkmddi.h)";

declare! {
    "resources.unknown-vf" Handle PAGE, "A VF that does not exist gets no memory.",
        |b| refused("SetVirtualGpuResources of no VF", b.resources(b.no_vf(), &[(1, 0, b.vf_bytes)]));
    "resources.again" State PAGE, "Before D0 the memory of a VF may be set again.", again;
    "resources.powered" State PAGE, "Once a VF is in D0 its memory stays.", powered;
    "resources.none" Size PAGE, "A VF is not given no memory at all.", |b| bad(b, |_, _| vec![]);
    "resources.empty-piece" Size PAGE,
        "A piece without bytes is refused.",
        |b| bad(b, |at, all| vec![(at.0, at.1, all), (at.0, at.1 + all, 0)]);
    "resources.unaligned" Size PAGE, "An offset that is no multiple of the dirty page is refused.",
        |b| bad(b, |at, all| vec![(at.0, at.1 + 512, all)]);
    "resources.out-of-range" Size PAGE, "A piece that reaches past the segment is refused.",
        |b| bad(b, |at, all| vec![(at.0, 1 << 52, all)]);
    "resources.overlap" Size PAGE, "Pieces that overlap are refused.",
        |b| bad(b, |at, all| vec![(at.0, at.1, all / 2), (at.0, at.1 + all / 4, all / 2)]);
    "resources.segment" Handle PAGE, "A segment that does not exist has no memory to give.",
        |b| bad(b, |at, all| vec![(77, at.1, all)]);
    "resources.too-many" Size PAGE, "More pieces than a VF can have are refused.",
        |b| bad(b, |at, all| {
            let piece = |piece: u64| (at.0, at.1 + 4096 * piece, if piece < 32 { 4096 } else { all - 32 * 4096 });
            (0..33).map(piece).collect()
        });
    "resources.sum" Size SEGMENT, "Memory that is less than what CreateVirtualGpu asked for is refused.",
        |b| bad(b, |at, all| vec![(at.0, at.1, all / 2)]);
    "resources2.unknown-vf" Handle SCATTERED, "A VF that does not exist gets no scattered memory.", |b| {
        let basis = made(b)?;
        let status = scattered(b, b.no_vf(), basis);
        needed("DestroyMemoryBasis", b.destroy_basis(basis))?;
        refused("SetVirtualGpuResources2 of no VF", status)
    };
    "resources2.stale-basis" Handle SCATTERED, "A memory basis that was destroyed is refused.", stale_basis;
    "resources2.powered" State SCATTERED, "Once a VF is in D0 its memory stays.", scattered_powered;
    "resources2.again" State SCATTERED, "Before D0 the scattered memory of a VF may be set again.", scattered_again;
    "resources2.none" Size SCATTERED, "A VF is not given no segment at all.",
        |b| bad_bases(b, |_, _| vec![]);
    "resources2.sum" Size SCATTERED, "Bases that are less than what CreateVirtualGpu asked for are refused.",
        |b| bad_bases(b, |at, all| vec![vec![(at.1, all / 2)]]);
    "resources2.overlap" Size SCATTERED, "Bases that overlap are refused.",
        |b| bad_bases(b, |at, all| vec![vec![(at.1, all / 2)], vec![(at.1 + all / 4, all / 2)]]);
    "resources2.unaligned" Size RESERVE,
        "A range that is no multiple of SetVGPUResourcesPageSize makes no basis, or none that a VF is given.",
        scattered_unaligned;
    "resources2.order" Answer SCATTERED,
        "The VF's memory is what its bases cover, range by range in their order.",
        scattered_order;
}

/// A place of the local segment that nobody uses, given back at once: segment and offset.
fn place(b: &Bench) -> Result<(u32, u64), Stop> {
    let segment = b.adapter.caps().segments.iter().find(|it| it.is_local());
    let id = segment.map(|it| it.id).ok_or_else(|| super::bench::skip("no local segment"))?;
    let window = Range { offset: 0, bytes: u64::MAX };
    let range = b.adapter.memory.take(id, 4 * b.vf_bytes, 1 << 20, window);
    let range = range.ok_or_else(|| super::bench::skip("no free memory"))?;
    b.adapter.memory.give(id, range);
    Ok((id, range.offset))
}

/// Segment, offset and bytes of each piece.
type Pieces = vec::Vec<(u32, u64, u64)>;

/// A VF without memory is given some that it must not have; then what it may have is taken.
fn bad(b: &Bench, pieces: fn((u32, u64), u64) -> Pieces) -> Outcome {
    let at = place(b)?;
    needed("CreateVirtualGpu", b.create(0, profile(b.vf_bytes)).0)?;
    let verdict = refused("SetVirtualGpuResources", b.resources(0, &pieces(at, b.vf_bytes))).and_then(|()| {
        accepted("SetVirtualGpuResources afterwards", b.resources(0, &[(at.0, at.1, b.vf_bytes)]))
    });
    needed("DestroyVirtualGpu", b.destroy(0))?;
    verdict
}

fn again(b: &Bench) -> Outcome {
    let at = place(b)?;
    needed("CreateVirtualGpu", b.create(0, profile(b.vf_bytes)).0)?;
    needed("SetVirtualGpuResources", b.resources(0, &[(at.0, at.1, b.vf_bytes)]))?;
    let status = b.resources(0, &[(at.0, at.1 + b.vf_bytes, b.vf_bytes)]);
    needed("DestroyVirtualGpu", b.destroy(0))?;
    accepted("a second SetVirtualGpuResources before D0", status)
}

fn powered(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let at = place(b)?;
    b.refuses(0, "SetVirtualGpuResources in D0", || b.resources(0, &[(at.0, at.1, b.vf_bytes)]))
}

fn made(b: &Bench) -> Result<usize, Stop> {
    let at = place(b)?;
    match b.basis(at.0, &[(at.1, b.vf_bytes)]) {
        0 => Err(super::bench::skip("CreateMemoryBasis gave NULL")),
        basis => Ok(basis),
    }
}

fn scattered(b: &Bench, vf: u32, basis: usize) -> NTSTATUS {
    b.scattered(vf, &[basis])
}

fn stale_basis(b: &Bench) -> Outcome {
    let basis = made(b)?;
    needed("DestroyMemoryBasis", b.destroy_basis(basis))?;
    needed("CreateVirtualGpu", b.create(0, profile(b.vf_bytes)).0)?;
    let status = scattered(b, 0, basis);
    needed("DestroyVirtualGpu", b.destroy(0))?;
    refused("SetVirtualGpuResources2 with a stale basis", status)
}

fn scattered_powered(b: &Bench) -> Outcome {
    let _vgpu = b.vf(0)?;
    let basis = made(b)?;
    let verdict = b.refuses(0, "SetVirtualGpuResources2 in D0", || scattered(b, 0, basis));
    needed("DestroyMemoryBasis", b.destroy_basis(basis))?;
    verdict
}

/// Offset and bytes of the ranges of each basis.
type Bases = vec::Vec<vec::Vec<(u64, u64)>>;

/// Runs `body` on VF 0, which has no memory yet, and bases of these ranges.
fn with_bases(
    b: &Bench,
    ranges: impl FnOnce((u32, u64), u64) -> Bases,
    body: impl FnOnce(&[usize]) -> Outcome,
) -> Outcome {
    let at = place(b)?;
    let bases: vec::Vec<usize> = ranges(at, b.vf_bytes).iter().map(|ranges| b.basis(at.0, ranges)).collect();
    needed("CreateVirtualGpu", b.create(0, profile(b.vf_bytes)).0)?;
    let made =
        if bases.contains(&0) { Err(super::bench::skip("CreateMemoryBasis gave NULL")) } else { Ok(()) };
    let verdict = made.and_then(|()| body(&bases));
    needed("DestroyVirtualGpu", b.destroy(0))?;
    for basis in bases.into_iter().filter(|basis| *basis != 0) {
        needed("DestroyMemoryBasis", b.destroy_basis(basis))?;
    }
    verdict
}

/// Bases that a VF must not be given.
fn bad_bases(b: &Bench, ranges: fn((u32, u64), u64) -> Bases) -> Outcome {
    with_bases(b, ranges, |bases| refused("SetVirtualGpuResources2", b.scattered(0, bases)))
}

fn scattered_again(b: &Bench) -> Outcome {
    if !takes_scattered(b) {
        return Ok(());
    }
    with_bases(
        b,
        |at, all| vec![vec![(at.1, all)], vec![(at.1 + all, all)]],
        |bases| {
            needed("SetVirtualGpuResources2", b.scattered(0, &bases[..1]))?;
            accepted("a second SetVirtualGpuResources2 before D0", b.scattered(0, &bases[1..]))
        },
    )
}

fn scattered_unaligned(b: &Bench) -> Outcome {
    let at = place(b)?;
    let mut asked = DXGK_QUERYSCATTERRESERVEIN { SegmentId: at.0 };
    let answer = b.core().ask_about(DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_SCATTER_RESERVE, Some(&mut asked));
    let answer: DXGK_QUERYSCATTERRESERVEOUT =
        answer.map_err(|status| Stop::Skipped(alloc::format!("SCATTER_RESERVE failed: {status}")))?;
    let odd = answer.SetVGPUResourcesPageSize / 2;
    let basis = b.basis(at.0, &[(at.1 + odd, b.vf_bytes)]);
    if basis == 0 {
        return Ok(());
    }
    needed("CreateVirtualGpu", b.create(0, profile(b.vf_bytes)).0)?;
    let status = scattered(b, 0, basis);
    needed("DestroyVirtualGpu", b.destroy(0))?;
    needed("DestroyMemoryBasis", b.destroy_basis(basis))?;
    refused("SetVirtualGpuResources2 with a range that is not aligned", status)
}

/// The later half first, in one basis, and the VF as a whole works.
/// Whether the driver takes scattered memory at all.
fn takes_scattered(b: &Bench) -> bool {
    b.adapter.caps().gpup.contains(DXGK_GPUPCAPS_CAPS::ScatterMapReserve)
}

fn scattered_order(b: &Bench) -> Outcome {
    if !takes_scattered(b) {
        return Ok(());
    }
    let half = b.vf_bytes / 2;
    let at = place(b)?;
    let page = b.adapter.caps().segment(at.0).and_then(|it| it.tracking_page).map_or(4096, u64::from);
    let ranges = [(at.1 + 2 * half, half), (at.1, half)];
    with_bases(
        b,
        |_, _| vec![ranges.to_vec()],
        |bases| {
            accepted("SetVirtualGpuResources2", b.scattered(0, bases))?;
            needed("SetVirtualFunctionPowerState(D0)", b.power(0, DEVICE_POWER_STATE::PowerDeviceD0))?;
            // A reset zeroes the VF's memory, and so marks all of it.
            needed("StartDirtyTracking", b.start_tracking(bases[0]))?;
            let status = b.reset(0);
            let mut bits = vec![0; (b.vf_bytes / page).div_ceil(8) as usize];
            let queried = b.dirty(bases[0], (0, 0, 0), false, &mut bits);
            needed("StopDirtyTracking", b.stop_tracking(bases[0]))?;
            needed("ResetVirtualFunction", status)?;
            needed("QueryDirtyBitData", queried)?;
            match bits.iter().all(|byte| *byte == 0xFF) {
                true => Ok(()),
                false => super::broken!("the reset of a VF of scattered memory left some of it alone"),
            }
        },
    )
}

impl Bench {
    /// SetVirtualGpuResources2 with any number of bases.
    fn scattered(&self, vf: u32, bases: &[usize]) -> NTSTATUS {
        let mut words = vec![u64::from(vf) | (bases.len() as u64) << 32];
        words.extend(bases.iter().flat_map(|basis| [0, *basis as u64]));
        words.resize(words.len().max(3), 0);
        let core = self.core();
        super::gates::variable_in(
            &core.contract,
            core.table.0.DxgkDdiSetVirtualGpuResources2,
            core.context(),
            &mut words,
        )
    }
}
