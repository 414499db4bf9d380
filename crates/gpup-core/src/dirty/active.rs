//! The bases that are being tracked, and the publishing of a new map when one comes or goes.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::map::{Active, Map};
use super::published::Published;
use crate::os::{Mutex, MutexGuard};
use crate::{Error, Result};

/// All of them. The lock is held while a map is made and published, never while waiting for writers.
pub(super) struct ActiveBases {
    bases: Mutex<Vec<Active>>,
    count: AtomicUsize,
}

impl ActiveBases {
    pub(super) const fn new() -> Self {
        Self { bases: Mutex::new(Vec::new()), count: AtomicUsize::new(0) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// Lets writers mark a basis. After the return every writer does.
    pub(super) fn insert(&self, basis: Active, map: &Published<Map>, relax: impl FnMut(u32)) -> Result<()> {
        let mut bases = self.bases.lock();
        bases.try_reserve(1).map_err(|_| Error::NoResources)?;
        bases.push(basis);
        match Map::build(&bases) {
            Ok(fresh) => self.publish(bases, map, fresh, relax),
            Err(error) => {
                bases.pop();
                return Err(error);
            }
        }
        Ok(())
    }

    /// Takes a basis from the writers. After the return none marks it, unless there is no memory for another map: an
    /// end must not fail, so the old one goes on marking planes that nobody asks, until the next basis comes or goes.
    pub(super) fn remove(&self, slot: usize, map: &Published<Map>, relax: impl FnMut(u32)) -> Result<()> {
        let mut bases = self.bases.lock();
        let at = bases.iter().position(|basis| basis.slot == slot).ok_or(Error::WrongState)?;
        bases.swap_remove(at);
        match Map::build(&bases) {
            Ok(fresh) => self.publish(bases, map, fresh, relax),
            Err(_) => self.count.store(bases.len(), Ordering::Relaxed),
        }
        Ok(())
    }

    /// Replaces the map, and frees the old one when its readers are gone; the lock is free while it waits.
    fn publish(
        &self,
        bases: MutexGuard<'_, Vec<Active>>,
        map: &Published<Map>,
        fresh: Map,
        relax: impl FnMut(u32),
    ) {
        let retired = map.replace(Box::new(fresh));
        self.count.store(bases.len(), Ordering::Relaxed);
        drop(bases);
        drop(retired.reclaim(relax));
    }
}
