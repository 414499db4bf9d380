//! The target's agent: takes a VM in, or discards what came.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use wddm::migration::DXGK_GPUP_MIGRATIONTYPE;

use crate::error::Error;
use crate::event::{Event, Observer, Phase, enter};
use crate::pages::list::Unpacker;
use crate::pages::placer::{Arrival, Placer, Written};
use crate::pages::proof;
use crate::wire::channel::{Channel, LinkError};
use crate::wire::frame::{Framed, Kind};
use crate::wire::message::{Hello, IterationEnd, Verdict};
use crate::wire::talk::decode;
use dxgksim::guest::GuestLoader;
use dxgksim::host::{Event as Signal, Mutex, Thread};
use dxgksim::vgpu::Vgpu;
use dxgksim::vm::Vm;

/// How long the control thread waits for a stream to finish its part of an iteration, in nanoseconds.
const STREAM_NS: u64 = 60_000_000_000;

/// What the target's side of the world provides.
pub trait Desk {
    /// Makes a VF for what `hello` describes, or says why not.
    fn make_vgpu(&mut self, hello: &Hello) -> Result<Arc<Vgpu>, String>;
    /// The next data connection of this migration, its Stream frame already read.
    fn accept_stream(&mut self, migration: u128) -> Result<Framed, LinkError>;
}

/// A VM that stands ready, before or after the source gave up ownership.
pub struct Held {
    /// Its VF.
    pub vgpu: Arc<Vgpu>,
    /// The VM.
    pub vm: Arc<Vm>,
    /// What the source said of it.
    pub hello: Hello,
    running: bool,
}

impl Held {
    /// A VM that has been restored and does not run yet.
    pub(crate) fn new(vgpu: Arc<Vgpu>, vm: Arc<Vm>, hello: Hello) -> Self {
        Self { vgpu, vm, hello, running: false }
    }

    /// Ownership has passed: ends the migration and lets the VM run. Again is harmless.
    pub fn run(&mut self) -> Result<(), Error> {
        if !self.running {
            self.vgpu.end()?;
            self.vgpu.set_running()?;
            self.vm.resume();
            self.running = true;
        }
        Ok(())
    }

    /// Whether ownership has passed.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// The VM is not wanted: everything of it goes.
    pub fn discard(self) -> Result<(), Error> {
        self.vm.stop();
        Ok(self.vgpu.discard()?)
    }
}

/// Takes VMs in.
pub struct Target {
    /// Makes guests of their saved state.
    pub loader: Arc<dyn GuestLoader>,
    /// Unpacks batches.
    pub unpacker: Arc<dyn Unpacker>,
}

/// How a visit ended.
pub enum Arrived {
    /// The VM runs here; its outcome is to be sent on the connection.
    Running(Held, Framed),
    /// The wire was cut after Ready: the VM stands ready until the source asks ([`crate::wire::message::Resolve`]).
    InDoubt(Held),
}

impl Target {
    /// Takes in what comes on `control`, whose Hello has been read. On an error everything that came is gone.
    pub fn receive(
        &self,
        mut control: Framed,
        hello: Hello,
        desk: &mut dyn Desk,
        observer: &mut dyn Observer,
    ) -> Result<Arrived, Error> {
        let vgpu = match desk.make_vgpu(&hello) {
            Ok(vgpu) => vgpu,
            Err(why) => {
                let _ = control.send_message(Kind::Verdict, &Verdict::Refused(why.clone()));
                return Err(Error::Incompatible(why));
            }
        };
        // Declared here, so that a refusal is sent before the streams are waited for.
        let mut streams = Vec::new();
        match self.take_in(&mut control, &hello, &vgpu, desk, &mut streams, observer) {
            Ok(vm) => Ok(self.await_commit(control, Held::new(vgpu, vm, hello), observer)?),
            Err(error) => {
                if !error.is_link() && !matches!(error, Error::Aborted(_)) {
                    let _ = control.send_message(Kind::Abort, &error.to_string());
                }
                drop((control, streams));
                vgpu.discard().map_err(Error::from).and(Err(error))
            }
        }
    }

    /// Everything up to Ready and the proof.
    fn take_in(
        &self,
        control: &mut Framed,
        hello: &Hello,
        vgpu: &Arc<Vgpu>,
        desk: &mut dyn Desk,
        streams: &mut Vec<Stream>,
        observer: &mut dyn Observer,
    ) -> Result<Arc<Vm>, Error> {
        control.send(Kind::Welcome, &[])?;
        *streams = self.open_streams(hello, vgpu, desk)?;
        enter(observer, Phase::Prepare)?;
        vgpu.prepare(DXGK_GPUP_MIGRATIONTYPE::DXGK_GPUP_MIGRATIONTYPE_TARGET)?;
        enter(observer, Phase::Immutable)?;
        let immutable = control.expect(Kind::Immutable)?;
        self.judge(control, vgpu, &immutable)?;
        enter(observer, Phase::Brownout)?;
        let mutable = self.apply_pages(control, streams, observer)?;
        enter(observer, Phase::Mutable)?;
        vgpu.restore_mutable(&mutable)?;
        let guest = control.expect(Kind::Guest)?;
        enter(observer, Phase::Restore)?;
        let vm = Vm::restore(vgpu.clone(), &*self.loader, &guest).map_err(Error::Guest)?;
        control.send(Kind::Ready, &[])?;
        if hello.prove {
            enter(observer, Phase::Proof)?;
            if let Err(error) = self.prove(control, vgpu) {
                vm.stop();
                return Err(error);
            }
        }
        Ok(vm)
    }

