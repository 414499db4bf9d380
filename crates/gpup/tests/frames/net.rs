//! A network in memory that knows frames, and does to some of them what it was told to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use live_migration::Connect;
use live_migration::wire::channel::{Channel, LinkError, from_byte};
use live_migration::wire::frame::Kind;
use live_migration::wire::vigil::Vigil;

use crate::fate::Fate;
use crate::line::Line;
use crate::spot::{Role, Spot, take_frame};
use crate::stranger::{self, Lie};
use crate::time::{AtWork, Side, Time};

/// A look at a connection, in the machine's time.
const LOOK: Duration = Duration::from_micros(300);

/// Who is found at the target's address.
#[derive(Clone, Copy)]
enum Route {
    Target,
    Nobody,
    Stranger(Lie),
}

struct State {
    lines: Vec<Line>,
    faults: Vec<(Spot, Fate)>,
    /// Every frame so far.
    seen: Vec<Spot>,
    in_pause: bool,
    route: Route,
    door: Option<Sender<Arrival>>,
    cancelled_at: Option<u64>,
}

/// A connection that reaches the target, which has work from now on.
pub(crate) struct Arrival {
    pub(crate) end: End,
    pub(crate) at_work: AtWork,
}

/// The network between two hosts.
pub(crate) struct Net {
    state: Mutex<State>,
    changed: Condvar,
    time: Arc<Time>,
    /// Set where a frame is stuck and somebody wants an end.
    cancel: Arc<AtomicBool>,
}

impl Net {
    /// In which `faults` happen; and where connections arrive.
    pub(crate) fn new(
        time: Arc<Time>,
        cancel: Arc<AtomicBool>,
        faults: Vec<(Spot, Fate)>,
    ) -> (Arc<Self>, Receiver<Arrival>) {
        let (door, arrivals) = channel();
        let state = State {
            lines: Vec::new(),
            faults,
            seen: Vec::new(),
            in_pause: false,
            route: Route::Target,
            door: Some(door),
            cancelled_at: None,
        };
        (Arc::new(Self { state: Mutex::new(state), changed: Condvar::new(), time, cancel }), arrivals)
    }

    /// The source begins to pause the VM.
    pub(crate) fn pause_begins(&self) {
        self.state.lock().unwrap().in_pause = true;
    }

    /// Every frame so far.
    pub(crate) fn seen(&self) -> Vec<Spot> {
        self.state.lock().unwrap().seen.clone()
    }

    /// What was to happen and has not.
    pub(crate) fn faults_left(&self) -> Vec<(Spot, Fate)> {
        self.state.lock().unwrap().faults.clone()
    }

    /// When an end was asked for.
    pub(crate) fn cancelled_at(&self) -> Option<u64> {
        self.state.lock().unwrap().cancelled_at
    }

    /// New connections reach the target again, and nothing happens to them.
    pub(crate) fn heal(&self) {
        let mut state = self.state.lock().unwrap();
        state.route = Route::Target;
        state.faults.clear();
    }

    /// Nobody can come any more.
    pub(crate) fn shut(&self) {
        self.state.lock().unwrap().door = None;
    }

    fn send(&self, line: usize, side: Side, bytes: &[u8]) -> Result<usize, LinkError> {
        let mut state = self.state.lock().unwrap();
        if !state.lines[line].has_room(side)? {
            drop(self.changed.wait_timeout(state, LOOK).unwrap());
            self.time.look(side);
            return Ok(0);
        }
        state.lines[line].lane(side).partial.extend_from_slice(bytes);
        while let Some((kind, frame)) = take_frame(&mut state.lines[line].lane(side).partial) {
            self.pass(&mut state, line, side, kind, &frame);
        }
        self.time.moved();
        self.changed.notify_all();
        Ok(bytes.len())
    }

    fn pass(&self, state: &mut State, at: usize, from: Side, kind: Kind, frame: &[u8]) {
        let role = state.role(at, kind);
        let line = &mut state.lines[at];
        if line.strange {
            return line.lane(from).put(frame);
        }
        let mut spot = Spot::new(role, from, kind, state.in_pause);
        spot.nth = state.seen.iter().filter(|seen| Spot { nth: 0, ..**seen } == spot).count();
        state.seen.push(spot);
        match state.faults.iter().position(|(where_, _)| *where_ == spot) {
            None => line.lane(from).put(frame),
            Some(fault) => {
                let (_, fate) = state.faults.remove(fault);
                self.befall(state, at, from, frame, fate);
            }
        }
    }

