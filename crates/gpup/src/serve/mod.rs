//! The target's side: a listener that takes VMs in, answers sources in doubt, and lets guests finish.

mod door;
mod outcomes;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, anyhow};
use dxgksim::vgpu::Vgpu;
use live_migration::handover::Identity;
use live_migration::handover::target::State;
use live_migration::wire::frame::Kind;
use live_migration::wire::framed::Framed;
use live_migration::wire::message::{GuestOutcome, Hello};
use live_migration::wire::vigil::SILENCE_S;
use live_migration::{Desk, Equipment, Event, Held, Observer, Target, Visit as Arrival};
use serde::Serialize;

use crate::args::Serve;
use crate::exit::Failure;
use crate::interrupt;
use crate::json;
use crate::spans::Spans;
use crate::tcp::{Address, Tcp};
use crate::tell::{say, tell};
use crate::units::{Bytes, MigrationId, count, random_name};
use crate::world::{Machine, finish};
use door::Door;
use outcomes::Outcomes;

/// How often a target that serves looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// How a VM stands that only a source or an operator can settle.
const DOUBTFUL: [State; 3] = [State::Ready, State::InDoubt, State::Starting];

/// What a target does.
#[derive(Clone)]
pub struct ServeOptions {
    /// How long a VM works on after it arrived.
    pub cool_down: Duration,
    /// Say nothing.
    pub quiet: bool,
    /// Who gets a VM that runs here, instead of its being made to finish.
    pub hand_over: Option<Sender<Held>>,
}

/// How a visit ended.
#[derive(Clone, Debug, Serialize)]
pub struct Visit {
    /// Names the migration.
    pub migration: String,
    /// What happened.
    pub ending: Ending,
    /// More of it, for people.
    pub message: String,
    /// Steps of the guest at its end.
    pub guest_steps: Option<u64>,
}

/// How a visit ended, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The VM ran here and finished.
    Finished,
    /// The VM ran here and was handed over.
    HandedOver,
    /// What came was discarded.
    Discarded,
    /// The VM's guest failed here.
    GuestFailed,
}

/// A target that serves.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    door: Mutex<Option<Door>>,
    listening: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    machine: Arc<Machine>,
    target: Target,
    options: ServeOptions,
    outcomes: Outcomes,
    visits: Mutex<Vec<Visit>>,
    ended: Condvar,
    closing: AtomicBool,
}

impl Server {
    /// Listens on `address` for VMs to run on `machine`.
    pub fn bind(
        address: &[SocketAddr],
        machine: Arc<Machine>,
        options: ServeOptions,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).with_context(|| {
            let first = address.first().map(ToString::to_string).unwrap_or_default();
            format!("cannot listen on {first}: choose another address with --listen")
        })?;
        let address = listener.local_addr()?;
        let equipment = Equipment::new(Arc::new(gpup_guest::Loader), Arc::new(crate::pack::AnyUnpacker));
        let shared = Shared {
            machine,
            target: Target::new(Identity(random_name()?), equipment),
            options,
            outcomes: Outcomes::default(),
            visits: Mutex::default(),
            ended: Condvar::new(),
            closing: AtomicBool::new(false),
        };
        let door = Mutex::new(Some(Door::new(listener)));
        Ok(Self { address, shared: Arc::new(shared), door, listening: Mutex::default() })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `visits` visits have ended and no VM is in doubt; for ever when `None`.
    pub fn run(&self, visits: Option<u32>) -> anyhow::Result<Vec<Visit>> {
        self.run_until(visits, || false)
    }

