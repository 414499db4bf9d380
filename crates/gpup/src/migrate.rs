//! `gpup migrate`: boots the guests, moves one, proves what arrived.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow, bail};
use dxgksim::agent::channel::{Channel, LinkError};
use dxgksim::agent::converge::{Limits, OnTimeout};
use dxgksim::agent::frame::Kind;
use dxgksim::agent::message::GuestOutcome;
use dxgksim::agent::pages::Packer;
use dxgksim::agent::{Error, Event, Observer, Options, Phase, Source};

use crate::args::{Compress, HostArgs, Migrate, MoveArgs, Timeout};
use crate::exit::Failure;
use crate::pack::{Lz4, Zstd};
use crate::progress::Progress;
use crate::report::{Neighbour, Report, write_json};
use crate::serve::{ServeOptions, Server, Visit};
use crate::tcp::{Tcp, resolve};
use crate::world::{Guest, Machine, Work};

/// Runs the command.
pub fn run(args: &Migrate) -> Result<(), Failure> {
    let scene = Scene::set(args)?;
    let (target, local) = match &args.to {
        Some(to) => (resolve(to).map_err(Failure::usage)?, None),
        None => {
            let local = LocalTarget::start(args)?;
            (local.address, Some(local))
        }
    };
    let result = if args.check { scene.check(target) } else { scene.migrate(target) };
    if let Some(local) = local {
        local.end(result.is_ok() && !args.check)?;
    }
    result
}

/// A number that no other attempt has.
pub fn migration_id() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    now << 32 ^ u128::from(std::process::id())
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
pub fn options(how: &MoveArgs) -> Options {
    Options {
        migration: migration_id(),
        limits: Limits {
            pause: how.pause_limit.0.as_secs_f64(),
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
        prove: true,
        settle_ns: u64::try_from(how.settle.0.as_nanos()).unwrap_or(u64::MAX),
        cancel: Arc::default(),
        note: Vec::new(),
    }
}

/// Opens connections to `address`.
pub fn connector(address: SocketAddr) -> impl FnMut() -> Result<Box<dyn Channel>, LinkError> {
    move || match Tcp::connect(address) {
        Ok(tcp) => Ok(Box::new(tcp) as Box<dyn Channel>),
        Err(_) => Err(LinkError::Closed),
    }
}

/// The second host, in this process.
struct LocalTarget {
    machine: Arc<Machine>,
    address: SocketAddr,
    server: std::thread::JoinHandle<anyhow::Result<Vec<Visit>>>,
}

impl LocalTarget {
    fn start(args: &Migrate) -> anyhow::Result<Self> {
        let machine = Arc::new(Machine::start(&args.host)?);
        let options = ServeOptions {
            cool_down: args.guest.cool_down.0,
            pause_vf: args.how.pause_ddi.is_on(),
            quiet: true,
        };
        let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)), machine.clone(), options)?;
        let address = server.address()?;
        let server = std::thread::spawn(move || server.run(Some(1)));
        Ok(Self { machine, address, server })
    }

    /// Waits for the visit to end, if there was one, and looks for broken rules.
    fn end(self, visited: bool) -> anyhow::Result<()> {
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
}

impl<'a> Scene<'a> {
    fn set(args: &'a Migrate) -> Result<Self, Failure> {
        let HostArgs { vfs, vf_size, .. } = args.host;
        if args.guest.vf >= vfs {
            let last = vfs - 1;
            return Err(Failure::usage(format!("no VF {}: this host has VFs 0 to {last}", args.guest.vf)));
        }
        let work = Work::of(&args.guest, vf_size.0)?;
        let machine = Machine::start(&args.host)?;
        let mover = machine.boot(args.guest.vf, &work)?;
        let neighbours = (0..vfs)
            .filter(|vf| *vf != args.guest.vf)
            .map(|vf| machine.boot(vf, &Work::neighbour(vf, &args.guest, vf_size.0)))
            .collect::<anyhow::Result<_>>()?;
        if !args.output.quiet {
            eprintln!("source: {vfs} VFs of {vf_size}; VF {} runs {}", args.guest.vf, mover.vm.workload());
        }
        mover.wait_started()?;
        sleep(args.guest.warm_up.0);
        Ok(Self { args, machine, mover, neighbours })
    }

    fn source(&self) -> Source {
        Source::new(self.mover.vgpu.clone(), self.mover.vm.clone(), options(&self.args.how))
    }

    fn check(self, target: SocketAddr) -> Result<(), Failure> {
        let mut progress = Progress::new(self.mover.vgpu.dirty_page_bytes(), self.args.output.quiet);
        let verdict = self.source().check(&mut connector(target), &mut progress);
        drop(progress);
        if let Some(path) = &self.args.output.json {
            let reason = verdict.as_ref().err().map(ToString::to_string);
            write_json(&serde_json::json!({ "can_move": verdict.is_ok(), "reason": reason }), path)?;
        }
        verdict.map_err(Failure::from)?;
        println!("VF {} can move there.", self.args.guest.vf);
        self.without_guests()?.clear()
    }

