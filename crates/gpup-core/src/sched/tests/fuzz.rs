//! Random calls in any order, near the wrap of virtual time: nothing breaks and V never goes back.

use proptest::prelude::*;

use super::{MS, check, scheduler_with};
use crate::sched::heap::before;
use crate::sched::{Entity, Grant, Limits, Policy, Priority, Scheduler, VfParameters};

const VFS: u32 = 5;

#[derive(Clone, Debug)]
enum Call {
    Runnable(Entity, bool),
    Pick,
    Charge(u64),
    ChargeStale(u64),
    Parameters(u32, VfParameters),
    Max(u32, u32),
    Policy(u32, Policy),
    Throttle(u32, u32),
    Reset(u32),
    Remove(u32),
    Wait(u64),
}

fn call() -> impl Strategy<Value = Call> {
    let vf = 0..VFS;
    let entity = prop_oneof![
        1 => Just(Entity::Pf),
        4 => vf.clone().prop_map(Entity::Vf),
        4 => vf.clone().prop_map(Entity::Paging),
    ];
    let policy = prop_oneof![
        Just(Policy::Normal),
        Just(Policy::SourceBrownout),
        Just(Policy::SourceBlackout),
        Just(Policy::Target),
    ];
    let weight = prop_oneof![1u32..20, 500u32..2000, Just(u32::MAX)];
    let parameters = (1u32..20_000, weight, any::<bool>()).prop_map(|(quantum_us, weight, slot)| {
        let priority = if slot { Priority::Normal } else { Priority::Low };
        VfParameters { quantum_us, weight, priority, ..Default::default() }
    });
    prop_oneof![
        8 => (entity, any::<bool>()).prop_map(|(entity, on)| Call::Runnable(entity, on)),
        12 => Just(Call::Pick),
        12 => (0u64..30 * MS).prop_map(Call::Charge),
        1 => (0u64..u64::MAX).prop_map(Call::Charge),
        1 => (0u64..30 * MS).prop_map(Call::ChargeStale),
        2 => (vf.clone(), parameters).prop_map(|(vf, parameters)| Call::Parameters(vf, parameters)),
        1 => (vf.clone(), 1u32..=1_000_000).prop_map(|(vf, max)| Call::Max(vf, max)),
        3 => (vf.clone(), policy).prop_map(|(vf, policy)| Call::Policy(vf, policy)),
        1 => (vf.clone(), 1u32..=1000).prop_map(|(vf, permille)| Call::Throttle(vf, permille)),
        1 => vf.clone().prop_map(Call::Reset),
        1 => vf.prop_map(Call::Remove),
        2 => (0u64..50 * MS).prop_map(Call::Wait),
    ]
}

/// One call at `now`, which it may move; what it grants is kept in `grant`, the one before in `stale`.
fn apply(scheduler: &mut Scheduler, call: Call, now: &mut u64, grants: &mut (Option<Grant>, Option<Grant>)) {
    let (grant, stale) = grants;
    match call {
        Call::Runnable(entity, on) => scheduler.set_runnable(entity, on, *now),
        Call::Pick => {
            *stale = grant.take().or(*stale);
            *grant = scheduler.pick(*now);
            assert!(grant.is_some() || scheduler.runnable == 0, "work waits and nothing runs");
            assert!(grant.is_none_or(|grant| grant.cap > 0), "a grant of nothing");
        }
        Call::Charge(ticks) => {
            if let Some(grant) = grant.take() {
                *now = now.saturating_add(ticks % (1 << 50));
                scheduler.charge(&grant, ticks, *now);
                *stale = Some(grant);
            }
        }
        Call::ChargeStale(ticks) => {
            if let Some(stale) = stale {
                scheduler.charge(stale, ticks, *now);
            }
        }
        Call::Parameters(vf, parameters) => scheduler.set_parameters(vf, parameters, *now).unwrap(),
        Call::Max(vf, max) => scheduler.set_max(vf, max, *now).unwrap(),
        Call::Policy(vf, policy) => scheduler.set_policy(vf, policy, *now).unwrap(),
        Call::Throttle(vf, permille) => drop(scheduler.set_throttle(vf, permille, *now)),
        Call::Reset(vf) => scheduler.reset(vf, *now).unwrap(),
        Call::Remove(vf) => scheduler.remove(vf, *now).unwrap(),
        Call::Wait(ticks) => *now += ticks,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_calls_keep_the_books(
        calls in prop::collection::vec(call(), 1..300),
        paging_ppm in prop_oneof![Just(1_000_000), 1u32..1_000_000],
    ) {
        let mut scheduler = scheduler_with(VFS, Limits { paging_ppm, ..Limits::default() });
        scheduler.clock.start_at(u64::MAX - 20 * MS);
        let (mut now, mut grants) = (0, (None, None));
        for call in calls {
            let time = scheduler.virtual_time();
            apply(&mut scheduler, call, &mut now, &mut grants);
            prop_assert!(!before(scheduler.virtual_time(), time), "virtual time went back");
            check(&scheduler);
        }
    }
}
