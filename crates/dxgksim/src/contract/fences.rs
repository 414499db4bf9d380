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

    /// NotifyDpc: what was reported counts.
    pub fn settle(&mut self) {
        self.completed = self.reported;
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
}
