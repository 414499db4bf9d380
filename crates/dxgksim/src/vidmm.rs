//! The simulated VidMm: segments, the system paging process and the channels that move VRAM.
//!
//! Articles: "System paging process", "GPU virtual address", "Live migration on GPU-P devices".

mod batch;
mod channel;
mod eviction;
mod feature;
mod geometry;
mod memory;
mod paging;
mod process;
mod reserve;
mod selftest;
mod space;
mod testing;

use core::fmt;

pub use channel::PagingChannel;
pub(crate) use eviction::eviction;
pub(crate) use feature::{MOST_BYTES, MOST_PRIVATE, testable_nodes};
pub(crate) use memory::{Range, SegmentMemory};
pub(crate) use paging::Paging;
pub(crate) use reserve::Reserve;
pub(crate) use selftest::run as self_test;
use serde::{Deserialize, Serialize};
pub use testing::{TestBuffer, TestProcess, copy, fill};
use wddm::NTSTATUS;

use crate::dxgkrnl::DdiError;

/// Consecutive pages of a VF, in pages of its dirty plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Index of the first page.
    pub first: u64,
    /// Number of pages, not zero.
    pub count: u64,
}

/// Why paging failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PagingError {
    /// A call failed.
    Ddi(&'static str, NTSTATUS),
    /// The engine faulted.
    Fault(NTSTATUS),
    /// A reset of the engine or of the adapter aborted it.
    Aborted,
    /// The engine did not finish in time.
    Timeout,
    /// No memory or virtual addresses are left.
    NoMemory,
    /// The runs hold more pages than a staging buffer, or pages that the VF does not have.
    OutOfRange,
    /// The channel is at work.
    Busy,
    /// The VF is gone.
    Gone,
    /// The device is gone.
    Removed,
    /// The driver asks for something that no Dxgkrnl does.
    Unsupported(&'static str),
    /// Data came back other than it went.
    Corrupt,
}

impl fmt::Display for PagingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ddi(name, status) => write!(f, "{name} failed: {status}"),
            Self::Fault(status) => write!(f, "the paging node faulted: {status}"),
            Self::Aborted => f.write_str("a reset aborted what was under way on the paging node"),
            Self::Timeout => f.write_str("the paging node did not finish in time"),
            Self::NoMemory => f.write_str("no memory is left for paging"),
            Self::OutOfRange => f.write_str("pages that the VF or the staging buffer does not have"),
            Self::Busy => f.write_str("the paging channel is at work"),
            Self::Gone => f.write_str("the virtual function is gone"),
            Self::Removed => f.write_str("the device was removed"),
            Self::Unsupported(what) => f.write_str(what),
            Self::Corrupt => f.write_str("data came back other than it went"),
        }
    }
}

impl core::error::Error for PagingError {}

impl From<DdiError> for PagingError {
    fn from(error: DdiError) -> Self {
        Self::Ddi(error.ddi, error.status)
    }
}
