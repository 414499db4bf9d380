//! The agent that takes one VM in.

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use dxgksim::vgpu::Vgpu;
use dxgksim::vm::Vm;
use wddm::migration::DXGK_GPUP_MIGRATIONTYPE;

use super::held::Held;
use super::register::Seat;
use super::stream::Stream;
use super::{Desk, Target, Visit, turn_away};
use crate::error::Error;
use crate::event::{Event, Observer, enter};
use crate::handover::target as handover;
use crate::pages::placer::{Placer, Written};
use crate::pages::proof;
use crate::phase::Phase;
use crate::wire::frame::Kind;
use crate::wire::framed::{Framed, LAST_WORDS_NS};
use crate::wire::message::{Hello, IterationEnd, ONLY_ASKED, PageVerdict, Verdict, Welcome};
use crate::wire::talk::decode;

/// More streams than this no source opens.
const MAX_STREAMS: u16 = 64;

impl Target {
    /// Takes in what comes on `control`, whose Hello has been read.
    pub(super) fn receive(&self, control: Framed, hello: Hello, desk: &mut dyn Desk) -> Visit {
        let migration = hello.migration;
        let Some(seat) = self.register.begin(migration) else {
            return turn_away(control, Error::Protocol("this migration is known already"));
        };
        let control = control.watched_by(self.vigil(seat.interrupt.clone()));
        let vgpu = match desk.make_vgpu(&hello) {
            Ok(vgpu) => vgpu,
            Err(why) => return self.refuse(migration, control, why),
        };
        let mut visitor =
            Visitor { target: self, control, hello, vgpu, seat, streams: Vec::new(), immutable: None };
        match visitor.take_in(desk) {
            Ok((vm, last_word)) => visitor.await_commit(vm, last_word, desk),
            Err(error) => {
                let error = visitor.cause(error);
                visitor.discard(error)
            }
        }
    }

    /// There is no VF to be had.
    fn refuse(&self, migration: u128, mut control: Framed, why: alloc::string::String) -> Visit {
        let _ = self.register.step(migration, handover::Event::Failed);
        let _ = control.send_message(Kind::Verdict, &Verdict::Refused(why.clone()));
        Visit::Discarded(migration, Error::Incompatible(why))
    }
}

/// The word on which the source may give up ownership.
enum LastWord {
    /// The VM stands ready.
    Ready,
    /// It has said so already; now it says how the pages compare.
    Proof(PageVerdict),
}

impl LastWord {
    fn say(&self, control: &mut Framed) -> Result<(), Error> {
        match self {
            Self::Ready => Ok(control.send(Kind::Ready, &[])?),
            Self::Proof(verdict) => control.send_message(Kind::PageVerdict, verdict),
        }
    }
}

/// A VM that comes in.
struct Visitor<'a> {
    target: &'a Target,
    control: Framed,
    hello: Hello,
    vgpu: Arc<Vgpu>,
    seat: Arc<Seat>,
    streams: Vec<Stream>,
    /// The driver's immutable data, if it came before all data connections did.
    immutable: Option<Vec<u8>>,
}

