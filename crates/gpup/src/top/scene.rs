//! The hosts that are watched, and the move between them.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use live_migration::converge::FULL_SPEED;
use live_migration::{Event, Options, Source};

use super::sample::{Row, Sample, rows};
use crate::args::Top;
use crate::exit::Failure;
use crate::migrate::{LocalTarget, neighbour, options};
use crate::note::Note;
use crate::tcp::connector;
use crate::units::{Bytes, seconds};
use crate::world::{Guest, Machine, throttle, wait_started, work_of};
use crate::{doubt, interrupt};

/// Two hosts; the guests start on the first.
pub(super) struct Scene<'a> {
    args: &'a Top,
    first: Machine,
    second: LocalTarget,
    mover: Option<Guest>,
    neighbours: Vec<Guest>,
    moving: Option<JoinHandle<Option<Guest>>>,
    cancel: Arc<AtomicBool>,
    /// What became of the move, for people.
    said: Arc<Mutex<String>>,
    samples: [Sample; 2],
}

impl<'a> Scene<'a> {
    /// Boots hosts and guests.
    pub(super) fn set(args: &'a Top) -> Result<Self, Failure> {
        interrupt::flag();
        args.host.check_vf(args.guest.vf)?;
        let work = work_of(&args.guest, args.host.vf_size.0)?;
        let first = Machine::start(&args.host)?;
        let second = LocalTarget::start(Machine::start(&args.host)?, args.guest.cool_down.0)?;
        let mover = first.boot(args.guest.vf, &work)?;
        let neighbours: Vec<Guest> = (0..args.host.vfs)
            .filter(|vf| *vf != args.guest.vf)
            .map(|vf| first.boot(vf, &neighbour(vf, &args.guest, args.host.vf_size.0)))
            .collect::<anyhow::Result<_>>()?;
        wait_started(&mover)?;
        neighbours.iter().try_for_each(wait_started)?;
        let samples = [Sample::take(first.adapter()), Sample::take(second.machine.adapter())];
        let said = Arc::new(Mutex::new(format!("VF {} can be moved", args.guest.vf)));
        Ok(Self {
            args,
            first,
            second,
            mover: Some(mover),
            neighbours,
            moving: None,
            cancel: Arc::default(),
            said,
            samples,
        })
    }

    /// What happened on both hosts since the last time.
    pub(super) fn sample(&mut self) -> (f64, Vec<Row>) {
        let adapters = [self.first.adapter(), self.second.machine.adapter()];
        let samples = adapters.map(|adapter| Sample::take(adapter));
        let passed = samples[0].since(&self.samples[0]).as_secs_f64();
        let mut all = Vec::new();
        for (index, host) in ["first", "second"].into_iter().enumerate() {
            all.extend(rows(host, adapters[index], &self.samples[index], &samples[index]));
        }
        self.samples = samples;
        (passed, all)
    }

    /// What a VF does, for people.
    pub(super) fn workload(&self, row: &Row) -> String {
        let guests = self.neighbours.iter().chain(&self.mover);
        let here = guests.filter(|_| row.host == "first").find(|guest| guest.vgpu.index() == row.vf);
        here.map_or_else(|| self.args.guest.workload.to_string(), |guest| guest.vm.workload())
    }

    /// What became of the move.
    pub(super) fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Moves the VF to the second host, if it has not been tried.
    pub(super) fn start_move(&mut self) -> Result<(), Failure> {
        let Some(mover) = self.mover.take() else { return Ok(()) };
        let options = Options {
            cancel: self.cancel.clone(),
            note: Note::of(&self.args.guest, &self.args.host, &mover.work).encode()?,
            prove: false,
            ..options(&self.args.how)?
        };
        let (address, settle) = (self.second.address.clone(), self.args.how.settle.0);
        let said = self.said.clone();
        let name = format!("VF {}", mover.vgpu.index());
        let work = move || {
            let say = |text: String| *said.lock().unwrap_or_else(PoisonError::into_inner) = text;
            let source = Source::new(mover.vgpu.clone(), mover.vm.clone(), options);
            let migration = source.migration();
            let page = mover.vgpu.dirty_page_bytes();
            let mut follow = follow(&mover, &name, page, &say);
            let moved = source.migrate(&mut connector(&address), &mut follow);
            drop(follow);
            drop(source);
            match moved {
                Ok((outcome, control)) => {
                    let (brownout, pause) = (seconds(outcome.brownout), seconds(outcome.pause.total()));
                    say(format!("{name} runs on the second host: brownout {brownout}, pause {pause}"));
                    let gone = mover.destroy();
                    match (doubt::outcome(control, &address, migration, settle), gone) {
                        (Ok(end), Ok(())) => say(format!(
                            "{name} has finished on the second host after {} steps: brownout {brownout}, pause {pause}",
                            end.steps
                        )),
                        (Err(error), _) => {
                            say(format!("{name}: the target did not tell the outcome: {error}"))
                        }
                        (_, Err(error)) => say(format!("{name}: {error}")),
                    }
                    None
                }
                Err(error) => {
                    say(format!("{name} stayed: {error}"));
                    Some(mover)
                }
            }
        };
        let thread = std::thread::Builder::new().name("mover".into()).spawn(work);
        self.moving =
            Some(thread.map_err(|error| Failure::Failed(format!("no thread for the move: {error}")))?);
        Ok(())
    }

    /// Whether a move was begun.
    pub(super) fn was_moved(&self) -> bool {
        self.mover.is_none()
    }

    /// Cancels what is under way, takes everything down and looks whether the drivers kept every rule.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        self.cancel.store(true, Ordering::Relaxed);
        let mut visited = false;
        if let Some(moving) = self.moving.take() {
            self.mover = moving.join().map_err(|_| Failure::Failed("the move's thread died".into()))?;
            visited = self.mover.is_none();
        }
        self.mover.into_iter().chain(self.neighbours).try_for_each(Guest::destroy)?;
        self.second.end(visited)?;
        Ok(self.first.stop()?)
    }
}

/// Tells how a move goes, and slows the guest when the agent asks for that.
fn follow<'a>(
    mover: &'a Guest,
    name: &'a str,
    page: u64,
    say: &'a impl Fn(String),
) -> impl FnMut(Event) -> ControlFlow<()> + 'a {
    let mut throttled = false;
    move |event| {
        match event {
            Event::Enter(phase) => say(format!("{name} moves: {phase}")),
            Event::Iterate { number, pages } => {
                say(format!("{name} moves: iteration {number}, {}", Bytes(pages * page)));
            }
            // A guest that runs at full speed is not told so: before Prepare the driver would refuse.
            Event::Throttle(speed) if throttled || speed < FULL_SPEED => {
                throttled = true;
                if let Err(error) = throttle(&mover.vgpu, speed) {
                    say(format!("{name} could not be slowed: {error}"));
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
