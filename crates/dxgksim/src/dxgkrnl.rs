//! The simulated Dxgkrnl: registration, adapter start and stop, callbacks, interrupts, capabilities.

mod adapter;
mod bare;
mod callbacks;
mod caps;
mod core;
mod driver;
mod features;
mod gate;
mod interfaces;
mod interrupts;
mod optional;
mod packets;
mod query;
mod recovery;
mod resources;
mod start;
mod stubs;
mod triage;

use ::core::fmt;

pub use adapter::{Adapter, AdapterOptions, SelfTest};
pub(crate) use bare::Bare;
pub(crate) use caps::model;
pub use caps::{Caps, Level, Mmu, Node, PagingBuffer, Segment};
pub(crate) use core::Core;
pub use driver::{Driver, DriverEntry, register};
pub use features::Feature;
pub(crate) use gate::{Ask, guarded};
pub(crate) use interfaces::{Interfaces, supplied};
pub use recovery::Recovery;
pub use resources::MemoryRange;
pub use start::StartError;
pub use triage::TriageEvent;
use wddm::NTSTATUS;

/// A DDI that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DdiError {
    /// The DDI's name.
    pub ddi: &'static str,
    /// What it returned.
    pub status: NTSTATUS,
}

impl fmt::Display for DdiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", self.ddi, self.status)
    }
}

impl ::core::error::Error for DdiError {}

/// Turns a status into a result.
pub(crate) fn succeed(ddi: &'static str, status: NTSTATUS) -> Result<(), DdiError> {
    if status.is_success() { Ok(()) } else { Err(DdiError { ddi, status }) }
}
