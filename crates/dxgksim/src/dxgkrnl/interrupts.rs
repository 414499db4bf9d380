//! Interrupts of one adapter: SynchronizeExecution, NotifyInterrupt, the DPC, and who waits for fences.
//!
//! Microsoft's pages: "DXGKCB_SYNCHRONIZE_EXECUTION", "DXGKCB_NOTIFY_INTERRUPT", "DXGKCB_QUEUE_DPC" and
//! "DXGKCB_NOTIFY_DPC". The line is a lock: its holder runs at DIRQL. The DPC runs on a thread of its own. Without a
//! connected interrupt SynchronizeExecution fails; what the driver does instead to reach DIRQL cannot be seen from
//! here, so only reentrancy is checked then.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use wddm::{NTSTATUS, STATUS_DEVICE_REMOVED};

use super::Core;
use crate::contract::{Contract, FenceState, Fences, Irql, calls, current, raised, rules};
use crate::host::{Event, Mutex, SECOND, Thread, host, now};

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
    waiters: Vec<Waiter>,
    /// The device is gone: what is not completed by now never will be.
    removed: bool,
}

/// The interrupts of one adapter.
pub(crate) struct Interrupts {
    connected: bool,
    line: AtomicUsize,
    inside: Mutex<Inside>,
    notifying: AtomicBool,
    /// NotifyInterrupt was called without the line: when its QueueDpc comes cannot be told.
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
        self.state.lock().nodes.resize_with(nodes, Fences::default);
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
        contract.require(
            !inside.notified || inside.queued,
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
        let mut guard = self.state.lock();
        let state = &mut *guard;
        for node in &mut state.nodes {
            node.settle();
        }
        let nodes = &state.nodes;
        state.waiters.retain(|waiter| {
            let pending = nodes[waiter.node as usize].state(waiter.fence) == FenceState::Pending;
            if !pending {
                waiter.event.signal();
            }
            pending
        });
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
        if self.loose.load(Ordering::Acquire) {
            return;
        }
        // With the line held, no routine stands between its NotifyInterrupt and its QueueDpc.
        host().lock(&self.line);
        let unsettled = self.state.lock().nodes.iter().any(Fences::is_unsettled);
        let queued = self.dpc_queued.load(Ordering::Acquire);
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
    pub(crate) fn submit(&self, node: u32, submit: impl FnOnce(u32) -> NTSTATUS) -> Result<u32, NTSTATUS> {
        if self.is_removed() {
            return Err(STATUS_DEVICE_REMOVED);
        }
        let fence = self.state.lock().nodes[node as usize].submit();
        self.submitted(node, fence, submit(fence))
    }

    /// The same for a process of its own, whose fault is nobody else's.
    pub(crate) fn submit_for_process(
        &self,
        node: u32,
        submit: impl FnOnce(u32) -> NTSTATUS,
    ) -> Result<u32, NTSTATUS> {
        if self.is_removed() {
            return Err(STATUS_DEVICE_REMOVED);
        }
        let fence = self.state.lock().nodes[node as usize].submit_for_process();
        self.submitted(node, fence, submit(fence))
    }

    fn submitted(&self, node: u32, fence: u32, status: NTSTATUS) -> Result<u32, NTSTATUS> {
        if status.is_success() {
            return Ok(fence);
        }
        self.state.lock().nodes[node as usize].withdraw(fence);
        Err(status)
    }

    /// What became of a fence.
    pub(crate) fn fence(&self, node: u32, fence: u32) -> FenceState {
        self.state.lock().nodes[node as usize].state(fence)
    }

    /// Waits for a fence, `timeout_ns` nanoseconds at most. `event` is the caller's own.
    pub(crate) fn wait(&self, node: u32, fence: u32, event: &Arc<Event>, timeout_ns: u64) -> FenceState {
        let deadline = now().saturating_add(timeout_ns);
        loop {
            {
                let mut state = self.state.lock();
                let found = state.nodes[node as usize].state(fence);
                let over = state.removed || now() >= deadline;
                state.waiters.retain(|waiter| !Arc::ptr_eq(&waiter.event, event));
                if found != FenceState::Pending || over {
                    return found;
                }
                state.waiters.push(Waiter { node, fence, event: Arc::clone(event) });
            }
            event.wait(deadline.saturating_sub(now()).min(SECOND));
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
}
