//! When to stop iterating: the decision after each iteration, from what the iterations measured.
//!
//! ```text
//!              estimate <= pause limit
//!   brownout ------------------------------> switch over
//!      |  ^
//!      |  | shrinking, time left
//!      v  |
//!   stalled or out of time ---- policy ----> cancel | switch over anyway | throttle and go on
//! ```

/// What to do when iterations do not converge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTimeout {
    /// Give up: the source keeps the VM.
    Cancel,
    /// Pause the VM all the same.
    Switchover,
    /// Slow the guest's engine work down as soon as iterations stop shrinking; give up when time is over.
    #[default]
    Throttle,
}

/// What one iteration moved.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Iteration {
    /// Pages of VRAM moved, zero ones included.
    pub pages: u64,
    /// Pages of those that were all zero.
    pub zero_pages: u64,
    /// Bytes put on the wire.
    pub bytes: u64,
    /// How long it took, to the target's word that it has applied them.
    pub seconds: f64,
}

/// The limits of a migration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Longest pause aimed at, in seconds.
    pub pause: f64,
    /// Longest brownout, in seconds.
    pub time: f64,
    /// What to do then.
    pub on_timeout: OnTimeout,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Another iteration.
    Iterate,
    /// Another iteration, with the guest slowed to so many thousandths.
    Throttle(u32),
    /// Pause the VM and move the rest.
    Switchover,
    /// Give up.
    Cancel,
}

/// Full speed of the guest's engine work, in thousandths.
pub const FULL_SPEED: u32 = 1000;
/// The slowest a guest is made: packets take three times as long, which Microsoft's article accepts.
pub const FLOOR: u32 = 333;
/// Iterations in a row that fail to shrink before the guest counts as not converging.
const STALLS: u32 = 3;
/// An iteration shrinks when it leaves less than this part of what the one before left.
const SHRINK: f64 = 0.9;
/// Dirty bytes per byte moved that the throttle aims at.
const TARGET_RATIO: f64 = 0.5;

/// Follows the iterations of one migration.
#[derive(Clone, Debug)]
pub struct Convergence {
    limits: Limits,
    overhead: f64,
    rate: f64,
    last_remaining: Option<u64>,
    stalls: u32,
    speed: u32,
    /// When the guest's speed was last looked at, and what it has lost to it up to then, in seconds.
    looked: f64,
    lost: f64,
}

impl Convergence {
    /// `overhead` is the part of the pause that does not depend on pages, in seconds.
    pub fn new(limits: Limits, overhead: f64) -> Self {
        Self {
            limits,
            overhead,
            rate: 0.0,
            last_remaining: None,
            stalls: 0,
            speed: FULL_SPEED,
            looked: 0.0,
            lost: 0.0,
        }
    }

    /// Takes in what an iteration of `page_bytes`-sized pages measured.
    pub fn measured(&mut self, iteration: &Iteration, page_bytes: u64) {
        let moved = (iteration.pages * page_bytes) as f64;
        // Short iterations measure the round trip, not the rate.
        if iteration.seconds > 0.0 && (self.rate == 0.0 || moved >= 1e6) {
            self.rate = moved / iteration.seconds;
        }
    }

    /// Bytes a second that the last iteration of size moved; 0 before the first.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Expected pause if the VM stopped with `remaining` bytes still to move; infinite while nothing is known.
    pub fn estimate(&self, remaining: u64) -> f64 {
        if remaining == 0 {
            return self.overhead;
        }
        if self.rate == 0.0 { f64::INFINITY } else { self.overhead + remaining as f64 / self.rate }
    }

