//! What becomes of a frame.

use dxgksim::host::SECOND;

use crate::stranger::Lie;

/// Beyond the limits of the pause, of the brownout and of settling, not beyond the patience with silence.
pub(crate) const LATE_NS: u64 = 3 * SECOND;
/// Beyond every limit.
pub(crate) const TOO_LATE_NS: u64 = 10 * SECOND;
/// Between two bytes that trickle: often enough that it is no silence.
pub(crate) const TRICKLE_NS: u64 = 3 * SECOND;

/// What becomes of a frame and of the connection it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The connection is cut before the frame arrives.
    CutBefore,
    /// The connection is cut when it has arrived.
    CutAfter,
    /// Lost, and only the source sees that the connection is cut.
    SourceSeesCut,
    /// Lost, and only the target sees that the connection is cut.
    TargetSeesCut,
    /// Like the first, and no other connection is made any more.
    GoneBefore,
    /// Like the second, and no other connection is made any more.
    GoneAfter,
    /// It arrives so much later, and so does what follows it.
    Late(u64),
    /// Neither it nor anything that follows it this way arrives.
    Stuck,
    /// The same, and somebody wants an end of the migration.
    StuckAndCancelled,
    /// It and what follows it arrive a byte at a time.
    Trickles,
    /// It arrives twice.
    Twice,
    /// Cut before it, and whoever connects from then on finds a stranger.
    StrangerBefore(Lie),
    /// Cut after it, and whoever connects from then on finds a stranger.
    StrangerAfter(Lie),
}

impl Fate {
    /// Fates of every frame.
    pub(crate) const EVERY: [Self; 11] = [
        Self::CutBefore,
        Self::CutAfter,
        Self::SourceSeesCut,
        Self::TargetSeesCut,
        Self::Late(LATE_NS),
        Self::Late(TOO_LATE_NS),
        Self::Stuck,
        Self::StuckAndCancelled,
        Self::Trickles,
        Self::Twice,
        Self::StrangerBefore(Lie::Unknown),
    ];
    /// More of those that may come while ownership passes.
    pub(crate) const IN_WINDOW: [Self; 7] = [
        Self::GoneBefore,
        Self::GoneAfter,
        Self::StrangerAfter(Lie::Unknown),
        Self::StrangerBefore(Lie::Discarded),
        Self::StrangerAfter(Lie::Discarded),
        Self::StrangerBefore(Lie::Running),
        Self::StrangerAfter(Lie::Running),
    ];

    /// Whether the frame itself arrives in time.
    pub(crate) fn arrives(self) -> bool {
        matches!(self, Self::CutAfter | Self::GoneAfter | Self::Twice | Self::StrangerAfter(_))
    }

    /// Whether the source has to wait for time to be over.
    pub(crate) fn takes_time(self) -> bool {
        matches!(
            self,
            Self::TargetSeesCut | Self::Late(_) | Self::Stuck | Self::StuckAndCancelled | Self::Trickles
        )
    }

    /// Whether a stranger is found afterwards.
    pub(crate) fn is_strange(self) -> bool {
        matches!(self, Self::StrangerBefore(_) | Self::StrangerAfter(_))
    }
}
