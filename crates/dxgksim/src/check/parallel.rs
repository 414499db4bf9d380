//! Calls from two threads at once: on one VF, on two, and against the end of one.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use wddm::*;

use super::args::profile;
use super::bench::write_page;
use super::{Bench, Outcome, broken, declare, needed};
use crate::dxgkrnl::Adapter;
use crate::host::{Thread, sleep};

const LEVEL: &str = "Threading and synchronization level zero";
const QUERY: &str = "DXGKDDI_QUERYDIRTYBITDATA callback function (d3dkmddi.h)";
const PREPARE: &str = "DXGKDDI_PREPARELIVEMIGRATION callback function (d3dkmddi.h)";
const CREATE: &str = "DXGKDDI_CREATEVIRTUALGPU callback function (dispmprt.h)";
const COUNT: &str = "DXGKDDI_SETGPUPARTITIONCOUNT callback function (dispmprt.h)";
const DESTROY: &str = "DXGKDDI_DESTROYVIRTUALGPU callback function (dispmprt.h)";
const SAVE: &str = "DXGKDDI_SAVEIMMUTABLEMIGRATIONDATA callback function (d3dkmddi.h)";
const BASIS: &str = "DXGKDDI_CREATEMEMORYBASIS callback function (d3dkmddi.h)";
const START: &str = "DXGKDDI_STARTDIRTYTRACKING callback function (d3dkmddi.h)";

/// VF that the rules of one VF use; no other family does.
const OWN: u32 = 2;
/// The other one.
const OTHER: u32 = 3;
/// Least calls in the background.
const BESIDE: u32 = 4;
/// Rounds of a race.
const ROUNDS: u32 = 24;

declare! {
    "parallel.one-vf" Parallel LEVEL, "Two threads may pause, resume, read and write one VF at once.", one_vf;
    "parallel.two-vfs" Parallel LEVEL, "A VF may be made and destroyed while another one works.", two_vfs;
    "parallel.prepare" Parallel PREPARE, "Of two Prepare of one VF at once exactly one succeeds.", prepare;
    "parallel.create" Parallel CREATE, "Of two Create of one VF at once exactly one succeeds.", create;
    "parallel.count" Parallel COUNT,
        "Of a change of the count and the making of a VF that the new count does not have exactly one succeeds.",
        count;
    "parallel.destroy" Parallel DESTROY, "Of two Destroy of one VF at once exactly one succeeds.", destroy;
    "parallel.destroy-query" Parallel DESTROY,
        "A query against the end of its VF is answered or refused; afterwards it is refused.",
        destroy_query;
    "parallel.save" Parallel SAVE,
        "Two threads that save immutable data of two VFs get each what they get alone.",
        save;
    "parallel.basis" Parallel BASIS, "Bases made by two threads at once have handles of their own.", basis;
    "parallel.tracking" Parallel START,
        "Starts and stops of two threads leave the basis as one start leaves it.",
        tracking;
    "parallel.harvest" Parallel QUERY, "A clearing harvest against writes loses no page.", harvest;
}

/// Runs `theirs` on a thread of its own and `ours` here, both from the same moment on.
fn both<R>(theirs: impl FnOnce() + Send + 'static, ours: impl FnOnce() -> R) -> Option<R> {
    let go = Arc::new(AtomicBool::new(false));
    let their_go = Arc::clone(&go);
    let thread = Thread::spawn("check", move || {
        while !their_go.load(Ordering::Acquire) {
            core::hint::spin_loop();
        }
        theirs();
    })?;
    go.store(true, Ordering::Release);
    let result = ours();
    // Dropping a thread waits for its end.
    drop(thread);
    Some(result)
}

/// A bench of its own on the same adapter, for another thread.
fn twin(b: &Bench) -> Bench {
    Bench {
        driver: Arc::clone(&b.driver),
        options: b.options.clone(),
        adapter: Arc::<Adapter>::clone(&b.adapter),
        partitions: b.partitions,
        vf_bytes: b.vf_bytes,
    }
}

