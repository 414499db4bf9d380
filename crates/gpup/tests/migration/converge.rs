//! A guest that dirties pages faster than they move: what the policy says happens, and nothing of it stays behind.

use std::ops::ControlFlow;

use gpup::world::{Guest, Machine};
use gpup_guest::{Pattern, Workload};
use live_migration::converge::{Limits, OnTimeout};
use live_migration::{Error, Event};

use crate::harness::{
    Host, How, Mode, assert_right, boot, in_every_mode, is_empty, settled, state, stop, wait_steps, work,
};

in_every_mode!(cancel_leaves_it_running, switchover_moves_it_all_the_same, throttle_slows_it_and_lets_go);

/// All of the VF moves in a tenth of a second, and all of it is dirty again long before.
const BANDWIDTH: u64 = 40 << 20;

fn scene(mode: Mode) -> (Machine, Machine, Guest) {
    let (here, there) = (Host::new(mode).start(), Host::new(mode).start());
    let mut what = work(Workload::Writer, 0);
    what.spec.dirty_rate = 0;
    let guest = boot(&here, 0, &what);
    (here, there, guest)
}

/// A pause that cannot be had, however little the guest is let dirty, and so much time.
fn how(mode: Mode, on_timeout: OnTimeout, time: f64) -> How<'static> {
    let mut how = How::new(mode);
    how.options.bandwidth = Some(BANDWIDTH);
    how.options.limits = Limits { pause: 0.0021, grace: 600.0, time, on_timeout };
    how
}

fn cancel_leaves_it_running(mode: Mode) {
    let (here, there, guest) = scene(mode);
    let before = state(&guest.vgpu);
    let error = how(mode, OnTimeout::Cancel, 1.0).migrate(&guest.vgpu, &guest.vm, &there).refused("cancel");
    assert_eq!(error, Error::NotConverging);
    assert_eq!(state(&guest.vgpu), before);
    assert!(before.executes && is_empty(&there));
    wait_steps(&guest.vm);
    assert_right(guest, &here, "cancel");
    stop([here, there]);
}

fn switchover_moves_it_all_the_same(mode: Mode) {
    let (here, there, guest) = scene(mode);
    let attempt = how(mode, OnTimeout::Switchover, 1.0).migrate(&guest.vgpu, &guest.vm, &there);
    let (outcome, held) = attempt.arrived("switchover");
    assert_eq!(outcome.speed, 1000);
    let what = guest.work.clone();
    guest.destroy().unwrap();
    assert_right(settled(held, &what), &here, "switchover");
    stop([here, there]);
}

fn throttle_slows_it_and_lets_go(mode: Mode) {
    let (here, there, guest) = scene(mode);
    let before = state(&guest.vgpu);
    let (vgpu, mut slowest) = (guest.vgpu.clone(), 1000);
    let how = how(mode, OnTimeout::Throttle, 600.0).watched(|event| match event {
        Event::Throttle(speed) => {
            assert_eq!(state(&vgpu).throttle, u64::from(speed), "the driver was not told");
            slowest = slowest.min(speed);
            ControlFlow::Continue(())
        }
        _ if slowest < 1000 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    let error = how.migrate(&guest.vgpu, &guest.vm, &there).refused("throttle");
    assert_eq!(error, Error::Cancelled);
    assert_eq!(state(&guest.vgpu), before, "the throttle stayed");
    drop(vgpu);
    assert_right(guest, &here, "throttle");
    stop([here, there]);
}

/// Twice what the link carries, over all of the VF: left alone, all of it is dirty again after every pass.
#[test]
fn a_guest_that_outruns_the_link_twice_moves_within_the_limit_when_it_is_slowed() {
    const LINK: u64 = 16 << 20;
    let mode = Mode { pause_vf: true, performant: true };
    let host = Host::new(mode).sized(2, 8 << 20);
    for (on_timeout, moves) in [(OnTimeout::Cancel, false), (OnTimeout::Throttle, true)] {
        let (here, there) = (host.start(), host.start());
        let mut what = work(Workload::Writer, 0);
        what.spec.dirty_rate = 2 * LINK / 4096;
        what.spec.vram_bytes = 8 << 20;
        what.spec.pattern = Pattern::Sequential;
        let guest = boot(&here, 0, &what);
        // It has been everywhere: a batch is a five hundredth of what it does in a second.
        while guest.vm.steps() < 150 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let mut how = How::new(mode);
        how.options.bandwidth = Some(LINK);
        how.options.limits =
            Limits { pause: 0.1, grace: 600.0, time: if moves { 600.0 } else { 2.0 }, on_timeout };
        let attempt = how.migrate(&guest.vgpu, &guest.vm, &there);
        if moves {
            let (outcome, held) = attempt.arrived("throttled");
            assert!(outcome.estimated_pause <= 0.1, "{outcome:?}");
            assert!(outcome.speed < 1000 && outcome.throttle_cost > 0.0, "{outcome:?}");
            assert!(outcome.throttle_cost < outcome.brownout, "{outcome:?}");
            assert_eq!(state(&held.vgpu).throttle, 1000, "the target still holds it back");
            guest.destroy().unwrap();
            assert_right(settled(held, &what), &here, "throttled");
        } else {
            assert_eq!(attempt.refused("left alone"), Error::NotConverging);
            assert_right(guest, &here, "left alone");
        }
        stop([here, there]);
    }
}
