//! The scheduler's bounds and its conservation laws, over random systems.

use gpup_core::sched::sim::{Demand, Flow, Length, Sim, Step};
use gpup_core::sched::{Entity, Limits, Policy, Scheduler, VfParameters};
use proptest::prelude::*;

const MS: u64 = 1_000_000;

/// A VF of a random system: weight in quarters of the usual, packet lengths, think time (0 = saturated).
#[derive(Clone, Debug)]
struct Guest {
    quarters: u32,
    shortest: u64,
    longest: u64,
    think: u64,
}

fn guest(saturated: bool) -> impl Strategy<Value = Guest> {
    let length = prop_oneof![50_000u64..200_000, 200_000u64..2 * MS, 2 * MS..20 * MS];
    let think =
        if saturated { (0u64..1).boxed() } else { prop_oneof![Just(0u64), 10_000u64..30 * MS].boxed() };
    (1u32..64, length, 0u64..10, think).prop_map(|(quarters, longest, spread, think)| Guest {
        quarters,
        shortest: longest - longest / 10 * spread,
        longest,
        think,
    })
}

fn guests(saturated: bool) -> impl Strategy<Value = Vec<Guest>> {
    prop::collection::vec(guest(saturated), 2..20)
}

fn system(guests: &[Guest], quantum_us: u32, seed: u64) -> Sim {
    let limits = Limits { packet: 20 * MS, ..Limits::default() };
    let mut scheduler = Scheduler::new(guests.len() as u32, limits).unwrap();
    for (vf, guest) in (0..).zip(guests) {
        let weight = guest.quarters * 256;
        scheduler.set_parameters(vf, VfParameters { quantum_us, weight, ..Default::default() }, 0).unwrap();
    }
    let mut sim = Sim::new(scheduler);
    for (vf, guest) in (0..).zip(guests) {
        let demand = if guest.think == 0 { Demand::Saturated } else { Demand::Closed(guest.think) };
        let length = Length::Uniform(guest.shortest, guest.longest);
        sim.add(Flow::new(Entity::Vf(vf), demand, length, seed + u64::from(vf)));
    }
    sim
}

/// The longest request there can be: all start from 20 ms, and no packet is longer.
const LONGEST_REQUEST: i64 = 20 * MS as i64;

/// What a packet adds that is longer than the fading memory of the longest one, and the rounding.
const EXCESS: i64 = LONGEST_REQUEST / 20;

mod sched_bounds {
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn lag_of_busy_vfs_stays_within_one_request(
            guests in guests(true), quantum in 500u32..8000, seed: u64,
        ) {
            let mut sim = system(&guests, quantum, seed);
            while sim.step(6_000 * MS) != Step::Done {
                for vf in 0..guests.len() as u32 {
                    let lag = sim.scheduler.lag(vf).unwrap();
                    prop_assert!(lag < LONGEST_REQUEST + EXCESS, "VF {vf} is owed {lag}");
                    prop_assert!(lag > -(LONGEST_REQUEST + EXCESS), "VF {vf} owes {lag}");
                }
            }
            prop_assert_eq!(sim.idle, 0);
        }

        #[test]
        fn a_busy_vf_gets_its_share_whatever_others_do(
            guests in guests(false), quantum in 500u32..8000, seed: u64,
        ) {
            let mut guests = guests;
            guests[0].think = 0;
            let weights: u64 = guests.iter().map(|guest| u64::from(guest.quarters)).sum();
            let mut sim = system(&guests, quantum, seed);
            let mut virtual_time = 0;
            while sim.step(6_000 * MS) != Step::Done {
                let fluid = sim.now * u64::from(guests[0].quarters) / weights;
                let busy = sim.scheduler.counters(0).unwrap().busy;
                let short = fluid as i64 - busy as i64;
                prop_assert!(short < LONGEST_REQUEST + EXCESS, "{short} short after {}", sim.now);
                prop_assert!(sim.scheduler.virtual_time() >= virtual_time, "virtual time went back");
                virtual_time = sim.scheduler.virtual_time();
            }
        }

