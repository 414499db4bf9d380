//! Memory bases, tracking, and the bits of a query.

use std::sync::atomic::{AtomicU32, Ordering};

use wddm::*;

use super::{Case, OK, STALE, WRONG_STATE, fault, lie};
use crate::world::World;
use crate::wrap::{Call, Fault, direct, get, put};

const CREATE: &str = "DxgkDdiCreateMemoryBasis";
const QUERY: &str = "DxgkDdiQueryDirtyBitData";
const PAGE: u64 = 4096;
/// Bytes of the plane of a whole VF.
const WHOLE: usize = 32;

/// A basis that must not be is made after all: of some other range.
fn basis(when: fn(&Call<'_>) -> bool) -> Fault {
    fault(move |c, _| {
        if c.name != CREATE {
            return None;
        }
        let handle = c.forward();
        let legal = [1u64, 1, 0, PAGE];
        Some(if handle == 0 && when(c) { direct(CREATE, c.args[0], legal.as_ptr() as usize) } else { handle })
    })
}

fn count(c: &Call<'_>) -> u64 {
    c.at(1, 8)
}

/// Offset and bytes of the first range.
fn range(c: &Call<'_>) -> (u64, u64) {
    (c.at(1, 16), c.at(1, 24))
}

/// A successful query, its answer to be altered: the arguments, and the world before.
fn answer(alter: fn(&DXGKARG_QUERYDIRTYBITDATA, &World, &Call<'_>)) -> Fault {
    fault(move |c, world| {
        (c.name == QUERY).then(|| {
            let args: DXGKARG_QUERYDIRTYBITDATA = c.read(1);
            let result = c.forward();
            if result as i32 >= 0 {
                alter(&args, world, c);
            }
            result
        })
    })
}

fn whole(args: &DXGKARG_QUERYDIRTYBITDATA) -> bool {
    args.SubrangeSize == 0 && args.BufferSize == WHOLE
}

fn plain(args: &DXGKARG_QUERYDIRTYBITDATA) -> bool {
    whole(args) && args.Flags.0 == 0
}

fn first_word(args: &DXGKARG_QUERYDIRTYBITDATA) -> u64 {
    get(args.Buffer as usize)
}

fn empty(args: &DXGKARG_QUERYDIRTYBITDATA) -> bool {
    (0..WHOLE).all(|at| get::<u8>(args.Buffer as usize + at) == 0)
}

fn turn(args: &DXGKARG_QUERYDIRTYBITDATA, bit: u32) {
    put(args.Buffer as usize, first_word(args) ^ 1 << bit);
}

/// Reads and clears a basis behind everybody's back.
pub(super) fn clear(context: usize, basis: usize) {
    let mut bits = [0u64; 64];
    let mut args = DXGKARG_QUERYDIRTYBITDATA::zeroed();
    (args.MemoryBasis, args.Buffer, args.BufferSize) = (basis as HANDLE, bits.as_mut_ptr().cast(), 512);
    args.Flags = DXGKARG_QUERYDIRTYBITDATAFLAGS::DXGKARG_QUERYDIRTYBITDATAFLAGS_CLEARDATA;
    direct(QUERY, context, &raw mut args as usize);
}

pub(super) fn cases() -> Vec<Case> {
    [bases(), tracking(), queries()].into_iter().flatten().collect()
}

fn bases() -> Vec<Case> {
    let seen = AtomicU32::new(0);
    vec![
        (
            // The fifth basis after an engine hung: those before are of VFs that the rules of hangs make, and of ours.
            "basis.create",
            fault(move |c, world| {
                let now = c.name == CREATE && world.hangs;
                (now && seen.fetch_add(1, Ordering::SeqCst) == 4).then_some(0)
            }),
        ),
        ("basis.none", basis(|c| count(c) == 0)),
        ("basis.empty-range", basis(|c| count(c) == 1 && range(c).1 == 0)),
        ("basis.unaligned-offset", basis(|c| range(c).0 % PAGE == 64)),
        ("basis.unaligned-size", basis(|c| range(c).0.is_multiple_of(PAGE) && range(c).1 % PAGE == 64)),
        ("basis.out-of-range", basis(|c| range(c).0 == 1 << 52)),
        ("basis.wraps", basis(|c| range(c).1 > 1 << 62)),
        ("basis.overlap", basis(|c| count(c) == 2)),
        ("basis.segment", basis(|c| c.at::<u32>(1, 0) == 77)),
        (
            "basis.order",
            fault(|c, _| (c.name == CREATE && count(c) == 2 && range(c).0 > c.at::<u64>(1, 32)).then_some(0)),
        ),
    ]
}

fn tracking() -> Vec<Case> {
    vec![
        (
            "basis.destroy.tracked",
            fault(|c, world| {
                if c.name != "DxgkDdiDestroyMemoryBasis" {
                    return None;
                }
                let basis = world.basis(c.args[1]);
                // A failure would break another rule: nothing is done.
                (basis.starts > basis.stops).then_some(OK)
            }),
        ),
        (
            // What is said to be not performant is on all the time, and no migration begins it.
            "tracking.late",
            fault(|c, _| {
                if c.name != "DxgkDdiQueryAdapterInfo" {
                    return None;
                }
                let (args, result) = (c.read::<DXGKARG_QUERYADAPTERINFO>(1), c.forward());
                if args.Type.0 == 39 && NTSTATUS(result as i32).is_success() {
                    put(args.pOutputData as usize, 1u32);
                }
                Some(result)
            }),
        ),
        ("tracking.start.stale", lie("DxgkDdiStartDirtyTracking", |_, _, _| true)),
        ("tracking.stop.stale", lie("DxgkDdiStopDirtyTracking", |_, _, status| status == STALE)),
        ("tracking.stop.never", lie("DxgkDdiStopDirtyTracking", |_, _, status| status == WRONG_STATE)),
        (
            "tracking.start.clean",
            answer(|args, world, _| {
                let basis = world.basis(args.MemoryBasis as usize);
                if plain(args)
                    && basis.starts == 1
                    && basis.submitted == world.submissions
                    && world.last == "DxgkDdiStartDirtyTracking"
                {
                    turn(args, 9);
                }
            }),
        ),
        (
            "tracking.counts",
            fault(|c, world| {
                let args: DXGKARG_QUERYDIRTYBITDATA = if c.name == QUERY { c.read(1) } else { return None };
                let basis = world.basis(args.MemoryBasis as usize);
                (plain(&args) && basis.starts == 2 && basis.stops == 1 && basis.submitted < world.submissions)
                    .then_some(super::FAILED)
            }),
        ),
        (
            "tracking.again",
            answer(|args, world, _| {
                let basis = world.basis(args.MemoryBasis as usize);
                if plain(args) && basis.starts == 2 && basis.submitted == world.submissions {
                    turn(args, 3);
                }
            }),
        ),
        (
            "tracking.marks",
            answer(|args, _, _| {
                if plain(args) && first_word(args) == 1 << 21 {
                    turn(args, 21);
                }
            }),
        ),
        (
            "tracking.fill-marks",
            answer(|args, _, _| {
                if plain(args) && first_word(args) == 0b11 << 5 {
                    turn(args, 5);
                }
            }),
        ),
        (
            "tracking.read-leaves",
            answer(|args, world, _| {
                if plain(args) && world.direction == 0 && empty(args) {
                    turn(args, 2);
                }
            }),
        ),
        (
            "tracking.other-vf",
            answer(|args, world, _| {
                if plain(args) && world.basis(args.MemoryBasis as usize).vf1_since && empty(args) {
                    turn(args, 3);
                }
            }),
        ),
        (
            "tracking.bases",
            answer(|args, world, c| {
                let this = args.MemoryBasis as usize;
                if args.Flags.0 == 1 {
                    let others =
                        world.bases.iter().filter(|(basis, it)| **basis != this && it.starts > it.stops);
                    others.for_each(|(basis, _)| clear(c.args[0], *basis));
                }
            }),
        ),
    ]
}

fn queries() -> Vec<Case> {
    let bad = |when: fn(&DXGKARG_QUERYDIRTYBITDATA) -> bool| lie(QUERY, move |c, _, _| when(&c.read(1)));
    vec![
        (
            "query-dirty.stale",
            lie(QUERY, |c, world, status| {
                let basis = c.read::<DXGKARG_QUERYDIRTYBITDATA>(1).MemoryBasis as usize;
                status == STALE && basis != world.torn_basis
            }),
        ),
        ("query-dirty.untracked", lie(QUERY, |_, _, status| status == WRONG_STATE)),
        ("query-dirty.short", lie(QUERY, |_, _, status| status == STATUS_BUFFER_TOO_SMALL)),
        (
            "query-dirty.longer",
            answer(|args, _, _| {
                if args.BufferSize == 2 * WHOLE {
                    put(args.Buffer as usize + WHOLE + 1, 0u8);
                }
            }),
        ),
        ("query-dirty.index", bad(|args| args.SubrangeIndex == 1)),
        ("query-dirty.offset", bad(|args| args.SubrangeOffset == 64)),
        ("query-dirty.size", bad(|args| args.SubrangeSize == 64)),
        ("query-dirty.past-end", bad(|args| args.SubrangeSize == 2 * PAGE)),
        ("query-dirty.flags", bad(|args| args.Flags.0 == 2)),
        (
            "query-dirty.plain",
            answer(|args, world, _| {
                let before = world.basis(args.MemoryBasis as usize).queried;
                if plain(args) && before == Some((false, world.submissions)) {
                    turn(args, 3);
                }
            }),
        ),
        (
            "query-dirty.clears",
            answer(|args, world, _| {
                let before = world.basis(args.MemoryBasis as usize).queried;
                if plain(args) && before == Some((true, world.submissions)) {
                    put(args.Buffer as usize, first_word(args) | 1 << 3);
                }
            }),
        ),
        (
            "query-dirty.sub-range",
            answer(|args, _, _| {
                if args.SubrangeSize == 13 * PAGE && args.Flags.0 == 0 {
                    put(args.Buffer as usize, !get::<u8>(args.Buffer as usize));
                }
            }),
        ),
        (
            "query-dirty.sub-range-clears",
            answer(|args, _, c| {
                if args.SubrangeSize == 13 * PAGE && args.Flags.0 == 1 {
                    clear(c.args[0], args.MemoryBasis as usize);
                }
            }),
        ),
        (
            "query-dirty.pieces",
            answer(|args, _, _| {
                if args.SubrangeSize == 7 * PAGE && args.SubrangeOffset == 0 {
                    put(args.Buffer as usize, 0u8);
                }
            }),
        ),
        (
            "query-dirty.ranges",
            answer(|args, _, _| {
                if args.SubrangeSize == 8 * PAGE && args.SubrangeIndex == 0 {
                    put(args.Buffer as usize, 0u8);
                }
            }),
        ),
    ]
}
