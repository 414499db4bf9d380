//! Messages over frames: what is sent and what is expected, and what another answer means.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::frame::Kind;
use super::framed::Framed;
use crate::error::Error;

impl Framed {
    /// Sends a message.
    pub fn send_message<T: Serialize>(&mut self, kind: Kind, message: &T) -> Result<(), Error> {
        let bytes =
            postcard::to_allocvec(message).map_err(|_| Error::Protocol("a message could not be encoded"))?;
        Ok(self.send(kind, &[&bytes])?)
    }

    /// Receives a frame that must be of `kind`. An Abort in its place is the other side's refusal.
    pub fn expect(&mut self, kind: Kind) -> Result<Vec<u8>, Error> {
        match self.receive()? {
            (found, payload) if found == kind => Ok(payload),
            (Kind::Abort, payload) => Err(Error::Aborted(decode(&payload).unwrap_or_default())),
            (found, _) => Err(Error::Unexpected { expected: kind, found }),
        }
    }

    /// Receives a message that must be of `kind`.
    pub fn expect_message<T: for<'a> Deserialize<'a>>(&mut self, kind: Kind) -> Result<T, Error> {
        let payload = self.expect(kind)?;
        decode(&payload)
    }
}

impl Framed {
    /// Why the other side gave up, if that is what it says within `ns` nanoseconds on a connection that has failed.
    pub fn last_words(mut self, ns: u64) -> Option<String> {
        let vigil = self.vigil().resolute();
        vigil.within(ns);
        self = self.watched_by(vigil);
        loop {
            match self.receive() {
                Ok((Kind::Abort, payload)) => return decode(&payload).ok(),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }
}

/// Decodes a message; bytes left over are an error, as they are in a file.
pub fn decode<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, Error> {
    match postcard::take_from_bytes(payload) {
        Ok((message, [])) => Ok(message),
        _ => Err(Error::Protocol("a message cannot be decoded")),
    }
}
