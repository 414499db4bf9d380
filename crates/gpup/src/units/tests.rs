//! What is read of sizes, rates and durations, and what is refused.

use super::*;
use proptest::prelude::*;

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
    for (bytes, text) in [(0, "0 B"), (4096, "4 KiB"), (256 << 20, "256 MiB"), (1_610_612_736, "1.5 GiB")] {
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
    assert_eq!("0.4us".parse(), Ok(Time(Duration::from_nanos(400))));
    assert!("soon".parse::<Time>().is_err());
}

#[test]
fn what_would_be_rounded_to_another_meaning_is_refused() {
    for text in ["0.5", "0.4B", "1.5", "0.0001KiB", "0.1GiB", "0.3333333333333333333333333333333MiB"] {
        let error = text.parse::<Bytes>().unwrap_err();
        assert!(error.contains(&format!("'{text}' is no whole number of bytes")), "{error}");
    }
    for text in ["0.2", "0.6", "1.5B/s", "0.001kbit"] {
        let error = text.parse::<Rate>().unwrap_err();
        assert!(error.contains(&format!("'{text}' is no whole number of bytes a second")), "{error}");
    }
    assert_eq!("1.2GiB/s".parse(), Ok(Rate(1_288_490_188)));
    for text in ["0.0004us", "0.0000005ms", "1.0000000001", "0.3333333333333s"] {
        let error = text.parse::<Time>().unwrap_err();
        assert!(error.contains(&format!("'{text}' is finer than a nanosecond")), "{error}");
    }
}

#[test]
fn there_is_a_most_of_everything() {
    assert_eq!("8388607.5TiB".parse(), Ok(Bytes((8 << 60) - (1 << 39))));
    assert_eq!("1000000h".parse(), Ok(Time(Duration::from_hours(1_000_000))));
    for text in ["8388608TiB", "99999999999999999999"] {
        assert!(text.parse::<Bytes>().unwrap_err().contains("too much"), "{text}");
        assert!(text.parse::<Rate>().unwrap_err().contains("too much"), "{text}");
    }
    for text in ["1000000.1h", "99999999999999999999us"] {
        assert!(text.parse::<Time>().unwrap_err().contains("at most 1000000h"), "{text}");
    }
}

/// The most bytes and nanoseconds that are read.
const MOST: u128 = i64::MAX as u128;
const LONGEST: u128 = 3_600_000_000_000_000_000;

/// A decimal and the power of ten that makes it whole.
fn decimals() -> impl Strategy<Value = (String, u128, u128)> {
    (0u64..1_000_000_000_000, 0u32..15).prop_map(|(digits, places)| {
        let power = 10u64.pow(places);
        let (whole, part) = (digits / power, digits % power);
        let places = places as usize;
        let text = if places == 0 { format!("{whole}") } else { format!("{whole}.{part:0places$}") };
        (text, u128::from(digits), u128::from(power))
    })
}

proptest! {
    #[test]
    fn a_value_that_is_read_is_the_value_that_was_written(
        (number, digits, power) in decimals(),
        (size, bytes) in proptest::sample::select(&SIZES[..]),
        (unit, ticks) in proptest::sample::select(
            &[("us", 1_000u64), ("ms", 1_000_000), ("s", 1_000_000_000), ("h", 3_600_000_000_000)][..]
        ),
    ) {
        let (bytes, ticks) = (digits * u128::from(bytes), digits * u128::from(ticks));
        match format!("{number}{size}").parse::<Bytes>() {
            Ok(read) => prop_assert_eq!(u128::from(read.0) * power, bytes),
            Err(_) => prop_assert!(bytes % power != 0 || bytes > power * MOST),
        }
        match format!("{number}{unit}").parse::<Time>() {
            Ok(read) => prop_assert_eq!(read.0.as_nanos() * power, ticks),
            Err(_) => prop_assert!(ticks % power != 0 || ticks > power * LONGEST),
        }
        match format!("{number}{size}/s").parse::<Rate>() {
            Ok(read) => {
                let off = bytes - u128::from(read.0) * power;
                prop_assert!(read.0 > 0 && (off == 0 || off * 1_000_000 < bytes), "{}", off);
            }
            Err(_) => prop_assert!(bytes < 1_000_000 * power || bytes > power * MOST),
        }
    }
}
