//! `gpup migrate`: boots the guests, moves one, proves what arrived.

mod back;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use live_migration::converge::{LEAST_PAUSE, Limits, OnTimeout};
use live_migration::pages::list::Packer;
use live_migration::wire::message::GuestOutcome;
use live_migration::wire::vigil::Vigil;
use live_migration::{Error, Held, Options, Source};

use crate::args::{Compress, GuestArgs, HostArgs, Migrate, MoveArgs, Timeout};
use crate::doubt::{self, End};
use crate::exit::Failure;
use crate::interrupt;
use crate::json;
use crate::note::Note;
use crate::pack::{Lz4, Zstd};
use crate::progress::Progress;
use crate::report::{self, Report, Whereabouts};
use crate::serve::{ServeOptions, Server, Visit};
use crate::spans::Spans;
use crate::tcp::{Address, connector};
use crate::tell::{say, tell};
use crate::units::{MigrationId, random_name};
use crate::watch::Watch;
use crate::world::{Guest, Machine, Work, wait_started, work_of};
use gpup_scene::busy;
use gpup_scene::calls::calls;

/// Any port of this machine alone.
pub(crate) const LOOPBACK: [SocketAddr; 1] = [SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0)];

/// Runs the command.
pub fn run(args: &Migrate) -> Result<(), Failure> {
    if let Some(file) = args.in_doubt_file.as_ref().filter(|file| file.exists()) {
        return Err(Failure::usage(format!("{} exists: choose another --in-doubt-file", file.display())));
    }
    let limit = args.how.pause_limit.0;
    if limit.as_secs_f64() < LEAST_PAUSE {
        return Err(Error::LimitTooLow(limit.as_secs_f64(), LEAST_PAUSE))
            .map_err(|error| Failure::usage(error.to_string()));
    }
    let (target, mut local) = match &args.to {
        Some(to) => (knock(to)?, None),
        None => {
            let machine = Machine::start_in(&args.host, args.target_bar)?;
            let local = match args.back {
                true => LocalTarget::on_the_way(machine)?,
                false => LocalTarget::start(machine, args.guest.cool_down.0)?,
            };
            (local.address.clone(), Some(local))
        }
    };
    let mut scene = Scene::set(args)?;
    scene.target_vram = local.as_ref().map(|local| local.machine.vram());
    let result = match local.as_mut().and_then(|local| local.arrivals.take()) {
        Some(arrivals) => back::migrate(scene, &target, &arrivals),
        None if args.check => scene.check(target),
        None => scene.migrate(target),
    };
    let ended = local.map_or(Ok(()), |local| local.end(result.is_ok() && !args.check));
    result.and(ended.map_err(|error| Failure::from(error).after_the_move()))
}

/// Finds a target, before guests are booted for nothing.
fn knock(to: &str) -> Result<Address, Failure> {
    let address = Address::resolve(to).map_err(Failure::usage)?;
    match address.connect(&Vigil::patient()) {
        Ok(_) => Ok(address),
        Err(error) => Err(Failure::Failed(format!(
            "no target answers at {address} ({error}): start one there with `gpup serve --listen {address}`"
        ))),
    }
}

/// The packer of a choice.
pub fn packer(choice: Compress) -> Option<Arc<dyn Packer>> {
    match choice {
        Compress::None => None,
        Compress::Lz4 => Some(Arc::new(Lz4)),
        Compress::Zstd => Some(Arc::new(Zstd)),
    }
}

/// The agents' options of a command line.
pub fn options(how: &MoveArgs) -> anyhow::Result<Options> {
    Ok(Options {
        limits: Limits {
            pause: how.pause_limit.0.as_secs_f64(),
            grace: how.pause_grace.0.as_secs_f64(),
            time: how.time_limit.0.as_secs_f64(),
            on_timeout: match how.on_timeout {
                Timeout::Cancel => OnTimeout::Cancel,
                Timeout::Switchover => OnTimeout::Switchover,
                Timeout::Throttle => OnTimeout::Throttle,
            },
        },
        streams: how.streams,
        bandwidth: how.bandwidth.map(|rate| rate.0),
        find_zero: how.zero_pages.is_on(),
        packer: packer(how.compress),
        pause_vf: how.pause_ddi.is_on(),
        settle_ns: u64::try_from(how.settle.0.as_nanos()).unwrap_or(u64::MAX),
        ..Options::new(random_name()?)
    })
}

/// What a neighbour of the moving guest does.
pub(crate) fn neighbour(vf: u32, guest: &GuestArgs, vf_bytes: u64) -> Work {
    Work::neighbour(vf, guest.seed, guest.quiet_neighbours, vf_bytes)
}

/// The second host, in this process.
pub(crate) struct LocalTarget {
    /// The host.
    pub(crate) machine: Arc<Machine>,
    /// Where it listens.
    pub(crate) address: Address,
    server: std::thread::JoinHandle<anyhow::Result<Vec<Visit>>>,
    /// VMs that run there, if they are not to finish there.
    arrivals: Option<Receiver<Held>>,
}

