//! The source's agent: moves a running VM away, or leaves it running where it was.

mod carrier;
mod failed;
mod options;
mod settling;

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::AtomicBool;

use dxgksim::host::Mutex;
use dxgksim::vgpu::Vgpu;
use dxgksim::vm::Vm;
use wddm::migration::DXGK_GPUP_MIGRATIONTYPE;

pub use options::{Connect, Options, Outcome, Pause};
pub use settling::put;

use crate::converge::{FULL_SPEED, LEAST_PAUSE};
use crate::error::Error;
use crate::event::{Event, Observer};
use crate::handover::source as handover;
use crate::pages::mover::Mover;
use crate::phase::Phase;
use crate::saved::{self, Saved};
use crate::wire::channel::Channel;
use crate::wire::frame::{FrameError, Kind};
use crate::wire::framed::Framed;
use crate::wire::message::{Doubt, Hello, ONLY_ASKED, Verdict, Welcome};
use crate::wire::talk::decode;
use crate::wire::vigil::Vigil;
use carrier::{Carrier, Met, ns, seconds};
use failed::Failed;

/// Moves one VM.
pub struct Source {
    vgpu: Arc<Vgpu>,
    vm: Arc<Vm>,
    options: Options,
    vigil: Arc<Vigil>,
    /// Who owns the VM.
    hand: Mutex<handover::Source>,
    /// All of it has been sent, so the target may stand ready.
    loaded: AtomicBool,
    /// What the driver saved in the attempt under way, immutable and mutable: it saves each only once.
    driver_data: Mutex<[Vec<u8>; 2]>,
}

impl Source {
    /// The agent that moves `vm` on `vgpu`.
    pub fn new(vgpu: Arc<Vgpu>, vm: Arc<Vm>, options: Options) -> Self {
        let vigil = Vigil::new(options.clock.clone(), options.cancel.clone(), options.silence_s);
        Self {
            vgpu,
            vm,
            options,
            vigil,
            hand: Mutex::default(),
            loaded: AtomicBool::new(false),
            driver_data: Mutex::default(),
        }
    }

    /// Names the attempt.
    pub fn migration(&self) -> u128 {
        self.options.migration
    }

    /// Where the VM is, as far as this side knows.
    pub fn standing(&self) -> handover::State {
        self.hand.lock().state
    }

    /// Moves the VM, or leaves it running here. After [`Error::InDoubt`] it stands still: see [`Source::settle`]. After
    /// [`Error::Left`] it runs on the target.
    ///
    /// The connection to the target comes back too: the guest's outcome will arrive on it.
    pub fn migrate(
        &self,
        connect: &mut dyn Connect,
        observer: &mut dyn Observer,
    ) -> Result<(Outcome, Framed), Error> {
        let limits = self.options.limits;
        if limits.pause < LEAST_PAUSE {
            return Err(Error::LimitTooLow(limits.pause, LEAST_PAUSE));
        }
        let mut outcome = Outcome { speed: FULL_SPEED, ..Outcome::default() };
        let offered = self.offer(connect, observer, &mut outcome);
        let control = self.hand_over(offered, connect, observer, &mut outcome)?;
        Ok((outcome, control))
    }

    /// Everything up to the moment before ownership passes.
    fn offer(
        &self,
        connect: &mut dyn Connect,
        observer: &mut dyn Observer,
        outcome: &mut Outcome,
    ) -> Result<Framed, Box<Failed>> {
        self.vigil.within(ns(self.options.limits.time));
        let opened = self.enter(observer, Phase::Connect).and_then(|()| self.open(connect));
        let unopened =
            |error| Box::new(Failed { error: out_of_time(error), control: None, streams: Vec::new() });
        let mut control = opened.map_err(unopened)?;
        let mut streams = Vec::new();
        match self.transfer(&mut control, &mut streams, connect, observer, outcome) {
            Ok(()) => Ok(control),
            Err(error) => Err(Box::new(Failed { error, control: Some(control), streams })),
        }
    }

    fn open(&self, connect: &mut dyn Connect) -> Result<Framed, Error> {
        Ok(Framed::new(connect.connect(&self.vigil)?, self.vigil.clone()))
    }

    fn transfer(
        &self,
        control: &mut Framed,
        streams: &mut Vec<Arc<Mutex<Mover>>>,
        connect: &mut dyn Connect,
        observer: &mut dyn Observer,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        let met = self.introduce(control, connect, observer, outcome).map_err(out_of_time)?;
        streams.clone_from(&met.movers);
        Carrier::new(self, control, met, observer).carry(outcome)
    }

