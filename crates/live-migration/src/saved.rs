//! Quick migration: the same records in a file, with no live phase.
//!
//! Hello, Doubt if it was saved in doubt, Immutable, Pages..., IterationEnd, PageHashes, Mutable, Guest, End. The VM
//! stops before the first page and stands still until the caller, who alone knows whether the file will last, lets one
//! of the two go.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::AtomicU64;

use wddm::migration::DXGK_GPUP_MIGRATIONTYPE;

use crate::error::Error;
use crate::event::{Event, Observer, enter};
use crate::pages::Limiter;
use crate::pages::list::{Packer, Unpacker};
use crate::pages::mover::{Moved, Mover, Shared};
use crate::pages::placer::{Arrival, Placer, Written};
use crate::pages::proof;
use crate::pages::run::Batches;
use crate::phase::Phase;
use crate::target::Held;
use crate::wire::channel::Channel;
use crate::wire::frame::{FrameError, Kind};
use crate::wire::framed::Framed;
use crate::wire::message::{Doubt, Hello, PageVerdict};
use crate::wire::talk::decode;
use crate::wire::vigil::Vigil;
use dxgksim::guest::GuestLoader;
use dxgksim::host::Mutex;
use dxgksim::vgpu::Vgpu;
use dxgksim::vm::Vm;

/// What saving moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Pages, zero ones included.
    pub pages: u64,
    /// Zero pages.
    pub zero_pages: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// A VM that stands still beside its whole copy, until one of the two goes. Dropped, it runs on.
#[must_use]
pub struct Standing {
    vgpu: Arc<Vgpu>,
    vm: Arc<Vm>,
    saved: Saved,
    left: bool,
}

impl Standing {
    /// What is in the copy.
    pub fn saved(&self) -> Saved {
        self.saved
    }

    /// The copy is safe, wherever this host ends: the VM leaves it.
    pub fn leave(mut self) -> Result<(), Error> {
        self.left = true;
        self.vm.stop();
        self.vgpu.power_off()?;
        Ok(self.vgpu.end()?)
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        if !self.left {
            run_on(&self.vgpu, &self.vm);
        }
    }
}

/// Undoes what saving did. A driver that refuses it has been recorded, and whoever waits for the guest will see.
fn run_on(vgpu: &Vgpu, vm: &Vm) {
    let _ = vgpu.end();
    let _ = vgpu.set_running();
    vm.resume();
}

/// Writes `vm` to `file`. On an error the VM runs on; on success it stands still.
pub fn save(
    vgpu: &Arc<Vgpu>,
    vm: &Arc<Vm>,
    hello: &Hello,
    packer: Option<Arc<dyn Packer>>,
    find_zero: bool,
    file: Box<dyn Channel>,
    observer: &mut dyn Observer,
) -> Result<Standing, Error> {
    let shared = shared(vgpu, packer, find_zero);
    vgpu.prepare(DXGK_GPUP_MIGRATIONTYPE::DXGK_GPUP_MIGRATIONTYPE_SOURCE)?;
    let written = write(vgpu, vm, hello, &shared, file, observer);
    if written.is_err() {
        run_on(vgpu, vm);
    }
    written.map(|saved| Standing { vgpu: vgpu.clone(), vm: vm.clone(), saved, left: false })
}

fn shared(vgpu: &Vgpu, packer: Option<Arc<dyn Packer>>, find_zero: bool) -> Shared {
    Shared {
        page_bytes: vgpu.dirty_page_bytes() as usize,
        find_zero,
        packer,
        limiter: Limiter::new(None),
        vigil: Vigil::timeless(),
        stop_at: AtomicU64::new(u64::MAX),
        moved: AtomicU64::new(0),
    }
}

/// Writes a VM that a migration left standing still, with the driver's data saved then. It stays as it is.
pub(crate) fn save_held(
    vgpu: &Arc<Vgpu>,
    vm: &Arc<Vm>,
    (hello, doubt): (&Hello, Option<&Doubt>),
    packer: Option<Arc<dyn Packer>>,
    [immutable, mutable]: &[Vec<u8>; 2],
    file: Box<dyn Channel>,
    observer: &mut dyn Observer,
) -> Result<Saved, Error> {
    let shared = shared(vgpu, packer, true);
    let mut link = Framed::new(file, Vigil::timeless());
    link.send_message(Kind::Hello, hello)?;
    if let Some(doubt) = doubt {
        link.send_message(Kind::Doubt, doubt)?;
    }
    link.send(Kind::Immutable, &[immutable])?;
    enter(observer, Phase::LastPages)?;
    // Every page: the brownout's harvests have taken the marks of what was written.
    let pages = vec![u64::MAX; (vgpu.pages() as usize).div_ceil(64)];
    let (mut mover, moved, hashes) = write_pages(vgpu, &pages, &shared, link, observer)?;
    finish(&mut mover, moved, &hashes, mutable, vm)
}

