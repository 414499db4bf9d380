//! Exit codes, and the failures behind them.

use std::fmt;
use std::process::ExitCode;

use gpup_scene::report::Verdict;
use live_migration::Error;

/// Why the tool ends with a code that is not 0.
#[derive(Debug)]
pub enum Failure {
    /// Something failed; the source VF runs on. Code 1.
    Failed(String),
    /// The command line is wrong. Code 2.
    Usage(String),
    /// The VF cannot move there. Code 3.
    Incompatible(String),
    /// Nobody knows who owns the VF. Code 4.
    InDoubt(String),
    /// Cancelled, or not converging. Code 5.
    Cancelled(String),
    /// Done, but the result could not be written. Code 6.
    Unwritten(String),
    /// Moved, but the guest's result was not compared. Code 7.
    NotCompared(String),
    /// Moved, but something was wrong then: a result differs, a guest failed, the driver broke a rule. Code 8.
    Moved(String),
}

impl Failure {
    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// Everything was done, but the result did not get to its place: `why` names it.
    pub(crate) fn unwritten(why: &str) -> Self {
        Self::Unwritten(format!("done, but the result could not be written to {why}"))
    }

    /// The same failure, and something more to say of it.
    pub(crate) fn and(mut self, more: &str) -> Self {
        let text = self.text_mut();
        text.push_str("; ");
        text.push_str(more);
        self
    }

    fn text_mut(&mut self) -> &mut String {
        let (Self::Failed(text)
        | Self::Usage(text)
        | Self::Incompatible(text)
        | Self::InDoubt(text)
        | Self::Cancelled(text)
        | Self::Unwritten(text)
        | Self::NotCompared(text)
        | Self::Moved(text)) = self;
        text
    }

    /// The same failure where the VM had left already: whatever it is, the source VF does not run on.
    pub(crate) fn after_the_move(self) -> Self {
        match self {
            Self::Failed(text) => Self::Moved(format!("the VF has moved, but then: {text}")),
            failure => failure,
        }
    }

    /// The same failure, and where it happened.
    pub(crate) fn at(mut self, place: &str) -> Self {
        self.text_mut().insert_str(0, place);
        self
    }

    /// Fine if everything was proved.
    pub fn unless_identical(verdict: Verdict) -> Result<(), Self> {
        match verdict {
            Verdict::Identical => Ok(()),
            Verdict::Different => {
                Err(Self::Moved("the VF arrived, but not everything was proved identical".into()))
            }
            Verdict::NotCompared => Err(Self::NotCompared(
                "the VF arrived, but not everything was compared: see what was said of it".into(),
            )),
            Verdict::Failed => Err(Self::Failed("the VF did not arrive".into())),
        }
    }

    /// The exit code.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(self.number())
    }

    pub(crate) fn number(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Incompatible(_) => 3,
            Self::InDoubt(_) => 4,
            Self::Cancelled(_) => 5,
            Self::Unwritten(_) => 6,
            Self::NotCompared(_) => 7,
            Self::Moved(_) => 8,
        }
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Failed(text)
        | Self::Usage(text)
        | Self::Incompatible(text)
        | Self::InDoubt(text)
        | Self::Cancelled(text)
        | Self::Unwritten(text)
        | Self::NotCompared(text)
        | Self::Moved(text)) = self;
        f.write_str(text)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Usage>() {
            Ok(Usage(text)) => Self::Usage(text),
            Err(error) => Self::Failed(format!("{error:#}")),
        }
    }
}

impl From<gpup_scene::Problem> for Failure {
    fn from(problem: gpup_scene::Problem) -> Self {
        Self::Failed(problem.0)
    }
}

/// A wrong command line, found where errors are `anyhow`'s.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Incompatible(_) => Self::Incompatible(text),
            Error::InDoubt { .. } => Self::InDoubt(text),
            Error::Cancelled
            | Error::NotConverging
            | Error::OutOfTime
            | Error::PauseTooLong(..)
            | Error::LimitTooLow(..) => Self::Cancelled(text),
            Error::Left(_) => Self::Moved(text),
            _ => Self::Failed(text),
        }
    }
}
