//! The proof that memory arrived: a hash of every page, taken on both sides while the VM stands still.

use alloc::vec::Vec;

use xxhash_rust::xxh3::xxh3_64;

use crate::error::Error;
use crate::pages::run::Run;
use crate::wire::message::PageVerdict;
use dxgksim::vgpu::Vgpu;

/// Hashes every page of a VF, read out through the paging node. `beat` is called after each batch, so that the other
/// side can be told that this one is at work; an error of it ends the hashing.
pub fn hash_pages(vgpu: &Vgpu, mut beat: impl FnMut() -> Result<(), Error>) -> Result<Vec<u64>, Error> {
    let mut staging = [vgpu.paging_channel()?, vgpu.paging_channel()?];
    let (pages, page_bytes) = (vgpu.pages(), vgpu.dirty_page_bytes() as usize);
    let batch = (staging[0].bytes() / page_bytes) as u64;
    let mut hashes = Vec::with_capacity(usize::try_from(pages).unwrap_or(0));
    let run = |first: u64| Run { first, count: batch.min(pages - first) };
    let mut which = 0;
    if pages > 0 {
        staging[0].start_out(&[run(0)])?;
    }
    for first in (0..pages).step_by(batch as usize) {
        let next = first + batch;
        if next < pages {
            staging[1 - which].start_out(&[run(next)])?;
        }
        hashes.extend(
            staging[which].wait()?.chunks_exact(page_bytes).take(run(first).count as usize).map(xxh3_64),
        );
        which = 1 - which;
        beat()?;
    }
    Ok(hashes)
}

/// The hashes as they travel.
pub fn encode(hashes: &[u64]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect()
}

/// Compares the hashes of the other side with ours.
pub fn compare(theirs: &[u8], ours: &[u64]) -> Result<PageVerdict, Error> {
    let (theirs, rest) = theirs.as_chunks::<8>();
    if !rest.is_empty() || theirs.len() != ours.len() {
        return Err(Error::Protocol("the page hashes are of another number of pages"));
    }
    let mut verdict = PageVerdict { compared: ours.len() as u64, different: 0, first_different: None };
    for (page, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
        if u64::from_le_bytes(*theirs) != *ours {
            verdict.different += 1;
            verdict.first_different.get_or_insert(page as u64);
        }
    }
    Ok(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_pages_are_counted_and_the_first_is_named() {
        let verdict = compare(&encode(&[1, 2, 3, 4]), &[1, 9, 3, 9]).unwrap();
        assert_eq!(verdict, PageVerdict { compared: 4, different: 2, first_different: Some(1) });
        assert!(compare(&encode(&[1, 2]), &[1]).is_err());
        assert!(compare(&[0; 7], &[]).is_err());
    }
}
