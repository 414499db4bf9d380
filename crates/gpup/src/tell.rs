//! What the tool says: lines for people on standard error, results on standard output.
//!
//! No stream ends or holds up anything: a VM's life does not hang on who reads. A line that nobody can read is lost; a result that
//! could not be written is remembered, and the command says so at its end. Words of others, a peer's or a file's, may be
//! among what is said: none of them steers the terminal.

mod queue;

use std::borrow::Cow;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, PoisonError};

/// Why a result did not reach its reader: the first failure.
static UNWRITTEN: Mutex<Option<String>> = Mutex::new(None);

/// Tells people something on standard error.
macro_rules! tell {
    ($($text:tt)*) => { $crate::tell::line(::core::format_args!($($text)*)) };
}
pub(crate) use tell;

/// Prints a result for people on standard output.
macro_rules! say {
    ($($text:tt)*) => { $crate::tell::result(::core::format_args!($($text)*)) };
}
pub(crate) use say;

/// Tells a line, or loses it.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    queue::put(harmless(&format!("{text}\n")).into_owned());
}

/// Waits a moment for what was told, so that what comes next stands behind it.
pub(crate) fn settle() {
    queue::settle();
}

/// Draws on the terminal that standard error is.
pub(crate) fn draw(text: String) {
    queue::put(text);
}

/// Prints a line of a result. Its reader may have gone (`gpup caps | head -1`), which is no failure.
pub(crate) fn result(text: fmt::Arguments<'_>) {
    settle();
    match write(&harmless(&format!("{text}\n"))) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => unwritten(format!("standard output: {error}")),
        _ => {}
    }
}

/// The text with its control characters in words.
fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
    if !text.contains(steers) {
        return text.into();
    }
    let letters = text.chars().map(|letter| match letter {
        letter if steers(letter) => letter.escape_default().to_string(),
        letter => letter.into(),
    });
    letters.collect::<String>().into()
}

/// Writes to standard output, and knows whether it got there.
pub(crate) fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Remembers that a result did not get to its place.
pub(crate) fn unwritten(why: String) {
    UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
}

/// Why a result did not get to its place, if one did not. Said once.
pub(crate) fn take_unwritten() -> Option<String> {
    UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn words_of_others_do_not_steer_the_terminal() {
        assert_eq!(harmless("a page\t\u{e9}\n"), "a page\t\u{e9}\n");
        assert_eq!(harmless("\u{1b}]0;mine\u{7}\rx\u{9b}"), "\\u{1b}]0;mine\\u{7}\\rx\\u{9b}");
    }
}
