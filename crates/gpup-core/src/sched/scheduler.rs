//! The decisions: who has work, who runs next, what that cost.

use alloc::vec::Vec;

use super::clock::{MOST_TICKS, VirtualClock};
use super::heap::{Heap, filled};
use super::node::{Child, Node, State};
use super::types::{Entity, Grant, Limits, Source, Totals};
use super::waits::Waits;
use crate::{Error, Result, VfIndex};

/// Index of the PF's node; VF m has index `m + 1`.
pub(super) const PF: usize = 0;

/// Most VFs an engine can have.
const MOST_VFS: u32 = 65_535;

/// A grant that was given and not yet charged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    serial: u64,
    /// Node whose turn it is, and which child's packet runs; none in the idle class.
    turn: Option<(usize, Child)>,
    /// VF in whose name the idle class pages.
    pub(super) idle: Option<usize>,
    /// Whether the VF's counters take it: not after a reset.
    pub(super) counts: bool,
}

impl Flight {
    /// A packet of a node's child.
    fn of(index: usize, child: Child) -> Self {
        Self { serial: 0, turn: Some((index, child)), idle: None, counts: true }
    }

    /// Whether it runs in this node's turn.
    pub(super) fn is_of(&self, index: usize) -> bool {
        self.turn.is_some_and(|(turn, _)| turn == index)
    }
}

/// The scheduler of one engine.
///
/// Ticks are nanoseconds of engine time, as the device measures them; `now` is a monotonic clock in nanoseconds.
/// Indices of VFs must be below the number given to [`Scheduler::new`]: control calls refuse others,
/// [`Scheduler::set_runnable`] ignores them.
#[derive(Debug)]
pub struct Scheduler {
    pub(super) limits: Limits,
    pub(super) nodes: Vec<Node>,
    /// How long the guests' packets waited; apart from the nodes, which every decision looks at.
    pub(super) waits: Vec<Waits>,
    pub(super) clock: VirtualClock,
    /// Not yet eligible, by start; and draining, by virtual time.
    pub(super) waiting: Heap,
    /// Eligible, by deadline.
    pub(super) eligible: Heap,
    /// Under a ceiling, by the time it opens.
    pub(super) capped: Heap,
    /// VFs whose paging waits for its bandwidth, by the time it may go on.
    pub(super) paced: Heap,
    /// Paging of migrating VFs that may go on, by time taken from the idle class.
    pub(super) idle: Heap,
    pub(super) idle_time: u64,
    /// Node on its turn: in no heap.
    pub(super) current: Option<usize>,
    flight: Option<Flight>,
    serial: u64,
    /// Nodes in `State::Runnable`.
    pub(super) runnable: usize,
    /// VFs with paging to do and no migration: the PF's everyday work.
    pub(super) stray: usize,
    /// Where the search for stray paging goes on, and whether it is next in the PF's node.
    stray_next: usize,
    stray_turn: bool,
    /// Weights of all VFs that were given parameters, and how many those are.
    pub(super) configured_weight: u64,
    pub(super) configured: u64,
    /// The longest a quantum counts as: the turns of all those and the PF then fit in the patience of a guest.
    pub(super) longest_turn: u64,
    pub(super) totals: Totals,
}

impl Scheduler {
    /// The scheduler of an engine that at most `max_vfs` VFs share.
    pub fn new(max_vfs: u32, limits: Limits) -> Result<Self> {
        let ticks = [limits.packet, limits.chunk, limits.pf_quantum, limits.patience];
        if max_vfs > MOST_VFS
            || ticks.iter().any(|&ticks| ticks == 0 || ticks > MOST_TICKS)
            || limits.paging_permille > 1000
            || !(1..=1_000_000).contains(&limits.paging_ppm)
            || limits.pf_weight == 0
        {
            return Err(Error::InvalidParameter);
        }
        let count = max_vfs as usize + 1;
        let mut nodes = filled(count, Node::new(&limits))?;
        nodes[PF].parameters.weight = limits.pf_weight;
        nodes[PF].weight = nodes[PF].parameters.effective_weight();
        nodes[PF].quantum = limits.pf_quantum;
        nodes[PF].timeout = 0;
        Ok(Self {
            limits,
            nodes,
            waits: filled(count, Waits::default())?,
            clock: VirtualClock::default(),
            waiting: Heap::new(count)?,
            eligible: Heap::new(count)?,
            capped: Heap::new(count)?,
            paced: Heap::new(count)?,
            idle: Heap::new(count)?,
            idle_time: 0,
            current: None,
            flight: None,
            serial: 0,
            runnable: 0,
            stray: 0,
            stray_next: 0,
            stray_turn: false,
            configured_weight: 0,
            configured: 0,
            longest_turn: limits.patience,
            totals: Totals::default(),
        })
    }

