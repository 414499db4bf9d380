//! Every workload moves, on every kind of host, alone and beside others, and back again.

use gpup::world::Guest;
use gpup_guest::Workload;
use live_migration::Outcome;

use crate::harness::{
    Host, How, Mode, PAGE, VF_BYTES, assert_right, boot, boot_scattered, free, in_every_mode, settled, stop,
    work,
};

in_every_mode!(
    each_workload_moves,
    a_host_without_an_interrupt_line,
    dirty_bits_through_a_small_buffer,
    scattered_memory,
    scattered_memory_lands_elsewhere,
    large_dirty_pages,
    several_streams,
    there_and_back,
    many_at_once,
);

/// Bytes of the image of most guests.
const IMAGE: u64 = 1 << 20;

fn each_workload_moves(mode: Mode) {
    let (here, there) = (Host::new(mode).start(), Host::new(mode).start());
    let free_before = (free(&here), free(&there));
    for workload in Workload::ALL {
        for image in [0, IMAGE] {
            let case = format!("{workload} with an image of {image} bytes");
            let guest = boot(&here, 1, &work(workload, image));
            let (_, held) = How::new(mode).migrate(&guest.vgpu, &guest.vm, &there).arrived(&case);
            let work = guest.work.clone();
            guest.destroy().unwrap();
            assert_right(settled(held, &work), &here, &case);
        }
    }
    assert_eq!((free(&here), free(&there)), free_before, "VRAM leaks");
    stop([here, there]);
}

/// Moves a busy guest from one host to the other.
fn one_moves(mode: Mode, source: &Host, target: &Host, how: How<'_>, scattered: bool) {
    let (here, there) = (source.start(), target.start());
    let what = work(Workload::Writer, IMAGE);
    let guest = if scattered { boot_scattered(&here, 0, &what) } else { boot(&here, 0, &what) };
    let (_, held) = how.migrate(&guest.vgpu, &guest.vm, &there).arrived(format_args!("{mode:?}"));
    guest.destroy().unwrap();
    assert_right(settled(held, &what), &here, format_args!("{mode:?}"));
    stop([here, there]);
}

fn a_host_without_an_interrupt_line(mode: Mode) {
    let with = Host::new(mode);
    let mut without = Host::new(mode);
    without.options.interrupt_connected = false;
    one_moves(mode, &without, &without, How::new(mode), false);
    one_moves(mode, &without, &with, How::new(mode), false);
}

fn dirty_bits_through_a_small_buffer(mode: Mode) {
    let mut host = Host::new(mode);
    host.options.dirty_buffer_bytes = Some(64);
    one_moves(mode, &host, &host, How::new(mode), false);
}

fn scattered_memory(mode: Mode) {
    let host = Host::new(mode).with("ScatterMapReserve", 1);
    let scattered = || How { scattered: true, ..How::new(mode) };
    one_moves(mode, &host, &host, scattered(), true);
    one_moves(mode, &host, &host, scattered(), false);
    let mut host = host;
    host.options.dirty_buffer_bytes = Some(24);
    one_moves(mode, &host, &host, How::new(mode), true);
}

/// A busy guest in scattered memory moves into other pieces, and from there into one piece.
fn scattered_memory_lands_elsewhere(mode: Mode) {
    let host = Host::new(mode).with("ScatterMapReserve", 1);
    let (here, there) = (host.start(), host.start());
    let occupied = there.create_vf(1, VF_BYTES).unwrap();
    let guest = boot_scattered(&here, 0, &work(Workload::Writer, IMAGE));
    let how = How { scattered: true, ..How::new(mode) };
    let (_, held) = how.migrate(&guest.vgpu, &guest.vm, &there).arrived("into other pieces");
    let (before, after): (Vec<_>, Vec<_>) = (guest.vgpu.ranges().collect(), held.vgpu.ranges().collect());
    assert!(after.len() > 1 && before != after, "{before:?}, then {after:?}");
    let what = guest.work.clone();
    guest.destroy().unwrap();
    let away = settled(held, &what);
    crate::harness::wait_steps(&away.vm);
    let (_, held) = How::new(mode).migrate(&away.vgpu, &away.vm, &here).arrived("into one piece");
    away.destroy().unwrap();
    assert_eq!(held.vgpu.pieces(), 1);
    assert_right(settled(held, &what), &here, "scattered, elsewhere, whole");
    occupied.destroy().unwrap();
    drop(occupied);
    stop([here, there]);
}

