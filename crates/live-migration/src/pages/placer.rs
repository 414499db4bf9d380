//! One data stream of the target: receives batches, checks them, pages them into VRAM.
//!
//! The list of a batch is checked before a byte of it reaches VRAM, the checksum before the copy begins.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::pages::list::{Content, List, Unpacker};
use crate::pages::run::Run;
use crate::wire::frame::{Header, Kind};
use crate::wire::framed::Framed;
use crate::wire::message::IterationEnd;
use crate::wire::talk::decode;
use dxgksim::vidmm::PagingChannel;

/// Longest list of a batch: every page a run of its own, at the longest encoding.
const MAX_LIST: usize = 1 << 16;

/// What came next on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// A batch; it is in VRAM, or on its way there until the next [`Placer::settle`].
    Pages,
    /// The stream's part of an iteration is over, and all of it is in VRAM.
    End(IterationEnd),
    /// Another frame: its payload.
    Other(Kind, Vec<u8>),
}

/// A data stream and its staging buffers.
pub(crate) struct Placer {
    link: Framed,
    staging: [PagingChannel; 2],
    filling: usize,
    busy: [bool; 2],
    unpacker: Arc<dyn Unpacker>,
    page_bytes: usize,
    vf_pages: u64,
    packed: Vec<u8>,
    zeroes: Vec<Run>,
    written: Arc<Written>,
    pages: u64,
}

/// One bit a page, shared by the streams of a target: something else than zero may be there.
pub(crate) struct Written(Vec<AtomicU64>);

impl Written {
    /// Of a fresh VF, where every page reads zero.
    pub(crate) fn new(vf_pages: u64) -> Self {
        Self((0..vf_pages.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    fn set(&self, page: u64) {
        self.0[(page / 64) as usize].fetch_or(1 << (page % 64), Ordering::Relaxed);
    }

    fn get(&self, page: u64) -> bool {
        self.0[(page / 64) as usize].load(Ordering::Relaxed) >> (page % 64) & 1 == 1
    }
}

impl Placer {
    /// A stream over `link` into a VF of `vf_pages` pages.
    pub(crate) fn new(
        link: Framed,
        staging: [PagingChannel; 2],
        unpacker: Arc<dyn Unpacker>,
        page_bytes: usize,
        vf_pages: u64,
        written: Arc<Written>,
    ) -> Self {
        Self {
            link,
            staging,
            filling: 0,
            busy: [false; 2],
            unpacker,
            page_bytes,
            vf_pages,
            packed: Vec::new(),
            zeroes: Vec::new(),
            written,
            pages: 0,
        }
    }

    /// The link below.
    pub(crate) fn link(&mut self) -> &mut Framed {
        &mut self.link
    }

    /// Pages received so far, zero ones included.
    pub(crate) fn pages(&self) -> u64 {
        self.pages
    }

    /// Takes the next frame.
    pub(crate) fn next(&mut self) -> Result<Arrival, Error> {
        let header = self.link.receive_header()?;
        match header.kind {
            Kind::Pages => match self.place(&header) {
                Ok(()) => Ok(Arrival::Pages),
                Err(Error::Protocol(what)) => Err(self.link.senseless(Kind::Pages, what).into()),
                Err(error) => Err(error),
            },
            kind => {
                let payload = self.link.receive_rest(&header)?;
                self.link.finish(&header, &[&payload])?;
                if kind != Kind::IterationEnd {
                    return Ok(Arrival::Other(kind, payload));
                }
                self.settle()?;
                Ok(Arrival::End(decode(&payload)?))
            }
        }
    }

    /// Waits until everything received is in VRAM.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        for (staging, busy) in self.staging.iter_mut().zip(&mut self.busy) {
            if core::mem::take(busy) {
                staging.wait()?;
            }
        }
        Ok(())
    }

    fn place(&mut self, header: &Header) -> Result<(), Error> {
        let mut length = [0; 4];
        let list_bytes = self.take_length(header, &mut length)?;
        let mut raw = alloc::vec![0; list_bytes];
        self.link.receive_payload(&mut raw)?;
        let batch_pages = (self.staging[0].bytes() / self.page_bytes) as u64;
        let list = List::parse(&raw, self.vf_pages, batch_pages)?;
        let bytes = list.pages(Content::Bytes) as usize * self.page_bytes;
        let body = header.bytes - 4 - list_bytes;
        let which = self.filling;
        if core::mem::take(&mut self.busy[which]) {
            self.staging[which].wait()?;
        }
        self.receive_body(header, &[&length, &raw], &list, body, bytes)?;
        let runs: Vec<Run> = runs_of(&list, Content::Bytes);
        self.zero_out(&list)?;
        self.pages += list.pages(Content::Bytes) + list.pages(Content::Zero);
        if !runs.is_empty() {
            self.staging[which].start_in(&runs)?;
            self.busy[which] = true;
            self.filling = 1 - which;
        }
        Ok(())
    }

    fn take_length(&mut self, header: &Header, length: &mut [u8; 4]) -> Result<usize, Error> {
        if header.bytes < 4 {
            return Err(Error::Protocol("a batch without a list"));
        }
        self.link.receive_payload(length)?;
        let bytes = u32::from_le_bytes(*length) as usize;
        if bytes > MAX_LIST || bytes > header.bytes - 4 {
            return Err(Error::Protocol("the list of a batch is longer than the batch"));
        }
        Ok(bytes)
    }

    /// Receives the batch's bytes into the staging buffer, checks the frame, unpacks.
    fn receive_body(
        &mut self,
        header: &Header,
        front: &[&[u8]],
        list: &List,
        body: usize,
        bytes: usize,
    ) -> Result<(), Error> {
        let staging = &mut self.staging[self.filling].buffer()[..bytes];
        if list.packing == 0 {
            if body != bytes {
                return Err(Error::Protocol("a batch has more or fewer bytes than its list says"));
            }
            self.link.receive_payload(staging)?;
            return Ok(self.link.finish(header, &[front[0], front[1], staging])?);
        }
        // Packing is used only where it makes a batch smaller.
        if body > bytes {
            return Err(Error::Protocol("a packed batch is longer than its pages"));
        }
        self.packed.resize(body, 0);
        self.link.receive_payload(&mut self.packed)?;
        self.link.finish(header, &[front[0], front[1], &self.packed])?;
        if self.unpacker.unpack(list.packing, &self.packed, staging) {
            Ok(())
        } else {
            Err(Error::Protocol("a batch cannot be unpacked"))
        }
    }

    /// Writes zero pages, but only where something else has been written: a fresh VF reads zero.
    fn zero_out(&mut self, list: &List) -> Result<(), Error> {
        self.zeroes.clear();
        for (run, content) in &list.runs {
            for page in run.first..run.first + run.count {
                match content {
                    Content::Bytes => self.written.set(page),
                    Content::Zero if !self.written.get(page) => {}
                    Content::Zero => match self.zeroes.last_mut() {
                        Some(last) if last.first + last.count == page => last.count += 1,
                        _ => self.zeroes.push(Run { first: page, count: 1 }),
                    },
                }
            }
        }
        if self.zeroes.is_empty() {
            return Ok(());
        }
        Ok(self.staging[self.filling].fill_zero(&self.zeroes)?)
    }
}

fn runs_of(list: &List, content: Content) -> Vec<Run> {
    list.runs.iter().filter(|(_, is)| *is == content).map(|(run, _)| *run).collect()
}
