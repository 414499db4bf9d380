//! A guest that is made to finish may take as long as its steps take, and no longer.

use dxgksim::host::MILLISECOND;
use gpup_guest::Workload;
use gpup_scene::finish_unless_stuck;

use crate::harness::{Host, Mode, boot, stop, wait_steps, work};

const STUCK_NS: u64 = 500 * MILLISECOND;

#[test]
fn a_guest_that_goes_on_is_waited_for_and_one_that_stands_still_is_not() {
    let machine = Host::new(Mode { pause_vf: true, performant: true }).start();
    // A step each 20 ms: many times as long together as the guest may stand still.
    let guest = boot(&machine, 0, &work(Workload::Idle, 0));
    let outcome = finish_unless_stuck(&guest.vm, Some(100), STUCK_NS).unwrap();
    assert_eq!(outcome.steps, 100);
    guest.destroy().unwrap();
    let guest = boot(&machine, 0, &work(Workload::Idle, 0));
    wait_steps(&guest.vm);
    guest.vm.pause();
    let problem = finish_unless_stuck(&guest.vm, Some(u64::MAX), STUCK_NS).unwrap_err();
    assert!(problem.0.contains("made no step"), "{problem}");
    guest.destroy().unwrap();
    stop([machine]);
}
