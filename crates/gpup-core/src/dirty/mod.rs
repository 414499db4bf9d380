//! Dirty tracking: memory bases, each with two planes and an epoch, the writers that mark them, and the
//! re-dirty ledger.
//!
//! ```text
//!   Writer --section--> VRAM bytes                     Tracker
//!                       map: page -> active bases      slot 0: basis: extents, planes 0|1, epoch, residue
//!                       mark: live plane of each       slot 1: basis ...            (a lock a slot)
//!                                                      ledger of VF a, of VF b ...
//! ```
//!
//! A *memory basis* is a list of regions of the local segment, one bit a page, packed in the order they were
//! given. Bases may overlap; each owns its bits, so what one is asked and cleared leaves the others as they
//! were. Every write to VRAM goes through a [`Writer`] and marks the live plane of every basis that is being
//! tracked and covers the page.
//!
//! A clearing query of one basis:
//!
//! ```text
//!   lock the basis -> flip the epoch -> wait until all writers left their sections
//!     -> drain the whole old plane into the residue
//!     -> copy the bits asked for from the residue to the caller
//!     -> write them into the ledgers that cover them -> clear them in the residue
//! ```
//!
//! The residue keeps what was drained and not yet asked for, so pieces in any order add up to what one whole
//! query would have said. A query that does not clear answers residue, plane 0 and plane 1 OR-ed and changes
//! nothing. Queries of different bases never wait for each other: the only thing all share is the lock under
//! which Start and Stop publish a new map, held for the making of a small table and never while waiting.
//!
//! The *re-dirty ledger* of a VF records, from Prepare on, every page of the VF that a clearing query took
//! from some basis. Should the migration end on a source that lives, the recorded pages become dirty again;
//! marking too much is always safe.

mod active;
mod basis;
mod bits;
mod extents;
mod fault;
mod ledger;
#[cfg(all(test, loom))]
mod loom_near_misses;
#[cfg(all(test, loom))]
mod loom_tests;
mod map;
mod planes;
mod published;
mod section;
mod shared;
mod slots;
mod tracker;
mod words;
mod writer;

pub use basis::{BasisHandle, Part};
pub use bits::{count, runs};
#[cfg(any(test, feature = "fault-injection"))]
pub use fault::Fault;
pub use ledger::{Ledger, Outcome};
pub use tracker::Tracker;
pub use writer::{SECTION_BYTES, Section, Writer};

/// Most memory bases that can exist at once.
pub const MAX_BASES: usize = 512;
/// Most re-dirty ledgers that can be open at once: one for each VF in migration.
pub const MAX_LEDGERS: usize = 256;
