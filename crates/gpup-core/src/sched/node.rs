//! A node of the root: a VF, or the PF's everyday work; its request, its ceilings and its two children.

use super::cap::{Cap, FOREVER, Usage};
use super::clock::SHIFT;
use super::types::{Counters, Limits, Policy, Priority, VfParameters};

/// Longest quantum and preemption timeout that take effect, in ticks: 100 s. Larger settings are clamped.
const LONGEST_TURN: u64 = 100_000_000_000;

/// How much a packet shorter than the longest known pulls that down: by 1/256 of it.
const FORGET: u32 = 8;

/// Where a node stands in the root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Neither wants the engine nor owes time; not counted in V.
    #[default]
    Absent,
    /// Wants the engine and may have it: on its turn, eligible, or waiting for V.
    Runnable,
    /// Wants nothing, or may not have it, but took more than V: counted until V gets there.
    Draining,
}

/// Which of a node's two children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Child {
    /// The guest; in the PF's node, the PF.
    Own,
    /// PF paging on behalf of the VF.
    Paging,
}

/// A child's side of the start-time fair queueing inside a node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flow {
    /// Has packets.
    pub(super) work: bool,
    /// Took part in the last choice.
    active: bool,
    /// Start tag of its next packet.
    tag: u64,
}

/// A node.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) weight: u32,
    /// What the division of the last charge left over, in units of `1 / weight`.
    rest: u64,
    /// Virtual time up to which it has been served.
    pub(super) v: u64,
    /// Virtual time from which the request may be served.
    pub(super) start: u64,
    /// Virtual time by which the request should have been served.
    pub(super) deadline: u64,
    /// Ticks of the request.
    pub(super) reserved: u64,
    /// Ticks used of it.
    pub(super) used: u64,
    /// Longest packet expected.
    pub(super) longest: u64,
    pub(super) quantum: u64,
    pub(super) timeout: u64,
    pub(super) state: State,

    pub(super) own: Flow,
    pub(super) paging: Flow,
    /// Virtual time of the two children.
    time: u64,
    /// Paging's part of the node, in thousandths.
    split: u64,
    /// Ticks that paging took in the idle class, its tag there.
    pub(super) idle_tag: u64,

    /// The profile's ceiling.
    pub(super) max: Cap,
    /// The migration's ceiling on the node.
    pub(super) migration: Cap,
    /// The convergence throttle's ceiling on the guest.
    pub(super) throttle: Cap,
    /// The ceiling on paging's bandwidth.
    pub(super) pace: Cap,
    pub(super) usage: Usage,

    pub(super) parameters: VfParameters,
    pub(super) policy: Policy,
    pub(super) throttle_permille: u32,
    /// Fraction of the engine it used before the migration, where known.
    pub(super) before: Option<u64>,
    /// An administrator gave it parameters, so its weight counts in what a share is.
    pub(super) configured: bool,
    pub(super) counters: Counters,
    /// When the guest's next packet began to wait.
    pub(super) waiting_since: u64,
}

impl Node {
    /// A node without work.
    pub(super) fn new(limits: &Limits) -> Self {
        let mut node = Self {
            weight: 1,
            rest: 0,
            v: 0,
            start: 0,
            deadline: 0,
            reserved: 0,
            used: 0,
            longest: limits.packet,
            quantum: 1,
            timeout: 0,
            state: State::Absent,
            own: Flow::default(),
            paging: Flow::default(),
            time: 0,
            split: 0,
            idle_tag: 0,
            max: Cap::default(),
            migration: Cap::default(),
            throttle: Cap::default(),
            pace: Cap::part(limits.paging_ppm),
            usage: Usage::default(),
            parameters: VfParameters::default(),
            policy: Policy::Normal,
            throttle_permille: 1000,
            before: None,
            configured: false,
            counters: Counters::default(),
            waiting_since: 0,
        };
        node.weight = node.parameters.effective_weight();
        node.take_turn_lengths();
        node
    }

    /// Takes quantum and timeout from the parameters.
    pub(super) fn take_turn_lengths(&mut self) {
        self.quantum = (u64::from(self.parameters.quantum_us) * 1000).min(LONGEST_TURN);
        self.timeout = (u64::from(self.parameters.preempt_timeout_us) * 1000).min(LONGEST_TURN);
    }

    /// Takes another weight; what the last division left over belongs to the old one.
    pub(super) fn take_weight(&mut self, weight: u32) {
        self.weight = weight;
        self.rest = 0;
    }

    /// Opens a request at the node's own virtual time: `max(quantum, longest)` long, since a turn cannot be
    /// cut inside a packet and a request shorter than what a turn takes loses the lag bound. A quantum counts as
    /// `turn` at most.
    pub(super) fn request(&mut self, turn: u64) {
        self.start = self.v;
        self.reserved = self.quantum.min(turn).max(self.longest);
        self.used = 0;
        self.deadline = self.v.wrapping_add((self.reserved << SHIFT) / u64::from(self.weight));
    }

