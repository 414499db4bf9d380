//! One story with one fate, from the guest's start to the migration after it.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

use dxgksim::guest::GuestLoader;
use dxgksim::host::SECOND;
use dxgksim::vgpu::Vgpu;
use gpup::world::{Guest, Machine};
use live_migration::converge::FULL_SPEED;
use live_migration::handover::Identity;
use live_migration::wire::framed::Framed;
use live_migration::wire::message::Hello;
use live_migration::{Desk, Error, Event, Observer, Options, Outcome, Phase, Source, Target, Visit};

use crate::bench::{Bench, SILENCE_S, equipment, make_vgpu};
use crate::fate::Fate;
use crate::guests::{Loader, Log};
use crate::heal;
use crate::judge;
use crate::net::{Arrival, Net};
use crate::spot::Spot;
use crate::story::Story;
use crate::time::{At, Side, Time};

/// Who the target is.
pub(crate) const TARGET: Identity = Identity(1);
/// How long a source asks, in seconds.
pub(crate) const SETTLE_S: u64 = 2;

/// What is tried.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) story: Story,
    pub(crate) fault: Option<(Spot, Fate)>,
    /// SetVirtualFunctionPauseState is called.
    pub(crate) pause_vf: bool,
    pub(crate) streams: u16,
    /// The source keeps to no limit of its pause or of settling: for near misses.
    pub(crate) patient: bool,
    /// The source does not hear that somebody wants an end: for near misses.
    pub(crate) deaf: bool,
    /// A VM in doubt goes through a file.
    pub(crate) through_file: bool,
    /// The VM that lives is moved once more.
    pub(crate) again: bool,
}

impl Plan {
    pub(crate) fn new(story: Story) -> Self {
        Self {
            story,
            fault: None,
            pause_vf: true,
            streams: 1,
            patient: false,
            deaf: false,
            through_file: false,
            again: true,
        }
    }

    fn faults(&self) -> Vec<(Spot, Fate)> {
        self.story.faults().into_iter().chain(self.fault).collect()
    }

    fn options(&self, time: &Arc<Time>, cancel: &Arc<AtomicBool>) -> Options {
        let mut limits = self.story.limits();
        let mut settle_ns = SETTLE_S * SECOND;
        if self.patient {
            limits.grace = 1e6;
            settle_ns *= 10;
        }
        let cancel = if self.deaf { Arc::default() } else { cancel.clone() };
        Options {
            limits,
            streams: self.streams,
            pause_vf: self.pause_vf,
            settle_ns,
            silence_s: SILENCE_S,
            clock: Arc::new(At(time.clone(), Side::Source)),
            cancel,
            ..Options::new(next_name())
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, pause DDI {}, {} streams", self.story, self.pause_vf, self.streams)?;
        match self.fault {
            Some((spot, fate)) => write!(f, ": {fate:?} of {spot}"),
            None => Ok(()),
        }
    }
}

fn next_name() -> u128 {
    static NAMES: AtomicU32 = AtomicU32::new(1);
    u128::from(NAMES.fetch_add(1, Ordering::Relaxed))
}

/// What the source told, and when.
pub(crate) struct Told<'a> {
    plan: &'a Plan,
    net: &'a Net,
    time: &'a Arc<Time>,
    /// The last time that each phase began.
    pub(crate) phases: Vec<(Phase, u64)>,
    /// When the VM was taken back.
    pub(crate) taken_back: Option<u64>,
    batches: u32,
}

impl Observer for Told<'_> {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Enter(phase) => {
                self.phases.push((phase, self.time.peek()));
                if phase == Phase::Pause {
                    self.net.pause_begins();
                }
                if self.plan.story.stops_source(phase) {
                    return ControlFlow::Break(());
                }
            }
            Event::Throttle(FULL_SPEED) => self.taken_back = Some(self.time.peek()),
            Event::Moved { .. } if self.batches < 2 => {
                self.batches += 1;
                self.time.jump(self.plan.story.takes());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// What one visitor finds.
struct Reception<'a> {
    host: &'a Machine,
    story: Story,
    time: &'a Arc<Time>,
}

