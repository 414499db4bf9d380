//! How long a wait may go on: patience that a busy machine does not use up.
//!
//! A deadline by the clock passes too while nobody lets the thread run that is waited for, and on a machine with much
//! to do that may be long. So patience is counted in naps of who waits. A nap counts for the length it was meant to
//! have, however late it ends: while all threads stand still, so does the count, and a thread that could run has had
//! its turn among so many naps. And patience begins anew with every sign of progress, so that it measures how long
//! nothing happened, not how long a work takes.

/// Naps until patience is over, at least.
const NAPS: u64 = 100;
/// The longest nap, in nanoseconds.
const LONGEST_NS: u64 = 100_000_000;

/// The patience of one who waits.
pub struct Patience {
    nap_ns: u64,
    naps: u64,
    left: u64,
    seen: Option<u64>,
}

impl Patience {
    /// Patience for `ns` nanoseconds without progress, of a machine that lets everybody run.
    pub fn new(ns: u64) -> Self {
        Self::of(ns, (ns / NAPS).clamp(1, LONGEST_NS))
    }

    /// The same in naps of `nap_ns`, for what nobody wakes a waiter for.
    pub fn of(ns: u64, nap_ns: u64) -> Self {
        let naps = ns.div_ceil(nap_ns);
        Self { nap_ns, naps, left: naps, seen: None }
    }

    /// The length of the next nap in nanoseconds; none when patience is over. `progress` is any number that changes
    /// when what is waited for makes some.
    pub fn nap(&mut self, progress: u64) -> Option<u64> {
        if self.seen.replace(progress) != Some(progress) {
            self.left = self.naps;
        }
        self.left = self.left.checked_sub(1)?;
        Some(self.nap_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Naps until patience for `ns` is over, with a progress after each of the first few.
    fn naps(ns: u64, progress: u64) -> (u64, u64) {
        let (mut patience, mut naps, mut length) = (Patience::new(ns), 0, 0);
        while let Some(nap) = patience.nap(naps.min(progress)) {
            (naps, length) = (naps + 1, nap);
        }
        (naps, length)
    }

    #[test]
    fn it_lasts_for_its_time_from_the_last_progress_on() {
        assert_eq!(naps(50_000_000, 0), (100, 500_000));
        assert_eq!(naps(120_000_000_000, 0), (1200, LONGEST_NS));
        assert_eq!(naps(50_000_000, 7), (107, 500_000));
        assert_eq!(naps(7, 0), (7, 1));
        assert_eq!(naps(0, 0), (0, 0));
    }
}
