//! Memory bases, tracking, and reading the plane.

use alloc::vec;
use alloc::vec::Vec;

use super::bench::write_page;
use super::{Bench, Outcome, Stop, accepted, broken, declare, needed, refused};
use crate::vgpu::Vgpu;
use crate::vidmm::Run;

const CREATE: &str = "DXGKDDI_CREATEMEMORYBASIS callback function (d3dkmddi.h)";
const DESTROY: &str = "DXGKDDI_DESTROYMEMORYBASIS callback function (d3dkmddi.h)";
const PREPARE: &str = "DXGKDDI_PREPARELIVEMIGRATION callback function (d3dkmddi.h)";
const START: &str = "DXGKDDI_STARTDIRTYTRACKING callback function (d3dkmddi.h)";
const STOP: &str = "DXGKDDI_STOPDIRTYTRACKING callback function (d3dkmddi.h)";
const QUERY: &str = "DXGKDDI_QUERYDIRTYBITDATA callback function (d3dkmddi.h)";
const ARGS: &str = "DXGKARG_QUERYDIRTYBITDATA structure (d3dkmddi.h)";
const FLAGS: &str = "DXGKARG_QUERYDIRTYBITDATAFLAGS enumeration (d3dkmddi.h)";
const ARTICLE: &str = "Dirty bit tracking";

