//! The agents' channels over TCP and over files.

use std::fs::File;
use std::io::{BufReader, ErrorKind, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use live_migration::wire::channel::{Channel, LinkError};

/// How long a silent peer is waited for: longer than any step of a migration takes.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait for a connection to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// Pieces sent with one system call.
const PIECES: usize = 512;

/// A channel over a TCP connection.
pub struct Tcp(TcpStream);

impl Tcp {
    /// Connects to `address`.
    pub fn connect(address: SocketAddr) -> std::io::Result<Self> {
        Self::over(TcpStream::connect_timeout(&address, CONNECT)?)
    }

    /// A channel over an open connection.
    pub fn over(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self(stream))
    }
}

/// The first address `host:port` stands for.
pub fn resolve(text: &str) -> Result<SocketAddr, String> {
    let hint = "write HOST:PORT, such as 127.0.0.1:7433";
    let mut found =
        text.to_socket_addrs().map_err(|error| format!("'{text}' is no address ({error}): {hint}"))?;
    found.next().ok_or_else(|| format!("'{text}' stands for no address: {hint}"))
}

fn link_error(error: &std::io::Error) -> LinkError {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => LinkError::TimedOut,
        _ => LinkError::Closed,
    }
}

impl Channel for Tcp {
    fn send(&mut self, parts: &[&[u8]]) -> Result<(), LinkError> {
        let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let mut rest = &mut slices[..];
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            let window = &rest[..rest.len().min(PIECES)];
            match self.0.write_vectored(window) {
                Ok(0) => return Err(LinkError::Closed),
                Ok(bytes) => IoSlice::advance_slices(&mut rest, bytes),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(link_error(&error)),
            }
        }
        Ok(())
    }

    fn receive(&mut self, out: &mut [u8]) -> Result<(), LinkError> {
        self.0.read_exact(out).map_err(|error| link_error(&error))
    }
}

/// A channel that writes a file.
pub struct FileWriter {
    file: File,
    failure: Arc<OnceLock<std::io::Error>>,
}

impl FileWriter {
    /// Writes to `file`, unbuffered: most of it is page batches, and a full disk shows at once.
    pub fn new(file: File) -> Self {
        Self { file, failure: Arc::default() }
    }

    /// Where the reason will stand if writing fails: a channel only says that it is closed.
    pub fn failure(&self) -> Arc<OnceLock<std::io::Error>> {
        self.failure.clone()
    }
}

impl Channel for FileWriter {
    fn send(&mut self, parts: &[&[u8]]) -> Result<(), LinkError> {
        parts.iter().try_for_each(|part| self.file.write_all(part)).map_err(|error| {
            let link = link_error(&error);
            let _ = self.failure.set(error);
            link
        })
    }

    fn receive(&mut self, _out: &mut [u8]) -> Result<(), LinkError> {
        Err(LinkError::Closed)
    }
}

/// A channel that reads a file.
pub struct FileReader(BufReader<File>);

impl FileReader {
    /// Reads from `file`.
    pub fn new(file: File) -> Self {
        Self(BufReader::with_capacity(1 << 20, file))
    }
}

impl Channel for FileReader {
    fn send(&mut self, _parts: &[&[u8]]) -> Result<(), LinkError> {
        Err(LinkError::Closed)
    }

    fn receive(&mut self, out: &mut [u8]) -> Result<(), LinkError> {
        self.0.read_exact(out).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => LinkError::Ended,
            _ => link_error(&error),
        })
    }
}
