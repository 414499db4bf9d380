//! Sizes, rates and durations as people write and read them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of bytes: `4096`, `64KiB`, `256MiB`, `1.5GiB`, `10MB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

const SIZES: [(&str, f64); 9] = [
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("B", 1.0),
];

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

/// `text` as a number times its unit's factor, if that is a whole number of something sensible.
fn scaled(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let (number, unit) = split(text);
    let factor = match unit {
        "" => 1.0,
        unit => units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1,
    };
    let value = number.parse::<f64>().ok()? * factor;
    (value.is_finite() && (0.0..9.0e18).contains(&value)).then_some(value)
}

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let value = scaled(text, &SIZES).ok_or_else(|| {
            format!("'{text}' is no size: write bytes or a number with a unit, such as 256MiB or 4GiB")
        })?;
        Ok(Self(value as u64))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0;
        for (unit, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)] {
            if bytes >= 1 << shift {
                let value = bytes as f64 / (1u64 << shift) as f64;
                let digits = if value.fract() == 0.0 || value >= 100.0 { 0 } else { 1 };
                return write!(f, "{value:.digits$} {unit}");
            }
        }
        write!(f, "{bytes} B")
    }
}

/// Bytes a second: a size, with or without `/s`, or bits as `10Gbit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub u64);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const BITS: [(&str, f64); 3] = [("kbit", 125.0), ("Mbit", 125e3), ("Gbit", 125e6)];
        let bare = text.trim().trim_end_matches("/s");
        let value = scaled(bare, &BITS).filter(|_| bare.to_ascii_lowercase().ends_with("bit"));
        match value.or_else(|| scaled(bare, &SIZES)) {
            Some(value) if value >= 1.0 => Ok(Self(value as u64)),
            _ => {
                Err(format!("'{text}' is no rate: write a size a second, such as 500MB/s, 1GiB/s or 10Gbit"))
            }
        }
    }
}

/// A duration: `250ms`, `1.5s`, `2m`; a bare number is seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Time(pub Duration);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const UNITS: [(&str, f64); 5] = [("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
        scaled(text, &UNITS)
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .map(Self)
            .ok_or_else(|| {
                format!("'{text}' is no duration: write a number with us, ms, s, m or h, such as 300ms")
            })
    }
}

/// So many things: `1 page`, `3 pages`.
pub fn count(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// The number that names a migration on both sides, in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MigrationId(pub u128);

impl FromStr for MigrationId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        u128::from_str_radix(text.trim(), 16).map(Self).map_err(|_| {
            format!(
                "'{text}' names no migration: copy the hexadecimal number from the message of either side"
            )
        })
    }
}

impl fmt::Display for MigrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A number that nobody guesses and nobody else has made up.
pub fn random_name() -> anyhow::Result<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the system has no random numbers: {error}"))?;
    Ok(u128::from_le_bytes(bytes))
}

/// Seconds for people: `12.3 ms`, `4.56 s`.
pub fn seconds(value: f64) -> String {
    match value {
        value if !value.is_finite() => "unknown".into(),
        value if value < 1e-3 => format!("{:.0} us", value * 1e6),
        value if value < 1.0 => format!("{:.1} ms", value * 1e3),
        value => format!("{value:.2} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, bytes) in
            [("4096", 4096), ("64KiB", 65536), ("1.5 GiB", 1_610_612_736), ("10MB", 10_000_000), ("7b", 7)]
        {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
        for text in ["", "GiB", "-1", "4 apples", "1e400", "99999999TiB", "1..2"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_written_short() {
        for (bytes, text) in [(0, "0 B"), (4096, "4 KiB"), (256 << 20, "256 MiB"), (1_610_612_736, "1.5 GiB")]
        {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }

    #[test]
    fn rates_are_bytes_or_bits() {
        for (text, rate) in [("10Gbit", 1_250_000_000), ("500MB/s", 500_000_000), ("1MiB", 1 << 20)] {
            assert_eq!(text.parse(), Ok(Rate(rate)), "{text}");
        }
        assert!("0".parse::<Rate>().is_err());
        assert!("fast".parse::<Rate>().is_err());
    }

    #[test]
    fn durations_have_units() {
        for (text, millis) in [("250ms", 250), ("1.5s", 1500), ("2m", 120_000), ("3", 3000)] {
            assert_eq!(text.parse(), Ok(Time(Duration::from_millis(millis))), "{text}");
        }
        assert!("soon".parse::<Time>().is_err());
    }
}
