//! The rules that a property does not show: slots, stray paging, over-run, resets, ceilings, debts.

use super::{MS, check, scheduler, scheduler_with};
use crate::Error;
use crate::sched::sim::{Change, Demand, Flow, Length, Sim, Step};
use crate::sched::{Entity, Grant, Limits, Policy, Priority, Scheduler, Source, VfParameters};

/// Picks and charges one packet.
fn turn(scheduler: &mut Scheduler, now: &mut u64, ticks: u64) -> Grant {
    let grant = scheduler.pick(*now).expect("something is runnable");
    *now += ticks;
    scheduler.charge(&grant, ticks, *now);
    grant
}

#[test]
fn refuses_what_it_cannot_do() {
    let new = |vfs, limits| Scheduler::new(vfs, limits).err();
    assert_eq!(new(100_000, Limits::default()), Some(Error::InvalidParameter));
    assert_eq!(new(1, Limits { packet: 0, ..Limits::default() }), Some(Error::InvalidParameter));
    assert_eq!(new(1, Limits { paging_permille: 1001, ..Limits::default() }), Some(Error::InvalidParameter));
    for paging_ppm in [0, 1_000_001] {
        assert_eq!(new(1, Limits { paging_ppm, ..Limits::default() }), Some(Error::InvalidParameter));
    }
    let mut scheduler = scheduler(2);
    let zero = VfParameters { weight: 0, ..Default::default() };
    assert_eq!(scheduler.set_parameters(0, zero, 0), Err(Error::InvalidParameter));
    let zero = VfParameters { quantum_us: 0, ..Default::default() };
    assert_eq!(scheduler.set_parameters(0, zero, 0), Err(Error::InvalidParameter));
    assert_eq!(scheduler.set_policy(2, Policy::Target, 0), Err(Error::UnknownVf));
    assert_eq!(scheduler.counters(2), Err(Error::UnknownVf));
    assert_eq!(scheduler.set_throttle(0, 500, 0), Err(Error::WrongState));
    assert_eq!(scheduler.set_throttle(0, 0, 0), Err(Error::InvalidParameter));
    scheduler.set_runnable(Entity::Vf(2), true, 0);
    assert_eq!(scheduler.pick(0), None);
    check(&scheduler);
}

#[test]
fn a_turn_lasts_while_the_next_packet_is_sure_to_fit() {
    let mut scheduler = Scheduler::new(2, Limits { packet: MS, ..Limits::default() }).unwrap();
    scheduler.set_runnable(Entity::Vf(0), true, 0);
    scheduler.set_runnable(Entity::Vf(1), true, 0);
    let mut now = 0;
    let order: Vec<Entity> = (0..8).map(|_| turn(&mut scheduler, &mut now, MS).entity).collect();
    assert_eq!(order, [[Entity::Vf(0); 4], [Entity::Vf(1); 4]].concat());
}

#[test]
fn a_vf_of_normal_priority_keeps_its_slot() {
    let mut scheduler = scheduler(2);
    let normal = VfParameters { priority: Priority::Normal, ..Default::default() };
    scheduler.set_parameters(0, normal, 0).unwrap();
    scheduler.set_runnable(Entity::Vf(1), true, 0);
    let mut now = 0;
    for _ in 0..100 {
        turn(&mut scheduler, &mut now, 4 * MS);
    }
    let held = scheduler.totals().held;
    assert_eq!(held, 200 * MS);
    assert_eq!(scheduler.counters(0).unwrap().packets, 0);
    // Paging that nobody's share covers may use the slot meanwhile.
    scheduler.set_max(1, 1000, now).unwrap();
    scheduler.set_policy(1, Policy::Target, now).unwrap();
    scheduler.set_runnable(Entity::Vf(1), false, now);
    scheduler.set_runnable(Entity::Paging(1), true, now);
    let turns: Vec<Grant> = (0..200).map(|_| turn(&mut scheduler, &mut now, 250_000)).collect();
    assert!(turns.iter().all(|grant| grant.entity == Entity::Paging(1)));
    let of_share = turns.iter().filter(|grant| grant.source == Source::Share).count();
    assert!(of_share <= 17, "a request's worth and what the ceiling lets pass: {of_share}");
    assert_eq!(scheduler.totals().held, held);
    check(&scheduler);
}