declare! {
    "basis.create" Answer CREATE, "A basis of one range of a local segment is made.", |b| {
        let ours = Ours::new(b)?;
        match b.basis(ours.segment, &[(ours.offset, ours.bytes)]) {
            0 => broken!("CreateMemoryBasis of a legal range gave NULL"),
            basis => needed("DestroyMemoryBasis", b.destroy_basis(basis)),
        }
    };
    "basis.none" Size CREATE,
        "A basis without ranges is not made.",
        |b| no_basis(b, |ours| (ours.segment, vec![]));
    "basis.empty-range" Size CREATE, "A range without bytes makes no basis.",
        |b| no_basis(b, |ours| (ours.segment, vec![(ours.offset, 0)]));
    "basis.unaligned-offset" Size CREATE, "A range that begins inside a page makes no basis.",
        |b| no_basis(b, |ours| (ours.segment, vec![(ours.offset + 64, ours.page)]));
    "basis.unaligned-size" Size CREATE, "A range that ends inside a page makes no basis.",
        |b| no_basis(b, |ours| (ours.segment, vec![(ours.offset, ours.page + 64)]));
    "basis.out-of-range" Size CREATE, "A range that reaches past the segment makes no basis.",
        |b| no_basis(b, |ours| (ours.segment, vec![(1 << 52, ours.page)]));
    "basis.wraps" Size CREATE, "A range whose end is past all numbers makes no basis.",
        |b| no_basis(b, |ours| (ours.segment, vec![(ours.offset, u64::MAX - ours.page + 1)]));
    "basis.overlap" Size CREATE, "Ranges that overlap make no basis.",
        |b| no_basis(b, |ours| {
            (ours.segment, vec![(ours.offset, 2 * ours.page), (ours.offset + ours.page, ours.page)])
        });
    "basis.segment" Handle CREATE, "A segment that does not exist has no basis.",
        |b| no_basis(b, |ours| (77, vec![(ours.offset, ours.page)]));
    "basis.order" Answer CREATE, "The ranges of a basis may come in any order.", |b| {
        let ours = Ours::new(b)?;
        let ranges = [(ours.offset + 4 * ours.page, ours.page), (ours.offset, ours.page)];
        match b.basis(ours.segment, &ranges) {
            0 => broken!("CreateMemoryBasis of ranges out of order gave NULL"),
            basis => needed("DestroyMemoryBasis", b.destroy_basis(basis)),
        }
    };
    "tracking.start.stale" Handle START, "Tracking does not start for a basis that is gone.", |b| {
        let ours = Ours::new(b)?;
        refused("StartDirtyTracking of a stale basis", b.start_tracking(ours.stale(b)?))
    };
    "tracking.stop.stale" Handle STOP, "Tracking does not stop for a basis that is gone.", |b| {
        let ours = Ours::new(b)?;
        refused("StopDirtyTracking of a stale basis", b.stop_tracking(ours.stale(b)?))
    };
    "tracking.stop.never" State STOP, "Tracking that was never started is not stopped.", |b| {
        let ours = Ours::new(b)?;
        let basis = ours.basis(b)?;
        let status = b.stop_tracking(basis);
        needed("DestroyMemoryBasis", b.destroy_basis(basis))?;
        refused("StopDirtyTracking without a start", status)
    };
    "basis.destroy.tracked" State DESTROY,
        "A basis that is still tracked is destroyed, and takes its tracking with it.", |b| {
        let ours = Ours::new(b)?;
        let basis = ours.basis(b)?;
        needed("StartDirtyTracking", b.start_tracking(basis))?;
        accepted("DestroyMemoryBasis of a basis that is tracked", b.destroy_basis(basis))?;
        refused("QueryDirtyBitData of a basis that is gone", b.dirty(basis, (0, 0, 0), false, &mut ours.buffer()))
    };
    "tracking.late" Answer PREPARE,
        "Where tracking is not performant PrepareLiveMigration begins it, though StartDirtyTracking never comes.", late;
    "tracking.start.clean" Answer START,
        "A basis that begins to be tracked is clean, whatever was written before.",
        |b| {
        tracked(b, |b, ours, basis| {
            same_pages("pages dirty at the start", &[], &ours.query(b, basis, false)?)
        })
    };
    "tracking.counts" State STOP, "Each start needs a stop: one stop leaves another start in force.", counts;
    "tracking.again" State START, "After a stop tracking can start again, clean.", again;
    "tracking.marks" Answer ARTICLE, "A page that paging writes is dirty, and only it.", |b| {
        tracked(b, |b, ours, basis| {
            write_page(&ours.vgpu, 21, 1)?;
            same_pages("dirty pages after a write to page 21", &[21], &ours.query(b, basis, false)?)
        })
    };
    "tracking.fill-marks" Answer ARTICLE, "A page that paging fills is dirty.", |b| {
        tracked(b, |b, ours, basis| {
            ours.vgpu.paging_channel()?.fill_zero(&[Run { first: 5, count: 2 }])?;
            same_pages("dirty pages after a fill of pages 5 and 6", &[5, 6], &ours.query(b, basis, false)?)
        })
    };
    "tracking.read-leaves" Answer ARTICLE, "Moving a page out of VRAM dirties nothing.", |b| {
        tracked(b, |b, ours, basis| {
            super::bench::read_page(&ours.vgpu, 2)?;
            same_pages("dirty pages after page 2 was read", &[], &ours.query(b, basis, false)?)
        })
    };
    "tracking.other-vf" State ARTICLE, "What is written to another VF dirties nothing here.", |b| {
        tracked(b, |b, ours, basis| {
            let other = b.vf(1)?;
            write_page(&other, 3, 1)?;
            same_pages("dirty pages after a write to another VF", &[], &ours.query(b, basis, false)?)
        })
    };
    "tracking.bases" State ARTICLE,
        "Clearing one basis leaves the bits of another over the same pages.",
        bases;
    "query-dirty.stale" Handle QUERY, "A basis that is gone has no bits.", |b| {
        let ours = Ours::new(b)?;
        let stale = ours.stale(b)?;
        refused("QueryDirtyBitData of a stale basis", b.dirty(stale, (0, 0, 0), false, &mut ours.buffer()))
    };
    "query-dirty.untracked" State QUERY, "A basis that is not tracked has no bits.", |b| {
        let ours = Ours::new(b)?;
        let basis = ours.basis(b)?;
        let status = b.dirty(basis, (0, 0, 0), false, &mut ours.buffer());
        needed("DestroyMemoryBasis", b.destroy_basis(basis))?;
        refused("QueryDirtyBitData without tracking", status)
    };
    "query-dirty.short" Size ARGS,
        "A buffer that is too short is refused: nothing is written, nothing cleared.",
        short;
    "query-dirty.longer" Size ARGS, "Of a longer buffer only the bytes that hold bits are written.", longer;
    "query-dirty.index" Size ARGS, "A SubrangeIndex past the last range is refused.",
        |b| bad_part(b, |ours| (1, 0, ours.page));
    "query-dirty.offset" Size ARGS,
        "A SubrangeOffset inside a page is refused.",
        |b| bad_part(b, |ours| (0, 64, ours.page));
    "query-dirty.size" Size ARGS,
        "A SubrangeSize that is no whole pages is refused.",
        |b| bad_part(b, |_| (0, 0, 64));
    "query-dirty.past-end" Size ARGS, "A sub-range that reaches past its range is refused.",
        |b| bad_part(b, |ours| (0, ours.bytes - ours.page, 2 * ours.page));
    "query-dirty.flags" Handle FLAGS, "A flag that does not exist is refused.", |b| {
        tracked(b, |b, ours, basis| {
            write_page(&ours.vgpu, 3, 1)?;
            refused("QueryDirtyBitData with flag 2", b.dirty_flags(basis, (0, 0, 0), 2, &mut ours.buffer()))?;
            same_pages("dirty pages afterwards", &[3], &ours.query(b, basis, false)?)
        })
    };
    "query-dirty.plain" Answer FLAGS, "Without CLEARDATA the bits stay.", |b| {
        tracked(b, |b, ours, basis| {
            write_page(&ours.vgpu, 3, 1)?;
            let first = ours.query(b, basis, false)?;
            same_pages("dirty pages read again", &first, &ours.query(b, basis, false)?)
        })
    };
    "query-dirty.clears" Answer FLAGS, "With CLEARDATA the bits are read and then clear.", |b| {
        tracked(b, |b, ours, basis| {
            write_page(&ours.vgpu, 3, 1)?;
            same_pages("dirty pages", &[3], &ours.query(b, basis, true)?)?;
            same_pages("dirty pages after they were cleared", &[], &ours.query(b, basis, false)?)
        })
    };
    "query-dirty.sub-range" Answer ARGS,
        "A sub-range gives the bits of its own pages, the first one in bit 0.",
        sub_range;
    "query-dirty.sub-range-clears" State ARGS,
        "Clearing a sub-range leaves the bits beside it.",
        sub_range_clears;
    "query-dirty.pieces" Answer ARGS, "The pieces of a range add up to what one query says.", pieces;
    "query-dirty.ranges" Answer ARGS,
        "SubrangeIndex names the ranges in the order in which the basis was made.",
        ranges;
}

