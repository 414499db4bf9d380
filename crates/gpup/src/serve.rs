//! The target's side: a listener that takes VMs in, answers sources in doubt, and lets guests finish.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use dxgksim::agent::channel::LinkError;
use dxgksim::agent::frame::{Framed, Kind};
use dxgksim::agent::message::{GuestOutcome, Hello, Resolution, Resolve};
use dxgksim::agent::{Arrived, Desk, Error, Event, Held, Target, Visitor};
use dxgksim::vgpu::Vgpu;
use serde::Serialize;

use crate::tcp::{PATIENCE, Tcp};
use crate::units::Bytes;
use crate::world::{Machine, finish};

/// What a target does.
#[derive(Clone)]
pub struct ServeOptions {
    /// How long a VM works on after it arrived.
    pub cool_down: Duration,
    /// SetVirtualFunctionPauseState is used on this host.
    pub pause_vf: bool,
    /// Say nothing.
    pub quiet: bool,
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
    /// What came was discarded.
    Discarded,
    /// The VM's guest failed here.
    GuestFailed,
}

/// Where a migration stands on this side.
enum Entry {
    /// Its agent is at work.
    UnderWay(Sender<Framed>),
    /// Ready, and the wire was cut.
    InDoubt(Box<Held>),
    /// Runs, or has run, here.
    Running,
    /// Nothing of it is left.
    Discarded,
}

/// A target that serves.
pub struct Server {
    listener: TcpListener,
    shared: Arc<Shared>,
}

struct Shared {
    machine: Arc<Machine>,
    target: Target,
    options: ServeOptions,
    entries: Mutex<HashMap<u128, Entry>>,
    changed: Condvar,
    visits: Mutex<Vec<Visit>>,
}

impl Server {
    /// Listens on `address` for VMs to run on `machine`.
    pub fn bind(address: SocketAddr, machine: Arc<Machine>, options: ServeOptions) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)
            .with_context(|| format!("cannot listen on {address}: choose another address with --listen"))?;
        let target = Target {
            loader: Arc::new(gpup_guest::Loader),
            unpacker: Arc::new(crate::pack::AnyUnpacker),
            pause_vf: options.pause_vf,
        };
        let shared = Shared {
            machine,
            target,
            options,
            entries: Mutex::default(),
            changed: Condvar::new(),
            visits: Mutex::default(),
        };
        Ok(Self { listener, shared: Arc::new(shared) })
    }

    /// The address it listens on.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Serves until `visits` visits have ended; for ever when `None`.
    pub fn run(&self, visits: Option<u32>) -> anyhow::Result<Vec<Visit>> {
        let shared = self.shared.clone();
        let listener = self.listener.try_clone()?;
        std::thread::Builder::new().name("listener".into()).spawn(move || {
            for stream in listener.incoming() {
                match stream {
                    Ok(stream) => shared.welcome(stream),
                    Err(error) => shared.say(&format!("a connection failed: {error}")),
                }
            }
        })?;
        let mut ended = self.shared.visits.lock().unwrap_or_else(PoisonError::into_inner);
        while visits.is_none_or(|visits| (ended.len() as u32) < visits) {
            ended = self.shared.changed.wait(ended).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(ended.clone())
    }
}

impl Shared {
    fn say(&self, text: &str) {
        if !self.options.quiet {
            eprintln!("target: {text}");
        }
    }

    /// Each connection has a thread of its own.
    fn welcome(self: &Arc<Self>, stream: TcpStream) {
        let shared = self.clone();
        let work = move || match Tcp::over(stream).map_err(anyhow::Error::from).and_then(|tcp| {
            Visitor::greet(Box::new(tcp)).map_err(anyhow::Error::from)
        }) {
            Ok(Visitor::Source(control, hello)) => shared.visit(control, hello),
            Ok(Visitor::Stream(link, migration)) => shared.route(link, migration),
            Ok(Visitor::Resolve(link, question)) => shared.resolve(link, question),
            Err(error) => shared.say(&format!("a visitor was turned away: {error}")),
        };
        if std::thread::Builder::new().name("visitor".into()).spawn(work).is_err() {
            self.say("no thread for a visitor: it was turned away");
        }
    }

