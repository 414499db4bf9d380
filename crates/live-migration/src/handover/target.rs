//! The target's side of the hand-over.
//!
//! ```text
//!                Failed, Lost, Abort: discard
//!   Receiving -------------------------------------> Discarded
//!     | Loaded: say ready                             ^ ^  ^
//!     v                Abort, Failed: discard         | |  |
//!   Ready --------------------------------------------' |  |
//!     | \  Lost                                         |  |
//!     |  '------> InDoubt ------------------------------'  |
//!     |             |     AskedToDiscard: discard          |
//!     | Commit: run | AskedToRun: run                      |
//!     v             v                                      |
//!   Starting <------'                                      |
//!     |       \--------------------------------------------'
//!     | Runs: say so       Failed: discard
//!     v
//!   Running
//! ```
//! A question while the agent is still at its connection makes it let go of that (`Interrupt`): a source that asks has
//! left it, and comes back when the VM is in doubt.

use super::Standing;

/// How the VM stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It is coming in.
    Receiving,
    /// It is whole and still; the source's word is awaited on its connection.
    Ready,
    /// The same without a connection: somebody will ask.
    InDoubt,
    /// Ownership has passed; it is being set going.
    Starting,
    /// It runs here, or has run here.
    Running,
    /// Nothing of it is left.
    Discarded,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// All of it has come.
    Loaded,
    /// It cannot be taken in, or cannot be run.
    Failed,
    /// The source's connection ended, fell silent, or is to be let go of.
    Lost,
    /// The source said Commit on its connection.
    Commit,
    /// The source said that it keeps the VM.
    Abort,
    /// It has been set going.
    Runs,
    /// The source asks how it stands, on another connection.
    Asked,
    /// Somebody looks how it stands.
    Looked,
    /// Somebody asks for it to run: the source, or an operator who knows that the source is gone.
    AskedToRun,
    /// Somebody asks for it to be discarded: the source, which has it, or an operator.
    AskedToDiscard,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Tell the source that the VM stands ready.
    SayReady,
    /// End the migration and set the VM going.
    Run,
    /// Take everything of it down; whoever asked is told.
    Discard,
    /// Tell whoever asked, or said Commit.
    Say(Standing),
    /// Make the agent let go of its connection, and tell whoever asked that it is under way.
    Interrupt,
}

/// The machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// How the VM stands.
    pub state: State,
}

impl Target {
    /// A VM begins to come in.
    pub const fn new() -> Self {
        Self { state: State::Receiving }
    }

    /// What `event` changes, and what is to be done.
    #[must_use]
    pub fn step(self, event: Event) -> (Self, Action) {
        let (state, action) = match self.state {
            State::Receiving => receiving(event),
            State::Ready => ready(event),
            State::InDoubt => in_doubt(event),
            State::Starting => starting(event),
            State::Running => (State::Running, told(event, Standing::Running)),
            State::Discarded => (State::Discarded, told(event, Standing::Discarded)),
        };
        (Self { state }, action)
    }
}

impl Default for Target {
    fn default() -> Self {
        Self::new()
    }
}

fn receiving(event: Event) -> (State, Action) {
    match event {
        Event::Loaded => (State::Ready, Action::SayReady),
        Event::Failed | Event::Lost | Event::Abort => (State::Discarded, Action::Discard),
        event => (State::Receiving, at_work(event)),
    }
}

fn ready(event: Event) -> (State, Action) {
    match event {
        Event::Commit => (State::Starting, Action::Run),
        Event::Abort | Event::Failed => (State::Discarded, Action::Discard),
        // The word may have been said: only an answer settles it.
        Event::Lost => (State::InDoubt, Action::Nothing),
        event => (State::Ready, at_work(event)),
    }
}

fn in_doubt(event: Event) -> (State, Action) {
    match event {
        Event::AskedToRun => (State::Starting, Action::Run),
        Event::AskedToDiscard => (State::Discarded, Action::Discard),
        event => (State::InDoubt, told(event, Standing::Ready)),
    }
}

fn starting(event: Event) -> (State, Action) {
    match event {
        Event::Runs => (State::Running, Action::Say(Standing::Running)),
        Event::Failed => (State::Discarded, Action::Discard),
        event => (State::Starting, told(event, Standing::UnderWay)),
    }
}

/// The agent holds the VM and its connection.
fn at_work(event: Event) -> Action {
    match event {
        Event::Asked | Event::AskedToRun | Event::AskedToDiscard => Action::Interrupt,
        event => told(event, Standing::UnderWay),
    }
}

/// Whoever waits for an answer gets one.
fn told(event: Event, standing: Standing) -> Action {
    match event {
        Event::Commit | Event::Asked | Event::Looked | Event::AskedToRun | Event::AskedToDiscard => {
            Action::Say(standing)
        }
        _ => Action::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn leads(from: State, event: Event, to: State, action: Action) {
        assert_eq!(
            Target { state: from }.step(event),
            (Target { state: to }, action),
            "{from:?} on {event:?}"
        );
    }

    #[test]
    fn a_vm_that_is_lost_before_it_is_ready_is_discarded_and_afterwards_is_in_doubt() {
        leads(State::Receiving, Event::Lost, State::Discarded, Action::Discard);
        leads(State::Receiving, Event::Loaded, State::Ready, Action::SayReady);
        leads(State::Ready, Event::Lost, State::InDoubt, Action::Nothing);
    }

    #[test]
    fn it_runs_on_the_sources_word_alone() {
        leads(State::Ready, Event::Commit, State::Starting, Action::Run);
        leads(State::Starting, Event::Runs, State::Running, Action::Say(Standing::Running));
        leads(State::Receiving, Event::Commit, State::Receiving, Action::Say(Standing::UnderWay));
        leads(State::InDoubt, Event::AskedToRun, State::Starting, Action::Run);
    }

    #[test]
    fn a_question_makes_the_agent_let_go_before_it_is_answered() {
        for event in [Event::Asked, Event::AskedToRun, Event::AskedToDiscard] {
            leads(State::Ready, event, State::Ready, Action::Interrupt);
            leads(State::Receiving, event, State::Receiving, Action::Interrupt);
        }
        leads(State::Ready, Event::Looked, State::Ready, Action::Say(Standing::UnderWay));
        leads(State::InDoubt, Event::Asked, State::InDoubt, Action::Say(Standing::Ready));
    }

    #[test]
    fn what_is_discarded_never_runs_and_what_runs_is_never_discarded() {
        for event in [Event::Commit, Event::AskedToRun, Event::AskedToDiscard, Event::Asked] {
            leads(State::Discarded, event, State::Discarded, Action::Say(Standing::Discarded));
            leads(State::Running, event, State::Running, Action::Say(Standing::Running));
        }
        for event in [Event::Lost, Event::Abort, Event::Failed] {
            leads(State::Discarded, event, State::Discarded, Action::Nothing);
            leads(State::Running, event, State::Running, Action::Nothing);
        }
        leads(State::Starting, Event::Failed, State::Discarded, Action::Discard);
    }
}