#[test]
fn paging_for_a_vf_at_rest_is_the_pfs_everyday_work() {
    let mut scheduler = scheduler(4);
    for entity in [Entity::Pf, Entity::Paging(1), Entity::Paging(3)] {
        scheduler.set_runnable(entity, true, 0);
    }
    let mut now = 0;
    let order: Vec<Entity> = (0..6).map(|_| turn(&mut scheduler, &mut now, MS).entity).collect();
    let (a, b) = (Entity::Paging(1), Entity::Paging(3));
    assert_eq!(order, [Entity::Pf, a, Entity::Pf, b, Entity::Pf, a]);
    assert_eq!(scheduler.totals().pf, 6 * MS);
    assert_eq!(scheduler.counters(1).unwrap(), Default::default());
    scheduler.set_runnable(Entity::Pf, false, now);
    scheduler.set_policy(1, Policy::SourceBrownout, now).unwrap();
    scheduler.set_policy(3, Policy::SourceBrownout, now).unwrap();
    turn(&mut scheduler, &mut now, MS);
    assert_eq!(scheduler.totals().pf, 6 * MS, "now it is the VFs' own");
    check(&scheduler);
}

#[test]
fn only_a_guest_that_keeps_others_waiting_is_over_its_run() {
    let mut scheduler = scheduler(2);
    let impatient = VfParameters { preempt_timeout_us: 1000, ..Default::default() };
    scheduler.set_parameters(0, impatient, 0).unwrap();
    scheduler.set_runnable(Entity::Vf(0), true, 0);
    let grant = scheduler.pick(0).unwrap();
    assert!(!scheduler.over_run(&grant, u64::MAX), "nobody waits");
    scheduler.set_runnable(Entity::Vf(1), true, 1);
    assert!(!scheduler.over_run(&grant, grant.cap + MS));
    assert!(scheduler.over_run(&grant, grant.cap + MS + 1));
    scheduler.charge(&grant, 5 * MS, 5 * MS);
    scheduler.count_reset(0).unwrap();
    assert_eq!(scheduler.counters(0).unwrap().resets, 1);

    // Its own paging waits inside the node; and paging itself is never reset.
    scheduler.set_runnable(Entity::Vf(1), false, 5 * MS);
    scheduler.set_policy(0, Policy::SourceBrownout, 5 * MS).unwrap();
    let grant = scheduler.pick(5 * MS).unwrap();
    scheduler.set_runnable(Entity::Paging(0), true, 5 * MS);
    assert!(scheduler.over_run(&grant, u64::MAX));
    scheduler.charge(&grant, MS, 6 * MS);
    scheduler.set_policy(0, Policy::SourceBlackout, 6 * MS).unwrap();
    scheduler.set_runnable(Entity::Vf(1), true, 6 * MS);
    let mut now = 6 * MS;
    let paging = (0..10).map(|_| turn(&mut scheduler, &mut now, MS)).find(|g| g.entity == Entity::Paging(0));
    assert!(!scheduler.over_run(&paging.unwrap(), u64::MAX));
}

/// What it reserves for the packets it is known to have does not make an engine more patient with it.
#[test]
fn a_vf_that_was_reset_is_reset_as_soon_the_next_time() {
    let mut sim = Sim::new(scheduler(2));
    let impatient = VfParameters { preempt_timeout_us: 1000, ..Default::default() };
    sim.scheduler.set_parameters(0, impatient, 0).unwrap();
    sim.add(Flow::new(Entity::Vf(0), Demand::Saturated, Length::Fixed(40 * MS), 1));
    sim.add(Flow::new(Entity::Vf(1), Demand::Saturated, Length::Fixed(MS), 2));
    let trace = sim.run(1_000 * MS);
    let stubborn: Vec<u64> = trace.iter().filter(|p| p.entity == Entity::Vf(0)).map(|p| p.ticks).collect();
    assert!(stubborn.len() > 50 && stubborn.iter().all(|ticks| *ticks == 5 * MS + 1), "{stubborn:?}");
    let neighbour: u64 = trace.iter().filter(|p| p.entity == Entity::Vf(1)).map(|p| p.ticks).sum();
    assert!(neighbour >= 490 * MS, "{neighbour}");
}

#[test]
fn neither_sleep_nor_reset_sheds_what_a_vf_owes() {
    for reset in [false, true] {
        let mut scheduler = scheduler(2);
        scheduler.set_runnable(Entity::Vf(0), true, 0);
        scheduler.set_runnable(Entity::Vf(1), true, 0);
        let mut now = 0;
        // Twenty times its reservation.
        assert_eq!(turn(&mut scheduler, &mut now, 80 * MS).entity, Entity::Vf(0));
        scheduler.set_runnable(Entity::Vf(0), false, now);
        if reset {
            scheduler.reset(0, now).unwrap();
        }
        check(&scheduler);
        scheduler.set_runnable(Entity::Vf(0), true, now);
        let mut given = 0;
        while turn(&mut scheduler, &mut now, MS).entity == Entity::Vf(1) {
            given += MS;
        }
        assert!((80 * MS..=84 * MS).contains(&given), "{given} after reset = {reset}");
    }
}

