//! A wire in memory: connections of bytes, which somebody may listen in on.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use live_migration::Connect;
use live_migration::wire::channel::{Channel, LinkError};

/// Far longer than any step of a migration takes on any machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// What the source sent on each connection, in the order in which they were opened.
pub(crate) type Tap = Arc<Mutex<Vec<Vec<u8>>>>;

/// One end of a connection.
pub(crate) struct Pipe {
    to: Sender<Vec<u8>>,
    from: Receiver<Vec<u8>>,
    rest: Vec<u8>,
    /// The listener's record of what is sent here.
    tap: Option<(Tap, usize)>,
}

impl Channel for Pipe {
    fn send(&mut self, parts: &[&[u8]]) -> Result<(), LinkError> {
        let bytes = parts.concat();
        if let Some((tap, connection)) = &self.tap {
            tap.lock().unwrap()[*connection].extend_from_slice(&bytes);
        }
        self.to.send(bytes).map_err(|_| LinkError::Closed)
    }

    fn receive(&mut self, out: &mut [u8]) -> Result<(), LinkError> {
        let mut filled = 0;
        while filled < out.len() {
            if self.rest.is_empty() {
                self.rest = self.from.recv_timeout(PATIENCE).map_err(|_| LinkError::Closed)?;
            }
            let here = self.rest.len().min(out.len() - filled);
            out[filled..filled + here].copy_from_slice(&self.rest[..here]);
            self.rest.drain(..here);
            filled += here;
        }
        Ok(())
    }
}

/// Opens connections to a [`Door`].
pub(crate) struct Wire {
    ends: Sender<Pipe>,
    pub(crate) tap: Tap,
}

/// Where connections arrive.
pub(crate) type Door = Receiver<Pipe>;

impl Wire {
    pub(crate) fn new() -> (Self, Door) {
        let (ends, door) = channel();
        (Self { ends, tap: Tap::default() }, door)
    }
}

impl Connect for Wire {
    fn connect(&mut self) -> Result<Box<dyn Channel>, LinkError> {
        let ((to_target, at_target), (to_source, at_source)) = (channel(), channel());
        let mut heard = self.tap.lock().unwrap();
        let tap = Some((self.tap.clone(), heard.len()));
        heard.push(Vec::new());
        let theirs = Pipe { to: to_source, from: at_target, rest: Vec::new(), tap: None };
        self.ends.send(theirs).map_err(|_| LinkError::Closed)?;
        Ok(Box::new(Pipe { to: to_target, from: at_source, rest: Vec::new(), tap }))
    }
}

/// The next connection.
pub(crate) fn accept(door: &Door) -> Result<Box<dyn Channel>, LinkError> {
    let pipe = door.recv_timeout(PATIENCE).map_err(|_| LinkError::Closed)?;
    Ok(Box::new(pipe))
}