    fn set(&self, migration: u128, entry: Entry) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).insert(migration, entry);
        self.changed.notify_all();
    }

    /// Hands a data connection to its migration.
    fn route(&self, link: Framed, migration: u128) {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        match entries.get(&migration) {
            Some(Entry::UnderWay(streams)) if streams.send(link).is_ok() => {}
            _ => self.say("a data connection of no migration under way was turned away"),
        }
    }

    fn visit(&self, mut control: Framed, hello: Hello) {
        let migration = hello.migration;
        let (sender, streams) = channel();
        {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            if entries.contains_key(&migration) {
                let _ = control.send_message(Kind::Abort, &"this migration is known already");
                return;
            }
            entries.insert(migration, Entry::UnderWay(sender));
        }
        self.say(&format!("a VM with {} of VRAM ({}) asks to come", Bytes(hello.vf_bytes), hello.workload));
        let mut desk = ServeDesk { shared: self, streams };
        let mut observer = |event: Event| {
            if let Event::Enter(phase) = event {
                self.say(&format!("{phase}"));
            }
            ControlFlow::Continue(())
        };
        match self.target.receive(control, hello, &mut desk, &mut observer) {
            Ok(Arrived::Running(held, control)) => {
                self.set(migration, Entry::Running);
                self.let_finish(held, control);
            }
            Ok(Arrived::InDoubt(held)) => {
                self.say(&format!(
                    "in doubt: the connection was cut while ownership passed (migration {migration:032x}); \
                     the VM stands ready until the source asks again"
                ));
                self.set(migration, Entry::InDoubt(Box::new(held)));
            }
            Err(error) => {
                self.set(migration, Entry::Discarded);
                self.end(migration, Ending::Discarded, format!("what came was discarded: {error}"), None);
            }
        }
    }

    /// The VM works on for a while, then it is made to finish; the source learns the outcome.
    fn let_finish(&self, held: Held, mut control: Framed) {
        let migration = held.hello.migration;
        self.say("the VM runs here");
        std::thread::sleep(self.options.cool_down);
        let outcome = finish(&held.vm, None);
        let (ending, message, steps) = match &outcome {
            Ok(outcome) => {
                (Ending::Finished, format!("the guest finished after {} steps", outcome.steps), Some(outcome.steps))
            }
            Err(error) => (Ending::GuestFailed, error.to_string(), None),
        };
        let outcome = match outcome {
            Ok(outcome) => GuestOutcome { steps: outcome.steps, result: Ok(outcome.result) },
            Err(error) => GuestOutcome { steps: 0, result: Err(error.to_string()) },
        };
        held.vm.stop();
        let gone = held.vgpu.destroy();
        if let Err(error) = control.send_message(Kind::Outcome, &outcome) {
            self.say(&format!("the source could not be told the outcome: {error}"));
        }
        let message = match gone {
            Ok(()) => message,
            Err(error) => format!("{message}; its VF cannot be destroyed: {error}"),
        };
        self.end(migration, ending, message, steps);
    }

    fn end(&self, migration: u128, ending: Ending, message: String, guest_steps: Option<u64>) {
        self.say(&message);
        let visit = Visit { migration: format!("{migration:032x}"), ending, message, guest_steps };
        self.visits.lock().unwrap_or_else(PoisonError::into_inner).push(visit);
        self.changed.notify_all();
    }

    /// What became of a migration, once its agent is through with it.
    fn settled(&self, migration: u128) -> Resolution {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.entries.lock().unwrap_or_else(PoisonError::into_inner).get(&migration) {
                Some(Entry::UnderWay(_)) if Instant::now() < deadline => {}
                Some(Entry::UnderWay(_) | Entry::Discarded) | None => return Resolution::Unknown,
                Some(Entry::InDoubt(_)) => return Resolution::Ready,
                Some(Entry::Running) => return Resolution::Running,
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn take_held(&self, migration: u128, then: Entry) -> Option<Held> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        match entries.get(&migration) {
            Some(Entry::InDoubt(_)) => match entries.insert(migration, then) {
                Some(Entry::InDoubt(held)) => Some(*held),
                _ => None,
            },
            _ => None,
        }
    }

    /// Answers a source in doubt, and does what it then says.
    fn resolve(&self, mut link: Framed, question: Resolve) {
        let result = match question {
            Resolve::Ask(migration) => {
                let resolution = self.settled(migration);
                let sent = link.send_message(Kind::Resolution, &resolution);
                match (sent, resolution) {
                    (Ok(()), Resolution::Ready) => match link.expect_message(Kind::Resolve) {
                        Ok(decision) => return self.decide(link, decision),
                        Err(error) => Err(error),
                    },
                    (sent, _) => sent,
                }
            }
            decision => return self.decide(link, decision),
        };
        if let Err(error) = result {
            self.say(&format!("a source in doubt went away again: {error}"));
        }
    }

    fn decide(&self, mut link: Framed, decision: Resolve) {
        match decision {
            Resolve::Commit(migration) => {
                let Some(mut held) = self.take_held(migration, Entry::Running) else {
                    let _ = link.send_message(Kind::Resolution, &self.settled(migration));
                    return;
                };
                if let Err(error) = held.run() {
                    let _ = link.send_message(Kind::Resolution, &Resolution::Unknown);
                    self.end(migration, Ending::Discarded, error.to_string(), None);
                    return;
                }
                self.say("the source has settled it");
                if let Err(error) = link.send_message(Kind::Resolution, &Resolution::Running) {
                    self.say(&format!("the source went away again: {error}"));
                }
                self.let_finish(held, link);
            }
            Resolve::Discard(migration) => {
                let discarded = self.take_held(migration, Entry::Discarded).map(Held::discard);
                let _ = link.send_message(Kind::Resolution, &Resolution::Unknown);
                let message = match discarded {
                    None => return,
                    Some(Ok(())) => "the source took the VM back: what came was discarded".into(),
                    Some(Err(error)) => format!("what came could not be discarded: {error}"),
                };
                self.end(migration, Ending::Discarded, message, None);
            }
            Resolve::Ask(_) => {
                let _: Result<(), Error> = link.send_message(Kind::Abort, &"asked twice");
            }
        }
    }
}

