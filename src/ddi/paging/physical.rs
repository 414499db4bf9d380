//! Transfers and fills by physical address. With GPU virtual addresses VidMm has no use for them, so they are done
//! at once, by the CPU, through the dirty plane's own writer, once the allocation is idle.
//!
//! UNSAFETY: reads the frame numbers of a memory descriptor list and copies through mapped system pages.
#![expect(unsafe_code)]

use gpup_core::dirty::Writer;
use gpup_core::os::os;
use gpup_core::{Error, PAGE_SIZE, Result};
use wddm::{DXGK_TRANSFERFLAGS, DXGKARG_BUILDPAGINGBUFFER_FILL, DXGKARG_BUILDPAGINGBUFFER_TRANSFER, MDL};

use super::Built;
use crate::ddi::edge;
use crate::ddi::segment::{LOCAL_SEGMENT, SYSTEM_SEGMENT};
use crate::miniport::Started;

/// One end of a transfer.
#[derive(Clone, Copy)]
enum End<'a> {
    /// Byte offset in the local segment.
    Local(u64),
    /// Frame numbers of system pages.
    System(&'a [u64]),
}

/// "DXGKARG_BUILDPAGINGBUFFER structure (d3dkmddi.h)", Fill. The allocation is idle by definition.
pub(super) fn fill(started: &Started, args: &DXGKARG_BUILDPAGINGBUFFER_FILL) -> Result<Built> {
    if args.Destination.SegmentId != LOCAL_SEGMENT {
        return Err(Error::InvalidParameter);
    }
    let pattern = u64::from(args.FillPattern) << 32 | u64::from(args.FillPattern);
    let mut writer = started.adapter.device().tracker().writer()?;
    writer.fill(args.Destination.SegmentAddress as u64, args.FillSize as u64, pattern)?;
    Ok(Built::Done)
}

/// "DXGKARG_BUILDPAGINGBUFFER structure (d3dkmddi.h)", Transfer.
pub(super) fn transfer(started: &Started, args: &DXGKARG_BUILDPAGINGBUFFER_TRANSFER) -> Result<Built> {
    // A reset has taken the content, and the allocation with it: there is nothing to move, and nothing to look at.
    if args.TransferSize == 0 {
        return Ok(Built::Done);
    }
    if !args.Flags.contains(DXGK_TRANSFERFLAGS::AllocationIsIdle) {
        return Ok(Built::Busy);
    }
    let bytes = args.TransferSize as u64;
    let pages = bytes.div_ceil(PAGE_SIZE) as usize;
    let offset = u64::from(args.TransferOffset);
    let end = |segment, address: i64, mdl: *mut MDL| match segment {
        LOCAL_SEGMENT => Ok(End::Local((address as u64).wrapping_add(offset))),
        SYSTEM_SEGMENT => frames(mdl, args.MdlOffset as usize, pages).map(End::System),
        _ => Err(Error::InvalidParameter),
    };
    let (source, target) = (&args.Source, &args.Destination);
    // SAFETY: both fields of the union are the same eight bytes of plain data; the segment says which counts.
    let source = end(source.SegmentId, unsafe { source.u.SegmentAddress }, unsafe { source.u.pMdl })?;
    // SAFETY: as above.
    let target = end(target.SegmentId, unsafe { target.u.SegmentAddress }, unsafe { target.u.pMdl })?;
    let mut writer = started.adapter.device().tracker().writer()?;
    let mut done = 0;
    while done < bytes {
        let step = (bytes - done).min(PAGE_SIZE);
        copy_page(&mut writer, source, target, done, step as usize)?;
        done += step;
    }
    Ok(Built::Done)
}

/// Copies up to a page, `done` bytes into the transfer.
fn copy_page(writer: &mut Writer, source: End<'_>, target: End<'_>, done: u64, bytes: usize) -> Result<()> {
    let index = (done / PAGE_SIZE) as usize;
    match (source, target) {
        (End::Local(from), End::Local(to)) => {
            writer.copy(from.wrapping_add(done), to.wrapping_add(done), bytes as u64)
        }
        (End::Local(from), End::System(frames)) => {
            let page = Page::map(frames[index], bytes)?;
            // SAFETY: the mapping covers `bytes` bytes of an idle allocation's page.
            unsafe { writer.vram().read_raw(from.wrapping_add(done), page.at, bytes) }
        }
        (End::System(frames), End::Local(to)) => {
            let page = Page::map(frames[index], bytes)?;
            // SAFETY: as above.
            unsafe { writer.copy_from_raw(to.wrapping_add(done), page.at, bytes) }
        }
        (End::System(_), End::System(_)) => Err(Error::InvalidParameter),
    }
}

/// A mapped system page.
struct Page {
    at: *mut u8,
    bytes: usize,
}

impl Page {
    fn map(frame: u64, bytes: usize) -> Result<Self> {
        let physical = frame.checked_mul(PAGE_SIZE).ok_or(Error::OutOfRange)?;
        let at = os().map_system(physical, bytes);
        if at.is_null() { Err(Error::NoResources) } else { Ok(Self { at, bytes }) }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        os().unmap_system(self.at, self.bytes);
    }
}

/// `pages` frame numbers of a list, from number `first` on.
fn frames<'a>(mdl: *mut MDL, first: usize, pages: usize) -> Result<&'a [u64]> {
    // SAFETY: VidMm passes a list that describes the whole transfer: the header, then the frame numbers.
    let header = unsafe { edge::input(mdl.cast_const()) }?;
    let described = (header.ByteCount as usize + header.ByteOffset as usize).div_ceil(PAGE_SIZE as usize);
    if first.checked_add(pages).is_none_or(|end| end > described) {
        return Err(Error::OutOfRange);
    }
    let numbers = mdl.wrapping_add(1).cast::<u64>().wrapping_add(first);
    // SAFETY: the list has `described` numbers after its header, and these are among them.
    unsafe { edge::slice(numbers.cast_const(), pages) }
}
