//! Submission fences of one node: reported in the order of submission, each exactly once.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use wddm::NTSTATUS;

use super::{Contract, Rule, rules};

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

/// How a submission faulted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What becomes of whoever waits for it.
    pub status: NTSTATUS,
    /// By DMA_PAGE_FAULTED with a fence: that fence is the last completed one from then on. Of DMA_FAULTED the pages do
    /// not agree.
    pub completes: bool,
}

/// What a reset aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aborted {
    /// Nothing.
    Nothing,
    /// Packets of processes.
    Process,
    /// Paging, without which the adapter cannot go on.
    Paging,
}

/// What made the last completed fence what it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Reported,
    Faulted,
    Refused,
}

/// The fences of one node.
#[derive(Debug, Default)]
pub struct Fences {
    next: u32,
    submitted: VecDeque<u32>,
    /// Refused by the driver, after others that are still to come.
    refused: VecDeque<u32>,
    /// The last completed one as the driver must know it: reported by NotifyInterrupt, not yet seen by NotifyDpc.
    reported: u32,
    /// How it came to be that.
    last: Last,
    /// What it may be instead, after faults of which the pages do not agree.
    instead: Option<u32>,
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

    /// The driver refused a submission: nobody reports its fence, which is completed once those before it are.
    /// "DXGKDDI_SUBMITCOMMANDVIRTUAL callback function (d3dkmddi.h)".
    pub fn refuse(&mut self, fence: u32) {
        self.submitted.retain(|waiting| *waiting != fence);
        self.processes.retain(|waiting| *waiting != fence);
        self.refused.push_back(fence);
        self.pass_refused();
    }

    /// Completes what was refused and has nothing before it any more.
    fn pass_refused(&mut self) {
        while let Some(fence) = self.refused.front().copied() {
            if self.submitted.front().is_some_and(|front| *front < fence) {
                return;
            }
            self.refused.pop_front();
            if fence > self.reported {
                if self.completed == self.reported {
                    self.completed = fence;
                }
                (self.reported, self.last, self.instead) = (fence, Last::Refused, None);
            }
        }
    }

