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
    /// How much of that the streams waited for the wire and for the bandwidth limit, on the average.
    pub wire_seconds: f64,
}

/// The limits of a migration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Longest pause aimed at, in seconds.
    pub pause: f64,
    /// How much longer a pause may become before the guest resumes on the source, in seconds.
    pub grace: f64,
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
    /// Give up: not even a guest that writes nothing could be moved within the pause limit.
    Hopeless,
}

/// The shortest pause there is, in seconds: states are saved, sent and restored, whatever the guest does.
pub const LEAST_PAUSE: f64 = 0.002;
/// Words that are waited for within a pause: pages applied, ready, running.
const ROUND_TRIPS: f64 = 3.0;
/// One slow answer may be a busy machine's; so many are the wire's.
const ENOUGH_ANSWERS: u32 = 3;
/// An iteration tells of rates when it moved as many pages, or as many bytes: a shorter one measures the round trip.
pub(crate) const TELLING_PAGES: u64 = 256;
const TELLING_BYTES: u64 = 1_000_000;

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

/// What moving pages costs, as the iterations so far have shown.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// Seconds for a page, of the mix of pages that the last telling iteration had.
    page: f64,
    /// Bytes a second over the wire; 0 while no telling number of bytes went over it.
    wire: f64,
    /// Bytes on the wire of a page that is not zero, packed or not.
    sent: f64,
    /// The part of pages that are not zero among those written while the guest runs: all, until seen otherwise.
    dense: f64,
}

impl Cost {
    /// Seconds that `pages` pages take: the slower of all that is done for each and of the bytes on the wire.
    fn of(&self, pages: u64) -> f64 {
        let pages = pages as f64;
        let wire = if self.wire > 0.0 { pages * self.dense * self.sent / self.wire } else { 0.0 };
        wire.max(pages * self.page)
    }
}

/// Follows the iterations of one migration.
#[derive(Clone, Debug)]
pub struct Convergence {
    limits: Limits,
    page_bytes: u64,
    cost: Option<Cost>,
    iterations: u32,
    /// The shortest time an answer took, and how many there were.
    round_trip: Option<f64>,
    answers: u32,
    last_remaining: Option<u64>,
    stalls: u32,
    speed: u32,
    /// When the guest's speed was last looked at, and what it has lost to it up to then, in seconds.
    looked: f64,
    lost: f64,
}

impl Convergence {
    /// Of a VF whose pages have `page_bytes`.
    pub fn new(limits: Limits, page_bytes: u64) -> Self {
        Self {
            limits,
            page_bytes,
            cost: None,
            iterations: 0,
            round_trip: None,
            answers: 0,
            last_remaining: None,
            stalls: 0,
            speed: FULL_SPEED,
            looked: 0.0,
            lost: 0.0,
        }
    }

    /// Takes in what an iteration measured.
    pub fn measured(&mut self, iteration: &Iteration) {
        let first = self.iterations == 0;
        self.iterations += 1;
        let Iteration { pages, zero_pages, bytes, seconds, wire_seconds } = *iteration;
        if pages == 0 || seconds <= 0.0 {
            return;
        }
        let known = self.cost;
        let mut cost =
            known.unwrap_or(Cost { page: 0.0, wire: 0.0, sent: self.page_bytes as f64, dense: 1.0 });
        if known.is_none() || pages >= TELLING_PAGES {
            cost.page = seconds / pages as f64;
        }
        if bytes >= TELLING_BYTES && wire_seconds > 0.0 {
            cost.wire = bytes as f64 / wire_seconds;
        }
        if pages > zero_pages {
            cost.sent = bytes as f64 / (pages - zero_pages) as f64;
        }
        // The first iteration has what was written in all of the guest's life, not what it writes now.
        if !first {
            cost.dense = (pages - zero_pages) as f64 / pages as f64;
        }
        self.cost = Some(cost);
    }

    /// Takes in how long the target took to answer when it had next to nothing to do.
    pub fn answered(&mut self, seconds: f64) {
        self.answers += 1;
        self.round_trip = Some(self.round_trip.map_or(seconds, |least| least.min(seconds)));
    }

    /// Seconds of a pause in which no page is left to move.
    pub fn fixed(&self) -> f64 {
        LEAST_PAUSE + ROUND_TRIPS * self.round_trip.unwrap_or(0.0)
    }

    /// Expected pause if the VM stopped with `remaining` pages still to move, in seconds; infinite while nothing is
    /// known.
    pub fn estimate(&self, remaining: u64) -> f64 {
        match (remaining, &self.cost) {
            (0, _) => self.fixed(),
            (_, None) => f64::INFINITY,
            (pages, Some(cost)) => self.fixed() + cost.of(pages),
        }
    }