impl Observer for Reception<'_> {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Enter(phase) if self.story.stops_target(phase) => return ControlFlow::Break(()),
            Event::Enter(Phase::Proof) => self.time.jump(self.story.takes()),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Desk for Reception<'_> {
    fn make_vgpu(&mut self, _hello: &Hello) -> Result<Arc<Vgpu>, String> {
        make_vgpu(self.host)
    }
}

/// What came of connections to a target.
pub(crate) type Visits = Mutex<Vec<Visit>>;

/// An attempt, its two hosts and what is between them.
pub(crate) struct Trial<'a> {
    pub(crate) bench: &'a Bench,
    pub(crate) plan: &'a Plan,
    pub(crate) time: &'a Arc<Time>,
    pub(crate) net: &'a Arc<Net>,
    pub(crate) log: &'a Log,
    pub(crate) visits: &'a Visits,
    pub(crate) begin: u64,
    pub(crate) end: u64,
    pub(crate) told: Told<'a>,
    pub(crate) result: Result<(Outcome, Framed), Error>,
}

/// What a trial that went as it must has shown.
pub(crate) struct Shown {
    /// All frames of the attempt.
    pub(crate) frames: Vec<Spot>,
    /// The fate befell its frame.
    pub(crate) befell: bool,
    /// How the attempt ended, in a word or two.
    pub(crate) ending: String,
}

/// Tries `plan`. The error says what is wrong.
pub(crate) fn run(bench: &Bench, plan: &Plan) -> Result<Shown, String> {
    let log = Arc::<Log>::default();
    let guest = bench.boot(&log);
    attempt(bench, &bench.there, plan, guest, Arc::new(Loader(log.clone())), &log)
}

/// The same of a VM that is somewhere already, to `to`.
pub(crate) fn attempt(
    bench: &Bench,
    to: &Machine,
    plan: &Plan,
    guest: Guest,
    loader: Arc<dyn GuestLoader>,
    log: &Log,
) -> Result<Shown, String> {
    let (time, cancel) = (Arc::<Time>::default(), Arc::<AtomicBool>::default());
    let (net, arrivals) = Net::new(time.clone(), cancel.clone(), plan.faults());
    let target = Target::new(TARGET, equipment(loader, &time));
    let (visits, source) =
        (Visits::default(), Source::new(guest.vgpu.clone(), guest.vm.clone(), plan.options(&time, &cancel)));
    let host = Reception { host: to, story: plan.story, time: &time };
    std::thread::scope(|scope| {
        let (plan, net, time, visits) = (plan, &net, &time, &visits);
        let (target, host) = (&target, &host);
        scope.spawn(move || accept(&arrivals, target, host, visits));
        let _open = Open(net);
        let mut told = Told { plan, net, time, phases: Vec::new(), taken_back: None, batches: 0 };
        let begin = time.peek();
        let at_work = time.at_work(Side::Source);
        let result = source.migrate(&mut net.connector(), &mut told);
        drop(at_work);
        let end = time.peek();
        // Whatever the target still waits for, time ends it.
        time.flow(true);
        time.wait_idle(Side::Target);
        let trial = Trial { bench, plan, time, net, log, visits, begin, end, told, result };
        judge::judge(&trial, &guest, source.standing())?;
        let befell = net.faults_left().is_empty();
        let ending = judge::ending(&trial.result);
        let frames = net.seen();
        time.flow(false);
        heal::heal(trial, source, guest)?;
        Ok(Shown { frames, befell, ending })
    })
}

/// Lets visitors in until nobody can come any more.
fn accept(arrivals: &Receiver<Arrival>, target: &Target, host: &Reception<'_>, visits: &Visits) {
    std::thread::scope(|scope| {
        while let Ok(Arrival { end, at_work }) = arrivals.recv() {
            scope.spawn(move || {
                let mut desk = Reception { ..*host };
                let visit = target.welcome(Box::new(end), &mut desk);
                visits.lock().unwrap().push(visit);
                drop(at_work);
            });
        }
    });
}

/// While it is there, connections are made.
struct Open<'a>(&'a Net);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.shut();
    }
}
