//! Runs the source's side of the hand-over: does what its machine says, and tells it how that went.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::sync::atomic::Ordering;
use core::time::Duration;

use dxgksim::host::MILLISECOND;

use super::Source;
use super::carrier::measured;
use super::failed::Failed;
use super::options::{Connect, Outcome};
use crate::converge::FULL_SPEED;
use crate::error::Error;
use crate::event::{Event as Told, Observer, Step};
use crate::handover::source::{Action, Event, State};
use crate::handover::{Identity, Standing};
use crate::phase::Phase;
use crate::wire::channel::LinkError;
use crate::wire::frame::Kind;
use crate::wire::framed::Framed;
use crate::wire::message::{Question, Resolution, Resolve};
use crate::wire::vigil::Vigil;

/// Between two questions, in nanoseconds.
const STEP_NS: u64 = 100 * MILLISECOND;
/// How long an answer that has begun to come, or that somebody does not want to wait for, is waited for at least.
const ANSWER_NS: u64 = 500 * MILLISECOND;
/// How often a target whose agent is still at its connection is told to discard, before it is left to find out.
const DISCARDS: u32 = 20;

/// One run of the machine, from one event to where nothing is left to do.
struct Run<'a> {
    source: &'a Source,
    connect: &'a mut dyn Connect,
    observer: &'a mut dyn Observer,
    /// Ends the waits for answers.
    vigil: Arc<Vigil>,
    /// The connection that the last word was said on.
    link: Option<Framed>,
    /// What is still to be said to a target that may not have the VM.
    failed: Option<Box<Failed>>,
    /// Why the VM could not move.
    why: Option<Error>,
    /// A question was asked.
    asked: bool,
    /// When the word was about to be said.
    began: Option<u64>,
    /// Seconds from then to the answer that the VM runs there.
    resume: f64,
}

impl Source {
    /// Ownership passes, or the VM is taken back.
    pub(super) fn hand_over(
        &self,
        offered: Result<Framed, Box<Failed>>,
        connect: &mut dyn Connect,
        observer: &mut dyn Observer,
        outcome: &mut Outcome,
    ) -> Result<Framed, Error> {
        let begin = self.vigil.now();
        let (event, link, failed) = match offered {
            Ok(control) => {
                let _ = observer.event(Told::Enter(Phase::Commit));
                (Event::Ready, Some(control), None)
            }
            Err(failed) => (Event::Failed, None, Some(failed)),
        };
        let mut run = self.run(connect, observer);
        (run.link, run.failed, run.began) = (link, failed, Some(begin));
        let ended = run.go(event);
        (outcome.was_in_doubt, outcome.pause.resume) = (run.asked, run.resume);
        ended
    }

    /// Asks the target again what became of the migration, for `time`, whether or not somebody wants an end: the VM is
    /// whole only here.
    ///
    /// Ok: the target runs the VM, which has left. [`Error::Aborted`]: it does not, and the VM runs here again.
    /// [`Error::InDoubt`]: no answer; the VM stands still here, whole, and this can be called again.
    pub fn settle(
        &self,
        connect: &mut dyn Connect,
        observer: &mut dyn Observer,
        time: Duration,
    ) -> Result<Framed, Error> {
        let mut run = self.run(connect, observer);
        run.vigil = self.vigil.resolute();
        run.vigil.within(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        run.go(Event::AskAgain)
    }

    /// The VM that stood still in doubt is in a file that outlives this process: it leaves its VF.
    pub fn kept(&self, observer: &mut dyn Observer) -> Result<(), Error> {
        match self.step(Event::Saved) {
            Action::Leave => self.leave(observer),
            _ => Err(Error::Protocol("the VM is not in doubt")),
        }
    }

    fn run<'a>(&'a self, connect: &'a mut dyn Connect, observer: &'a mut dyn Observer) -> Run<'a> {
        let vigil = self.vigil.apart();
        vigil.within(self.options.settle_ns);
        Run {
            source: self,
            connect,
            observer,
            vigil,
            link: None,
            failed: None,
            why: None,
            asked: false,
            began: None,
            resume: 0.0,
        }
    }

    fn step(&self, event: Event) -> Action {
        let mut hand = self.hand.lock();
        let (next, action) = hand.step(event);
        *hand = next;
        action
    }

    /// The VM runs here as before. Whatever the driver refuses, the guest gets its processor back.
    fn recover(&self, observer: &mut dyn Observer) -> Result<(), Error> {
        let _ = observer.event(Told::Throttle(FULL_SPEED));
        let ended = self.vgpu.end();
        let unpaused = if self.options.pause_vf { self.vgpu.set_pause(false) } else { Ok(()) };
        self.vm.resume();
        Ok(ended.and(unpaused)?)
    }

    /// The VM has left: its VF is powered off before EndLiveMigration, so that it cannot run again.
    fn leave(&self, observer: &mut dyn Observer) -> Result<(), Error> {
        let _ = observer.event(Told::Enter(Phase::End));
        self.vm.stop();
        self.vgpu.power_off()?;
        Ok(self.vgpu.end()?)
    }
}

