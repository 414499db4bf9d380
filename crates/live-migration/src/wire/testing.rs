//! For tests: a clock that moves only where somebody waits, and the other side of a connection as a script.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Mutex;

use super::channel::{Channel, LinkError, SLICE_NS, from_byte};
use super::frame::Kind;
use super::framed::Framed;
use super::vigil::{Clock, SILENCE_S, Vigil};

/// Moves only when somebody sleeps.
#[derive(Default)]
pub(crate) struct Still(AtomicU64);

impl Clock for Still {
    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
    fn sleep(&self, ns: u64) {
        self.0.fetch_add(ns, Ordering::Relaxed);
    }
}

/// Waits that go by a still clock, the clock, and what cancels them.
pub(crate) fn vigil() -> (Arc<Still>, Arc<AtomicBool>, Arc<Vigil>) {
    let (clock, cancel) = (Arc::<Still>::default(), Arc::<AtomicBool>::default());
    (clock.clone(), cancel.clone(), Vigil::new(clock, cancel, SILENCE_S))
}

/// What comes from the other side.
pub(crate) enum Comes {
    Bytes(Vec<u8>),
    /// Nothing, for so many nanoseconds.
    Nothing(u64),
    /// The end.
    Error(LinkError),
}

/// A connection whose other side keeps to a script, and is silent at its end.
pub(crate) struct Script {
    clock: Arc<Still>,
    comes: VecDeque<Comes>,
    said: Arc<Mutex<Said>>,
    /// Nothing can be sent any more.
    cut: bool,
}

/// What was sent to the other side.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) bytes: Vec<u8>,
    /// It was told that nothing more comes.
    pub(crate) closed: bool,
}

impl Script {
    pub(crate) fn new(clock: Arc<Still>, comes: impl IntoIterator<Item = Comes>) -> Self {
        Self { clock, comes: comes.into_iter().collect(), said: Arc::default(), cut: false }
    }

    /// Whatever is sent fails.
    pub(crate) fn cut(self) -> Self {
        Self { cut: true, ..self }
    }

    /// What will have been sent.
    pub(crate) fn said(&self) -> Arc<Mutex<Said>> {
        self.said.clone()
    }
}

impl Channel for Script {
    fn send(&mut self, parts: &[&[u8]], from: usize) -> Result<usize, LinkError> {
        if self.cut {
            return Err(LinkError::Closed);
        }
        let mut said = self.said.lock().unwrap();
        let before = said.bytes.len();
        from_byte(parts, from).for_each(|part| said.bytes.extend_from_slice(part));
        Ok(said.bytes.len() - before)
    }

    fn receive(&mut self, out: &mut [u8]) -> Result<usize, LinkError> {
        match self.comes.pop_front() {
            None => self.clock.sleep(SLICE_NS),
            Some(Comes::Error(error)) => {
                self.comes.push_front(Comes::Error(error.clone()));
                return Err(error);
            }
            Some(Comes::Nothing(ns)) => {
                self.clock.sleep(ns.min(SLICE_NS));
                if ns > SLICE_NS {
                    self.comes.push_front(Comes::Nothing(ns - SLICE_NS));
                }
            }
            Some(Comes::Bytes(mut bytes)) => {
                let rest = bytes.split_off(bytes.len().min(out.len()));
                out[..bytes.len()].copy_from_slice(&bytes);
                if !rest.is_empty() {
                    self.comes.push_front(Comes::Bytes(rest));
                }
                return Ok(bytes.len());
            }
        }
        Ok(0)
    }

    fn close_sending(&mut self) {
        self.said.lock().unwrap().closed = true;
    }
}

/// The bytes of frames as a new connection numbers them.
pub(crate) fn frames(frames: &[(Kind, &[u8])]) -> Vec<u8> {
    let (clock, _, vigil) = vigil();
    let script = Script::new(clock, []);
    let said = script.said();
    let mut link = Framed::new(alloc::boxed::Box::new(script), vigil);
    frames.iter().for_each(|(kind, payload)| link.send(*kind, &[payload]).unwrap());
    core::mem::take(&mut said.lock().unwrap().bytes)
}