/// How many of two calls at once succeed: `call` on this thread and on another.
fn successes(b: &Bench, call: fn(&Bench) -> NTSTATUS) -> Result<u32, super::Stop> {
    let (count, theirs) = (Arc::new(AtomicU32::new(0)), twin(b));
    let their_count = Arc::clone(&count);
    let tally = |status: NTSTATUS, count: &AtomicU32| {
        if status.is_success() {
            count.fetch_add(1, Ordering::AcqRel);
        }
    };
    let run = both(
        move || {
            let status = call(&theirs);
            if status.is_success() {
                their_count.fetch_add(1, Ordering::AcqRel);
            }
        },
        || tally(call(b), &count),
    );
    run.ok_or_else(|| super::bench::skip("no thread"))?;
    Ok(count.load(Ordering::Acquire))
}

fn exactly_one(b: &Bench, what: &str, call: fn(&Bench) -> NTSTATUS) -> Outcome {
    match successes(b, call)? {
        1 => Ok(()),
        count => broken!("{count} of two {what} at once succeeded"),
    }
}

/// Repeats calls in the background, from one before `ours` to a few after its beginning and until its end at least;
/// the answer has the number of those that failed.
fn beside<R>(
    b: &Bench,
    call: impl Fn(&Bench) -> bool + Send + 'static,
    ours: impl FnOnce() -> R,
) -> Result<(R, u32), super::Stop> {
    let (stop, bad, theirs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)), twin(b));
    let (their_stop, their_bad) = (Arc::clone(&stop), Arc::clone(&bad));
    let rounds = Arc::new(AtomicU32::new(0));
    let their_rounds = Arc::clone(&rounds);
    let body: Box<dyn FnOnce() + Send> = Box::new(move || {
        while !their_stop.load(Ordering::Acquire) {
            if !call(&theirs) {
                their_bad.fetch_add(1, Ordering::AcqRel);
            }
            their_rounds.fetch_add(1, Ordering::AcqRel);
        }
    });
    let thread = Thread::spawn("check", body).ok_or_else(|| super::bench::skip("no thread"))?;
    let until = |least: u32| {
        while rounds.load(Ordering::Acquire) < least {
            sleep(0);
        }
    };
    until(1);
    let result = ours();
    until(BESIDE);
    stop.store(true, Ordering::Release);
    drop(thread);
    Ok((result, bad.load(Ordering::Acquire)))
}

fn one_vf(b: &Bench) -> Outcome {
    let _vgpu = b.vf(OWN)?;
    let paused = |b: &Bench| b.pause(OWN, true).is_success() && b.pause(OWN, false).is_success();
    let (failed, bad) = beside(b, paused, || {
        let fails = |round: u32| {
            let written = b.write_config(OWN, 0x3C, &[round as u8]).is_success();
            let read = b.read_config(OWN, 0x3C, &mut [0]).is_success();
            u32::from(!written || !read || !b.info(OWN).0.is_success())
        };
        (0..ROUNDS * 8).map(fails).sum::<u32>()
    })?;
    if failed + bad > 0 {
        broken!("{failed} calls failed on one thread, {bad} on the other")
    }
    Ok(())
}

fn two_vfs(b: &Bench) -> Outcome {
    let vgpu = b.vf(OWN)?;
    let others = |b: &Bench| b.vf(OTHER).is_ok();
    let (moved, bad) = beside(b, others, || (0..4).try_for_each(|page| write_page(&vgpu, page, 1)))?;
    if bad > 0 || moved.is_err() {
        broken!("making and destroying a VF failed {bad} times beside another one's paging: {moved:?}")
    }
    Ok(())
}

fn prepare(b: &Bench) -> Outcome {
    let _vgpu = b.vf(OWN)?;
    for _ in 0..ROUNDS {
        let verdict = exactly_one(b, "PrepareLiveMigration", |b| b.prepare_source(OWN));
        needed("EndLiveMigration", b.end(OWN))?;
        verdict?;
    }
    Ok(())
}

