//! A discrete-event model of one engine under a [`Scheduler`]: virtual clock, seeded work, no real time.
//!
//! Each flow is an entity with a rule for its packets' lengths and for when it wants the next one. A packet runs
//! to its end, as on an engine that cannot be preempted inside one, unless [`Scheduler::over_run`] has the engine
//! reset. The same flows, seeds and changes give the same trace, so two runs can be compared packet by packet.

mod flow;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::{Entity, Grant, Policy, Scheduler, Source, VfParameters};
use crate::VfIndex;

pub use flow::{Demand, Flow, Length};

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
    /// How long it took, the switch to its VF included.
    pub ticks: u64,
    /// How much of that the switch took.
    pub switch: u64,
    /// How long it had been wanted when it was picked.
    pub waited: u64,
    /// An engine reset cut it off.
    pub reset: bool,
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
    /// Ticks it takes to turn the engine to another VF, charged to who comes.
    pub switch: u64,
    flows: Vec<Flow>,
    places: BTreeMap<Entity, usize>,
    wakes: BTreeSet<(u64, usize)>,
    changes: Vec<(u64, Change)>,
    working: usize,
    loaded: Option<VfIndex>,
}

impl Sim {
    /// An engine at time 0.
    pub fn new(scheduler: Scheduler) -> Self {
        Self {
            scheduler,
            now: 0,
            idle: 0,
            switch: 0,
            flows: Vec::new(),
            places: BTreeMap::new(),
            wakes: BTreeSet::new(),
            changes: Vec::new(),
            working: 0,
            loaded: None,
        }
    }

    /// Adds a flow that begins now; the answer is its index. An entity has one flow.
    pub fn add(&mut self, flow: Flow) -> usize {
        let (demand, entity) = (flow.demand, flow.entity);
        let place = self.flows.len();
        self.flows.push(flow);
        self.places.entry(entity).or_insert(place);
        self.demand(place, demand, self.now);
        place
    }

    /// Adds a change. Of several at one time the first added comes first.
    pub fn at(&mut self, time: u64, change: Change) {
        let place = self.changes.partition_point(|(other, _)| *other <= time);
        self.changes.insert(place, (time, change));
    }

    /// How many flows of VFs and the PF have work now; paging for a VF is none of them.
    pub fn waiting(&self) -> usize {
        self.working
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
        let (start, waiting) = (self.now, self.waiting());
        let flow = self.places.get(&grant.entity).copied();
        let waited = flow.map_or(0, |flow| start - self.flows[flow].since.min(start));
        let switch = self.turn(grant);
        let wanted = switch + self.length(grant, flow, switch);
        let (ticks, reset) = self.pass(grant, wanted);
        let end = start + ticks;
        self.now = end;
        if let Some(flow) = flow
            && grant.source != Source::Slot
        {
            self.packet_ended(flow, end);
        }
        self.scheduler.charge(grant, ticks, end);
        let (entity, source) = (grant.entity, grant.source);
        Packet { start, ticks, switch, waited, reset, entity, source, waiting }
    }

    /// Ticks to load the context that the grant needs.
    fn turn(&mut self, grant: &Grant) -> u64 {
        let context = match grant.entity {
            Entity::Vf(vf) => Some(vf),
            Entity::Pf | Entity::Paging(_) => None,
        };
        if grant.source == Source::Slot || context == self.loaded {
            return 0;
        }
        self.loaded = context;
        self.switch
    }

    /// Length of the packet, or of the slot.
    fn length(&mut self, grant: &Grant, flow: Option<usize>, switch: u64) -> u64 {
        let Some(flow) = flow.map(|flow| &mut self.flows[flow]) else {
            return if grant.source == Source::Slot { grant.cap.max(1) } else { 1 };
        };
        match (grant.source, grant.entity) {
            (Source::Slot, _) => grant.cap.min(flow.wakes_at.saturating_sub(self.now)).max(1),
            (_, Entity::Paging(_)) => flow.next_length().min(grant.cap.saturating_sub(switch)).max(1),
            _ => flow.next_length(),
        }
    }

    /// Lets `wanted` ticks pass, or fewer if the engine is reset before.
    fn pass(&mut self, grant: &Grant, wanted: u64) -> (u64, bool) {
        let end = self.now + wanted;
        let mut at = match grant.overdue {
            0 => end,
            overdue => end.min(self.now.saturating_add(overdue).saturating_add(1)),
        };
        loop {
            self.deliver(at);
            if at == end {
                return (wanted, false);
            }
            if let Entity::Vf(vf) = grant.entity
                && self.scheduler.over_run(grant, at - self.now)
            {
                self.scheduler.count_reset(vf).expect("the VF has packets");
                return (at - self.now, true);
            }
            at = self.next_event().min(end);
        }
    }

