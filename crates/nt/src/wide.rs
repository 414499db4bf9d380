//! Text in UTF-16, as the kernel takes it.

/// A UTF-16 literal of ASCII characters with a terminating zero, `&'static [u16]` with the zero included.
#[macro_export]
macro_rules! wide {
    ($text:literal) => {{
        const BYTES: &[u8] = $text.as_bytes();
        static UNITS: [u16; BYTES.len() + 1] = {
            let mut units = [0; BYTES.len() + 1];
            let mut at = 0;
            while at < BYTES.len() {
                assert!(BYTES[at].is_ascii());
                units[at] = BYTES[at] as u16;
                at += 1;
            }
            units
        };
        &UNITS as &'static [u16]
    }};
}

/// UTF-16 in a fixed buffer, zero-terminated.
pub struct Wide<const N: usize> {
    units: [u16; N],
    used: usize,
}

impl<const N: usize> Wide<N> {
    /// The text; none when it does not fit with its zero.
    pub fn new(text: &str) -> Option<Self> {
        let mut wide = Self { units: [0; N], used: 0 };
        for unit in text.encode_utf16() {
            *wide.units[..N - 1].get_mut(wide.used)? = unit;
            wide.used += 1;
        }
        Some(wide)
    }

    /// The units, the zero included.
    pub fn with_zero(&self) -> &[u16] {
        &self.units[..=self.used]
    }
}

/// A UNICODE_STRING over `units`; a zero at their end is not counted. None when it is longer than one can be.
///
/// The kernel does not write through it; it is valid as long as the units are.
#[cfg(windows)]
pub fn unicode_string(units: &[u16]) -> Option<wdk_sys::UNICODE_STRING> {
    let counted = units.strip_suffix(&[0]).unwrap_or(units);
    Some(wdk_sys::UNICODE_STRING {
        Length: u16::try_from(size_of_val(counted)).ok()?,
        MaximumLength: u16::try_from(size_of_val(units)).ok()?,
        Buffer: units.as_ptr().cast_mut(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_room_for_its_zero() {
        assert_eq!(wide!("ab"), [97, 98, 0]);
        assert_eq!(Wide::<3>::new("ab").unwrap().with_zero(), [97, 98, 0]);
        assert!(Wide::<3>::new("abc").is_none());
    }
}