    fn befall(&self, state: &mut State, at: usize, from: Side, frame: &[u8], fate: Fate) {
        let now = self.time.peek();
        self.time.flow(true);
        let line = &mut state.lines[at];
        if fate.arrives() {
            line.lane(from).put(frame);
        }
        match fate {
            Fate::CutBefore | Fate::CutAfter => line.cut(),
            Fate::SourceSeesCut => line.cut_for(Side::Source),
            Fate::TargetSeesCut => line.cut_for(Side::Target),
            Fate::GoneBefore | Fate::GoneAfter => {
                line.cut();
                state.route = Route::Nobody;
            }
            Fate::StrangerBefore(lie) | Fate::StrangerAfter(lie) => {
                line.cut();
                state.route = Route::Stranger(lie);
            }
            Fate::Late(ns) => line.lane(from).hold(now + ns),
            Fate::Trickles => line.lane(from).trickle(now),
            Fate::Stuck => line.lane(from).stick(),
            Fate::StuckAndCancelled => {
                line.lane(from).stick();
                state.cancelled_at = Some(now);
                self.cancel.store(true, Ordering::Relaxed);
            }
            Fate::Twice => {}
        }
        if matches!(fate, Fate::Late(_) | Fate::Trickles | Fate::Twice) {
            state.lines[at].lane(from).put(frame);
        }
    }

    fn receive(&self, line: usize, side: Side, out: &mut [u8]) -> Result<usize, LinkError> {
        let mut state = self.state.lock().unwrap();
        let mut count = state.lines[line].take(side, self.time.peek(), out)?;
        if count == 0 {
            state = self.changed.wait_timeout(state, LOOK).unwrap().0;
            count = state.lines[line].take(side, self.time.peek(), out)?;
        }
        match count {
            0 => self.time.look(side),
            _ => self.time.moved(),
        }
        Ok(count)
    }

    fn connect(self: &Arc<Self>) -> Result<End, LinkError> {
        let mut state = self.state.lock().unwrap();
        let line = state.lines.len();
        let strange = matches!(state.route, Route::Stranger(_));
        state.lines.push(Line::new(strange));
        let (route, door) = (state.route, state.door.clone());
        // An end that goes needs the lock.
        drop(state);
        let [here, there] = [Side::Source, Side::Target].map(|side| End { net: self.clone(), line, side });
        match (route, door) {
            (Route::Target, Some(door)) => {
                let at_work = self.time.at_work(Side::Target);
                door.send(Arrival { end: there, at_work }).map_err(|_| LinkError::Closed)?;
            }
            (Route::Stranger(lie), _) => {
                let time = self.time.clone();
                std::thread::spawn(move || stranger::answer(Box::new(there), lie, &time));
            }
            _ => return Err(LinkError::Closed),
        }
        Ok(here)
    }

    /// Makes connections for a source.
    pub(crate) fn connector(self: &Arc<Self>) -> impl Connect {
        let net = self.clone();
        move |_: &Vigil| Ok(Box::new(net.connect()?) as Box<dyn Channel>)
    }
}

impl State {
    /// What a connection is for; its first frame says so.
    fn role(&mut self, at: usize, kind: Kind) -> Role {
        if let Some(role) = self.lines[at].role {
            return role;
        }
        let streams = self.lines.iter().filter(|line| matches!(line.role, Some(Role::Stream(_)))).count();
        let role = match kind {
            Kind::Hello => Role::Control,
            Kind::Stream => Role::Stream(u16::try_from(streams).unwrap()),
            Kind::Resolve => Role::Question,
            first => panic!("a connection begins with {first:?}"),
        };
        self.lines[at].role = Some(role);
        role
    }
}

/// One end of a connection.
pub(crate) struct End {
    net: Arc<Net>,
    line: usize,
    side: Side,
}

impl Channel for End {
    fn send(&mut self, parts: &[&[u8]], from: usize) -> Result<usize, LinkError> {
        let bytes: Vec<u8> = from_byte(parts, from).flatten().copied().collect();
        self.net.send(self.line, self.side, &bytes)
    }

    fn receive(&mut self, out: &mut [u8]) -> Result<usize, LinkError> {
        self.net.receive(self.line, self.side, out)
    }

    fn close_sending(&mut self) {
        self.net.state.lock().unwrap().lines[self.line].close_sending(self.side);
        self.net.changed.notify_all();
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if let Ok(mut state) = self.net.state.lock() {
            state.lines[self.line].let_go(self.side);
        }
        self.net.changed.notify_all();
    }
}
