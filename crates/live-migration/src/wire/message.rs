//! The messages of the control channel, as serde types in postcard's encoding.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::handover::{Identity, Standing};

/// What the source offers. First on the control channel, first in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Names this attempt on both sides.
    pub migration: u128,
    /// Bytes of the VF's VRAM.
    pub vf_bytes: u64,
    /// Bytes of a page of the dirty plane.
    pub page_bytes: u64,
    /// Data streams that will be opened beside the control channel.
    pub streams: u16,
    /// Both sides will hash all pages before the switch.
    pub prove: bool,
    /// The workload's name, for the reports.
    pub workload: String,
    /// Free words of the tool for its own use on the other side.
    pub note: Vec<u8>,
}

/// What a source aborts with when its question is answered.
pub const ONLY_ASKED: &str = "only asked whether it could";

/// The target driver's answer to the immutable data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The VF can come.
    Compatible,
    /// It cannot, for this reason.
    Refused(String),
}

/// End of one stream's part of an iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IterationEnd {
    /// Number of the iteration, from zero.
    pub iteration: u32,
    /// Pages this stream carried in it.
    pub pages: u64,
}

/// How the page hashes compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageVerdict {
    /// Pages compared.
    pub compared: u64,
    /// Pages that differ.
    pub different: u64,
    /// Index of the first page that differs.
    pub first_different: Option<u64>,
}

/// The target's answer to Hello: go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Whose word the source will take from now on.
    pub target: Identity,
}

/// What became of a migration, as a target knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// Who says so.
    pub target: Identity,
    /// How the VM stands there.
    pub standing: Standing,
}

/// Behind the Hello of a file: the VM was saved in doubt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// The target that may run the VM.
    pub target: Identity,
    /// Where it was reached.
    pub address: String,
}

/// What the guest had to show at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestOutcome {
    /// Steps done.
    pub steps: u64,
    /// The result, or why there is none.
    pub result: Result<Vec<u8>, String>,
}

/// What is asked of a target, on a connection of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// The source asks what became of its VM.
    Ask,
    /// An operator looks.
    Look,
    /// It is to run there.
    Run,
    /// It is to be discarded there.
    Discard,
}

/// A question about one migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolve {
    /// Which.
    pub migration: u128,
    /// What is asked.
    pub question: Question,
}