    fn judge(&self, control: &mut Framed, vgpu: &Vgpu, immutable: &[u8]) -> Result<(), Error> {
        match vgpu.restore_immutable(immutable) {
            Ok(()) => control.send_message(Kind::Verdict, &Verdict::Compatible),
            Err(refusal) => {
                let why = refusal.to_string();
                control.send_message(Kind::Verdict, &Verdict::Refused(why.clone()))?;
                Err(Error::Incompatible(why))
            }
        }
    }

    fn open_streams(
        &self,
        hello: &Hello,
        vgpu: &Arc<Vgpu>,
        desk: &mut dyn Desk,
    ) -> Result<Vec<Stream>, Error> {
        let written = Arc::new(Written::new(vgpu.pages()));
        (0..hello.streams.clamp(1, MAX_STREAMS))
            .map(|_| {
                let link = desk.accept_stream(hello.migration)?;
                let staging = [vgpu.paging_channel()?, vgpu.paging_channel()?];
                let placer = Placer::new(
                    link,
                    staging,
                    self.unpacker.clone(),
                    vgpu.dirty_page_bytes() as usize,
                    vgpu.pages(),
                    written.clone(),
                );
                Stream::start(placer)
            })
            .collect()
    }

    /// Answers each iteration when all streams are through with it; ends with the mutable data.
    fn apply_pages(
        &self,
        control: &mut Framed,
        streams: &[Stream],
        observer: &mut dyn Observer,
    ) -> Result<Vec<u8>, Error> {
        let mut number = 0;
        loop {
            match control.receive()? {
                (Kind::IterationEnd, payload) => {
                    let end: IterationEnd = decode(&payload)?;
                    if end.iteration != number {
                        return Err(Error::Protocol("an iteration out of order"));
                    }
                    let mut pages = 0;
                    for stream in streams {
                        pages += stream.finish(number)?;
                    }
                    if pages != end.pages {
                        return Err(Error::Protocol("pages of an iteration are missing"));
                    }
                    control.send(Kind::IterationApplied, &[])?;
                    let _ = observer.event(Event::Iterate { number, pages });
                    number += 1;
                }
                (Kind::Mutable, payload) => return Ok(payload),
                (Kind::Abort, payload) => return Err(Error::Aborted(decode(&payload).unwrap_or_default())),
                (found, _) => return Err(Error::Unexpected { expected: Kind::Mutable, found }),
            }
        }
    }

    fn prove(&self, control: &mut Framed, vgpu: &Arc<Vgpu>) -> Result<(), Error> {
        let ours = proof::hash_pages(vgpu)?;
        let theirs = control.expect(Kind::PageHashes)?;
        control.send_message(Kind::PageVerdict, &proof::compare(&theirs, &ours)?)
    }

    /// The VM stands ready; the source's next word decides.
    fn await_commit(
        &self,
        mut control: Framed,
        mut held: Held,
        observer: &mut dyn Observer,
    ) -> Result<Arrived, Error> {
        let _ = observer.event(Event::Enter(Phase::Commit));
        match control.expect(Kind::Commit) {
            Ok(_) => {
                if let Err(error) = held.run() {
                    let _ = held.discard();
                    return Err(error);
                }
                // If this word is lost the source asks, and hears it then.
                let _ = control.send(Kind::Running, &[]);
                let _ = observer.event(Event::Enter(Phase::End));
                Ok(Arrived::Running(held, control))
            }
            Err(error) if error.is_link() => {
                let _ = observer.event(Event::InDoubt);
                Ok(Arrived::InDoubt(held))
            }
            Err(error) => {
                held.discard()?;
                Err(error)
            }
        }
    }
}

/// More streams than this no source opens.
const MAX_STREAMS: u16 = 64;

/// A data stream at work on a thread of its own.
struct Stream {
    state: Arc<StreamState>,
    _thread: Option<Thread>,
}

struct StreamState {
    /// Ends of iterations that have arrived, oldest first; an error ends the stream.
    ends: Mutex<Vec<Result<IterationEnd, Error>>>,
    arrived: Signal,
}

impl Stream {
    fn start(mut placer: Placer) -> Result<Self, Error> {
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
                    break;
                }
            }
        });
        Ok(Self { state, _thread: thread })
    }

    /// Waits for the end of iteration `number` and says how many pages it had.
    fn finish(&self, number: u32) -> Result<u64, Error> {
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
            if !self.state.arrived.wait(STREAM_NS) {
                return Err(LinkError::TimedOut.into());
            }
        }
    }
}

/// Reads the first frame of a connection and says what it is for.
pub enum Visitor {
    /// A source that wants to move a VM here.
    Source(Framed, Hello),
    /// A data stream of a migration.
    Stream(Framed, u128),
    /// A source in doubt.
    Resolve(Framed, crate::wire::message::Resolve),
}

impl Visitor {
    /// Greets whoever opened `channel`.
    pub fn greet(channel: Box<dyn Channel>) -> Result<Self, Error> {
        let mut framed = Framed::new(channel);
        match framed.receive()? {
            (Kind::Hello, payload) => Ok(Self::Source(framed, decode(&payload)?)),
            (Kind::Stream, payload) => Ok(Self::Stream(framed, decode(&payload)?)),
            (Kind::Resolve, payload) => Ok(Self::Resolve(framed, decode(&payload)?)),
            (found, _) => Err(Error::Unexpected { expected: Kind::Hello, found }),
        }
    }
}
