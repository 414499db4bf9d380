//! Virtual time V of an engine: the weighted mean of the virtual times of its members, kept exactly.
//!
//! A member of weight w that takes x ticks moves its own v by `x << SHIFT / w`, and so the mean by
//! `x << SHIFT / Σw`. `time` is the floor of the mean and `excess`, in `0..Σw`, is the remainder. Members join
//! at V and leave at v <= V, so `time` never goes back. O(1) for each change.

/// Fraction bits of virtual time: at the default weight of 1024 a unit is a tick.
pub(super) const SHIFT: u32 = 10;

/// Most ticks charged at once (18 minutes), so that no sum can overflow.
pub(super) const MOST_TICKS: u64 = 1 << 40;

/// The engine's virtual time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct VirtualClock {
    time: u64,
    excess: i64,
    weight: i64,
}

impl VirtualClock {
    /// V, rounded down.
    pub(super) fn time(&self) -> u64 {
        self.time
    }

    /// Lets a clock without members begin elsewhere.
    #[cfg(test)]
    pub(super) fn start_at(&mut self, time: u64) {
        self.time = time;
    }

    /// A member of `weight` comes in at virtual time V.
    pub(super) fn join(&mut self, weight: u32) {
        self.weight += i64::from(weight);
    }

    /// A member of `weight` goes out; its virtual time `v` must not be past V.
    pub(super) fn leave(&mut self, weight: u32, v: u64) {
        self.excess -= i64::from(weight) * self.ahead(v);
        self.weight -= i64::from(weight);
        self.carry();
    }

    /// A member of `weight` moved its virtual time by `step`.
    pub(super) fn serve(&mut self, weight: u32, step: u64) {
        self.excess += i64::from(weight) * step.cast_signed();
        self.carry();
    }

    /// A member at `v` changes its weight and keeps its lag; the answer is its new virtual time.
    pub(super) fn reweigh(&mut self, old: u32, new: u32, v: u64) -> u64 {
        let owed = i64::from(old) * self.ahead(v);
        // Rounded up: V may then move on by a part of a unit, but never back.
        let ahead = owed.div_euclid(i64::from(new)) + i64::from(owed.rem_euclid(i64::from(new)) != 0);
        let moved = self.time.wrapping_add_signed(ahead);
        self.excess += i64::from(new) * ahead - owed;
        self.weight += i64::from(new) - i64::from(old);
        self.carry();
        moved
    }

    /// How far `v` lies past V; negative if V has passed it.
    pub(super) fn ahead(&self, v: u64) -> i64 {
        v.wrapping_sub(self.time).cast_signed()
    }

    /// Moves whole units from `excess` into `time`.
    fn carry(&mut self) {
        if self.weight == 0 {
            self.excess = 0;
        } else if self.excess >= self.weight {
            let step = self.excess / self.weight;
            self.time = self.time.wrapping_add_signed(step);
            self.excess -= step * self.weight;
        }
        debug_assert!(self.excess >= 0, "virtual time went back");
    }
}
