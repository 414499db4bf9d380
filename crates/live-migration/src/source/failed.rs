//! A VM that could not be offered: what is said to the target, and what it says.

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use dxgksim::host::Mutex;

use crate::error::Error;
use crate::pages::mover::Mover;
use crate::wire::framed::{Framed, LAST_WORDS_NS};

/// Why a VM could not be offered, and the connection, if there was one.
pub(super) struct Failed {
    pub(super) error: Error,
    pub(super) control: Option<Framed>,
    /// They end after the control connection: the target is to hear why before it sees that.
    pub(super) streams: Vec<Arc<Mutex<Mover>>>,
}

impl Failed {
    /// Ends the connection. The target learns why; where the connection has failed, it may have said why.
    pub(super) fn part(self) -> Error {
        let Self { error, control, streams } = self;
        let _until_the_end = streams;
        let Some(control) = control else { return error };
        match error {
            Error::Aborted(_) => error,
            error if error.is_link() => control.last_words(LAST_WORDS_NS).map_or(error, Error::Aborted),
            error => {
                control.give_up(&error.to_string());
                error
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::string::String;
    use alloc::sync::Arc;
    use alloc::vec::Vec;
    use std::sync::Mutex;

    use super::{Error, Failed, Framed, LAST_WORDS_NS};
    use crate::wire::channel::LinkError;
    use crate::wire::frame::Kind;
    use crate::wire::testing::{Comes, Said, Script, frames, vigil};
    use crate::wire::vigil::Clock;

    /// What comes of `error` on a connection where `comes` comes; and what was said on it, and how long it took.
    fn part(error: Error, comes: Comes, cut: bool) -> (Error, Arc<Mutex<Said>>, u64) {
        let (clock, _, vigil) = vigil();
        let script = Script::new(clock.clone(), [comes]);
        let script = if cut { script.cut() } else { script };
        let said = script.said();
        let control = Some(Framed::new(Box::new(script), vigil));
        (Failed { error, control, streams: Vec::new() }.part(), said, clock.now())
    }

    fn abort(why: &str) -> Comes {
        Comes::Bytes(frames(&[(Kind::Abort, &postcard::to_allocvec(why).unwrap())]))
    }

    fn closed() -> Comes {
        Comes::Error(LinkError::Closed)
    }

    #[test]
    fn a_target_that_nobody_has_met_need_not_be_told() {
        assert_eq!(
            Failed { error: Error::Cancelled, control: None, streams: Vec::new() }.part(),
            Error::Cancelled
        );
    }

    #[test]
    fn a_failure_of_the_source_is_said() {
        let (parted, said, _) = part(Error::Cancelled, closed(), false);
        assert_eq!(parted, Error::Cancelled);
        let expected = frames(&[(Kind::Abort, &postcard::to_allocvec("cancelled").unwrap())]);
        assert_eq!(said.lock().unwrap().bytes, expected);
    }

    #[test]
    fn a_target_that_does_not_close_its_end_is_not_waited_for() {
        let (parted, _, took) = part(Error::Cancelled, Comes::Nothing(0), false);
        assert_eq!(parted, Error::Cancelled);
        assert!(took <= 2 * LAST_WORDS_NS);
    }

    #[test]
    fn a_target_that_gave_up_itself_is_told_nothing() {
        let why = Error::Aborted(String::from("no room"));
        let (parted, said, _) = part(why.clone(), closed(), false);
        assert_eq!(parted, why);
        assert!(said.lock().unwrap().bytes.is_empty());
    }

    #[test]
    fn what_the_target_said_last_is_why_its_connection_failed() {
        let (parted, said, _) = part(LinkError::Closed.into(), abort("no room"), true);
        assert_eq!(parted, Error::Aborted(String::from("no room")));
        assert!(said.lock().unwrap().bytes.is_empty());
    }

    #[test]
    fn a_connection_that_failed_without_a_word_is_its_own_reason() {
        for comes in [closed(), Comes::Nothing(0)] {
            let (parted, _, took) = part(LinkError::Silent(60).into(), comes, true);
            assert_eq!(parted, LinkError::Silent(60).into());
            assert!(took <= 2 * LAST_WORDS_NS);
        }
    }

    #[test]
    fn a_time_that_is_over_is_the_sources_reason_and_is_said() {
        let (parted, said, _) = part(LinkError::Overdue.into(), closed(), false);
        assert_eq!(parted, LinkError::Overdue.into());
        assert!(!said.lock().unwrap().bytes.is_empty());
    }
}
