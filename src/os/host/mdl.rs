//! Memory descriptor lists of a host process: a page's frame number is its address divided by 4096.
//!
//! UNSAFETY: writes the list's header into its own memory.
#![expect(unsafe_code)]

use std::vec::Vec;

use gpup_core::{Error, PAGE_SIZE, Result};
use wddm::{MDL, MDL_PAGES_LOCKED, MDL_SOURCE_IS_NONPAGED_POOL};

/// A memory descriptor list over non-paged memory.
pub(crate) struct Mdl {
    /// The header, then one frame number a page; words, so that the header is aligned.
    words: Vec<u64>,
}

/// Words of the header before the frame numbers.
const HEADER_WORDS: usize = size_of::<MDL>() / size_of::<u64>();

impl Mdl {
    /// Describes `bytes` at `base`, both multiples of the page size.
    pub(crate) fn new(base: *mut u8, bytes: usize) -> Result<Self> {
        let page = PAGE_SIZE as usize;
        if !base.addr().is_multiple_of(page) || !bytes.is_multiple_of(page) || bytes == 0 {
            return Err(Error::Misaligned);
        }
        let pages = bytes / page;
        let mut words = vec![0u64; HEADER_WORDS];
        words.extend((0..pages).map(|index| base.expose_provenance() as u64 / PAGE_SIZE + index as u64));
        let header = MDL {
            Size: i16::try_from(words.len() * size_of::<u64>()).map_err(|_| Error::OutOfRange)?,
            MdlFlags: MDL_SOURCE_IS_NONPAGED_POOL | MDL_PAGES_LOCKED,
            MappedSystemVa: base.cast(),
            StartVa: base.cast(),
            ByteCount: u32::try_from(bytes).map_err(|_| Error::OutOfRange)?,
            ..MDL::zeroed()
        };
        // SAFETY: the vector begins with room for the header, aligned to 8 as the header is.
        unsafe { words.as_mut_ptr().cast::<MDL>().write(header) };
        Ok(Self { words })
    }

    /// The list, for Dxgkrnl. It lives as long as `self`.
    pub(crate) fn as_ptr(&self) -> *mut MDL {
        self.words.as_ptr().cast::<MDL>().cast_mut()
    }

    /// Physical address of the first page.
    pub(crate) fn physical_address(&self) -> u64 {
        self.words[HEADER_WORDS] * PAGE_SIZE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mdl_lists_every_page() {
        #[repr(align(4096))]
        struct Pages([u8; 12288]);
        let mut pages = Box::new(Pages([0; 12288]));
        let base = pages.0.as_mut_ptr();
        let mdl = Mdl::new(base, 12288).unwrap();
        assert_eq!(mdl.physical_address(), base.addr() as u64);
        assert_eq!(mdl.words[HEADER_WORDS + 2], base.addr() as u64 / 4096 + 2);
        // SAFETY: the list begins with its header.
        let header = unsafe { &*mdl.as_ptr() };
        assert_eq!(
            (header.ByteCount, header.ByteOffset, usize::try_from(header.Size)),
            (12288, 0, Ok(48 + 24))
        );
    }
}
