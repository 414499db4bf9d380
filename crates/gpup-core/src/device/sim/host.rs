//! What the host queued on a node: a FIFO of fixed size, filled at DISPATCH_LEVEL, and the fence that was completed last.
//!
//! A submission that the driver refuses has a fence all the same: it is completed, unsaid, once those before it are.

use alloc::boxed::Box;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::device::{Author, HostSubmission, TableAddress};
use crate::os::SpinLock;
use crate::{Error, Result, boxed};

/// Most submissions that wait on a node.
pub const HOST_QUEUE_DEPTH: usize = 256;

const NOTHING: HostSubmission = HostSubmission {
    node: 0,
    root: TableAddress::System(0),
    dma_address: 0,
    dma_bytes: 0,
    fence: 0,
    author: Author::User,
};

/// Fences that were refused behind different submissions: each that waits, the one that runs, and nothing at all.
const REFUSALS: usize = HOST_QUEUE_DEPTH + 2;

/// The host's submissions to a node.
pub(super) struct HostQueue {
    waiting: SpinLock<Fifo>,
    last_submitted: AtomicU32,
    last_completed: AtomicU32,
}

struct Fifo {
    slots: Box<[HostSubmission]>,
    first: usize,
    count: usize,
    /// The submission that runs, of those that were taken.
    running: Option<u32>,
    /// Refused fences that are not completed, oldest first; of several behind one submission the last.
    refused: Box<[u32]>,
    refusals: usize,
    /// Fence of a preemption that was asked for and not answered.
    preemption: Option<u32>,
}

impl Fifo {
    /// The oldest submission that is not completed.
    fn oldest(&self) -> Option<u32> {
        self.running.or_else(|| (self.count > 0).then(|| self.slots[self.first].fence))
    }

    /// The newest one.
    fn newest(&self) -> Option<u32> {
        let last = (self.first + self.count).wrapping_sub(1) % HOST_QUEUE_DEPTH;
        if self.count > 0 { Some(self.slots[last].fence) } else { self.running }
    }

    /// Notes a refused fence.
    fn refuse(&mut self, fence: u32) {
        let behind_the_same =
            self.refusals > 0 && self.newest().is_none_or(|newest| newest < self.refused[self.refusals - 1]);
        // More than there are places cannot be: then the last one stands for all.
        if !behind_the_same && self.refusals < REFUSALS {
            self.refusals += 1;
        }
        self.refused[self.refusals - 1] = fence;
    }

    /// The last completed fence, when it is `last` and refused ones follow.
    fn pass_refused(&mut self, mut last: u32) -> u32 {
        let oldest = self.oldest();
        let passed = self.refused[..self.refusals]
            .iter()
            .take_while(|refused| oldest.is_none_or(|oldest| **refused < oldest))
            .count();
        for refused in &self.refused[..passed] {
            last = last.max(*refused);
        }
        self.refused.copy_within(passed..self.refusals, 0);
        self.refusals -= passed;
        last
    }

    /// Forgets what waits and what runs.
    fn clear(&mut self) {
        (self.count, self.running, self.preemption) = (0, None, None);
    }
}

impl HostQueue {
    /// An empty queue.
    pub(super) fn new() -> Result<Self> {
        let slots = boxed::slice(HOST_QUEUE_DEPTH, || NOTHING)?;
        let refused = boxed::slice(REFUSALS, || 0)?;
        let fifo = Fifo { slots, first: 0, count: 0, running: None, refused, refusals: 0, preemption: None };
        Ok(Self {
            waiting: SpinLock::new(fifo),
            last_submitted: AtomicU32::new(0),
            last_completed: AtomicU32::new(0),
        })
    }

    /// Queues a submission.
    pub(super) fn push(&self, submission: HostSubmission) -> Result<()> {
        let mut fifo = self.waiting.lock();
        if fifo.count == HOST_QUEUE_DEPTH {
            return Err(Error::NoResources);
        }
        let free = (fifo.first + fifo.count) % HOST_QUEUE_DEPTH;
        fifo.slots[free] = submission;
        self.last_submitted.store(submission.fence, Ordering::Relaxed);
        fifo.count += 1;
        Ok(())
    }

    /// Notes a submission that was refused.
    pub(super) fn refuse(&self, fence: u32) {
        let mut fifo = self.waiting.lock();
        self.last_submitted.store(fence, Ordering::Relaxed);
        fifo.refuse(fence);
        self.settle(&mut fifo, self.last_completed());
    }

    /// Takes the oldest submission. What came after a preemption waits for its answer.
    pub(super) fn pop(&self) -> Option<HostSubmission> {
        let mut fifo = self.waiting.lock();
        if fifo.count == 0 || fifo.preemption.is_some() {
            return None;
        }
        let submission = fifo.slots[fifo.first];
        fifo.first = (fifo.first + 1) % HOST_QUEUE_DEPTH;
        fifo.count -= 1;
        fifo.running = Some(submission.fence);
        Some(submission)
    }

    /// Drops everything that waits and asks for an answer with `fence`.
    pub(super) fn preempt(&self, fence: u32) {
        let mut fifo = self.waiting.lock();
        fifo.count = 0;
        fifo.preemption = Some(fence);
    }

    /// Whether a preemption is to be answered.
    pub(super) fn is_preempted(&self) -> bool {
        self.waiting.lock().preemption.is_some()
    }

