//! One data stream of the source: takes batches, pages them out of VRAM, sends them.
//!
//! Two staging buffers take turns: while the engine fills one, the other is searched for zero pages,
//! packed and sent.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::event::{Event, Observer};
use crate::pages::Limiter;
use crate::pages::list::{Content, List, Packer};
use crate::pages::run::{Batches, Run};
use crate::wire::frame::Kind;
use crate::wire::framed::Framed;
use crate::wire::message::IterationEnd;
use crate::wire::vigil::Vigil;
use dxgksim::host::Mutex;
use dxgksim::vidmm::PagingChannel;

/// What all streams of a source share.
pub(crate) struct Shared {
    /// Bytes of a page.
    pub page_bytes: usize,
    /// Zero pages travel without bytes.
    pub find_zero: bool,
    /// How bytes are packed, if at all.
    pub packer: Option<Arc<dyn Packer>>,
    /// The bandwidth limit.
    pub limiter: Limiter,
    /// What ends waits.
    pub vigil: Arc<Vigil>,
    /// When no more batches are to be begun, by the vigil's clock.
    pub stop_at: AtomicU64,
    /// Pages of this iteration that have moved.
    pub moved: AtomicU64,
}

/// What a stream moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Pages, zero ones included.
    pub pages: u64,
    /// Zero pages.
    pub zero_pages: u64,
    /// Nanoseconds in which it waited for the wire and the bandwidth limit.
    pub wire_ns: u64,
}

impl Moved {
    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            pages: self.pages + other.pages,
            zero_pages: self.zero_pages + other.zero_pages,
            wire_ns: self.wire_ns + other.wire_ns,
        }
    }
}

/// A data stream and its staging buffers.
pub(crate) struct Mover {
    link: Framed,
    staging: [PagingChannel; 2],
    list: List,
    packed: Vec<u8>,
}

impl Mover {
    /// A stream over `link` with two staging buffers.
    pub(crate) fn new(link: Framed, staging: [PagingChannel; 2]) -> Self {
        Self { link, staging, list: List::default(), packed: Vec::new() }
    }

    /// Bytes put on the wire so far.
    pub(crate) fn bytes_sent(&self) -> u64 {
        self.link.bytes_sent()
    }

    /// The link below, for what is sent beside pages.
    pub(crate) fn link(&mut self) -> &mut Framed {
        &mut self.link
    }

    /// Moves batches of `work` until none is left, then ends the stream's part of the iteration. A stream
    /// that fails leaves the others nothing to do; one that is out of time begins no more.
    pub(crate) fn run(
        &mut self,
        work: &Mutex<Batches>,
        shared: &Shared,
        iteration: u32,
        observer: &mut dyn Observer,
    ) -> Result<Moved, Error> {
        let moved = self.move_all(work, shared, iteration, observer);
        if moved.is_err() {
            work.lock().stop();
        }
        moved
    }

    fn move_all(
        &mut self,
        work: &Mutex<Batches>,
        shared: &Shared,
        iteration: u32,
        observer: &mut dyn Observer,
    ) -> Result<Moved, Error> {
        let mut moved = Moved::default();
        let mut runs = [Vec::new(), Vec::new()];
        let mut filling = 0;
        let mut ready = false;
        loop {
            shared.vigil.check()?;
            let in_time = shared.vigil.now() < shared.stop_at.load(Ordering::Relaxed);
            let more = in_time && work.lock().take(&mut runs[filling]);
            if more {
                self.staging[filling].start_out(&runs[filling])?;
            }
            let sending = 1 - filling;
            if ready {
                let before = moved.pages;
                self.send(sending, &runs[sending], shared, iteration, &mut moved)?;
                let batch = moved.pages - before;
                let pages = shared.moved.fetch_add(batch, Ordering::Relaxed) + batch;
                if observer.event(Event::Moved { pages }).is_break() {
                    return Err(Error::Cancelled);
                }
            }
            if !more {
                break;
            }
            (ready, filling) = (true, sending);
        }
        self.link.send_message(Kind::IterationEnd, &IterationEnd { iteration, pages: moved.pages })?;
        Ok(moved)
    }

    fn send(
        &mut self,
        which: usize,
        runs: &[Run],
        shared: &Shared,
        iteration: u32,
        moved: &mut Moved,
    ) -> Result<(), Error> {
        let staging = self.staging[which].wait()?;
        self.list.sort(iteration, runs, staging, shared.page_bytes, shared.find_zero);
        let mut pieces = Vec::new();
        self.list.pieces(staging, shared.page_bytes, &mut pieces);
        if let Some(packer) = &shared.packer
            && packer.pack(&pieces, &mut self.packed)
        {
            self.list.packing = packer.id();
            pieces.clear();
            pieces.push(&self.packed);
        }
        let list =
            postcard::to_allocvec(&self.list).map_err(|_| Error::Protocol("a list could not be encoded"))?;
        let length = (list.len() as u32).to_le_bytes();
        let mut parts: Vec<&[u8]> = Vec::with_capacity(pieces.len() + 2);
        parts.extend([&length[..], &list]);
        parts.append(&mut pieces);
        let (before, begin) = (self.link.bytes_sent(), shared.vigil.now());
        self.link.send(Kind::Pages, &parts)?;
        let sent = self.link.bytes_sent() - before;
        shared.limiter.take(sent, &shared.vigil, shared.stop_at.load(Ordering::Relaxed))?;
        moved.wire_ns += shared.vigil.now().saturating_sub(begin);
        moved.zero_pages += self.list.pages(Content::Zero);
        moved.pages += self.list.pages(Content::Zero) + self.list.pages(Content::Bytes);
        Ok(())
    }
}
