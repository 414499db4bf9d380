//! Dirty tracking: memory bases, each with two planes and an epoch, and the re-dirty ledger.

/// The memory bases over the local segment and the planes that engine writes mark.
pub struct Tracker {}
