//! What the adapter's administrator decides, apart from the device itself.

use crate::sched::Priority;

/// The adapter's settings. Constant while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Dirty tracking costs so little that it may run all the time.
    pub performant: bool,
    /// VFs may be made of scattered memory, described by memory bases.
    pub scatter: bool,
    /// Engine time of a VF's turn, in microseconds.
    pub quantum_us: u32,
    /// How far a packet may run past its turn, in microseconds; 0 = without limit.
    pub preempt_timeout_us: u32,
    /// How eagerly a VF is scheduled.
    pub priority: Priority,
    /// A fault for tests: pages dirtied after the last harvest stay behind.
    pub lose_late_pages: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            performant: true,
            scatter: false,
            quantum_us: 4_000,
            preempt_timeout_us: 640_000,
            priority: Priority::Low,
            lose_late_pages: false,
        }
    }
}
