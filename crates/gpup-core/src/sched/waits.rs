//! How long packets wait: a histogram of a fixed size, with eight buckets to each doubling.

/// Exponent of the first bucket that has a width: what is below, a microsecond, is all one.
const FIRST: u32 = 10;
/// Exponent of the last: 34 seconds and all above.
const LAST: u32 = 35;
/// Bits of a wait that tell the buckets of a doubling apart.
const BITS: u32 = 3;
const BUCKETS: usize = 1 + ((LAST - FIRST + 1) << BITS) as usize;

/// Waits in ticks, counted.
#[derive(Clone, Debug)]
pub(super) struct Waits {
    counts: [u32; BUCKETS],
}

impl Default for Waits {
    fn default() -> Self {
        Self { counts: [0; BUCKETS] }
    }
}

impl Waits {
    /// Counts a wait.
    pub(super) fn count(&mut self, ticks: u64) {
        let bucket = bucket(ticks);
        if self.counts[bucket] == u32::MAX {
            // Older waits lose half of their weight; what is told from them stays as it was.
            self.counts.iter_mut().for_each(|count| *count /= 2);
        }
        self.counts[bucket] += 1;
    }

    /// The wait that so many thousandths of all packets did not exceed, at most an eighth too long; 0 of no packets.
    pub(super) fn quantile(&self, permille: u64) -> u64 {
        let all: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        let wanted = (all * permille).div_ceil(1000).max(1);
        let mut seen = 0;
        let reached = self.counts.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted
        });
        reached.map_or(0, most_in)
    }
}

fn bucket(ticks: u64) -> usize {
    let Some(exponent) = ticks.checked_ilog2().filter(|exponent| *exponent >= FIRST) else { return 0 };
    if exponent > LAST {
        return BUCKETS - 1;
    }
    let part = (ticks >> (exponent - BITS)) & ((1 << BITS) - 1);
    1 + (((exponent - FIRST) << BITS) as usize) + part as usize
}

/// The longest wait that a bucket counts.
fn most_in(bucket: usize) -> u64 {
    let Some(step) = bucket.checked_sub(1) else { return (1 << FIRST) - 1 };
    let (exponent, part) = (FIRST + (step >> BITS) as u32, (step & ((1 << BITS) - 1)) as u64);
    (((1 << BITS) + part + 1) << (exponent - BITS)) - 1
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_bucket_ends_where_the_next_begins() {
        for bucket in 0..BUCKETS - 1 {
            let most = most_in(bucket);
            assert_eq!((super::bucket(most), super::bucket(most + 1)), (bucket, bucket + 1));
        }
        assert_eq!(super::bucket(u64::MAX), BUCKETS - 1);
        assert_eq!(Waits::default().quantile(500), 0);
    }

    #[test]
    fn a_full_bucket_keeps_its_part() {
        let mut waits = Waits::default();
        waits.counts[bucket(5_000)] = u32::MAX;
        waits.counts[bucket(1_000_000)] = u32::MAX / 4;
        waits.count(5_000);
        assert!(waits.quantile(750) < 6_000 && waits.quantile(850) > 900_000);
    }

    proptest! {
        #[test]
        fn a_quantile_is_right_to_an_eighth(
            mut waits in prop::collection::vec(1_024u64..30_000_000_000, 1..400), permille in 1u64..=1000,
        ) {
            let mut counted = Waits::default();
            waits.iter().for_each(|wait| counted.count(*wait));
            waits.sort_unstable();
            let exact = waits[(waits.len() * permille as usize).div_ceil(1000) - 1];
            let told = counted.quantile(permille);
            prop_assert!(told >= exact && told <= exact + exact / 8, "{told} for {exact}");
        }

        #[test]
        fn quantiles_ascend(waits in prop::collection::vec(any::<u64>(), 0..200)) {
            let mut counted = Waits::default();
            waits.iter().for_each(|wait| counted.count(*wait));
            let told: Vec<u64> = (1..=10).map(|tenth| counted.quantile(tenth * 100)).collect();
            prop_assert!(told.is_sorted());
        }
    }
}
