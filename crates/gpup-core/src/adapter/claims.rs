//! Which VF has which VRAM, so that no two ever share a byte.

use alloc::vec::Vec;

use crate::device::Region;
use crate::os::SpinLock;
use crate::{Error, Result, VfIndex};

/// The regions of all VFs. The lock is held for a walk over a short list, never while anything is waited for.
pub(crate) struct Claims(SpinLock<Vec<(VfIndex, Region)>>);

impl Claims {
    pub(crate) fn new() -> Self {
        Self(SpinLock::new(Vec::new()))
    }

    /// Refused when one of `regions` is another VF's or two of them overlap.
    pub(crate) fn check(&self, vf: VfIndex, regions: &[Region]) -> Result<()> {
        check(&self.0.lock(), vf, regions)
    }

    /// Makes `regions` the only ones of `vf`; refused as [`Claims::check`] does, with nothing changed.
    pub(crate) fn claim(&self, vf: VfIndex, regions: &[Region]) -> Result<()> {
        let mut claims = self.0.lock();
        check(&claims, vf, regions)?;
        claims
            .try_reserve(regions.len())
            .map_err(|_| Error::NoResources)?;
        claims.retain(|(owner, _)| *owner != vf);
        claims.extend(regions.iter().map(|region| (vf, *region)));
        Ok(())
    }

    /// `vf` has no memory any more.
    pub(crate) fn release(&self, vf: VfIndex) {
        self.0.lock().retain(|(owner, _)| *owner != vf);
    }
}

fn check(claims: &[(VfIndex, Region)], vf: VfIndex, regions: &[Region]) -> Result<()> {
    for (index, region) in regions.iter().enumerate() {
        let own = regions[..index].iter().any(|other| overlap(region, other));
        let others = claims
            .iter()
            .any(|(owner, other)| *owner != vf && overlap(region, other));
        if own || others {
            return Err(Error::InvalidParameter);
        }
    }
    Ok(())
}

fn overlap(a: &Region, b: &Region) -> bool {
    a.offset < b.end() && b.offset < a.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(offset: u64, bytes: u64) -> Region {
        Region { offset, bytes }
    }

    #[test]
    fn no_two_vfs_share_a_byte() {
        crate::os::host::install();
        let claims = Claims::new();
        claims.claim(0, &[region(0, 4096), region(8192, 4096)]).unwrap();
        assert_eq!(
            claims.claim(1, &[region(4096, 4097)]).unwrap_err(),
            Error::InvalidParameter
        );
        claims.claim(1, &[region(4096, 4096)]).unwrap();
        assert_eq!(
            claims
                .claim(2, &[region(1 << 20, 8), region(1 << 20, 8)])
                .unwrap_err(),
            Error::InvalidParameter
        );
        claims.claim(0, &[region(0, 4096)]).unwrap();
        claims.claim(2, &[region(8192, 4096)]).unwrap();
        claims.release(2);
        claims.claim(1, &[region(8192, 4096)]).unwrap();
    }
}
