//! The target's side: one VM comes, runs on and finishes.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use dxgksim::dxgkrnl::Adapter;
use dxgksim::host::{Mutex, Thread, now, sleep};
use dxgksim::vgpu::Vgpu;
use gpup_scene::{Problem, finish};
use live_migration::handover::Identity;
use live_migration::pages::list::Unpacker;
use live_migration::wire::frame::Kind;
use live_migration::wire::framed::Framed;
use live_migration::wire::message::{GuestOutcome, Hello};
use live_migration::{Desk, Equipment, Event, Held, Observer, Target, Visit as Arrival};

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

fn receive(adapter: &Arc<Adapter>, door: &Arc<Door>, plan: &Plan) -> Result<(), Problem> {
    let first = door.answer().map_err(problem)?;
    let equipment = Equipment::new(Arc::new(gpup_guest::Loader), Arc::new(Unpacked));
    let target = Arc::new(Target::new(Identity(u128::from(now())), equipment));
    let _others = serve_others(&target, door)?;
    let visit = target.welcome(Box::new(first), &mut Reception { of: Some((adapter, plan)) });
    let ended = match visit {
        Arrival::Running(held, control) | Arrival::Settled(held, control) => {
            let_finish(held, control, plan.cool_down_ns)
        }
        Arrival::Discarded(_, error) | Arrival::TurnedAway(error) => Err(problem(error)),
        // A pipe loses nothing: a source that closed it has not said Commit, and keeps its VM.
        Arrival::InDoubt(_) => {
            target.give_up_doubts();
            Ok(())
        }
        _ => Err(Problem("the first connection is no source's".into())),
    };
    door.close();
    ended
}

/// Serves the connections behind the first, each on a thread of its own, until the door is closed.
fn serve_others(target: &Arc<Target>, door: &Arc<Door>) -> Result<Thread, Problem> {
    let (target, door) = (target.clone(), door.clone());
    let body = move || {
        let mut visitors = Vec::new();
        while let Ok(end) = door.answer() {
            let target = target.clone();
            visitors.extend(Thread::spawn("visitor", move || {
                drop(target.welcome(Box::new(end), &mut Reception { of: None }));
            }));
        }
    };
    Thread::spawn("door", body).ok_or_else(|| Problem("no thread for the target".into()))
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

/// What the visitor finds at this target: an adapter, or none for whoever comes behind the first.
struct Reception<'a> {
    of: Option<(&'a Arc<Adapter>, &'a Plan)>,
}

impl Observer for Reception<'_> {
    fn event(&mut self, _event: Event) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl Desk for Reception<'_> {
    fn make_vgpu(&mut self, hello: &Hello) -> Result<Arc<Vgpu>, String> {
        let (adapter, plan) = self.of.ok_or("this target takes one VM")?;
        let free = (0..adapter.partition_count()).find(|vf| !adapter.has_vgpu(*vf));
        let vf = free.ok_or("the target has no VF free")?;
        adapter.create_vgpu(vf, &plan.vgpu(hello.vf_bytes)).map_err(|error| error.to_string())
    }
}

/// The source packs nothing, so there is nothing to unpack.
struct Unpacked;

impl Unpacker for Unpacked {
    fn unpack(&self, _id: u8, _packed: &[u8], _out: &mut [u8]) -> bool {
        false
    }
}
