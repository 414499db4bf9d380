//! The source's side of the hand-over.
//!
//! ```text
//!           Failed: take back
//!   Owner ------------------------------------------> Here
//!     | Ready: commit                                  ^ ^
//!     |                       Refused,                 | |
//!     v                       Answer(Discarded): run   | |
//!   Committed -----------------------------------------' |
//!     |   |  ^ | NoWord, other answers: ask              | Answer(Discarded),
//!     |   |  '-' Answer(Ready): commit again             | Forced: run
//!     |   | GaveUp: keep, then Saved: leave              |
//!     |   '-----------> Kept ----------------------------'
//!     | Running,          |   ^ | Answer(Ready): discard there
//!     | Answer(Running):  |   '-' others: refuse
//!     v leave             | Answer(Running): refuse
//!   There <---------------'
//! ```
//! Answers count only where they come from the target that sent its Welcome.

use super::{Identity, Standing};

/// Where the VM is, as far as the source knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It is this host's, running or paused for the switchover.
    Owner,
    /// Commit was said: it stands still here, whole, until the target has answered.
    Committed,
    /// The same, in a file: it has left its VF.
    Kept,
    /// It runs here, and the migration is over.
    Here,
    /// The target runs it. Nothing of it may run here.
    There,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// The target stands ready, and what it has is what it should have.
    Ready,
    /// Anything went wrong, took too long or was cancelled.
    Failed,
    /// The answer to Commit: it runs there.
    Running,
    /// The answer to Commit: it could not be run and has been discarded.
    Refused,
    /// No answer came on that connection.
    NoWord,
    /// Whoever is at the target's address answered a question.
    Answer(Identity, Standing),
    /// The time for asking is over, or somebody wants it to be.
    GaveUp,
    /// Somebody wants to ask once more.
    AskAgain,
    /// The VM is in a file that outlives this process.
    Saved,
    /// An operator knows that the target is gone for good.
    Forced,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing: what happened changes nothing, or the end has been reached.
    Nothing,
    /// Say Commit on the connection that the migration came over.
    Commit,
    /// Ask the target how the VM stands, on a new connection.
    Ask,
    /// Say Commit to the target that has just answered that it stands ready.
    CommitAgain,
    /// Tell the target that has just answered that it stands ready to discard the VM.
    DiscardThere,
    /// Run the VM here.
    RunHere,
    /// Run the VM here, and tell the target, as well as can be, to discard what came.
    TakeBack,
    /// Power the VF off and let it go: the VM is elsewhere.
    Leave,
    /// Keep the VM where it is, whole and still, until it is in a file or somebody asks again.
    Keep,
    /// Do not run the copy.
    Refuse,
}

/// The machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// Where the VM is.
    pub state: State,
    /// Whose answers count: the target that said Welcome.
    pub target: Option<Identity>,
}

impl Source {
    /// A migration begins: nobody has said Welcome yet.
    pub const fn new() -> Self {
        Self { state: State::Owner, target: None }
    }

    /// A VM that was saved in doubt, in another process.
    pub const fn kept(target: Identity) -> Self {
        Self { state: State::Kept, target: Some(target) }
    }

    /// What `event` changes, and what is to be done.
    #[must_use]
    pub fn step(self, event: Event) -> (Self, Action) {
        let (state, action) = match self.state {
            State::Owner => owner(event),
            State::Committed => committed(self.of_target(event)),
            State::Kept => kept(self.of_target(event)),
            State::Here | State::There => (self.state, Action::Nothing),
        };
        (Self { state, ..self }, action)
    }

    /// An answer of somebody else is none.
    fn of_target(self, event: Event) -> Event {
        match event {
            Event::Answer(from, _) if self.target != Some(from) => Event::NoWord,
            event => event,
        }
    }
}

impl Default for Source {
    fn default() -> Self {
        Self::new()
    }
}

fn owner(event: Event) -> (State, Action) {
    match event {
        Event::Ready => (State::Committed, Action::Commit),
        Event::Failed => (State::Here, Action::TakeBack),
        _ => (State::Owner, Action::Nothing),
    }
}

