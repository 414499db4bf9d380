//! The target's side: one VM comes, runs on and finishes.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::ops::ControlFlow;

use dxgksim::dxgkrnl::Adapter;
use dxgksim::host::{Mutex, Thread, sleep};
use dxgksim::vgpu::Vgpu;
use gpup_scene::{Problem, finish};
use live_migration::pages::list::Unpacker;
use live_migration::wire::channel::LinkError;
use live_migration::wire::frame::{Framed, Kind};
use live_migration::wire::message::{GuestOutcome, Hello};
use live_migration::{Arrived, Desk, Event, Held, Target, Visitor};

use super::Plan;
use super::pipe::Door;

/// A visit under way, on a thread of its own.
pub(super) struct Visit {
    thread: Thread,
    result: Arc<Mutex<Result<(), Problem>>>,
}

impl Visit {
    /// Waits at `door` for a VM to run on `adapter`.
    pub(super) fn start(adapter: &Arc<Adapter>, door: &Arc<Door>, plan: &Plan) -> Result<Self, Problem> {
        let result = Arc::new(Mutex::new(Ok(())));
        let (adapter, door, plan, theirs) = (adapter.clone(), door.clone(), plan.clone(), result.clone());
        let body = move || {
            let ended = receive(&adapter, &door, &plan);
            door.close();
            *theirs.lock() = ended;
        };
        let thread =
            Thread::spawn("target", body).ok_or_else(|| Problem("no thread for the target".into()))?;
        Ok(Self { thread, result })
    }

    /// Waits for the end, and says how it was.
    pub(super) fn end(self) -> Result<(), Problem> {
        drop(self.thread);
        self.result.lock().clone()
    }
}

fn problem(error: impl ToString) -> Problem {
    Problem(error.to_string())
}

fn receive(adapter: &Arc<Adapter>, door: &Door, plan: &Plan) -> Result<(), Problem> {
    let first = door.answer().map_err(problem)?;
    let Visitor::Source(control, hello) = Visitor::greet(Box::new(first)).map_err(problem)? else {
        return Err(Problem("the first connection is no source's".into()));
    };
    let target = Target { loader: Arc::new(gpup_guest::Loader), unpacker: Arc::new(Unpacked) };
    let mut observer = |_: Event| ControlFlow::Continue(());
    match target
        .receive(control, hello, &mut Reception { adapter, door, plan }, &mut observer)
        .map_err(problem)?
    {
        Arrived::Running(held, control) => let_finish(held, control, plan.cool_down_ns),
        // A pipe loses nothing: a source that closed it has not said Commit, and keeps its VM.
        Arrived::InDoubt(held) => held.discard().map_err(problem),
    }
}

/// The VM works on for a while, then it is made to finish; the source learns the outcome.
fn let_finish(held: Held, mut control: Framed, cool_down_ns: u64) -> Result<(), Problem> {
    sleep(cool_down_ns);
    let outcome = match finish(&held.vm, None) {
        Ok(outcome) => GuestOutcome { steps: outcome.steps, result: Ok(outcome.result) },
        Err(problem) => GuestOutcome { steps: 0, result: Err(problem.0) },
    };
    held.vm.stop();
    let gone = held.vgpu.destroy().map_err(problem);
    control.send_message(Kind::Outcome, &outcome).map_err(problem)?;
    control.expect(Kind::End).map_err(problem)?;
    gone
}

/// What the visitor finds at this target.
struct Reception<'a> {
    adapter: &'a Arc<Adapter>,
    door: &'a Door,
    plan: &'a Plan,
}

impl Desk for Reception<'_> {
    fn make_vgpu(&mut self, hello: &Hello) -> Result<Arc<Vgpu>, String> {
        let free = (0..self.adapter.partition_count()).find(|vf| !self.adapter.has_vgpu(*vf));
        let vf = free.ok_or("the target has no VF free")?;
        self.adapter.create_vgpu(vf, &self.plan.vgpu(hello.vf_bytes)).map_err(|error| error.to_string())
    }

    fn accept_stream(&mut self, migration: u128) -> Result<Framed, LinkError> {
        match Visitor::greet(Box::new(self.door.answer()?)) {
            Ok(Visitor::Stream(link, wanted)) if wanted == migration => Ok(link),
            _ => Err(LinkError::Closed),
        }
    }
}

/// The source packs nothing, so there is nothing to unpack.
struct Unpacked;

impl Unpacker for Unpacked {
    fn unpack(&self, _id: u8, _packed: &[u8], _out: &mut [u8]) -> bool {
        false
    }
}