/// What one migration finds at this target.
struct ServeDesk<'a> {
    shared: &'a Shared,
    streams: Receiver<Framed>,
}

impl Desk for ServeDesk<'_> {
    fn make_vgpu(&mut self, hello: &Hello) -> Result<Arc<Vgpu>, String> {
        let machine = &self.shared.machine;
        machine.create_any_vf(hello.vf_bytes).map_err(|error: anyhow::Error| anyhow!("{error:#}").to_string())
    }

    fn accept_stream(&mut self, _migration: u128) -> Result<Framed, LinkError> {
        self.streams.recv_timeout(PATIENCE).map_err(|_| LinkError::TimedOut)
    }
}

/// `gpup serve`
pub fn run(args: &crate::args::Serve) -> Result<(), crate::exit::Failure> {
    let address = crate::tcp::resolve(&args.listen).map_err(crate::exit::Failure::usage)?;
    let machine = Arc::new(Machine::start(&args.host)?);
    let options = ServeOptions {
        cool_down: args.cool_down.0,
        pause_vf: args.pause_ddi.is_on(),
        quiet: args.output.quiet,
    };
    let server = Server::bind(address, machine.clone(), options)?;
    // Standard output, so that a script can wait for it and read the port.
    println!("listening on {}", server.address()?);
    let visits = server.run(args.visits)?;
    if let Some(path) = &args.output.json {
        crate::report::write_json(&visits, path)?;
    }
    let broken = machine.violations();
    if !broken.is_empty() {
        return Err(anyhow!("the driver broke the contract: {}", broken.join("; ")).into());
    }
    match visits.iter().find(|visit| visit.ending != Ending::Finished) {
        None => Ok(()),
        Some(visit) => Err(crate::exit::Failure::Failed(visit.message.clone())),
    }
}