impl LocalTarget {
    /// A host that takes in one VF, whose guest works on for `cool_down`.
    pub(crate) fn start(machine: Machine, cool_down: Duration) -> anyhow::Result<Self> {
        Self::serve(machine, ServeOptions { cool_down, quiet: true, hand_over: None }, None)
    }

    /// A host that takes in one VF, which is to move on.
    fn on_the_way(machine: Machine) -> anyhow::Result<Self> {
        let (hand_over, arrivals) = channel();
        let options = ServeOptions { cool_down: Duration::ZERO, quiet: true, hand_over: Some(hand_over) };
        Self::serve(machine, options, Some(arrivals))
    }

    fn serve(
        machine: Machine,
        options: ServeOptions,
        arrivals: Option<Receiver<Held>>,
    ) -> anyhow::Result<Self> {
        let machine = Arc::new(machine);
        let server = Server::bind(&LOOPBACK, machine.clone(), options)?;
        let address = server.address().into();
        let server = std::thread::spawn(move || server.run(Some(1)));
        Ok(Self { machine, address, server, arrivals })
    }

    /// Waits for the visit to end, if there was one, and looks for broken rules.
    pub(crate) fn end(self, visited: bool) -> anyhow::Result<()> {
        if visited {
            self.server.join().map_err(|_| anyhow!("the target's thread died"))??;
        }
        match &self.machine.violations()[..] {
            [] => Ok(()),
            broken => bail!("the target's driver broke the contract: {}", broken.join("; ")),
        }
    }
}

/// The source host with its guests at work.
struct Scene<'a> {
    args: &'a Migrate,
    machine: Machine,
    mover: Guest,
    neighbours: Vec<Guest>,
    /// What the target's VRAM is, if that is known here.
    target_vram: Option<String>,
    /// Engine time of each guest when all were at work and the warm-up began.
    at_warm_up: Vec<u64>,
}

impl<'a> Scene<'a> {
    fn set(args: &'a Migrate) -> Result<Self, Failure> {
        // From here on Ctrl-C is a request, so that the hosts are taken down in order.
        interrupt::flag();
        let HostArgs { vfs, vf_size, .. } = args.host;
        args.host.check_vf(args.guest.vf)?;
        let work = work_of(&args.guest, vf_size.0)?;
        let machine = Machine::start_in(&args.host, args.source_bar)?;
        let mover = machine.boot(args.guest.vf, &work)?;
        let neighbours: Vec<Guest> = (0..vfs)
            .filter(|vf| *vf != args.guest.vf)
            .map(|vf| machine.boot(vf, &neighbour(vf, &args.guest, vf_size.0)))
            .collect::<anyhow::Result<_>>()?;
        if !args.output.quiet {
            tell!("source: {vfs} VFs of {vf_size}; VF {} runs {}", args.guest.vf, mover.vm.workload());
        }
        wait_started(&mover)?;
        neighbours.iter().try_for_each(wait_started)?;
        let at_warm_up = busy(&mover, &neighbours);
        interrupt::pause(args.guest.warm_up.0)?;
        Ok(Self { args, machine, mover, neighbours, target_vram: None, at_warm_up })
    }

    fn source(&self) -> Result<Source, Failure> {
        let options = Options {
            cancel: interrupt::flag(),
            note: Note::of(&self.args.guest, &self.args.host, &self.mover.work).encode()?,
            ..options(&self.args.how)?
        };
        Ok(Source::new(self.mover.vgpu.clone(), self.mover.vm.clone(), options))
    }

    fn check(self, target: Address) -> Result<(), Failure> {
        let mut progress = Progress::new(self.mover.vgpu.dirty_page_bytes(), self.args.output.quiet);
        let verdict = self.source()?.check(&mut connector(&target), &mut progress);
        drop(progress);
        let reason = verdict.as_ref().err().map(ToString::to_string);
        json::set(&serde_json::json!({ "can_move": verdict.is_ok(), "reason": reason }));
        verdict.map_err(Failure::from)?;
        if self.args.output.speaks() {
            say!("VF {} can move there.", self.args.guest.vf);
        }
        self.without_guests()?.clear()
    }

    fn migrate(self, target: Address) -> Result<(), Failure> {
        let page_bytes = self.mover.vgpu.dirty_page_bytes();
        let vf_bytes = self.mover.vgpu.vram_bytes();
        let workload = self.mover.vm.workload();
        let progress = Progress::new(page_bytes, self.args.output.quiet);
        let watch = Watch::new(&self.mover, &self.neighbours, &self.at_warm_up, progress);
        let source = self.source()?;
        let migration = source.migration();
        let mut spans = Spans::begin("source", migration, Some(self.args.guest.vf), watch);
        let result = source.migrate(&mut connector(&target), &mut spans);
        let neighbours = spans.end(&result).neighbours();
        match result {
            Err(error @ Error::InDoubt { .. }) => {
                let mut report = Report::failed(workload, vf_bytes, error.to_string());
                report.neighbours = neighbours;
                self.keep_in_doubt(&source, &target, report)
            }
            Ok((outcome, control)) => {
                drop(source);
                let mut report = Report::new(workload, vf_bytes, page_bytes, &outcome);
                self.name_vram(&mut report);
                report.neighbours = neighbours;
                let outcome = doubt::outcome(control, &target, migration, self.args.how.settle.0);
                self.arrived(report, outcome).map_err(Failure::after_the_move)
            }
            Err(error @ Error::Left(_)) => Err(Failure::from(error)),
            Err(error) => {
                drop(source);
                let mut report = Report::of_error(workload, vf_bytes, &error);
                self.name_vram(&mut report);
                let rest = self.stayed(&mut report)?;
                report.neighbours = neighbours;
                rest.tell(&mut report)?;
                Err(Failure::from(error))
            }
        }
    }

