//! The source's agent: moves a running VM away, or leaves it running where it was.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use wddm::migration::DXGK_GPUP_MIGRATIONTYPE;

use crate::converge::{Convergence, Decision, FULL_SPEED, Iteration, Limits};
use crate::error::Error;
use crate::event::{Event, Observer, Phase, Step};
use crate::pages::Limiter;
use crate::pages::list::Packer;
use crate::pages::mover::{Moved, Mover, Shared};
use crate::pages::proof;
use crate::pages::run::{self, Batches};
use crate::saved::{self, Saved};
use crate::wire::channel::{Channel, LinkError};
use crate::wire::frame::{Framed, Kind};
use crate::wire::message::{Hello, IterationEnd, ONLY_ASKED, PageVerdict, Resolution, Resolve, Verdict};
use crate::wire::talk::decode;
use dxgksim::host::{self, Mutex, Thread};
use dxgksim::vgpu::Vgpu;
use dxgksim::vm::Vm;

/// Part of a pause that does not depend on pages, for the first estimate: states, guest, round trips.
const PAUSE_OVERHEAD: f64 = 0.003;
/// Nanoseconds between two tries to reach the target while in doubt.
const SETTLE_STEP_NS: u64 = 100_000_000;

/// How to migrate.
#[derive(Clone)]
pub struct Options {
    /// Names this attempt; unique.
    pub migration: u128,
    /// Pause and time limits, and what to do when they cannot be kept.
    pub limits: Limits,
    /// Data streams, one at least.
    pub streams: u16,
    /// Bytes a second all streams may use together.
    pub bandwidth: Option<u64>,
    /// Zero pages travel without bytes.
    pub find_zero: bool,
    /// How pages are packed, if at all.
    pub packer: Option<Arc<dyn Packer>>,
    /// Call SetVirtualFunctionPauseState, or leave the VF to the driver.
    pub pause_vf: bool,
    /// Hash every page on both sides before ownership passes.
    pub prove: bool,
    /// How long to ask for an answer when in doubt, in nanoseconds.
    pub settle_ns: u64,
    /// Set by anyone to cancel.
    pub cancel: Arc<AtomicBool>,
    /// Words for the tool on the other side.
    pub note: Vec<u8>,
}

/// Opens connections to the target.
pub trait Connect {
    /// Opens one more connection.
    fn connect(&mut self) -> Result<Box<dyn Channel>, LinkError>;
}

impl<F: FnMut() -> Result<Box<dyn Channel>, LinkError>> Connect for F {
    fn connect(&mut self) -> Result<Box<dyn Channel>, LinkError> {
        self()
    }
}

/// The pause, in seconds by step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pause {
    /// The VM's processors and the VF stop.
    pub stop: f64,
    /// The last dirty bits are gathered.
    pub drain: f64,
    /// The last pages move.
    pub last_pages: f64,
    /// The driver's state is saved and sent.
    pub mutable: f64,
    /// The target restores the state and loads the VM.
    pub restore: f64,
    /// Ownership passes and the VM runs.
    pub resume: f64,
}

impl Pause {
    /// All steps together.
    pub fn total(&self) -> f64 {
        self.stop + self.drain + self.last_pages + self.mutable + self.restore + self.resume
    }
}

/// What a migration measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Each iteration, the one within the pause last.
    pub iterations: Vec<Iteration>,
    /// Seconds from the first page to the pause.
    pub brownout: f64,
    /// The pause.
    pub pause: Pause,
    /// The pause as it was expected when the VM was stopped, in seconds.
    pub estimated_pause: f64,
    /// Seconds both sides stood still for the proof, which the pause does not contain.
    pub proof_hold: f64,
    /// Bytes of driver data: immutable, mutable.
    pub driver_bytes: [u64; 2],
    /// How the pages compared, if they were.
    pub pages: Option<PageVerdict>,
    /// The slowest speed the guest was given, in thousandths.
    pub speed: u32,
    /// What that cost a guest that wanted to work all the time: seconds at full speed.
    pub throttle_cost: f64,
    /// The wire was cut in the commit window, and it was settled.
    pub was_in_doubt: bool,
}

/// Moves one VM.
pub struct Source {
    vgpu: Arc<Vgpu>,
    vm: Arc<Vm>,
    options: Options,
    /// What the driver saved in the attempt under way, immutable and mutable: it saves each only once.
    driver_data: Mutex<[Vec<u8>; 2]>,
}

impl Source {
    /// The agent that moves `vm` on `vgpu`.
    pub fn new(vgpu: Arc<Vgpu>, vm: Arc<Vm>, options: Options) -> Self {
        Self { vgpu, vm, options, driver_data: Mutex::default() }
    }

