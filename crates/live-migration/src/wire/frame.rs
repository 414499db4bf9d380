//! Frames: what a channel carries and a saved file holds, each with its kind, number, length and checksum.
//!
//! ```text
//! 0        4     6        8         12      16          24
//! "GPMF"   kind  version  sequence  length  checksum    payload ...
//! ```
//! Little-endian. The checksum is xxh3-64 of the 16 bytes before it and of the payload. Sequence numbers
//! count from zero in each direction of each channel, so a lost, repeated or moved frame shows itself.

use alloc::vec::Vec;
use core::fmt;

use xxhash_rust::xxh3::Xxh3;

use crate::wire::channel::{Channel, LinkError};

/// First bytes of a frame.
pub const MAGIC: [u8; 4] = *b"GPMF";
/// Version of the frame layout and of the messages in it; another one is refused.
pub const VERSION: u16 = 1;
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
            Self::Version { sequence: 0, found } => {
                write!(f, "made for format version {found}, this is version {VERSION}: use the same release")
            }
            Self::Version { sequence, found } => write!(
                f,
                "record {sequence} is of format version {found}, this is version {VERSION}: it is damaged, or of \
                 another release"
            ),
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
        if half(6) != VERSION {
            return Err(FrameError::Version { sequence: expected, found: half(6) });
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
        Ok(Self { kind, bytes: bytes as usize, checksum: u64::from_le_bytes(checksum), front })
    }

    /// Compares the payload with the checksum.
    pub fn verify(&self, sequence: u32, parts: &[&[u8]]) -> Result<(), FrameError> {
        if checksum(&self.front, parts) == self.checksum {
            Ok(())
        } else {
            Err(FrameError::Checksum { sequence, kind: self.kind })
        }
    }
}

fn checksum(front: &[u8], parts: &[&[u8]]) -> u64 {
    let mut sum = Xxh3::new();
    sum.update(front);
    for part in parts {
        sum.update(part);
    }
    sum.digest()
}

/// A channel that speaks frames and counts what it sends.
pub struct Framed {
    channel: alloc::boxed::Box<dyn Channel>,
    sent: u32,
    received: u32,
    bytes_sent: u64,
}

impl Framed {
    /// Frames over `channel`, numbered from zero.
    pub fn new(channel: alloc::boxed::Box<dyn Channel>) -> Self {
        Self { channel, sent: 0, received: 0, bytes_sent: 0 }
    }

    /// Bytes sent so far, headers included.
    pub fn bytes_sent(&self) -> u64 {
        self.bytes_sent
    }

    /// Sends one frame whose payload is `parts` in order.
    pub fn send(&mut self, kind: Kind, parts: &[&[u8]]) -> Result<(), FrameError> {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        debug_assert!(bytes <= MAX_PAYLOAD);
        let mut header = [0; HEADER_BYTES];
        header[..4].copy_from_slice(&MAGIC);
        header[4..6].copy_from_slice(&(kind as u16).to_le_bytes());
        header[6..8].copy_from_slice(&VERSION.to_le_bytes());
        header[8..12].copy_from_slice(&self.sent.to_le_bytes());
        header[12..16].copy_from_slice(&(bytes as u32).to_le_bytes());
        let sum = checksum(&header[..16], parts);
        header[16..].copy_from_slice(&sum.to_le_bytes());
        let mut all: Vec<&[u8]> = Vec::with_capacity(parts.len() + 1);
        all.push(&header);
        all.extend(parts.iter().filter(|part| !part.is_empty()));
        self.channel.send(&all)?;
        self.sent = self.sent.wrapping_add(1);
        self.bytes_sent += (HEADER_BYTES + bytes) as u64;
        Ok(())
    }

    /// Receives the next header. The caller takes exactly its payload with [`Framed::receive_payload`].
    pub fn receive_header(&mut self) -> Result<Header, FrameError> {
        let mut raw = [0; HEADER_BYTES];
        self.receive_payload(&mut raw)?;
        Header::parse(&raw, self.received)
    }

    /// Receives bytes of the present payload.
    pub fn receive_payload(&mut self, out: &mut [u8]) -> Result<(), FrameError> {
        self.channel.receive(out).map_err(|error| match error {
            LinkError::Ended => FrameError::CutShort { sequence: self.received },
            error => error.into(),
        })
    }

