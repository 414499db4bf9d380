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

    #[test]
    fn bytes_cost_time_and_idleness_saves_only_a_little() {
        assert_eq!(due(5_000_000_000, 1_000_000_000, 1_000, 1_000), 6_000_000_000);
        assert_eq!(due(0, 1_000_000_000, 0, 1_000), 1_000_000_000 - BURST_NS);
    }
}
