//! When a VF executes, and how its share is split: one rule for power, pauses and migration.

use crate::migration::Phase;
use crate::sched::Policy;

/// Power state of a VF.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Power {
    /// D3: it executes nothing.
    #[default]
    Off,
    /// D0.
    On,
}

/// Everything that decides whether a VF executes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// It has memory.
    pub resourced: bool,
    /// Its power state.
    pub power: Power,
    /// The host paused it.
    pub paused: bool,
    /// Where its migration is.
    pub phase: Phase,
}

impl Standing {
    /// Whether the VF's commands are executed.
    pub fn executes(&self) -> bool {
        self.resourced && self.power == Power::On && !self.paused && !self.held()
    }

    /// Whether its migration keeps it off the engines.
    pub fn held(&self) -> bool {
        matches!(self.phase.policy(), Policy::SourceBlackout | Policy::Target)
    }

    /// How the engines share between the VF and paging on its behalf. A source that is paused leaves its whole
    /// share to paging.
    pub fn policy(&self) -> Policy {
        match self.phase.policy() {
            Policy::SourceBrownout if self.paused => Policy::SourceBlackout,
            policy => policy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vf_executes_only_when_nothing_speaks_against_it() {
        let on = Standing { resourced: true, power: Power::On, paused: false, phase: Phase::Idle };
        assert!(on.executes());
        assert!(!Standing { resourced: false, ..on }.executes());
        assert!(!Standing { power: Power::Off, ..on }.executes());
        assert!(!Standing { paused: true, ..on }.executes());
        for phase in Phase::ALL {
            let running = matches!(phase, Phase::Idle | Phase::SourcePrepared | Phase::ImmutableSaved);
            assert_eq!(Standing { phase, ..on }.executes(), running, "{phase}");
        }
    }

    #[test]
    fn a_paused_source_leaves_its_share_to_paging() {
        let source = Standing { phase: Phase::SourcePrepared, ..Standing::default() };
        assert_eq!(source.policy(), Policy::SourceBrownout);
        assert_eq!(Standing { paused: true, ..source }.policy(), Policy::SourceBlackout);
        assert_eq!(Standing { paused: true, ..Standing::default() }.policy(), Policy::Normal);
    }
}