    /// Names the attempt.
    pub fn migration(&self) -> u128 {
        self.options.migration
    }

    /// Moves the VM, or leaves it running here. After [`Error::InDoubt`] it stands still: see [`Source::settle`].
    ///
    /// The connection to the target comes back too: the guest's outcome will arrive on it.
    pub fn migrate(
        &self,
        connect: &mut dyn Connect,
        observer: &mut dyn Observer,
    ) -> Result<(Outcome, Framed), Error> {
        let mut outcome = Outcome { speed: FULL_SPEED, ..Outcome::default() };
        let control = match self.offer(connect, observer, &mut outcome) {
            Ok(control) => self.pass(control, connect, observer, &mut outcome)?,
            Err(error) => {
                self.recover(observer)?;
                if error.is_link() {
                    // A target that stands ready would wait for the word; if it cannot be reached it is gone.
                    let _ = discard(connect, self.options.migration);
                }
                return Err(error);
            }
        };
        self.leave(observer)?;
        Ok((outcome, control))
    }

    /// Everything up to the moment before ownership passes.
    fn offer(
        &self,
        connect: &mut dyn Connect,
        observer: &mut dyn Observer,
        outcome: &mut Outcome,
    ) -> Result<Framed, Error> {
        self.enter(observer, Phase::Connect)?;
        let mut control = Framed::new(connect.connect()?);
        let result = self.transfer(&mut control, connect, observer, outcome);
        if let Err(error) = &result
            && !error.is_link()
            && !matches!(error, Error::Aborted(_))
        {
            // The target learns why at once; if that fails too, it will see the connection end.
            let _ = control.send_message(Kind::Abort, &error.to_string());
        }
        result.map(|()| control)
    }

    fn transfer(
        &self,
        control: &mut Framed,
        connect: &mut dyn Connect,
        observer: &mut dyn Observer,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        let movers = self.introduce(control, connect, observer, outcome)?;
        self.enter(observer, Phase::Brownout)?;
        let mut carrier = Carrier::new(self, control, movers, observer);
        carrier.brownout(outcome)?;
        carrier.blackout(outcome)
    }

    /// The sides meet, and the target's driver says whether the VF fits.
    fn introduce(
        &self,
        control: &mut Framed,
        connect: &mut dyn Connect,
        observer: &mut dyn Observer,
        outcome: &mut Outcome,
    ) -> Result<Vec<Arc<Mutex<Mover>>>, Error> {
        control.send_message(Kind::Hello, &self.hello())?;
        match control.receive()? {
            (Kind::Welcome, _) => {}
            (Kind::Verdict, payload) => return Err(refused(&payload)?),
            (Kind::Abort, payload) => return Err(Error::Aborted(decode(&payload).unwrap_or_default())),
            (found, _) => return Err(Error::Unexpected { expected: Kind::Welcome, found }),
        }
        let movers = self.open_streams(connect)?;
        self.enter(observer, Phase::Prepare)?;
        self.vgpu.prepare(DXGK_GPUP_MIGRATIONTYPE::DXGK_GPUP_MIGRATIONTYPE_SOURCE)?;
        self.enter(observer, Phase::Immutable)?;
        let immutable = self.vgpu.save_immutable()?;
        outcome.driver_bytes[0] = immutable.len() as u64;
        control.send(Kind::Immutable, &[&immutable])?;
        self.driver_data.lock()[0] = immutable;
        match control.expect_message(Kind::Verdict)? {
            Verdict::Compatible => Ok(movers),
            Verdict::Refused(why) => Err(Error::Incompatible(why)),
        }
    }

    /// Asks whether the VM could move there, and moves nothing.
    pub fn check(&self, connect: &mut dyn Connect, observer: &mut dyn Observer) -> Result<(), Error> {
        let mut control = Framed::new(connect.connect()?);
        let verdict = self.introduce(&mut control, connect, observer, &mut Outcome::default());
        if verdict.is_ok() {
            // The target discards what it prepared, whether this word reaches it or the end of the connection does.
            let _ = control.send_message(Kind::Abort, &ONLY_ASKED);
        }
        self.vgpu.end()?;
        verdict.map(|_| ())
    }

    fn hello(&self) -> Hello {
        Hello {
            migration: self.options.migration,
            vf_bytes: self.vgpu.vram_bytes(),
            page_bytes: self.vgpu.dirty_page_bytes(),
            streams: self.options.streams,
            prove: self.options.prove,
            workload: self.vm.workload(),
            note: self.options.note.clone(),
        }
    }

