//! Fairness as IGT's xe_sriov_scheduling measures it, on the discrete-event model: throughput in the window in
//! which everybody works, shuffled order, random quanta. And the neighbours of a migration, from 1 to 63 of them.

use gpup_core::sched::sim::{Change, Demand, Flow, Length, Packet, Sim, Step};
use gpup_core::sched::{Entity, Limits, Policy, Scheduler, VfParameters};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// A small random generator (xorshift), so that a failure names a seed.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        low + self.0 % (high - low + 1)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.between(0, end as u64) as usize);
        }
    }
}

/// An engine whose PF and VFs all have this quantum and twice that as preemption timeout.
fn engine(vfs: u32, quantum: u64) -> Sim {
    let limits = Limits { pf_quantum: quantum, ..Limits::default() };
    let mut scheduler = Scheduler::new(vfs, limits).unwrap();
    let quantum_us = (quantum / 1000) as u32;
    let parameters = VfParameters { quantum_us, preempt_timeout_us: 2 * quantum_us, ..Default::default() };
    (0..vfs).for_each(|vf| scheduler.set_parameters(vf, parameters, 0).unwrap());
    Sim::new(scheduler)
}

/// The PF and all VFs, in a random order.
fn everybody(vfs: u32, random: &mut Random) -> Vec<Entity> {
    let mut all: Vec<Entity> = std::iter::once(Entity::Pf).chain((0..vfs).map(Entity::Vf)).collect();
    random.shuffle(&mut all);
    all
}

/// What one of them got.
struct Worker {
    entity: Entity,
    taken: u64,
    ends: Vec<u64>,
    /// Its packets: begin, and length.
    ran: Vec<(u64, u64)>,
}

impl Worker {
    /// Engine time within a window.
    fn time_in(&self, from: u64, to: u64) -> u64 {
        self.ran.iter().map(|(start, ticks)| (start + ticks).min(to).saturating_sub((*start).max(from))).sum()
    }

    /// Jobs that ended within a window, its begin left out.
    fn jobs_in(&self, from: u64, to: u64) -> usize {
        self.ends.iter().filter(|end| **end > from && **end <= to).count()
    }
}

/// Everybody does jobs of `job` ticks, each in as many packets as `pieces` says of one, until all have done `repeats`.
fn work(order: &[Entity], quantum: u64, job: u64, pieces: &[u64], repeats: usize) -> Vec<Worker> {
    let mut sim = engine(order.len() as u32 - 1, quantum);
    for (seed, (&entity, pieces)) in (1..).zip(order.iter().zip(pieces)) {
        sim.add(Flow::new(entity, Demand::Saturated, Length::Fixed(job / pieces), seed));
    }
    let new = |&entity: &Entity| Worker { entity, taken: 0, ends: Vec::new(), ran: Vec::new() };
    let mut workers: Vec<Worker> = order.iter().map(new).collect();
    while workers.iter().any(|worker| worker.ends.len() < repeats) {
        let Step::Ran(packet) = sim.step(u64::MAX) else { panic!("everybody has work") };
        assert!(!packet.reset, "{:?} ended early", packet.entity);
        let worker = workers.iter_mut().find(|worker| worker.entity == packet.entity).unwrap();
        worker.ran.push((packet.start, packet.ticks));
        worker.taken += packet.ticks;
        if worker.taken % job < packet.ticks {
            worker.ends.push(packet.start + packet.ticks);
        }
    }
    workers
}

/// Equal throughput in the window from the latest first end of a job to the earliest last one. Each one's jobs are cut
/// into one of so many `cuts` packets.
#[track_caller]
fn equal_throughput(vfs: u32, cuts: &[u64], seed: u64) {
    let mut random = Random::new(seed);
    let quantum = random.between(8, 32) * MS;
    let job = (2 * quantum).max(16 * MS);
    let repeats = 400;
    let order = everybody(vfs, &mut random);
    let pieces: Vec<u64> =
        order.iter().map(|_| cuts[random.between(0, cuts.len() as u64 - 1) as usize]).collect();
    let workers = work(&order, quantum, job, &pieces, repeats);
    let from = workers.iter().map(|worker| worker.ends[0]).max().unwrap();
    let to = workers.iter().map(|worker| worker.ends[repeats - 1]).min().unwrap();
    let all = workers.len() as f64;
    let longest = job / pieces.iter().min().unwrap();
    let request = quantum.max(longest) as f64;
    let bound = 0.01 + 2.0 * request * all / (to - from) as f64;
    assert!(bound < 0.05, "the window is too short: {bound}");
    let shares: Vec<f64> =
        workers.iter().map(|worker| worker.time_in(from, to) as f64 / (to - from) as f64 * all).collect();
    for (worker, share) in workers.iter().zip(&shares) {
        let name = worker.entity;
        assert!((share - 1.0).abs() <= bound, "{name:?} of {vfs} VFs, seed {seed}: {share} against {bound}");
        // As IGT has it: jobs of each, against those of the first.
        let (jobs, of_first) = (worker.jobs_in(from, to) as f64, workers[0].jobs_in(from, to) as f64);
        assert!(
            (jobs / of_first - 1.0).abs() <= 0.1,
            "{name:?}, seed {seed}: {jobs} jobs, the first {of_first}"
        );
    }
    let (sum, squares) = shares.iter().fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
    let jain = sum * sum / (all * squares);
    assert!(jain >= 0.9999, "{vfs} VFs, seed {seed}: {jain}");
}