fn create(b: &Bench) -> Outcome {
    for _ in 0..ROUNDS {
        let verdict = exactly_one(b, "CreateVirtualGpu", |b| b.create(OWN, profile(b.vf_bytes)).0);
        needed("DestroyVirtualGpu", b.destroy(OWN))?;
        verdict?;
    }
    Ok(())
}

fn count(b: &Bench) -> Outcome {
    let smaller = b.adapter.caps().partition_options.iter().copied().map(u32::from).min();
    let Some(smaller) = smaller.filter(|count| *count <= OTHER) else { return Ok(()) };
    for _ in 0..ROUNDS {
        let (set, theirs) = (Arc::new(AtomicBool::new(false)), twin(b));
        let their_set = Arc::clone(&set);
        let change = move || {
            let status = theirs.partition_count(smaller);
            their_set.store(status.is_success(), Ordering::Release);
        };
        let made = both(change, || b.create(OTHER, profile(b.vf_bytes)).0.is_success());
        let made = made.ok_or_else(|| super::bench::skip("no thread"))?;
        let set = set.load(Ordering::Acquire);
        if made {
            needed("DestroyVirtualGpu", b.destroy(OTHER))?;
        }
        needed("SetGpuPartitionCount", b.partition_count(b.partitions))?;
        if made == set {
            broken!("the count was changed to {smaller}: {set}; VF {OTHER} was made beside it: {made}")
        }
    }
    Ok(())
}

fn destroy(b: &Bench) -> Outcome {
    for _ in 0..ROUNDS {
        needed("CreateVirtualGpu", b.create(OWN, profile(b.vf_bytes)).0)?;
        exactly_one(b, "DestroyVirtualGpu", |b| b.destroy(OWN))?;
    }
    Ok(())
}

fn destroy_query(b: &Bench) -> Outcome {
    for _ in 0..ROUNDS {
        needed("CreateVirtualGpu", b.create(OWN, profile(b.vf_bytes)).0)?;
        // Whether a query comes before or after the end is nobody's to say: it returns, that is all.
        let (destroyed, _) = beside(
            b,
            |b| b.info(OWN).0.is_success(),
            || {
                sleep(1000);
                b.destroy(OWN)
            },
        )?;
        needed("DestroyVirtualGpu", destroyed)?;
        super::refused("GetVirtualGpuInfo after the end of its VF", b.info(OWN).0)?;
    }
    Ok(())
}

/// Immutable data of a VF that is prepared.
fn immutable(b: &Bench, vf: u32) -> Option<Vec<u8>> {
    let (_, bytes) = b.save_immutable(vf, None);
    let mut data = vec![0; bytes as usize];
    b.save_immutable(vf, Some(&mut data)).0.is_success().then_some(data)
}

fn save(b: &Bench) -> Outcome {
    let (_one, _two) = (b.vf(OWN)?, b.vf(OTHER)?);
    needed("PrepareLiveMigration", b.prepare_source(OWN))?;
    needed("PrepareLiveMigration", b.prepare_source(OTHER))?;
    let (alone, other) = (immutable(b, OWN), immutable(b, OTHER));
    let theirs = move |b: &Bench| immutable(b, OTHER) == other;
    let run = beside(b, theirs, || (0..ROUNDS).all(|_| immutable(b, OWN) == alone));
    needed("EndLiveMigration", b.end(OWN))?;
    needed("EndLiveMigration", b.end(OTHER))?;
    let (same, bad) = run?;
    if !same || bad > 0 {
        broken!("the data of two VFs saved at once is other than saved alone")
    }
    Ok(())
}

/// A VF of ours and where its memory lies: segment, offset and bytes.
type Place = (Arc<crate::vgpu::Vgpu>, u32, (u64, u64));

