//! Which frame: on which connection, which way, of which kind, and the how manieth.

use std::fmt;

use live_migration::wire::frame::{HEADER_BYTES, Kind};

use crate::time::Side;

/// What a connection is for, as its first frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Control,
    /// A data stream, by its number.
    Stream(u16),
    /// All connections that questions are put on.
    Question,
}

/// A frame on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) role: Role,
    /// Who sends it.
    pub(crate) from: Side,
    pub(crate) kind: Kind,
    /// The source has begun to pause the VM.
    pub(crate) in_pause: bool,
    /// Number among those that are alike, from zero.
    pub(crate) nth: usize,
}

impl Spot {
    pub(crate) fn new(role: Role, from: Side, kind: Kind, in_pause: bool) -> Self {
        Self { role, from, kind, in_pause, nth: 0 }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, from, kind, in_pause, nth } = self;
        let when = if *in_pause { ", in the pause" } else { "" };
        write!(f, "{kind:?} {nth} of the {from:?} on {role:?}{when}")
    }
}

/// Takes a whole frame from the front of what was sent.
pub(crate) fn take_frame(sent: &mut Vec<u8>) -> Option<(Kind, Vec<u8>)> {
    let header = sent.first_chunk::<HEADER_BYTES>()?;
    let kind = u16::from_le_bytes([header[4], header[5]]);
    let payload = u32::from_le_bytes([header[12], header[13], header[14], header[15]]) as usize;
    let bytes = HEADER_BYTES + payload;
    if sent.len() < bytes {
        return None;
    }
    let rest = sent.split_off(bytes);
    Some((Kind::from_u16(kind).expect("a known kind"), std::mem::replace(sent, rest)))
}
