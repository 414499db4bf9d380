//! What an agent tells as it goes, and how whoever listens may stop it.

use core::fmt;
use core::ops::ControlFlow;

use crate::converge::Iteration;
use crate::error::Error;

/// Where a migration stands, on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The sides introduce themselves.
    Connect,
    /// PrepareLiveMigration.
    Prepare,
    /// SaveImmutableMigrationData, RestoreImmutableMigrationData and the verdict.
    Immutable,
    /// Pages move while the guest runs.
    Brownout,
    /// The VM is being stopped.
    Pause,
    /// The last dirty bits are gathered and the last pages move.
    LastPages,
    /// SaveMutableMigrationData and RestoreMutableMigrationData.
    Mutable,
    /// The target loads the VM.
    Restore,
    /// Both sides hash every page: only for the proof, no part of a migration.
    Proof,
    /// Ownership passes.
    Commit,
    /// EndLiveMigration.
    End,
}

impl Phase {
    /// All phases in order.
    pub const ALL: [Self; 11] = [
        Self::Connect,
        Self::Prepare,
        Self::Immutable,
        Self::Brownout,
        Self::Pause,
        Self::LastPages,
        Self::Mutable,
        Self::Restore,
        Self::Proof,
        Self::Commit,
        Self::End,
    ];
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect",
            Self::Prepare => "prepare",
            Self::Immutable => "immutable data",
            Self::Brownout => "brownout",
            Self::Pause => "pause",
            Self::LastPages => "last pages",
            Self::Mutable => "mutable data",
            Self::Restore => "restore",
            Self::Proof => "proof",
            Self::Commit => "commit",
            Self::End => "end",
        })
    }
}

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

/// What a source measures: each figure of [`Outcome`] is the time between two readings of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// [`Outcome::brownout`](crate::Outcome::brownout).
    Brownout,
    /// [`Pause::stop`].
    Stop,
    /// [`Pause::drain`].
    Drain,
    /// [`Pause::last_pages`].
    LastPages,
    /// [`Pause::mutable`].
    Mutable,
    /// [`Pause::restore`].
    Restore,
    /// [`Outcome::proof_hold`], no part of the pause.
    Proof,
    /// [`Pause::resume`].
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