fn write(
    vgpu: &Arc<Vgpu>,
    vm: &Arc<Vm>,
    hello: &Hello,
    shared: &Shared,
    file: Box<dyn Channel>,
    observer: &mut dyn Observer,
) -> Result<Saved, Error> {
    let mut link = Framed::new(file, Vigil::timeless());
    link.send_message(Kind::Hello, hello)?;
    link.send(Kind::Immutable, &[&vgpu.save_immutable()?])?;
    enter(observer, Phase::Pause)?;
    vm.pause();
    vgpu.set_pause(true)?;
    enter(observer, Phase::LastPages)?;
    let mut dirty = vec![u64::MAX; (vgpu.pages() as usize).div_ceil(64)];
    if !vgpu.start_tracking()? {
        // Tracked since the memory was reserved: what never became dirty reads zero on both hosts.
        vgpu.query_dirty(true, &mut dirty)?;
    }
    let (mut mover, moved, hashes) = write_pages(vgpu, &dirty, shared, link, observer)?;
    enter(observer, Phase::Mutable)?;
    let mutable = vgpu.save_mutable()?;
    finish(&mut mover, moved, &hashes, &mutable, vm)
}

/// Writes the pages in `dirty` and hashes all there are.
fn write_pages(
    vgpu: &Arc<Vgpu>,
    dirty: &[u64],
    shared: &Shared,
    link: Framed,
    observer: &mut dyn Observer,
) -> Result<(Mover, Moved, Vec<u64>), Error> {
    let batch = (vgpu.staging_bytes() / shared.page_bytes) as u64;
    let work = Mutex::new(Batches::new(dirty, vgpu.pages(), batch));
    let _ = observer.event(Event::Iterate { number: 0, pages: work.lock().pages() });
    let mut mover = Mover::new(link, [vgpu.paging_channel()?, vgpu.paging_channel()?]);
    let moved = mover.run(&work, shared, 0, observer)?;
    let hashes = proof::hash_pages(vgpu, || Ok(()))?;
    Ok((mover, moved, hashes))
}

/// Everything behind the pages.
fn finish(mover: &mut Mover, moved: Moved, hashes: &[u64], mutable: &[u8], vm: &Vm) -> Result<Saved, Error> {
    let link = mover.link();
    link.send(Kind::PageHashes, &[&proof::encode(hashes)])?;
    link.send(Kind::Mutable, &[mutable])?;
    link.send(Kind::Guest, &[&vm.save()])?;
    link.send(Kind::End, &[])?;
    Ok(Saved { pages: moved.pages, zero_pages: moved.zero_pages, bytes: mover.bytes_sent() })
}

/// A file whose beginning has been read.
pub struct Opened {
    link: Framed,
    /// The driver's immutable data, which comes next.
    immutable: Vec<u8>,
    /// What was saved.
    pub hello: Hello,
    /// It was saved in doubt: who may have it too.
    pub doubt: Option<Doubt>,
}

/// Reads the beginning of a file.
pub fn open(file: Box<dyn Channel>) -> Result<Opened, Error> {
    let mut link = Framed::new(file, Vigil::timeless());
    let hello = link.expect_message(Kind::Hello)?;
    let (doubt, immutable) = match link.receive()? {
        (Kind::Immutable, payload) => (None, payload),
        (Kind::Doubt, payload) => (Some(decode(&payload)?), link.expect(Kind::Immutable)?),
        (found, _) => return Err(Error::Unexpected { expected: Kind::Immutable, found }),
    };
    Ok(Opened { link, immutable, hello, doubt })
}