    /// The VM has left; `outcome` is what its guest had to show on the target.
    fn arrived(self, mut report: Report, outcome: Result<GuestOutcome, Error>) -> Result<(), Failure> {
        let rest = self.judge(&mut report, outcome)?;
        rest.tell(&mut report)?;
        Failure::unless_identical(report.verdict)
    }

    /// Says in the report what VRAM is on both hosts.
    fn name_vram(&self, report: &mut Report) {
        report.source_vram = Some(self.machine.vram());
        report.target_vram = self.target_vram.clone();
    }

    /// Nobody knows who owns the VF, so it leaves this process whole, in a file; or the target answers after all.
    fn keep_in_doubt(self, source: &Source, target: &Address, mut report: Report) -> Result<(), Failure> {
        let id = MigrationId(source.migration());
        report.was_in_doubt = true;
        let end = doubt::keep_whole(source, &self.mover, target, self.args);
        let place = match end {
            End::Saved(ref file) => {
                report.in_doubt_file = Some(file.display().to_string());
                end.place(id)
            }
            End::GivenUp(_) => end.place(id),
            End::Settled(Ok(control)) => {
                (report.vm, report.error) = (Whereabouts::Target, None);
                self.name_vram(&mut report);
                let outcome = doubt::outcome(control, target, id.0, self.args.how.settle.0);
                return self.arrived(report, outcome).map_err(Failure::after_the_move);
            }
            End::Settled(Err(error)) => {
                report.error = Some(error.to_string());
                self.name_vram(&mut report);
                let rest = self.stayed(&mut report)?;
                rest.tell(&mut report)?;
                return Err(Failure::from(error));
            }
        };
        report.vm = Whereabouts::InDoubt;
        report.calls = calls(self.machine.adapter().contract());
        json::set(&report);
        Err(doubt::failure(id, &place))
    }

    /// Compares the guest's result on the target with that of a guest that never moved.
    fn judge(self, report: &mut Report, outcome: Result<GuestOutcome, Error>) -> Result<Rest<'a>, Failure> {
        let work = self.mover.work.clone();
        let rest = self.without_guests()?;
        match outcome {
            Ok(GuestOutcome { steps, result: Ok(result) }) => {
                report.guest_steps = Some(steps);
                match rest.machine.reference(rest.args.guest.vf, &work, steps) {
                    Ok(reference) => {
                        report.result_identical =
                            Some(reference.result == result && reference.steps == steps);
                    }
                    Err(error) => report.error = Some(format!("the result was not compared: {error:#}")),
                }
            }
            Ok(GuestOutcome { result: Err(why), .. }) => {
                report.result_identical = Some(false);
                report.error = Some(format!("the guest failed on the target: {why}"));
            }
            Err(error) => {
                report.error = Some(format!("the target did not tell the guest's outcome: {error}"))
            }
        }
        report.conclude();
        Ok(rest)
    }

    /// The VM stayed: proves that it runs on to its right result.
    fn stayed(self, report: &mut Report) -> Result<Rest<'a>, Failure> {
        sleep(self.args.guest.cool_down.0);
        let outcome =
            self.mover.finish(None).context("the migration failed, and the source VF does not run on")?;
        let work = self.mover.work.clone();
        let rest = self.without_guests()?;
        let reference = rest.machine.reference(rest.args.guest.vf, &work, outcome.steps)?;
        report.guest_steps = Some(outcome.steps);
        report.result_identical = Some(reference == outcome);
        Ok(rest)
    }

    /// Every VF goes, so that a guest that never moves can have the mover's place, and the host to itself.
    fn without_guests(self) -> anyhow::Result<Rest<'a>> {
        self.mover.destroy()?;
        self.neighbours.into_iter().try_for_each(Guest::destroy)?;
        Ok(Rest { args: self.args, machine: self.machine })
    }
}

/// The source host when its guests are gone.
struct Rest<'a> {
    args: &'a Migrate,
    machine: Machine,
}

impl Rest<'_> {
    /// Writes the report, stops the host and says how it all ended.
    fn tell(self, report: &mut Report) -> Result<(), Failure> {
        report.calls = calls(self.machine.adapter().contract());
        let output = &self.args.output;
        json::set(report);
        if output.speaks() {
            report::print(report);
        }
        self.clear()
    }

    /// Stops everything; the driver must have kept every rule.
    fn clear(self) -> Result<(), Failure> {
        Ok(self.machine.stop()?)
    }
}