    /// Ticks after which its next packet keeps others waiting too long, where a quantum counts as `turn` at most;
    /// 0 = never. What it reserved for packets known to be long does not count: a VF that was reset learns nothing.
    pub(super) fn overdue(&self, turn: u64) -> u64 {
        match self.timeout {
            0 => 0,
            timeout => self.quantum.min(turn).saturating_sub(self.used) + timeout,
        }
    }

    /// Whether the turn goes on with another packet.
    pub(super) fn turn_goes_on(&self) -> bool {
        self.used + self.longest <= self.reserved
    }

    /// Accounts `ticks` of the node in its own virtual time; the answer is how far that moved.
    pub(super) fn serve(&mut self, ticks: u64) -> u64 {
        let owed = (ticks << SHIFT) + self.rest;
        let step = owed / u64::from(self.weight);
        self.rest = owed % u64::from(self.weight);
        self.v = self.v.wrapping_add(step);
        self.used += ticks;
        step
    }

    /// Accounts a packet's length in what is expected of the next ones.
    pub(super) fn learn(&mut self, ticks: u64) {
        let faded = self.longest - (self.longest >> FORGET);
        // A reset ends a packet at the timeout; one that was not reset in time is not a measure of others.
        let most = if self.timeout == 0 { LONGEST_TURN } else { self.quantum + self.timeout };
        self.longest = ticks.min(most).max(faded);
    }

    /// Accounts `ticks` that ended at `now` in every ceiling that covers `child`. The throttle keeps no packet of the
    /// guest waiting past its `patience`.
    pub(super) fn charge_caps(&mut self, child: Child, ticks: u64, now: u64, patience: u64) {
        let burst = self.quantum.max(self.longest);
        self.max.charge(ticks, now, burst, FOREVER);
        self.migration.charge(ticks, now, burst, FOREVER);
        if child == Child::Own {
            self.throttle.charge(ticks, now, burst, patience);
        }
        if self.policy == Policy::Normal {
            self.usage.charge(ticks, now);
        }
    }

    /// The first moment at which the node wants and may have the engine; `u64::MAX` if it wants nothing.
    pub(super) fn ready_at(&self) -> u64 {
        let node = self.max.allow().max(self.migration.allow());
        let holds_slot = self.configured && self.parameters.priority == Priority::Normal;
        let allow = |wants: bool, at: u64| if wants { at } else { u64::MAX };
        let children =
            allow(self.own.work, self.throttle.allow()).min(allow(self.pages(), self.pace.allow()));
        if holds_slot { node } else { node.max(children) }
    }

    /// Whether paging waits here although the VF does not migrate.
    pub(super) fn is_stray(&self) -> bool {
        self.paging.work && self.policy == Policy::Normal
    }

    /// Whether paging has a part in this node and in the idle class, and something to do.
    pub(super) fn pages(&self) -> bool {
        self.paging.work && self.policy != Policy::Normal
    }

    /// Whether `child` wants and may have a packet at `now`, the node itself being allowed.
    pub(super) fn wants(&self, child: Child, now: u64) -> bool {
        match child {
            Child::Own => self.own.work && self.throttle.allow() <= now,
            Child::Paging => self.pages() && self.pace.allow() <= now,
        }
    }

    /// Chooses the child to serve: the smaller start tag, by tie the larger part.
    pub(super) fn choose(&mut self, now: u64) -> Option<Child> {
        let wants = [self.wants(Child::Own, now), self.wants(Child::Paging, now)];
        let time = self.time;
        for (flow, wants) in [&mut self.own, &mut self.paging].into_iter().zip(wants) {
            if wants && !flow.active {
                flow.tag = flow.tag.max(time);
            }
            flow.active = wants;
        }
        let child = match wants {
            [false, false] => return None,
            [true, false] => Child::Own,
            [false, true] => Child::Paging,
            [true, true] if self.own.tag == self.paging.tag => {
                if self.split > 500 {
                    Child::Paging
                } else {
                    Child::Own
                }
            }
            [true, true] => {
                if self.own.tag < self.paging.tag {
                    Child::Own
                } else {
                    Child::Paging
                }
            }
        };
        let tag = if child == Child::Own { self.own.tag } else { self.paging.tag };
        self.time = self.time.max(tag);
        Some(child)
    }

    /// Accounts a packet between the children. Tags are scaled by the product of both parts, so that no
    /// division rounds; a part of nothing leaves the sibling's tag where it is, so the sibling goes first.
    pub(super) fn charge_child(&mut self, child: Child, ticks: u64) {
        match child {
            Child::Own => self.own.tag = self.own.tag.saturating_add(ticks * self.split),
            Child::Paging => {
                self.paging.tag = self.paging.tag.saturating_add(ticks * (1000 - self.split));
            }
        }
    }

    /// Shares the node anew between its children: paging gets `split` thousandths.
    pub(super) fn share(&mut self, split: u32) {
        self.split = u64::from(split);
        self.time = 0;
        for flow in [&mut self.own, &mut self.paging] {
            flow.tag = 0;
            flow.active = false;
        }
    }
}

impl VfParameters {
    /// The weight that takes effect: a larger setting counts as the largest.
    pub(super) fn effective_weight(&self) -> u32 {
        self.weight.clamp(1, Self::MOST_WEIGHT)
    }
}
