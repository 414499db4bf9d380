//! What a guest is to do.

use alloc::sync::Arc;
use alloc::vec::Vec;

use gpup_guest::{Pattern, Spec, Workload};

use crate::Problem;

/// What neighbours do, one after another.
const MIXED: [Workload; 4] = [Workload::Stencil, Workload::Nbody, Workload::Matmul, Workload::Writer];

/// What a guest is to do.
#[derive(Clone)]
pub struct Work {
    /// The workload and its parameters.
    pub spec: Spec,
    /// Bytes to be uploaded first.
    pub image: Option<Arc<Vec<u8>>>,
}

impl Work {
    /// `spec` with an image of its own, or with none.
    pub fn with_image(mut spec: Spec, image: Option<Vec<u8>>) -> Result<Self, Problem> {
        spec.image_bytes = image.as_ref().map_or(0, |image| image.len() as u64);
        spec.fits().map_err(Problem)?;
        Ok(Self { spec, image: image.map(Arc::new) })
    }

    /// `spec` with noise in so many percent of the memory that the workload leaves.
    pub fn with_noise(spec: Spec, percent: u8) -> Result<Self, Problem> {
        let image = match percent {
            0 => None,
            percent => Some(noise(free_bytes(&spec)? / 100 * u64::from(percent), spec.seed)),
        };
        Self::with_image(spec, image)
    }

    /// A neighbour's work on VF `vf`: one of a mix, or nothing when `quiet`.
    pub fn neighbour(vf: u32, seed: u64, quiet: bool, vf_bytes: u64) -> Self {
        let workload = if quiet { Workload::Idle } else { MIXED[vf as usize % MIXED.len()] };
        let spec = Spec {
            seed: seed + 1 + u64::from(vf),
            dirty_rate: 5_000,
            pattern: Pattern::Hot,
            ..Spec::new(workload, vf_bytes)
        };
        Self { spec, image: None }
    }
}

/// Bytes of the VF that the workload leaves. The writer takes whatever there is, and is left a quarter.
fn free_bytes(spec: &Spec) -> Result<u64, Problem> {
    let footprint = spec.fits().map_err(Problem)?;
    let work = match spec.workload {
        Workload::Writer => spec.vram_bytes / 4,
        _ => footprint.work_bytes,
    };
    Ok(spec.vram_bytes.saturating_sub(work.next_multiple_of(gpup_core::PAGE_SIZE)))
}

/// Bytes that no compression shrinks.
fn noise(bytes: u64, seed: u64) -> Vec<u8> {
    let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
    let words = (0..bytes.div_ceil(8)).flat_map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(bytes as usize).collect()
}
