//! The root's book-keeping: nodes wake, sleep and queue, and virtual time carries the others along.

use super::Scheduler;
use super::cap::FOREVER;
use super::heap::{before, later};
use super::node::{Child, State};
use super::scheduler::PF;

impl Scheduler {
    /// Brings a node's state in line with its work and ceilings; a packet in flight puts that off to its charge.
    pub(super) fn settle(&mut self, index: usize, now: u64) {
        if self.in_flight(index) {
            return;
        }
        let at = self.ready_at(index);
        if at <= now {
            self.capped.remove(index);
            self.wake(index);
        } else {
            if at == u64::MAX {
                self.capped.remove(index);
            } else {
                self.capped.set(index, at);
            }
            self.sleep(index);
        }
    }

    /// The first moment at which a node wants and may have the engine; `u64::MAX` if it wants nothing.
    pub(super) fn ready_at(&self, index: usize) -> u64 {
        if index == PF && self.stray > 0 { 0 } else { self.nodes[index].ready_at() }
    }

    /// Accounts `ticks` of a VF's paging, ended at `now`, in its bandwidth.
    pub(super) fn pace(&mut self, index: usize, ticks: u64, now: u64) {
        self.nodes[index].pace.charge(ticks, now, self.limits.chunk, FOREVER);
        self.settle_idle(index, now);
    }

    /// Settles those whose ceiling has opened.
    pub(super) fn open_caps(&mut self, now: u64) {
        while let Some((at, index)) = self.paced.peek()
            && at <= now
        {
            self.settle_idle(index as usize, now);
        }
        while let Some((at, index)) = self.capped.peek()
            && at <= now
        {
            self.settle(index as usize, now);
        }
    }

    /// Settles every place where a VF's paging may be served, after what it wants or may have has changed.
    pub(super) fn settle_paging(&mut self, index: usize, was_stray: bool, now: u64) {
        self.settle_idle(index, now);
        self.settle(index, now);
        let is_stray = self.nodes[index].is_stray();
        if was_stray != is_stray {
            self.stray = if is_stray { self.stray + 1 } else { self.stray - 1 };
            self.settle(PF, now);
        }
    }

    /// Puts a VF's paging into the idle class, or takes it out. Who comes in gets no credit for the time before.
    pub(super) fn settle_idle(&mut self, index: usize, now: u64) {
        let node = &mut self.nodes[index];
        if node.pages() && node.pace.allow() > now {
            self.paced.set(index, node.pace.allow());
        } else {
            self.paced.remove(index);
        }
        if node.wants(Child::Paging, now) {
            if !self.idle.contains(index) {
                node.idle_tag = later(node.idle_tag, self.idle_time);
            }
            self.idle.set(index, node.idle_tag);
        } else {
            self.idle.remove(index);
        }
    }

    /// Puts a runnable node's request where it belongs.
    pub(super) fn queue(&mut self, index: usize) {
        let node = &self.nodes[index];
        if before(self.clock.time(), node.start) {
            self.waiting.set(index, node.start);
        } else {
            self.eligible.set(index, node.deadline);
        }
    }

    /// Gives a node another weight. It keeps its lag and, unless its turn is on, opens a new request.
    pub(super) fn reweigh(&mut self, index: usize, weight: u32) {
        let node = &mut self.nodes[index];
        if node.state != State::Absent {
            node.v = self.clock.reweigh(node.weight, weight, node.v);
        }
        node.take_weight(weight);
        self.renew(index);
    }

    /// Opens a new request for a node that waits for its turn, after its tags or its quantum have changed.
    pub(super) fn renew(&mut self, index: usize) {
        match self.nodes[index].state {
            State::Absent => {}
            State::Draining => self.waiting.set(index, self.nodes[index].v),
            State::Runnable if self.current == Some(index) => {}
            State::Runnable => {
                self.dequeue(index);
                self.nodes[index].request(self.longest_turn);
                self.queue(index);
            }
        }
        self.advance();
    }

    /// After V has moved: makes eligible whom it has reached, and lets go of whom it has repaid.
    pub(super) fn advance(&mut self) {
        while let Some((key, index)) = self.waiting.peek()
            && !before(self.clock.time(), key)
        {
            let index = index as usize;
            self.waiting.remove(index);
            match self.nodes[index].state {
                State::Draining => self.leave(index),
                _ => self.eligible.set(index, self.nodes[index].deadline),
            }
        }
    }

    fn wake(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        match node.state {
            State::Runnable => return,
            State::Absent => {
                node.v = self.clock.time();
                self.clock.join(node.weight);
            }
            State::Draining => self.waiting.remove(index),
        }
        node.state = State::Runnable;
        node.request(self.longest_turn);
        self.runnable += 1;
        self.queue(index);
    }

    fn sleep(&mut self, index: usize) {
        if self.nodes[index].state != State::Runnable {
            return;
        }
        self.dequeue(index);
        self.runnable -= 1;
        let v = self.nodes[index].v;
        if before(self.clock.time(), v) {
            self.nodes[index].state = State::Draining;
            self.waiting.set(index, v);
        } else {
            self.leave(index);
            self.advance();
        }
    }

    /// Takes a runnable node from its turn or its heap.
    fn dequeue(&mut self, index: usize) {
        if self.current == Some(index) {
            self.current = None;
        }
        self.waiting.remove(index);
        self.eligible.remove(index);
    }

    /// Takes a node out of V.
    fn leave(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        node.state = State::Absent;
        self.clock.leave(node.weight, node.v);
    }
}
