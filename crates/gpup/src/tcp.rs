//! The agents' channels over TCP.

use std::fmt;
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use live_migration::wire::channel::{Channel, LinkError, SLICE_NS, from_byte};
use live_migration::wire::vigil::Vigil;
use socket2::{SockRef, TcpKeepalive};

/// How long one address is tried for.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a wait for bytes or for room lasts before somebody looks whether it is still wanted.
const SLICE: Duration = Duration::from_nanos(SLICE_NS);
/// After how much silence the system asks whether the other machine is still there, and keeps what lies in between
/// from forgetting the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Pieces sent with one system call.
const PIECES: usize = 512;

/// A channel over a TCP connection.
pub struct Tcp(TcpStream);

impl Tcp {
    /// A channel over an open connection.
    pub fn over(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SLICE))?;
        stream.set_write_timeout(Some(SLICE))?;
        SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE))?;
        Ok(Self(stream))
    }
}

/// A target's address as somebody wrote it, and what it stands for.
#[derive(Clone, Debug)]
pub struct Address {
    text: String,
    found: Vec<SocketAddr>,
}

impl Address {
    /// Looks up what `host:port` stands for.
    pub fn resolve(text: &str) -> Result<Self, String> {
        let hint = "write HOST:PORT, such as 127.0.0.1:7433";
        let found: Vec<SocketAddr> = text
            .to_socket_addrs()
            .map_err(|error| format!("'{text}' is no address ({error}): {hint}"))?
            .collect();
        if found.is_empty() {
            return Err(format!("'{text}' stands for no address: {hint}"));
        }
        Ok(Self { text: text.into(), found })
    }

    /// All it stands for, in the order to be tried.
    pub fn all(&self) -> &[SocketAddr] {
        &self.found
    }

    /// Opens a connection to the first that answers, unless `vigil` ends the wait.
    pub fn connect(&self, vigil: &Vigil) -> Result<Tcp, LinkError> {
        vigil.check()?;
        let (sender, receiver) = sync_channel(1);
        let found = self.found.clone();
        // On a thread of its own: the system's wait for an answer cannot be ended.
        let tried = std::thread::Builder::new().name("connect".into()).spawn(move || {
            let _ = sender.send(first_that_answers(&found));
        });
        tried.map_err(|error| LinkError::Failed(error.to_string()))?;
        loop {
            match receiver.recv_timeout(SLICE) {
                Ok(connected) => return connected.map_err(|error| LinkError::Failed(error.to_string())),
                Err(RecvTimeoutError::Timeout) => vigil.check()?,
                Err(RecvTimeoutError::Disconnected) => return Err(LinkError::Closed),
            }
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self { text: address.to_string(), found: vec![address] }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Opens connections to `address`.
pub fn connector(address: &Address) -> impl FnMut(&Vigil) -> Result<Box<dyn Channel>, LinkError> {
    let address = address.clone();
    move |vigil| Ok(Box::new(address.connect(vigil)?) as Box<dyn Channel>)
}

fn first_that_answers(addresses: &[SocketAddr]) -> std::io::Result<Tcp> {
    let mut last = None;
    for address in addresses {
        match TcpStream::connect_timeout(address, CONNECT).and_then(Tcp::over) {
            Ok(tcp) => return Ok(tcp),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| ErrorKind::AddrNotAvailable.into()))
}

fn link_error(error: &std::io::Error) -> LinkError {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            LinkError::Closed
        }
        _ => LinkError::Failed(error.to_string()),
    }
}

/// What a call brought: nothing, where it was only interrupted or its slice is over.
fn some_bytes(result: std::io::Result<usize>) -> Result<usize, LinkError> {
    match result {
        Ok(0) => Err(LinkError::Closed),
        Ok(bytes) => Ok(bytes),
        Err(error) => match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(0),
            _ => Err(link_error(&error)),
        },
    }
}

impl Channel for Tcp {
    fn send(&mut self, parts: &[&[u8]], from: usize) -> Result<usize, LinkError> {
        let slices: Vec<IoSlice<'_>> = from_byte(parts, from).take(PIECES).map(IoSlice::new).collect();
        some_bytes(self.0.write_vectored(&slices))
    }

    fn receive(&mut self, out: &mut [u8]) -> Result<usize, LinkError> {
        some_bytes(self.0.read(out))
    }

    fn close_sending(&mut self) {
        let _ = self.0.shutdown(Shutdown::Write);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn all_addresses_of_a_name_are_tried() {
        dxgksim::host::std_host::install();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap();
        // A port that was free a moment ago refuses.
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let address = Address { text: "both".into(), found: vec![nobody, here] };
        assert!(address.connect(&Vigil::patient()).is_ok());
        let address = Address { text: "none".into(), found: vec![nobody] };
        assert!(matches!(address.connect(&Vigil::patient()), Err(LinkError::Failed(_))));
    }
}
