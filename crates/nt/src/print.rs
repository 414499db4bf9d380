//! Lines in the debugger, formatted in a bounded buffer on the stack: no allocation, any IRQL.
//!
//! UNSAFETY: calls the kernel.
#![cfg_attr(windows, expect(unsafe_code))]

use core::fmt::{self, Write};

/// Bytes of a line, its zero included: DbgPrintEx takes 512 at once.
const BYTES: usize = 512;

/// A line cut off where the buffer ends.
pub struct Line {
    bytes: [u8; BYTES],
    used: usize,
}

impl Line {
    /// Formats a line.
    pub fn new(text: fmt::Arguments<'_>) -> Self {
        let mut line = Self { bytes: [0; BYTES], used: 0 };
        // The only error is that the text is too long.
        let _ = line.write_fmt(text);
        line
    }

    /// The text.
    pub fn text(&self) -> &[u8] {
        &self.bytes[..self.used]
    }

    /// The bytes, ended by a zero.
    pub fn with_zero(&self) -> &[u8] {
        &self.bytes[..=self.used]
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = BYTES - 1 - self.used;
        let fits = text.floor_char_boundary(room);
        self.bytes[self.used..self.used + fits].copy_from_slice(&text.as_bytes()[..fits]);
        self.used += fits;
        if fits == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

/// Importance of a line, as the debugger's filter knows it: DPFLTR_XXX_LEVEL of "DbgPrintEx function".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// DPFLTR_ERROR_LEVEL.
    Error = 0,
    /// DPFLTR_WARNING_LEVEL.
    Warning = 1,
    /// DPFLTR_TRACE_LEVEL.
    Trace = 2,
    /// DPFLTR_INFO_LEVEL.
    Info = 3,
}

/// Writes a line to the debugger, under the component IHVVIDEO. Up to DIRQL. "DbgPrintEx function".
#[cfg(windows)]
pub fn line(level: Level, text: fmt::Arguments<'_>) {
    let line = Line::new(format_args!("{text}\n"));
    let bytes = line.with_zero();
    let component = wdk_sys::_DPFLTR_TYPE::DPFLTR_IHVVIDEO_ID as u32;
    // SAFETY: the format takes one string, and both strings end with a zero.
    unsafe {
        wdk_sys::ntddk::DbgPrintEx(component, level as u32, c"%s".as_ptr().cast(), bytes.as_ptr());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_where_a_character_begins() {
        let long = "x".repeat(BYTES - 2) + "é";
        let line = Line::new(format_args!("{long}"));
        assert_eq!(line.with_zero().len(), BYTES - 1);
        assert_eq!(line.with_zero().last(), Some(&0));
        assert_eq!(Line::new(format_args!("a{}", 1)).with_zero(), b"a1\0");
    }
}
