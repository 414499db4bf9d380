//! The performance counter, in nanoseconds.
//!
//! UNSAFETY: calls the kernel.
#![cfg_attr(windows, expect(unsafe_code))]

const NS_PER_SECOND: u64 = 1_000_000_000;

/// Counts of a clock of `frequency` counts a second in nanoseconds; never overflows before the result does.
pub const fn nanoseconds(counts: u64, frequency: u64) -> u64 {
    let (seconds, rest) = (counts / frequency, counts % frequency);
    // The rest is below one second's counts; clocks of more than 2^34 counts a second do not exist.
    seconds.wrapping_mul(NS_PER_SECOND).wrapping_add(rest.wrapping_mul(NS_PER_SECOND) / frequency)
}

/// A wait of `ns` nanoseconds as a relative timeout in units of 100 ns: negative, rounded up.
pub const fn relative(ns: u64) -> i64 {
    -(ns.div_ceil(100) as i64)
}

/// The performance counter. Any IRQL. "KeQueryPerformanceCounter function".
#[cfg(windows)]
pub fn counter() -> (u64, u64) {
    let mut frequency = wdk_sys::LARGE_INTEGER::default();
    // SAFETY: the frequency goes to a live variable.
    let counts = unsafe { wdk_sys::ntddk::KeQueryPerformanceCounter(&mut frequency) };
    (crate::fields::quad(counts) as u64, crate::fields::quad(frequency) as u64)
}

/// Nanoseconds since some moment, monotonic. Any IRQL.
#[cfg(windows)]
pub fn now() -> u64 {
    let (counts, frequency) = counter();
    nanoseconds(counts, frequency.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_are_exact_for_years() {
        assert_eq!(nanoseconds(0, 10_000_000), 0);
        assert_eq!(nanoseconds(1, 10_000_000), 100);
        assert_eq!(nanoseconds(3_000_000_001, 3_000_000_000), 1_000_000_000);
        // A hundred years at 10 MHz.
        let seconds = 100 * 365 * 86_400;
        assert_eq!(nanoseconds(seconds * 10_000_000 + 7, 10_000_000), seconds * NS_PER_SECOND + 700);
    }

    #[test]
    fn timeouts_are_negative_and_rounded_up() {
        assert_eq!([0, 1, 100, 101].map(relative), [0, -1, -1, -2]);
        assert!(relative(u64::MAX) < 0);
    }
}
