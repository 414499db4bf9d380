//! How a VF stands, in one word that is read without its lock: what is collected when something hangs must not wait for
//! the call that hangs with it.

use core::sync::atomic::{AtomicU32, Ordering};

use super::{Power, Standing};
use crate::migration::Phase;

const EXISTS: u32 = 1 << 31;
const RESOURCED: u32 = 1;
const POWERED: u32 = 2;
const PAUSED: u32 = 4;
const PHASE_SHIFT: u32 = 8;

/// The word: a VF that does not exist is zero.
#[derive(Debug, Default)]
pub(super) struct Glance(AtomicU32);

impl Glance {
    /// Notes how the VF stands from now on.
    pub(super) fn set(&self, standing: Option<Standing>) {
        self.0.store(standing.map_or(0, word), Ordering::Relaxed);
    }

    /// How it stands.
    pub(super) fn read(&self) -> Option<Standing> {
        let word = self.0.load(Ordering::Relaxed);
        let phase = Phase::ALL.get((word & !EXISTS) as usize >> PHASE_SHIFT).copied()?;
        (word & EXISTS != 0).then_some(Standing {
            resourced: word & RESOURCED != 0,
            power: if word & POWERED != 0 { Power::On } else { Power::Off },
            paused: word & PAUSED != 0,
            phase,
        })
    }
}

fn word(standing: Standing) -> u32 {
    let phase = Phase::ALL.iter().position(|phase| *phase == standing.phase).unwrap_or(0) as u32;
    let flag = |set: bool, bit: u32| if set { bit } else { 0 };
    EXISTS
        | flag(standing.resourced, RESOURCED)
        | flag(standing.power == Power::On, POWERED)
        | flag(standing.paused, PAUSED)
        | phase << PHASE_SHIFT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_standing_is_read_as_it_was_set() {
        let glance = Glance::default();
        assert_eq!(glance.read(), None);
        for (number, phase) in (0u32..).zip(Phase::ALL) {
            let power = if number % 3 == 0 { Power::On } else { Power::Off };
            let standing = Standing { resourced: number % 2 == 0, power, paused: number % 5 == 0, phase };
            glance.set(Some(standing));
            assert_eq!(glance.read(), Some(standing));
        }
        glance.set(None);
        assert_eq!(glance.read(), None);
    }
}