    fn open_streams(&self, connect: &mut dyn Connect) -> Result<Vec<Arc<Mutex<Mover>>>, Error> {
        (0..self.options.streams.max(1))
            .map(|_| {
                let mut link = Framed::new(connect.connect()?);
                link.send_message(Kind::Stream, &self.options.migration)?;
                let staging = [self.vgpu.paging_channel()?, self.vgpu.paging_channel()?];
                Ok(Arc::new(Mutex::new(Mover::new(link, staging))))
            })
            .collect()
    }

    fn enter(&self, observer: &mut dyn Observer, phase: Phase) -> Result<(), Error> {
        let stop = observer.event(Event::Enter(phase)).is_break();
        if stop || self.options.cancel.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Ownership passes. A cut from here on means doubt, and doubt means asking.
    fn pass(
        &self,
        mut control: Framed,
        connect: &mut dyn Connect,
        observer: &mut dyn Observer,
        outcome: &mut Outcome,
    ) -> Result<Framed, Error> {
        let _ = observer.event(Event::Enter(Phase::Commit));
        let begin = host::now();
        let answer =
            control.send(Kind::Commit, &[]).map_err(Error::from).and_then(|()| control.expect(Kind::Running));
        let control = match answer {
            Ok(_) => control,
            Err(Error::Aborted(why)) => {
                self.recover(observer)?;
                return Err(Error::Aborted(why));
            }
            Err(_) => {
                outcome.was_in_doubt = true;
                let _ = observer.event(Event::InDoubt);
                self.settle(connect, observer)?
            }
        };
        outcome.pause.resume = measured(observer, Step::Resume, begin, host::now());
        Ok(control)
    }

    /// Asks the target what became of the migration, for as long as the options say.
    ///
    /// Ok: the target runs the VM. [`Error::Aborted`]: it does not, and the VM runs here again.
    /// [`Error::InDoubt`]: no answer; the VM stands still here, whole, and this can be called again.
    pub fn settle(&self, connect: &mut dyn Connect, observer: &mut dyn Observer) -> Result<Framed, Error> {
        let migration = self.options.migration;
        let deadline = host::now().saturating_add(self.options.settle_ns);
        loop {
            match ask(connect, migration) {
                Ok((Resolution::Running, control)) => return Ok(control),
                Ok((Resolution::Unknown, _)) => {
                    self.recover(observer)?;
                    return Err(Error::Aborted("it has discarded the VM; the source runs it again".into()));
                }
                // A target that still stands ready may yet run the VM: only its no gives it back.
                Ok((Resolution::Ready, _)) | Err(_) => {
                    if host::now() >= deadline || self.options.cancel.load(Ordering::Relaxed) {
                        return Err(Error::InDoubt { migration });
                    }
                    host::sleep(SETTLE_STEP_NS);
                }
            }
        }
    }

    /// After [`Error::InDoubt`]: writes the VM to `file`. It stands still as before, to be written again, until
    /// [`Source::leave`] says that the file is safe.
    pub fn save_in_doubt(&self, file: Box<dyn Channel>, observer: &mut dyn Observer) -> Result<Saved, Error> {
        let hello = Hello { streams: 1, prove: true, ..self.hello() };
        saved::save_held(
            &self.vgpu,
            &self.vm,
            &hello,
            self.options.packer.clone(),
            &self.driver_data.lock(),
            file,
            observer,
        )
    }

    /// The VM runs here as before.
    fn recover(&self, observer: &mut dyn Observer) -> Result<(), Error> {
        let _ = observer.event(Event::Throttle(FULL_SPEED));
        self.vgpu.end()?;
        if self.options.pause_vf {
            self.vgpu.set_pause(false)?;
        }
        self.vm.resume();
        Ok(())
    }

    /// The VM has left: its VF is powered off before EndLiveMigration, so that it cannot run again.
    ///
    /// [`Source::migrate`] ends with it; after a [`Source::settle`] or a [`Source::save_in_doubt`] the caller does.
    pub fn leave(&self, observer: &mut dyn Observer) -> Result<(), Error> {
        let _ = observer.event(Event::Enter(Phase::End));
        self.vm.stop();
        self.vgpu.power_off()?;
        Ok(self.vgpu.end()?)
    }
}

fn ask(connect: &mut dyn Connect, migration: u128) -> Result<(Resolution, Framed), Error> {
    let mut control = Framed::new(connect.connect()?);
    control.send_message(Kind::Resolve, &Resolve::Ask(migration))?;
    let mut resolution = control.expect_message(Kind::Resolution)?;
    if resolution == Resolution::Ready {
        control.send_message(Kind::Resolve, &Resolve::Commit(migration))?;
        resolution = control.expect_message(Kind::Resolution)?;
    }
    Ok((resolution, control))
}

/// Tells the target that the source took the VM back.
fn discard(connect: &mut dyn Connect, migration: u128) -> Result<Resolution, Error> {
    let mut control = Framed::new(connect.connect()?);
    control.send_message(Kind::Resolve, &Resolve::Discard(migration))?;
    control.expect_message(Kind::Resolution)
}

/// A verdict that came in place of a welcome: there is no VF for the VM.
fn refused(payload: &[u8]) -> Result<Error, Error> {
    match decode(payload)? {
        Verdict::Refused(why) => Ok(Error::Incompatible(why)),
        Verdict::Compatible => Err(Error::Protocol("a verdict before anything to judge")),
    }
}

/// Tells what was measured; the same in seconds.
fn measured(observer: &mut dyn Observer, step: Step, from: u64, to: u64) -> f64 {
    let _ = observer.event(Event::Measured { step, from, to });
    seconds(from, to)
}

fn seconds(from: u64, to: u64) -> f64 {
    to.saturating_sub(from) as f64 / 1e9
}

/// Moves the pages and the state, from the brownout to the target's Ready.
struct Carrier<'a> {
    source: &'a Source,
    control: &'a mut Framed,
    movers: Vec<Arc<Mutex<Mover>>>,
    observer: &'a mut dyn Observer,
    shared: Arc<Shared>,
    convergence: Convergence,
    dirty: Vec<u64>,
    iteration: u32,
}

