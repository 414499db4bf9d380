//! The agents' channels over files. What a channel says of a failure is words, so the reason itself stands beside it.

use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read, Write};
use std::sync::{Arc, OnceLock};

use live_migration::wire::channel::{Channel, LinkError, from_byte};

/// Why a file failed, if it did.
pub(crate) type Reason = Arc<OnceLock<Error>>;

fn failed(reason: &Reason, error: Error) -> LinkError {
    let words = error.to_string();
    let _ = reason.set(error);
    LinkError::Failed(words)
}

/// Writes a file.
pub(crate) struct Writer {
    file: File,
    reason: Reason,
}

impl Writer {
    /// Writes to `file`, unbuffered: most of it is page batches, and a full disk shows at once.
    pub(crate) fn new(file: File) -> (Self, Reason) {
        let reason = Reason::default();
        (Self { file, reason: reason.clone() }, reason)
    }
}

impl Channel for Writer {
    fn send(&mut self, parts: &[&[u8]], from: usize) -> Result<usize, LinkError> {
        let mut sent = 0;
        for part in from_byte(parts, from) {
            self.file.write_all(part).map_err(|error| failed(&self.reason, error))?;
            sent += part.len();
        }
        Ok(sent)
    }

    fn receive(&mut self, _out: &mut [u8]) -> Result<usize, LinkError> {
        Err(LinkError::Closed)
    }
}

/// Reads a file.
pub(crate) struct Reader {
    file: BufReader<File>,
    reason: Reason,
}

impl Reader {
    /// Reads from `file`.
    pub(crate) fn new(file: File) -> (Self, Reason) {
        let reason = Reason::default();
        (Self { file: BufReader::with_capacity(1 << 20, file), reason: reason.clone() }, reason)
    }
}

impl Channel for Reader {
    fn send(&mut self, _parts: &[&[u8]], _from: usize) -> Result<usize, LinkError> {
        Err(LinkError::Closed)
    }

    fn receive(&mut self, out: &mut [u8]) -> Result<usize, LinkError> {
        match self.file.read(out) {
            Ok(0) => Err(LinkError::Ended),
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(failed(&self.reason, error)),
        }
    }
}
