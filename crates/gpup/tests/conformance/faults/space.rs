//! Config space, MSI-X and the memory of a VF.

use std::sync::atomic::{AtomicBool, Ordering};

use wddm::*;

use super::answers::span;
use super::{Case, OK, after, fail, fault, lie, seldom, vf};
use crate::world::World;
use crate::wrap::{Call, Fault, get, put};

const READ: &str = "DxgkDdiReadVirtualFunctionConfig";
const WRITE: &str = "DxgkDdiWriteVirtualFunctionConfig";
const MSIX: &str = "DxgkDdiWriteVirtualizedInterrupt";
const SCATTERED: &str = "DxgkDdiSetVirtualGpuResources2";

pub(super) fn cases() -> Vec<Case> {
    [config(), msix(), memory()].into_iter().flatten().collect()
}

/// A read of this place and length is answered otherwise.
fn reads<T: Copy + Send + Sync + 'static>(offset: u32, bytes: u32, value: T) -> Fault {
    after(READ, move |c, _| {
        if span(c) == Some((offset, bytes)) {
            put(c.at(1, 0), value);
        }
    })
}

fn config() -> Vec<Case> {
    vec![
        ("config.write.across-end", lie(WRITE, |c, _, _| c.at::<u32>(1, 16) == 0x2000)),
        // The second capability names itself as the next.
        ("config.capabilities", reads(0x50, 2, [0x10u8, 0x50])),
        // BAR 5.
        ("config.msix.table", reads(0x44, 4, 5u32)),
        ("config.msix.control", reads(0x42, 2, 2u16)),
        ("config.command", reads(0x04, 2, 0u16)),
        (
            "config.bar.address",
            after(READ, |c, world| {
                if span(c) == Some((0x10, 8)) && world.last == WRITE && get::<u32>(c.at(1, 0)) & !0xF == 0 {
                    put(c.at(1, 0), 0u64);
                }
            }),
        ),
        (
            "config.write.byte",
            after(READ, |c, _| {
                let data: usize = c.at(1, 0);
                if span(c) == Some((0x10, 8)) && get::<u8>(data + 5) == 0x12 {
                    put(data + 6, 0u8);
                }
            }),
        ),
    ]
}

fn msix() -> Vec<Case> {
    vec![
        ("msix.paused", fail(MSIX, |c, world| world.vf(vf(c)).paused)),
        ("msix.source", fail(MSIX, |c, world| world.vf(vf(c)).role == Some(0))),
        (
            "msix.hidden.guest",
            leak(READ, |c, world| span(c) == Some((0, 256)) && world.last == MSIX, |c| c.at(1, 0)),
        ),
        (
            "msix.hidden.state",
            leak("DxgkDdiSaveMutableMigrationData", |c, _| c.at::<usize>(1, 16) != 0, |c| c.at(1, 16)),
        ),
    ]
}

/// The host's address that was written to an MSI-X table is found where a call answers next.
fn leak(name: &'static str, when: fn(&Call<'_>, &World) -> bool, place: fn(&Call<'_>) -> usize) -> Fault {
    let written = AtomicBool::new(false);
    fault(move |c, world| {
        if c.name == MSIX {
            let args: DXGKARG_GPUP_WRITE_VIRTUALIZED_MSIX = c.read(1);
            written.store(args.WriteValue.MessageAddress != 0, Ordering::SeqCst);
        }
        (c.name == name && when(c, world) && written.swap(false, Ordering::SeqCst)).then(|| {
            let result = c.forward();
            put(place(c) + 64, 0x0000_5AC3_96E1_7000u64);
            result
        })
    })
}

fn memory() -> Vec<Case> {
    let segments = |c: &Call<'_>| c.at::<u32>(1, 4);
    vec![
        (
            "resources.sum",
            lie("DxgkDdiSetVirtualGpuResources", |c, world, _| {
                let aligned = c.at::<u64>(1, 24) % 4096 == 0 && c.at::<u64>(1, 24) < 1 << 52;
                let half = c.at::<u32>(1, 4) == 1 && c.at::<u64>(1, 32) == 1 << 19;
                vf(c) == 0 && world.vf(0).power == 0 && aligned && half
            }),
        ),
        ("resources2.again", fail(SCATTERED, |c, world| world.vf(vf(c)).scattered > 0)),
        ("resources2.none", lie(SCATTERED, move |c, _, _| segments(c) == 0)),
        (
            "resources2.sum",
            lie(SCATTERED, move |c, world, status| {
                segments(c) == 1 && status == STATUS_INVALID_PARAMETER && world.vf(0).alive && vf(c) == 0
            }),
        ),
        ("resources2.overlap", lie(SCATTERED, move |c, _, _| segments(c) == 2)),
        ("resources2.unaligned", aligned_after_all()),
        // The VF of `resources2.pieces` gets its memory.
        ("resources2.order", fail(SCATTERED, |c, world| world.last_ranges == 2 && vf(c) != seldom::VF)),
    ]
}

/// A range that begins in the middle of a page makes a basis after all: of the page it begins in.
fn aligned_after_all() -> Fault {
    fault(|c, _| {
        let odd = c.name == "DxgkDdiCreateMemoryBasis" && c.at::<u64>(1, 16) % 4096 == 2048;
        odd.then(|| {
            c.put(1, 16, c.at::<u64>(1, 16) - 2048);
            let handle = c.forward();
            if handle == 0 { OK } else { handle }
        })
    })
}
