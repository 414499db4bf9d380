//! Moves the pages and the state, from the brownout to the target's Ready.
//!
//! Two times bound a pause before ownership passes. By the first no batch is begun any more: what is left stays on the
//! source, the guest runs again and the brownout goes on, if the policy wants it. By the second every wait ends, and
//! with it the migration.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicU64, Ordering};

use dxgksim::host::{Mutex, SECOND, Thread};

use super::Source;
use super::options::Outcome;
use crate::converge::{Convergence, Decision, Iteration, OnTimeout, TELLING_PAGES};
use crate::error::Error;
use crate::event::{Event, Observer, Step};
use crate::pages::Limiter;
use crate::pages::mover::{Moved, Mover, Shared};
use crate::pages::proof;
use crate::pages::run::{self, Batches};
use crate::phase::Phase;
use crate::wire::frame::Kind;
use crate::wire::framed::Framed;
use crate::wire::message::{IterationEnd, PageVerdict};
use crate::wire::vigil::Vigil;

/// No end to the batches of an iteration.
const ALL: u64 = u64::MAX;
/// Pauses that may be given up before the migration is.
const MOST_PAUSES: u32 = 3;
/// How much longer than the source's own hashing the target may take for its own.
const PROOF_PATIENCE: u64 = 10;

/// A source at work on one connection.
pub(super) struct Carrier<'a> {
    source: &'a Source,
    control: &'a mut Framed,
    movers: Vec<Arc<Mutex<Mover>>>,
    observer: &'a mut dyn Observer,
    vigil: Arc<Vigil>,
    shared: Arc<Shared>,
    convergence: Convergence,
    /// Pages to be moved.
    dirty: Vec<u64>,
    /// Pages whose dirty bits have been taken, but which have not moved yet.
    left: Vec<u64>,
    iteration: u32,
    /// When the brownout began.
    began: u64,
}

/// How a pause ended.
enum Paused {
    /// The target stands ready.
    Ready,
    /// It would have become too long: the guest runs on.
    Resumed,
}

/// What the introduction brought.
pub(super) struct Met {
    /// The data streams.
    pub(super) movers: Vec<Arc<Mutex<Mover>>>,
    /// How long the target took to answer a word, in seconds.
    pub(super) answer: f64,
}

pub(super) fn ns(seconds: f64) -> u64 {
    (seconds * SECOND as f64) as u64
}

pub(super) fn seconds(from: u64, to: u64) -> f64 {
    to.saturating_sub(from) as f64 / SECOND as f64
}

/// Tells what was measured; the same in seconds.
pub(super) fn measured(observer: &mut dyn Observer, step: Step, from: u64, to: u64) -> f64 {
    let _ = observer.event(Event::Measured { step, from, to });
    seconds(from, to)
}

impl<'a> Carrier<'a> {
    pub(super) fn new(
        source: &'a Source,
        control: &'a mut Framed,
        Met { movers, answer }: Met,
        observer: &'a mut dyn Observer,
    ) -> Self {
        let options = &source.options;
        let vigil = control.vigil().clone();
        let page_bytes = source.vgpu.dirty_page_bytes();
        let shared = Shared {
            page_bytes: page_bytes as usize,
            find_zero: options.find_zero,
            packer: options.packer.clone(),
            limiter: Limiter::new(options.bandwidth),
            vigil: vigil.clone(),
            stop_at: AtomicU64::new(ALL),
            moved: AtomicU64::new(0),
        };
        let words = (source.vgpu.pages() as usize).div_ceil(64);
        let began = vigil.now();
        let mut convergence = Convergence::new(options.limits, page_bytes);
        convergence.answered(answer);
        Self {
            source,
            control,
            movers,
            observer,
            vigil,
            shared: Arc::new(shared),
            convergence,
            dirty: vec![0; words],
            left: vec![0; words],
            iteration: 0,
            began,
        }
    }

    /// Everything, to the target's Ready and the proof.
    pub(super) fn carry(mut self, outcome: &mut Outcome) -> Result<(), Error> {
        if self.source.vgpu.start_tracking()? {
            // Tracking begins only now, so nothing is known of what was written before.
            self.left.fill(u64::MAX);
        }
        loop {
            self.source.enter(self.observer, Phase::Brownout)?;
            self.brownout(outcome)?;
            match self.pause(outcome)? {
                Paused::Ready => break,
                Paused::Resumed if outcome.pauses_given_up < MOST_PAUSES => outcome.pauses_given_up += 1,
                Paused::Resumed => return Err(self.too_long(Phase::LastPages)),
            }
        }
        self.prove(outcome)
    }

