//! Decimal numbers times a unit, without a rounding: a value that is read is the value that was written.

/// What a text comes to, counted in some smallest unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amount {
    /// Whole ones.
    pub(crate) whole: u64,
    /// Whether a part of one is left over.
    pub(crate) more: bool,
}

impl Amount {
    /// The whole ones, if nothing is left over.
    pub(crate) fn exact(self) -> Option<u64> {
        (!self.more).then_some(self.whole)
    }
}

/// Why a text comes to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No number, or a unit that is not known.
    Unknown,
    /// More than [`MOST`].
    TooLarge,
}

/// The most that is read of anything.
const MOST: u64 = i64::MAX as u64;

/// Reads a number with one of `units`, whose factors count smallest units; `bare` is the factor of a number alone.
pub(crate) fn amount(text: &str, units: &[(&str, u64)], bare: u64) -> Result<Amount, Fault> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (&text[..end], text[end..].trim());
    let factor = match unit {
        "" => bare,
        unit => {
            let known = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
            known.ok_or(Fault::Unknown)?.1
        }
    };
    let (digits, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (digits.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return Err(Fault::Unknown);
    }
    let digits = digits.trim_start_matches('0');
    let whole = if digits.is_empty() { Ok(0) } else { digits.parse::<u64>() };
    let whole = whole.ok().and_then(|whole| whole.checked_mul(factor)).ok_or(Fault::TooLarge)?;
    let part = part(fraction.trim_end_matches('0'), factor);
    let whole = whole.checked_add(part.whole).filter(|whole| *whole <= MOST).ok_or(Fault::TooLarge)?;
    Ok(Amount { whole, more: part.more })
}

/// The digits behind the point times `factor`, by long division: no number of digits is too many.
fn part(fraction: &str, factor: u64) -> Amount {
    let (mut whole, mut more) = (0, false);
    for digit in fraction.bytes().rev() {
        let sum = u128::from(digit - b'0') * u128::from(factor) + u128::from(whole);
        // A tenth of less than ten factors is less than a factor.
        whole = (sum / 10) as u64;
        more |= sum % 10 != 0;
    }
    Amount { whole, more }
}
