//! Migrations that have every frame of the protocol between them.

use dxgksim::host::SECOND;
use live_migration::converge::{Limits, OnTimeout};
use live_migration::wire::frame::Kind;
use live_migration::{Error, Phase};

use crate::fate::Fate;
use crate::spot::{Role, Spot};
use crate::time::Side;

/// What happens in a migration without the fate that is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Story {
    /// Nothing.
    Plain,
    /// Commit is lost, so the source asks and says it again.
    CommitLost,
    /// Running is lost, so the source asks.
    AnswerLost,
    /// Ready is lost: the source takes the VM back, and tells the target so by a question.
    ReadyLost,
    /// The source gives up, with words.
    SourceStops,
    /// The target gives up, with words.
    TargetStops,
    /// Both take so long that they tell each other to be patient.
    Slow,
}

impl Story {
    pub(crate) const ALL: [Self; 7] = [
        Self::Plain,
        Self::CommitLost,
        Self::AnswerLost,
        Self::ReadyLost,
        Self::SourceStops,
        Self::TargetStops,
        Self::Slow,
    ];

    /// What the network does of itself.
    pub(crate) fn faults(self) -> Vec<(Spot, Fate)> {
        let lost = |from, kind| vec![(Spot::new(Role::Control, from, kind, true), Fate::CutBefore)];
        match self {
            Self::CommitLost => lost(Side::Source, Kind::Commit),
            Self::AnswerLost => lost(Side::Target, Kind::Running),
            Self::ReadyLost => lost(Side::Target, Kind::Ready),
            _ => Vec::new(),
        }
    }

    /// Frames that this story adds to the plain one.
    pub(crate) fn adds(self, spot: &Spot) -> bool {
        match self {
            Self::Plain => true,
            Self::CommitLost | Self::AnswerLost | Self::ReadyLost => {
                spot.role == Role::Question && spot.nth < 2
            }
            Self::SourceStops | Self::TargetStops => spot.kind == Kind::Abort,
            Self::Slow => spot.kind == Kind::Alive,
        }
    }

    /// Where the source is made to stop.
    pub(crate) fn stops_source(self, phase: Phase) -> bool {
        self == Self::SourceStops && phase == Phase::Proof
    }

    /// Where the target is made to stop.
    pub(crate) fn stops_target(self, phase: Phase) -> bool {
        self == Self::TargetStops && phase == Phase::Mutable
    }

    /// How long a batch of the source's takes, and the target's hashing, in nanoseconds.
    pub(crate) fn takes(self) -> u64 {
        if self == Self::Slow { 6 * SECOND / 5 } else { 0 }
    }

    pub(crate) fn limits(self) -> Limits {
        let (pause, grace, time) = if self == Self::Slow { (10.0, 1.0, 8.0) } else { (0.5, 0.6, 2.0) };
        Limits { pause, grace, time, on_timeout: OnTimeout::Throttle }
    }

    /// Whether `error` is how this story ends anyway.
    pub(crate) fn ends_with(self, error: &Error) -> bool {
        match self {
            Self::SourceStops => *error == Error::Cancelled,
            Self::TargetStops => matches!(error, Error::Aborted(_)) || error.is_link(),
            Self::ReadyLost => error.is_link(),
            _ => false,
        }
    }
}