fn committed(event: Event) -> (State, Action) {
    match event {
        Event::Running | Event::Answer(_, Standing::Running) => (State::There, Action::Leave),
        Event::Refused | Event::Answer(_, Standing::Discarded) => (State::Here, Action::RunHere),
        Event::Answer(_, Standing::Ready) => (State::Committed, Action::CommitAgain),
        Event::GaveUp => (State::Committed, Action::Keep),
        Event::Saved => (State::Kept, Action::Leave),
        Event::NoWord | Event::AskAgain | Event::Failed | Event::Answer(..) => {
            (State::Committed, Action::Ask)
        }
        Event::Ready | Event::Forced => (State::Committed, Action::Nothing),
    }
}

fn kept(event: Event) -> (State, Action) {
    match event {
        Event::Answer(_, Standing::Running) => (State::There, Action::Refuse),
        Event::Answer(_, Standing::Discarded) | Event::Forced => (State::Here, Action::RunHere),
        Event::Answer(_, Standing::Ready) => (State::Kept, Action::DiscardThere),
        Event::AskAgain => (State::Kept, Action::Ask),
        _ => (State::Kept, Action::Refuse),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Identity = Identity(1);
    const OTHER: Identity = Identity(2);

    fn at(state: State) -> Source {
        Source { state, target: Some(TARGET) }
    }

    #[track_caller]
    fn leads(from: State, event: Event, to: State, action: Action) {
        assert_eq!(at(from).step(event), (at(to), action), "{from:?} on {event:?}");
    }

    #[test]
    fn before_the_word_a_failure_takes_the_vm_back() {
        leads(State::Owner, Event::Failed, State::Here, Action::TakeBack);
        leads(State::Owner, Event::Ready, State::Committed, Action::Commit);
        // Nobody can hear an answer to what was not said.
        leads(State::Owner, Event::Running, State::Owner, Action::Nothing);
    }

    #[test]
    fn after_the_word_only_the_target_frees_the_source() {
        for event in [Event::Failed, Event::NoWord, Event::AskAgain] {
            leads(State::Committed, event, State::Committed, Action::Ask);
        }
        for standing in [Standing::UnderWay, Standing::Unknown] {
            leads(State::Committed, Event::Answer(TARGET, standing), State::Committed, Action::Ask);
        }
        leads(State::Committed, Event::Answer(TARGET, Standing::Running), State::There, Action::Leave);
        leads(State::Committed, Event::Answer(TARGET, Standing::Discarded), State::Here, Action::RunHere);
        leads(
            State::Committed,
            Event::Answer(TARGET, Standing::Ready),
            State::Committed,
            Action::CommitAgain,
        );
    }

    #[test]
    fn an_answer_of_anybody_else_is_none() {
        use Standing::{Discarded, Ready, Running, UnderWay, Unknown};
        for standing in [UnderWay, Ready, Running, Discarded, Unknown] {
            leads(State::Committed, Event::Answer(OTHER, standing), State::Committed, Action::Ask);
            leads(State::Kept, Event::Answer(OTHER, standing), State::Kept, Action::Refuse);
        }
    }

    #[test]
    fn a_copy_in_a_file_runs_only_when_the_target_has_none() {
        leads(State::Committed, Event::GaveUp, State::Committed, Action::Keep);
        leads(State::Committed, Event::Saved, State::Kept, Action::Leave);
        leads(State::Kept, Event::Answer(TARGET, Standing::Ready), State::Kept, Action::DiscardThere);
        leads(State::Kept, Event::Answer(TARGET, Standing::Discarded), State::Here, Action::RunHere);
        leads(State::Kept, Event::Answer(TARGET, Standing::Running), State::There, Action::Refuse);
        leads(State::Kept, Event::NoWord, State::Kept, Action::Refuse);
        leads(State::Kept, Event::Forced, State::Here, Action::RunHere);
    }

    #[test]
    fn the_end_is_the_end() {
        for state in [State::Here, State::There] {
            for event in
                [Event::Running, Event::Answer(TARGET, Standing::Discarded), Event::Forced, Event::Failed]
            {
                leads(state, event, state, Action::Nothing);
            }
        }
    }
}
