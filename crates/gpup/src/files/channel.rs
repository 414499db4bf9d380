//! The agents' channels over files. A channel only says that it ended, so the reason stands beside it.

use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read, Write};
use std::sync::{Arc, OnceLock};

use live_migration::wire::channel::{Channel, LinkError};

/// Why a file failed, if it did.
pub(crate) type Reason = Arc<OnceLock<Error>>;

fn failed(reason: &Reason, error: Error) -> LinkError {
    let _ = reason.set(error);
    LinkError::Closed
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
    fn send(&mut self, parts: &[&[u8]]) -> Result<(), LinkError> {
        let written = parts.iter().try_for_each(|part| self.file.write_all(part));
        written.map_err(|error| failed(&self.reason, error))
    }

    fn receive(&mut self, _out: &mut [u8]) -> Result<(), LinkError> {
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
    fn send(&mut self, _parts: &[&[u8]]) -> Result<(), LinkError> {
        Err(LinkError::Closed)
    }

    fn receive(&mut self, out: &mut [u8]) -> Result<(), LinkError> {
        self.file.read_exact(out).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => LinkError::Ended,
            _ => failed(&self.reason, error),
        })
    }
}