impl<'a> Carrier<'a> {
    fn new(
        source: &'a Source,
        control: &'a mut Framed,
        movers: Vec<Arc<Mutex<Mover>>>,
        observer: &'a mut dyn Observer,
    ) -> Self {
        let options = &source.options;
        let shared = Shared {
            page_bytes: source.vgpu.dirty_page_bytes() as usize,
            find_zero: options.find_zero,
            packer: options.packer.clone(),
            limiter: Limiter::new(options.bandwidth),
            cancel: options.cancel.clone(),
            moved: AtomicU64::new(0),
        };
        let words = (source.vgpu.pages() as usize).div_ceil(64);
        Self {
            source,
            control,
            movers,
            observer,
            shared: Arc::new(shared),
            convergence: Convergence::new(options.limits, PAUSE_OVERHEAD),
            dirty: vec![0; words],
            iteration: 0,
        }
    }

    fn brownout(&mut self, outcome: &mut Outcome) -> Result<(), Error> {
        let begin = host::now();
        if self.source.vgpu.start_tracking()? {
            // Tracking begins only now, so nothing is known of what was written before.
            self.dirty.fill(u64::MAX);
            self.iterate(outcome)?;
        }
        loop {
            self.source.vgpu.query_dirty(false, &mut self.dirty)?;
            let remaining = run::count(&self.dirty);
            let bytes = remaining * self.shared.page_bytes as u64;
            let estimate = self.convergence.estimate(bytes);
            self.tell(Event::Estimate { remaining, pause: estimate })?;
            match self.convergence.decide(bytes, seconds(begin, host::now())) {
                Decision::Iterate => {}
                Decision::Throttle(speed) => {
                    outcome.speed = outcome.speed.min(speed);
                    self.tell(Event::Throttle(speed))?;
                }
                Decision::Switchover => {
                    outcome.estimated_pause = estimate;
                    break;
                }
                Decision::Cancel => return Err(Error::NotConverging),
            }
            self.source.vgpu.query_dirty(true, &mut self.dirty)?;
            self.iterate(outcome)?;
        }
        outcome.brownout = measured(self.observer, Step::Brownout, begin, host::now());
        outcome.throttle_cost = self.convergence.lost();
        Ok(())
    }