#[test]
fn a_reset_forgets_the_packet_in_flight_but_not_its_time() {
    let mut scheduler = scheduler(1);
    scheduler.set_runnable(Entity::Vf(0), true, 0);
    let grant = scheduler.pick(0).unwrap();
    scheduler.reset(0, MS).unwrap();
    scheduler.charge(&grant, MS, MS);
    assert_eq!(scheduler.counters(0).unwrap(), Default::default());
    assert_eq!(scheduler.totals().busy, MS);
    assert_eq!(scheduler.pick(MS), None);
    scheduler.charge(&grant, MS, MS);
    assert_eq!(scheduler.counters(0).unwrap(), Default::default(), "a grant is charged once");
    check(&scheduler);
}

#[test]
fn a_ceiling_holds_in_every_window() {
    let mut sim = Sim::new(scheduler(3));
    for vf in 0..3 {
        sim.add(Flow::new(Entity::Vf(vf), Demand::Saturated, Length::Uniform(MS, 3 * MS), u64::from(vf)));
    }
    sim.at(0, Change::Max(0, 200_000));
    sim.at(2_000 * MS, Change::Demand(1, Demand::Silent));
    sim.at(4_000 * MS, Change::Demand(2, Demand::Silent));
    let mut ends = vec![(0, 0)];
    while sim.step(6_000 * MS) != Step::Done {
        ends.push((sim.now, sim.scheduler.counters(0).unwrap().busy));
    }
    for (place, &(start, before)) in ends.iter().enumerate().step_by(7) {
        for &(end, after) in &ends[place..] {
            // A request of 4 ms unused before, and a packet.
            let most = (end - start) / 5 + 4 * MS + 3 * MS;
            assert!(after - before <= most, "{} in {}", after - before, end - start);
        }
    }
    let share = ends.last().unwrap().1 as f64 / 6e9;
    assert!((0.195..0.205).contains(&share), "{share}");
    assert!(sim.idle > 1_500 * MS, "alone, it stays under its ceiling");
}

#[test]
fn a_throttle_slows_the_guest_alone_and_ends_with_the_migration() {
    let mut sim = Sim::new(scheduler(2));
    sim.add(Flow::new(Entity::Vf(0), Demand::Saturated, Length::Fixed(MS), 1));
    sim.add(Flow::new(Entity::Vf(1), Demand::Saturated, Length::Fixed(2 * MS), 2));
    let mut shares = Vec::new();
    for (until, change) in [
        (2, Change::Policy(0, Policy::SourceBrownout)),
        (4, Change::Throttle(0, 400)),
        (6, Change::Demand(1, Demand::Silent)),
        (8, Change::Policy(0, Policy::Normal)),
        (10, Change::Demand(1, Demand::Saturated)),
        (12, Change::Throttle(0, 1000)),
    ] {
        let from = sim.scheduler.counters(0).unwrap().busy;
        sim.run(until * 1_000 * MS);
        let took = sim.scheduler.counters(0).unwrap().busy - from;
        shares.push((took as f64 / 2e9 * 100.0).round() / 100.0);
        sim.at(sim.now, change);
    }
    // Before; brownout without paging; throttled; throttled alone: idle time does not refill it; after.
    assert_eq!(shares, [0.5, 0.5, 0.2, 0.2, 1.0, 0.5]);
    assert_eq!(sim.scheduler.throttle(0), Ok(1000));
}

/// What dirties memory is what the guest does, not what it might: a light guest is slowed too.
#[test]
fn a_light_guest_is_slowed_from_what_it_used() {
    let mut sim = Sim::new(scheduler(2));
    let light = sim.add(Flow::new(Entity::Vf(0), Demand::Closed(9 * MS), Length::Fixed(MS), 1));
    sim.run(4_000 * MS);
    sim.at(sim.now, Change::Policy(0, Policy::SourceBrownout));
    sim.at(sim.now, Change::Throttle(0, 500));
    let used = |sim: &Sim| sim.scheduler.counters(0).unwrap().busy;
    let before = used(&sim);
    sim.run(8_000 * MS);
    let slowed = used(&sim) - before;
    assert!(slowed.abs_diff(before / 2) < before / 20, "{slowed} after {before}");

    // Packets far longer than any before do not wait past a guest's patience.
    sim.at(sim.now, Change::Throttle(0, 1));
    sim.at(sim.now, Change::Length(light, Length::Fixed(50 * MS)));
    let trace = sim.run(sim.now + 10_000 * MS);
    assert!(trace.len() >= 17, "{}", trace.len());
}