    /// What to do with `remaining` pages dirty, `elapsed` seconds into the brownout.
    pub fn decide(&mut self, remaining: u64, elapsed: f64) -> Decision {
        self.lost += (elapsed - self.looked) * (1.0 - f64::from(self.speed) / f64::from(FULL_SPEED));
        self.looked = elapsed;
        if remaining == 0 || self.estimate(remaining) <= self.limits.pause {
            return Decision::Switchover;
        }
        let known = self.answers >= ENOUGH_ANSWERS;
        if known && self.fixed() > self.limits.pause && self.limits.on_timeout != OnTimeout::Switchover {
            return Decision::Hopeless;
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

    const PAGE: u64 = 4096;

    fn limits(on_timeout: OnTimeout) -> Limits {
        Limits { pause: 0.1, grace: 1.0, time: 10.0, on_timeout }
    }

    fn pages(mib: u64) -> u64 {
        (mib << 20) / PAGE
    }

    /// So many pages that are sent and zero ones in a second; the wire takes all of it.
    fn iteration(sent: u64, zero_pages: u64) -> Iteration {
        let bytes = sent * PAGE;
        Iteration { pages: sent + zero_pages, zero_pages, bytes, seconds: 1.0, wire_seconds: 1.0 }
    }

    /// A GiB a second.
    fn convergence(on_timeout: OnTimeout) -> Convergence {
        let mut it = Convergence::new(limits(on_timeout), PAGE);
        it.measured(&iteration(pages(1024), 0));
        it
    }

    #[test]
    fn nothing_known_means_no_promise() {
        let mut it = Convergence::new(limits(OnTimeout::Cancel), PAGE);
        assert_eq!(it.estimate(1), f64::INFINITY);
        assert_eq!(it.estimate(0), LEAST_PAUSE);
        assert_eq!(it.decide(0, 0.0), Decision::Switchover);
    }

    #[test]
    fn zero_pages_do_not_count_as_if_they_were_sent() {
        // A slow wire: 16 MiB in the second in which 1008 MiB of zeroes were passed over.
        let mut it = Convergence::new(limits(OnTimeout::Cancel), PAGE);
        it.measured(&iteration(pages(16), pages(1008)));
        let estimate = it.estimate(pages(16));
        assert!((1.0..1.01).contains(&estimate), "{estimate}");
        // What the guest writes turns out to be half zero.
        it.measured(&iteration(pages(16), pages(16)));
        let estimate = it.estimate(pages(16));
        assert!((0.5..0.51).contains(&estimate), "{estimate}");
    }

    #[test]
    fn packed_pages_count_as_what_they_are_packed_to() {
        // A quarter of each page goes over a wire that takes 64 MiB a second.
        let mut it = Convergence::new(limits(OnTimeout::Cancel), PAGE);
        let packed = Iteration { bytes: 64 << 20, ..iteration(pages(256), 0) };
        it.measured(&packed);
        let estimate = it.estimate(pages(64));
        assert!((0.25..0.26).contains(&estimate), "{estimate}");
        // The next ones cannot be packed.
        it.measured(&iteration(pages(64), 0));
        let estimate = it.estimate(pages(64));
        assert!((1.0..1.01).contains(&estimate), "{estimate}");
    }

    #[test]
    fn a_short_iteration_does_not_tell_of_rates() {
        let mut it = convergence(OnTimeout::Cancel);
        let before = it.estimate(pages(64));
        it.measured(&iteration(3, 0));
        assert!((it.estimate(pages(64)) - before).abs() < 1e-3);
    }

    #[test]
    fn it_switches_over_when_the_estimate_fits_and_not_before() {
        let mut it = convergence(OnTimeout::Cancel);
        assert_eq!(it.decide(pages(200), 1.0), Decision::Iterate);
        assert_eq!(it.decide(pages(50), 1.0), Decision::Switchover);
    }

    #[test]
    fn a_limit_that_round_trips_alone_exceed_is_hopeless_unless_nothing_is_left() {
        for (policy, decision) in [
            (OnTimeout::Cancel, Decision::Hopeless),
            (OnTimeout::Throttle, Decision::Hopeless),
            (OnTimeout::Switchover, Decision::Iterate),
        ] {
            let mut it = convergence(policy);
            it.answered(0.2);
            it.answered(0.06);
            assert_eq!(it.decide(1, 1.0), Decision::Iterate, "too early to tell");
            it.answered(0.05);
            assert!((it.fixed() - (LEAST_PAUSE + 0.15)).abs() < 1e-9);
            assert_eq!(it.decide(1, 1.0), decision);
            assert_eq!(it.decide(0, 1.0), Decision::Switchover);
        }
    }

    #[test]
    fn out_of_time_the_policy_decides() {
        for (policy, decision) in [
            (OnTimeout::Cancel, Decision::Cancel),
            (OnTimeout::Switchover, Decision::Switchover),
            (OnTimeout::Throttle, Decision::Cancel),
        ] {
            assert_eq!(convergence(policy).decide(pages(1024), 10.0), decision);
        }
    }

    #[test]
    fn a_stalled_guest_is_slowed_in_steps_down_to_the_floor() {
        let mut it = convergence(OnTimeout::Throttle);
        let all = pages(1024);
        assert_eq!(it.decide(all, 1.0), Decision::Iterate);
        assert_eq!(it.decide(all, 2.0), Decision::Throttle(500));
        assert_eq!(it.decide(all, 3.0), Decision::Throttle(FLOOR));
        assert_eq!(it.decide(all, 4.0), Decision::Iterate);
        // A second at half speed and one at a third.
        assert!((it.lost() - (0.5 + 0.667)).abs() < 1e-9, "{}", it.lost());
    }

    #[test]
    fn a_stall_ends_the_brownout_where_the_policy_allows() {
        let mut it = convergence(OnTimeout::Switchover);
        let decisions: [Decision; 4] = core::array::from_fn(|at| it.decide(pages(1024), at as f64));
        assert_eq!(
            decisions,
            [Decision::Iterate, Decision::Iterate, Decision::Iterate, Decision::Switchover]
        );
    }
}
