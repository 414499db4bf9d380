//! Frames: what a channel carries and a saved file holds, each with its kind, number, length and checksum.
//!
//! ```text
//! 0        4     6        8         12      16          24
//! "GPMF"   kind  version  sequence  length  checksum    payload ...
//! ```
//! Little-endian. The checksum is xxh3-64 of the 16 bytes before it and of the payload. Sequence numbers
//! count from zero in each direction of each channel, so a lost, repeated or moved frame shows itself.

use core::fmt;

use xxhash_rust::xxh3::Xxh3;

use super::channel::LinkError;

/// First bytes of a frame.
pub const MAGIC: [u8; 4] = *b"GPMF";
/// Version of the frame layout and of the messages in it; another one is refused.
pub const VERSION: u16 = 2;
/// Bytes before the payload.
pub const HEADER_BYTES: usize = 24;
/// Longest payload: a batch of pages, the largest driver state and some room.
pub const MAX_PAYLOAD: usize = 1 << 30;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Kind {
    /// Who the source is and what it wants to move.
    Hello = 1,
    /// Answer to Hello: go on.
    Welcome = 2,
    /// The driver's immutable data.
    Immutable = 3,
    /// The target driver's verdict on it.
    Verdict = 4,
    /// Pages of VRAM.
    Pages = 5,
    /// End of one stream's part of an iteration.
    IterationEnd = 6,
    /// The target has applied an iteration.
    IterationApplied = 7,
    /// The driver's mutable data.
    Mutable = 8,
    /// The VM's own state.
    Guest = 9,
    /// The target is ready to run the VM.
    Ready = 10,
    /// Hashes of all pages, for the proof.
    PageHashes = 11,
    /// How many pages agree.
    PageVerdict = 12,
    /// The source gives up ownership.
    Commit = 13,
    /// The target runs the VM.
    Running = 14,
    /// One side gives up; the source keeps the VM.
    Abort = 15,
    /// A source in doubt asks what became of a migration.
    Resolve = 16,
    /// The answer.
    Resolution = 17,
    /// First frame of a data stream: which migration it belongs to.
    Stream = 18,
    /// Last frame of a file or a data stream.
    End = 19,
    /// What the guest had to show at its end, on the target.
    Outcome = 20,
    /// Nothing new: whoever sends it is at work, and the other side is to be patient. May come at any place.
    Alive = 21,
    /// In a file: the VM was saved in doubt, and who may have it too.
    Doubt = 22,
}

impl Kind {
    /// The kind with this number.
    pub fn from_u16(number: u16) -> Option<Self> {
        Some(match number {
            1 => Self::Hello,
            2 => Self::Welcome,
            3 => Self::Immutable,
            4 => Self::Verdict,
            5 => Self::Pages,
            6 => Self::IterationEnd,
            7 => Self::IterationApplied,
            8 => Self::Mutable,
            9 => Self::Guest,
            10 => Self::Ready,
            11 => Self::PageHashes,
            12 => Self::PageVerdict,
            13 => Self::Commit,
            14 => Self::Running,
            15 => Self::Abort,
            16 => Self::Resolve,
            17 => Self::Resolution,
            18 => Self::Stream,
            19 => Self::End,
            20 => Self::Outcome,
            21 => Self::Alive,
            22 => Self::Doubt,
            _ => return None,
        })
    }
}

/// Why a frame was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The channel failed.
    Link(LinkError),
    /// These bytes are no frame.
    BadMagic {
        /// Number of the frame expected here.
        sequence: u32,
    },
    /// The frame is of another version.
    Version {
        /// Number of the frame.
        sequence: u32,
        /// The version found.
        found: u16,
    },
    /// The kind is not known.
    UnknownKind {
        /// Number of the frame.
        sequence: u32,
        /// The kind found.
        kind: u16,
    },
    /// The frame is not the next one.
    OutOfOrder {
        /// Number expected.
        expected: u32,
        /// Number found.
        found: u32,
    },
    /// The length is impossible.
    TooLong {
        /// Number of the frame.
        sequence: u32,
        /// What it claims to be.
        kind: Kind,
        /// The length found.
        bytes: u32,
    },
    /// The checksum is wrong.
    Checksum {
        /// Number of the frame.
        sequence: u32,
        /// What it claims to be.
        kind: Kind,
    },
    /// The file ends before the frame does.
    CutShort {
        /// Number of the frame.
        sequence: u32,
    },
    /// What the frame holds makes no sense.
    Senseless {
        /// Number of the frame.
        sequence: u32,
        /// What it claims to be.
        kind: Kind,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(error) => error.fmt(f),
            Self::BadMagic { sequence } => write!(f, "record {sequence} does not begin as a record does"),
            Self::Version { sequence, found } => {
                let age = if *found > VERSION { "newer" } else { "older" };
                if *sequence > 0 {
                    write!(f, "record {sequence} was ")?;
                }
                write!(
                    f,
                    "made by {age} software (format version {found}; this is version {VERSION}): use the same release \
                     on both sides"
                )
            }
            Self::UnknownKind { sequence, kind } => write!(f, "record {sequence} is of unknown kind {kind}"),
            Self::OutOfOrder { expected, found } => {
                write!(f, "record {found} where record {expected} belongs")
            }
            Self::TooLong { sequence, kind, bytes } => {
                write!(f, "record {sequence} ({kind:?}) claims an impossible length of {bytes} bytes")
            }
            Self::Checksum { sequence, kind } => {
                write!(f, "record {sequence} ({kind:?}) is damaged: wrong checksum")
            }
            Self::CutShort { sequence } => write!(f, "the file ends within record {sequence}"),
            Self::Senseless { sequence, kind, what } => {
                write!(f, "record {sequence} ({kind:?}) is damaged: {what}")
            }
        }
    }
}

