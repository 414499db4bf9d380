//! A batch of pages on the wire: which pages, which of them are all zero, and the bytes of the others.
//!
//! ```text
//! u32 length of the list | list of runs (postcard) | bytes of the pages that are not zero, in order
//! ```

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::pages::run::Run;
use crate::wire::talk::decode;

/// How the bytes of a batch are packed.
pub trait Packer: Send + Sync {
    /// Number of the packing on the wire; 0 is taken: bytes as they are.
    fn id(&self) -> u8;
    /// Packs `data` into `out`; false when it is not worth it and `data` shall go as it is.
    fn pack(&self, data: &[&[u8]], out: &mut Vec<u8>) -> bool;
}

/// Unpacks what any [`Packer`] packed.
pub trait Unpacker: Send + Sync {
    /// Fills `out` exactly from `packed`; false when that cannot be.
    fn unpack(&self, id: u8, packed: &[u8], out: &mut [u8]) -> bool;
}

/// What goes before the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Number of the iteration.
    pub iteration: u32,
    /// How the bytes are packed.
    pub packing: u8,
    /// The pages: those with bytes, then nothing of those that are zero.
    pub runs: Vec<(Run, Content)>,
}

/// What is in the pages of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// Their bytes follow.
    Bytes,
    /// They are all zero.
    Zero,
}

impl List {
    /// Sorts the pages of `runs`, whose bytes lie in `staging` in order, into zero ones and others.
    pub fn sort(&mut self, iteration: u32, runs: &[Run], staging: &[u8], page_bytes: usize, find_zero: bool) {
        self.iteration = iteration;
        self.packing = 0;
        self.runs.clear();
        let mut pages = staging.chunks_exact(page_bytes);
        for run in runs {
            for page in run.first..run.first + run.count {
                let bytes = pages.next().unwrap_or_default();
                let content = if find_zero && is_zero(bytes) { Content::Zero } else { Content::Bytes };
                match self.runs.last_mut() {
                    Some((last, same)) if *same == content && last.first + last.count == page => {
                        last.count += 1
                    }
                    _ => self.runs.push((Run { first: page, count: 1 }, content)),
                }
            }
        }
    }

    /// Pages of this content.
    pub fn pages(&self, content: Content) -> u64 {
        self.runs.iter().filter(|(_, is)| *is == content).map(|(run, _)| run.count).sum()
    }

    /// The pieces of `staging` that hold the bytes to be sent.
    pub fn pieces<'a>(&self, staging: &'a [u8], page_bytes: usize, out: &mut Vec<&'a [u8]>) {
        out.clear();
        let mut at = 0;
        for (run, content) in &self.runs {
            let bytes = run.count as usize * page_bytes;
            if *content == Content::Bytes {
                out.push(&staging[at..at + bytes]);
            }
            at += bytes;
        }
    }

    /// Decodes and checks a list from the wire: every run inside the VF, no more pages than a batch holds.
    pub fn parse(raw: &[u8], vf_pages: u64, batch_pages: u64) -> Result<Self, Error> {
        let list: Self = decode(raw)?;
        let mut total = 0u64;
        for (run, _) in &list.runs {
            let end = run.first.checked_add(run.count).filter(|end| *end <= vf_pages && run.count > 0);
            total = total.saturating_add(run.count);
            if end.is_none() || total > batch_pages {
                return Err(Error::Protocol("a batch names pages that the VF does not have"));
            }
        }
        Ok(list)
    }
}

/// Whether all of `bytes` are zero. A few samples first: most pages differ early.
pub fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let sample = |at: usize| words.get(at).is_none_or(|word| u64::from_ne_bytes(*word) == 0);
    if !(sample(0) && sample(words.len() / 2) && sample(words.len().saturating_sub(1))) {
        return false;
    }
    let fold = words.iter().fold(0, |all, word| all | u64::from_ne_bytes(*word));
    fold == 0 && rest.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn run(first: u64, count: u64) -> Run {
        Run { first, count }
    }

    #[test]
    fn zero_pages_are_found_and_sent_without_bytes() {
        let mut staging = vec![0u8; 5 * 64];
        staging[64] = 1;
        staging[3 * 64 + 63] = 1;
        let mut list = List::default();
        list.sort(3, &[run(10, 3), run(20, 2)], &staging, 64, true);
        let expected = [
            (run(10, 1), Content::Zero),
            (run(11, 1), Content::Bytes),
            (run(12, 1), Content::Zero),
            (run(20, 1), Content::Bytes),
            (run(21, 1), Content::Zero),
        ];
        assert_eq!(list.runs, expected);
        let mut pieces = Vec::new();
        list.pieces(&staging, 64, &mut pieces);
        assert_eq!(pieces, [&staging[64..128], &staging[192..256]]);
        assert_eq!((list.pages(Content::Zero), list.pages(Content::Bytes)), (3, 2));
    }

    #[test]
    fn without_zero_pages_all_bytes_are_sent_as_one_run() {
        let staging = vec![0u8; 3 * 64];
        let mut list = List::default();
        list.sort(0, &[run(1, 3)], &staging, 64, false);
        assert_eq!(list.runs, [(run(1, 3), Content::Bytes)]);
    }

    #[test]
    fn a_single_byte_anywhere_makes_a_page_not_zero() {
        for at in 0..100 {
            let mut page = vec![0u8; 100];
            assert!(is_zero(&page));
            page[at] = 0x80;
            assert!(!is_zero(&page), "byte {at}");
        }
    }

    #[test]
    fn a_list_that_reaches_outside_the_vf_is_refused() {
        let encode = |runs: Vec<(Run, Content)>| {
            postcard::to_allocvec(&List { iteration: 0, packing: 0, runs }).unwrap()
        };
        assert!(List::parse(&encode(vec![(run(9, 1), Content::Bytes)]), 10, 4).is_ok());
        for bad in [run(10, 1), run(9, 2), run(u64::MAX, 2), run(0, 5), run(0, 0)] {
            assert!(List::parse(&encode(vec![(bad, Content::Zero)]), 10, 4).is_err(), "{bad:?}");
        }
        assert!(List::parse(&[0xff; 40], 10, 4).is_err());
    }
}
