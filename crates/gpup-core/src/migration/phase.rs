//! Which migration call is allowed when: the phases of one VF, on the source and on the target.
//!
//! ```text
//!                                    Idle <---------------------------------+
//!               PrepareSource |         | PrepareTarget                     |
//!                             v         v                                   |
//!                SourcePrepared         TargetPrepared                      |
//!  SaveImmutable (and size)   |         | RestoreImmutable                  |
//!                             v         v                                   |
//!          +---- ImmutableSaved         ImmutableRestored                   | End,
//!   (skip) |                  |         | RestoreMutable                    | from
//!          |  SaveMutableSize v         v                                   | any
//!          +----> MutableSized          MutableRestored                     | phase
//!                   ^   |               |                                   |
//!   SaveMutableSize |   | SaveMutable   +-----------------------------------+
//!                   |   v                                                   |
//!                 MutableSaved ---------------------------------------------+
//! ```
//! The sequence may be left at any phase: `End` always succeeds and leads to `Idle`, also from `Idle`.
//! A call that fails, for whatever reason, leaves the phase as it was, so that it can be made again.
//!
//! | call | allowed in | else |
//! |---|---|---|
//! | PrepareSource, PrepareTarget | Idle | `Busy` |
//! | SaveImmutableSize, SaveImmutable | every source phase; the data is constant | `WrongState` |
//! | SaveMutableSize | every source phase; takes the VF off its engines if it still runs | `WrongState` |
//! | SaveMutable | MutableSized, MutableSaved (the same bytes again) | `WrongState` |
//! | RestoreImmutable | TargetPrepared; ImmutableRestored (the newest counts) | `WrongState` |
//! | RestoreMutable | ImmutableRestored, once | `WrongState` |
//! | End | every phase | |
//!
//! Pages are harvested and moved in every phase: paging is not a migration call. On the source that means
//! after SaveMutable too, since nobody has said that Dxgkrnl sends the last pages first.

use core::fmt;

use crate::sched::Policy;
use crate::{Error, Result};

/// Which side of a migration a VF is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The VF leaves.
    Source,
    /// The VF arrives.
    Target,
}

/// Where a VF is in its migration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    /// No migration.
    #[default]
    Idle,
    /// Source: brownout, the VF runs and its pages are copied.
    SourcePrepared,
    /// Source: brownout, the immutable data was saved.
    ImmutableSaved,
    /// Source: blackout, the VF is off its engines and the late pages are known.
    MutableSized,
    /// Source: blackout, the mutable data was saved.
    MutableSaved,
    /// Target: paused, nothing restored.
    TargetPrepared,
    /// Target: paused, the source is known to fit.
    ImmutableRestored,
    /// Target: paused, all state is in place.
    MutableRestored,
}

/// A migration call on one VF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// PrepareLiveMigration, type source.
    PrepareSource,
    /// PrepareLiveMigration, type target.
    PrepareTarget,
    /// SaveImmutableMigrationData without a buffer.
    SaveImmutableSize,
    /// SaveImmutableMigrationData with a buffer.
    SaveImmutable,
    /// SaveMutableMigrationData without a buffer.
    SaveMutableSize,
    /// SaveMutableMigrationData with a buffer.
    SaveMutable,
    /// RestoreImmutableMigrationData.
    RestoreImmutable,
    /// RestoreMutableMigrationData.
    RestoreMutable,
    /// EndLiveMigration.
    End,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 8] = [
        Self::Idle,
        Self::SourcePrepared,
        Self::ImmutableSaved,
        Self::MutableSized,
        Self::MutableSaved,
        Self::TargetPrepared,
        Self::ImmutableRestored,
        Self::MutableRestored,
    ];

    /// The name that reports and traces carry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::SourcePrepared => "source-prepared",
            Self::ImmutableSaved => "immutable-saved",
            Self::MutableSized => "mutable-sized",
            Self::MutableSaved => "mutable-saved",
            Self::TargetPrepared => "target-prepared",
            Self::ImmutableRestored => "immutable-restored",
            Self::MutableRestored => "mutable-restored",
        }
    }

    /// The phase after `call` has succeeded here.
    ///
    /// # Errors
    /// The call is not allowed here; the table in the module's head says which error.
    pub const fn next(self, call: Call) -> Result<Self> {
        use Phase as P;
        Ok(match (self, call) {
            (_, Call::End) => P::Idle,
            (P::Idle, Call::PrepareSource) => P::SourcePrepared,
            (P::Idle, Call::PrepareTarget) => P::TargetPrepared,
            (_, Call::PrepareSource | Call::PrepareTarget) => return Err(Error::Busy),
            (P::SourcePrepared, Call::SaveImmutable) => P::ImmutableSaved,
            (
                P::SourcePrepared | P::ImmutableSaved | P::MutableSized | P::MutableSaved,
                Call::SaveImmutableSize | Call::SaveImmutable,
            ) => self,
            (
                P::SourcePrepared | P::ImmutableSaved | P::MutableSized | P::MutableSaved,
                Call::SaveMutableSize,
            ) => P::MutableSized,
            (P::MutableSized | P::MutableSaved, Call::SaveMutable) => P::MutableSaved,
            (P::TargetPrepared | P::ImmutableRestored, Call::RestoreImmutable) => P::ImmutableRestored,
            (P::ImmutableRestored, Call::RestoreMutable) => P::MutableRestored,
            _ => return Err(Error::WrongState),
        })
    }

    /// Which side the VF is on, if it migrates.
    pub const fn role(self) -> Option<Role> {
        match self {
            Self::Idle => None,
            Self::SourcePrepared | Self::ImmutableSaved | Self::MutableSized | Self::MutableSaved => {
                Some(Role::Source)
            }
            Self::TargetPrepared | Self::ImmutableRestored | Self::MutableRestored => Some(Role::Target),
        }
    }

    /// How the engines share between the VF and paging on its behalf, for a VF nobody paused before.
    pub const fn policy(self) -> Policy {
        match self {
            Self::Idle => Policy::Normal,
            Self::SourcePrepared | Self::ImmutableSaved => Policy::SourceBrownout,
            Self::MutableSized | Self::MutableSaved => Policy::SourceBlackout,
            Self::TargetPrepared | Self::ImmutableRestored | Self::MutableRestored => Policy::Target,
        }
    }
}

impl Call {
    /// Every call.
    pub const ALL: [Self; 9] = [
        Self::PrepareSource,
        Self::PrepareTarget,
        Self::SaveImmutableSize,
        Self::SaveImmutable,
        Self::SaveMutableSize,
        Self::SaveMutable,
        Self::RestoreImmutable,
        Self::RestoreMutable,
        Self::End,
    ];
}

impl Role {
    /// The name that reports and traces carry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The names that reports and traces carry.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PrepareSource => "prepare-source",
            Self::PrepareTarget => "prepare-target",
            Self::SaveImmutableSize => "save-immutable-size",
            Self::SaveImmutable => "save-immutable",
            Self::SaveMutableSize => "save-mutable-size",
            Self::SaveMutable => "save-mutable",
            Self::RestoreImmutable => "restore-immutable",
            Self::RestoreMutable => "restore-mutable",
            Self::End => "end",
        })
    }
}
