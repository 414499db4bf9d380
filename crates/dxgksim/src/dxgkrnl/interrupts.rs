//! Interrupts of one adapter: SynchronizeExecution, NotifyInterrupt, the DPC, and who waits for fences.
//!
//! Microsoft's pages: "DXGKCB_SYNCHRONIZE_EXECUTION", "DXGKCB_NOTIFY_INTERRUPT", "DXGKCB_QUEUE_DPC" and
//! "DXGKCB_NOTIFY_DPC". The line is a lock: its holder runs at DIRQL. The DPC runs on a thread of its own. Without a
//! connected interrupt SynchronizeExecution fails; what the driver does instead to reach DIRQL cannot be seen from
//! here, so only reentrancy is checked then.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use wddm::{DXGKARG_SUBMITCOMMANDVIRTUAL, NTSTATUS, STATUS_DEVICE_REMOVED};

use super::Core;
use super::packets::Packets;
use crate::contract::{Aborted, Contract, FenceState, Fences, Irql, Rule, calls, current, raised, rules};
use crate::host::{Event, Mutex, Patience, SECOND, Thread, host};

/// What the routine under SynchronizeExecution has done so far.
#[derive(Clone, Copy, Default)]
struct Inside {
    notified: bool,
    queued: bool,
}

struct Waiter {
    node: u32,
    fence: u32,
    event: Arc<Event>,
}

#[derive(Default)]
struct State {
    nodes: Vec<Fences>,
    packets: Vec<Packets>,
    waiters: Vec<Waiter>,
    /// The device is gone: what is not completed by now never will be.
    removed: bool,
}

impl State {
    /// Wakes who waits for a fence of which something became.
    fn wake(&mut self) {
        let nodes = &self.nodes;
        self.waiters.retain(|waiter| {
            let pending = nodes[waiter.node as usize].state(waiter.fence) == FenceState::Pending;
            if !pending {
                waiter.event.signal();
            }
            pending
        });
    }

    /// Gives a submission the fence that `take` takes, and keeps it.
    fn take_fence(
        &mut self,
        node: u32,
        args: &mut DXGKARG_SUBMITCOMMANDVIRTUAL,
        take: fn(&mut Fences) -> u32,
    ) -> u32 {
        let fences = &mut self.nodes[node as usize];
        args.SubmissionFenceId = take(fences);
        self.packets[node as usize].note(args, fences.reported());
        args.SubmissionFenceId
    }
}

/// The interrupts of one adapter.
pub(crate) struct Interrupts {
    connected: bool,
    line: AtomicUsize,
    inside: Mutex<Inside>,
    notifying: AtomicBool,
    /// NotifyInterrupt was called without the line, or without QueueDpc: when that comes cannot be told.
    loose: AtomicBool,
    state: Mutex<State>,
    dpc_queued: AtomicBool,
    dpc: Event,
    stop: AtomicBool,
    thread: Mutex<Option<Thread>>,
}

impl Interrupts {
    pub(crate) fn new(connected: bool) -> Self {
        Self {
            connected,
            line: AtomicUsize::new(0),
            inside: Mutex::new(Inside::default()),
            notifying: AtomicBool::new(false),
            loose: AtomicBool::new(false),
            state: Mutex::new(State::default()),
            dpc_queued: AtomicBool::new(false),
            dpc: Event::new(),
            stop: AtomicBool::new(false),
            thread: Mutex::new(None),
        }
    }

    /// Starts the DPC's thread; false when there is none to be had.
    pub(crate) fn start(core: &Arc<Core>) -> bool {
        let theirs = Arc::clone(core);
        let thread = Thread::spawn("dpc", move || theirs.interrupts.dpc_loop(&theirs));
        let started = thread.is_some();
        *core.interrupts.thread.lock() = thread;
        started
    }

    /// Ends the DPC's thread.
    pub(crate) fn end(&self) {
        self.stop.store(true, Ordering::Release);
        self.dpc.signal();
        let thread = self.thread.lock().take();
        drop(thread);
    }

    pub(crate) fn set_nodes(&self, nodes: usize) {
        let mut state = self.state.lock();
        state.nodes.resize_with(nodes, Fences::default);
        state.packets.resize_with(nodes, Packets::default);
    }

    /// Runs `routine` at DIRQL, holding the line; `None` without a connected interrupt.
    pub(crate) fn synchronize(&self, contract: &Contract, routine: impl FnOnce() -> u8) -> Option<u8> {
        if !self.connected {
            return None;
        }
        host().lock(&self.line);
        *self.inside.lock() = Inside::default();
        let result = {
            let _level = raised(Irql::Device);
            routine()
        };
        let inside = *self.inside.lock();
        let complete = !inside.notified || inside.queued;
        if !complete {
            self.loose.store(true, Ordering::Release);
        }
        contract.require(
            complete,
            &rules::QUEUE_DPC,
            format_args!("the routine called NotifyInterrupt and left without QueueDpc"),
        );
        host().unlock(&self.line);
        Some(result)
    }

