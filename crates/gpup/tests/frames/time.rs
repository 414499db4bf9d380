//! The clock that both agents go by. Each reading moves it by a tick. While it flows it also moves by a slice whenever
//! both sides have looked at their connections in vain: then nothing but time can end their waits. So the outcome of a
//! wait does not depend on how fast the machine is.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use live_migration::wire::channel::SLICE_NS;
use live_migration::wire::vigil::Clock;

/// So much a reading adds, in nanoseconds: far less, all together, than any limit.
const TICK_NS: u64 = 1_000;
/// Whoever sleeps gives the other side so much of the machine's time to look at its connections.
const NAP: Duration = Duration::from_millis(20);

/// One of the two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Target,
}

impl Side {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Source => Self::Target,
            Self::Target => Self::Source,
        }
    }
}

#[derive(Default)]
struct Pace {
    now: u64,
    flows: bool,
    /// Agents at work, by side.
    live: [u32; 2],
    /// Whether a side has looked in vain since time last moved or a frame did.
    looked: [bool; 2],
}

impl Pace {
    fn all_looked(&self) -> bool {
        self.live.iter().zip(self.looked).all(|(live, looked)| *live == 0 || looked)
    }
}

/// Time, as both hosts have it.
#[derive(Default)]
pub(crate) struct Time {
    pace: Mutex<Pace>,
    changed: Condvar,
}

impl Time {
    /// What it is, without a tick.
    pub(crate) fn peek(&self) -> u64 {
        self.pace.lock().unwrap().now
    }

    pub(crate) fn jump(&self, ns: u64) {
        self.pace.lock().unwrap().now += ns;
    }

    /// From now on it moves with looks, or with readings alone.
    pub(crate) fn flow(&self, flows: bool) {
        self.pace.lock().unwrap().flows = flows;
    }

    /// An agent begins to work, and has worked when what is returned goes.
    pub(crate) fn at_work(self: &Arc<Self>, side: Side) -> AtWork {
        self.pace.lock().unwrap().live[side as usize] += 1;
        AtWork(self.clone(), side)
    }

    /// Waits until no agent of `side` is at work.
    pub(crate) fn wait_idle(&self, side: Side) {
        let pace = self.pace.lock().unwrap();
        let (_pace, waited) = self
            .changed
            .wait_timeout_while(pace, Duration::from_secs(600), |pace| pace.live[side as usize] > 0)
            .unwrap();
        assert!(!waited.timed_out(), "an agent never ends: {side:?}");
    }

    /// A side has looked at a connection in vain.
    pub(crate) fn look(&self, side: Side) {
        let mut pace = self.pace.lock().unwrap();
        pace.looked[side as usize] = true;
        if pace.flows && pace.all_looked() {
            pace.now += SLICE_NS;
            pace.looked = [false; 2];
        }
        self.changed.notify_all();
    }

    /// Something moves: nobody has looked since.
    pub(crate) fn moved(&self) {
        self.pace.lock().unwrap().looked = [false; 2];
    }

    fn sleep(&self, side: Side, ns: u64) {
        let mut pace = self.pace.lock().unwrap();
        let other = side.other() as usize;
        pace.looked[other] = false;
        let waits = |pace: &mut Pace| pace.live[other] > 0 && !pace.looked[other];
        pace = self.changed.wait_timeout_while(pace, NAP, waits).unwrap().0;
        pace.now += ns;
    }
}

/// An agent at work.
pub(crate) struct AtWork(Arc<Time>, Side);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.pace.lock().unwrap().live[self.1 as usize] -= 1;
        self.0.changed.notify_all();
    }
}

/// Time, as one side reads it.
pub(crate) struct At(pub(crate) Arc<Time>, pub(crate) Side);

impl Clock for At {
    fn now(&self) -> u64 {
        let mut pace = self.0.pace.lock().unwrap();
        pace.now += TICK_NS;
        pace.now
    }

    fn sleep(&self, ns: u64) {
        self.0.sleep(self.1, ns);
    }
}
