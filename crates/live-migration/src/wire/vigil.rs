//! How long an agent waits: whether somebody wants an end, by when something must be done, and how long the other side
//! may be silent. All connections of a migration share one [`Vigil`], so that what moves on one of them counts for all.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dxgksim::host;

use super::channel::{LinkError, SLICE_NS};

/// The clock that waits and limits go by.
pub trait Clock: Send + Sync {
    /// Monotonic, in nanoseconds.
    fn now(&self) -> u64;
    /// Lets `ns` nanoseconds go by.
    fn sleep(&self, ns: u64);
}

/// The clock of the machine below.
pub struct HostClock;

impl Clock for HostClock {
    fn now(&self) -> u64 {
        host::now()
    }

    fn sleep(&self, ns: u64) {
        host::sleep(ns);
    }
}

/// Time stands still: for what nobody waits for, such as a file.
struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> u64 {
        0
    }

    fn sleep(&self, _ns: u64) {}
}

/// How long a peer that says nothing at all is waited for, in seconds. Whoever is at work says so every second
/// ([`super::framed::Framed::beat`]), so it is no limit on how long anything may take.
pub const SILENCE_S: u64 = 60;

/// No deadline.
const NEVER: u64 = u64::MAX;

/// What ends a wait.
pub struct Vigil {
    clock: Arc<dyn Clock>,
    cancel: Arc<AtomicBool>,
    deadline: AtomicU64,
    silence_s: u64,
    /// When a byte last moved on any connection.
    moved: AtomicU64,
}

impl Vigil {
    /// Waits that whoever sets `cancel` ends.
    pub fn new(clock: Arc<dyn Clock>, cancel: Arc<AtomicBool>, silence_s: u64) -> Arc<Self> {
        let moved = AtomicU64::new(clock.now());
        Arc::new(Self { clock, cancel, deadline: AtomicU64::new(NEVER), silence_s, moved })
    }

    /// Waits on the machine's clock that only silence ends.
    pub fn patient() -> Arc<Self> {
        Self::new(Arc::new(HostClock), Arc::default(), SILENCE_S)
    }

    /// No wait ends: a file has no other side that could be silent.
    pub fn timeless() -> Arc<Self> {
        Self::new(Arc::new(NoClock), Arc::default(), SILENCE_S)
    }

    /// The same for something else that has a time of its own: the clock and the request to stop are shared.
    pub fn apart(&self) -> Arc<Self> {
        Self::new(self.clock.clone(), self.cancel.clone(), self.silence_s)
    }

    /// The same, which nobody can cancel any more: what has been decided is to be told.
    pub fn resolute(&self) -> Arc<Self> {
        Self::new(self.clock.clone(), Arc::default(), self.silence_s)
    }

    /// The clock's reading.
    pub fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Whether somebody wants an end.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// From now on waits end `ns` nanoseconds from now.
    pub fn within(&self, ns: u64) {
        self.until(self.now().saturating_add(ns));
    }

    /// From now on waits end at `deadline` of the clock.
    pub fn until(&self, deadline: u64) {
        self.deadline.store(deadline, Ordering::Relaxed);
    }

    /// From now on no deadline ends a wait.
    pub fn without_deadline(&self) {
        self.until(NEVER);
    }

    /// Nanoseconds until the deadline.
    pub fn left(&self) -> u64 {
        match self.deadline.load(Ordering::Relaxed) {
            NEVER => NEVER,
            deadline => deadline.saturating_sub(self.now()),
        }
    }

    /// Bytes have moved.
    pub(super) fn note_progress(&self) {
        self.moved.store(self.now(), Ordering::Relaxed);
    }

    /// Whether a wait may go on: no if somebody wants an end, or time is over.
    pub fn check(&self) -> Result<(), LinkError> {
        if self.is_cancelled() {
            return Err(LinkError::Cancelled);
        }
        if self.left() == 0 { Err(LinkError::Overdue) } else { Ok(()) }
    }

    /// The same of a wait for the other side that began at `since`: it must not have been silent all that time.
    pub fn check_peer(&self, since: u64) -> Result<(), LinkError> {
        self.check()?;
        let heard = self.moved.load(Ordering::Relaxed).max(since);
        let silent = self.now().saturating_sub(heard) >= self.silence_s.saturating_mul(host::SECOND);
        if silent { Err(LinkError::Silent(self.silence_s)) } else { Ok(()) }
    }

    /// Lets time go by, in slices between which it looks whether the wait may go on.
    pub fn sleep(&self, ns: u64) -> Result<(), LinkError> {
        let until = self.now().saturating_add(ns);
        loop {
            self.check()?;
            match until.saturating_sub(self.now()) {
                0 => return Ok(()),
                left => self.clock.sleep(left.min(SLICE_NS)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testing::vigil;

    #[test]
    fn a_deadline_ends_a_sleep_at_its_time() {
        let (clock, _, vigil) = vigil();
        vigil.within(3 * host::SECOND);
        assert_eq!(vigil.sleep(2 * host::SECOND), Ok(()));
        assert_eq!(vigil.sleep(host::SECOND * 100), Err(LinkError::Overdue));
        assert!((3 * host::SECOND..3 * host::SECOND + SLICE_NS).contains(&clock.now()));
        vigil.without_deadline();
        assert_eq!(vigil.check(), Ok(()));
    }

    #[test]
    fn silence_is_counted_from_the_last_byte_on_any_connection() {
        let (clock, _, vigil) = vigil();
        let since = vigil.now();
        clock.sleep(59 * host::SECOND);
        vigil.note_progress();
        clock.sleep(59 * host::SECOND);
        assert_eq!(vigil.check_peer(since), Ok(()));
        clock.sleep(host::SECOND);
        assert_eq!(vigil.check_peer(since), Err(LinkError::Silent(60)));
        // Whoever begins to wait only now has heard no silence yet.
        assert_eq!(vigil.check_peer(vigil.now()), Ok(()));
    }

    #[test]
    fn a_request_to_stop_is_heard_within_a_slice() {
        let (clock, cancel, vigil) = vigil();
        cancel.store(true, Ordering::Relaxed);
        assert_eq!(vigil.sleep(host::SECOND), Err(LinkError::Cancelled));
        assert_eq!(clock.now(), 0);
        assert_eq!(vigil.resolute().check(), Ok(()));
        assert_eq!(vigil.apart().check(), Err(LinkError::Cancelled));
    }
}
