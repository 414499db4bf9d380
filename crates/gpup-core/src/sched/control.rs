//! What administrators and migrations set, and what they read.
//!
//! A change is in force with the next packet of its VF. It touches no other VF's tags.

use super::Scheduler;
use super::cap::{Usage, WHOLE};
use super::types::{Counters, Policy, VfParameters};
use super::waits::Waits;
use crate::{Error, Result, VfIndex};

impl Scheduler {
    /// Sets a VF's quantum, preemption timeout, priority and weight. A quantum above 100 s and a weight above
    /// 2^20 take effect as that; a quantum or weight of 0 is refused. Where many VFs share the engine a turn is
    /// shorter than the quantum: see [`Limits::patience`](super::Limits::patience).
    pub fn set_parameters(&mut self, vf: VfIndex, parameters: VfParameters, now: u64) -> Result<()> {
        let index = self.index(vf)?;
        if parameters.quantum_us == 0 || parameters.weight == 0 {
            return Err(Error::InvalidParameter);
        }
        let node = &mut self.nodes[index];
        let old = if node.configured { u64::from(node.weight) } else { 0 };
        let turn = (node.quantum, node.timeout);
        let joins = !node.configured;
        node.configured = true;
        node.parameters = parameters;
        node.take_turn_lengths();
        let turn_changed = turn != (node.quantum, node.timeout);
        if joins {
            self.set_configured(self.configured + 1);
        }
        let node = &self.nodes[index];
        let (present, weight) = (node.weight, parameters.effective_weight());
        self.configured_weight = self.configured_weight - old + u64::from(weight);
        if weight != present {
            self.reweigh(index, weight);
        } else if turn_changed {
            self.renew(index);
        }
        self.set_ceilings(index);
        self.settle(index, now);
        Ok(())
    }

    /// What an administrator set for a VF.
    pub fn parameters(&self, vf: VfIndex) -> Result<VfParameters> {
        Ok(self.nodes[self.index(vf)?].parameters)
    }

    /// Sets the most a VF's node may take of the engine, in millionths; 1 000 000 = all of it.
    pub fn set_max(&mut self, vf: VfIndex, ppm: u32, now: u64) -> Result<()> {
        let index = self.index(vf)?;
        if ppm == 0 || ppm > 1_000_000 {
            return Err(Error::InvalidParameter);
        }
        self.nodes[index].max.set(u64::from(ppm) * WHOLE / 1_000_000);
        self.settle(index, now);
        Ok(())
    }

    /// The most a VF's node may take of the engine, in millionths.
    pub fn max(&self, vf: VfIndex) -> Result<u32> {
        Ok(self.nodes[self.index(vf)?].max.ppm())
    }

    /// Sets a VF's migration policy. [`Policy::Normal`] also lifts the throttle.
    pub fn set_policy(&mut self, vf: VfIndex, policy: Policy, now: u64) -> Result<()> {
        let index = self.index(vf)?;
        let paging_permille = self.limits.paging_permille;
        let node = &mut self.nodes[index];
        if node.policy == policy {
            return Ok(());
        }
        let was_stray = node.is_stray();
        if node.policy == Policy::Normal {
            node.before = node.usage.estimate(now);
        }
        node.policy = policy;
        node.share(match policy {
            Policy::Normal => 0,
            Policy::SourceBrownout => paging_permille,
            Policy::SourceBlackout | Policy::Target => 1000,
        });
        if policy == Policy::Normal {
            node.throttle_permille = 1000;
            node.usage.resume(now);
        }
        self.set_ceilings(index);
        self.settle_paging(index, was_stray, now);
        Ok(())
    }

    /// A VF's migration policy.
    pub fn policy(&self, vf: VfIndex) -> Result<Policy> {
        Ok(self.nodes[self.index(vf)?].policy)
    }

    /// Slows a migrating VF's guest to so many thousandths of what it used before the migration, or of its share if
    /// that is not known; 1000 = not at all. No packet waits for the throttle longer than
    /// [`Limits::patience`](super::Limits::patience), so no guest takes it for a hang.
    /// Refused without a migration.
    pub fn set_throttle(&mut self, vf: VfIndex, permille: u32, now: u64) -> Result<()> {
        let index = self.index(vf)?;
        if permille == 0 || permille > 1000 {
            return Err(Error::InvalidParameter);
        }
        let node = &mut self.nodes[index];
        if node.policy == Policy::Normal && permille < 1000 {
            return Err(Error::WrongState);
        }
        node.throttle_permille = permille;
        self.set_ceilings(index);
        self.settle(index, now);
        Ok(())
    }

    /// The throttle of a VF's guest, in thousandths.
    pub fn throttle(&self, vf: VfIndex) -> Result<u32> {
        Ok(self.nodes[self.index(vf)?].throttle_permille)
    }

    /// A function level reset: the guest's work is gone, its counters and what was learnt of it are as new.
    /// Parameters, policy and throttle stay, and so does time it owes: a reset does not shed it.
    pub fn reset(&mut self, vf: VfIndex, now: u64) -> Result<()> {
        let index = self.index(vf)?;
        self.disown_flight(index);
        let longest = self.limits.packet;
        let node = &mut self.nodes[index];
        node.own.work = false;
        node.counters = Counters::default();
        node.longest = longest;
        node.usage = Usage::since(now);
        self.waits[index] = Waits::default();
        self.settle(index, now);
        Ok(())
    }

    /// The VF is destroyed: a reset, and no migration, throttle, ceiling or parameters any more.
    pub fn remove(&mut self, vf: VfIndex, now: u64) -> Result<()> {
        let index = self.index(vf)?;
        self.reset(vf, now)?;
        self.set_policy(vf, Policy::Normal, now)?;
        self.set_max(vf, 1_000_000, now)?;
        self.set_parameters(vf, VfParameters::default(), now)?;
        let node = &mut self.nodes[index];
        node.configured = false;
        node.before = None;
        self.configured_weight -= u64::from(node.weight);
        self.set_configured(self.configured - 1);
        Ok(())
    }

    /// So many VFs share the engine from now on. Turns that wait keep their length.
    fn set_configured(&mut self, vfs: u64) {
        self.configured = vfs;
        self.longest_turn = self.limits.patience / (vfs + 1);
    }

    /// A VF's part of the engine by the weights of all VFs that were given parameters.
    fn share_of(&self, index: usize) -> u64 {
        let weight = u64::from(self.nodes[index].weight);
        (weight * WHOLE) / self.configured_weight.max(weight)
    }

    /// Sets the ceilings of a migration and a throttle from what they depend on.
    fn set_ceilings(&mut self, index: usize) {
        let share = self.share_of(index);
        let (patience, pages) = (self.limits.patience, self.limits.paging_permille > 0);
        let guest_part = u64::from(1000 - self.limits.paging_permille).max(1);
        let node = &mut self.nodes[index];
        let request = node.quantum.max(node.longest).min(patience);
        // The guest gets through a request within `patience`; nobody needs more than the share for that.
        let least = (request * WHOLE / patience).min(share);
        let used_less = node.before.filter(|&used| used < share);
        let node_rate = match (node.policy, used_less) {
            (Policy::SourceBrownout, Some(used)) if pages => used.max(least * 1000 / guest_part).min(share),
            _ => WHOLE,
        };
        node.migration.set(node_rate);
        let guest_rate = match node.throttle_permille {
            1000 => WHOLE,
            permille => node.before.unwrap_or(share) * u64::from(permille) / 1000,
        };
        node.throttle.set(guest_rate);
    }
}
