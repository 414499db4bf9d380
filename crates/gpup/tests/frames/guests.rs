//! Guests that say on which host they run, so that two of one are noticed when they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dxgksim::guest::{Cpu, Guest, GuestLoader, Progress};

use crate::time::Side;

/// Who has run a VM.
#[derive(Default)]
pub(crate) struct Log {
    there: AtomicBool,
    twice: AtomicBool,
}

impl Log {
    /// Whether the VM has run on the target.
    pub(crate) fn ran_there(&self) -> bool {
        self.there.load(Ordering::SeqCst)
    }

    /// Whether it has run here when it had run there.
    pub(crate) fn ran_twice(&self) -> bool {
        self.twice.load(Ordering::SeqCst)
    }

    fn runs(&self, side: Side) {
        match side {
            Side::Target => self.there.store(true, Ordering::SeqCst),
            Side::Source if self.ran_there() => self.twice.store(true, Ordering::SeqCst),
            Side::Source => {}
        }
    }
}

struct Logged {
    inner: Box<dyn Guest>,
    side: Side,
    log: Arc<Log>,
}

impl Guest for Logged {
    fn run(&mut self, cpu: &mut dyn Cpu) -> Progress {
        self.log.runs(self.side);
        let progress = self.inner.run(cpu);
        self.log.runs(self.side);
        progress
    }

    fn finish(&mut self, steps: Option<u64>) {
        self.inner.finish(steps);
    }

    fn steps(&self) -> u64 {
        self.inner.steps()
    }

    fn save(&self) -> Vec<u8> {
        self.inner.save()
    }

    fn name(&self) -> &str {
        self.inner.name()
    }
}

/// `guest`, whose every slice on `side` is noted.
pub(crate) fn logged(inner: Box<dyn Guest>, side: Side, log: &Arc<Log>) -> Box<dyn Guest> {
    Box::new(Logged { inner, side, log: log.clone() })
}

/// Makes guests whose every slice on the target is noted.
pub(crate) struct Loader(pub(crate) Arc<Log>);

impl GuestLoader for Loader {
    fn load(&self, state: &[u8]) -> Result<Box<dyn Guest>, String> {
        Ok(logged(gpup_guest::Loader.load(state)?, Side::Target, &self.0))
    }
}
