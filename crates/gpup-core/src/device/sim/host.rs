//! What the host queued on a node: a FIFO of fixed size, filled at DISPATCH_LEVEL.

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
    /// Fence of a preemption that was asked for and not answered.
    preemption: Option<u32>,
}

impl HostQueue {
    /// An empty queue.
    pub(super) fn new() -> Result<Self> {
        let slots = boxed::slice(HOST_QUEUE_DEPTH, || NOTHING)?;
        let fifo = Fifo { slots, first: 0, count: 0, preemption: None };
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

    /// Takes the oldest submission. What came after a preemption waits for its answer.
    pub(super) fn pop(&self) -> Option<HostSubmission> {
        let mut fifo = self.waiting.lock();
        if fifo.count == 0 || fifo.preemption.is_some() {
            return None;
        }
        let submission = fifo.slots[fifo.first];
        fifo.first = (fifo.first + 1) % HOST_QUEUE_DEPTH;
        fifo.count -= 1;
        Some(submission)
    }

    /// Drops everything and asks for an answer with `fence`.
    pub(super) fn preempt(&self, fence: u32) {
        let mut fifo = self.waiting.lock();
        fifo.count = 0;
        fifo.preemption = Some(fence);
    }

    /// The preemption that must be answered, once.
    pub(super) fn take_preemption(&self) -> Option<u32> {
        self.waiting.lock().preemption.take()
    }

    /// Drops everything, unanswered, for it to be submitted again. What was aborted counts as completed.
    pub(super) fn drop_all(&self, aborted: Option<u32>) -> u32 {
        let mut fifo = self.waiting.lock();
        fifo.count = 0;
        fifo.preemption = None;
        if let Some(fence) = aborted {
            self.complete(fence);
        }
        self.last_completed()
    }

    /// Drops everything for good: it counts as completed.
    pub(super) fn retire(&self) {
        let mut fifo = self.waiting.lock();
        fifo.count = 0;
        fifo.preemption = None;
        self.complete(self.last_submitted.load(Ordering::Relaxed));
    }

    /// The last fence completed.
    pub(super) fn last_completed(&self) -> u32 {
        self.last_completed.load(Ordering::Acquire)
    }

    /// Notes a completion.
    pub(super) fn complete(&self, fence: u32) {
        self.last_completed.store(fence, Ordering::Release);
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
        assert_eq!((queue.drop_all(Some(2)), queue.drop_all(None)), (2, 2));
        queue.push(HostSubmission { fence: 3, ..NOTHING }).unwrap();
        queue.preempt(9);
        queue.retire();
        assert_eq!((queue.last_completed(), queue.pop(), queue.take_preemption()), (3, None, None));
    }
}
