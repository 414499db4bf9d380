//! A VF that nobody pauses writes on after the last harvest: its late pages travel in the mutable data.

use std::ops::ControlFlow;

use dxgksim::vgpu::Vgpu;
use gpup_core::device::abi;
use gpup_core::device::abi::reg::{HEAD, TAIL};
use gpup_guest::Workload;
use live_migration::{Error, Event, Phase};

use crate::harness::{
    Attempt, Host, How, Mode, PAGE, assert_right, boot, compute_register, settled, stop, wait_until, work,
};

/// Bytes of the mutable data without late pages, and some more.
const WITHOUT_LATE: u64 = (abi::NODES * abi::RING_BYTES + abi::READBACK_BYTES) as u64 + 1024;

fn mode(performant: bool) -> Mode {
    Mode { pause_vf: false, performant }
}

/// Holds the VF while the VM stops and the last pages move, with work in its ring; then lets it do some of that
/// before the driver is asked for the mutable data. So it has certainly written after the last harvest.
fn write_late(vgpu: &Vgpu) -> impl FnMut(Event) -> ControlFlow<()> + '_ {
    move |event| {
        match event {
            Event::Enter(Phase::Pause) => {
                vgpu.set_pause(true).unwrap();
                wait_until("work lies in the ring", || {
                    compute_register(vgpu, TAIL) != compute_register(vgpu, HEAD)
                });
            }
            Event::Enter(Phase::Mutable) => {
                let before = compute_register(vgpu, HEAD);
                assert_ne!(before, compute_register(vgpu, TAIL), "it ran while it was paused");
                vgpu.set_pause(false).unwrap();
                wait_until("some of it is done", || compute_register(vgpu, HEAD) != before);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Moves a writer that writes late, from `source`.
fn attempt(source: &Host, performant: bool, check: impl FnOnce(Attempt, Scene)) {
    let (here, there) = (source.start(), Host::new(mode(performant)).start());
    let mut what = work(Workload::Writer, 1 << 20);
    what.spec.dirty_rate = 0;
    let guest = boot(&here, 0, &what);
    let how = How::new(mode(performant)).watched(write_late(&guest.vgpu));
    let attempt = how.migrate(&guest.vgpu, &guest.vm, &there);
    check(attempt, Scene { here, there, guest });
}

struct Scene {
    here: gpup::world::Machine,
    there: gpup::world::Machine,
    guest: gpup::world::Guest,
}

fn late_pages_travel(performant: bool) {
    attempt(&Host::new(mode(performant)), performant, |attempt, Scene { here, there, guest }| {
        let (outcome, held) = attempt.arrived("late pages");
        assert!(outcome.driver_bytes[1] > WITHOUT_LATE + PAGE, "no page was late: {outcome:?}");
        let what = guest.work.clone();
        guest.destroy().unwrap();
        assert_right(settled(held, &what), &here, "late pages");
        stop([here, there]);
    });
}

#[test]
fn late_pages_travel_when_tracking_always_runs() {
    late_pages_travel(true);
}

#[test]
fn late_pages_travel_when_tracking_begins_late() {
    late_pages_travel(false);
}

/// Without them the proof must notice, and the VF runs on at the source.
fn without_late_pages(performant: bool) {
    let faulty = Host::new(mode(performant)).with("FaultNoLatePages", 1);
    attempt(&faulty, performant, |attempt, Scene { here, there, guest }| {
        match attempt.refused("no late pages") {
            Error::Different(verdict) => assert_ne!(verdict.different, 0),
            error => panic!("pages are lost, and the proof says {error}"),
        }
        assert_right(guest, &here, "it stayed");
        stop([here, there]);
    });
}

#[test]
fn without_late_pages_the_proof_fails_when_tracking_always_runs() {
    without_late_pages(true);
}

#[test]
fn without_late_pages_the_proof_fails_when_tracking_begins_late() {
    without_late_pages(false);
}
