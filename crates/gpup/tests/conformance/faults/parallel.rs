//! The rules of several threads, which use VFs that no other rule does.

use super::{Case, FAILED, OK, after, fail, fault, lie, vf};
use crate::wrap::{get, put};
use wddm::*;

pub(super) fn cases() -> Vec<Case> {
    vec![
        ("parallel.one-vf", fail("DxgkDdiWriteVirtualFunctionConfig", |c, _| c.at::<u32>(1, 8) == 2)),
        ("parallel.two-vfs", fail("DxgkDdiCreateVirtualGpu", |c, world| vf(c) == 3 && world.vf(2).alive)),
        ("parallel.prepare", lie("DxgkDdiPrepareLiveMigration", |c, _, _| vf(c) == 2)),
        ("parallel.create", lie("DxgkDdiCreateVirtualGpu", |c, _, _| vf(c) == 2)),
        ("parallel.count", lie("DxgkDdiSetGpuPartitionCount", |_, world, _| world.parallel)),
        ("parallel.destroy", lie("DxgkDdiDestroyVirtualGpu", |c, _, _| vf(c) == 2)),
        ("parallel.destroy-query", lie("DxgkDdiGetVirtualGpuInfo", |c, _, _| vf(c) == 2)),
        (
            "parallel.save",
            after("DxgkDdiSaveImmutableMigrationData", |c, world| {
                let data: usize = c.at(1, 16);
                if vf(c) == 3 && data != 0 && world.vf(3).immutable_saves > 0 {
                    put(data, !get::<u8>(data));
                }
            }),
        ),
        (
            "parallel.basis",
            fault(|c, world| {
                let again =
                    c.name == "DxgkDdiCreateMemoryBasis" && world.last == c.name && world.last_basis != 0;
                (again && world.parallel).then(|| {
                    let made = c.forward();
                    crate::wrap::direct("DxgkDdiDestroyMemoryBasis", c.args[0], made);
                    world.last_basis
                })
            }),
        ),
        (
            "parallel.tracking",
            fail("DxgkDdiStartDirtyTracking", |c, world| world.basis(c.args[1]).starts > 4),
        ),
        (
            "parallel.harvest",
            fault(|c, world| {
                let args: DXGKARG_QUERYDIRTYBITDATA =
                    if c.name == "DxgkDdiQueryDirtyBitData" { c.read(1) } else { return None };
                let late =
                    args.Flags.0 == 1 && world.parallel && world.basis(args.MemoryBasis as usize).clears > 0;
                (late && args.BufferSize == 32).then(|| {
                    let result = c.forward();
                    put(args.Buffer as usize, [0u64; 4]);
                    if result == OK { OK } else { FAILED }
                })
            }),
        ),
    ]
}