impl Visitor<'_> {
    /// Everything up to the word on which the source may give up ownership.
    fn take_in(&mut self, observer: &mut dyn Observer) -> Result<(Arc<Vm>, LastWord), Error> {
        let welcome = Welcome { target: self.target.identity };
        self.control.send_message(Kind::Welcome, &welcome)?;
        self.open_streams()?;
        enter(observer, Phase::Prepare)?;
        self.vgpu.prepare(DXGK_GPUP_MIGRATIONTYPE::DXGK_GPUP_MIGRATIONTYPE_TARGET)?;
        enter(observer, Phase::Immutable)?;
        let immutable = match self.immutable.take() {
            Some(immutable) => immutable,
            None => self.control.expect(Kind::Immutable)?,
        };
        self.judge(&immutable)?;
        enter(observer, Phase::Brownout)?;
        let mutable = self.apply_pages(observer)?;
        enter(observer, Phase::Mutable)?;
        self.vgpu.restore_mutable(&mutable)?;
        let guest = self.control.expect(Kind::Guest)?;
        enter(observer, Phase::Restore)?;
        let loader = &*self.target.equipment.loader;
        let vm = Vm::restore(self.vgpu.clone(), loader, &guest).map_err(Error::Guest)?;
        match self.be_ready(observer) {
            Ok(last_word) => Ok((vm, last_word)),
            Err(error) => {
                vm.stop();
                Err(error)
            }
        }
    }

    fn judge(&mut self, immutable: &[u8]) -> Result<(), Error> {
        match self.vgpu.restore_immutable(immutable) {
            Ok(()) => self.control.send_message(Kind::Verdict, &Verdict::Compatible),
            Err(refusal) => {
                let why = refusal.to_string();
                self.control.send_message(Kind::Verdict, &Verdict::Refused(why.clone()))?;
                Err(Error::Incompatible(why))
            }
        }
    }

    fn open_streams(&mut self) -> Result<(), Error> {
        let written = Arc::new(Written::new(self.vgpu.pages()));
        for _ in 0..self.hello.streams.clamp(1, MAX_STREAMS) {
            let link = self.next_stream()?;
            let staging = [self.vgpu.paging_channel()?, self.vgpu.paging_channel()?];
            let placer = Placer::new(
                link.watched_by(self.control.vigil().clone()),
                staging,
                self.target.equipment.unpacker.clone(),
                self.vgpu.dirty_page_bytes() as usize,
                self.vgpu.pages(),
                written.clone(),
            );
            self.streams.push(Stream::start(placer, self.seat.interrupt.clone())?);
        }
        Ok(())
    }

    /// Waits for a data connection for as long as the source is there.
    fn next_stream(&mut self) -> Result<Framed, Error> {
        let since = self.control.vigil().now();
        loop {
            if let Some(link) = self.seat.next_stream() {
                return Ok(link);
            }
            // Each connection has its own time: the next word may overtake the last stream, and it may be the source's
            // last.
            if self.control.look()? {
                let immutable = self.control.expect(Kind::Immutable)?;
                if self.immutable.replace(immutable).is_some() {
                    return Err(Error::Unexpected { expected: Kind::Stream, found: Kind::Immutable });
                }
            }
            self.control.vigil().check_peer(since)?;
        }
    }

    /// Answers each iteration when all streams are through with it; ends with the mutable data.
    fn apply_pages(&mut self, observer: &mut dyn Observer) -> Result<Vec<u8>, Error> {
        let mut number = 0;
        loop {
            match self.control.receive()? {
                (Kind::IterationEnd, payload) => {
                    let pages = self.finish_iteration(number, decode(&payload)?)?;
                    self.control.send(Kind::IterationApplied, &[])?;
                    let _ = observer.event(Event::Iterate { number, pages });
                    number += 1;
                }
                (Kind::Mutable, payload) => return Ok(payload),
                (Kind::Abort, payload) => return Err(Error::Aborted(decode(&payload).unwrap_or_default())),
                (found, _) => return Err(Error::Unexpected { expected: Kind::Mutable, found }),
            }
        }
    }

    fn finish_iteration(&mut self, number: u32, end: IterationEnd) -> Result<u64, Error> {
        if end.iteration != number {
            return Err(Error::Protocol("an iteration out of order"));
        }
        let mut pages = 0;
        for stream in &self.streams {
            let control = &mut self.control;
            pages += stream.finish(number, || Ok(control.beat()?))?;
        }
        if pages == end.pages { Ok(pages) } else { Err(Error::Protocol("pages of an iteration are missing")) }
    }

    /// The VM is whole and stands still; both sides may compare it.
    fn be_ready(&mut self, observer: &mut dyn Observer) -> Result<LastWord, Error> {
        if !self.hello.prove {
            return Ok(LastWord::Ready);
        }
        self.control.send(Kind::Ready, &[])?;
        enter(observer, Phase::Proof)?;
        let control = &mut self.control;
        let ours = proof::hash_pages(&self.vgpu, || {
            control.vigil().check()?;
            Ok(control.beat()?)
        })?;
        let theirs = control.expect(Kind::PageHashes)?;
        Ok(LastWord::Proof(proof::compare(&theirs, &ours)?))
    }

    /// Whoever waited on the control connection when a stream failed was told to stop, not why.
    fn cause(&self, error: Error) -> Error {
        match error {
            Error::Cancelled => self.streams.iter().find_map(Stream::failure).unwrap_or(error),
            error => error,
        }
    }

    /// Nothing of what came stays. It goes before the source is told, so that the VF is free when it hears of it.
    fn discard(self, error: Error) -> Visit {
        let Self { target, control, hello, vgpu, streams, .. } = self;
        let migration = hello.migration;
        // A stream that still receives ends with the control connection's vigil.
        self.seat.interrupt.store(true, core::sync::atomic::Ordering::Relaxed);
        drop(streams);
        let gone = vgpu.discard().map_err(Error::from);
        drop(vgpu);
        let _ = target.register.step(migration, handover::Event::Failed);
        let error = match error {
            Error::Aborted(_) => error,
            // A stream may end before the word comes that says why.
            error if error.is_link() => control.last_words(LAST_WORDS_NS).map_or(error, Error::Aborted),
            error => {
                control.give_up(&error.to_string());
                error
            }
        };
        match (gone, error) {
            (Ok(()), Error::Aborted(why)) if why == ONLY_ASKED => Visit::OnlyAsked(migration),
            (Ok(()), error) | (Err(error), _) => Visit::Discarded(migration, error),
        }
    }

    /// The VM stands ready; the source's next word decides.
    fn await_commit(self, vm: Arc<Vm>, last_word: LastWord, observer: &mut dyn Observer) -> Visit {
        let Self { target, mut control, hello, vgpu, streams, .. } = self;
        let migration = hello.migration;
        drop(streams);
        let _ = target.register.step(migration, handover::Event::Loaded);
        let _ = observer.event(Event::Enter(Phase::Commit));
        let mut held = Held::new(vgpu, vm, hello);
        match last_word.say(&mut control).and_then(|()| control.expect(Kind::Commit)) {
            Ok(_) => {
                let _ = target.register.step(migration, handover::Event::Commit);
                if let Err(error) = target.start(&mut held) {
                    let _ = held.discard();
                    control.give_up(&error.to_string());
                    return Visit::Discarded(migration, error);
                }
                // If this word is lost the source asks, and hears it then.
                let _ = control.send(Kind::Running, &[]);
                let _ = observer.event(Event::Enter(Phase::End));
                Visit::Running(held, control)
            }
            Err(error) if error.is_link() || error == Error::Cancelled => {
                let _ = observer.event(Event::InDoubt);
                target.register.lose(migration, held);
                Visit::InDoubt(migration)
            }
            Err(error) => {
                let _ = target.register.step(migration, handover::Event::Abort);
                let _ = held.discard();
                if !matches!(error, Error::Aborted(_)) {
                    control.give_up(&error.to_string());
                }
                Visit::Discarded(migration, error)
            }
        }
    }
}