    /// What to do with `remaining` bytes dirty, `elapsed` seconds into the brownout.
    pub fn decide(&mut self, remaining: u64, elapsed: f64) -> Decision {
        self.lost += (elapsed - self.looked) * (1.0 - f64::from(self.speed) / f64::from(FULL_SPEED));
        self.looked = elapsed;
        if self.estimate(remaining) <= self.limits.pause {
            return Decision::Switchover;
        }
        if elapsed >= self.limits.time {
            return match self.limits.on_timeout {
                OnTimeout::Switchover => Decision::Switchover,
                OnTimeout::Cancel | OnTimeout::Throttle => Decision::Cancel,
            };
        }
        let shrinks = self.last_remaining.is_none_or(|last| (remaining as f64) < last as f64 * SHRINK);
        let ratio = self.last_remaining.map(|last| remaining as f64 / last.max(1) as f64);
        self.last_remaining = Some(remaining);
        self.stalls = if shrinks { 0 } else { self.stalls + 1 };
        match (self.stalls, self.limits.on_timeout, ratio) {
            (1.., OnTimeout::Throttle, Some(ratio)) if self.speed > FLOOR => self.slow_down(ratio),
            (STALLS.., OnTimeout::Switchover, _) => Decision::Switchover,
            _ => Decision::Iterate,
        }
    }

    /// One step towards the speed at which an iteration dirties half of what it moves; at most a half at once.
    fn slow_down(&mut self, ratio: f64) -> Decision {
        let step = (TARGET_RATIO / ratio).clamp(0.5, 1.0);
        let speed = (f64::from(self.speed) * step) as u32;
        self.speed = speed.clamp(FLOOR, FULL_SPEED);
        Decision::Throttle(self.speed)
    }

    /// Thousandths of full speed the guest is left.
    pub fn speed(&self) -> u32 {
        self.speed
    }

    /// What the throttle cost a guest that wanted to work all the time, up to the last decision: seconds at full
    /// speed.
    pub fn lost(&self) -> f64 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convergence(on_timeout: OnTimeout) -> Convergence {
        let mut it = Convergence::new(Limits { pause: 0.1, time: 10.0, on_timeout }, 0.01);
        it.measured(&Iteration { pages: 262_144, zero_pages: 0, bytes: 1 << 30, seconds: 1.0 }, 4096);
        it
    }

    #[test]
    fn nothing_known_means_no_promise() {
        let it = Convergence::new(Limits { pause: 0.1, time: 10.0, on_timeout: OnTimeout::Cancel }, 0.01);
        assert_eq!(it.estimate(1), f64::INFINITY);
        assert_eq!(it.estimate(0), 0.01);
    }

    #[test]
    fn it_switches_over_when_the_estimate_fits_and_not_before() {
        let mut it = convergence(OnTimeout::Cancel);
        assert_eq!(it.decide(200 << 20, 1.0), Decision::Iterate);
        assert_eq!(it.decide(50 << 20, 1.0), Decision::Switchover);
    }

    #[test]
    fn out_of_time_the_policy_decides() {
        for (policy, decision) in [
            (OnTimeout::Cancel, Decision::Cancel),
            (OnTimeout::Switchover, Decision::Switchover),
            (OnTimeout::Throttle, Decision::Cancel),
        ] {
            assert_eq!(convergence(policy).decide(1 << 30, 10.0), decision);
        }
    }

    #[test]
    fn a_stalled_guest_is_slowed_in_steps_down_to_the_floor() {
        let mut it = convergence(OnTimeout::Throttle);
        assert_eq!(it.decide(1 << 30, 1.0), Decision::Iterate);
        assert_eq!(it.decide(1 << 30, 2.0), Decision::Throttle(500));
        assert_eq!(it.decide(1 << 30, 3.0), Decision::Throttle(FLOOR));
        assert_eq!(it.decide(1 << 30, 4.0), Decision::Iterate);
        // A second at half speed and one at a third.
        assert!((it.lost() - (0.5 + 0.667)).abs() < 1e-9, "{}", it.lost());
    }

    #[test]
    fn a_stall_ends_the_brownout_where_the_policy_allows() {
        let mut it = convergence(OnTimeout::Switchover);
        let decisions: [Decision; 4] = core::array::from_fn(|at| it.decide(1 << 30, at as f64));
        assert_eq!(
            decisions,
            [Decision::Iterate, Decision::Iterate, Decision::Iterate, Decision::Switchover]
        );
    }
}