    /// Says whether `entity` has packets. Idempotent. Work that goes away while a packet of the entity runs
    /// takes effect when that is charged.
    pub fn set_runnable(&mut self, entity: Entity, runnable: bool, now: u64) {
        match entity {
            Entity::Pf => {
                self.nodes[PF].own.work = runnable;
                self.settle(PF, now);
            }
            Entity::Vf(vf) => {
                let Ok(index) = self.index(vf) else { return };
                let node = &mut self.nodes[index];
                if node.own.work != runnable {
                    node.own.work = runnable;
                    node.waiting_since = now;
                    self.settle(index, now);
                }
            }
            Entity::Paging(vf) => {
                let Ok(index) = self.index(vf) else { return };
                let node = &mut self.nodes[index];
                if node.paging.work != runnable {
                    let was_stray = node.is_stray();
                    node.paging.work = runnable;
                    self.settle_paging(index, was_stray, now);
                }
            }
        }
    }

    /// Chooses the next packet; none if nothing may run now. A grant that was not charged counts as returned
    /// unused. Never none while something runnable is under no ceiling.
    pub fn pick(&mut self, now: u64) -> Option<Grant> {
        if let Some(Flight { turn: Some((index, _)), .. }) = self.flight.take() {
            self.settle(index, now);
        }
        self.open_caps(now);
        if self.current.is_none() {
            self.current = self.eligible.pop().map(|(_, index)| index as usize);
        }
        debug_assert!(self.current.is_some() || self.runnable == 0, "runnable, yet none eligible");
        let Some(index) = self.current else {
            return self.pick_idle(None);
        };
        let rest = self.rest(index);
        if index == PF {
            let entity = self.choose_pf();
            return Some(self.grant(entity, Source::Share, rest, Flight::of(PF, Child::Own)));
        }
        let vf = index as VfIndex - 1;
        let node = &mut self.nodes[index];
        match node.choose(now) {
            Some(Child::Own) => {
                let wait = now.saturating_sub(node.waiting_since);
                node.counters.worst_wait = node.counters.worst_wait.max(wait);
                self.waits[index].count(wait);
                Some(self.grant(Entity::Vf(vf), Source::Share, rest, Flight::of(index, Child::Own)))
            }
            Some(Child::Paging) => {
                let cap = rest.min(self.limits.chunk);
                Some(self.grant(Entity::Paging(vf), Source::Share, cap, Flight::of(index, Child::Paging)))
            }
            // A slot without work. Paging for others may use it: nobody else would.
            None => self.pick_idle(Some(index)).or_else(|| {
                Some(self.grant(Entity::Vf(vf), Source::Slot, rest, Flight::of(index, Child::Own)))
            }),
        }
    }

    /// Accounts what ran under `grant`: `ticks` of engine time, the switch to the VF included, ended at `now`.
    /// A grant already charged, or replaced by a later one, only counts in the totals.
    pub fn charge(&mut self, grant: &Grant, ticks: u64, now: u64) {
        let ticks = ticks.min(MOST_TICKS);
        let flight = self.flight.take_if(|flight| flight.serial == grant.serial);
        self.count(grant, ticks, flight);
        let Some(flight) = flight else { return };
        if let Some(index) = flight.idle {
            self.nodes[index].idle_tag = self.nodes[index].idle_tag.wrapping_add(ticks);
            self.pace(index, ticks, now);
            self.settle(index, now);
        }
        let Some((index, child)) = flight.turn else { return };
        let node = &mut self.nodes[index];
        if grant.source == Source::Share {
            node.charge_child(child, ticks);
            node.learn(ticks);
            if child == Child::Own {
                node.waiting_since = now;
            }
        }
        node.charge_caps(child, ticks, now, self.limits.patience);
        let step = node.serve(ticks);
        let (weight, goes_on) = (node.weight, node.turn_goes_on());
        let preempted = !goes_on && child == Child::Own && node.own.work && self.runnable > 1;
        node.counters.preemptions += u64::from(preempted && flight.counts);
        if child == Child::Paging {
            self.pace(index, ticks, now);
        }
        self.clock.serve(weight, step);
        self.advance();
        if self.ready_at(index) > now {
            self.settle(index, now);
        } else if !goes_on {
            self.current = None;
            self.nodes[index].request(self.longest_turn);
            self.queue(index);
        }
    }

