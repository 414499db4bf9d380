//! Answers to sources in doubt, and to operators who settle it for them.

use super::held::Held;
use super::{Target, Visit};
use crate::error::Error;
use crate::handover::Standing;
use crate::handover::target::{Action, Event};
use crate::wire::frame::Kind;
use crate::wire::framed::Framed;
use crate::wire::message::{Question, Resolution, Resolve};

fn event(question: Question) -> Event {
    match question {
        Question::Ask => Event::Asked,
        Question::Look => Event::Looked,
        Question::Run => Event::AskedToRun,
        Question::Discard => Event::AskedToDiscard,
    }
}

impl Target {
    /// Answers a question, and the next one on the same connection.
    pub(super) fn resolve(&self, mut link: Framed, mut resolve: Resolve) -> Visit {
        let mut visit = Visit::Answered;
        loop {
            let Resolve { migration, question } = resolve;
            match self.register.step(migration, event(question)) {
                None => self.say(&mut link, Standing::Unknown),
                Some((Action::Say(Standing::Running), _)) if question != Question::Look => {
                    self.say(&mut link, Standing::Running);
                    return Visit::Waiting(migration, link);
                }
                Some((Action::Say(standing), _)) => self.say(&mut link, standing),
                Some((Action::Run, Some(held))) => return self.set_going(held, link),
                Some((Action::Discard, Some(held))) => {
                    visit = Visit::LetGo(migration, held.discard());
                    self.say(&mut link, Standing::Discarded);
                }
                Some(_) => self.say(&mut link, Standing::UnderWay),
            }
            match link.expect_message(Kind::Resolve) {
                Ok(next) => resolve = next,
                Err(_) => return visit,
            }
        }
    }

    /// A VM in doubt is to run.
    fn set_going(&self, mut held: Held, mut link: Framed) -> Visit {
        let migration = held.hello.migration;
        match self.start(&mut held) {
            Ok(()) => {
                // If this word is lost whoever said it asks again, and hears it then.
                self.say(&mut link, Standing::Running);
                Visit::Settled(held, link)
            }
            Err(error) => {
                let _ = held.discard();
                self.say(&mut link, Standing::Discarded);
                Visit::Discarded(migration, error)
            }
        }
    }

    /// Ownership has passed: sets the VM going, and notes how that went.
    pub(super) fn start(&self, held: &mut Held) -> Result<(), Error> {
        let started = held.run();
        let event = if started.is_ok() { Event::Runs } else { Event::Failed };
        let _ = self.register.step(held.hello.migration, event);
        started
    }

    fn say(&self, link: &mut Framed, standing: Standing) {
        // Whoever did not hear it asks again.
        let _ = link.send_message(Kind::Resolution, &Resolution { target: self.identity, standing });
    }
}
