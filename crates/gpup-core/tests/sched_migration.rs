//! What a migration does to the migrating VF's neighbours: nothing. And how paging shares with the VF itself.

use gpup_core::sched::sim::{Change, Demand, Flow, Length, Packet, Sim, Step};
use gpup_core::sched::{Entity, Limits, Policy, Scheduler, Source, VfParameters};
use proptest::prelude::*;

const MS: u64 = 1_000_000;
const CHUNK: u64 = 250_000;
/// The VF that migrates.
const M: u32 = 0;

/// A VF's packets and think time (0 = saturated).
type Guest = (u64, u64);

fn demand(think: u64) -> Demand {
    if think == 0 { Demand::Saturated } else { Demand::Closed(think) }
}

/// VFs of equal weight; flow i is VF i, and the flow after the last is the paging for M.
fn system(guests: &[Guest], seed: u64) -> Sim {
    let mut scheduler = Scheduler::new(guests.len() as u32, Limits::default()).unwrap();
    for vf in 0..guests.len() as u32 {
        scheduler.set_parameters(vf, VfParameters::default(), 0).unwrap();
    }
    let mut sim = Sim::new(scheduler);
    for (vf, &(longest, think)) in (0..).zip(guests) {
        let length = Length::Uniform(longest / 2, longest);
        sim.add(Flow::new(Entity::Vf(vf), demand(think), length, seed.wrapping_add(u64::from(vf))));
    }
    sim.add(Flow::new(Entity::Paging(M), Demand::Silent, Length::Uniform(CHUNK / 4, CHUNK), !seed));
    sim
}

fn neighbours(trace: &[Packet]) -> Vec<Packet> {
    trace.iter().copied().filter(|p| p.entity != Entity::Vf(M) && p.entity != Entity::Paging(M)).collect()
}

/// Engine time of the entities in a trace that `of` accepts.
fn time(trace: &[Packet], of: impl Fn(&Packet) -> bool) -> u64 {
    trace.iter().filter(|packet| of(packet)).map(|packet| packet.ticks).sum()
}

fn guest() -> impl Strategy<Value = Guest> {
    (50_000u64..10 * MS, prop_oneof![Just(0u64), 10_000u64..20 * MS])
}

fn policy() -> impl Strategy<Value = Policy> {
    prop_oneof![Just(Policy::SourceBrownout), Just(Policy::SourceBlackout), Just(Policy::Target)]
}

mod sched_migration {
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// (a) Call each granted piece of paging a guest's packet: the neighbours' trace is the same, byte for byte.
        #[test]
        fn paging_is_a_busy_guest_to_the_neighbours(
            guests in prop::collection::vec(guest(), 2..9), policy in policy(),
            prepare in 1u64..100 * MS, seed: u64,
        ) {
            let paging = guests.len();
            let until = prepare + 1_000 * MS;
            let mut migrating = system(&guests, seed);
            migrating.at(prepare, Change::Policy(M, policy));
            migrating.at(prepare, Change::Demand(paging, Demand::Saturated));
            let before = migrating.run(prepare);
            let during = migrating.run(until);

            let of_m: Vec<u64> = during
                .iter()
                .filter(|packet| matches!(packet.entity, Entity::Vf(M) | Entity::Paging(M)))
                .map(|packet| packet.ticks)
                .collect();
            let mut busy = system(&guests, seed);
            busy.at(prepare, Change::Length(M as usize, Length::Replay(of_m)));
            busy.at(prepare, Change::Demand(M as usize, Demand::Saturated));
            prop_assert_eq!(before, busy.run(prepare));
            let relabelled = busy.run(until);
            let strip = |packet: Packet| (packet.start, packet.ticks, packet.entity);
            let seen: Vec<_> = neighbours(&during).into_iter().map(strip).collect();
            prop_assert_eq!(seen, neighbours(&relabelled).into_iter().map(strip).collect::<Vec<_>>());
            prop_assert!(during.iter().all(|packet| packet.source == Source::Share));
        }

