//! A connection of the network: two lanes, and how each flows.

use std::collections::VecDeque;

use live_migration::wire::channel::LinkError;

use crate::fate::TRICKLE_NS;
use crate::spot::Role;
use crate::time::Side;

/// How what is sent on a lane arrives.
#[derive(Default)]
enum Flow {
    #[default]
    Open,
    /// It does not.
    Stuck,
    /// All of it at this time.
    Held(u64, Vec<u8>),
    /// The next byte at this time.
    Trickling(u64, VecDeque<u8>),
}

/// One direction.
#[derive(Default)]
pub(crate) struct Lane {
    /// Sent, but no whole frame yet.
    pub(crate) partial: Vec<u8>,
    /// Arrived.
    ready: VecDeque<u8>,
    flow: Flow,
    /// Nothing more will be sent.
    over: bool,
}

impl Lane {
    /// A frame goes its way.
    pub(crate) fn put(&mut self, frame: &[u8]) {
        match &mut self.flow {
            Flow::Open => self.ready.extend(frame),
            Flow::Stuck => {}
            Flow::Held(_, held) => held.extend_from_slice(frame),
            Flow::Trickling(_, left) => left.extend(frame),
        }
    }

    pub(crate) fn stick(&mut self) {
        self.flow = Flow::Stuck;
    }

    pub(crate) fn hold(&mut self, until: u64) {
        self.flow = Flow::Held(until, Vec::new());
    }

    pub(crate) fn trickle(&mut self, now: u64) {
        self.flow = Flow::Trickling(now + TRICKLE_NS, VecDeque::new());
    }

    fn is_stuck(&self) -> bool {
        matches!(self.flow, Flow::Stuck)
    }

    /// Lets arrive what is due.
    fn advance(&mut self, now: u64) {
        match &mut self.flow {
            Flow::Held(until, held) if *until <= now => {
                self.ready.extend(held.drain(..));
                self.flow = Flow::Open;
            }
            Flow::Trickling(next, left) => {
                while *next <= now {
                    self.ready.extend(left.pop_front());
                    *next += TRICKLE_NS;
                }
            }
            _ => {}
        }
    }

    /// Whether the other side is seen to have ended it.
    fn has_ended(&self) -> bool {
        self.over && matches!(self.flow, Flow::Open | Flow::Trickling(..))
    }
}

/// A connection.
#[derive(Default)]
pub(crate) struct Line {
    pub(crate) role: Option<Role>,
    /// Whoever is at its other end is no part of the story.
    pub(crate) strange: bool,
    /// By who sends.
    lanes: [Lane; 2],
    /// Whether a side sees that it is cut.
    cut: [bool; 2],
    /// Whether a side has let go of its end.
    dropped: [bool; 2],
}

impl Line {
    pub(crate) fn new(strange: bool) -> Self {
        Self { strange, ..Self::default() }
    }

    pub(crate) fn lane(&mut self, from: Side) -> &mut Lane {
        &mut self.lanes[from as usize]
    }

    pub(crate) fn cut(&mut self) {
        self.cut = [true; 2];
    }

    /// Only `side` sees it; the other hears nothing any more.
    pub(crate) fn cut_for(&mut self, side: Side) {
        self.cut[side as usize] = true;
        self.lanes.iter_mut().for_each(Lane::stick);
    }

    pub(crate) fn close_sending(&mut self, side: Side) {
        self.lane(side).over = true;
    }

    pub(crate) fn let_go(&mut self, side: Side) {
        self.close_sending(side);
        self.dropped[side as usize] = true;
    }

    /// Whether `side` can send now. A stuck stream has no room; what else is sent is small and finds some.
    pub(crate) fn has_room(&self, side: Side) -> Result<bool, LinkError> {
        let stuck = self.lanes[side as usize].is_stuck();
        if self.cut[side as usize] || (self.dropped[side.other() as usize] && !stuck) {
            return Err(LinkError::Closed);
        }
        Ok(!(stuck && matches!(self.role, Some(Role::Stream(_)))))
    }

    /// What has arrived for `side`. 0: nothing yet.
    pub(crate) fn take(&mut self, side: Side, now: u64, out: &mut [u8]) -> Result<usize, LinkError> {
        let cut = self.cut[side as usize];
        let lane = &mut self.lanes[side.other() as usize];
        lane.advance(now);
        let count = lane.ready.len().min(out.len());
        if count == 0 && (cut || lane.has_ended()) {
            return Err(LinkError::Closed);
        }
        for (out, byte) in out.iter_mut().zip(lane.ready.drain(..count)) {
            *out = byte;
        }
        Ok(count)
    }
}
