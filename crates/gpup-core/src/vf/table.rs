//! From an index to its VF: a fixed array, looked up without a lock.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::Vf;
use crate::shared::Shared;
use crate::{Error, Result, VfIndex, boxed};

/// The seats of all VFs an adapter can have.
pub struct VfTable(Box<[Vf]>);

impl VfTable {
    pub(crate) fn new(shared: &Arc<Shared>, seats: u32) -> Result<Self> {
        let mut indices = 0..;
        let seat = || Vf::new(indices.next().unwrap_or(VfIndex::MAX), shared.clone());
        boxed::slice(seats as usize, seat).map(Self)
    }

    /// The seat with an index.
    pub fn get(&self, index: VfIndex) -> Result<&Vf> {
        self.0.get(index as usize).ok_or(Error::UnknownVf)
    }

    /// All seats.
    pub fn iter(&self) -> impl Iterator<Item = &Vf> {
        self.0.iter()
    }
}