        /// (b), (e) The idle class runs only if nobody with a share and no ceiling has work, and then it does run.
        #[test]
        fn the_idle_class_takes_only_what_nobody_wants(
            guests in prop::collection::vec((50_000u64..10 * MS, 100_000u64..60 * MS), 2..9), seed: u64,
        ) {
            let paging = guests.len();
            let mut sim = system(&guests, seed);
            // A second of history, so that the brownout puts a ceiling on M.
            sim.at(1_000 * MS, Change::Policy(M, Policy::SourceBrownout));
            sim.at(1_000 * MS, Change::Demand(M as usize, Demand::Silent));
            sim.at(1_000 * MS, Change::Demand(paging, Demand::Saturated));
            sim.run(1_000 * MS);
            let idle = sim.idle;
            for packet in sim.run(3_000 * MS) {
                if packet.source == Source::Idle {
                    prop_assert_eq!(packet.waiting, 0, "{:?}", packet);
                    prop_assert!(packet.ticks <= CHUNK);
                }
            }
            prop_assert_eq!(sim.idle, idle);
            let (totals, counters) = (sim.scheduler.totals(), sim.scheduler.counters(M).unwrap());
            prop_assert_eq!(totals.idle_class, counters.paging_idle);
            prop_assert_eq!(totals.busy + sim.idle, sim.now);
        }

        /// (d) While both have work, paging gets its part of the node within a packet and a chunk.
        #[test]
        fn paging_gets_its_part_of_the_node(longest in 50_000u64..10 * MS, others in 0usize..5, seed: u64) {
            let mut guests = vec![(3 * MS, 0); others + 1];
            guests[0] = (longest, 0);
            let mut sim = system(&guests, seed);
            sim.at(10 * MS, Change::Policy(M, Policy::SourceBrownout));
            sim.at(10 * MS, Change::Demand(others + 1, Demand::Saturated));
            sim.run(10 * MS);
            let began = sim.scheduler.counters(M).unwrap().busy;
            while sim.step(2_000 * MS) != Step::Done {
                let counters = sim.scheduler.counters(M).unwrap();
                let (guest, paging) = (counters.busy - began, counters.paging_granted);
                let off = (guest + paging) as i64 / 4 - paging as i64;
                prop_assert!(off.unsigned_abs() <= longest + CHUNK, "{off} off after {}", sim.now);
            }
        }

        /// (h) Policies come and go, and with no paging to do nothing else is different.
        #[test]
        fn a_migration_that_moves_nothing_leaves_no_trace(
            guests in prop::collection::vec(guest(), 2..9), seed: u64,
            changes in prop::collection::vec((0u64..120 * MS, prop_oneof![policy(), Just(Policy::Normal)]), 1..12),
        ) {
            let plain = system(&guests, seed).run(600 * MS);
            let mut sim = system(&guests, seed);
            for (at, policy) in changes {
                sim.at(at, Change::Policy(M, policy));
            }
            sim.at(125 * MS, Change::Policy(M, Policy::Normal));
            prop_assert_eq!(plain, sim.run(600 * MS));
        }

        /// (i) The first packet of node M that is picked after a change obeys it.
        #[test]
        fn a_policy_is_in_force_with_the_next_packet(
            guests in prop::collection::vec((50_000u64..10 * MS, Just(0u64)), 2..6), seed: u64,
            blackout in 20 * MS..60 * MS, end in 60 * MS..120 * MS,
        ) {
            let paging = guests.len();
            let mut sim = system(&guests, seed);
            sim.at(10 * MS, Change::Demand(paging, Demand::Saturated));
            sim.at(10 * MS, Change::Policy(M, Policy::SourceBrownout));
            sim.at(blackout, Change::Policy(M, Policy::SourceBlackout));
            sim.at(end, Change::Policy(M, Policy::Normal));
            sim.at(end, Change::Demand(paging, Demand::Silent));
            for packet in sim.run(300 * MS) {
                match packet.entity {
                    Entity::Vf(M) => prop_assert!(packet.start < blackout || packet.start >= end),
                    Entity::Paging(_) => prop_assert!((10 * MS..end).contains(&packet.start)),
                    _ => {}
                }
            }
        }

        /// (j) A VF that has work anyway may ring its doorbell as often as it likes.
        #[test]
        fn a_storm_of_doorbells_changes_nothing(
            guests in prop::collection::vec(guest(), 2..9), seed: u64,
            storm in prop::collection::vec((0u64..300 * MS, 0usize..9), 0..400),
        ) {
            let plain = system(&guests, seed).run(300 * MS);
            let mut sim = system(&guests, seed);
            for (at, flow) in storm {
                sim.at(at, Change::Doorbell(flow % guests.len()));
            }
            prop_assert_eq!(plain, sim.run(300 * MS));
        }

