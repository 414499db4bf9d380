//! When an engine hangs, and how long those wait who wait for it.
//!
//! A packet is a bounded piece of work, about a millisecond of an engine's, or it hangs; and the engine that runs one
//! that hangs knows. So the engine itself starts the clock, which measures hangs and nothing else. An engine whose
//! thread the operating system does not run stands still too, but it does not hang: nobody takes it for unresponsive,
//! gives up waiting for it or cuts its packet, however busy the machine below is.
//!
//! What every packet does in the end when it is told to end, also one that hangs, is waited for as long as the operating
//! system has patience: [`Os::patience_ns`](crate::os::Os::patience_ns). After that it is a defect of this device.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::os::now;

/// A packet that hung for so long is noticed, in nanoseconds.
pub(super) const HANG_NS: u64 = 2_000_000_000;

/// Looks of the engine after which it has certainly seen what was asked of it before the first of them.
const LOOKS: u64 = 2;

/// Whether the packet that an engine runs hangs.
#[derive(Default)]
pub(super) struct Hang {
    /// Since when, by the system's clock; 0 while none does.
    since: AtomicU64,
    /// How often the engine has looked whether a packet that hangs must end.
    looks: AtomicU64,
}

impl Hang {
    /// The packet hangs from now on. For the engine.
    pub(super) fn begin(&self) {
        self.since.store(now().max(1), Ordering::Release);
    }

    /// It need not end yet. For the engine.
    pub(super) fn look(&self) {
        self.looks.fetch_add(1, Ordering::AcqRel);
    }

    /// The packet has ended, whether it hung or not. For the engine.
    pub(super) fn end(&self) {
        self.since.store(0, Ordering::Release);
    }

    /// Whether a packet hangs.
    #[cfg(test)]
    pub(super) fn has_begun(&self) -> bool {
        self.since.load(Ordering::Acquire) != 0
    }

    /// Whether a packet hangs, and has for a while.
    pub(super) fn is_noticed(&self) -> bool {
        self.lasts(0, now())
    }

    /// Whether a packet has hung for a while by `now`, not counting what was before `begun`.
    fn lasts(&self, begun: u64, now: u64) -> bool {
        match self.since.load(Ordering::Acquire) {
            0 => false,
            since => now.saturating_sub(since.max(begun)) >= HANG_NS,
        }
    }
}

/// Somebody who waits for a packet that may hang, and may not be cut.
pub(super) struct Patience {
    begun: u64,
    /// The engine's looks when the packet had hung for too long.
    late: Option<u64>,
}

impl Patience {
    /// Begins to wait.
    pub(super) fn new() -> Self {
        Self { begun: now(), late: None }
    }

    /// Whether it ends: the packet has hung for a while under the eyes of who waits, and the engine, which cuts it at
    /// its preemption timeout, has looked at it once more and let it be.
    pub(super) fn is_over(&mut self, hang: &Hang) -> bool {
        self.is_over_by(hang, now())
    }

    fn is_over_by(&mut self, hang: &Hang, now: u64) -> bool {
        if !hang.lasts(self.begun, now) {
            self.late = None;
            return false;
        }
        let looks = hang.looks.load(Ordering::Acquire);
        looks.wrapping_sub(*self.late.get_or_insert(looks)) >= LOOKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hung_since(since: u64) -> Hang {
        Hang { since: AtomicU64::new(since), ..Hang::default() }
    }

    #[test]
    fn only_a_hang_grows_old() {
        assert!(!Hang::default().lasts(0, u64::MAX), "an engine that nobody lets run does not hang");
        assert!(!hung_since(5).lasts(0, 4 + HANG_NS));
        assert!(hung_since(5).lasts(0, 5 + HANG_NS));
        assert!(!hung_since(5).lasts(6, 5 + HANG_NS), "it was not waited for when it began");
    }

    #[test]
    fn who_waits_gives_up_when_the_engine_has_looked_again() {
        let (hang, late) = (hung_since(5), 20 + HANG_NS);
        let mut patience = Patience { begun: 20, late: None };
        hang.look();
        assert!(!patience.is_over_by(&hang, late - 1));
        for looks in 0..LOOKS {
            assert!(!patience.is_over_by(&hang, late), "after {looks} looks");
            hang.look();
        }
        assert!(patience.is_over_by(&hang, late));
        hang.end();
        assert!(!patience.is_over_by(&hang, late), "the packet has ended after all");
    }
}