    /// NotifyInterrupt: `report` tells what is done with the nodes' fences.
    pub(crate) fn notify(&self, contract: &Contract, report: impl FnOnce(&mut [Fences])) {
        let level = current();
        contract.require(
            level == Irql::Device || !self.connected,
            &rules::NOTIFY_INTERRUPT_IRQL,
            format_args!("NotifyInterrupt was called at {level}"),
        );
        if level != Irql::Device {
            self.loose.store(true, Ordering::Release);
        }
        let reentered = self.notifying.swap(true, Ordering::AcqRel);
        contract.require(!reentered, &rules::NOTIFY_REENTRANT, format_args!("two calls at once"));
        report(&mut self.state.lock().nodes);
        if level == Irql::Device {
            self.inside.lock().notified = true;
        }
        self.notifying.store(false, Ordering::Release);
    }

    /// QueueDpc: whether the DPC was not queued already.
    pub(crate) fn queue_dpc(&self) -> bool {
        if current() == Irql::Device {
            self.inside.lock().queued = true;
        }
        let fresh = !self.dpc_queued.swap(true, Ordering::AcqRel);
        if fresh {
            self.dpc.signal();
        }
        fresh
    }

    /// NotifyDpc: what was reported counts, and who waits for it goes on.
    pub(crate) fn notify_dpc(&self, contract: &Contract) {
        let level = current();
        contract.require(
            level == Irql::Dispatch,
            &rules::NOTIFY_DPC,
            format_args!("NotifyDpc was called at {level}"),
        );
        let mut state = self.state.lock();
        state.nodes.iter_mut().for_each(Fences::settle);
        state.wake();
    }

    fn dpc_loop(&self, core: &Core) {
        while !self.stop.load(Ordering::Acquire) {
            self.dpc.wait(SECOND);
            while self.dpc_queued.swap(false, Ordering::AcqRel) {
                core.dpc_routine();
                self.check_settled(&core.contract);
            }
        }
    }

    /// After a DPC nothing may be reported and not settled, unless another DPC is queued for it.
    fn check_settled(&self, contract: &Contract) {
        // With the line held, no routine stands between its NotifyInterrupt and its QueueDpc.
        host().lock(&self.line);
        let unsettled = self.state.lock().nodes.iter().any(Fences::is_unsettled);
        let queued = self.dpc_queued.load(Ordering::Acquire) || self.loose.load(Ordering::Acquire);
        host().unlock(&self.line);
        contract.require(
            !unsettled || queued,
            &rules::NOTIFY_DPC,
            format_args!("{} returned without NotifyDpc for a reported fence", calls::DPC_ROUTINE.name),
        );
    }

    /// The device is gone: whoever waits for a fence goes on, and nothing is submitted any more.
    pub(crate) fn device_removed(&self) {
        let mut state = self.state.lock();
        state.removed = true;
        state.waiters.iter().for_each(|waiter| waiter.event.signal());
    }

    /// Whether the device is gone.
    pub(crate) fn is_removed(&self) -> bool {
        self.state.lock().removed
    }

    /// Takes the next fence of a node and submits under it: in one step, so that fences reach the driver in order.
    pub(crate) fn submit(
        &self,
        node: u32,
        args: &mut DXGKARG_SUBMITCOMMANDVIRTUAL,
        submit: impl FnOnce(&mut DXGKARG_SUBMITCOMMANDVIRTUAL) -> NTSTATUS,
    ) -> Result<u32, NTSTATUS> {
        self.submit_under(node, args, Fences::submit, submit)
    }

    /// The same for a process of its own, whose fault is nobody else's.
    pub(crate) fn submit_for_process(
        &self,
        node: u32,
        args: &mut DXGKARG_SUBMITCOMMANDVIRTUAL,
        submit: impl FnOnce(&mut DXGKARG_SUBMITCOMMANDVIRTUAL) -> NTSTATUS,
    ) -> Result<u32, NTSTATUS> {
        self.submit_under(node, args, Fences::submit_for_process, submit)
    }

    fn submit_under(
        &self,
        node: u32,
        args: &mut DXGKARG_SUBMITCOMMANDVIRTUAL,
        take: fn(&mut Fences) -> u32,
        submit: impl FnOnce(&mut DXGKARG_SUBMITCOMMANDVIRTUAL) -> NTSTATUS,
    ) -> Result<u32, NTSTATUS> {
        if self.is_removed() {
            return Err(STATUS_DEVICE_REMOVED);
        }
        let fence = self.state.lock().take_fence(node, args, take);
        let status = submit(args);
        if status.is_success() {
            return Ok(fence);
        }
        self.state.lock().nodes[node as usize].refuse(fence);
        Err(status)
    }

    /// A reset of a node's engine begins: its interrupts are ignored from now on. The answer is the last fence that
    /// was completed and the last that was submitted.
    pub(crate) fn freeze(&self, node: u32) -> (u32, u32) {
        let mut state = self.state.lock();
        let snapshot = state.nodes[node as usize].freeze();
        state.wake();
        snapshot
    }