        /// (k) Several migrating VFs share idle time evenly, from when the last of them began.
        #[test]
        fn migrating_vfs_share_idle_time(vfs in 2u32..6, late in 1u64..200 * MS, seed: u64) {
            let mut sim = Sim::new(Scheduler::new(vfs, Limits::default()).unwrap());
            for vf in 0..vfs {
                // A ceiling of a thousandth, so that nearly all of the paging is left to the idle class.
                sim.scheduler.set_max(vf, 1000, 0).unwrap();
                let at = if vf == 0 { late } else { 0 };
                sim.at(at, Change::Policy(vf, Policy::Target));
                let length = Length::Uniform(CHUNK / 3, CHUNK);
                let flow = sim.add(Flow::new(Entity::Paging(vf), Demand::Silent, length, seed ^ u64::from(vf)));
                sim.at(at, Change::Demand(flow, Demand::Saturated));
            }
            let idle = |sim: &Sim, vf| sim.scheduler.counters(vf).unwrap().paging_idle;
            sim.run(late);
            let began: Vec<u64> = (0..vfs).map(|vf| idle(&sim, vf)).collect();
            while sim.step(late + 300 * MS) != Step::Done {
                let taken = (0..vfs).map(|vf| idle(&sim, vf) - began[vf as usize]);
                let (least, most) = (taken.clone().min().unwrap(), taken.max().unwrap());
                prop_assert!(most - least <= 2 * CHUNK, "{least}..{most}");
            }
        }
    }

    /// Neighbours that always have work get what they got before, in brownout and in blackout.
    #[test]
    fn saturated_neighbours_lose_nothing() {
        let lengths = [5 * MS, 50_000, 200_000, MS, 5 * MS, 8 * MS, 400_000, 3 * MS];
        let guests = lengths.map(|longest| (longest, 0));
        let mut sim = system(&guests, 11);
        let second = 1_000 * MS;
        sim.at(20 * second, Change::Policy(M, Policy::SourceBrownout));
        sim.at(20 * second, Change::Demand(8, Demand::Saturated));
        sim.at(40 * second, Change::Policy(M, Policy::SourceBlackout));
        sim.at(40 * second, Change::Demand(M as usize, Demand::Silent));
        let rate = |trace: &[Packet]| time(trace, |p| !matches!(p.entity, Entity::Vf(M) | Entity::Paging(M)));
        let before = sim.run(20 * second);
        let brownout = sim.run(40 * second);
        let blackout = sim.run(60 * second);
        for during in [&brownout, &blackout] {
            let kept = rate(during) as f64 / rate(&before) as f64;
            assert!((0.999..1.003).contains(&kept), "{kept}");
        }
        let share = time(&blackout, |p| p.entity == Entity::Paging(M)) as f64 / (20 * second) as f64;
        assert!((share - 0.125).abs() < 0.001, "{share}");
        let share = time(&brownout, |p| p.entity == Entity::Paging(M)) as f64 / (20 * second) as f64;
        assert!((share - 0.125 / 4.0).abs() < 0.001, "{share}");
    }

    /// The surplus trap: what M left unused before stays with the neighbours that had been soaking it up.
    #[test]
    fn paging_does_not_take_back_what_neighbours_soaked_up() {
        let mut guests = vec![(4 * MS, 0); 8];
        guests[0] = (MS, 19 * MS);
        let mut sim = system(&guests, 5);
        let second = 1_000 * MS;
        sim.at(20 * second, Change::Policy(M, Policy::SourceBrownout));
        sim.at(20 * second, Change::Demand(8, Demand::Saturated));
        sim.at(40 * second, Change::Policy(M, Policy::Normal));
        sim.at(40 * second, Change::Demand(8, Demand::Silent));
        let of_neighbours = |p: &Packet| !matches!(p.entity, Entity::Vf(M) | Entity::Paging(M));
        let before = sim.run(20 * second);
        let during = sim.run(40 * second);
        let after = sim.run(60 * second);
        let used = time(&before, |p| p.entity == Entity::Vf(M)) as f64 / (20 * second) as f64;
        assert!(used < 0.08, "M must leave some of its eighth: {used}");
        for phase in [&during, &after] {
            let kept = time(phase, of_neighbours) as f64 / time(&before, of_neighbours) as f64;
            assert!((0.995..1.005).contains(&kept), "{kept}");
        }
        assert!(time(&during, |p| p.entity == Entity::Paging(M)) > 0);
    }
}
