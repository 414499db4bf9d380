//! Live migration of a VF: phases, the records of its state, and what makes two hosts compatible.
//!
//! | module | what it holds |
//! |---|---|
//! | [`phase`] | which migration call is allowed when |
//! | [`immutable`] | what the target must know first: ids, versions, sizes, profile; and whether it fits |
//! | [`mutable`] | the VF's state in the hardware, its scheduling, the pages dirtied last |
//! | [`codec`] | the stream of checked records both are written in |
//! | [`state`] | the VF's hardware state in memory |
//! | [`describe`] | a stream in words, damaged ones too |
//!
//! Nothing here touches the device or the VF: the adapter saves and restores, these modules say what the
//! bytes mean. Encoding and decoding allocate nothing; only [`describe`] does.

pub mod codec;
pub mod describe;
pub mod immutable;
pub mod mutable;
pub mod phase;
mod reason;
pub mod state;

pub use immutable::{DriverVersion, Immutable, Profile};
pub use mutable::{LateRun, Mutable, PageRun, PageRuns, Snapshot};
pub use phase::{Call, Phase, Role};
pub use reason::{Damage, Mismatch};