/// Where the PF does no paging there is nothing to keep from the neighbours.
#[test]
fn an_engine_without_paging_lets_a_migrating_guest_take_what_is_its() {
    for (paging_permille, expected) in [(0, 0.5), (250, 0.1)] {
        let mut sim = Sim::new(scheduler_with(2, Limits { paging_permille, ..Limits::default() }));
        let guest = sim.add(Flow::new(Entity::Vf(0), Demand::Closed(9 * MS), Length::Fixed(MS), 1));
        sim.run(4_000 * MS);
        sim.at(sim.now, Change::Policy(0, Policy::SourceBrownout));
        sim.at(sim.now, Change::Demand(guest, Demand::Saturated));
        sim.add(Flow::new(Entity::Vf(1), Demand::Saturated, Length::Fixed(MS), 2));
        let before = sim.scheduler.counters(0).unwrap().busy;
        sim.run(8_000 * MS);
        let share = (sim.scheduler.counters(0).unwrap().busy - before) as f64 / 4e9;
        assert!((share - expected).abs() < 0.02, "{share} with {paging_permille}");
    }
}

#[test]
fn a_guest_that_was_idle_still_moves_in_a_brownout() {
    let mut sim = Sim::new(scheduler(64));
    let idle = sim.add(Flow::new(Entity::Vf(0), Demand::Silent, Length::Fixed(MS), 0));
    for vf in 1..64 {
        sim.add(Flow::new(Entity::Vf(vf), Demand::Saturated, Length::Fixed(MS), u64::from(vf)));
    }
    sim.add(Flow::new(Entity::Paging(0), Demand::Saturated, Length::Fixed(250_000), 99));
    sim.at(2_000 * MS, Change::Policy(0, Policy::SourceBrownout));
    sim.at(3_000 * MS, Change::Demand(idle, Demand::Saturated));
    sim.run(10_000 * MS);
    let counters = sim.scheduler.counters(0).unwrap();
    assert!(counters.worst_wait < 1_000 * MS, "{counters:?}");
}

#[test]
fn a_change_of_weight_keeps_the_lag() {
    let mut scheduler = scheduler(3);
    for vf in 0..3 {
        scheduler.set_runnable(Entity::Vf(vf), true, 0);
    }
    let mut now = 0;
    for ticks in [3, 9, 1, 7, 12] {
        turn(&mut scheduler, &mut now, ticks * MS);
    }
    let lags = |scheduler: &Scheduler| [0, 1, 2].map(|vf| scheduler.lag(vf).unwrap());
    let (before, time) = (lags(&scheduler), scheduler.virtual_time());
    scheduler.set_parameters(1, VfParameters { weight: 3000, ..Default::default() }, now).unwrap();
    assert_eq!(scheduler.virtual_time(), time);
    for (was, is) in before.into_iter().zip(lags(&scheduler)) {
        assert!((was - is).abs() < 8, "{was} {is}");
    }
    check(&scheduler);
}

#[test]
fn a_removed_vf_leaves_a_slot_as_new() {
    let mut scheduler = scheduler(2);
    scheduler.set_parameters(0, VfParameters { weight: 5000, ..Default::default() }, 0).unwrap();
    scheduler.set_max(0, 100_000, 0).unwrap();
    scheduler.set_policy(0, Policy::Target, 0).unwrap();
    scheduler.set_runnable(Entity::Vf(0), true, 0);
    scheduler.remove(0, MS).unwrap();
    assert_eq!(scheduler.parameters(0), Ok(VfParameters::default()));
    assert_eq!(scheduler.policy(0), Ok(Policy::Normal));
    assert_eq!(scheduler.next_allowed(MS), None);
    assert_eq!(scheduler.pick(MS), None);
    check(&scheduler);
}

#[test]
fn paging_that_had_nothing_to_do_saves_no_credit_against_its_guest() {
    let mut scheduler = scheduler(1);
    scheduler.set_policy(0, Policy::SourceBrownout, 0).unwrap();
    scheduler.set_runnable(Entity::Vf(0), true, 0);
    let mut now = 0;
    for _ in 0..1000 {
        turn(&mut scheduler, &mut now, MS);
    }
    scheduler.set_runnable(Entity::Paging(0), true, now);
    let order: Vec<Entity> = (0..40).map(|_| turn(&mut scheduler, &mut now, 250_000).entity).collect();
    let paged = order.iter().filter(|entity| **entity == Entity::Paging(0)).count();
    // A quarter, and one chunk against the packet that ran when it came.
    assert!((10..=11).contains(&paged), "{paged}");
}
