//! How much VRAM an adapter needs for its VFs.

/// The PF keeps this part of the VRAM for itself, and [`PF_LEAST`] at the least.
const PF_PART: u64 = 16;
/// Least VRAM of the PF in bytes.
const PF_LEAST: u64 = 16 << 20;
/// The adapter's VRAM is a multiple of so many bytes.
const VRAM_UNIT: u64 = 2 << 20;
/// A VF's VRAM is a multiple of so many bytes.
pub const VF_UNIT: u64 = 64 << 10;

/// Bytes of VRAM an adapter needs for `vfs` VFs of `vf_bytes` each; `None` when that is beyond all measure.
pub fn vram_for(vf_bytes: u64, vfs: u32) -> Option<u64> {
    let all = vf_bytes.checked_mul(u64::from(vfs)).filter(|all| *all < 1 << 50)?;
    let needed = (all + PF_LEAST).max(all + all.div_ceil(PF_PART - 1));
    Some((needed + VF_UNIT).next_multiple_of(VRAM_UNIT).max(64 << 20))
}