    fn blackout(&mut self, outcome: &mut Outcome) -> Result<(), Error> {
        let source = self.source;
        source.enter(self.observer, Phase::Pause)?;
        let begin = host::now();
        source.vm.pause();
        if source.options.pause_vf {
            source.vgpu.set_pause(true)?;
        }
        let stopped = host::now();
        outcome.pause.stop = measured(self.observer, Step::Stop, begin, stopped);
        source.enter(self.observer, Phase::LastPages)?;
        source.vgpu.query_dirty(true, &mut self.dirty)?;
        let drained = host::now();
        outcome.pause.drain = measured(self.observer, Step::Drain, stopped, drained);
        self.iterate(outcome)?;
        self.close_streams()?;
        let moved = host::now();
        outcome.pause.last_pages = measured(self.observer, Step::LastPages, drained, moved);
        source.enter(self.observer, Phase::Mutable)?;
        let mutable = source.vgpu.save_mutable()?;
        outcome.driver_bytes[1] = mutable.len() as u64;
        self.control.send(Kind::Mutable, &[&mutable])?;
        source.driver_data.lock()[1] = mutable;
        let saved = host::now();
        outcome.pause.mutable = measured(self.observer, Step::Mutable, moved, saved);
        source.enter(self.observer, Phase::Restore)?;
        self.control.send(Kind::Guest, &[&source.vm.save()])?;
        self.control.expect(Kind::Ready)?;
        let ready = host::now();
        outcome.pause.restore = measured(self.observer, Step::Restore, saved, ready);
        source.enter(self.observer, Phase::Proof)?;
        if source.options.prove {
            self.prove(outcome)?;
            outcome.proof_hold = measured(self.observer, Step::Proof, ready, host::now());
        }
        Ok(())
    }

    fn prove(&mut self, outcome: &mut Outcome) -> Result<(), Error> {
        let vgpu = &self.source.vgpu;
        let hashes = proof::hash_pages(vgpu)?;
        self.control.send(Kind::PageHashes, &[&proof::encode(&hashes)])?;
        let verdict: PageVerdict = self.control.expect_message(Kind::PageVerdict)?;
        outcome.pages = Some(verdict);
        // The target, which stands ready, hears of it by the Abort that follows.
        if verdict.different == 0 { Ok(()) } else { Err(Error::Different(verdict)) }
    }

    /// Moves the pages in `dirty` and waits until the target has applied them.
    fn iterate(&mut self, outcome: &mut Outcome) -> Result<(), Error> {
        let pages = self.source.vgpu.pages();
        let batch = (self.source.vgpu.staging_bytes() / self.shared.page_bytes) as u64;
        let number = self.iteration;
        self.iteration += 1;
        let work = Arc::new(Mutex::new(Batches::new(&self.dirty, pages, batch)));
        self.tell(Event::Iterate { number, pages: work.lock().pages() })?;
        self.shared.moved.store(0, Ordering::Relaxed);
        let (begin, sent) = (host::now(), self.bytes_sent());
        let moved = self.run_streams(&work, number)?;
        self.control
            .send_message(Kind::IterationEnd, &IterationEnd { iteration: number, pages: moved.pages })?;
        self.control.expect(Kind::IterationApplied)?;
        let iteration = Iteration {
            pages: moved.pages,
            zero_pages: moved.zero_pages,
            bytes: self.bytes_sent() - sent,
            seconds: seconds(begin, host::now()),
        };
        self.convergence.measured(&iteration, self.shared.page_bytes as u64);
        outcome.iterations.push(iteration);
        self.tell(Event::Iterated(iteration))
    }

    /// Runs every stream, the first on this thread.
    fn run_streams(&mut self, work: &Arc<Mutex<Batches>>, number: u32) -> Result<Moved, Error> {
        let results: Arc<Mutex<Vec<Result<Moved, Error>>>> = Arc::new(Mutex::new(Vec::new()));
        let mut threads = Vec::new();
        for mover in &self.movers[1..] {
            let (mover, work, shared, results) =
                (mover.clone(), work.clone(), self.shared.clone(), results.clone());
            threads.push(Thread::spawn("stream", move || {
                let mut nobody = |_: Event| ControlFlow::Continue(());
                let result = mover.lock().run(&work, &shared, number, &mut nobody);
                results.lock().push(result);
            }));
        }
        let mut total = self.movers[0].lock().run(work, &self.shared, number, self.observer);
        drop(threads);
        for result in results.lock().drain(..) {
            total = total.and_then(|total| {
                result.map(|one| Moved {
                    pages: total.pages + one.pages,
                    zero_pages: total.zero_pages + one.zero_pages,
                })
            });
        }
        total
    }

    /// No page comes after this.
    fn close_streams(&mut self) -> Result<(), Error> {
        for mover in self.movers.drain(..) {
            mover.lock().link().send(Kind::End, &[])?;
        }
        Ok(())
    }

    fn bytes_sent(&self) -> u64 {
        self.movers.iter().map(|mover| mover.lock().bytes_sent()).sum()
    }

    fn tell(&mut self, event: Event) -> Result<(), Error> {
        let stop = self.observer.event(event).is_break();
        if stop || self.shared.cancel.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }
}
