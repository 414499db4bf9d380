//! Answers to sources in doubt, and to operators who settle it for them.

use std::sync::Arc;
use std::time::Duration;

use live_migration::Held;
use live_migration::wire::frame::{Framed, Kind};
use live_migration::wire::message::{Resolution, Resolve};

use super::{Ending, Shared};
use crate::tcp::PATIENCE;
use crate::units::MigrationId;

/// How long a question may wait for the agent at work: whoever asks will ask again.
const SHORT: Duration = Duration::from_secs(2);

impl Shared {
    /// Answers a question, and does what whoever asked then says.
    pub(super) fn resolve(self: &Arc<Self>, mut link: Framed, question: Resolve) {
        let Resolve::Ask(migration) = question else { return self.decide(link, question) };
        // No answer closes the connection, and the source asks again.
        let Some(resolution) = self.register.settled(migration, SHORT) else { return };
        if link.send_message(Kind::Resolution, &resolution).is_err() {
            return;
        }
        match resolution {
            Resolution::Unknown => {}
            Resolution::Running => self.tell_later(migration, link),
            Resolution::Ready => match link.expect_message(Kind::Resolve) {
                Ok(Resolve::Ask(_)) => {
                    let _ = link.send_message(Kind::Abort, &"asked twice");
                }
                Ok(decision) => self.decide(link, decision),
                Err(_) => self.say(&format!(
                    "somebody asked about migration {}: the VM stands ready as before",
                    MigrationId(migration)
                )),
            },
        }
    }

    fn decide(self: &Arc<Self>, link: Framed, decision: Resolve) {
        match decision {
            Resolve::Commit(migration) => self.commit(link, migration),
            Resolve::Discard(migration) => self.discard(link, migration),
            Resolve::Ask(_) => {}
        }
    }

    fn commit(&self, mut link: Framed, migration: u128) {
        // Whoever says commit may know of the cut before this side's agent does.
        let Some(resolution) = self.register.settled(migration, SHORT) else { return };
        let Some(mut held) = self.register.take_held(migration, true) else {
            if link.send_message(Kind::Resolution, &resolution).is_ok() && resolution == Resolution::Running {
                self.tell_later(migration, link);
            }
            return;
        };
        if let Err(error) = held.run() {
            let _ = held.discard();
            self.register.discarded(migration);
            let _ = link.send_message(Kind::Resolution, &Resolution::Unknown);
            self.end(migration, Ending::Discarded, error.to_string(), None);
            return;
        }
        self.say("no longer in doubt: the VM is to run here");
        // If this word is lost whoever said commit asks again, and hears it then.
        let _ = link.send_message(Kind::Resolution, &Resolution::Running);
        self.let_finish(held, link);
    }

    fn discard(&self, mut link: Framed, migration: u128) {
        // The source may know of the cut before this side does, so the agent's end is waited for.
        if self.register.settled(migration, PATIENCE).is_none() {
            return;
        }
        let discarded = self.register.take_held(migration, false).map(Held::discard);
        if let Some(resolution) = self.register.settled(migration, Duration::ZERO) {
            let _ = link.send_message(Kind::Resolution, &resolution);
        }
        let message = match discarded {
            None => return,
            Some(Ok(())) => "no longer in doubt: what came was discarded, as the source runs the VM".into(),
            Some(Err(error)) => format!("what came could not be discarded: {error}"),
        };
        self.end(migration, Ending::Discarded, message, None);
    }

    /// Tells the guest's outcome on `link` as soon as there is one.
    fn tell_later(&self, migration: u128, link: Framed) {
        if let Some((link, outcome)) = self.register.listen(migration, link) {
            self.tell_outcome(migration, link, &outcome);
        }
    }
}