    fn migrate(self, target: SocketAddr) -> Result<(), Failure> {
        let page_bytes = self.mover.vgpu.dirty_page_bytes();
        let vf_bytes = self.mover.vgpu.vram_bytes();
        let workload = self.mover.vm.workload();
        let mut watch = Watch::new(&self, Progress::new(page_bytes, self.args.output.quiet));
        let before = watch.shares_since_start();
        let result = self.source().migrate(&mut connector(target), &mut watch);
        let during = watch.shares_of_migration();
        drop(watch);
        let neighbours = self.neighbour_reports(&before, &during);
        match result {
            Err(Error::InDoubt { migration }) => return Err(in_doubt(migration)),
            Ok((outcome, mut control)) => {
                let mut report = Report::new(workload, vf_bytes, page_bytes, &outcome);
                let outcome = control.expect_message(Kind::Outcome);
                let rest = self.judge(&mut report, outcome)?;
                report.neighbours = neighbours;
                rest.tell(&report)?;
                Failure::unless_identical(report.verdict)
            }
            Err(error) => {
                let mut report = Report::failed(workload, vf_bytes, error.to_string());
                let rest = self.stayed(&mut report)?;
                report.neighbours = neighbours;
                rest.tell(&report)?;
                Err(Failure::from(error))
            }
        }
    }

    /// Compares the guest's result on the target with that of a guest that never moved.
    fn judge(self, report: &mut Report, outcome: Result<GuestOutcome, Error>) -> Result<Rest<'a>, Failure> {
        let work = self.mover.work.clone();
        let rest = self.without_guests()?;
        match outcome {
            Ok(GuestOutcome { steps, result: Ok(result) }) => {
                let reference = rest.machine.reference(rest.args.guest.vf, &work, steps)?;
                report.guest_steps = Some(steps);
                report.result_identical = Some(reference.result == result && reference.steps == steps);
            }
            Ok(GuestOutcome { result: Err(why), .. }) => {
                report.result_identical = Some(false);
                report.error = Some(format!("the guest failed on the target: {why}"));
            }
            Err(error) => report.error = Some(format!("the target did not tell the guest's outcome: {error}")),
        }
        report.conclude();
        Ok(rest)
    }

    /// The VM stayed: proves that it runs on to its right result.
    fn stayed(self, report: &mut Report) -> Result<Rest<'a>, Failure> {
        sleep(self.args.guest.cool_down.0);
        let outcome = self.mover.finish(None).context("the migration failed, and the source VF does not run on")?;
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

    fn neighbour_reports(&self, before: &[f64], during: &[f64]) -> Vec<Neighbour> {
        let shares = before.iter().zip(during);
        self.neighbours
            .iter()
            .zip(shares)
            .map(|(guest, (before, during))| Neighbour {
                vf: guest.vgpu.index(),
                workload: guest.vm.workload(),
                share_before: *before,
                share_during: *during,
            })
            .collect()
    }
}

/// The options' time is over; the VF stayed as it was for as long as this process lived.
fn in_doubt(migration: u128) -> Failure {
    Failure::InDoubt(format!(
        "in doubt: the connection was cut while ownership passed (migration {migration:032x}) and the target \
         did not answer; the source VF stood paused and whole until this process ended"
    ))
}

/// The source host when its guests are gone.
struct Rest<'a> {
    args: &'a Migrate,
    machine: Machine,
}

impl Rest<'_> {
    /// Writes the report, stops the host and says how it all ended.
    fn tell(self, report: &Report) -> Result<(), Failure> {
        let output = &self.args.output;
        if let Some(path) = &output.json {
            write_json(report, path)?;
        }
        if !output.quiet && output.json.as_deref() != Some(std::path::Path::new("-")) {
            report.print();
        }
        self.clear()
    }

    /// Stops everything; the driver must have kept every rule.
    fn clear(self) -> Result<(), Failure> {
        Ok(self.machine.stop()?)
    }
}

/// Follows the migration for the terminal and for the neighbours' shares.
struct Watch<'a> {
    progress: Progress,
    scene: &'a Scene<'a>,
    at_brownout: Option<Vec<u64>>,
    at_end: Option<Vec<u64>>,
}

impl<'a> Watch<'a> {
    fn new(scene: &'a Scene<'a>, progress: Progress) -> Self {
        Self { progress, scene, at_brownout: None, at_end: None }
    }

    /// Engine time of the mover and of each neighbour.
    fn busy(&self) -> Vec<u64> {
        std::iter::once(&self.scene.mover).chain(&self.scene.neighbours).map(Guest::busy).collect()
    }

    /// Each neighbour's part of all engine time granted to VFs since they were made.
    fn shares_since_start(&self) -> Vec<f64> {
        let busy = self.busy();
        shares(&vec![0; busy.len()], &busy)
    }

    /// The same from the begin of the brownout to the moment ownership passed.
    fn shares_of_migration(&self) -> Vec<f64> {
        match (&self.at_brownout, &self.at_end) {
            (Some(from), Some(to)) => shares(from, to),
            (Some(from), None) => shares(from, &self.busy()),
            _ => vec![0.0; self.scene.neighbours.len()],
        }
    }
}

fn shares(from: &[u64], to: &[u64]) -> Vec<f64> {
    let spent: Vec<u64> = from.iter().zip(to).map(|(from, to)| to.saturating_sub(*from)).collect();
    let all: u64 = spent.iter().sum();
    spent[1..].iter().map(|one| if all == 0 { 0.0 } else { *one as f64 / all as f64 }).collect()
}

impl Observer for Watch<'_> {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Enter(Phase::Brownout) => self.at_brownout = Some(self.busy()),
            Event::Enter(Phase::Commit) => self.at_end = Some(self.busy()),
            Event::Throttle(speed) => {
                if let Err(error) = self.scene.mover.throttle(speed) {
                    eprintln!("the guest could not be slowed: {error}");
                }
            }
            _ => {}
        }
        self.progress.event(event)
    }
}