/// A VF of ours whose memory is tracked by bases of ours.
struct Ours {
    vgpu: alloc::sync::Arc<Vgpu>,
    segment: u32,
    offset: u64,
    bytes: u64,
    page: u64,
}

impl Ours {
    fn new(b: &Bench) -> Result<Self, Stop> {
        let vgpu = b.vf(0)?;
        let (segment, range) = vgpu.first_range().ok_or_else(|| super::bench::skip("a VF without memory"))?;
        let page = vgpu.dirty_page_bytes();
        Ok(Self { vgpu, segment, offset: range.0, bytes: range.1, page })
    }

    fn pages(&self) -> usize {
        (self.bytes / self.page) as usize
    }

    fn buffer(&self) -> Vec<u8> {
        vec![0; self.pages().div_ceil(8)]
    }

    fn basis(&self, b: &Bench) -> Result<usize, Stop> {
        match b.basis(self.segment, &[(self.offset, self.bytes)]) {
            0 => Err(super::bench::skip("CreateMemoryBasis gave NULL")),
            basis => Ok(basis),
        }
    }

    /// A basis that is gone again.
    fn stale(&self, b: &Bench) -> Result<usize, Stop> {
        let basis = self.basis(b)?;
        needed("DestroyMemoryBasis", b.destroy_basis(basis))?;
        Ok(basis)
    }

    /// The dirty pages of the whole basis.
    fn query(&self, b: &Bench, basis: usize, clear: bool) -> Result<Vec<usize>, Stop> {
        let mut buffer = self.buffer();
        needed("QueryDirtyBitData", b.dirty(basis, (0, 0, 0), clear, &mut buffer))?;
        Ok(numbers(&buffer))
    }
}

/// The numbers of the bits that are set, least significant first.
fn numbers(buffer: &[u8]) -> Vec<usize> {
    (0..buffer.len() * 8).filter(|bit| buffer[bit / 8] >> (bit % 8) & 1 != 0).collect()
}

fn same_pages(what: &str, expected: &[usize], came: &[usize]) -> Outcome {
    if expected != came {
        broken!("{what}: expected {expected:?}, came {came:?}")
    }
    Ok(())
}

