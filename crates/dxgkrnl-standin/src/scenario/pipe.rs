//! Connections within one kernel: pairs of bounded pipes, and the door where the target answers.

use alloc::collections::VecDeque;
use alloc::sync::Arc;

use dxgksim::host::{Event, Mutex, SECOND};
use live_migration::wire::channel::{Channel, LinkError};

/// Bytes that lie in a pipe at most: enough that neither side waits for each frame of the other.
const ROOM: usize = 1 << 20;
/// How long a silent peer is waited for: far longer than any step of a migration takes on any machine.
const PATIENCE_NS: u64 = 600 * SECOND;

/// Bytes on their way in one direction, for one sender and one receiver.
#[derive(Default)]
struct Pipe {
    state: Mutex<State>,
    filled: Event,
    emptied: Event,
}

#[derive(Default)]
struct State {
    bytes: VecDeque<u8>,
    closed: bool,
}

impl Pipe {
    fn send(&self, mut data: &[u8]) -> Result<(), LinkError> {
        while !data.is_empty() {
            {
                let mut state = self.state.lock();
                if state.closed {
                    return Err(LinkError::Closed);
                }
                let (now, later) = data.split_at(data.len().min(ROOM - state.bytes.len()));
                state.bytes.extend(now);
                data = later;
            }
            self.filled.signal();
            if !data.is_empty() && !self.emptied.wait(PATIENCE_NS) {
                return Err(LinkError::TimedOut);
            }
        }
        Ok(())
    }

    fn receive(&self, mut out: &mut [u8]) -> Result<(), LinkError> {
        while !out.is_empty() {
            let closed = {
                let mut state = self.state.lock();
                let count = out.len().min(state.bytes.len());
                let (now, later) = out.split_at_mut(count);
                now.iter_mut().zip(state.bytes.drain(..count)).for_each(|(place, byte)| *place = byte);
                out = later;
                state.closed
            };
            self.emptied.signal();
            if out.is_empty() {
                return Ok(());
            }
            if closed {
                return Err(LinkError::Closed);
            }
            if !self.filled.wait(PATIENCE_NS) {
                return Err(LinkError::TimedOut);
            }
        }
        Ok(())
    }

    fn close(&self) {
        self.state.lock().closed = true;
        self.filled.signal();
        self.emptied.signal();
    }
}

/// One end of a connection. Dropping it closes both directions; what was sent before can still be read.
pub(super) struct End {
    out: Arc<Pipe>,
    into: Arc<Pipe>,
}

/// Two ends of a new connection.
fn connection() -> [End; 2] {
    let (there, back) = (Arc::<Pipe>::default(), Arc::<Pipe>::default());
    [End { out: there.clone(), into: back.clone() }, End { out: back, into: there }]
}

impl Channel for End {
    fn send(&mut self, parts: &[&[u8]]) -> Result<(), LinkError> {
        parts.iter().try_for_each(|part| self.out.send(part))
    }

    fn receive(&mut self, out: &mut [u8]) -> Result<(), LinkError> {
        self.into.receive(out)
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.out.close();
        self.into.close();
    }
}

/// Where connections to the target arrive.
#[derive(Default)]
pub(super) struct Door {
    state: Mutex<Waiting>,
    knocked: Event,
}

#[derive(Default)]
struct Waiting {
    ends: VecDeque<End>,
    closed: bool,
}

impl Door {
    /// Opens a connection to the target.
    pub(super) fn knock(&self) -> Result<End, LinkError> {
        let [ours, theirs] = connection();
        {
            let mut waiting = self.state.lock();
            if waiting.closed {
                return Err(LinkError::Closed);
            }
            waiting.ends.push_back(theirs);
        }
        self.knocked.signal();
        Ok(ours)
    }

    /// The next connection.
    pub(super) fn answer(&self) -> Result<End, LinkError> {
        loop {
            {
                let mut waiting = self.state.lock();
                match waiting.ends.pop_front() {
                    Some(end) => return Ok(end),
                    None if waiting.closed => return Err(LinkError::Closed),
                    None => {}
                }
            }
            if !self.knocked.wait(PATIENCE_NS) {
                return Err(LinkError::TimedOut);
            }
        }
    }

    /// Nobody answers any more, and who waits outside is turned away.
    pub(super) fn close(&self) {
        let turned_away = {
            let mut waiting = self.state.lock();
            waiting.closed = true;
            core::mem::take(&mut waiting.ends)
        };
        drop(turned_away);
        self.knocked.signal();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dxgksim::host::Thread;

    #[test]
    fn more_than_fits_arrives_in_order_and_then_the_end() {
        dxgksim::host::std_host::install();
        let [mut here, mut there] = connection();
        let data: alloc::vec::Vec<u8> = (0..3 * ROOM + 5).map(|at| (at % 251) as u8).collect();
        let sent = data.clone();
        let sender = Thread::spawn("sender", move || {
            here.send(&[&sent[..7], &sent[7..]]).unwrap();
        });
        let mut got = alloc::vec![0; data.len()];
        there.receive(&mut got).unwrap();
        assert!(got == data);
        drop(sender);
        assert_eq!(there.receive(&mut [0]), Err(LinkError::Closed));
        assert_eq!(there.send(&[&[0]]), Err(LinkError::Closed));
    }

    #[test]
    fn a_closed_door_turns_everybody_away() {
        dxgksim::host::std_host::install();
        let door = Door::default();
        let mut early = door.knock().unwrap();
        door.close();
        assert_eq!(early.receive(&mut [0]), Err(LinkError::Closed));
        assert!(door.knock().is_err());
        assert_eq!(door.answer().err(), Some(LinkError::Closed));
    }
}