    /// The rule that a stale last completed fence of a node breaks, or `usual`.
    pub(crate) fn stale(&self, node: u32, usual: &'static Rule) -> &'static Rule {
        self.state.lock().nodes[node as usize].stale(usual)
    }

    /// Gives up what was submitted to a node whose reports are ignored, and goes on ignoring them. The answer is what
    /// was reported until then.
    pub(crate) fn abandon(&self, node: u32) -> Vec<u32> {
        let mut state = self.state.lock();
        let fences = &mut state.nodes[node as usize];
        let seen = fences.ignored().to_vec();
        let (_, last) = fences.freeze();
        fences.thaw(last);
        fences.freeze();
        state.wake();
        seen
    }

    /// Fences of a node that were reported since the reset of its engine began, and ignored.
    pub(crate) fn ignored(&self, node: u32) -> Vec<u32> {
        self.state.lock().nodes[node as usize].ignored().to_vec()
    }

    /// A number that changes when a node reports anything.
    pub(crate) fn progress(&self, node: u32) -> u64 {
        self.state.lock().nodes[node as usize].reports()
    }

    /// The reset is done: what was not completed up to fence `last` was aborted.
    pub(crate) fn thaw(&self, node: u32, last: u32) -> Aborted {
        let mut state = self.state.lock();
        let aborted = state.nodes[node as usize].thaw(last);
        state.wake();
        aborted
    }

    /// Submits again what was neither completed nor aborted; the answer is how many packets that was. One that is
    /// refused is aborted with all after it.
    pub(crate) fn submit_again(
        &self,
        node: u32,
        submit: impl Fn(&mut DXGKARG_SUBMITCOMMANDVIRTUAL) -> NTSTATUS,
    ) -> usize {
        let mut again = {
            let state = self.state.lock();
            let fences = &state.nodes[node as usize];
            state.packets[node as usize].waiting(|fence| fences.is_waiting(fence))
        };
        let taken = again.iter_mut().map(submit).take_while(|status| status.is_success()).count();
        if taken < again.len() {
            let (_, last) = self.freeze(node);
            self.thaw(node, last);
        }
        taken
    }

    /// Fence of the last preemption that a node answered.
    pub(crate) fn preempted(&self, node: u32) -> u32 {
        self.state.lock().nodes[node as usize].preempted()
    }

    /// What became of a fence.
    pub(crate) fn fence(&self, node: u32, fence: u32) -> FenceState {
        self.state.lock().nodes[node as usize].state(fence)
    }

    /// Waits for a fence, until nothing was done on its node for `timeout_ns` nanoseconds. `event` is the caller's own.
    pub(crate) fn wait(&self, node: u32, fence: u32, event: &Arc<Event>, timeout_ns: u64) -> FenceState {
        let mut patience = Patience::new(timeout_ns);
        loop {
            let nap = {
                let mut state = self.state.lock();
                let fences = &state.nodes[node as usize];
                let (found, progress) = (fences.state(fence), fences.reports());
                state.waiters.retain(|waiter| !Arc::ptr_eq(&waiter.event, event));
                let nap = patience.nap(progress).filter(|_| found == FenceState::Pending && !state.removed);
                let Some(nap) = nap else { return found };
                state.waiters.push(Waiter { node, fence, event: Arc::clone(event) });
                nap
            };
            event.wait(nap);
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn two_calls_of_notify_interrupt_at_once_are_noticed() {
        crate::host::std_host::install();
        let (contract, interrupts) = (Contract::default(), Interrupts::new(false));
        std::thread::scope(|scope| {
            interrupts.notify(&contract, |_| {
                scope.spawn(|| interrupts.notify(&contract, |_| {}));
                while contract.count() == 0 {
                    std::thread::yield_now();
                }
            });
        });
        assert_eq!(contract.violations()[0].rule.id, "NOTIFY_REENTRANT");
    }

    /// A DPC of another packet may come between NotifyInterrupt and a QueueDpc that is late.
    #[test]
    fn a_routine_that_leaves_without_queue_dpc_breaks_that_rule_alone() {
        crate::host::std_host::install();
        for (queues, expected) in [(true, "NOTIFY_DPC"), (false, "QUEUE_DPC")] {
            let (contract, interrupts) = (Contract::default(), Interrupts::new(true));
            interrupts.set_nodes(1);
            let fence = interrupts.state.lock().nodes[0].submit();
            interrupts.synchronize(&contract, || {
                interrupts.notify(&contract, |nodes| nodes[0].report(&contract, 0, fence, None));
                u8::from(queues && interrupts.queue_dpc())
            });
            interrupts.dpc_queued.store(false, Ordering::Release);
            interrupts.check_settled(&contract);
            let broken: Vec<_> = contract.violations().iter().map(|it| it.rule.id).collect();
            assert_eq!(broken, [expected]);
        }
    }
}
