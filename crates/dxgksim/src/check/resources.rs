//! SetVirtualGpuResources and SetVirtualGpuResources2: what memory a VF may be given, and when.

use alloc::vec;

use wddm::*;

use super::args::profile;
use super::{Bench, Outcome, Stop, accepted, declare, needed, refused};
use crate::vidmm::Range;

const PAGE: &str = "DXGKDDI_SETVIRTUALGPURESOURCES callback function (dispmprt.h)";
const SCATTERED: &str = "DXGKDDI_SETVIRTUALGPURESOURCES2 callback function (d3dkmddi.h)";

declare! {
    "resources.unknown-vf" Handle PAGE, "A VF that does not exist gets no memory.",
        |b| refused("SetVirtualGpuResources of no VF", b.resources(b.no_vf(), &[(1, 0, b.vf_bytes)]));
    "resources.again" State PAGE, "Before D0 the memory of a VF may be set again.", again;
    "resources.powered" State PAGE, "Once a VF is in D0 its memory stays.", powered;
    "resources.none" Size PAGE, "A VF is not given no memory at all.", |b| bad(b, |_| vec![]);
    "resources.empty-piece" Size PAGE,
        "A piece without bytes is refused.",
        |b| bad(b, |at| vec![(at.0, at.1, 0)]);
    "resources.unaligned" Size PAGE, "An offset that is no multiple of the dirty page is refused.",
        |b| bad(b, |at| vec![(at.0, at.1 + 512, 4096)]);
    "resources.out-of-range" Size PAGE, "A piece that reaches past the segment is refused.",
        |b| bad(b, |at| vec![(at.0, 1 << 52, 1 << 20)]);
    "resources.overlap" Size PAGE, "Pieces that overlap are refused.",
        |b| bad(b, |at| vec![(at.0, at.1, 8192), (at.0, at.1 + 4096, 8192)]);
    "resources.segment" Handle PAGE, "A segment that does not exist has no memory to give.",
        |b| bad(b, |at| vec![(77, at.1, 4096)]);
    "resources.too-many" Size PAGE, "More pieces than a VF can have are refused.",
        |b| bad(b, |at| (0..33).map(|piece| (at.0, at.1 + 8192 * piece, 4096)).collect());
    "resources2.unknown-vf" Handle SCATTERED, "A VF that does not exist gets no scattered memory.", |b| {
        let basis = made(b)?;
        let status = scattered(b, b.no_vf(), basis);
        needed("DestroyMemoryBasis", b.destroy_basis(basis))?;
        refused("SetVirtualGpuResources2 of no VF", status)
    };
    "resources2.stale-basis" Handle SCATTERED, "A memory basis that was destroyed is refused.", stale_basis;
    "resources2.powered" State SCATTERED, "Once a VF is in D0 its memory stays.", scattered_powered;
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
fn bad(b: &Bench, pieces: fn((u32, u64)) -> Pieces) -> Outcome {
    let at = place(b)?;
    needed("CreateVirtualGpu", b.create(0, profile(b.vf_bytes)).0)?;
    let verdict = refused("SetVirtualGpuResources", b.resources(0, &pieces(at))).and_then(|()| {
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
    let mut args = DXGKARG_SETVIRTUALGPURESOURCES2::zeroed();
    (args.vfIndex, args.SegmentCount) = (vf, 1);
    args.SegmentDescriptors[0].MemoryBasis = super::bench::handle(basis);
    b.core().set_virtual_gpu_resources2(&mut args)
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