impl From<LinkError> for FrameError {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

/// A frame's header, checked except for the checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the payload is.
    pub kind: Kind,
    /// Bytes of the payload.
    pub bytes: usize,
    version: u16,
    checksum: u64,
    front: [u8; 16],
}

impl Header {
    /// Reads a header that should carry number `expected`.
    pub fn parse(raw: &[u8; HEADER_BYTES], expected: u32) -> Result<Self, FrameError> {
        let word = |at: usize| u32::from_le_bytes([raw[at], raw[at + 1], raw[at + 2], raw[at + 3]]);
        let half = |at: usize| u16::from_le_bytes([raw[at], raw[at + 1]]);
        if raw[..4] != MAGIC {
            return Err(FrameError::BadMagic { sequence: expected });
        }
        let version = half(6);
        if version != VERSION && expected == 0 {
            return Err(FrameError::Version { sequence: expected, found: version });
        }
        let sequence = word(8);
        if sequence != expected {
            return Err(FrameError::OutOfOrder { expected, found: sequence });
        }
        let kind = Kind::from_u16(half(4)).ok_or(FrameError::UnknownKind { sequence, kind: half(4) })?;
        let bytes = word(12);
        if bytes as usize > MAX_PAYLOAD {
            return Err(FrameError::TooLong { sequence, kind, bytes });
        }
        let mut front = [0; 16];
        front.copy_from_slice(&raw[..16]);
        let mut checksum = [0; 8];
        checksum.copy_from_slice(&raw[16..]);
        Ok(Self { kind, bytes: bytes as usize, version, checksum: u64::from_le_bytes(checksum), front })
    }

    /// The bytes it was read from.
    pub(super) fn raw(&self) -> [u8; HEADER_BYTES] {
        let mut raw = [0; HEADER_BYTES];
        raw[..16].copy_from_slice(&self.front);
        raw[16..].copy_from_slice(&self.checksum.to_le_bytes());
        raw
    }

    /// Compares the payload with the checksum. A later frame of another version is only believed to be one when its
    /// checksum says so: the first was of this version, so else it is damaged.
    pub fn verify(&self, sequence: u32, parts: &[&[u8]]) -> Result<(), FrameError> {
        if checksum(&self.front, parts) != self.checksum {
            return Err(FrameError::Checksum { sequence, kind: self.kind });
        }
        if self.version != VERSION {
            return Err(FrameError::Version { sequence, found: self.version });
        }
        Ok(())
    }
}

/// The header of a frame with number `sequence` and the payload `parts`.
pub(super) fn seal(kind: Kind, sequence: u32, parts: &[&[u8]]) -> [u8; HEADER_BYTES] {
    let bytes: usize = parts.iter().map(|part| part.len()).sum();
    let mut header = [0; HEADER_BYTES];
    header[..4].copy_from_slice(&MAGIC);
    header[4..6].copy_from_slice(&(kind as u16).to_le_bytes());
    header[6..8].copy_from_slice(&VERSION.to_le_bytes());
    header[8..12].copy_from_slice(&sequence.to_le_bytes());
    header[12..16].copy_from_slice(&(bytes as u32).to_le_bytes());
    let sum = checksum(&header[..16], parts);
    header[16..].copy_from_slice(&sum.to_le_bytes());
    header
}

fn checksum(front: &[u8], parts: &[&[u8]]) -> u64 {
    let mut sum = Xxh3::new();
    sum.update(front);
    for part in parts {
        sum.update(part);
    }
    sum.digest()
}
