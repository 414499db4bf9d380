//! Pages of VRAM on their way: which ones, in batches, out of one VF and into another, and the proof that they arrived.

mod limiter;
pub mod list;
pub(crate) mod mover;
pub(crate) mod placer;
pub mod proof;
pub mod run;

pub(crate) use limiter::Limiter;
