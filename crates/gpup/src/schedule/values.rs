//! The values of a scenario file that are written in quotes. What is read is what was written, or it is refused: a
//! timeout of half a microsecond is not none.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Error as _, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::units::{Time, amount};

/// A duration in engine ticks, which are nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticks(pub(super) u64);

/// Most virtual time there is: 1000 hours.
const LONGEST: u64 = 3_600_000 * 1_000_000_000;

impl FromStr for Ticks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time: Time = text.parse()?;
        let ticks = u64::try_from(time.0.as_nanos()).ok().filter(|ticks| *ticks <= LONGEST);
        ticks.map(Self).ok_or_else(|| format!("'{text}' is too long: at most 1000h"))
    }
}

/// As it may be written in a file, to the last tick.
impl fmt::Display for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, ticks, places) = match self.0 {
            0 => return f.write_str("0s"),
            1_000_000_000.. => ("s", 1_000_000_000, 9),
            1_000_000.. => ("ms", 1_000_000, 6),
            _ => ("us", 1_000, 3),
        };
        let part = format!("{:0places$}", self.0 % ticks);
        match part.trim_end_matches('0') {
            "" => write!(f, "{}{unit}", self.0 / ticks),
            part => write!(f, "{}.{part}{unit}", self.0 / ticks),
        }
    }
}

/// A duration in microseconds, as an administrator sets it for a VF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Micros(pub(super) u64);

impl FromStr for Micros {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<Ticks>()?.0 {
            ticks if ticks % 1000 == 0 => Ok(Self(ticks / 1000)),
            _ => Err(format!("'{text}' is no whole number of microseconds: write one, such as 640us")),
        }
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ticks(self.0 * 1000).fmt(f)
    }
}

/// A part of a whole, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Thousandths.
    pub(super) permille: u32,
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.trim().strip_suffix('%');
        let tenths = number.and_then(|number| amount(number, &[], 10).ok()).filter(|tenths| {
            // Less than a tenth is too small; more than a tenth with something left over, too fine.
            (1..=1000).contains(&tenths.whole) && !(tenths.whole == 1000 && tenths.more)
        });
        let tenths = tenths.ok_or_else(|| {
            format!("'{text}' is no part of a whole: write a percentage from 0.1% to 100%, such as 25%")
        })?;
        let permille = tenths.exact().and_then(|tenths| u32::try_from(tenths).ok());
        permille
            .map(|permille| Self { permille })
            .ok_or_else(|| format!("'{text}' is finer than a tenth of a percent: write one such as 12.5%"))
    }
}

/// Two values in brackets. A list of a set length takes longer ones too and drops what is left over; this does not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<A, B>(pub(super) A, pub(super) B);

impl<'de, A: Deserialize<'de>, B: Deserialize<'de>> Deserialize<'de> for Pair<A, B> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(Two(PhantomData))
    }
}

/// Reads those.
struct Two<A, B>(PhantomData<(A, B)>);

impl<'de, A: Deserialize<'de>, B: Deserialize<'de>> Visitor<'de> for Two<A, B> {
    type Value = Pair<A, B>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("two values in brackets")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut values: S) -> Result<Self::Value, S::Error> {
        let short = |length| S::Error::invalid_length(length, &"two values in brackets");
        let first = values.next_element()?.ok_or_else(|| short(0))?;
        let second = values.next_element()?.ok_or_else(|| short(1))?;
        match values.next_element::<IgnoredAny>()? {
            None => Ok(Pair(first, second)),
            Some(_) => Err(S::Error::custom("more than two values: leave the others out")),
        }
    }
}

/// Reads what people write in quotes.
struct Quoted<T>(&'static str, PhantomData<T>);

impl<T: FromStr<Err = String>> Visitor<'_> for Quoted<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Ticks {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Quoted("a duration in quotes such as \"20us\", \"4ms\" or \"60s\"", PhantomData))
    }
}

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Quoted("a duration in quotes such as \"640us\" or \"4ms\"", PhantomData))
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Quoted("a percentage in quotes such as \"25%\"", PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_finer_than_its_unit_is_refused() {
        for text in ["0.5us", "100.5us", "0.0001ms"] {
            let error = text.parse::<Micros>().unwrap_err();
            assert!(error.contains(&format!("'{text}' is no whole number of microseconds")), "{error}");
        }
        for text in ["0.14%", "99.99%", "12.5000001%"] {
            let error = text.parse::<Part>().unwrap_err();
            assert!(error.contains(&format!("'{text}' is finer than a tenth of a percent")), "{error}");
        }
        for text in ["0%", "0.04%", "100.01%", "1e1%", "-1%", "25", "NaN%", "%"] {
            assert!(text.parse::<Part>().unwrap_err().contains("no part of a whole"), "{text}");
        }
        assert_eq!("0.4%".parse(), Ok(Part { permille: 4 }));
        assert_eq!("0us".parse(), Ok(Micros(0)));
    }

    proptest! {
        #[test]
        fn a_duration_that_is_written_is_read_again(ticks in 0..=LONGEST, coarse in 0u32..12) {
            let ticks = ticks - ticks % 10u64.pow(coarse);
            prop_assert_eq!(Ticks(ticks).to_string().parse(), Ok(Ticks(ticks)));
        }

        #[test]
        fn microseconds_are_those_that_were_written(ticks in 0u64..20_000_000_000, places in 0u32..4) {
            let text = Ticks(ticks - ticks % 10u64.pow(places)).to_string();
            let written = text.parse::<Ticks>().unwrap().0;
            match text.parse::<Micros>() {
                Ok(read) => prop_assert_eq!(read.0 * 1000, written),
                Err(_) => prop_assert_ne!(written % 1000, 0),
            }
        }

        #[test]
        fn a_part_is_the_one_that_was_written(millionths in 0u32..1_100_000, places in 0u32..5) {
            let millionths = millionths - millionths % 10u32.pow(places);
            let text = format!("{}.{:04}%", millionths / 10_000, millionths % 10_000);
            match text.parse::<Part>() {
                Ok(read) => prop_assert_eq!(read.permille * 1000, millionths),
                Err(_) => prop_assert!(millionths % 1000 != 0 || !(1000..=1_000_000).contains(&millionths)),
            }
        }
    }
}
