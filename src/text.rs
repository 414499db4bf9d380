//! Text for Windows: UTF-16 in fixed arrays, zero-terminated.

use core::fmt::{self, Write};

struct Utf16<const N: usize> {
    units: [u16; N],
    used: usize,
}

impl<const N: usize> Write for Utf16<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for unit in text.encode_utf16() {
            // The last unit stays zero.
            let place = self.units[..N - 1].get_mut(self.used).ok_or(fmt::Error)?;
            *place = unit;
            self.used += 1;
        }
        Ok(())
    }
}

/// Formats into an array of UTF-16 units; what does not fit is cut off.
pub(crate) fn utf16<const N: usize>(text: fmt::Arguments<'_>) -> [u16; N] {
    let mut out = Utf16 { units: [0; N], used: 0 };
    // The only error is that the text is too long.
    let _ = out.write_fmt(text);
    out.units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_and_terminated() {
        assert_eq!(utf16::<4>(format_args!("abcdef")), [97, 98, 99, 0]);
        assert_eq!(utf16::<4>(format_args!("a")), [97, 0, 0, 0]);
    }
}