/// Restores the VM of an opened file into `vgpu`, a fresh VF; it stands ready to run. On an error the VF is gone.
pub fn restore(
    opened: Opened,
    vgpu: Arc<Vgpu>,
    loader: &dyn GuestLoader,
    unpacker: Arc<dyn Unpacker>,
    observer: &mut dyn Observer,
) -> Result<(Held, PageVerdict), Error> {
    let Opened { link, immutable, hello, .. } = opened;
    match read(link, &immutable, &vgpu, loader, unpacker, observer) {
        Ok((vm, verdict)) => Ok((Held::new(vgpu, vm, hello), verdict)),
        Err(error) => {
            vgpu.discard()?;
            Err(error)
        }
    }
}

fn read(
    link: Framed,
    immutable: &[u8],
    vgpu: &Arc<Vgpu>,
    loader: &dyn GuestLoader,
    unpacker: Arc<dyn Unpacker>,
    observer: &mut dyn Observer,
) -> Result<(Arc<Vm>, PageVerdict), Error> {
    enter(observer, Phase::Prepare)?;
    vgpu.prepare(DXGK_GPUP_MIGRATIONTYPE::DXGK_GPUP_MIGRATIONTYPE_TARGET)?;
    enter(observer, Phase::Immutable)?;
    vgpu.restore_immutable(immutable).map_err(|refusal| Error::Incompatible(refusal.to_string()))?;
    enter(observer, Phase::LastPages)?;
    let page_bytes = vgpu.dirty_page_bytes() as usize;
    let staging = [vgpu.paging_channel()?, vgpu.paging_channel()?];
    let written = Arc::new(Written::new(vgpu.pages()));
    let mut placer = Placer::new(link, staging, unpacker, page_bytes, vgpu.pages(), written);
    loop {
        match placer.next()? {
            Arrival::Pages => {
                if observer.event(Event::Moved { pages: placer.pages() }).is_break() {
                    return Err(Error::Cancelled);
                }
            }
            Arrival::End(_) => break,
            Arrival::Other(found, _) => return Err(Error::Unexpected { expected: Kind::Pages, found }),
        }
    }
    let link = placer.link();
    let hashes = link.expect(Kind::PageHashes)?;
    let mutable = link.expect(Kind::Mutable)?;
    let guest = link.expect(Kind::Guest)?;
    link.expect(Kind::End)?;
    nothing_follows(link)?;
    enter(observer, Phase::Mutable)?;
    vgpu.restore_mutable(&mutable)?;
    let ours = proof::hash_pages(vgpu, || Ok(()))?;
    let verdict = proof::compare(&hashes, &ours)?;
    if verdict.different > 0 {
        return Err(Error::Different(verdict));
    }
    enter(observer, Phase::Restore)?;
    let vm = Vm::restore(vgpu.clone(), loader, &guest).map_err(Error::Guest)?;
    Ok((vm, verdict))
}

/// Walks a file or stream without a device: calls `visit` with each record's number, kind and payload.
/// The error, if any, names the record that is damaged.
pub fn walk(file: Box<dyn Channel>, mut visit: impl FnMut(u32, Kind, &[u8])) -> Result<(), Error> {
    let mut link = Framed::new(file, Vigil::timeless());
    loop {
        let number = link.received();
        let (kind, payload) = link.receive()?;
        visit(number, kind, &payload);
        if kind == Kind::End {
            return nothing_follows(&mut link);
        }
    }
}

/// A file ends with its last record: what follows was not written by whoever saved it.
fn nothing_follows(link: &mut Framed) -> Result<(), Error> {
    match link.receive_payload(&mut [0]) {
        Err(FrameError::CutShort { .. }) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => Err(Error::Protocol("there are bytes behind its last record")),
    }
}

/// The list of a Pages payload, for people: pages with bytes, zero pages, packing.
pub fn describe_pages(payload: &[u8]) -> Result<String, Error> {
    let short = Error::Protocol("a batch without a list");
    let (length, rest) = payload.split_first_chunk::<4>().ok_or(short.clone())?;
    let list = rest.get(..u32::from_le_bytes(*length) as usize).ok_or(short)?;
    let list: crate::pages::list::List = decode(list)?;
    let (bytes, zero) =
        (list.pages(crate::pages::list::Content::Bytes), list.pages(crate::pages::list::Content::Zero));
    Ok(alloc::format!(
        "iteration {}, {bytes} pages, {zero} zero pages, packing {}",
        list.iteration,
        list.packing
    ))
}