    /// A packet of the flow has ended.
    fn packet_ended(&mut self, flow: usize, end: u64) {
        self.flows[flow].since = end;
        if let Demand::Closed(think) = self.flows[flow].demand {
            self.set_working(flow, false, end);
            let think = self.flows[flow].draw(think / 2, think / 2 + think);
            self.wake_at(flow, end + think.max(1));
        }
    }

    /// When something happens next by itself.
    fn next_event(&self) -> u64 {
        let wakes = self.wakes.first().map_or(u64::MAX, |(at, _)| *at);
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
            if let Some((at, flow)) = self.wakes.pop_first() {
                self.flows[flow].wakes_at = u64::MAX;
                self.set_working(flow, true, at);
            }
        }
    }

    fn apply(&mut self, change: Change, at: u64) {
        let scheduler = &mut self.scheduler;
        let done = match change {
            Change::Policy(vf, policy) => scheduler.set_policy(vf, policy, at),
            Change::Throttle(vf, permille) => scheduler.set_throttle(vf, permille, at),
            Change::Max(vf, ppm) => scheduler.set_max(vf, ppm, at),
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
        self.wake_at(flow, u64::MAX);
        self.set_working(flow, demand != Demand::Silent, at);
    }

    /// Sets when a flow wants a packet again by itself; `u64::MAX` = never.
    fn wake_at(&mut self, flow: usize, at: u64) {
        let before = core::mem::replace(&mut self.flows[flow].wakes_at, at);
        self.wakes.remove(&(before, flow));
        if at != u64::MAX {
            self.wakes.insert((at, flow));
        }
    }

    fn set_working(&mut self, flow: usize, working: bool, at: u64) {
        let flow = &mut self.flows[flow];
        if flow.working != working {
            flow.working = working;
            flow.since = at;
            if !matches!(flow.entity, Entity::Paging(_)) {
                self.working = if working { self.working + 1 } else { self.working - 1 };
            }
        }
        self.scheduler.set_runnable(flow.entity, working, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sched::Limits;

    /// Two VFs that always have work, and paging for one of them.
    fn two(length: u64, parameters: VfParameters) -> Sim {
        let mut sim = Sim::new(Scheduler::new(2, Limits::default()).unwrap());
        for vf in 0..2 {
            sim.scheduler.set_parameters(vf, parameters, 0).unwrap();
            sim.add(Flow::new(Entity::Vf(vf), Demand::Saturated, Length::Fixed(length), u64::from(vf)));
        }
        sim
    }

    #[test]
    fn a_switch_takes_time_and_is_charged_to_who_comes() {
        let mut sim = two(1_000_000, VfParameters::default());
        sim.switch = 5_000;
        let trace = sim.run(1_000_000_000);
        let mut loaded = None;
        for packet in &trace {
            let comes = loaded.replace(packet.entity) != Some(packet.entity);
            assert_eq!(packet.switch, if comes { 5_000 } else { 0 });
            assert_eq!(packet.ticks, 1_000_000 + packet.switch);
        }
        assert!(trace.iter().filter(|packet| packet.switch > 0).count() > 200);
        assert_eq!(sim.scheduler.totals().busy, sim.now);
    }

    #[test]
    fn a_packet_waits_from_when_it_is_wanted() {
        let mut sim = two(4_000_000, VfParameters::default());
        let trace = sim.run(100_000_000);
        assert_eq!(trace[0].waited, 0);
        assert!(trace[1..].iter().all(|packet| packet.waited == 4_000_000), "{trace:?}");
    }

    #[test]
    fn a_packet_is_cut_only_once_somebody_waits() {
        let parameters = VfParameters { preempt_timeout_us: 1_000, ..VfParameters::default() };
        let mut sim = two(50_000_000, parameters);
        // Alone at first: 4 ms of request and 1 ms of timeout have long passed when the other wakes.
        sim.demand(1, Demand::Silent, 0);
        sim.at(20_000_000, Change::Demand(1, Demand::Saturated));
        let trace = sim.run(21_000_000);
        assert_eq!((trace[0].ticks, trace[0].reset), (20_000_000, true));
        assert_eq!(trace[1].entity, Entity::Vf(1));
        assert_eq!((trace[1].ticks, trace[1].reset), (5_000_001, true));
        assert_eq!(sim.scheduler.counters(0).unwrap().resets, 1);
    }
}
