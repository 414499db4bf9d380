//! Tests that look inside: the book-keeping under random calls, and the rules one by one.

mod fuzz;
mod pace;
mod rules;
mod turns;

use super::node::State;
use super::scheduler::PF;
use super::{Limits, Scheduler};

/// Millisecond.
const MS: u64 = 1_000_000;

/// A scheduler with VFs of the default parameters.
fn scheduler(vfs: u32) -> Scheduler {
    scheduler_with(vfs, Limits::default())
}

/// The same under other limits.
fn scheduler_with(vfs: u32, limits: Limits) -> Scheduler {
    let mut scheduler = Scheduler::new(vfs, limits).unwrap();
    for vf in 0..vfs {
        scheduler.set_parameters(vf, Default::default(), 0).unwrap();
    }
    scheduler
}

/// What must hold between any two calls.
fn check(scheduler: &Scheduler) {
    let mut sum = 0i128;
    let (mut runnable, mut stray, mut weight) = (0, 0, 0);
    for (index, node) in scheduler.nodes.iter().enumerate() {
        let (waiting, eligible) = (scheduler.waiting.contains(index), scheduler.eligible.contains(index));
        let current = scheduler.current == Some(index);
        let ahead = scheduler.clock.ahead(node.v);
        if node.state != State::Absent {
            sum += i128::from(node.weight) * i128::from(ahead);
            weight += u64::from(node.weight);
        }
        match node.state {
            State::Absent => assert!(!waiting && !eligible && !current, "{index} is absent"),
            State::Runnable => {
                runnable += 1;
                assert_eq!(
                    u8::from(waiting) + u8::from(eligible) + u8::from(current),
                    1,
                    "{index} runs once"
                );
            }
            State::Draining => assert!(waiting && !eligible && !current && ahead > 0, "{index} drains"),
        }
        let pages = scheduler.idle.contains(index) || scheduler.paced.contains(index);
        assert_eq!(pages, node.pages(), "{index} in the idle class");
        stray += usize::from(index != PF && node.is_stray());
        if scheduler.in_flight(index) {
            assert_eq!(node.state, State::Runnable, "{index} is in flight");
        } else {
            let wants = scheduler.ready_at(index) != u64::MAX;
            let capped = scheduler.capped.contains(index);
            assert_eq!(wants, capped || node.state == State::Runnable, "{index} is settled");
        }
    }
    assert_eq!(runnable, scheduler.runnable);
    assert_eq!(stray, scheduler.stray);
    // V is the mean: what the members are ahead of it, in sum, is less than a unit each.
    assert!(sum >= 0 && (weight == 0 || sum < i128::from(weight)), "{sum} of {weight}");
    let configured = scheduler.nodes.iter().filter(|node| node.configured);
    assert_eq!(scheduler.configured_weight, configured.map(|node| u64::from(node.weight)).sum::<u64>());
}
