//! Ceilings on engine time, and the estimate of what a VF used that one of them needs.

/// The whole engine, as a fraction: rates are in 2^-20 of it.
pub(super) const WHOLE: u64 = 1 << 20;

/// A ceiling on the rate of engine time: after x ticks it stays shut for `x / rate`, less the time unused before.
/// That is remembered as far as it is worth `burst` ticks, so that a node does not lose to its ceiling what it
/// spends waiting for its turn. In any window of T it passes at most `rate·T + burst` and a packet; more only where
/// a packet so long that it would stay shut for longer than `patience` is followed by another after that time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cap {
    /// Fraction of the engine; 0 = no ceiling.
    rate: u64,
    /// When it opens.
    allow: u64,
}

impl Cap {
    /// A ceiling of so many millionths; none at all of them.
    pub(super) fn part(ppm: u32) -> Self {
        let mut cap = Self::default();
        cap.set(u64::from(ppm) * WHOLE / 1_000_000);
        cap
    }

    /// Sets the ceiling; none at `WHOLE` or above. A debt to a ceiling that stays is kept.
    pub(super) fn set(&mut self, rate: u64) {
        if rate >= WHOLE {
            *self = Self::default();
        } else {
            self.rate = rate.max(1);
        }
    }

    /// The ceiling in millionths, rounded down.
    pub(super) fn ppm(&self) -> u32 {
        if self.rate == 0 { 1_000_000 } else { (self.rate * 1_000_000 / WHOLE) as u32 }
    }

    /// When it opens; 0 without a ceiling.
    pub(super) fn allow(&self) -> u64 {
        self.allow
    }

    /// Accounts `ticks` that ended at `now`; however many, it opens again within `patience`.
    pub(super) fn charge(&mut self, ticks: u64, now: u64, burst: u64, patience: u64) {
        let at_rate = |ticks: u64| (ticks * WHOLE).checked_div(self.rate);
        if let (Some(pause), Some(credit)) = (at_rate(ticks), at_rate(burst)) {
            let opens = self.allow.max(now.saturating_sub(credit)).saturating_add(pause);
            self.allow = opens.min(now.saturating_add(patience));
        }
    }
}

/// For [`Cap::charge`]: it may stay shut as long as it takes.
pub(super) const FOREVER: u64 = u64::MAX;

/// Length of a sample of the usage estimate: 134 ms.
const SAMPLE: u64 = 1 << 27;

/// Samples averaged; the estimate follows a change within about this many.
const MEMORY: u64 = 8;

/// Decayed mean of the fraction of the engine that a VF used. Frozen during a migration, so that what the
/// migration takes away is not mistaken for a guest that wants less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    rate: u64,
    samples: u64,
    began: u64,
    taken: u64,
}

impl Usage {
    /// An estimate without history, from `now` on.
    pub(super) fn since(now: u64) -> Self {
        Self { began: now, ..Self::default() }
    }

    /// Accounts `ticks` that ended at `now`.
    pub(super) fn charge(&mut self, ticks: u64, now: u64) {
        self.taken += ticks;
        if now.saturating_sub(self.began) >= SAMPLE {
            self.roll(now);
        }
    }

    /// Closes the open sample.
    fn roll(&mut self, now: u64) {
        let span = now.saturating_sub(self.began);
        if span == 0 {
            return;
        }
        // A span of k lengths counts as k samples of the same rate; after MEMORY of them nothing else is left.
        let lengths = (span / SAMPLE).max(1);
        let sample = (u128::from(self.taken.min(span)) * u128::from(WHOLE) / u128::from(span)) as u64;
        self.samples = (self.samples + lengths).min(MEMORY);
        let fresh = lengths.min(self.samples);
        self.rate = (self.rate * (self.samples - fresh) + sample * fresh) / self.samples;
        self.began = now;
        self.taken = 0;
    }

    /// The estimate at `now`; none before a first whole sample.
    pub(super) fn estimate(&mut self, now: u64) -> Option<u64> {
        if now.saturating_sub(self.began) >= SAMPLE {
            self.roll(now);
        }
        (self.samples > 0).then_some(self.rate)
    }

    /// Starts a new sample at `now`, keeping the history.
    pub(super) fn resume(&mut self, now: u64) {
        self.began = now;
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_holds_its_rate_and_forgives_a_burst() {
        let mut cap = Cap::default();
        cap.charge(1000, 5000, 0, FOREVER);
        assert_eq!(cap.allow(), 0, "no ceiling");
        cap.set(WHOLE / 4);
        cap.charge(1000, 5000, 250, FOREVER);
        assert_eq!(cap.allow(), 8000);
        cap.charge(1000, 9000, 250, FOREVER);
        assert_eq!(cap.allow(), 12_000);
        cap.charge(100_000, 20_000, 250, 3000);
        assert_eq!(cap.allow(), 23_000, "nobody waits longer than patience");
        cap.set(WHOLE);
        assert_eq!(cap.allow(), 0);
    }

    #[test]
    fn usage_needs_a_sample_and_then_follows() {
        let mut usage = Usage::since(0);
        usage.charge(1000, SAMPLE - 1);
        assert_eq!(usage.estimate(SAMPLE - 1), None);
        let mut usage = Usage::since(0);
        for step in 1..=32u64 {
            usage.charge(SAMPLE / 8, step * SAMPLE / 4);
        }
        let half = usage.estimate(8 * SAMPLE).unwrap();
        assert!(half.abs_diff(WHOLE / 2) < WHOLE / 100, "{half}");
        let none = usage.estimate(20 * SAMPLE).unwrap();
        assert_eq!(none, 0, "a long silence forgets");
    }
}
