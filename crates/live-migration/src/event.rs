//! What an agent tells as it goes, and how whoever listens may stop it.

use core::ops::ControlFlow;

use crate::converge::Iteration;
use crate::error::Error;
use crate::phase::Phase;

/// What an agent tells as it goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A phase begins. Breaking here cancels the migration, up to and including [`Phase::Proof`].
    Enter(Phase),
    /// An iteration begins: its number and pages.
    Iterate {
        /// Number, from zero.
        number: u32,
        /// Pages to be moved.
        pages: u64,
    },
    /// So many pages of the iteration have moved. Comes with every batch of the first stream; breaking
    /// here cancels the migration.
    Moved {
        /// Pages of all streams.
        pages: u64,
    },
    /// An iteration is done.
    Iterated(Iteration),
    /// Pages dirty now, and the pause to be expected if the VM stopped now, in seconds.
    Estimate {
        /// Pages still to be moved.
        remaining: u64,
        /// Seconds; infinite before the first iteration.
        pause: f64,
    },
    /// The guest's engine work is to run at so many thousandths of full speed.
    Throttle(u32),
    /// The pause would have become too long, so the guest runs on, on the source.
    Resumed,
    /// The wire was cut in the commit window.
    InDoubt,
    /// A step was measured. Breaking here stops nothing.
    Measured {
        /// Which.
        step: Step,
        /// When it began, in nanoseconds of the host's clock.
        from: u64,
        /// When it ended.
        to: u64,
    },
}

/// What a source measures: each figure of [`Outcome`](crate::Outcome) is the time between two readings of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// [`Outcome::brownout`](crate::Outcome::brownout).
    Brownout,
    /// [`Pause::stop`](crate::Pause::stop).
    Stop,
    /// [`Pause::drain`](crate::Pause::drain).
    Drain,
    /// [`Pause::last_pages`](crate::Pause::last_pages).
    LastPages,
    /// [`Pause::mutable`](crate::Pause::mutable).
    Mutable,
    /// [`Pause::restore`](crate::Pause::restore).
    Restore,
    /// [`Outcome::proof_hold`](crate::Outcome::proof_hold), no part of the pause.
    Proof,
    /// [`Pause::resume`](crate::Pause::resume).
    Resume,
}

impl Step {
    /// Its name in traces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Brownout => "brownout",
            Self::Stop => "stop",
            Self::Drain => "drain",
            Self::LastPages => "last pages",
            Self::Mutable => "mutable data",
            Self::Restore => "restore",
            Self::Proof => "proof",
            Self::Resume => "resume",
        }
    }

    /// Whether the guest's standing still in it counts as the pause.
    pub const fn is_pause(self) -> bool {
        !matches!(self, Self::Brownout | Self::Proof)
    }
}

/// Follows a migration, and may stop it.
pub trait Observer {
    /// Called for each event, on the agent's thread.
    fn event(&mut self, event: Event) -> ControlFlow<()>;
}

impl<F: FnMut(Event) -> ControlFlow<()>> Observer for F {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        self(event)
    }
}

/// Tells that `phase` begins; the observer may cancel there.
pub(crate) fn enter(observer: &mut dyn Observer, phase: Phase) -> Result<(), Error> {
    if observer.event(Event::Enter(phase)).is_break() { Err(Error::Cancelled) } else { Ok(()) }
}
