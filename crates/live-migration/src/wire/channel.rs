//! The connection between two agents, as they see it: bytes in order, or an error.

use alloc::string::String;
use core::fmt;

/// How long a [`Channel`] waits at a time for room or for bytes, in nanoseconds. In between somebody looks whether the
/// wait is still wanted, so a request to stop is heard within this time.
pub const SLICE_NS: u64 = 20_000_000;

/// Why a channel no longer carries bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// The other side closed it, or it was cut.
    Closed,
    /// It failed on this side, or could not be made: the words of the system.
    Failed(String),
    /// Neither side has sent a byte for so many seconds.
    Silent(u64),
    /// A file has no more bytes.
    Ended,
    /// Somebody asked for an end.
    Cancelled,
    /// The time for what it was to carry is over.
    Overdue,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the connection was closed"),
            Self::Failed(why) => write!(f, "the connection failed: {why}"),
            Self::Silent(seconds) => write!(f, "the other side has been silent for {seconds} s"),
            Self::Ended => f.write_str("the file ends too early"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Overdue => f.write_str("the other side did not answer in time"),
        }
    }
}

/// One ordered, reliable stream of bytes in each direction: a TCP connection, a file, a buffer.
pub trait Channel: Send {
    /// Sends some of the bytes of `parts`, taken one after another, from byte `from` on, and says how many. 0: there
    /// was no room within [`SLICE_NS`].
    fn send(&mut self, parts: &[&[u8]], from: usize) -> Result<usize, LinkError>;
    /// Puts what has come into `out`, which is not empty, and says how many bytes. 0: nothing came within [`SLICE_NS`].
    fn receive(&mut self, out: &mut [u8]) -> Result<usize, LinkError>;
    /// Nothing more will be sent. What was sent still arrives, and what comes can still be received.
    fn close_sending(&mut self) {}
}

/// The bytes of `parts` from byte `from` on, piece by piece.
pub fn from_byte<'a>(parts: &'a [&'a [u8]], mut from: usize) -> impl Iterator<Item = &'a [u8]> {
    parts.iter().filter_map(move |part| {
        let skipped = from.min(part.len());
        from -= skipped;
        let rest = &part[skipped..];
        (!rest.is_empty()).then_some(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn the_rest_of_some_parts_begins_anywhere() {
        let parts: [&[u8]; 4] = [b"ab", b"", b"cde", b"f"];
        for from in 0..=7 {
            let rest: Vec<u8> = from_byte(&parts, from).flatten().copied().collect();
            assert_eq!(rest, b"abcdef"[from.min(6)..]);
        }
    }
}