    fn brownout(&mut self, outcome: &mut Outcome) -> Result<(), Error> {
        let limits = self.source.options.limits;
        let end = self.began.saturating_add(ns(limits.time));
        // Whoever switches over all the same needs a connection that still works: no more is begun, nothing is cut off.
        let forced = limits.on_timeout == OnTimeout::Switchover;
        let patience = if forced { self.source.options.silence_s.saturating_mul(SECOND) } else { 0 };
        self.vigil.until(end.saturating_add(patience));
        let result = self.iterate_until(end, outcome);
        let result = result.map_err(|error| if error.is_overdue() { Error::NotConverging } else { error });
        outcome.brownout = measured(self.observer, Step::Brownout, self.began, self.vigil.now());
        outcome.throttle_cost = self.convergence.lost();
        result
    }

    fn iterate_until(&mut self, end: u64, outcome: &mut Outcome) -> Result<(), Error> {
        loop {
            self.source.vgpu.query_dirty(false, &mut self.dirty)?;
            self.add_left(false);
            let remaining = run::count(&self.dirty).min(self.source.vgpu.pages());
            let estimate = self.convergence.estimate(remaining);
            self.tell(Event::Estimate { remaining, pause: estimate })?;
            match self.convergence.decide(remaining, seconds(self.began, self.vigil.now())) {
                Decision::Iterate => {}
                Decision::Throttle(speed) => {
                    outcome.speed = outcome.speed.min(speed);
                    self.tell(Event::Throttle(speed))?;
                }
                Decision::Switchover => {
                    outcome.estimated_pause = estimate;
                    return Ok(());
                }
                Decision::Cancel => return Err(Error::NotConverging),
                Decision::Hopeless => {
                    let limit = self.source.options.limits.pause;
                    return Err(Error::LimitTooLow(limit, self.convergence.fixed()));
                }
            }
            self.take_dirty()?;
            self.iterate(end, outcome)?;
        }
    }

    /// Takes the dirty bits, and what was left over.
    fn take_dirty(&mut self) -> Result<(), Error> {
        self.source.vgpu.query_dirty(true, &mut self.dirty)?;
        self.add_left(true);
        Ok(())
    }

    fn add_left(&mut self, take: bool) {
        for (dirty, left) in self.dirty.iter_mut().zip(&mut self.left) {
            *dirty |= *left;
            if take {
                *left = 0;
            }
        }
    }

    /// The longest this pause may take: as asked, or, where the policy switches over all the same, what is expected
    /// and as much again.
    fn bound(&self, expected: f64) -> f64 {
        let limits = self.source.options.limits;
        let forced =
            limits.on_timeout == OnTimeout::Switchover && expected > limits.pause && expected.is_finite();
        if forced { 2.0 * expected } else { limits.pause }
    }

    fn pause(&mut self, outcome: &mut Outcome) -> Result<Paused, Error> {
        let source = self.source;
        let limits = source.options.limits;
        source.enter(self.observer, Phase::Pause)?;
        let begin = self.vigil.now();
        let bound = ns(self.bound(outcome.estimated_pause));
        let (stop_at, end) = (begin + bound + ns(limits.grace) / 2, begin + bound + ns(limits.grace));
        self.vigil.until(end);
        let mut phase = Phase::Pause;
        let paused = self.stand_still(stop_at, begin, outcome, &mut phase);
        self.vigil.without_deadline();
        paused.map_err(|error| if error.is_overdue() { self.too_long(phase) } else { error })
    }

    fn too_long(&self, phase: Phase) -> Error {
        Error::PauseTooLong(self.source.options.limits.pause, phase)
    }

    fn stand_still(
        &mut self,
        stop_at: u64,
        begin: u64,
        outcome: &mut Outcome,
        phase: &mut Phase,
    ) -> Result<Paused, Error> {
        let source = self.source;
        source.vm.pause();
        if source.options.pause_vf {
            source.vgpu.set_pause(true)?;
        }
        let stopped = self.vigil.now();
        outcome.pause.stop = measured(self.observer, Step::Stop, begin, stopped);
        *phase = Phase::LastPages;
        source.enter(self.observer, Phase::LastPages)?;
        self.take_dirty()?;
        let drained = self.vigil.now();
        outcome.pause.drain = measured(self.observer, Step::Drain, stopped, drained);
        if !self.iterate(stop_at, outcome)? {
            return self.resume();
        }
        self.close_streams()?;
        let moved = self.vigil.now();
        outcome.pause.last_pages = measured(self.observer, Step::LastPages, drained, moved);
        *phase = Phase::Mutable;
        source.enter(self.observer, Phase::Mutable)?;
        let mutable = source.vgpu.save_mutable()?;
        outcome.driver_bytes[1] = mutable.len() as u64;
        self.control.send(Kind::Mutable, &[&mutable])?;
        source.driver_data.lock()[1] = mutable;
        let saved = self.vigil.now();
        outcome.pause.mutable = measured(self.observer, Step::Mutable, moved, saved);
        *phase = Phase::Restore;
        source.enter(self.observer, Phase::Restore)?;
        source.loaded.store(true, Ordering::Relaxed);
        self.control.send(Kind::Guest, &[&source.vm.save()])?;
        self.control.expect(Kind::Ready)?;
        outcome.pause.restore = measured(self.observer, Step::Restore, saved, self.vigil.now());
        Ok(Paused::Ready)
    }

