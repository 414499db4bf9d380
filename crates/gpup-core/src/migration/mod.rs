//! Live migration of a VF: phases, the records of its state, and what makes two hosts compatible.

mod reason;
pub mod state;

pub use reason::{Damage, Mismatch};
