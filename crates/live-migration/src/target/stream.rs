//! A data stream of the target: pages go into VRAM on a thread of its own.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use dxgksim::host::{Event as Signal, Mutex, Thread};

use crate::error::Error;
use crate::pages::placer::{Arrival, Placer};
use crate::wire::channel::SLICE_NS;
use crate::wire::frame::Kind;
use crate::wire::message::IterationEnd;

/// A data stream at work on a thread of its own.
pub(super) struct Stream {
    state: Arc<StreamState>,
    _thread: Option<Thread>,
}

struct StreamState {
    /// Ends of iterations that have arrived, oldest first; an error ends the stream.
    ends: Mutex<Vec<Result<IterationEnd, Error>>>,
    arrived: Signal,
}

impl Stream {
    /// Takes in what `placer` receives. When that fails `interrupt` is set: whoever waits elsewhere has no more to
    /// wait for.
    pub(super) fn start(mut placer: Placer, interrupt: Arc<AtomicBool>) -> Result<Self, Error> {
        let state = Arc::new(StreamState { ends: Mutex::new(Vec::new()), arrived: Signal::new() });
        let theirs = state.clone();
        let thread = Thread::spawn("stream", move || {
            loop {
                let end = match placer.next() {
                    Ok(Arrival::Pages) => continue,
                    Ok(Arrival::End(end)) => Ok(end),
                    Ok(Arrival::Other(Kind::End, _)) => break,
                    Ok(Arrival::Other(..)) => Err(Error::Protocol("a strange frame on a data stream")),
                    Err(error) => Err(error),
                };
                let over = end.is_err();
                theirs.ends.lock().push(end);
                theirs.arrived.signal();
                if over {
                    // What is on its way into VRAM must land before the VF can go.
                    let _ = placer.settle();
                    interrupt.store(true, Ordering::Relaxed);
                    break;
                }
            }
        });
        Ok(Self { state, _thread: thread })
    }

    /// Why it failed, if it did.
    pub(super) fn failure(&self) -> Option<Error> {
        let ends = self.state.ends.lock();
        ends.iter().find_map(|end| end.clone().err()).filter(|error| *error != Error::Cancelled)
    }

    /// Waits for the end of iteration `number` and says how many pages it had. `look` is called between slices of the
    /// wait, and may end it.
    pub(super) fn finish(
        &self,
        number: u32,
        mut look: impl FnMut() -> Result<(), Error>,
    ) -> Result<u64, Error> {
        loop {
            {
                let mut ends = self.state.ends.lock();
                if !ends.is_empty() {
                    let end = ends.remove(0)?;
                    return if end.iteration == number {
                        Ok(end.pages)
                    } else {
                        Err(Error::Protocol("an iteration out of order on a data stream"))
                    };
                }
            }
            self.state.arrived.wait(SLICE_NS);
            look()?;
        }
    }
}