impl Run<'_> {
    fn go(&mut self, first: Event) -> Result<Framed, Error> {
        let mut event = first;
        loop {
            let action = self.source.step(event);
            match self.perform(action)? {
                Some(next) => event = next,
                None => return self.end(),
            }
        }
    }

    /// Does what the machine says; how it went, unless that is the end of it.
    fn perform(&mut self, action: Action) -> Result<Option<Event>, Error> {
        Ok(match action {
            Action::Commit => Some(self.commit()),
            Action::Ask => Some(self.ask()),
            Action::CommitAgain => Some(self.say_on_link(Question::Run)),
            Action::RunHere => {
                self.source.recover(self.observer)?;
                None
            }
            Action::TakeBack => {
                // First the guest, then words.
                let recovered = self.source.recover(self.observer);
                self.tell_of_taking_back();
                recovered?;
                None
            }
            Action::Leave => {
                if let Some(began) = self.began {
                    self.resume = measured(self.observer, Step::Resume, began, self.vigil.now());
                }
                self.source.leave(self.observer).map_err(|error| Error::Left(error.to_string()))?;
                None
            }
            Action::Keep | Action::Nothing | Action::DiscardThere | Action::Refuse => None,
        })
    }

    fn end(&mut self) -> Result<Framed, Error> {
        let migration = self.source.options.migration;
        match self.source.standing() {
            State::There => {
                let link = self.link.take().ok_or(Error::InDoubt { migration })?;
                Ok(link.watched_by(self.source.vigil.clone()))
            }
            State::Here => Err(self.why.take().unwrap_or_else(discarded)),
            State::Owner | State::Committed | State::Kept => Err(Error::InDoubt { migration }),
        }
    }

    /// Says the word, and waits for the answer on the same connection.
    fn commit(&mut self) -> Event {
        let Some(link) = self.link.take() else { return Event::NoWord };
        // What has been said is not taken back by whoever wants an end: only the wait for the answer is shorter.
        let waiting = self.vigil.resolute();
        waiting.within(self.source.options.settle_ns / 2);
        let mut link = link.watched_by(waiting.clone());
        if link.send(Kind::Commit, &[]).is_err() || !self.comes(&mut link) {
            return Event::NoWord;
        }
        waiting.within(ANSWER_NS);
        match link.expect(Kind::Running) {
            Ok(_) => {
                self.link = Some(link);
                Event::Running
            }
            Err(Error::Aborted(why)) => {
                self.why = Some(Error::Aborted(why));
                Event::Refused
            }
            Err(_) => Event::NoWord,
        }
    }

    /// Whether an answer comes in time, which is half of the time there is; within a moment, if somebody wants an end.
    fn comes(&self, link: &mut Framed) -> bool {
        let begin = self.vigil.now();
        loop {
            match link.look() {
                Ok(true) => return true,
                Ok(false) => {}
                Err(_) => return false,
            }
            if self.vigil.is_cancelled() && self.vigil.now().saturating_sub(begin) > ANSWER_NS {
                return false;
            }
        }
    }

    /// Asks on a new connection, after a while.
    fn ask(&mut self) -> Event {
        if !core::mem::replace(&mut self.asked, true) {
            let _ = self.observer.event(Told::InDoubt);
        } else if self.vigil.sleep(STEP_NS).is_err() {
            return Event::GaveUp;
        }
        if self.vigil.check().is_err() {
            return Event::GaveUp;
        }
        match self.connect.connect(&self.vigil) {
            Ok(channel) => {
                self.link = Some(Framed::new(channel, self.vigil.clone()));
                self.say_on_link(Question::Ask)
            }
            Err(LinkError::Cancelled | LinkError::Overdue) => Event::GaveUp,
            Err(_) => Event::NoWord,
        }
    }

    /// Says something to whoever is at the other end of the link, and hears the answer.
    fn say_on_link(&mut self, question: Question) -> Event {
        let migration = self.source.options.migration;
        let Some(link) = &mut self.link else { return Event::NoWord };
        match put(link, Resolve { migration, question }) {
            Ok(Resolution { target, standing }) => Event::Answer(target, standing),
            Err(_) => Event::NoWord,
        }
    }

    /// Tells the target why the VM is taken back. One that may stand ready, which nobody can be sure has heard it, is told
    /// to discard the VM on new connections; if it cannot be reached, it is in doubt until an operator tells it.
    fn tell_of_taking_back(&mut self) {
        let Some(failed) = self.failed.take() else { return };
        let why = failed.part();
        let gave_up_itself = matches!(why, Error::Aborted(_));
        self.why = Some(why);
        let Some(target) = self.source.hand.lock().target else { return };
        if gave_up_itself || !self.source.loaded.load(Ordering::Relaxed) {
            return;
        }
        let vigil = self.vigil.resolute();
        vigil.within(u64::from(DISCARDS) * STEP_NS);
        for _ in 0..DISCARDS {
            match self.discard_once(&vigil) {
                Some((from, standing)) if from == target && standing != Standing::UnderWay => return,
                _ => {}
            }
            if vigil.sleep(STEP_NS).is_err() {
                return;
            }
        }
    }

    fn discard_once(&mut self, vigil: &Arc<Vigil>) -> Option<(Identity, Standing)> {
        let channel = self.connect.connect(vigil).ok()?;
        let question = Resolve { migration: self.source.options.migration, question: Question::Discard };
        let answer = put(&mut Framed::new(channel, vigil.clone()), question).ok()?;
        Some((answer.target, answer.standing))
    }
}

/// Puts a question to a target, and hears the answer.
pub fn put(link: &mut Framed, question: Resolve) -> Result<Resolution, Error> {
    link.send_message(Kind::Resolve, &question)?;
    link.expect_message(Kind::Resolution)
}

fn discarded() -> Error {
    Error::Aborted(String::from("it has discarded the VM; the source runs it again"))
}
