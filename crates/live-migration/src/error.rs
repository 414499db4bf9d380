//! Why a migration did not happen.

use alloc::string::{String, ToString};
use core::fmt;

use crate::phase::Phase;
use crate::wire::channel::LinkError;
use crate::wire::frame::{FrameError, Kind};
use crate::wire::message::PageVerdict;
use dxgksim::dxgkrnl::DdiError;
use dxgksim::vidmm::PagingError;

/// Why an agent gave up.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// The wire or the file failed, or what it carried is damaged.
    Frame(FrameError),
    /// A frame came where another belongs.
    Unexpected {
        /// What belongs there.
        expected: Kind,
        /// What came.
        found: Kind,
    },
    /// What came makes no sense.
    Protocol(&'static str),
    /// The other side gave up and says why.
    Aborted(String),
    /// The target's driver refuses the VF and says why.
    Incompatible(String),
    /// A DDI of the driver failed.
    Driver(String),
    /// The guest's work failed.
    Guest(String),
    /// The proof: pages of the VF are not the same on both sides.
    Different(PageVerdict),
    /// Somebody asked for it.
    Cancelled,
    /// The iterations did not converge within the time limit, and the policy says cancel.
    NotConverging,
    /// The time limit was over before a page could move.
    OutOfTime,
    /// The pause took longer than its limit and the grace, and the guest runs on the source again: seconds of the
    /// limit, and the phase that took it.
    PauseTooLong(f64, Phase),
    /// No pause is that short: seconds of the limit, and of the shortest pause to be had.
    LimitTooLow(f64, f64),
    /// The target runs the VM; what was left of it here could not be taken down.
    Left(String),
    /// The wire was cut in the commit window: the VF is paused and whole until this is settled.
    InDoubt {
        /// Names the migration.
        migration: u128,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(error) => error.fmt(f),
            Self::Unexpected { expected, found } => write!(f, "got {found:?} where {expected:?} belongs"),
            Self::Protocol(what) => f.write_str(what),
            Self::Aborted(why) => write!(f, "the other side gave up: {why}"),
            Self::Incompatible(why) => write!(f, "this VF cannot move there: {why}"),
            Self::Driver(what) => f.write_str(what),
            Self::Guest(what) => write!(f, "the guest's work failed: {what}"),
            Self::Different(PageVerdict { compared, different, first_different }) => {
                write!(f, "{different} of {compared} pages differ on the target")?;
                first_different.map_or(Ok(()), |page| write!(f, ", page {page} first"))
            }
            Self::Cancelled => f.write_str("cancelled"),
            Self::NotConverging => f.write_str(
                "the guest dirties pages faster than they move, and the time limit is over: \
                 raise --pause-limit or --time-limit, or choose --on-timeout throttle or switchover",
            ),
            Self::Left(why) => {
                write!(f, "the VM runs on the target, but its VF here could not be taken down: {why}")
            }
            Self::OutOfTime => f.write_str(
                "the time limit was over before the target was ready for pages: raise --time-limit",
            ),
            Self::PauseTooLong(limit, phase) => write!(
                f,
                "the pause was not over {:.0} ms and the grace after it began, in the phase '{phase}', so the guest \
                 runs on here: raise --pause-limit or --pause-grace",
                limit * 1e3
            ),
            Self::LimitTooLow(limit, least) => write!(
                f,
                "no pause is as short as {:.1} ms: here it takes {:.1} ms at the least, so raise --pause-limit",
                limit * 1e3,
                least * 1e3
            ),
            Self::InDoubt { migration } => write!(
                f,
                "in doubt: the connection was cut while ownership passed (migration {migration:032x}); \
                 the VF stays paused and whole until the other side answers"
            ),
        }
    }
}

impl core::error::Error for Error {}

impl From<LinkError> for Error {
    fn from(error: LinkError) -> Self {
        FrameError::from(error).into()
    }
}

impl From<FrameError> for Error {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Link(LinkError::Cancelled) => Self::Cancelled,
            error => Self::Frame(error),
        }
    }
}

impl Error {
    /// Whether the connection is what failed: nothing can be said on it any more.
    pub fn is_link(&self) -> bool {
        matches!(self, Self::Frame(FrameError::Link(_))) && !self.is_overdue()
    }

    /// Whether the time for it was over.
    pub fn is_overdue(&self) -> bool {
        matches!(self, Self::Frame(FrameError::Link(LinkError::Overdue)))
    }
}

impl From<DdiError> for Error {
    fn from(error: DdiError) -> Self {
        Self::Driver(error.to_string())
    }
}

impl From<PagingError> for Error {
    fn from(error: PagingError) -> Self {
        Self::Driver(error.to_string())
    }
}
