//! The bandwidth of paging: kept in every window, wherever the time comes from, and nobody else's loss.

use proptest::prelude::*;

use super::{MS, check, scheduler_with};
use crate::sched::sim::{Change, Demand, Flow, Length, Packet, Sim, Step};
use crate::sched::{Entity, Limits, Policy};

const CHUNK: u64 = 250_000;

/// VF 0 migrates under a bandwidth of so many millionths; VF 1 is its neighbour.
fn system(paging_ppm: u32, own: Demand, neighbour: Demand) -> Sim {
    let mut sim = Sim::new(scheduler_with(2, Limits { paging_ppm, ..Limits::default() }));
    sim.add(Flow::new(Entity::Vf(0), own, Length::Uniform(MS / 2, 2 * MS), 1));
    sim.add(Flow::new(Entity::Vf(1), neighbour, Length::Uniform(MS / 2, 2 * MS), 2));
    sim.add(Flow::new(Entity::Paging(0), Demand::Saturated, Length::Fixed(CHUNK), 3));
    sim
}

fn demand() -> impl Strategy<Value = Demand> {
    prop_oneof![Just(Demand::Silent), Just(Demand::Saturated), (MS..20 * MS).prop_map(Demand::Closed)]
}

fn policy() -> impl Strategy<Value = Policy> {
    prop_oneof![Just(Policy::SourceBrownout), Just(Policy::SourceBlackout), Just(Policy::Target)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_bandwidth_holds_in_every_window(
        paging_ppm in 1_000u32..900_000, own in demand(), neighbour in demand(), policy in policy(),
    ) {
        let mut sim = system(paging_ppm, own, neighbour);
        sim.at(0, Change::Policy(0, policy));
        let mut moved = vec![(0, 0)];
        while sim.step(1_000 * MS) != Step::Done {
            check(&sim.scheduler);
            let counters = sim.scheduler.counters(0).unwrap();
            moved.push((sim.now, counters.paging_granted + counters.paging_idle));
        }
        for (place, &(start, before)) in moved.iter().enumerate().step_by(31) {
            for &(end, after) in moved[place..].iter().step_by(7) {
                let most = (end - start) * u64::from(paging_ppm) / 1_000_000 + 2 * CHUNK;
                prop_assert!(after - before <= most, "{} in {}", after - before, end - start);
            }
        }
        // With nobody in its way it has all of its bandwidth.
        if own == Demand::Silent && neighbour == Demand::Silent {
            let full = 1_000 * MS * u64::from(paging_ppm) / 1_000_000;
            prop_assert!(moved.last().unwrap().1 + 2 * CHUNK >= full);
        }
    }

    #[test]
    fn what_paging_may_not_take_is_its_guests(paging_ppm in 1_000u32..200_000) {
        let mut sim = system(paging_ppm, Demand::Saturated, Demand::Saturated);
        sim.at(0, Change::Policy(0, Policy::SourceBrownout));
        let trace = sim.run(4_000 * MS);
        let of = |entity| trace.iter().filter(|packet| packet.entity == entity).map(|p| p.ticks).sum::<u64>();
        let node = of(Entity::Vf(0)) + of(Entity::Paging(0));
        prop_assert_eq!(sim.idle, 0);
        prop_assert!(node.abs_diff(of(Entity::Vf(1))) < 40 * MS, "{} of 2 s", node);
    }

    #[test]
    fn a_bandwidth_is_no_neighbours_matter(paging_ppm in 1_000u32..900_000, policy in policy()) {
        // Beside a guest that never stops, the node's work is the same whoever of the two does it.
        let run = |ppm| {
            let mut sim = system(ppm, Demand::Saturated, Demand::Closed(5 * MS));
            sim.at(0, Change::Policy(0, policy));
            sim.run(2_000 * MS)
        };
        let neighbour = |trace: &[Packet]| {
            trace.iter().filter(|p| p.entity == Entity::Vf(1)).map(|p| p.ticks).sum::<u64>()
        };
        let (paced, free) = (neighbour(&run(paging_ppm)), neighbour(&run(1_000_000)));
        prop_assert!(paced as f64 >= free as f64 * 0.9, "{paced} of {free}");
    }
}
