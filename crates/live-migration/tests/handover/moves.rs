//! What can happen next, in words.

use core::fmt;

use live_migration::handover::{Identity, Standing};

use crate::wire::{ToSource, ToTarget};
use crate::world::Word;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Source,
    Restore(usize),
}

/// A process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Source,
    Host(usize),
    Restore(usize),
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    // On the control connection.
    TargetHears(usize, ToTarget),
    SourceHears(ToSource),
    /// The source pauses the VM and sends the last of it.
    SwitchOver,
    /// The source's deadline, a cancellation or the end of the connection before Commit; whether the word to
    /// discard goes out.
    SourceFails {
        told: bool,
    },
    /// The source's deadline or the end of the connection after Commit.
    NoAnswer,
    /// A cancellation after Commit.
    Cancelled,
    /// The target's deadline, the end of the connection, or an interruption.
    TargetLoses(usize),
    /// The wire is cut towards the target, behind so many words.
    CutToTarget(usize, usize),
    CutToSource(usize, usize),

    // In the target.
    TargetRuns(usize),
    TargetFails(usize),

    // On connections of their own.
    Ask(Who),
    /// The question reaches the target; whether a copy of it is still on its way.
    Reach(Who, Word, Echo),
    /// The question reaches somebody else, who answers.
    Elsewhere(Who, Identity, Standing),
    Answer(Who, Standing),
    /// The answer does not come; whether the question may still arrive.
    NoWord(Who, Echo),
    Late(usize, Word),

    // In the source's process.
    GiveUp,
    Write,
    CannotWrite,
    Leave,
    /// The next attempt, to this host.
    Again(usize),

    // An operator.
    Look(usize),
    OperatorRuns(usize),
    OperatorDiscards(usize),
    Restore,
    Force(usize),

    Crash(Which),
}

/// Whether a question is on its way still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Echo {
    None,
    Late,
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TargetHears(attempt, word) => write!(f, "target hears {word:?}{}", of(attempt)),
            Self::SourceHears(ToSource::Welcome(_)) => write!(f, "source hears Welcome"),
            Self::SourceHears(word) => write!(f, "source hears {word:?}"),
            Self::SwitchOver => write!(f, "source pauses"),
            Self::SourceFails { told: true } => write!(f, "source fails, says Discard"),
            Self::SourceFails { told: false } => write!(f, "source fails"),
            Self::NoAnswer => write!(f, "source hears no answer"),
            Self::Cancelled => write!(f, "source is cancelled"),
            Self::TargetLoses(attempt) => write!(f, "target lets go{}", of(attempt)),
            Self::CutToTarget(attempt, kept) => {
                write!(f, "wire to target is cut behind {kept}{}", of(attempt))
            }
            Self::CutToSource(attempt, kept) => {
                write!(f, "wire to source is cut behind {kept}{}", of(attempt))
            }
            Self::TargetRuns(attempt) => write!(f, "target runs it{}", of(attempt)),
            Self::TargetFails(attempt) => write!(f, "target fails{}", of(attempt)),
            Self::Ask(who) => write!(f, "{who} asks"),
            Self::Reach(who, word, Echo::None) => write!(f, "{word:?} of {who} arrives"),
            Self::Reach(who, word, Echo::Late) => write!(f, "{word:?} of {who} arrives, and a copy will"),
            Self::Elsewhere(who, _, standing) => write!(f, "another answers {who} {standing:?}"),
            Self::Answer(who, standing) => write!(f, "{who} hears {standing:?}"),
            Self::NoWord(who, Echo::None) => write!(f, "{who} hears nothing"),
            Self::NoWord(who, Echo::Late) => write!(f, "{who} hears nothing yet"),
            Self::Late(attempt, word) => write!(f, "{word:?} arrives late{}", of(attempt)),
            Self::GiveUp => write!(f, "source gives up"),
            Self::Write => write!(f, "file is durable"),
            Self::CannotWrite => write!(f, "file cannot be written"),
            Self::Leave => write!(f, "source has saved"),
            Self::Again(host) => write!(f, "source tries host {host}"),
            Self::Look(attempt) => write!(f, "operator looks{}", of(attempt)),
            Self::OperatorRuns(attempt) => write!(f, "operator says Run{}", of(attempt)),
            Self::OperatorDiscards(attempt) => write!(f, "operator says Discard{}", of(attempt)),
            Self::Restore => write!(f, "operator restores"),
            Self::Force(_) => write!(f, "operator forces"),
            Self::Crash(Which::Source) => write!(f, "source crashes"),
            Self::Crash(Which::Host(host)) => write!(f, "host {host} crashes"),
            Self::Crash(Which::Restore(_)) => write!(f, "restore crashes"),
        }
    }
}

/// The first attempt goes without saying.
fn of(attempt: usize) -> &'static str {
    if attempt == 0 { "" } else { " (second attempt)" }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Restore(_) => "restore",
        })
    }
}
