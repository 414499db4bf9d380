//! Frames without a connection: what is sent stays readable as bytes.

use std::sync::{Arc, Mutex};

use live_migration::wire::channel::{Channel, LinkError, from_byte};
use live_migration::wire::frame::Kind;
use live_migration::wire::framed::{Framed, Loopback};
use live_migration::wire::vigil::Vigil;

struct Tape(Arc<Mutex<Vec<u8>>>);

impl Channel for Tape {
    fn send(&mut self, parts: &[&[u8]], from: usize) -> Result<usize, LinkError> {
        let mut tape = self.0.lock().unwrap();
        let before = tape.len();
        from_byte(parts, from).for_each(|part| tape.extend_from_slice(part));
        Ok(tape.len() - before)
    }

    fn receive(&mut self, _out: &mut [u8]) -> Result<usize, LinkError> {
        Err(LinkError::Closed)
    }
}

/// The bytes of these frames, one after another on one connection.
pub(crate) fn record(frames: &[(Kind, Vec<u8>)]) -> Vec<u8> {
    let tape = Arc::<Mutex<Vec<u8>>>::default();
    let mut link = Framed::new(Box::new(Tape(tape.clone())), Vigil::timeless());
    frames.iter().for_each(|(kind, payload)| link.send(*kind, &[payload]).unwrap());
    tape.lock().unwrap().clone()
}

/// A connection, or a file, on which these bytes come.
pub(crate) fn play(bytes: &[u8]) -> Framed {
    Framed::new(Box::new(Loopback::holding(bytes.to_vec())), Vigil::timeless())
}