    /// The preemption that must be answered, once: what ran is dropped with what waited.
    pub(super) fn take_preemption(&self) -> Option<u32> {
        let mut fifo = self.waiting.lock();
        let fence = fifo.preemption.take()?;
        fifo.running = None;
        Some(fence)
    }

    /// Drops everything, unanswered, for it to be submitted again. What was aborted counts as completed.
    pub(super) fn drop_all(&self, aborted: Option<u32>) -> u32 {
        let mut fifo = self.waiting.lock();
        if let Some(fence) = aborted {
            fifo.running = None;
            self.settle(&mut fifo, fence);
        }
        fifo.clear();
        self.last_completed()
    }

    /// Drops everything for good: it counts as completed.
    pub(super) fn retire(&self) {
        let mut fifo = self.waiting.lock();
        fifo.clear();
        fifo.refusals = 0;
        self.last_completed.store(self.last_submitted.load(Ordering::Relaxed), Ordering::Release);
    }

    /// The last fence completed.
    pub(super) fn last_completed(&self) -> u32 {
        self.last_completed.load(Ordering::Acquire)
    }

    /// Notes the completion of the submission that runs, whether it came to its end or faulted.
    pub(super) fn complete(&self, fence: u32) {
        let mut fifo = self.waiting.lock();
        fifo.running = None;
        self.settle(&mut fifo, fence);
    }

    /// The last completed fence is `last`, or a refused one behind it.
    fn settle(&self, fifo: &mut Fifo, last: u32) {
        self.last_completed.store(fifo.pass_refused(last), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_keeps_order_and_its_bound() {
        crate::os::host::install();
        let queue = HostQueue::new().unwrap();
        for round in 0..3 {
            for fence in 0..HOST_QUEUE_DEPTH as u32 {
                queue.push(HostSubmission { fence: fence + round, ..NOTHING }).unwrap();
            }
            assert_eq!(queue.push(NOTHING), Err(Error::NoResources));
            for fence in 0..100 {
                assert_eq!(queue.pop().unwrap().fence, fence + round);
            }
            assert_eq!((queue.drop_all(None), queue.pop()), (0, None));
        }
        queue.push(NOTHING).unwrap();
        queue.preempt(9);
        queue.push(HostSubmission { fence: 10, ..NOTHING }).unwrap();
        assert_eq!((queue.pop(), queue.take_preemption(), queue.take_preemption()), (None, Some(9), None));
        assert_eq!(queue.pop().unwrap().fence, 10);
    }

    #[test]
    fn what_was_aborted_or_retired_counts_as_completed() {
        crate::os::host::install();
        let queue = HostQueue::new().unwrap();
        for fence in 1..=4 {
            queue.push(HostSubmission { fence, ..NOTHING }).unwrap();
        }
        assert_eq!(queue.pop().unwrap().fence, 1);
        queue.complete(1);
        assert_eq!(queue.pop().unwrap().fence, 2);
        assert_eq!((queue.drop_all(Some(2)), queue.drop_all(None)), (2, 2));
        queue.push(HostSubmission { fence: 3, ..NOTHING }).unwrap();
        queue.preempt(9);
        queue.retire();
        assert_eq!((queue.last_completed(), queue.pop(), queue.take_preemption()), (3, None, None));
    }

    /// What is told of a fence: submitted, refused, or the one that runs completed.
    enum Told {
        Submit(u32),
        Refuse(u32),
        Done,
    }

    #[test]
    fn a_refused_fence_is_completed_with_those_before_it() {
        use Told::{Done, Refuse, Submit};
        crate::os::host::install();
        let queue = HostQueue::new().unwrap();
        let expected = [
            (Refuse(1), 1),
            (Submit(2), 1),
            (Refuse(3), 1),
            (Refuse(4), 1),
            (Submit(5), 1),
            (Refuse(6), 1),
            (Done, 4),
            (Done, 6),
            (Refuse(7), 7),
        ];
        for (told, last) in expected {
            match told {
                Submit(fence) => queue.push(HostSubmission { fence, ..NOTHING }).unwrap(),
                Refuse(fence) => queue.refuse(fence),
                Done => queue.complete(queue.pop().unwrap().fence),
            }
            assert_eq!(queue.last_completed(), last);
        }
    }

    #[test]
    fn what_is_submitted_again_completes_what_was_refused_behind_it() {
        crate::os::host::install();
        let queue = HostQueue::new().unwrap();
        let push = |fence| queue.push(HostSubmission { fence, ..NOTHING }).unwrap();
        push(1);
        push(2);
        queue.refuse(3);
        let running = queue.pop().unwrap();
        assert_eq!(queue.drop_all(Some(running.fence)), 1, "2 is still to come");
        push(2);
        queue.complete(queue.pop().unwrap().fence);
        assert_eq!(queue.last_completed(), 3);
    }

    #[test]
    fn refusals_behind_a_full_queue_have_places() {
        crate::os::host::install();
        let queue = HostQueue::new().unwrap();
        for fence in 0..HOST_QUEUE_DEPTH as u32 {
            queue.push(HostSubmission { fence: 2 * fence + 1, ..NOTHING }).unwrap();
            queue.refuse(2 * fence + 2);
        }
        let running = queue.pop().unwrap();
        queue.push(HostSubmission { fence: 1000, ..NOTHING }).unwrap();
        queue.refuse(1001);
        queue.refuse(1002);
        queue.complete(running.fence);
        assert_eq!(queue.last_completed(), 2);
        while let Some(submission) = queue.pop() {
            queue.complete(submission.fence);
        }
        assert_eq!(queue.last_completed(), 1002);
    }
}
