//! A discrete-event model of one engine under a [`Scheduler`]: virtual clock, seeded work, no real time.
//!
//! Each flow is an entity with a rule for its packets' lengths and for when it wants the next one. A packet runs
//! to its end, as on an engine that cannot be preempted inside one. The same flows, seeds and changes give the
//! same trace, so two runs can be compared packet by packet.

use alloc::vec::Vec;

use super::{Entity, Grant, Policy, Scheduler, Source, VfParameters};
use crate::VfIndex;

/// When a flow wants its next packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Never.
    Silent,
    /// Always.
    Saturated,
    /// So many ticks after the last one, drawn between half and one and a half times that.
    Closed(u64),
}

/// How long a flow's packets are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Length {
    /// All alike.
    Fixed(u64),
    /// Drawn between the two.
    Uniform(u64, u64),
    /// These in turn; the last one over and over.
    Replay(Vec<u64>),
}

/// A source of packets.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Whose packets.
    pub entity: Entity,
    /// When it wants them.
    pub demand: Demand,
    /// How long they are.
    pub length: Length,
    random: u64,
    replayed: usize,
    working: bool,
    wakes_at: u64,
}

impl Flow {
    /// A flow with a random stream of its own.
    pub fn new(entity: Entity, demand: Demand, length: Length, seed: u64) -> Self {
        Self { entity, demand, length, random: seed, replayed: 0, working: false, wakes_at: u64::MAX }
    }

    /// A draw between `low` and `high`, both included (splitmix64).
    fn draw(&mut self, low: u64, high: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        low + (bits ^ (bits >> 31)) % (high - low + 1)
    }

    fn next_length(&mut self) -> u64 {
        match &self.length {
            Length::Fixed(ticks) => *ticks,
            &Length::Uniform(low, high) => self.draw(low, high),
            Length::Replay(lengths) => {
                self.replayed += 1;
                lengths.get(self.replayed - 1).or(lengths.last()).copied().unwrap_or(1)
            }
        }
    }
}

/// Something that happens at a set time.
#[derive(Clone, Debug)]
pub enum Change {
    /// [`Scheduler::set_policy`].
    Policy(VfIndex, Policy),
    /// [`Scheduler::set_throttle`].
    Throttle(VfIndex, u32),
    /// [`Scheduler::set_max`].
    Max(VfIndex, u32),
    /// [`Scheduler::set_parameters`].
    Parameters(VfIndex, VfParameters),
    /// The flow of this index gets another demand.
    Demand(usize, Demand),
    /// The flow of this index gets other packets.
    Length(usize, Length),
    /// The engine says again that this flow has work: a doorbell that changes nothing.
    Doorbell(usize),
}

/// A packet that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// When it began.
    pub start: u64,
    /// How long it took.
    pub ticks: u64,
    /// Whose it was.
    pub entity: Entity,
    /// Out of whose time.
    pub source: Source,
    /// How many flows with a share, this one's included, had work when it was picked.
    pub waiting: usize,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ran a packet.
    Ran(Packet),
    /// Let this many ticks pass with nothing to run.
    Idle(u64),
    /// The time is up.
    Done,
}

/// The engine.
#[derive(Debug)]
pub struct Sim {
    /// The scheduler under test.
    pub scheduler: Scheduler,
    /// The virtual clock.
    pub now: u64,
    /// Ticks in which nothing ran.
    pub idle: u64,
    flows: Vec<Flow>,
    changes: Vec<(u64, Change)>,
}

impl Sim {
    /// An engine at time 0.
    pub fn new(scheduler: Scheduler) -> Self {
        Self { scheduler, now: 0, idle: 0, flows: Vec::new(), changes: Vec::new() }
    }

    /// Adds a flow that begins now; the answer is its index.
    pub fn add(&mut self, flow: Flow) -> usize {
        let demand = flow.demand;
        self.flows.push(Flow { demand: Demand::Silent, ..flow });
        self.demand(self.flows.len() - 1, demand, self.now);
        self.flows.len() - 1
    }

    /// Adds a change. Of several at one time the first added comes first.
    pub fn at(&mut self, time: u64, change: Change) {
        let place = self.changes.partition_point(|(other, _)| *other <= time);
        self.changes.insert(place, (time, change));
    }

    /// How many flows of VFs and the PF have work now; paging for a VF is none of them.
    pub fn waiting(&self) -> usize {
        self.flows.iter().filter(|flow| flow.working && !matches!(flow.entity, Entity::Paging(_))).count()
    }

