//! The simulated IRQL of each thread.

use alloc::vec::Vec;
use core::fmt;

use crate::host::{Mutex, host};

/// The interrupt request levels that the contract tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Irql {
    /// Ordinary thread context.
    Passive,
    /// No asynchronous procedure calls.
    Apc,
    /// No dispatching.
    Dispatch,
    /// The device's own level.
    Device,
}

impl fmt::Display for Irql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passive => "PASSIVE_LEVEL",
            Self::Apc => "APC_LEVEL",
            Self::Dispatch => "DISPATCH_LEVEL",
            Self::Device => "DIRQL",
        })
    }
}

/// Threads above PASSIVE_LEVEL; all others are at it.
static LEVELS: Mutex<Vec<(u64, Irql)>> = Mutex::new(Vec::new());

/// The calling thread's level.
pub(crate) fn current() -> Irql {
    let thread = host().thread_id();
    LEVELS.lock().iter().find(|(id, _)| *id == thread).map_or(Irql::Passive, |(_, level)| *level)
}

fn set(level: Irql) -> Irql {
    let thread = host().thread_id();
    let mut levels = LEVELS.lock();
    let at = levels.iter().position(|(id, _)| *id == thread);
    match (at, level) {
        (None, Irql::Passive) => Irql::Passive,
        (None, _) => {
            levels.push((thread, level));
            Irql::Passive
        }
        (Some(at), Irql::Passive) => levels.swap_remove(at).1,
        (Some(at), _) => core::mem::replace(&mut levels[at].1, level),
    }
}

/// Sets the calling thread's level until the value is dropped.
pub(crate) fn raised(level: Irql) -> Raised {
    Raised(set(level))
}

/// Puts the level back.
pub(crate) struct Raised(Irql);

impl Drop for Raised {
    fn drop(&mut self) {
        set(self.0);
    }
}