    /// The same, or until `stop` says so.
    fn run_until(&self, visits: Option<u32>, mut stop: impl FnMut() -> bool) -> anyhow::Result<Vec<Visit>> {
        let door = self.door.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(door) = door {
            let shared = self.shared.clone();
            let thread =
                std::thread::Builder::new().name("listener".into()).spawn(move || shared.listen(door))?;
            *self.listening.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        }
        let mut ended = self.shared.visits.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = |ended: &[Visit]| visits.is_some_and(|visits| ended.len() as u32 >= visits);
        while !(stop() || enough(&ended) && self.count(&DOUBTFUL) == 0) {
            ended = self.shared.ended.wait_timeout(ended, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(ended.clone())
    }

    /// Takes in nobody any more and waits for the visitors that are here: then nothing of it uses the host. Guests work
    /// on to their end; what is only coming in is discarded.
    pub fn close(self) -> anyhow::Result<()> {
        self.shared.closing.store(true, Ordering::Release);
        self.shared.target.interrupt();
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = listening {
            while !thread.is_finished() {
                // The listener looks only when somebody comes.
                drop(TcpStream::connect_timeout(&self.address, LOOK));
                std::thread::sleep(Duration::from_millis(1));
            }
            thread.join().map_err(|_| anyhow!("the listener's thread died"))?;
        }
        Ok(())
    }

    /// Migrations that stand in one of `states`.
    fn count(&self, states: &[State]) -> u64 {
        let all = self.shared.target.states();
        all.iter().filter(|(_, state)| states.contains(state)).count() as u64
    }

    /// Whether nothing is lost if it stops now; makes what can end do so, and says once what cannot.
    fn may_stop(&self, warned: &mut bool) -> bool {
        let coming = self.count(&[State::Receiving, State::Ready, State::Starting]);
        let (doubtful, at_work) = (self.count(&[State::InDoubt]), self.shared.outcomes.at_work() as u64);
        if coming > 0 {
            // The sources keep them: nothing is lost.
            self.shared.target.interrupt();
        }
        if doubtful + at_work > 0 && !std::mem::replace(warned, true) {
            self.shared.say(&format!(
                "{} in doubt, {} at work: serving until that is settled (`gpup resolve`); Ctrl-C again gives up what \
                 stands here, and if its source has no copy it is lost",
                count(doubtful, "VM"),
                count(at_work, "guest")
            ));
        }
        coming + doubtful + at_work == 0
    }

    /// Waits until every source knows its guest's outcome: one that was cut off will come and ask.
    fn linger(&self) {
        let untold = self.shared.outcomes.untold();
        if untold > 0 {
            let outcomes = count(untold as u64, "outcome");
            self.shared.say(&format!(
                "{outcomes} not heard by the source: waiting {SILENCE_S} s for it to ask; Ctrl-C ends that"
            ));
            self.shared.outcomes.wait_told(Duration::from_secs(SILENCE_S), interrupt::pressed);
        }
    }
}

impl Shared {
    fn say(&self, text: &str) {
        if !self.options.quiet {
            tell!("target: {text}");
        }
    }

    /// Each connection has a thread of its own.
    fn listen(self: Arc<Self>, mut door: Door) {
        let mut visitors: Vec<JoinHandle<()>> = Vec::new();
        while !self.closing.load(Ordering::Acquire) {
            if let Some(stream) = door.answer(|what| self.say(what))
                && !self.closing.load(Ordering::Acquire)
            {
                let shared = self.clone();
                let serve = move || shared.serve(stream);
                match std::thread::Builder::new().name("visitor".into()).spawn(serve) {
                    Ok(thread) => visitors.push(thread),
                    Err(error) => self.say(&format!("no thread for a visitor, who was turned away: {error}")),
                }
            }
            visitors.retain(|visitor| !visitor.is_finished());
        }
        visitors.into_iter().for_each(|visitor| drop(visitor.join()));
    }

    fn serve(&self, stream: TcpStream) {
        let tcp = match Tcp::over(stream) {
            Ok(tcp) => tcp,
            Err(error) => return self.say(&format!("a connection failed: {error}")),
        };
        let mut desk = ServeDesk { shared: self, spans: None };
        let visit = self.target.welcome(Box::new(tcp), &mut desk);
        desk.end(&visit);
        self.follow(visit);
    }

    /// What comes after a connection.
    fn follow(&self, visit: Arrival) {
        match visit {
            Arrival::Running(held, control) => {
                self.say("the VM runs here");
                self.take(held, control);
            }
            Arrival::Settled(held, control) => {
                self.say("no longer in doubt: the VM is to run here");
                self.take(held, control);
            }
            Arrival::InDoubt(migration) => self.say(&format!(
                "in doubt: the connection was cut while ownership passed (migration {}); the VM stands ready until \
                 the source asks, or `gpup resolve` says that it is gone",
                MigrationId(migration)
            )),
            Arrival::Discarded(migration, error) => {
                self.end(migration, Ending::Discarded, format!("what came was discarded: {error}"), None);
            }
            Arrival::LetGo(migration, gone) => {
                let message = match gone {
                    Ok(()) => "no longer in doubt: what came was discarded, as the source has the VM".into(),
                    Err(error) => format!("what came could not be discarded: {error}"),
                };
                self.end(migration, Ending::Discarded, message, None);
            }
            Arrival::OnlyAsked(_) => self.say("it only asked whether it could come: it can"),
            Arrival::Waiting(migration, link) => {
                if let Some((link, outcome)) = self.outcomes.listen(migration, link) {
                    self.tell_outcome(migration, link, &outcome);
                }
            }
            Arrival::TurnedAway(error) => self.say(&format!("a visitor was turned away: {error}")),
            Arrival::Answered | Arrival::Stream | Arrival::Silent => {}
        }
    }

    /// A VM runs here: it finishes, or somebody else in this process decides what becomes of it.
    fn take(&self, held: Held, control: Framed) {
        match &self.options.hand_over {
            None => self.let_finish(held, control),
            Some(to) => self.hand_over(held, to),
        }
    }

    fn hand_over(&self, held: Held, to: &Sender<Held>) {
        let migration = held.hello.migration;
        let (ending, message) = match to.send(held) {
            Ok(()) => (Ending::HandedOver, "the VM runs here, and was handed over"),
            Err(_) => (Ending::Discarded, "nobody wanted the VM any more: it was discarded"),
        };
        self.end(migration, ending, message.into(), None);
    }

    /// The VM works on for a while, then it is made to finish; the source learns the outcome.
    fn let_finish(&self, held: Held, control: Framed) {
        let migration = held.hello.migration;
        let _ = self.outcomes.listen(migration, control);
        let outcome = self.beating(migration, || {
            std::thread::sleep(self.options.cool_down);
            finish(&held.vm, None)
        });
        let (ending, message, steps) = match &outcome {
            Ok(outcome) => (
                Ending::Finished,
                format!("the guest finished after {}", count(outcome.steps, "step")),
                Some(outcome.steps),
            ),
            Err(error) => (Ending::GuestFailed, error.to_string(), None),
        };
        let outcome = match outcome {
            Ok(outcome) => GuestOutcome { steps: outcome.steps, result: Ok(outcome.result) },
            Err(error) => GuestOutcome { steps: 0, result: Err(error.to_string()) },
        };
        held.vm.stop();
        let gone = held.vgpu.destroy();
        let waiting = self.outcomes.finished(migration, &outcome);
        waiting.into_iter().for_each(|link| self.tell_outcome(migration, link, &outcome));
        let message = match gone {
            Ok(()) => message,
            Err(error) => format!("{message}; its VF cannot be destroyed: {error}"),
        };
        self.end(migration, ending, message, steps);
    }

    /// Does `work`, and tells whoever waits for its outcome all the while that it is being done.
    fn beating<T>(&self, migration: u128, work: impl FnOnce() -> T) -> T {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    self.outcomes.beat(migration);
                    std::thread::park_timeout(LOOK);
                }
            });
            let result = work();
            done.store(true, Ordering::Release);
            result
        })
    }

    /// The other side says End when it has heard: a cut connection swallows words without an error.
    fn tell_outcome(&self, migration: u128, mut link: Framed, outcome: &GuestOutcome) {
        let heard = link.send_message(Kind::Outcome, outcome).and_then(|()| link.expect(Kind::End));
        if heard.is_ok() {
            self.outcomes.told(migration);
        }
    }

    fn end(&self, migration: u128, ending: Ending, message: String, guest_steps: Option<u64>) {
        self.say(&message);
        let visit = Visit { migration: MigrationId(migration).to_string(), ending, message, guest_steps };
        self.visits.lock().unwrap_or_else(PoisonError::into_inner).push(visit);
        self.ended.notify_all();
    }
}

