//! The terminal that bars are drawn on, without waiting for it.

use std::fmt::Write;
use std::io::Result;
use std::sync::{Mutex, PoisonError};

use indicatif::TermLike;
use ratatui::crossterm::terminal::size;

use crate::tell;

/// Collects what is drawn until it is a picture.
#[derive(Debug, Default)]
pub(super) struct Screen(Mutex<String>);

impl Screen {
    fn put(&self, text: impl std::fmt::Display) -> Result<()> {
        // Writing to a string does not fail.
        let _ = write!(self.0.lock().unwrap_or_else(PoisonError::into_inner), "{text}");
        Ok(())
    }

    /// So many steps, `way` being the letter of their direction.
    fn step(&self, steps: usize, way: char) -> Result<()> {
        if steps == 0 { Ok(()) } else { self.put(format_args!("\x1b[{steps}{way}")) }
    }
}

/// Columns and lines; some terminals do not know theirs.
fn shape() -> (u16, u16) {
    size().ok().filter(|(columns, lines)| *columns > 0 && *lines > 0).unwrap_or((80, 24))
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        shape().0
    }

    fn height(&self) -> u16 {
        shape().1
    }

    fn move_cursor_up(&self, n: usize) -> Result<()> {
        self.step(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> Result<()> {
        self.step(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> Result<()> {
        self.step(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> Result<()> {
        self.step(n, 'D')
    }

    fn write_line(&self, s: &str) -> Result<()> {
        self.put(format_args!("{s}\n"))
    }

    fn write_str(&self, s: &str) -> Result<()> {
        self.put(s)
    }

    fn clear_line(&self) -> Result<()> {
        self.put("\r\x1b[2K")
    }

    fn flush(&self) -> Result<()> {
        let picture = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if !picture.is_empty() {
            tell::draw(picture);
        }
        Ok(())
    }
}