        #[test]
        fn charges_are_conserved_and_no_work_waits_for_nothing(
            guests in guests(false), quantum in 500u32..8000, seed: u64,
        ) {
            let mut sim = system(&guests, quantum, seed);
            while let step = sim.step(3_000 * MS) && step != Step::Done {
                // Nothing has a ceiling here, so an idle engine means that nobody has work.
                if let Step::Idle(_) = step {
                    prop_assert_eq!(sim.scheduler.next_allowed(sim.now), None);
                }
                let totals = sim.scheduler.totals();
                let vfs: u64 = (0..guests.len() as u32).map(|vf| sim.scheduler.counters(vf).unwrap().busy).sum();
                prop_assert_eq!(totals.busy, vfs);
                prop_assert_eq!(totals.busy + sim.idle, sim.now);
            }
            if guests.iter().any(|guest| guest.think == 0) {
                prop_assert_eq!(sim.idle, 0);
            }
        }
    }

    /// Mixed packets from 50 µs to 20 ms: equal shares, where a round robin gives 0.065 to 0.326.
    #[test]
    fn equal_vfs_get_equal_shares_whatever_their_packets() {
        let lengths = [50_000, 200_000, MS, 5 * MS, 20 * MS, 400_000, 3 * MS, 9 * MS];
        let guests: Vec<Guest> = lengths
            .iter()
            .map(|&longest| Guest { quarters: 4, shortest: longest / 2, longest, think: 0 })
            .collect();
        let mut sim = system(&guests, 4000, 7);
        sim.run(60_000 * MS);
        let shares: Vec<f64> =
            (0..8).map(|vf| sim.scheduler.counters(vf).unwrap().busy as f64 / sim.now as f64).collect();
        let (sum, squares) = shares.iter().fold((0.0, 0.0), |(s, q), x| (s + x, q + x * x));
        assert!(sum * sum / (8.0 * squares) >= 0.9999, "{shares:?}");
        // 1 % and the error of the window, 2 r / (φ T).
        let tolerance = 0.125 * (0.01 + 2.0 * 0.020 * 8.0 / 60.0);
        assert!(shares.iter().all(|share| (share - 0.125).abs() < tolerance), "{shares:?}");
    }

    /// A heavy VF of short packets among 63 with long ones: the textbook's request, one quantum, would lose it
    /// by 600 ms.
    #[test]
    fn short_packets_among_long_ones_keep_their_share() {
        let mut guests = vec![Guest { quarters: 1, shortest: 20 * MS, longest: 20 * MS, think: 0 }; 64];
        guests[0] = Guest { quarters: 63, shortest: MS, longest: MS, think: 0 };
        let mut sim = system(&guests, 1000, 3);
        while sim.step(20_000 * MS) != Step::Done {
            let lag = sim.scheduler.lag(0).unwrap();
            assert!(lag.abs() < LONGEST_REQUEST, "{lag}");
        }
        let share = sim.scheduler.counters(0).unwrap().busy as f64 / sim.now as f64;
        assert!((share - 0.5).abs() < 0.005, "{share}");
    }

    /// Nothing is allocated once the scheduler is made: it runs at raised IRQL and in the blackout.
    #[test]
    fn decisions_and_policies_do_not_allocate() {
        let mut scheduler = Scheduler::new(8, Limits::default()).unwrap();
        let info = allocation_counter::measure(|| {
            let mut now = 0;
            for round in 0..2_000u32 {
                let vf = round % 8;
                let policy = if round % 3 == 0 { Policy::Normal } else { Policy::SourceBrownout };
                scheduler.set_policy(vf, policy, now).unwrap();
                scheduler.set_runnable(Entity::Paging(vf), round % 5 != 0, now);
                scheduler.set_runnable(Entity::Vf(vf), round % 7 != 0, now);
                if let Some(grant) = scheduler.pick(now) {
                    now += grant.cap;
                    scheduler.charge(&grant, grant.cap, now);
                }
            }
        });
        assert_eq!(info.count_total, 0);
    }
}
