//! What a migration is shown with, wherever it runs: the command-line tool on a host process, the stand-in for
//! Dxgkrnl in a kernel.
//!
//! ```text
//! size       how much VRAM an adapter needs for its VFs
//! work       what a guest is to do, and the noise it uploads first
//! guest      a VF with a guest on it
//! shares     the neighbours' parts of the engines, before and during
//! report     what was measured and proved
//! calls      how often each function of the driver was called
//! checked    what the conformance checker found
//! ```

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod calls;
pub mod checked;
mod guest;
pub mod report;
mod shares;
pub mod size;
mod work;

use alloc::string::String;
use core::fmt;

pub use guest::{Guest, finish, finish_unless_stuck, reference};
pub use shares::{Shares, busy};
pub use work::Work;

/// Why something could not be shown, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(pub String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Problem {}
