//! A file that was saved in doubt: its VM may run somewhere already, so the target is asked before the copy runs.

use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use live_migration::handover::source::{Action, Event, Source, State};
use live_migration::put;
use live_migration::wire::framed::Framed;
use live_migration::wire::message::{Doubt, Question, Resolve};
use live_migration::wire::vigil::Vigil;

use crate::args::Restore;
use crate::exit::Failure;
use crate::tcp::Address;
use crate::tell::tell;
use crate::units::MigrationId;

/// How often a target that is still at work on the VM is asked, and the time in between.
const TRIES: u32 = 50;
const STEP: Duration = Duration::from_millis(100);

/// Fine if the copy in the file is the only one.
pub(super) fn settle(args: &Restore, doubt: &Doubt, migration: u128) -> Result<(), Failure> {
    let mut asking = Asking {
        copy: Source::kept(doubt.target),
        address: args.to.clone().unwrap_or_else(|| doubt.address.clone()),
        migration,
        link: None,
        why: String::new(),
    };
    if args.force {
        tell!(
            "{} was saved in doubt and is restored without asking: if {} runs this VM, it now runs twice",
            args.file.display(),
            asking.address
        );
        asking.step(Event::Forced);
        return Ok(());
    }
    for _ in 0..TRIES {
        match asking.ask() {
            State::Here => return Ok(()),
            State::There => return Err(asking.runs_there(&args.file)),
            _ if asking.is_under_way() => sleep(STEP),
            _ => break,
        }
    }
    Err(asking.unanswered(&args.file))
}

/// What the copy in a file learns of its VM.
struct Asking {
    copy: Source,
    address: String,
    migration: u128,
    /// Where the last question was put.
    link: Option<Framed>,
    /// What stands in the way.
    why: String,
}

/// What is said of a target that has not let go of its connection yet.
const UNDER_WAY: &str = "is still at work on this migration";

impl Asking {
    /// Asks until the machine has an answer; where the VM is then.
    fn ask(&mut self) -> State {
        let mut action = self.step(Event::AskAgain);
        loop {
            let question = match action {
                Action::Ask => Question::Ask,
                Action::DiscardThere => Question::Discard,
                _ => return self.copy.state,
            };
            let event = self.put(question);
            action = self.step(event);
        }
    }

    fn step(&mut self, event: Event) -> Action {
        let (copy, action) = self.copy.step(event);
        self.copy = copy;
        action
    }

    fn put(&mut self, question: Question) -> Event {
        match self.try_to_put(question) {
            Ok(event) => event,
            Err(why) => {
                self.why = format!("does not answer ({why})");
                Event::NoWord
            }
        }
    }

    fn try_to_put(&mut self, question: Question) -> Result<Event, String> {
        if question == Question::Ask {
            let vigil: Arc<Vigil> = Vigil::patient();
            let channel =
                Address::resolve(&self.address)?.connect(&vigil).map_err(|error| error.to_string())?;
            self.link = Some(Framed::new(Box::new(channel), vigil));
        }
        let Some(link) = &mut self.link else { return Ok(Event::NoWord) };
        let answer =
            put(link, Resolve { migration: self.migration, question }).map_err(|error| error.to_string())?;
        self.why = if self.copy.target == Some(answer.target) {
            UNDER_WAY.into()
        } else {
            "is another target than the one that has the VM".into()
        };
        Ok(Event::Answer(answer.target, answer.standing))
    }

    fn is_under_way(&self) -> bool {
        self.why == UNDER_WAY
    }

    fn runs_there(&self, file: &Path) -> Failure {
        Failure::Failed(format!(
            "{} is refused: {} runs this VM (migration {}), so the copy must not be restored anywhere",
            file.display(),
            self.address,
            MigrationId(self.migration)
        ))
    }

    fn unanswered(&self, file: &Path) -> Failure {
        Failure::InDoubt(format!(
            "{} was saved in doubt, and {} {}: name the target with --to, or, if you know that it is gone for good, \
             say --force",
            file.display(),
            self.address,
            self.why
        ))
    }
}
