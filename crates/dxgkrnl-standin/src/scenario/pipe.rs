//! Connections within one kernel: pairs of bounded pipes, and the door where the target answers.

use alloc::collections::VecDeque;
use alloc::sync::Arc;

use dxgksim::host::{Event, Mutex};
use live_migration::wire::channel::{Channel, LinkError, SLICE_NS, from_byte};

/// Bytes that lie in a pipe at most: enough that neither side waits for each frame of the other.
const ROOM: usize = 1 << 20;

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
    /// Takes what there is room for, and waits for a slice when there is none.
    fn send(&self, parts: &[&[u8]], from: usize) -> Result<usize, LinkError> {
        let sent = {
            let mut state = self.state.lock();
            if state.closed {
                return Err(LinkError::Closed);
            }
            let before = state.bytes.len();
            for part in from_byte(parts, from) {
                let room = ROOM - state.bytes.len();
                state.bytes.extend(&part[..part.len().min(room)]);
            }
            state.bytes.len() - before
        };
        if sent == 0 {
            self.emptied.wait(SLICE_NS);
        } else {
            self.filled.signal();
        }
        Ok(sent)
    }

    /// Gives what there is, and waits for a slice when there is nothing.
    fn receive(&self, out: &mut [u8]) -> Result<usize, LinkError> {
        let (count, closed) = {
            let mut state = self.state.lock();
            let count = out.len().min(state.bytes.len());
            out.iter_mut().zip(state.bytes.drain(..count)).for_each(|(place, byte)| *place = byte);
            (count, state.closed)
        };
        if count > 0 {
            self.emptied.signal();
        } else if closed {
            return Err(LinkError::Closed);
        } else {
            self.filled.wait(SLICE_NS);
        }
        Ok(count)
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
    fn send(&mut self, parts: &[&[u8]], from: usize) -> Result<usize, LinkError> {
        self.out.send(parts, from)
    }

    fn receive(&mut self, out: &mut [u8]) -> Result<usize, LinkError> {
        self.into.receive(out)
    }

    fn close_sending(&mut self) {
        self.out.close();
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
            self.knocked.wait(SLICE_NS);
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
            let mut from = 0;
            while from < sent.len() {
                from += here.send(&[&sent[..7], &sent[7..]], from).unwrap();
            }
        });
        let (mut got, mut buffer) = (alloc::vec::Vec::new(), [0; 4096]);
        while got.len() < data.len() {
            let count = there.receive(&mut buffer).unwrap();
            got.extend_from_slice(&buffer[..count]);
        }
        assert!(got == data);
        drop(sender);
        assert_eq!(there.receive(&mut [0]), Err(LinkError::Closed));
        assert_eq!(there.send(&[&[0]], 0), Err(LinkError::Closed));
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
