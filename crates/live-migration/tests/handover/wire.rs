//! The control connection: two directions, each in order.

use live_migration::handover::Identity;

/// One direction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pipe<W> {
    pub(crate) words: Vec<W>,
    /// Nothing comes behind these words: the sender has hung up, or the wire is cut.
    pub(crate) shut: bool,
}

/// What a source says. Pages and states count as one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ToTarget {
    Hello,
    All,
    Commit,
    Abort,
}

/// What a target says. Verdicts and proofs that fail count as Refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ToSource {
    Welcome(Identity),
    Ready,
    Running,
    Refused,
}

impl<W: Copy> Pipe<W> {
    /// Open and empty.
    pub(crate) fn new() -> Self {
        Self { words: Vec::new(), shut: false }
    }

    /// Open, a word on its way.
    pub(crate) fn open(word: W) -> Self {
        Self { words: vec![word], shut: false }
    }

    /// Nothing comes any more.
    pub(crate) fn shut() -> Self {
        Self { words: Vec::new(), shut: true }
    }

    /// Says a word, which a cut wire swallows.
    pub(crate) fn say(&mut self, word: W) {
        if !self.shut {
            self.words.push(word);
        }
    }

    /// The next word.
    pub(crate) fn hear(&mut self) -> W {
        self.words.remove(0)
    }

    /// The wire is cut behind the first `kept` words.
    pub(crate) fn cut(&mut self, kept: usize) {
        self.words.truncate(kept);
        self.shut = true;
    }

    /// All that was said has been heard, and nothing follows.
    pub(crate) fn has_ended(&self) -> bool {
        self.shut && self.words.is_empty()
    }
}