    /// Names the present frame in an error about what it holds.
    pub(crate) fn senseless(&self, kind: Kind, what: &'static str) -> FrameError {
        FrameError::Senseless { sequence: self.received, kind, what }
    }

    /// Ends a frame: compares the checksum and moves on to the next number.
    pub fn finish(&mut self, header: &Header, parts: &[&[u8]]) -> Result<(), FrameError> {
        header.verify(self.received, parts)?;
        self.received = self.received.wrapping_add(1);
        Ok(())
    }

    /// Receives a whole frame.
    pub fn receive(&mut self) -> Result<(Kind, Vec<u8>), FrameError> {
        let header = self.receive_header()?;
        let payload = self.receive_rest(&header)?;
        self.finish(&header, &[&payload])?;
        Ok((header.kind, payload))
    }

    /// Receives the payload in steps, so that a lying length costs no more memory than bytes that came.
    pub(crate) fn receive_rest(&mut self, header: &Header) -> Result<Vec<u8>, FrameError> {
        const STEP: usize = 1 << 20;
        let mut payload = Vec::new();
        while payload.len() < header.bytes {
            let at = payload.len();
            payload.resize(header.bytes.min(at + STEP), 0);
            self.receive_payload(&mut payload[at..])?;
        }
        Ok(payload)
    }

    /// Number of the next frame to be received, for messages.
    pub fn received(&self) -> u32 {
        self.received
    }
}

/// A channel over memory: what is sent can be received.
#[derive(Default)]
pub struct Loopback {
    bytes: Vec<u8>,
    at: usize,
}

impl Loopback {
    /// A channel from which `bytes` can be received.
    pub fn holding(bytes: Vec<u8>) -> Self {
        Self { bytes, at: 0 }
    }
}

impl Channel for Loopback {
    fn send(&mut self, parts: &[&[u8]]) -> Result<(), LinkError> {
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        Ok(())
    }

    fn receive(&mut self, out: &mut [u8]) -> Result<(), LinkError> {
        let end =
            self.at.checked_add(out.len()).filter(|end| *end <= self.bytes.len()).ok_or(LinkError::Ended)?;
        out.copy_from_slice(&self.bytes[self.at..end]);
        self.at = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Recorder(alloc::sync::Arc<std::sync::Mutex<Vec<u8>>>);

    impl Channel for Recorder {
        fn send(&mut self, parts: &[&[u8]]) -> Result<(), LinkError> {
            parts.iter().for_each(|part| self.0.lock().unwrap().extend_from_slice(part));
            Ok(())
        }
        fn receive(&mut self, _out: &mut [u8]) -> Result<(), LinkError> {
            Err(LinkError::Closed)
        }
    }

    fn two_frames() -> Vec<u8> {
        let bytes = alloc::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut framed = Framed::new(alloc::boxed::Box::new(Recorder(bytes.clone())));
        framed.send(Kind::Hello, &[b"one", b"", b"two"]).unwrap();
        framed.send(Kind::Commit, &[]).unwrap();
        let bytes = bytes.lock().unwrap().clone();
        assert_eq!(framed.bytes_sent(), bytes.len() as u64);
        bytes
    }

    fn read_all(bytes: Vec<u8>) -> Result<(), FrameError> {
        let mut framed = Framed::new(alloc::boxed::Box::new(Loopback::holding(bytes)));
        assert_eq!(framed.receive()?, (Kind::Hello, b"onetwo".to_vec()));
        assert_eq!(framed.receive()?, (Kind::Commit, Vec::new()));
        Ok(())
    }

    #[test]
    fn frames_come_back_as_they_were_sent() {
        read_all(two_frames()).unwrap();
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let good = two_frames();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(read_all(bad).is_err(), "bit {bit}");
        }
        for end in 0..good.len() {
            assert!(read_all(good[..end].to_vec()).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_repeated_frame_is_refused() {
        let good = two_frames();
        let twice: Vec<u8> = good.iter().chain(&good).copied().collect();
        let mut framed = Framed::new(alloc::boxed::Box::new(Loopback::holding(twice)));
        framed.receive().unwrap();
        framed.receive().unwrap();
        assert_eq!(framed.receive(), Err(FrameError::OutOfOrder { expected: 2, found: 0 }));
    }

    #[test]
    fn every_kind_has_its_number() {
        for number in 0..=u16::MAX {
            if let Some(kind) = Kind::from_u16(number) {
                assert_eq!(kind as u16, number);
            }
        }
    }
}
