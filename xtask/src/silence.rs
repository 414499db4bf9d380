//! When a program that runs elsewhere counts as hung: when it has said nothing for long, however long it has run.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Far longer than anything here is silent for, on any machine.
pub(crate) const LONGEST: Duration = Duration::from_secs(600);

/// The silence of a program whose words go into a log.
pub(crate) struct Silence {
    log: PathBuf,
    bytes: u64,
    since: Instant,
}

impl Silence {
    /// Begins to listen.
    pub(crate) fn of(log: &Path) -> Self {
        Self { log: log.to_owned(), bytes: 0, since: Instant::now() }
    }

    /// Whether it has lasted too long.
    pub(crate) fn is_over(&mut self) -> bool {
        self.lasts(LONGEST)
    }

    fn lasts(&mut self, longest: Duration) -> bool {
        let bytes = fs::metadata(&self.log).map_or(0, |log| log.len());
        if bytes != self.bytes {
            (self.bytes, self.since) = (bytes, Instant::now());
        }
        self.since.elapsed() > longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_word_begins_it_anew() {
        let scratch = Scratch::new("silence");
        let log = scratch.path().join("log");
        let mut silence = Silence::of(&log);
        std::thread::sleep(Duration::from_millis(2));
        assert!(silence.lasts(Duration::from_millis(1)));
        fs::write(&log, "a word").unwrap();
        assert!(!silence.lasts(LONGEST) && silence.since.elapsed() < LONGEST);
        let heard = silence.since;
        assert!(!silence.lasts(LONGEST) && silence.since == heard);
        fs::write(&log, "another word").unwrap();
        assert!(!silence.lasts(LONGEST) && silence.since > heard);
    }
}