    /// The sides meet, and the target's driver says whether the VF fits.
    fn introduce(
        &self,
        control: &mut Framed,
        connect: &mut dyn Connect,
        observer: &mut dyn Observer,
        outcome: &mut Outcome,
    ) -> Result<Met, Error> {
        control.send_message(Kind::Hello, &self.hello())?;
        let welcome: Welcome = match control.receive() {
            Ok((Kind::Welcome, payload)) => decode(&payload)?,
            Ok((Kind::Verdict, payload)) => return Err(refused(&payload)?),
            Ok((Kind::Abort, payload)) => return Err(Error::Aborted(decode(&payload).unwrap_or_default())),
            Ok((found, _)) => return Err(Error::Unexpected { expected: Kind::Welcome, found }),
            // The other side speaks, but another language: that is its answer.
            Err(error @ FrameError::Version { .. }) => return Err(Error::Incompatible(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        self.hand.lock().target = Some(welcome.target);
        let movers = self.open_streams(connect)?;
        self.enter(observer, Phase::Prepare)?;
        self.vgpu.prepare(DXGK_GPUP_MIGRATIONTYPE::DXGK_GPUP_MIGRATIONTYPE_SOURCE)?;
        self.enter(observer, Phase::Immutable)?;
        let immutable = self.vgpu.save_immutable()?;
        outcome.driver_bytes[0] = immutable.len() as u64;
        let asked = self.vigil.now();
        control.send(Kind::Immutable, &[&immutable])?;
        self.driver_data.lock()[0] = immutable;
        match control.expect_message(Kind::Verdict)? {
            Verdict::Compatible => Ok(Met { movers, answer: seconds(asked, self.vigil.now()) }),
            Verdict::Refused(why) => Err(Error::Incompatible(why)),
        }
    }

    /// Asks whether the VM could move there, and moves nothing.
    pub fn check(&self, connect: &mut dyn Connect, observer: &mut dyn Observer) -> Result<(), Error> {
        self.vigil.within(ns(self.options.limits.time));
        let mut control = self.open(connect).map_err(out_of_time)?;
        let verdict = self.introduce(&mut control, connect, observer, &mut Outcome::default());
        self.vgpu.end()?;
        match verdict {
            Ok(_streams) => {
                // The target discards what it prepared, whether this word reaches it or the end of the connection does.
                control.give_up(ONLY_ASKED);
                Ok(())
            }
            Err(error) => {
                let failed =
                    Failed { error: out_of_time(error), control: Some(control), streams: Vec::new() };
                Err(failed.part())
            }
        }
    }

    fn hello(&self) -> Hello {
        Hello {
            migration: self.options.migration,
            vf_bytes: self.vgpu.vram_bytes(),
            page_bytes: self.vgpu.dirty_page_bytes(),
            streams: self.options.streams,
            prove: self.options.prove,
            workload: self.vm.workload(),
            note: self.options.note.clone(),
        }
    }

    fn open_streams(&self, connect: &mut dyn Connect) -> Result<Vec<Arc<Mutex<Mover>>>, Error> {
        (0..self.options.streams.max(1))
            .map(|_| {
                let mut link = self.open(connect)?;
                link.send_message(Kind::Stream, &self.options.migration)?;
                let staging = [self.vgpu.paging_channel()?, self.vgpu.paging_channel()?];
                Ok(Arc::new(Mutex::new(Mover::new(link, staging))))
            })
            .collect()
    }

    fn enter(&self, observer: &mut dyn Observer, phase: Phase) -> Result<(), Error> {
        let stop = observer.event(Event::Enter(phase)).is_break();
        if stop || self.vigil.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// After [`Error::InDoubt`]: writes the VM, which stands still, to `file`, and who may have it too. Once the caller
    /// has made the file outlive this process, [`Source::kept`] lets the VM go; until then it stands still as before.
    pub fn save_in_doubt(
        &self,
        file: Box<dyn Channel>,
        address: &str,
        observer: &mut dyn Observer,
    ) -> Result<Saved, Error> {
        let hello = Hello { streams: 1, prove: true, ..self.hello() };
        let target = self.hand.lock().target;
        let doubt = target.map(|target| Doubt { target, address: address.into() });
        saved::save_held(
            &self.vgpu,
            &self.vm,
            (&hello, doubt.as_ref()),
            self.options.packer.clone(),
            &self.driver_data.lock(),
            file,
            observer,
        )
    }
}

/// What follows the end of a connection whose time was over before the brownout.
fn out_of_time(error: Error) -> Error {
    if error.is_overdue() { Error::OutOfTime } else { error }
}

/// A verdict that came in place of a welcome: there is no VF for the VM.
fn refused(payload: &[u8]) -> Result<Error, Error> {
    match decode(payload)? {
        Verdict::Refused(why) => Ok(Error::Incompatible(why)),
        Verdict::Compatible => Err(Error::Protocol("a verdict before anything to judge")),
    }
}