/// What one visitor finds at this target.
struct ServeDesk<'a> {
    shared: &'a Shared,
    /// Of the migration, once one has been asked for.
    spans: Option<Spans<Say<'a>>>,
}

/// Says which phase begins.
struct Say<'a>(&'a Shared);

impl Observer for Say<'_> {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        if let Event::Enter(phase) = event {
            self.0.say(&format!("{phase}"));
        }
        ControlFlow::Continue(())
    }
}

impl Observer for ServeDesk<'_> {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        self.spans.as_mut().map_or(ControlFlow::Continue(()), |spans| spans.event(event))
    }
}

impl Desk for ServeDesk<'_> {
    fn make_vgpu(&mut self, hello: &Hello) -> Result<Arc<Vgpu>, String> {
        let Self { shared, spans } = self;
        let size = Bytes(hello.vf_bytes);
        shared.say(&format!("a VM with {size} of VRAM ({}) asks to come", hello.workload));
        *spans = Some(Spans::begin("target", hello.migration, None, Say(shared)));
        let made = shared.machine.create_any_vf(hello.vf_bytes);
        made.map_err(|error| format!("the target has no VF of {size} to give: {error:#}"))
    }
}

impl ServeDesk<'_> {
    fn end(self, visit: &Arrival) {
        let ended = match visit {
            Arrival::Discarded(_, error) => Err(error.clone()),
            _ => Ok(()),
        };
        if let Some(spans) = self.spans {
            let _ = spans.end(&ended);
        }
    }
}

/// `gpup serve`
pub(crate) fn run(args: &Serve) -> Result<(), Failure> {
    let address = Address::resolve(&args.listen).map_err(Failure::usage)?;
    let machine = Arc::new(Machine::start_in(&args.host, args.bar)?);
    let options = ServeOptions { cool_down: args.cool_down.0, quiet: args.output.quiet, hand_over: None };
    let server = Server::bind(address.all(), machine.clone(), options)?;
    interrupt::flag();
    // Standard output, so that a script can wait for it and read the port.
    say!("listening on {}", server.address());
    let mut warned = false;
    let visits = server.run_until(args.visits, || interrupt::pressed() && server.may_stop(&mut warned))?;
    server.linger();
    // Whoever is being told something hears it to its end.
    server.close()?;
    json::set(&visits);
    let broken = machine.violations();
    if !broken.is_empty() {
        return Err(anyhow!("the driver broke the contract: {}", broken.join("; ")).into());
    }
    // A visitor that was refused or went away is its own failure, not the target's; a guest that failed here is.
    match visits.iter().find(|visit| visit.ending == Ending::GuestFailed) {
        None => Ok(()),
        Some(visit) => Err(Failure::Failed(visit.message.clone())),
    }
}