    /// The rule that a stale last completed fence breaks, or `usual`.
    pub(crate) fn stale(&self, usual: &'static Rule) -> &'static Rule {
        match self.last {
            Last::Reported => usual,
            Last::Faulted => &rules::FAULTED_FENCE,
            Last::Refused => &rules::REFUSED_FENCE,
        }
    }

    /// The driver reports `fence` complete, or faulted.
    pub fn report(&mut self, contract: &Contract, node: u32, fence: u32, fault: Option<Fault>) {
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
        self.instead = match fault {
            Some(fault) if !fault.completes => self.instead.or(Some(self.reported)),
            _ => None,
        };
        (self.reported, self.last) = (fence, if fault.is_some() { Last::Faulted } else { Last::Reported });
        let contained = self.processes.contains(&fence);
        self.processes.retain(|waiting| *waiting > fence);
        match fault {
            Some(Fault { status, .. }) if contained => self.process_faults.push((fence, status)),
            Some(Fault { status, .. }) => drop(self.fault.get_or_insert((fence, status))),
            None => {}
        }
        self.pass_refused();
    }

    /// The driver answers the preemption `fence`: everything up to `last` is completed, and nothing after it runs.
    pub fn preempt(&mut self, contract: &Contract, node: u32, fence: u32, last: u32) {
        self.reports += 1;
        if self.frozen {
            return;
        }
        contract.require(
            last == self.reported || Some(last) == self.instead,
            self.stale(&rules::PREEMPTED_FENCE),
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
        let last = self.submitted.back().max(self.refused.back()).copied();
        (self.instead.unwrap_or(self.reported), last.unwrap_or(self.reported))
    }

    /// Fences that were reported while the engine was being reset.
    pub fn ignored(&self) -> &[u32] {
        &self.ignored
    }

    /// How often the driver has reported anything: a number that changes with the node's progress.
    pub fn reports(&self) -> u64 {
        self.reports
    }

    /// The reset is done: everything up to `last` that was not completed is aborted.
    pub fn thaw(&mut self, last: u32) -> Aborted {
        self.frozen = false;
        let first = self.submitted.front().copied();
        let mut aborted = Aborted::Nothing;
        while let Some(fence) = self.submitted.front().copied().filter(|front| *front <= last) {
            self.submitted.pop_front();
            let process = self.processes.contains(&fence) && aborted != Aborted::Paging;
            aborted = if process { Aborted::Process } else { Aborted::Paging };
        }
        self.processes.retain(|waiting| *waiting > last);
        if let Some(first) = first.filter(|first| *first <= last) {
            self.aborted.push((first, last));
            (self.reported, self.completed) = (last, last);
            (self.last, self.instead) = (Last::Reported, None);
        }
        self.pass_refused();
        aborted
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

    fn page(status: i32) -> Fault {
        Fault { status: NTSTATUS(status), completes: true }
    }

    /// The rules that a preemption breaks which is answered with `last`.
    fn preempted_with(fences: &mut Fences, last: u32) -> Vec<&'static str> {
        let contract = Contract::default();
        fences.preempt(&contract, 0, 7, last);
        contract.violations().iter().map(|it| it.rule.id).collect()
    }

    #[test]
    fn a_faulted_fence_is_completed_and_of_a_plain_fault_either_counts() {
        crate::host::std_host::install();
        let (contract, mut fences) = (Contract::default(), Fences::default());
        let (first, second, third) = (fences.submit(), fences.submit_for_process(), fences.submit());
        fences.report(&contract, 0, first, None);
        fences.report(&contract, 0, second, Some(Fault { completes: false, ..page(-1) }));
        for last in [first, second] {
            assert_eq!(preempted_with(&mut fences, last), [""; 0]);
        }
        assert_eq!(fences.freeze(), (first, third));
        assert_eq!(fences.thaw(second), Aborted::Nothing);
        let fourth = fences.submit_for_process();
        fences.report(&contract, 0, third, None);
        fences.report(&contract, 0, fourth, Some(page(-1)));
        assert_eq!(preempted_with(&mut fences, third), ["FAULTED_FENCE"]);
        assert_eq!(preempted_with(&mut fences, fourth), [""; 0]);
        assert_eq!(contract.count(), 0);
    }

    #[test]
    fn a_refused_fence_is_completed_when_those_before_it_are() {
        crate::host::std_host::install();
        let (contract, mut fences) = (Contract::default(), Fences::default());
        let ids: [u32; 4] = core::array::from_fn(|_| fences.submit());
        fences.refuse(ids[1]);
        fences.refuse(ids[3]);
        assert_eq!(preempted_with(&mut fences, 0), [""; 0]);
        fences.report(&contract, 0, ids[0], None);
        assert_eq!(preempted_with(&mut fences, ids[0]), ["REFUSED_FENCE"]);
        assert_eq!(preempted_with(&mut fences, ids[1]), [""; 0]);
        fences.settle();
        assert_eq!(fences.freeze(), (ids[1], ids[3]));
        assert_eq!(fences.thaw(ids[2]), Aborted::Paging);
        assert_eq!(preempted_with(&mut fences, ids[3]), [""; 0]);
        assert_eq!(contract.count(), 0);
    }

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
        fences.report(&contract, 0, process, Some(page(-1)));
        fences.report(&contract, 0, next, None);
        assert_eq!(fences.state(process), FenceState::Pending);
        fences.settle();
        assert_eq!(fences.state(process), FenceState::Faulted(NTSTATUS(-1)));
        assert_eq!(fences.state(next), FenceState::Completed);
        let (paging, after) = (fences.submit(), fences.submit_for_process());
        fences.report(&contract, 0, paging, Some(page(-2)));
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
        assert_eq!(fences.thaw(ids[1]), super::Aborted::Paging);
        assert_eq!(ids.map(|fence| fences.is_waiting(fence)), [false, false, true, true]);
        let states = ids.map(|fence| fences.state(fence));
        use FenceState::{Aborted, Completed, Pending};
        assert_eq!(states, [Completed, Aborted, Pending, Pending]);
        assert_eq!(fences.thaw(ids[1]), super::Aborted::Nothing);
        fences.report(&contract, 0, ids[2], None);
        fences.preempt(&contract, 0, 8, ids[2]);
        assert_eq!((contract.count(), fences.preempted()), (0, 8));
        fences.preempt(&contract, 0, 9, ids[1]);
        assert_eq!(contract.violations()[0].rule.id, "PREEMPTED_FENCE");
    }
}