/// A segment, and offset and bytes of each range.
type Ranges = (u32, Vec<(u64, u64)>);

fn no_basis(b: &Bench, ranges: fn(&Ours) -> Ranges) -> Outcome {
    let ours = Ours::new(b)?;
    let (segment, ranges) = ranges(&ours);
    match b.basis(segment, &ranges) {
        0 => {}
        basis => {
            needed("DestroyMemoryBasis", b.destroy_basis(basis))?;
            broken!("CreateMemoryBasis of {ranges:x?} in segment {segment} must be refused, but gave a basis")
        }
    }
    let basis = ours.basis(b)?;
    needed("DestroyMemoryBasis", b.destroy_basis(basis))
}

/// Runs `body` with a basis that is tracked.
fn tracked(b: &Bench, body: fn(&Bench, &Ours, usize) -> Outcome) -> Outcome {
    let ours = Ours::new(b)?;
    // Something that was written before: it is nothing to a basis that begins later.
    write_page(&ours.vgpu, 9, 9)?;
    let basis = ours.basis(b)?;
    needed("StartDirtyTracking", b.start_tracking(basis))?;
    let verdict = body(b, &ours, basis);
    needed("StopDirtyTracking", b.stop_tracking(basis))?;
    needed("DestroyMemoryBasis", b.destroy_basis(basis))?;
    verdict
}

fn counts(b: &Bench) -> Outcome {
    tracked(b, |b, ours, basis| {
        needed("StartDirtyTracking", b.start_tracking(basis))?;
        needed("StopDirtyTracking", b.stop_tracking(basis))?;
        write_page(&ours.vgpu, 3, 1)?;
        let mut buffer = ours.buffer();
        accepted(
            "QueryDirtyBitData after two starts and one stop",
            b.dirty(basis, (0, 0, 0), false, &mut buffer),
        )?;
        same_pages("dirty pages", &[3], &numbers(&buffer))
    })
}

fn again(b: &Bench) -> Outcome {
    tracked(b, |b, ours, basis| {
        write_page(&ours.vgpu, 3, 1)?;
        needed("StopDirtyTracking", b.stop_tracking(basis))?;
        accepted("StartDirtyTracking after a stop", b.start_tracking(basis))?;
        same_pages("dirty pages at the new start", &[], &ours.query(b, basis, false)?)
    })
}

fn bases(b: &Bench) -> Outcome {
    tracked(b, |b, ours, basis| {
        let second = ours.basis(b)?;
        needed("StartDirtyTracking", b.start_tracking(second))?;
        write_page(&ours.vgpu, 3, 1)?;
        let cleared = ours.query(b, second, true);
        let left = ours.query(b, basis, false);
        needed("StopDirtyTracking", b.stop_tracking(second))?;
        needed("DestroyMemoryBasis", b.destroy_basis(second))?;
        same_pages("dirty pages of the basis that is cleared", &[3], &cleared?)?;
        same_pages("dirty pages of the other basis", &[3], &left?)
    })
}

fn short(b: &Bench) -> Outcome {
    tracked(b, |b, ours, basis| {
        write_page(&ours.vgpu, 3, 1)?;
        let mut buffer = vec![0; ours.buffer().len() - 1];
        refused("QueryDirtyBitData with a short buffer", b.dirty(basis, (0, 0, 0), true, &mut buffer))?;
        if buffer.iter().any(|byte| *byte != 0) {
            broken!("QueryDirtyBitData was refused, but wrote into the buffer")
        }
        same_pages("dirty pages afterwards", &[3], &ours.query(b, basis, false)?)
    })
}

fn late(b: &Bench) -> Outcome {
    if b.adapter.caps().tracking_performant {
        return Ok(());
    }
    let ours = Ours::new(b)?;
    let basis = ours.basis(b)?;
    needed("PrepareLiveMigration", b.prepare_source(0))?;
    write_page(&ours.vgpu, 21, 1)?;
    let mut bits = ours.buffer();
    let queried = b.dirty(basis, (0, 0, 0), false, &mut bits);
    needed("EndLiveMigration", b.end(0))?;
    needed("DestroyMemoryBasis", b.destroy_basis(basis))?;
    accepted("QueryDirtyBitData after PrepareLiveMigration", queried)?;
    same_pages("dirty pages after a write to page 21", &[21], &numbers(&bits))
}

