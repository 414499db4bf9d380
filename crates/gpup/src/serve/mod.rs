//! The target's side: a listener that takes VMs in, answers sources in doubt, and lets guests finish.

mod register;
mod settle;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, anyhow};
use dxgksim::vgpu::Vgpu;
use live_migration::wire::channel::LinkError;
use live_migration::wire::frame::{Framed, Kind};
use live_migration::wire::message::{GuestOutcome, Hello, ONLY_ASKED};
use live_migration::{Arrived, Desk, Error, Event, Held, Target, Visitor};
use serde::Serialize;

use crate::args::Serve;
use crate::exit::Failure;
use crate::interrupt;
use crate::report::write_json;
use crate::spans::Spans;
use crate::tcp::{PATIENCE, Tcp, resolve};
use crate::tell::{say, tell};
use crate::units::{Bytes, MigrationId, count};
use crate::world::{Machine, finish};
use register::Register;

/// How often a target that serves looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);

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
    listener: TcpListener,
    shared: Arc<Shared>,
    listening: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    machine: Arc<Machine>,
    target: Target,
    options: ServeOptions,
    register: Register,
    visits: Mutex<Vec<Visit>>,
    ended: Condvar,
    closing: AtomicBool,
}

impl Server {
    /// Listens on `address` for VMs to run on `machine`.
    pub fn bind(address: SocketAddr, machine: Arc<Machine>, options: ServeOptions) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)
            .with_context(|| format!("cannot listen on {address}: choose another address with --listen"))?;
        let target =
            Target { loader: Arc::new(gpup_guest::Loader), unpacker: Arc::new(crate::pack::AnyUnpacker) };
        let shared = Shared {
            machine,
            target,
            options,
            register: Register::default(),
            visits: Mutex::default(),
            ended: Condvar::new(),
            closing: AtomicBool::new(false),
        };
        Ok(Self { listener, shared: Arc::new(shared), listening: Mutex::default() })
    }

    /// The address it listens on.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Serves until `visits` visits have ended; for ever when `None`.
    pub fn run(&self, visits: Option<u32>) -> anyhow::Result<Vec<Visit>> {
        self.run_until(visits, || false)
    }

    /// The same, or until `stop` says so.
    fn run_until(&self, visits: Option<u32>, mut stop: impl FnMut() -> bool) -> anyhow::Result<Vec<Visit>> {
        let shared = self.shared.clone();
        let listener = self.listener.try_clone()?;
        let thread = std::thread::Builder::new().name("listener".into()).spawn(move || {
            let mut visitors = Vec::new();
            for stream in listener.incoming() {
                if shared.closing.load(Ordering::Acquire) {
                    break;
                }
                match stream {
                    Ok(stream) => visitors.extend(shared.welcome(stream)),
                    Err(error) => shared.say(&format!("a connection failed: {error}")),
                }
                visitors.retain(|visitor| !visitor.is_finished());
            }
            visitors.into_iter().for_each(|visitor| drop(visitor.join()));
        })?;
        *self.listening.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        let mut ended = self.shared.visits.lock().unwrap_or_else(PoisonError::into_inner);
        while visits.is_none_or(|visits| (ended.len() as u32) < visits) && !stop() {
            ended = self.shared.ended.wait_timeout(ended, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(ended.clone())
    }

    /// Takes in nobody any more and waits for the visitors that are here: then nothing of it uses the host.
    pub fn close(self) -> anyhow::Result<()> {
        self.shared.closing.store(true, Ordering::Release);
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = listening {
            // The listener looks only when somebody comes.
            drop(TcpStream::connect(self.address()?));
            thread.join().map_err(|_| anyhow!("the listener's thread died"))?;
        }
        Ok(())
    }

    /// Whether nothing is lost if it stops now; says so once if there is.
    fn may_stop(&self, warned: &mut bool) -> bool {
        let open = self.shared.register.unsettled();
        if open > 0 && !std::mem::replace(warned, true) {
            let open = count(open as u64, "VM");
            self.shared
                .say(&format!("{open} on the way, in doubt or at work: serving until that is settled"));
        }
        open == 0
    }

    /// Waits until every source knows its guest's outcome: one that was cut off will come and ask.
    fn linger(&self) {
        let untold = self.shared.register.untold();
        if untold > 0 {
            let outcomes = count(untold as u64, "outcome");
            let patience = PATIENCE.as_secs();
            self.shared
                .say(&format!("{outcomes} not heard by the source: waiting {patience} s for it to ask"));
            self.shared.register.wait_told(PATIENCE);
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
    fn welcome(self: &Arc<Self>, stream: TcpStream) -> Option<JoinHandle<()>> {
        let shared = self.clone();
        let work = move || match Tcp::over(stream)
            .map_err(anyhow::Error::from)
            .and_then(|tcp| Visitor::greet(Box::new(tcp)).map_err(anyhow::Error::from))
        {
            Ok(Visitor::Source(control, hello)) => shared.visit(control, hello),
            Ok(Visitor::Stream(link, migration)) => shared.route(link, migration),
            Ok(Visitor::Resolve(link, question)) => shared.resolve(link, question),
            // Somebody only looked whether the port is open.
            Err(error) if silent(&error) => {}
            Err(error) => shared.say(&format!("a visitor was turned away: {error}")),
        };
        let thread = std::thread::Builder::new().name("visitor".into()).spawn(work);
        if thread.is_err() {
            self.say("no thread for a visitor: it was turned away");
        }
        thread.ok()
    }

    /// Hands a data connection to its migration.
    fn route(&self, link: Framed, migration: u128) {
        if !self.register.route(link, migration) {
            self.say("a data connection of no migration under way was turned away");
        }
    }

    fn visit(&self, mut control: Framed, hello: Hello) {
        let migration = hello.migration;
        let Some(streams) = self.register.begin(migration) else {
            let _ = control.send_message(Kind::Abort, &"this migration is known already");
            return;
        };
        self.say(&format!("a VM with {} of VRAM ({}) asks to come", Bytes(hello.vf_bytes), hello.workload));
        let mut desk = ServeDesk { shared: self, streams };
        let observer = |event: Event| {
            if let Event::Enter(phase) = event {
                self.say(&format!("{phase}"));
            }
            ControlFlow::Continue(())
        };
        let mut spans = Spans::begin("target", migration, None, observer);
        let received = self.target.receive(control, hello, &mut desk, &mut spans);
        let _ = spans.end(&received);
        match received {
            Ok(Arrived::Running(held, control)) => {
                self.register.running(migration);
                match &self.options.hand_over {
                    None => self.let_finish(held, control),
                    Some(to) => self.hand_over(held, to),
                }
            }
            Ok(Arrived::InDoubt(held)) => {
                self.register.in_doubt(held);
                self.say(&format!(
                    "in doubt: the connection was cut while ownership passed (migration {}); the VM stands \
                     ready until the source asks, or `gpup resolve` says that it is gone",
                    MigrationId(migration)
                ));
            }
            Err(Error::Aborted(why)) if why == ONLY_ASKED => {
                self.register.discarded(migration);
                self.say("it only asked whether it could come: it can");
            }
            Err(error) => {
                self.register.discarded(migration);
                self.end(migration, Ending::Discarded, format!("what came was discarded: {error}"), None);
            }
        }
    }

    /// The VM works on, and somebody else in this process decides what becomes of it.
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
        self.say("the VM runs here");
        std::thread::sleep(self.options.cool_down);
        let outcome = finish(&held.vm, None);
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
        let mut waiting = self.register.finished(migration, &outcome);
        waiting.push(control);
        waiting.into_iter().for_each(|link| self.tell_outcome(migration, link, &outcome));
        let message = match gone {
            Ok(()) => message,
            Err(error) => format!("{message}; its VF cannot be destroyed: {error}"),
        };
        self.end(migration, ending, message, steps);
    }

    /// The other side says End when it has heard: a cut connection swallows words without an error.
    fn tell_outcome(&self, migration: u128, mut link: Framed, outcome: &GuestOutcome) {
        let heard = link.send_message(Kind::Outcome, outcome).and_then(|()| link.expect(Kind::End));
        if heard.is_ok() {
            self.register.told(migration);
        }
    }

    fn end(&self, migration: u128, ending: Ending, message: String, guest_steps: Option<u64>) {
        self.say(&message);
        let visit = Visit { migration: MigrationId(migration).to_string(), ending, message, guest_steps };
        self.visits.lock().unwrap_or_else(PoisonError::into_inner).push(visit);
        self.ended.notify_all();
    }
}

/// Whether a visitor went away before it had said anything.
fn silent(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Error>().is_some_and(|error| *error == LinkError::Closed.into())
}

/// What one migration finds at this target.
struct ServeDesk<'a> {
    shared: &'a Shared,
    streams: Receiver<Framed>,
}

impl Desk for ServeDesk<'_> {
    fn make_vgpu(&mut self, hello: &Hello) -> Result<Arc<Vgpu>, String> {
        let machine = &self.shared.machine;
        machine
            .create_any_vf(hello.vf_bytes)
            .map_err(|error| format!("the target has no VF of {} to give: {error:#}", Bytes(hello.vf_bytes)))
    }

    fn accept_stream(&mut self, _migration: u128) -> Result<Framed, LinkError> {
        self.streams.recv_timeout(PATIENCE).map_err(|_| LinkError::TimedOut)
    }
}

/// `gpup serve`
pub(crate) fn run(args: &Serve) -> Result<(), Failure> {
    let address = resolve(&args.listen).map_err(Failure::usage)?;
    let machine = Arc::new(Machine::start_in(&args.host, args.bar)?);
    let options = ServeOptions { cool_down: args.cool_down.0, quiet: args.output.quiet, hand_over: None };
    let server = Server::bind(address, machine.clone(), options)?;
    interrupt::flag();
    // Standard output, so that a script can wait for it and read the port.
    say!("listening on {}", server.address()?);
    let mut warned = false;
    let visits = server.run_until(args.visits, || interrupt::pressed() && server.may_stop(&mut warned))?;
    server.linger();
    if let Some(path) = &args.output.json {
        write_json(&visits, path);
    }
    let broken = machine.violations();
    if !broken.is_empty() {
        return Err(anyhow!("the driver broke the contract: {}", broken.join("; ")).into());
    }
    match visits.iter().find(|visit| visit.ending != Ending::Finished) {
        None => Ok(()),
        Some(visit) => Err(Failure::Failed(visit.message.clone())),
    }
}
