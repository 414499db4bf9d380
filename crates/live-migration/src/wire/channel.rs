//! The connection between two agents, as they see it: bytes in order, or an error.

use core::fmt;

/// Why a channel no longer carries bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// The other side closed it, or it was cut.
    Closed,
    /// Nothing came or went for as long as the channel waits.
    TimedOut,
    /// A file has no more bytes.
    Ended,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the connection was closed",
            Self::TimedOut => "the other side did not answer in time",
            Self::Ended => "the file ends too early",
        })
    }
}

/// One ordered, reliable stream of bytes in each direction: a TCP connection, a file, a buffer.
pub trait Channel: Send {
    /// Sends all parts, one after another.
    fn send(&mut self, parts: &[&[u8]]) -> Result<(), LinkError>;
    /// Fills `out`.
    fn receive(&mut self, out: &mut [u8]) -> Result<(), LinkError>;
}