fn longer(b: &Bench) -> Outcome {
    tracked(b, |b, ours, basis| {
        let bytes = ours.buffer().len();
        let mut buffer = vec![0xA5; bytes + 32];
        accepted("QueryDirtyBitData with a longer buffer", b.dirty(basis, (0, 0, 0), false, &mut buffer))?;
        if buffer[bytes..].iter().any(|byte| *byte != 0xA5) {
            broken!("more than the {bytes} bytes that hold bits were written")
        }
        Ok(())
    })
}

fn bad_part(b: &Bench, part: fn(&Ours) -> (u64, u64, u64)) -> Outcome {
    let ours = Ours::new(b)?;
    let basis = ours.basis(b)?;
    needed("StartDirtyTracking", b.start_tracking(basis))?;
    write_page(&ours.vgpu, 3, 1)?;
    let status = b.dirty(basis, part(&ours), true, &mut ours.buffer());
    let left = ours.query(b, basis, false);
    needed("StopDirtyTracking", b.stop_tracking(basis))?;
    needed("DestroyMemoryBasis", b.destroy_basis(basis))?;
    refused("QueryDirtyBitData of that part", status)?;
    same_pages("dirty pages afterwards", &[3], &left?)
}

/// The dirty pages of `count` pages from page `first` of the only range.
fn part(
    b: &Bench,
    ours: &Ours,
    basis: usize,
    clear: bool,
    first: u64,
    count: u64,
) -> Result<Vec<usize>, Stop> {
    let mut buffer = vec![0; count.div_ceil(8) as usize];
    let part = (0, first * ours.page, count * ours.page);
    needed("QueryDirtyBitData of a sub-range", b.dirty(basis, part, clear, &mut buffer))?;
    Ok(numbers(&buffer))
}

fn sub_range(b: &Bench) -> Outcome {
    tracked(b, |b, ours, basis| {
        for page in [3, 4, 12] {
            write_page(&ours.vgpu, page, 1)?;
        }
        same_pages("dirty pages of pages 4 to 16", &[0, 8], &part(b, ours, basis, false, 4, 13)?)
    })
}

fn sub_range_clears(b: &Bench) -> Outcome {
    tracked(b, |b, ours, basis| {
        for page in [3, 4, 12, 17] {
            write_page(&ours.vgpu, page, 1)?;
        }
        part(b, ours, basis, true, 4, 13)?;
        same_pages("dirty pages after pages 4 to 16 were cleared", &[3, 17], &ours.query(b, basis, false)?)
    })
}

fn pieces(b: &Bench) -> Outcome {
    tracked(b, |b, ours, basis| {
        let pages = ours.pages() as u64;
        for page in [0, 6, 7, pages - 1] {
            write_page(&ours.vgpu, page, 1)?;
        }
        let whole = ours.query(b, basis, false)?;
        let mut sum = Vec::new();
        let mut first = 0;
        while first < pages {
            let count = 7.min(pages - first);
            sum.extend(part(b, ours, basis, false, first, count)?.iter().map(|page| page + first as usize));
            first += count;
        }
        same_pages("dirty pages in pieces of 7", &whole, &sum)
    })
}

fn ranges(b: &Bench) -> Outcome {
    let ours = Ours::new(b)?;
    let page = ours.page;
    let basis = b.basis(ours.segment, &[(ours.offset + 16 * page, 8 * page), (ours.offset, 8 * page)]);
    if basis == 0 {
        return Err(super::bench::skip("CreateMemoryBasis gave NULL"));
    }
    needed("StartDirtyTracking", b.start_tracking(basis))?;
    write_page(&ours.vgpu, 18, 1)?;
    let mut bytes = [[0u8; 1]; 2];
    let first = b.dirty(basis, (0, 0, 8 * page), false, &mut bytes[0]);
    let second = b.dirty(basis, (1, 0, 8 * page), false, &mut bytes[1]);
    needed("StopDirtyTracking", b.stop_tracking(basis))?;
    needed("DestroyMemoryBasis", b.destroy_basis(basis))?;
    accepted("QueryDirtyBitData of range 0", first)?;
    accepted("QueryDirtyBitData of range 1", second)?;
    super::same("the bits of ranges 0 and 1", &[[1 << 2], [0]], &bytes)
}
