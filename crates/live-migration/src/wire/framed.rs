//! A connection that carries frames: it numbers and counts them, waits as long as its [`Vigil`] says, and passes over
//! what only says that the other side is at work.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use dxgksim::host::SECOND;

use super::channel::{Channel, LinkError};
use super::frame::{FrameError, HEADER_BYTES, Header, Kind, MAX_PAYLOAD, seal};
use super::vigil::Vigil;

/// How often whoever is at work says so, in nanoseconds.
const BEAT_NS: u64 = SECOND;
/// How long the other side gets to read the last words before the connection goes, and how long they are listened for
/// on a connection that has failed, in nanoseconds.
pub(crate) const LAST_WORDS_NS: u64 = SECOND / 2;
/// Payloads are received in steps, so that a lying length costs no more memory than bytes that came.
const STEP: usize = 1 << 20;

/// A channel that speaks frames.
pub struct Framed {
    channel: Box<dyn Channel>,
    vigil: Arc<Vigil>,
    sent: u32,
    received: u32,
    bytes_sent: u64,
    last_sent: u64,
    /// Came while somebody only looked whether the other side is there, or belongs to a frame whose rest was not waited
    /// for.
    ahead: Vec<u8>,
}

impl Framed {
    /// Frames over `channel`, numbered from zero, with waits that `vigil` ends.
    pub fn new(channel: Box<dyn Channel>, vigil: Arc<Vigil>) -> Self {
        let last_sent = vigil.now();
        Self { channel, vigil, sent: 0, received: 0, bytes_sent: 0, last_sent, ahead: Vec::new() }
    }

    /// What ends waits.
    pub fn vigil(&self) -> &Arc<Vigil> {
        &self.vigil
    }

    /// From now on `vigil` ends waits.
    pub fn watched_by(mut self, vigil: Arc<Vigil>) -> Self {
        self.vigil = vigil;
        self
    }

    /// Bytes sent so far, headers included.
    pub fn bytes_sent(&self) -> u64 {
        self.bytes_sent
    }

    /// Number of the next frame to be received, for messages.
    pub fn received(&self) -> u32 {
        self.received
    }

    /// Sends one frame whose payload is `parts` in order.
    pub fn send(&mut self, kind: Kind, parts: &[&[u8]]) -> Result<(), FrameError> {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        debug_assert!(bytes <= MAX_PAYLOAD);
        let header = seal(kind, self.sent, parts);
        let mut all: Vec<&[u8]> = Vec::with_capacity(parts.len() + 1);
        all.push(&header);
        all.extend(parts.iter().filter(|part| !part.is_empty()));
        self.send_all(&all, HEADER_BYTES + bytes)?;
        self.sent = self.sent.wrapping_add(1);
        self.bytes_sent += (HEADER_BYTES + bytes) as u64;
        self.last_sent = self.vigil.now();
        Ok(())
    }

    fn send_all(&mut self, parts: &[&[u8]], bytes: usize) -> Result<(), LinkError> {
        let since = self.vigil.now();
        let mut from = 0;
        while from < bytes {
            self.vigil.check_peer(since)?;
            match self.channel.send(parts, from)? {
                0 => {}
                some => {
                    from += some;
                    self.vigil.note_progress();
                }
            }
        }
        Ok(())
    }

    /// Tells the other side that this one is at work, if nothing else has told it for a second.
    pub fn beat(&mut self) -> Result<(), FrameError> {
        if self.vigil.now().saturating_sub(self.last_sent) < BEAT_NS {
            return Ok(());
        }
        self.send(Kind::Alive, &[])
    }

    /// Looks whether the other side is still there, for a moment, and says whether something has come.
    pub fn look(&mut self) -> Result<bool, LinkError> {
        self.vigil.check()?;
        if self.ahead.is_empty() {
            let mut some = [0; HEADER_BYTES];
            let count = self.channel.receive(&mut some)?;
            self.ahead.extend_from_slice(&some[..count]);
        }
        Ok(!self.ahead.is_empty())
    }

    /// Receives the next header. The caller takes exactly its payload with [`Framed::receive_payload`].
    pub fn receive_header(&mut self) -> Result<Header, FrameError> {
        loop {
            let mut raw = [0; HEADER_BYTES];
            self.receive_payload(&mut raw)?;
            let header = Header::parse(&raw, self.received)?;
            if header.kind != Kind::Alive {
                return Ok(header);
            }
            let payload = self.receive_rest(&header)?;
            self.finish(&header, &[&payload])?;
        }
    }

    /// Receives bytes of the present payload.
    pub fn receive_payload(&mut self, out: &mut [u8]) -> Result<(), FrameError> {
        self.fill(out).map_err(|error| match error {
            LinkError::Ended => FrameError::CutShort { sequence: self.received },
            error => error.into(),
        })
    }

    fn fill(&mut self, out: &mut [u8]) -> Result<(), LinkError> {
        let mut filled = self.ahead.len().min(out.len());
        out[..filled].copy_from_slice(&self.ahead[..filled]);
        self.ahead.drain(..filled);
        let result = self.fill_from_channel(out, &mut filled);
        if result.is_err() {
            self.put_back(&out[..filled]);
        }
        result
    }

    fn fill_from_channel(&mut self, out: &mut [u8], filled: &mut usize) -> Result<(), LinkError> {
        let since = self.vigil.now();
        while *filled < out.len() {
            self.vigil.check_peer(since)?;
            match self.channel.receive(&mut out[*filled..])? {
                0 => {}
                some => {
                    *filled += some;
                    self.vigil.note_progress();
                }
            }
        }
        Ok(())
    }

    /// Bytes of a frame whose rest was not waited for: somebody may still want to hear it.
    fn put_back(&mut self, bytes: &[u8]) {
        self.ahead.splice(0..0, bytes.iter().copied());
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
        let payload = self.receive_rest(&header).inspect_err(|_| self.put_back(&header.raw()))?;
        self.finish(&header, &[&payload])?;
        Ok((header.kind, payload))
    }

    /// Receives the payload that belongs to `header`.
    pub(crate) fn receive_rest(&mut self, header: &Header) -> Result<Vec<u8>, FrameError> {
        let mut payload = Vec::new();
        while payload.len() < header.bytes {
            let at = payload.len();
            payload.resize(header.bytes.min(at + STEP), 0);
            if let Err(error) = self.receive_payload(&mut payload[at..]) {
                self.put_back(&payload[..at]);
                return Err(error);
            }
        }
        Ok(payload)
    }

    /// Says why this side gives up, and lets the other side read it: a connection that is dropped with bytes unread
    /// takes the last words with it.
    pub fn give_up(mut self, why: &str) {
        self.vigil = self.vigil.resolute();
        self.vigil.within(LAST_WORDS_NS);
        let words = postcard::to_allocvec(&String::from(why)).unwrap_or_default();
        if self.send(Kind::Abort, &[&words]).is_err() {
            return;
        }
        self.channel.close_sending();
        let mut unread = alloc::vec![0; STEP];
        while self.vigil.check().is_ok() && self.channel.receive(&mut unread).is_ok() {}
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
    fn send(&mut self, parts: &[&[u8]], from: usize) -> Result<usize, LinkError> {
        let before = self.bytes.len();
        super::channel::from_byte(parts, from).for_each(|part| self.bytes.extend_from_slice(part));
        Ok(self.bytes.len() - before)
    }

    fn receive(&mut self, out: &mut [u8]) -> Result<usize, LinkError> {
        let count = out.len().min(self.bytes.len() - self.at);
        if count == 0 {
            return Err(LinkError::Ended);
        }
        out[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
