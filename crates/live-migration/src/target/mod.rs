//! The target's side: takes VMs in, or discards what came, and answers whoever asks what became of them.
//!
//! Whatever process or kernel serves gives each connection to [`Target::welcome`], on a thread of its own, and learns
//! from the [`Visit`] what came of it.

mod held;
mod receive;
mod register;
mod resolve;
mod stream;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::AtomicBool;

use dxgksim::guest::GuestLoader;
use dxgksim::vgpu::Vgpu;

pub use held::Held;

use crate::error::Error;
use crate::event::Observer;
use crate::handover::Identity;
use crate::handover::target::State;
use crate::pages::list::Unpacker;
use crate::wire::channel::{Channel, LinkError};
use crate::wire::frame::Kind;
use crate::wire::framed::Framed;
use crate::wire::message::{Hello, Resolve};
use crate::wire::talk::decode;
use crate::wire::vigil::{Clock, HostClock, SILENCE_S, Vigil};
use register::Register;

/// What the target's host provides for one visitor. It is told the events of the migration that begins, if one does.
pub trait Desk: Observer {
    /// Makes a VF for what `hello` describes, or says why not.
    fn make_vgpu(&mut self, hello: &Hello) -> Result<Arc<Vgpu>, String>;
}

/// What a target is made of.
pub struct Equipment {
    /// Makes guests of their saved state.
    pub loader: Arc<dyn GuestLoader>,
    /// Unpacks batches.
    pub unpacker: Arc<dyn Unpacker>,
    /// What all waits go by.
    pub clock: Arc<dyn Clock>,
    /// How long a source that says nothing at all is waited for, in seconds.
    pub silence_s: u64,
}

impl Equipment {
    /// The usual clock and patience.
    pub fn new(loader: Arc<dyn GuestLoader>, unpacker: Arc<dyn Unpacker>) -> Self {
        Self { loader, unpacker, clock: Arc::new(HostClock), silence_s: SILENCE_S }
    }
}

/// Takes VMs in.
pub struct Target {
    identity: Identity,
    equipment: Equipment,
    register: Register<Held>,
}

/// What came of a connection.
pub enum Visit {
    /// A VM came and runs here; its outcome is to be sent on the connection.
    Running(Held, Framed),
    /// A VM that was in doubt is told to run here, and runs; its outcome is to be sent on the connection.
    Settled(Held, Framed),
    /// A VM stands ready, in doubt, until somebody asks.
    InDoubt(u128),
    /// What came was discarded.
    Discarded(u128, Error),
    /// A VM in doubt was discarded, as somebody asked for; whether its VF could be taken down.
    LetGo(u128, Result<(), Error>),
    /// The source only asked whether the VM could come, and it can.
    OnlyAsked(u128),
    /// Somebody asked about a VM that runs here, and waits for its outcome.
    Waiting(u128, Framed),
    /// A question was answered.
    Answered,
    /// A data connection was handed to its migration.
    Stream,
    /// Whoever came was turned away.
    TurnedAway(Error),
    /// Whoever came went away without a word.
    Silent,
}

impl Target {
    /// A target that nobody has met yet. `identity` is made up at random.
    pub fn new(identity: Identity, equipment: Equipment) -> Self {
        Self { identity, equipment, register: Register::new() }
    }

    /// Who it is.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Serves one connection to its end.
    pub fn welcome(&self, channel: Box<dyn Channel>, desk: &mut dyn Desk) -> Visit {
        let mut link = Framed::new(channel, self.vigil(Arc::default()));
        match greet(&mut link) {
            Ok(Greeting::Hello(hello)) => self.receive(link, hello, desk),
            Ok(Greeting::Stream(migration)) => match self.register.route(link, migration) {
                Ok(()) => Visit::Stream,
                Err(link) => turn_away(link, Error::Protocol("a data connection of no migration under way")),
            },
            Ok(Greeting::Resolve(resolve)) => self.resolve(link, resolve),
            // Somebody only looked whether there is a listener.
            Err(error) if link.received() == 0 && error == LinkError::Closed.into() => Visit::Silent,
            Err(error) => turn_away(link, error),
        }
    }

    /// Makes agents that wait for a source let go of their connections: what is still coming in is discarded, what
    /// stands ready is in doubt.
    pub fn interrupt(&self) {
        self.register.interrupt();
    }

    /// How each migration that came here stands.
    pub fn states(&self) -> Vec<(u128, State)> {
        self.register.states()
    }

    /// Gives up the VMs in doubt: nobody can settle them any more. Their number.
    pub fn give_up_doubts(&self) -> usize {
        let held = self.register.give_up();
        let count = held.len();
        held.into_iter().for_each(|held| drop(held.discard()));
        count
    }

    fn vigil(&self, cancel: Arc<AtomicBool>) -> Arc<Vigil> {
        Vigil::new(self.equipment.clock.clone(), cancel, self.equipment.silence_s)
    }
}

/// What a connection is for.
enum Greeting {
    /// A source that wants to move a VM here.
    Hello(Hello),
    /// A data stream of a migration.
    Stream(u128),
    /// A question.
    Resolve(Resolve),
}

fn greet(link: &mut Framed) -> Result<Greeting, Error> {
    match link.receive()? {
        (Kind::Hello, payload) => Ok(Greeting::Hello(decode(&payload)?)),
        (Kind::Stream, payload) => Ok(Greeting::Stream(decode(&payload)?)),
        (Kind::Resolve, payload) => Ok(Greeting::Resolve(decode(&payload)?)),
        (found, _) => Err(Error::Unexpected { expected: Kind::Hello, found }),
    }
}

fn turn_away(link: Framed, error: Error) -> Visit {
    link.give_up(&error.to_string());
    Visit::TurnedAway(error)
}
