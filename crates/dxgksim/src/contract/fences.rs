//! Submission fences of one node: reported in the order of submission, each exactly once.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use wddm::NTSTATUS;

use super::{Contract, rules};

/// What became of a fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FenceState {
    /// Not reported yet.
    Pending,
    /// Completed.
    Completed,
    /// The engine faulted under it or before it.
    Faulted(NTSTATUS),
    /// A reset of the engine or of the adapter aborted it.
    Aborted,
}

/// The fences of one node.
#[derive(Debug, Default)]
pub struct Fences {
    next: u32,
    submitted: VecDeque<u32>,
    /// Reported by NotifyInterrupt, not yet seen by NotifyDpc.
    reported: u32,
    completed: u32,
    fault: Option<(u32, NTSTATUS)>,
    /// Fences of processes that have not been reported, and those that faulted.
    processes: Vec<u32>,
    process_faults: Vec<(u32, NTSTATUS)>,
    /// The engine is being reset: its reports count for nothing.
    frozen: bool,
    /// Fences whose reports counted for nothing, since the reset began.
    ignored: Vec<u32>,
    /// Reports of every kind: the node makes progress.
    reports: u64,
    /// First and last fences that resets aborted.
    aborted: Vec<(u32, u32)>,
    /// Fence of the last preemption that was answered.
    preempted: u32,
}

impl Fences {
    /// Takes the next fence for a submission.
    pub fn submit(&mut self) -> u32 {
        self.next += 1;
        self.submitted.push_back(self.next);
        self.next
    }

    /// The same for a process of its own: a fault under it ends the process, and nothing that comes after.
    pub fn submit_for_process(&mut self) -> u32 {
        let fence = self.submit();
        self.processes.push(fence);
        fence
    }

    /// Takes a submission back that the driver refused.
    pub fn withdraw(&mut self, fence: u32) {
        self.submitted.retain(|waiting| *waiting != fence);
        self.processes.retain(|waiting| *waiting != fence);
    }

    /// The driver reports `fence` complete, or faulted.
    pub fn report(&mut self, contract: &Contract, node: u32, fence: u32, fault: Option<NTSTATUS>) {
        self.reports += 1;
        if self.frozen {
            self.ignored.push(fence);
            return;
        }
        match self.submitted.front().copied() {
            Some(front) if front == fence => {}
            Some(front) if self.submitted.contains(&fence) => contract.broken(
                &rules::FENCE_ORDER,
                format_args!("node {node} reported fence {fence} before fence {front}"),
            ),
            _ if fence != 0 && fence <= self.reported => {
                let what = format_args!("node {node} reported fence {fence} again");
                return contract.broken(&rules::FENCE_ONCE, what);
            }
            _ => {
                let what = format_args!("node {node} reported fence {fence}, which nobody submitted");
                return contract.broken(&rules::FENCE_UNKNOWN, what);
            }
        }
        while self.submitted.front().is_some_and(|front| *front <= fence) {
            self.submitted.pop_front();
        }
        self.reported = fence;
        let contained = self.processes.contains(&fence);
        self.processes.retain(|waiting| *waiting > fence);
        match fault {
            Some(status) if contained => self.process_faults.push((fence, status)),
            Some(status) => drop(self.fault.get_or_insert((fence, status))),
            None => {}
        }
    }

    /// The driver answers the preemption `fence`: everything up to `last` is completed, and nothing after it runs.
    pub fn preempt(&mut self, contract: &Contract, node: u32, fence: u32, last: u32) {
        self.reports += 1;
        if self.frozen {
            return;
        }
        contract.require(
            last == self.reported,
            &rules::PREEMPTED_FENCE,
            format_args!("node {node} was preempted after fence {last}, and reported {} last", self.reported),
        );
        self.preempted = fence;
    }

    /// Fence of the last preemption that was answered.
    pub fn preempted(&self) -> u32 {
        self.preempted
    }

    /// A reset of the engine begins: what was reported counts, what comes from now on does not. The answer is the last
    /// fence that was completed and the last that was submitted.
    pub fn freeze(&mut self) -> (u32, u32) {
        if !core::mem::replace(&mut self.frozen, true) {
            self.ignored.clear();
        }
        self.settle();
        (self.reported, self.submitted.back().copied().unwrap_or(self.reported))
    }

    /// Fences that were reported while the engine was being reset.
    pub fn ignored(&self) -> &[u32] {
        &self.ignored
    }

    /// How often the driver has reported anything: a number that changes with the node's progress.
    pub fn reports(&self) -> u64 {
        self.reports
    }

