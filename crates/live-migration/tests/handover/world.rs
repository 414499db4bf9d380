//! The world that the model explores: processes, what is on the wires between them, and a file.

use live_migration::handover::source::{self, Source};
use live_migration::handover::target::{self, Target};
use live_migration::handover::{Identity, Standing};

use crate::wire::{Pipe, ToSource, ToTarget};

/// Migrations of the VM that the source tries, one after another, each under a name of its own.
pub(crate) const ATTEMPTS: usize = 2;
/// Target hosts. The first attempt goes to the first.
pub(crate) const HOSTS: usize = 2;
/// Some other process that is found at the target's address.
pub(crate) const IMPOSTOR: Identity = Identity(99);

/// Everything there is at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) source: Process,
    /// Processes that restore the file: one, unless the operator is careless.
    pub(crate) restores: Vec<Process>,
    pub(crate) file: Option<Saved>,
    pub(crate) attempts: [Attempt; ATTEMPTS],
    /// Target hosts whose first process has crashed: another answers there.
    pub(crate) crashed: [bool; HOSTS],
    /// Words of connections on which nobody waits any longer, sorted. Each may arrive at any time, or never.
    pub(crate) strays: Vec<(usize, Word)>,
    /// Processes that have crashed so far.
    pub(crate) crashes: u8,
    /// A rule that the last move broke.
    pub(crate) wrong: Option<Wrong>,
}

/// A process that holds the VM on the source's side: the source, or a restore of its file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Process {
    pub(crate) machine: Source,
    pub(crate) attempt: usize,
    pub(crate) vm: Vm,
    pub(crate) doing: Doing,
}

/// The VM in such a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Vm {
    Runs,
    Still,
    Gone,
}

/// What such a process waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Doing {
    /// Words on the connection that the migration came over.
    AtControl,
    /// The next try to ask.
    ToAsk,
    /// The answer to a question.
    Asking(Call),
    /// The file to be whole.
    Saving,
    /// Nothing: the file is durable, and the machine is about to hear it.
    Written,
    /// Nothing any more.
    Over,
    /// It has crashed.
    Dead,
}

/// What is said on a connection of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Word {
    Ask,
    Run,
    Discard,
}

/// A connection of its own, on which somebody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    InTheAir(Word),
    /// The target is setting the VM going and will tell.
    BeingDone,
    Answered(Identity, Standing),
}

/// A VM in a file, for whoever restores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Saved {
    pub(crate) attempt: usize,
    pub(crate) target: Identity,
}

/// One migration: its connection, and what the target has of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Attempt {
    pub(crate) host: usize,
    /// None: the target's process never heard of it.
    pub(crate) arriving: Option<Arriving>,
    pub(crate) to_target: Pipe<ToTarget>,
    pub(crate) to_source: Pipe<ToSource>,
    /// The target has run it.
    pub(crate) ran: bool,
}

/// A VM in a target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Arriving {
    pub(crate) machine: Target,
    /// Of the process.
    pub(crate) identity: Identity,
    /// Its agent has been asked to let go of the control connection.
    pub(crate) interrupted: bool,
}

/// What no move may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wrong {
    /// The source let go of a VM that no target has run and no file holds.
    LeftTooEarly,
    /// The target discarded a VM that stood ready though nobody asked and nothing failed.
    DiscardedUnasked,
    /// The last copy went without a crash.
    Vanished,
}

impl World {
    /// The first attempt's Hello is on its way.
    pub(crate) fn new() -> Self {
        let nothing =
            Attempt { host: 0, arriving: None, to_target: Pipe::shut(), to_source: Pipe::shut(), ran: false };
        let mut world = Self {
            source: Process { machine: Source::new(), attempt: 0, vm: Vm::Runs, doing: Doing::AtControl },
            restores: Vec::new(),
            file: None,
            attempts: [nothing.clone(), nothing],
            crashed: [false; HOSTS],
            strays: Vec::new(),
            crashes: 0,
            wrong: None,
        };
        world.begin(0, 0);
        world
    }

    /// The source opens the connection of `attempt` to whoever is at `host`.
    pub(crate) fn begin(&mut self, attempt: usize, host: usize) {
        self.source = Process { machine: Source::new(), attempt, vm: Vm::Runs, doing: Doing::AtControl };
        let begun = &mut self.attempts[attempt];
        begun.host = host;
        begun.to_target = Pipe::open(ToTarget::Hello);
        begun.to_source = Pipe::new();
    }

    /// Who answers at `host`.
    pub(crate) fn identity(&self, host: usize) -> Identity {
        Identity(host as u128 + if self.crashed[host] { 11 } else { 1 })
    }

    /// How many run the VM. One that is being set going counts: it may run any moment.
    pub(crate) fn running(&self) -> usize {
        let here = usize::from(self.source.vm == Vm::Runs);
        let there = self.attempts.iter().filter(|attempt| attempt.runs()).count();
        let restored = self.restores.iter().filter(|restore| restore.vm == Vm::Runs).count();
        here + there + restored
    }

    /// Whether somebody holds a whole copy that may yet be the one that runs.
    pub(crate) fn is_held(&self) -> bool {
        self.source.vm != Vm::Gone
            || self.file.is_some()
            || self.restores.iter().any(|restore| restore.vm == Vm::Runs)
            || (0..ATTEMPTS).any(|attempt| {
                self.attempts[attempt].runs() || self.stands_ready(attempt) && !self.is_stale(attempt)
            })
    }

    /// The target holds the VM, whole and still.
    pub(crate) fn stands_ready(&self, attempt: usize) -> bool {
        matches!(self.attempts[attempt].state(), Some(target::State::Ready | target::State::InDoubt))
    }

    /// The source took the VM back from this attempt: what came of it is older than the VM.
    pub(crate) fn is_stale(&self, attempt: usize) -> bool {
        self.source.attempt > attempt
            || self.source.attempt == attempt && self.source.machine.state == source::State::Here
    }

    /// Nothing of the VM is left in the source's process.
    pub(crate) fn source_is_gone(&self) -> bool {
        self.source.vm == Vm::Gone
    }

    /// The VM ran on a target that has crashed since.
    pub(crate) fn died_with_its_target(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.ran && attempt.arriving.is_none())
    }
}

impl Attempt {
    /// How the VM stands at the target, if it has heard of it.
    pub(crate) fn state(&self) -> Option<target::State> {
        self.arriving.as_ref().map(|arriving| arriving.machine.state)
    }

    fn runs(&self) -> bool {
        matches!(self.state(), Some(target::State::Starting | target::State::Running))
    }
}

impl Process {
    /// The question it waits on.
    pub(crate) fn call(&self) -> Option<Call> {
        match self.doing {
            Doing::Asking(call) => Some(call),
            _ => None,
        }
    }
}
