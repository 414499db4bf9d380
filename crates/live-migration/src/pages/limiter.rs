//! The bandwidth limit of a migration: a bucket of bytes that all streams share.

use dxgksim::host::Mutex;

use crate::wire::channel::LinkError;
use crate::wire::vigil::Vigil;

/// Nanoseconds of bandwidth that may be saved up, so that short waits do not cost rate.
const BURST_NS: u64 = 20_000_000;

/// Slows senders down to a rate.
pub(crate) struct Limiter {
    bytes_per_second: u64,
    /// When the bytes taken so far will have been sent, at the rate.
    free_at: Mutex<u64>,
}

impl Limiter {
    /// Lets `bytes_per_second` through; `None` lets everything through.
    pub(crate) fn new(bytes_per_second: Option<u64>) -> Self {
        Self { bytes_per_second: bytes_per_second.unwrap_or(0), free_at: Mutex::new(0) }
    }

    /// Takes `bytes` out of the bucket and waits for as long as they cost, but not longer than to `stop_at`: whoever
    /// sends no more need not wait.
    pub(crate) fn take(&self, bytes: u64, vigil: &Vigil, stop_at: u64) -> Result<(), LinkError> {
        if self.bytes_per_second == 0 {
            return Ok(());
        }
        let now = vigil.now();
        let wait = {
            let mut free_at = self.free_at.lock();
            *free_at = due(*free_at, now, bytes, self.bytes_per_second);
            (*free_at).min(stop_at).saturating_sub(now)
        };
        vigil.sleep(wait)
    }
}

fn due(free_at: u64, now: u64, bytes: u64, bytes_per_second: u64) -> u64 {
    let cost = u128::from(bytes) * 1_000_000_000 / u128::from(bytes_per_second);
    let start = free_at.max(now.saturating_sub(BURST_NS));
    start.saturating_add(u64::try_from(cost).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testing::vigil;
    use crate::wire::vigil::Clock;
    use core::sync::atomic::Ordering;
    use dxgksim::host::{self, SECOND};

    /// No end to the sending.
    const NEVER: u64 = u64::MAX;

    /// Lets 1,000 bytes a second through.
    fn limiter() -> Limiter {
        host::std_host::install();
        Limiter::new(Some(1_000))
    }

    #[test]
    fn whoever_sends_waits_for_what_it_costs() {
        let (clock, _, vigil) = vigil();
        let limiter = limiter();
        assert_eq!(limiter.take(500, &vigil, NEVER), Ok(()));
        assert_eq!(clock.now(), SECOND / 2);
        // Two streams share the bucket: the second waits for what the first has taken too.
        assert_eq!(limiter.take(1_000, &vigil, NEVER), Ok(()));
        assert_eq!(clock.now(), SECOND * 3 / 2);
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let (clock, cancel, vigil) = vigil();
        let limiter = Limiter::new(None);
        cancel.store(true, Ordering::Relaxed);
        assert_eq!(limiter.take(u64::MAX, &vigil, NEVER), Ok(()));
        assert_eq!(clock.now(), 0);
    }

    #[test]
    fn a_wait_ends_where_no_more_is_sent_and_its_cost_is_still_owed() {
        let (clock, _, vigil) = vigil();
        let limiter = limiter();
        assert_eq!(limiter.take(10_000, &vigil, SECOND), Ok(()));
        assert_eq!(clock.now(), SECOND);
        // That time is over: nobody waits for it again.
        assert_eq!(limiter.take(1_000, &vigil, SECOND), Ok(()));
        assert_eq!(clock.now(), SECOND);
        // Whoever sends on pays for all.
        assert_eq!(limiter.take(0, &vigil, NEVER), Ok(()));
        assert_eq!(clock.now(), 11 * SECOND);
    }

    #[test]
    fn a_request_to_stop_ends_a_wait_and_so_does_a_deadline() {
        let (clock, cancel, vigil) = vigil();
        let limiter = limiter();
        vigil.within(SECOND);
        assert_eq!(limiter.take(10_000, &vigil, NEVER), Err(LinkError::Overdue));
        assert_eq!(clock.now(), SECOND);
        vigil.without_deadline();
        cancel.store(true, Ordering::Relaxed);
        assert_eq!(limiter.take(1, &vigil, NEVER), Err(LinkError::Cancelled));
        assert_eq!(clock.now(), SECOND);
    }

    #[test]
    fn bytes_cost_time_and_idleness_saves_only_a_little() {
        assert_eq!(due(5_000_000_000, 1_000_000_000, 1_000, 1_000), 6_000_000_000);
        assert_eq!(due(0, 1_000_000_000, 0, 1_000), 1_000_000_000 - BURST_NS);
    }
}
