//! Sizes, rates and durations as people write and read them.

mod exact;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub(crate) use exact::{Fault, amount};

/// A number of bytes: `4096`, `64KiB`, `256MiB`, `1.5GiB`, `10MB`. A fraction of a byte is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

const SIZES: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let amount = amount(text, &SIZES, 1).map_err(|fault| match fault {
            Fault::Unknown => {
                format!("'{text}' is no size: write bytes or a number with a unit, such as 256MiB or 4GiB")
            }
            Fault::TooLarge => format!("'{text}' is too much: write less than 8388608TiB"),
        })?;
        amount.exact().map(Self).ok_or_else(|| {
            format!("'{text}' is no whole number of bytes: write one, such as 4096, 64KiB or 1.5GiB")
        })
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

/// Bytes a second: a size, with or without `/s`, or bits as `10Gbit`. Above a megabyte a second the fraction of a byte
/// that is left over, less than a millionth, does not count; below, it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub u64);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const BITS: [(&str, u64); 3] = [("kbit", 125), ("Mbit", 125_000), ("Gbit", 125_000_000)];
        const FINE: u64 = 1_000_000;
        let bare = text.trim().trim_end_matches("/s");
        let units: &[_] = if bare.to_ascii_lowercase().ends_with("bit") { &BITS } else { &SIZES };
        match amount(bare, units, 1) {
            Ok(rate) if rate.whole >= FINE || (rate.whole > 0 && !rate.more) => Ok(Self(rate.whole)),
            Ok(rate) if rate.more => Err(format!(
                "'{text}' is no whole number of bytes a second: write one, such as 1KB/s, 500MB/s or 10Gbit"
            )),
            Ok(_) => Err(format!("'{text}' moves nothing: write at least 1B/s, such as 500MB/s or 10Gbit")),
            Err(Fault::TooLarge) => Err(format!("'{text}' is too much: write less than 8388608TiB/s")),
            Err(Fault::Unknown) => {
                Err(format!("'{text}' is no rate: write a size a second, such as 500MB/s, 1GiB/s or 10Gbit"))
            }
        }
    }
}

/// A duration: `250ms`, `1.5s`, `2m`; a bare number is seconds. What is finer than a nanosecond is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Time(pub Duration);

impl Time {
    /// The longest there is, more than a century: it can be added to any moment.
    pub const MOST_HOURS: u64 = 1_000_000;
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const HOUR: u64 = 3_600_000_000_000;
        const UNITS: [(&str, u64); 5] =
            [("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", HOUR / 60), ("h", HOUR)];
        let too_long = || format!("'{text}' is too long: write at most {}h", Self::MOST_HOURS);
        let nanoseconds = amount(text, &UNITS, 1_000_000_000).map_err(|fault| match fault {
            Fault::Unknown => {
                format!("'{text}' is no duration: write a number with us, ms, s, m or h, such as 300ms")
            }
            Fault::TooLarge => too_long(),
        })?;
        let nanoseconds = nanoseconds.exact().ok_or_else(|| {
            format!("'{text}' is finer than a nanosecond: write a whole number of those, 0.001us each")
        })?;
        match nanoseconds {
            nanoseconds if nanoseconds > Self::MOST_HOURS * HOUR => Err(too_long()),
            nanoseconds => Ok(Self(Duration::from_nanos(nanoseconds))),
        }
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
mod tests;
