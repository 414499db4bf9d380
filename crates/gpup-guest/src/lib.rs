//! What runs inside a VM: the guest's own driver for a VF of the simulated GPU, and the work it does.
//!
//! ```text
//! spec       what to run: workload, seed, dirty rate, image; whether it fits
//! guest      the guest: loads its inputs, steps, hashes, and is asked to finish
//! driver     rings, fences, MSI-X, faults of one VF
//! command    what goes into a ring
//! workload   one file each: a workload is a pure function from (step, part) to a command
//! digest     the hashes a guest shows at its end
//! state      the saved state: versioned, checked, hostile
//! ```
//!
//! A guest is moved between any two slices. So everything it knows follows from a few counters: commands
//! submitted to each node say where it stands, the FENCE registers say what is done, and the command for
//! any place is computed from the [`Spec`] alone. Nothing depends on an interrupt that came before the
//! move, and timing never reaches the result.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod command;
mod digest;
mod driver;
mod guest;
mod random;
mod spec;
mod state;
#[cfg(test)]
mod tests;
mod workload;

pub use spec::{Footprint, Pattern, Spec, Workload};
pub use state::Loader;
