//! The phases of a migration, as both sides tell them.

use core::fmt;

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
