//! Numbers that depend on a seed and an index only, so that any part of an input can be made at any time.

/// The `index`-th number of the stream `seed` (SplitMix64).
pub(crate) const fn number(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The `index`-th number of the stream `seed`, as one in [-1, 1) that f32 holds exactly.
pub(crate) fn unit(seed: u64, index: u64) -> f32 {
    let bits = (number(seed, index) >> 40) as i32;
    (bits - (1 << 23)) as f32 / (1 << 23) as f32
}