    /// The reset is done: everything up to `last` that was not completed is aborted. Whether anything was.
    pub fn thaw(&mut self, last: u32) -> bool {
        self.frozen = false;
        let first = self.submitted.front().copied();
        while self.submitted.front().is_some_and(|front| *front <= last) {
            self.submitted.pop_front();
        }
        self.processes.retain(|waiting| *waiting > last);
        let Some(first) = first.filter(|first| *first <= last) else { return false };
        self.aborted.push((first, last));
        (self.reported, self.completed) = (last, last);
        true
    }

    /// Whether a fence was submitted and nothing became of it yet.
    pub fn is_waiting(&self, fence: u32) -> bool {
        self.submitted.contains(&fence)
    }

    /// NotifyDpc: what was reported counts.
    pub fn settle(&mut self) {
        self.completed = self.reported;
    }

    /// The fence that was reported last.
    pub fn reported(&self) -> u32 {
        self.reported
    }

    /// Whether something was reported and has not been settled.
    pub fn is_unsettled(&self) -> bool {
        self.reported != self.completed
    }

    /// What became of `fence`.
    pub fn state(&self, fence: u32) -> FenceState {
        let own = self.process_faults.iter().find(|(at, _)| *at == fence);
        match own.copied().or(self.fault) {
            Some((at, status)) if fence >= at && self.completed >= at => FenceState::Faulted(status),
            _ if self.aborted.iter().any(|(first, last)| (*first..=*last).contains(&fence)) => {
                FenceState::Aborted
            }
            _ if fence <= self.completed => FenceState::Completed,
            _ => FenceState::Pending,
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn fences_come_in_order_and_once() {
        crate::host::std_host::install();
        let (contract, mut fences) = (Contract::default(), Fences::default());
        let ids: [u32; 4] = core::array::from_fn(|_| fences.submit());
        fences.report(&contract, 0, ids[0], None);
        assert_eq!(fences.state(ids[0]), FenceState::Pending);
        fences.settle();
        assert_eq!(fences.state(ids[0]), FenceState::Completed);
        assert_eq!(contract.count(), 0);
        fences.report(&contract, 0, ids[2], None);
        fences.report(&contract, 0, ids[1], None);
        fences.report(&contract, 0, 99, None);
        let broken: Vec<_> = contract.violations().iter().map(|it| it.rule.id).collect();
        assert_eq!(broken, ["FENCE_ORDER", "FENCE_ONCE", "FENCE_UNKNOWN"]);
    }

    #[test]
    fn a_process_faults_alone_and_the_paging_for_all() {
        crate::host::std_host::install();
        let (contract, mut fences) = (Contract::default(), Fences::default());
        let (process, next) = (fences.submit_for_process(), fences.submit());
        fences.report(&contract, 0, process, Some(NTSTATUS(-1)));
        fences.report(&contract, 0, next, None);
        assert_eq!(fences.state(process), FenceState::Pending);
        fences.settle();
        assert_eq!(fences.state(process), FenceState::Faulted(NTSTATUS(-1)));
        assert_eq!(fences.state(next), FenceState::Completed);
        let (paging, after) = (fences.submit(), fences.submit_for_process());
        fences.report(&contract, 0, paging, Some(NTSTATUS(-2)));
        fences.report(&contract, 0, after, None);
        fences.settle();
        assert_eq!(fences.state(after), FenceState::Faulted(NTSTATUS(-2)));
        assert_eq!(contract.count(), 0);
    }

    #[test]
    fn a_reset_aborts_some_and_the_rest_is_still_to_come() {
        crate::host::std_host::install();
        let (contract, mut fences) = (Contract::default(), Fences::default());
        let ids: [u32; 4] = core::array::from_fn(|_| fences.submit());
        fences.report(&contract, 0, ids[0], None);
        assert_eq!(fences.freeze(), (ids[0], ids[3]));
        fences.report(&contract, 0, ids[1], None);
        fences.preempt(&contract, 0, 7, 99);
        assert_eq!((fences.ignored(), fences.preempted(), fences.reports()), (&ids[1..2], 0, 3));
        assert_eq!(fences.freeze(), (ids[0], ids[3]), "it is being reset already");
        assert_eq!(fences.ignored(), &ids[1..2]);
        assert!(fences.thaw(ids[1]));
        assert_eq!(ids.map(|fence| fences.is_waiting(fence)), [false, false, true, true]);
        let states = ids.map(|fence| fences.state(fence));
        use FenceState::{Aborted, Completed, Pending};
        assert_eq!(states, [Completed, Aborted, Pending, Pending]);
        assert!(!fences.thaw(ids[1]));
        fences.report(&contract, 0, ids[2], None);
        fences.preempt(&contract, 0, 8, ids[2]);
        assert_eq!((contract.count(), fences.preempted()), (0, 8));
        fences.preempt(&contract, 0, 9, ids[1]);
        assert_eq!(contract.violations()[0].rule.id, "PREEMPTED_FENCE");
    }
}
