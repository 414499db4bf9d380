//! BAR 0 of each VF as memory that Dxgkrnl can map: one memory descriptor list a VF, made when it is first asked for.

use alloc::boxed::Box;
use alloc::vec::Vec;

use gpup_core::device::BarPages;
use gpup_core::os::Mutex;
use gpup_core::{Error, Result, VfIndex};
use wddm::MDL;

use crate::os::Mdl;

/// Where BAR 0 of a VF lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backing {
    pub(crate) mdl: *mut MDL,
    pub(crate) physical: u64,
    pub(crate) bytes: usize,
}

/// The descriptor lists of all VFs, each under a lock of its own.
pub(crate) struct Bars(Box<[Mutex<Option<Mdl>>]>);

impl Bars {
    pub(crate) fn new(vfs: u32) -> Result<Self> {
        let mut seats = Vec::new();
        seats.try_reserve_exact(vfs as usize).map_err(|_| Error::NoResources)?;
        seats.resize_with(vfs as usize, || Mutex::new(None));
        Ok(Self(seats.into_boxed_slice()))
    }

    /// The list over a VF's BAR, whose pages are `pages`.
    pub(crate) fn backing(&self, vf: VfIndex, pages: BarPages) -> Result<Backing> {
        let mut mdl = self.0.get(vf as usize).ok_or(Error::UnknownVf)?.lock();
        let mdl = match &mut *mdl {
            Some(mdl) => mdl,
            none => none.insert(Mdl::new(pages.base, pages.bytes)?),
        };
        Ok(Backing { mdl: mdl.as_ptr(), physical: mdl.physical_address(), bytes: pages.bytes })
    }

    /// Frees the list of a VF that ends.
    pub(crate) fn drop_backing(&self, vf: VfIndex) {
        if let Some(mdl) = self.0.get(vf as usize) {
            *mdl.lock() = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(align(4096))]
    struct Page([u8; 4096]);

    #[test]
    fn a_list_lives_from_the_first_question_to_the_end_of_its_vf() {
        gpup_core::os::host::install();
        let mut page = Box::new(Page([0; 4096]));
        let mut pages = || BarPages { base: page.0.as_mut_ptr(), bytes: 4096 };
        let bars = Bars::new(1).unwrap();
        let first = bars.backing(0, pages()).unwrap();
        assert_eq!(bars.backing(0, pages()), Ok(first));
        assert_eq!(bars.backing(1, pages()), Err(Error::UnknownVf));
        bars.drop_backing(1);
        assert!(bars.0[0].lock().is_some());
        bars.drop_backing(0);
        assert!(bars.0[0].lock().is_none());
    }
}