    /// Pages are left and time is over: the guest runs on, and so does the brownout, if the policy says so.
    fn resume(&mut self) -> Result<Paused, Error> {
        let source = self.source;
        if source.options.limits.on_timeout == OnTimeout::Cancel {
            return Err(self.too_long(Phase::LastPages));
        }
        if source.options.pause_vf {
            source.vgpu.set_pause(false)?;
        }
        source.vm.resume();
        self.tell(Event::Resumed)?;
        Ok(Paused::Resumed)
    }

    fn prove(&mut self, outcome: &mut Outcome) -> Result<(), Error> {
        self.source.enter(self.observer, Phase::Proof)?;
        if !self.source.options.prove {
            return Ok(());
        }
        let begin = self.vigil.now();
        let (control, vigil) = (&mut *self.control, &self.vigil);
        let hashes = proof::hash_pages(&self.source.vgpu, || {
            vigil.check()?;
            Ok(control.beat()?)
        })?;
        // The target hashes as much; a target that stalls must not hold the guest.
        let took = self.vigil.now().saturating_sub(begin);
        let limits = self.source.options.limits;
        self.vigil
            .within(took.saturating_mul(PROOF_PATIENCE).saturating_add(ns(limits.pause + limits.grace)));
        self.control.send(Kind::PageHashes, &[&proof::encode(&hashes)])?;
        let verdict = self.control.expect_message::<PageVerdict>(Kind::PageVerdict);
        self.vigil.without_deadline();
        let verdict =
            verdict.map_err(|error| if error.is_overdue() { self.too_long(Phase::Proof) } else { error })?;
        outcome.pages = Some(verdict);
        outcome.proof_hold = measured(self.observer, Step::Proof, begin, self.vigil.now());
        // The target, which stands ready, hears of it by the Abort that follows.
        if verdict.different == 0 { Ok(()) } else { Err(Error::Different(verdict)) }
    }

    /// Moves the pages in `dirty` and waits until the target has applied them. No batch begins after `stop_at`; what
    /// has not moved then is left. Says whether all of it has.
    fn iterate(&mut self, stop_at: u64, outcome: &mut Outcome) -> Result<bool, Error> {
        let pages = self.source.vgpu.pages();
        let batch = (self.source.vgpu.staging_bytes() / self.shared.page_bytes) as u64;
        let number = self.iteration;
        self.iteration += 1;
        let work = Arc::new(Mutex::new(Batches::new(&self.dirty, pages, batch)));
        self.tell(Event::Iterate { number, pages: work.lock().pages() })?;
        self.shared.moved.store(0, Ordering::Relaxed);
        self.shared.stop_at.store(stop_at, Ordering::Relaxed);
        let (begin, sent) = (self.vigil.now(), self.bytes_sent());
        let moved = self.run_streams(&work, number)?;
        work.lock().stop_into(&mut self.left);
        let ended = self.vigil.now();
        self.control
            .send_message(Kind::IterationEnd, &IterationEnd { iteration: number, pages: moved.pages })?;
        self.control.expect(Kind::IterationApplied)?;
        let applied = self.vigil.now();
        let iteration = Iteration {
            pages: moved.pages,
            zero_pages: moved.zero_pages,
            bytes: self.bytes_sent() - sent,
            seconds: seconds(begin, applied),
            wire_seconds: moved.wire_ns as f64 / SECOND as f64 / self.movers.len().max(1) as f64,
        };
        self.convergence.measured(&iteration);
        if moved.pages < TELLING_PAGES {
            self.convergence.answered(seconds(ended, applied));
        }
        outcome.iterations.push(iteration);
        self.tell(Event::Iterated(iteration))?;
        Ok(self.left.iter().all(|word| *word == 0))
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
        let (control, observer) = (&mut *self.control, &mut *self.observer);
        let mut both = |event: Event| {
            // The control connection carries nothing else while pages move. If it is cut, the next word shows it.
            let _ = control.beat();
            observer.event(event)
        };
        let mut total = self.movers[0].lock().run(work, &self.shared, number, &mut both);
        drop(threads);
        for result in results.lock().drain(..) {
            total = total.and_then(|total| result.map(|one| total.and(one)));
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
        if stop || self.vigil.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }
}