#[test]
fn equal_throughput_of_jobs_that_can_be_cut() {
    for (seed, vfs) in (1..).zip([1, 2, 3, 4, 7, 12, 24, 63]) {
        equal_throughput(vfs, &[16], seed);
    }
}

#[test]
fn equal_throughput_of_jobs_that_cannot_be_cut() {
    for (seed, vfs) in (100..).zip([1, 2, 3, 4, 7, 12, 24, 63]) {
        equal_throughput(vfs, &[1], seed);
    }
}

#[test]
fn equal_throughput_whatever_the_order_the_quantum_and_the_cuts() {
    for seed in 200..240 {
        equal_throughput(3 + (seed % 5) as u32, &[1, 2, 4, 8, 32], seed);
    }
}

/// A job that cannot be cut and outlasts quantum and timeout ends early, once; nobody else's does.
#[test]
fn only_those_that_cannot_be_cut_are_reset() {
    for seed in 1..=20 {
        let mut random = Random::new(seed);
        let vfs = random.between(2, 7) as u32;
        let quantum = random.between(8, 32) * MS;
        let stubborn = random.between(0, u64::from(vfs) - 1) as u32;
        let mut sim = engine(vfs, quantum);
        for entity in everybody(vfs, &mut random) {
            let (demand, length) = match entity {
                // One job: the next would come after the end of the test.
                Entity::Vf(vf) if vf <= stubborn => (Demand::Closed(1 << 50), 2 * quantum + 2 * quantum),
                _ => (Demand::Saturated, quantum / 4),
            };
            sim.add(Flow::new(entity, demand, Length::Fixed(length), seed));
        }
        let cut: Vec<Packet> = sim.run(20 * SECOND).into_iter().filter(|packet| packet.reset).collect();
        assert_eq!(cut.len() as u32, stubborn + 1, "seed {seed}");
        for packet in cut {
            assert_eq!(packet.ticks, 3 * quantum + 1, "seed {seed}: quantum and timeout, and no longer");
        }
        for vf in 0..vfs {
            let resets = u64::from(vf <= stubborn);
            assert_eq!(sim.scheduler.counters(vf).unwrap().resets, resets, "seed {seed}, VF {vf}");
        }
    }
}

/// Packets of 50 us to 20 ms, by VF.
fn lengths(vf: u32) -> Length {
    match vf % 6 {
        0 => Length::Fixed(MS),
        1 => Length::Fixed(50_000),
        2 => Length::Fixed(20 * MS),
        3 => Length::Uniform(50_000, 20 * MS),
        4 => Length::Uniform(200_000, 5 * MS),
        _ => Length::Mix(vec![(50_000, 9), (20 * MS, 1)]),
    }
}

/// Each neighbour's engine time in a window.
fn times(trace: &[Packet], vfs: u32, from: u64, to: u64) -> Vec<u64> {
    let mut times = vec![0; vfs as usize];
    for packet in trace {
        if let Entity::Vf(vf) = packet.entity {
            times[vf as usize] +=
                (packet.start + packet.ticks).min(to).saturating_sub(packet.start.max(from));
        }
    }
    times
}

/// VF 0 migrates; what `neighbours` others that always have work get in its brownout and blackout, against before.
fn migrate_beside(neighbours: u32) {
    let vfs = neighbours + 1;
    let phase = 8 * u64::from(vfs) * SECOND;
    let limits = Limits { packet: 20 * MS, ..Limits::default() };
    let mut sim = Sim::new(Scheduler::new(vfs, limits).unwrap());
    for vf in 0..vfs {
        sim.scheduler.set_parameters(vf, VfParameters::default(), 0).unwrap();
        sim.add(Flow::new(Entity::Vf(vf), Demand::Saturated, lengths(vf), u64::from(vf)));
    }
    let chunk = Length::Fixed(limits.chunk);
    let paging = sim.add(Flow::new(Entity::Paging(0), Demand::Silent, chunk, 0));
    sim.at(phase, Change::Policy(0, Policy::SourceBrownout));
    sim.at(phase, Change::Demand(paging, Demand::Saturated));
    sim.at(2 * phase, Change::Policy(0, Policy::SourceBlackout));
    sim.at(2 * phase, Change::Demand(0, Demand::Silent));
    let trace = sim.run(3 * phase);
    assert_eq!(sim.idle, 0);
    let [before, brownout, blackout] = [0, 1, 2].map(|n| times(&trace, vfs, n * phase, (n + 1) * phase));
    let share = phase as f64 / f64::from(vfs);
    let bound = 0.01 + 2.0 * 20e6 / share;
    assert!(bound <= 0.0151, "the window is too short: {bound}");
    for during in [brownout, blackout] {
        for vf in 1..vfs as usize {
            let kept = during[vf] as f64 / before[vf] as f64;
            assert!((kept - 1.0).abs() <= bound, "VF {vf} of {vfs}: {kept} of before");
            let entitled = share - (20e6 + limits.chunk as f64);
            assert!(during[vf] as f64 >= entitled, "VF {vf} of {vfs}: {} of {entitled}", during[vf]);
        }
    }
}

#[test]
fn neighbours_of_a_migration_keep_their_shares() {
    [1, 2, 3, 5, 8, 13, 21, 32, 48, 63].into_iter().for_each(migrate_beside);
}
