//! The guest's clock: it stands still while the VM does.

use crate::host::now;

/// A monotonic clock that can be stopped.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    passed: u64,
    running_since: Option<u64>,
}

impl Clock {
    /// A stopped clock that shows `passed` nanoseconds.
    pub(super) fn at(passed: u64) -> Self {
        Self { passed, running_since: None }
    }

    /// What it shows.
    pub(super) fn read(&self) -> u64 {
        self.passed + self.running_since.map_or(0, |since| now().saturating_sub(since))
    }

    pub(super) fn start(&mut self) {
        self.running_since.get_or_insert_with(now);
    }

    pub(super) fn stop(&mut self) {
        *self = Self::at(self.read());
    }
}