fn range(b: &Bench) -> Result<Place, super::Stop> {
    let vgpu = b.vf(OWN)?;
    let (segment, range) = vgpu.first_range().ok_or_else(|| super::bench::skip("a VF without memory"))?;
    Ok((vgpu, segment, range))
}

fn basis(b: &Bench) -> Outcome {
    let (_vgpu, segment, range) = range(b)?;
    let shared: Arc<crate::host::Mutex<Vec<usize>>> = Arc::default();
    let (theirs, their_bench) = (Arc::clone(&shared), twin(b));
    let run = both(
        move || (0..ROUNDS).for_each(|_| theirs.lock().push(their_bench.basis(segment, &[range]))),
        || (0..ROUNDS).for_each(|_| shared.lock().push(b.basis(segment, &[range]))),
    );
    run.ok_or_else(|| super::bench::skip("no thread"))?;
    let mut handles = shared.lock().clone();
    handles.sort_unstable();
    let all = handles.len();
    let null = handles.contains(&0);
    handles.dedup();
    let distinct = handles.len();
    for handle in handles.into_iter().filter(|handle| *handle != 0) {
        needed("DestroyMemoryBasis", b.destroy_basis(handle))?;
    }
    if null || distinct != all {
        broken!("{all} bases have {distinct} handles; NULL among them: {null}")
    }
    Ok(())
}

fn tracking(b: &Bench) -> Outcome {
    let (vgpu, segment, range) = range(b)?;
    let basis = b.basis(segment, &[range]);
    needed("StartDirtyTracking", b.start_tracking(basis))?;
    let theirs = move |b: &Bench| b.start_tracking(basis).is_success() && b.stop_tracking(basis).is_success();
    let (ours, bad) = beside(b, theirs, || (0..ROUNDS * 4).all(|_| theirs(b)))?;
    write_page(&vgpu, 3, 1)?;
    let mut bits = vec![0; (vgpu.pages() as usize).div_ceil(8)];
    let status = b.dirty(basis, (0, 0, 0), false, &mut bits);
    needed("StopDirtyTracking", b.stop_tracking(basis))?;
    needed("DestroyMemoryBasis", b.destroy_basis(basis))?;
    if !ours || bad > 0 || !status.is_success() || bits[0] != 1 << 3 {
        broken!("after starts and stops of two threads: {status}, first byte of the plane {:#x}", bits[0])
    }
    Ok(())
}

fn harvest(b: &Bench) -> Outcome {
    let (vgpu, segment, range) = range(b)?;
    let basis = b.basis(segment, &[range]);
    needed("StartDirtyTracking", b.start_tracking(basis))?;
    let pages = vgpu.pages();
    let seen: Arc<crate::host::Mutex<Vec<u8>>> =
        Arc::new(crate::host::Mutex::new(vec![0; (pages as usize).div_ceil(8)]));
    let theirs = Arc::clone(&seen);
    let harvest = move |b: &Bench| {
        let mut sum = theirs.lock();
        let mut bits = vec![0; sum.len()];
        let status = b.dirty(basis, (0, 0, 0), true, &mut bits);
        sum.iter_mut().zip(bits).for_each(|(sum, bits)| *sum |= bits);
        status.is_success()
    };
    let last = harvest.clone();
    let (written, bad) =
        beside(b, harvest, || (0..pages.min(48)).try_for_each(|page| write_page(&vgpu, page, 7)))?;
    let ended = last(b);
    needed("StopDirtyTracking", b.stop_tracking(basis))?;
    needed("DestroyMemoryBasis", b.destroy_basis(basis))?;
    written?;
    let sum = seen.lock();
    let lost = (0..pages.min(48) as usize).filter(|page| sum[page / 8] >> (page % 8) & 1 == 0).count();
    if bad > 0 || !ended || lost > 0 {
        broken!("{lost} pages were written and never reported; {bad} harvests failed")
    }
    Ok(())
}
