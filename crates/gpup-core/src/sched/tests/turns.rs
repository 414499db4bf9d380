//! Turns: how long they get, and what is counted of them.

use super::{MS, check, scheduler};
use crate::sched::sim::{Demand, Flow, Length, Sim};
use crate::sched::{Entity, Limits, VfParameters};

fn saturated(vfs: u32, quantum_us: u32, packet: u64) -> Sim {
    let mut sim = Sim::new(scheduler(vfs));
    for vf in 0..vfs {
        let parameters = VfParameters { quantum_us, ..Default::default() };
        sim.scheduler.set_parameters(vf, parameters, 0).unwrap();
        sim.add(Flow::new(Entity::Vf(vf), Demand::Saturated, Length::Fixed(packet), u64::from(vf)));
    }
    sim
}

/// A quantum of 100 ms for each of 64 VFs would let a packet wait for 6.3 s, and a guest's TDR is 2 s.
#[test]
fn however_many_share_an_engine_none_waits_past_patience() {
    let patience = Limits::default().patience;
    for (vfs, quantum_us) in [(2, 100_000), (16, 100_000), (64, 100_000), (64, 4_000), (120, 20_000)] {
        let mut sim = saturated(vfs, quantum_us, MS);
        sim.run(20_000 * MS);
        check(&sim.scheduler);
        for vf in 0..vfs {
            let wait = sim.scheduler.counters(vf).unwrap().worst_wait;
            // Late by one request at most, which the bound allows.
            assert!(wait <= patience + 100 * MS, "{vfs} VFs of {quantum_us} us: VF {vf} waited {wait}");
        }
    }
}

/// A few VFs get the quantum that they were set to.
#[test]
fn a_quantum_that_fits_is_not_touched() {
    let mut sim = saturated(2, 100_000, MS);
    let trace = sim.run(2_000 * MS);
    let turns: Vec<usize> = trace.chunk_by(|one, next| one.entity == next.entity).map(<[_]>::len).collect();
    // At first packets are taken to be long, so turns end a little early.
    assert_eq!(turns[..1], [98]);
    assert_eq!(turns[10..18], [100; 8]);
}

#[test]
fn turns_cut_short_and_waits_are_counted() {
    let mut sim = saturated(4, 10_000, MS);
    sim.run(4_000 * MS);
    for vf in 0..4 {
        let counters = sim.scheduler.counters(vf).unwrap();
        assert!((100..=110).contains(&counters.preemptions), "{counters:?}");
        assert!(counters.wait_p50 < MS / 1000 * 2, "most packets follow one of their own: {counters:?}");
        assert!((30 * MS..35 * MS).contains(&counters.worst_wait), "{counters:?}");
        assert!(counters.wait_p99 <= counters.worst_wait && counters.wait_p99 > 29 * MS, "{counters:?}");
    }
    sim.scheduler.reset(0, sim.now).unwrap();
    assert_eq!(sim.scheduler.counters(0).unwrap(), Default::default());
    let mut alone = saturated(1, 10_000, MS);
    alone.run(1_000 * MS);
    assert_eq!(alone.scheduler.counters(0).unwrap().preemptions, 0, "nobody waited");
}