    /// Whether a packet that has run for `elapsed` ticks under `grant` is past its quantum and the preemption timeout
    /// while another waits, so that the engine should be reset for its VF. Never for paging, since the
    /// operating system answers the reset of a paging packet with the reset of the adapter; nor for the PF's
    /// own packets, which the operating system watches itself.
    pub fn over_run(&self, grant: &Grant, elapsed: u64) -> bool {
        let (Entity::Vf(vf), Source::Share) = (grant.entity, grant.source) else {
            return false;
        };
        let Ok(index) = self.index(vf) else { return false };
        let sibling = self.nodes[index].wants(Child::Paging, 0);
        let itself = usize::from(self.nodes[index].state == State::Runnable);
        grant.is_overdue(elapsed) && (sibling || self.runnable > itself)
    }

    /// When the first of those under a ceiling may run, if nothing may run before.
    pub fn next_allowed(&self, now: u64) -> Option<u64> {
        if self.runnable > 0 || self.idle.peek().is_some() {
            return None;
        }
        let opens = [&self.capped, &self.paced].into_iter().filter_map(|heap| heap.peek());
        opens.map(|(at, _)| at.max(now)).min()
    }

    /// The index of a VF's node.
    pub(super) fn index(&self, vf: VfIndex) -> Result<usize> {
        let index = vf as usize + 1;
        if index < self.nodes.len() { Ok(index) } else { Err(Error::UnknownVf) }
    }

    /// Forgets, for the VF's counters, the packet in flight: it belongs to a VF that was reset.
    pub(super) fn disown_flight(&mut self, index: usize) {
        if let Some(flight) = &mut self.flight
            && (flight.idle == Some(index) || flight.is_of(index))
        {
            flight.counts = false;
        }
    }

    /// Whether a packet of this node's share runs.
    pub(super) fn in_flight(&self, index: usize) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.is_of(index))
    }

    /// What is left of a node's request.
    fn rest(&self, index: usize) -> u64 {
        self.nodes[index].reserved.saturating_sub(self.nodes[index].used)
    }

    /// Gives a grant.
    fn grant(&mut self, entity: Entity, source: Source, cap: u64, flight: Flight) -> Grant {
        let overdue = match (entity, flight.turn) {
            (Entity::Vf(_), Some((index, _))) => self.nodes[index].overdue(self.longest_turn),
            _ => 0,
        };
        self.serial += 1;
        self.flight = Some(Flight { serial: self.serial, ..flight });
        Grant { entity, source, cap, overdue, serial: self.serial }
    }

    /// Chooses in the idle class; `slot` is a VF without work in whose slot this falls.
    fn pick_idle(&mut self, slot: Option<usize>) -> Option<Grant> {
        let (tag, index) = self.idle.peek()?;
        self.idle_time = tag;
        let chunk = self.limits.chunk;
        let cap = slot.map_or(chunk, |slot| chunk.min(self.rest(slot)));
        let flight = Flight {
            turn: slot.map(|slot| (slot, Child::Own)),
            idle: Some(index as usize),
            ..Flight::of(PF, Child::Own)
        };
        Some(self.grant(Entity::Paging(index - 1), Source::Idle, cap, flight))
    }

    /// Chooses in the PF's node: by turns its own work and paging for VFs that do not migrate.
    fn choose_pf(&mut self) -> Entity {
        if self.stray == 0 || (self.nodes[PF].own.work && !self.stray_turn) {
            self.stray_turn = true;
            return Entity::Pf;
        }
        self.stray_turn = false;
        let vfs = self.nodes.len() - 1;
        for _ in 0..vfs {
            self.stray_next = self.stray_next % vfs + 1;
            if self.nodes[self.stray_next].is_stray() {
                return Entity::Paging(self.stray_next as VfIndex - 1);
            }
        }
        Entity::Pf
    }
}
