//! Cost of a scheduling decision: one pick and one charge, all VFs busy.

use divan::{Bencher, black_box};
use gpup_core::sched::{Entity, Limits, Scheduler, VfParameters};

const SIZES: [u32; 4] = [1, 8, 64, 256];

fn main() {
    divan::main();
}

/// Busy VFs of unequal weights, and packet lengths that follow no pattern.
fn busy(vfs: u32) -> Scheduler {
    let mut scheduler = Scheduler::new(vfs, Limits::default()).expect("the limits are the defaults");
    for vf in 0..vfs {
        let weight = 512 + 97 * (vf % 17);
        let parameters = VfParameters { weight, ..VfParameters::default() };
        scheduler.set_parameters(vf, parameters, 0).expect("the VF exists");
        scheduler.set_runnable(Entity::Vf(vf), true, 0);
    }
    scheduler
}

/// A xorshift step: a length between 50 µs and 4.2 ms.
fn length(random: &mut u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    50_000 + (*random & 0x3f_ffff)
}

/// Pick and charge while every VF always has more.
#[divan::bench(args = SIZES, sample_count = 200, sample_size = 2000)]
fn decision(bencher: Bencher<'_, '_>, vfs: u32) {
    let mut scheduler = busy(vfs);
    let (mut now, mut random) = (0, 0x9e37_79b9_7f4a_7c15);
    bencher.bench_local(|| {
        let grant = scheduler.pick(black_box(now)).expect("all are busy");
        let ticks = length(&mut random);
        now += ticks;
        scheduler.charge(&grant, ticks, now);
        grant.cap
    });
}

/// The same when each VF's ring runs dry with each packet and fills again at once.
#[divan::bench(args = SIZES, sample_count = 200, sample_size = 2000)]
fn decision_with_sleep_and_wake(bencher: Bencher<'_, '_>, vfs: u32) {
    let mut scheduler = busy(vfs);
    let (mut now, mut random) = (0, 0x9e37_79b9_7f4a_7c15);
    bencher.bench_local(|| {
        let grant = scheduler.pick(black_box(now)).expect("all are busy");
        let ticks = length(&mut random);
        now += ticks;
        scheduler.set_runnable(grant.entity, false, now);
        scheduler.charge(&grant, ticks, now);
        scheduler.set_runnable(grant.entity, true, now);
        grant.cap
    });
}
