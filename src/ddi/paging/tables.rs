//! Page tables: updates by engine and by CPU, copies, and translations to forget.
//!
//! UNSAFETY: reads VidMm's entries and writes tables of the paging process.
#![expect(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use gpup_core::device::page_table::Entry;
use gpup_core::device::paging::Encoder;
use gpup_core::{Error, Result};
use wddm::{
    DXGK_BUILDPAGINGBUFFER_COPYPAGETABLEENTRIES, DXGK_BUILDPAGINGBUFFER_FLUSHTLB,
    DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE, DXGK_PAGETABLEUPDATEMODE, DXGK_PTE, DXGK_UPDATEPAGETABLEFLAGS,
};

use super::Built;
use crate::ddi::{edge, segment};
use crate::miniport::Started;

/// VidMm's entries, as the hardware takes them.
struct Entries<'a> {
    given: &'a [DXGK_PTE],
    repeat: bool,
}

impl Entries<'_> {
    fn at(&self, index: u32) -> Entry {
        let index = if self.repeat { 0 } else { index as usize };
        self.given.get(index).map_or(Entry::INVALID, segment::entry)
    }
}

/// "DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE structure (d3dkmddi.h)". The multipass offset counts entries.
pub(super) fn update(
    started: &Started,
    args: &DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE,
    from: u32,
    encoder: &mut Encoder<'_>,
) -> Result<Built> {
    let geometry = started.adapter.device().geometry();
    let table_entries = geometry.table_bytes() / 8;
    let last = u64::from(args.StartIndex) + u64::from(args.NumPageTableEntries);
    if args.PageTableLevel >= geometry.page_table_levels || last > table_entries {
        return Err(Error::OutOfRange);
    }
    let count = args.NumPageTableEntries;
    let repeat = args.Flags.contains(DXGK_UPDATEPAGETABLEFLAGS::Repeat);
    let given = if repeat { count.min(1) } else { count } as usize;
    // SAFETY: VidMm passes as many entries as it says, or one to repeat.
    let given = unsafe { edge::slice(args.pPageTableEntries, given) }?;
    let entries = Entries { given, repeat };
    match args.UpdateMode {
        DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_CPU_VIRTUAL => {
            write_now(args, &entries)?;
            Ok(Built::Done)
        }
        DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_GPU_VIRTUAL => {
            // SAFETY: the mode says that the address is a GPU virtual one; it is plain data.
            let table = unsafe { args.PageTableAddress.u.GpuVirtual };
            Ok(encode(table, args.StartIndex, count, from, &entries, encoder))
        }
        _ => Err(Error::NotSupported),
    }
}

/// Encodes entries from number `from` on.
fn encode(
    table: u64,
    start: u32,
    count: u32,
    from: u32,
    entries: &Entries<'_>,
    encoder: &mut Encoder<'_>,
) -> Built {
    let mut done = from;
    while done < count {
        match encoder.write_entries(table, start + done, count - done, |index| entries.at(done + index)) {
            Ok(written) => done += written,
            // Nothing more fits: the rest is for the next buffer.
            Err(_) => return Built::More(done),
        }
    }
    Built::Done
}

/// Writes a table of the paging process by its CPU address.
fn write_now(args: &DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE, entries: &Entries<'_>) -> Result<()> {
    // SAFETY: the mode says that the address is a CPU virtual one; it is plain data.
    let table = unsafe { args.PageTableAddress.u.CpuVirtual }.cast::<AtomicU64>();
    let first = table.wrapping_add(args.StartIndex as usize);
    // SAFETY: VidMm's table, mapped and long enough for the entries it asks for; engines may read it meanwhile,
    // and atomic stores let them.
    let places = unsafe { edge::slice(first.cast_const(), args.NumPageTableEntries as usize) }?;
    for (index, place) in (0u32..).zip(places) {
        place.store(entries.at(index).0.to_le(), Ordering::Release);
    }
    Ok(())
}

/// "DXGK_BUILDPAGINGBUFFER_COPYPAGETABLEENTRIES structure (d3dkmddi.h)". The multipass offset counts ranges.
pub(super) fn copy(
    args: &DXGK_BUILDPAGINGBUFFER_COPYPAGETABLEENTRIES,
    from: u32,
    encoder: &mut Encoder<'_>,
) -> Result<Built> {
    // SAFETY: VidMm passes as many ranges as it says.
    let ranges = unsafe { edge::slice(args.pRanges.cast_const(), args.NumRanges as usize) }?;
    for (index, range) in (0u32..).zip(ranges).skip(from as usize) {
        let source = range.SrcPageTableAddress.wrapping_add(u64::from(range.SrcStartPteIndex) * 8);
        let target = range.DstPageTableAddress.wrapping_add(u64::from(range.DstStartPteIndex) * 8);
        if encoder.copy(source, target, u64::from(range.NumPageTableEntries) * 8).is_err() {
            return Ok(Built::More(index));
        }
    }
    Ok(Built::Done)
}

/// "DXGK_BUILDPAGINGBUFFER_FLUSHTLB structure (d3dkmddi.h)". Everything under the root is forgotten.
pub(super) fn flush(
    started: &Started,
    args: &DXGK_BUILDPAGINGBUFFER_FLUSHTLB,
    immediate: bool,
    encoder: &mut Encoder<'_>,
) -> Result<Built> {
    let root = segment::table(&args.RootPageTableAddress)?;
    if immediate {
        started.adapter.device().flush_tlb(root);
        return Ok(Built::Done);
    }
    Ok(if encoder.flush_tlb(root).is_ok() { Built::Done } else { Built::More(0) })
}