fn large_dirty_pages(mode: Mode) {
    let host = Host::new(mode).with("DirtyPageBytes", 64 << 10);
    one_moves(mode, &host, &host, How::new(mode), false);
}

fn several_streams(mode: Mode) {
    let mut how = How::new(mode);
    how.options.streams = 3;
    how.options.packer = Some(std::sync::Arc::new(gpup::pack::Lz4));
    one_moves(mode, &Host::new(mode), &Host::new(mode), how, false);
}

fn pages(outcome: &Outcome) -> u64 {
    outcome.iterations.iter().map(|one| one.pages - one.zero_pages).sum()
}

/// What a guest has in its VF, in pages, once it is at work.
fn occupied(guest: &Guest) -> u64 {
    let footprint = guest.work.spec.fits().unwrap();
    footprint.work_bytes.div_ceil(PAGE) + footprint.image_bytes.div_ceil(PAGE)
}

/// A guest that writes nothing any more makes the pages countable: what it has, and never a zero page more.
fn there_and_back(mode: Mode) {
    let (here, there) = (Host::new(mode).start(), Host::new(mode).start());
    let idle = boot(&here, 0, &work(Workload::Idle, IMAGE));
    let expected = occupied(&idle);
    let (out, held) = How::new(mode).migrate(&idle.vgpu, &idle.vm, &there).arrived("out");
    let what = idle.work.clone();
    idle.destroy().unwrap();
    let away = settled(held, &what);
    let (back, held) = How::new(mode).migrate(&away.vgpu, &away.vm, &here).arrived("back");
    away.destroy().unwrap();
    for (case, outcome) in [("out", out), ("back", back)] {
        assert_eq!(pages(&outcome), expected, "{case}: {:?}", outcome.iterations);
        let first = outcome.iterations[0];
        let whole = if mode.performant { expected } else { VF_BYTES / PAGE };
        assert_eq!(first.pages, whole, "{case}: {:?}", outcome.iterations);
        assert!(first.bytes < expected * PAGE + (64 << 10), "{case}: zero pages were sent: {first:?}");
    }
    assert_right(settled(held, &what), &there, "there and back");
    a_busy_one_there_and_back(mode, &here, &there);
    stop([here, there]);
}

/// A busy guest: what it wrote there comes back too, and nothing it never had.
fn a_busy_one_there_and_back(mode: Mode, here: &gpup::world::Machine, there: &gpup::world::Machine) {
    let busy = boot(here, 0, &work(Workload::Nbody, IMAGE));
    let most = occupied(&busy);
    let (_, held) = How::new(mode).migrate(&busy.vgpu, &busy.vm, there).arrived("out");
    let what = busy.work.clone();
    busy.destroy().unwrap();
    let away = settled(held, &what);
    crate::harness::wait_steps(&away.vm);
    let (back, held) = How::new(mode).migrate(&away.vgpu, &away.vm, here).arrived("back");
    away.destroy().unwrap();
    let first = back.iterations[0];
    assert_eq!(first.pages - first.zero_pages, most, "{:?}", back.iterations);
    assert_right(settled(held, &what), there, "busy there and back");
}

fn many_at_once(mode: Mode) {
    let host = Host::new(mode).sized(4, VF_BYTES);
    let (here, there) = (host.start(), host.start());
    let mixed = [Workload::Writer, Workload::Matmul, Workload::Stencil];
    let movers: Vec<Guest> =
        (0..).zip(mixed).map(|(vf, workload)| boot(&here, vf, &work(workload, IMAGE / 2))).collect();
    let neighbours =
        [boot(&here, 3, &work(Workload::Nbody, IMAGE)), boot(&there, 3, &work(Workload::Writer, 0))];
    let arrived: Vec<_> = std::thread::scope(|scope| {
        let there = &there;
        let moves: Vec<_> = movers
            .iter()
            .map(|guest| {
                scope.spawn(move || {
                    How::new(mode).migrate(&guest.vgpu, &guest.vm, there).arrived(guest.vm.workload()).1
                })
            })
            .collect();
        moves.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for (guest, held) in movers.into_iter().zip(arrived) {
        let what = guest.work.clone();
        guest.destroy().unwrap();
        assert_right(settled(held, &what), &here, what.spec.workload);
    }
    for neighbour in neighbours {
        assert_right(neighbour, &here, "a neighbour");
    }
    stop([here, there]);
}