    /// Runs until `until` and keeps the packets.
    pub fn run(&mut self, until: u64) -> Vec<Packet> {
        let mut trace = Vec::new();
        loop {
            match self.step(until) {
                Step::Ran(packet) => trace.push(packet),
                Step::Idle(_) => {}
                Step::Done => return trace,
            }
        }
    }

    /// Runs one packet, or lets time pass until something may run. A packet that began before `until` ends.
    pub fn step(&mut self, until: u64) -> Step {
        if self.now >= until {
            return Step::Done;
        }
        self.deliver(self.now);
        let Some(grant) = self.scheduler.pick(self.now) else {
            let next = self.next_event().min(until);
            let next =
                self.scheduler.next_allowed(self.now).map_or(next, |at| next.min(at.max(self.now + 1)));
            let passed = next - self.now;
            self.now = next;
            self.idle += passed;
            return Step::Idle(passed);
        };
        let packet = self.execute(&grant);
        Step::Ran(packet)
    }

    fn execute(&mut self, grant: &Grant) -> Packet {
        let start = self.now;
        let waiting = self.waiting();
        let flow = self.flows.iter().position(|flow| flow.entity == grant.entity);
        let ticks = match (grant.source, grant.entity, flow) {
            (Source::Slot, _, flow) => {
                let wakes = flow.map_or(u64::MAX, |flow| self.flows[flow].wakes_at);
                grant.cap.min(wakes.saturating_sub(start)).max(1)
            }
            (_, Entity::Paging(_), Some(flow)) => self.flows[flow].next_length().min(grant.cap).max(1),
            (_, _, Some(flow)) => self.flows[flow].next_length(),
            (_, _, None) => 1,
        };
        let end = start + ticks;
        self.deliver(end);
        self.now = end;
        if let Some(flow) = flow
            && grant.source != Source::Slot
            && let Demand::Closed(think) = self.flows[flow].demand
        {
            self.set_working(flow, false, end);
            let think = self.flows[flow].draw(think / 2, think / 2 + think);
            self.flows[flow].wakes_at = end + think.max(1);
        }
        self.scheduler.charge(grant, ticks, end);
        Packet { start, ticks, entity: grant.entity, source: grant.source, waiting }
    }

    /// When something happens next by itself.
    fn next_event(&self) -> u64 {
        let wakes = self.flows.iter().map(|flow| flow.wakes_at).min().unwrap_or(u64::MAX);
        self.changes.first().map_or(wakes, |(at, _)| wakes.min(*at))
    }

    /// Lets everything happen that is due by `time`, each at its own time; changes before wakes.
    fn deliver(&mut self, time: u64) {
        loop {
            let at = self.next_event();
            if at > time {
                return;
            }
            if self.changes.first().is_some_and(|(due, _)| *due == at) {
                let (at, change) = self.changes.remove(0);
                self.apply(change, at);
                continue;
            }
            for flow in 0..self.flows.len() {
                if self.flows[flow].wakes_at == at {
                    self.flows[flow].wakes_at = u64::MAX;
                    self.set_working(flow, true, at);
                }
            }
        }
    }

    fn apply(&mut self, change: Change, at: u64) {
        let scheduler = &mut self.scheduler;
        let done = match change {
            Change::Policy(vf, policy) => scheduler.set_policy(vf, policy, at),
            Change::Throttle(vf, permille) => scheduler.set_throttle(vf, permille, at),
            Change::Max(vf, permille) => scheduler.set_max(vf, permille, at),
            Change::Parameters(vf, parameters) => scheduler.set_parameters(vf, parameters, at),
            Change::Demand(flow, demand) => {
                self.demand(flow, demand, at);
                Ok(())
            }
            Change::Length(flow, length) => {
                self.flows[flow].length = length;
                self.flows[flow].replayed = 0;
                Ok(())
            }
            Change::Doorbell(flow) => {
                scheduler.set_runnable(self.flows[flow].entity, self.flows[flow].working, at);
                Ok(())
            }
        };
        done.expect("a change of the model names what exists");
    }

    fn demand(&mut self, flow: usize, demand: Demand, at: u64) {
        self.flows[flow].demand = demand;
        self.flows[flow].wakes_at = u64::MAX;
        self.set_working(flow, demand != Demand::Silent, at);
    }

    fn set_working(&mut self, flow: usize, working: bool, at: u64) {
        self.flows[flow].working = working;
        self.scheduler.set_runnable(self.flows[flow].entity, working, at);
    }
}
