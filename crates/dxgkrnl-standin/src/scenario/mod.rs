//! A complete live migration between two adapters of one kernel.
//!
//! Both agents of `dxgksim` run here, each on a thread, connected by pipes in memory. The moving VF has neighbours
//! at work on the source. What arrived is proved as the command-line tool proves it: page by page before ownership
//! passes, and by the guest's result against that of a guest that never moved.

mod pipe;
mod visit;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use dxgksim::dxgkrnl::Adapter;
use dxgksim::host::{MILLISECOND, now, sleep};
use dxgksim::vgpu::VgpuOptions;
use gpup_guest::{Spec, Workload};
use gpup_scene::calls::calls;
use gpup_scene::report::Report;
use gpup_scene::{Guest, Problem, Shares, Work, busy, reference};
use live_migration::converge::{Limits, OnTimeout};
use live_migration::wire::channel::Channel;
use live_migration::wire::frame::Kind;
use live_migration::wire::framed::Framed;
use live_migration::wire::message::GuestOutcome;
use live_migration::wire::vigil::Vigil;
use live_migration::{Error, Event, Options, Phase, Source};

use pipe::Door;
use visit::Visit;

/// What is to be run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// VFs of each adapter.
    pub vfs: u32,
    /// The VF that moves.
    pub vf: u32,
    /// Bytes of VRAM of each VF.
    pub vf_bytes: u64,
    /// What the moving guest does.
    pub workload: Workload,
    /// Seed of the guests' data.
    pub seed: u64,
    /// Percent of the VF's free memory that the guest fills with noise first.
    pub fill: u8,
    /// How long the guests work before the migration, in nanoseconds.
    pub warm_up_ns: u64,
    /// How long the guest works afterwards, in nanoseconds.
    pub cool_down_ns: u64,
    /// Most bytes a second between the agents.
    pub bandwidth: Option<u64>,
    /// The moving VF's memory lies in many pieces on both sides, described by memory bases.
    pub scattered: bool,
}

impl Plan {
    /// How the moving VF is made, with so many bytes of VRAM.
    fn vgpu(&self, vram_bytes: u64) -> VgpuOptions {
        VgpuOptions { vram_bytes, scattered: self.scattered }
    }
}

/// How a scenario stands, for those who watch and stop it.
#[derive(Default)]
pub struct Progress {
    cancel: Arc<AtomicBool>,
    /// 0 before the migration, then the phase's number in [`Phase::ALL`] and one.
    phase: AtomicU32,
}

impl Progress {
    /// Ends the scenario as soon as it can.
    pub fn cancel(&self) {
        self.cancel.store(true, Ordering::Release);
    }

    /// Whether it is to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Acquire)
    }

    /// The phase the source has entered; none before the migration.
    pub fn phase(&self) -> Option<Phase> {
        let number = self.phase.load(Ordering::Acquire).checked_sub(1)?;
        Phase::ALL.get(number as usize).copied()
    }

    fn enter(&self, phase: Phase) {
        let number = Phase::ALL.iter().position(|known| *known == phase).unwrap_or_default() as u32;
        self.phase.store(number + 1, Ordering::Release);
    }
}

/// Boots guests on `source`, moves one of them to `target`, and proves what arrived.
pub fn run(source: &Arc<Adapter>, target: &Arc<Adapter>, plan: &Plan, progress: &Progress) -> Report {
    let report = match Scene::set(source, target, plan, progress) {
        Ok(scene) => scene.migrate(target),
        Err(problem) => Report::failed(plan.workload.name().into(), plan.vf_bytes, problem.0),
    };
    Report { calls: calls(source.contract()), ..report }
}

/// The source with its guests at work.
struct Scene<'a> {
    source: &'a Arc<Adapter>,
    plan: &'a Plan,
    progress: &'a Progress,
    mover: Guest,
    neighbours: Vec<Guest>,
    at_warm_up: Vec<u64>,
}

impl<'a> Scene<'a> {
    fn set(
        source: &'a Arc<Adapter>,
        target: &Arc<Adapter>,
        plan: &'a Plan,
        progress: &'a Progress,
    ) -> Result<Self, Problem> {
        for adapter in [source, target] {
            if adapter.partition_count() != plan.vfs {
                adapter.set_partition_count(plan.vfs).map_err(|error| Problem(error.to_string()))?;
            }
        }
        let spec = Spec { seed: plan.seed, ..Spec::new(plan.workload, plan.vf_bytes) };
        let work = Work::with_noise(spec, plan.fill)?;
        let options = plan.vgpu(plan.vf_bytes);
        let mover = Guest::boot_with(source, plan.vf, &options, &work)?;
        let neighbours = (0..plan.vfs)
            .filter(|vf| *vf != plan.vf)
            .map(|vf| {
                let work = Work::neighbour(vf, plan.seed, false, plan.vf_bytes);
                Guest::boot(source, vf, plan.vf_bytes, &work)
            })
            .collect::<Result<Vec<_>, _>>()?;
        for guest in core::iter::once(&mover).chain(&neighbours) {
            guest.wait_started(|| progress.is_cancelled())?;
        }
        let at_warm_up = busy(&mover, &neighbours);
        progress.rest(plan.warm_up_ns)?;
        Ok(Self { source, plan, progress, mover, neighbours, at_warm_up })
    }

    fn migrate(self, target: &Arc<Adapter>) -> Report {
        let door = Arc::new(Door::default());
        let visit = match Visit::start(target, &door, self.plan) {
            Ok(visit) => visit,
            Err(problem) => return self.failed(problem.0),
        };
        let (vgpu, vm) = (self.mover.vgpu.clone(), self.mover.vm.clone());
        let (page_bytes, workload) = (vgpu.dirty_page_bytes(), vm.workload());
        let source = Source::new(vgpu, vm, self.options());
        let mut shares = Shares::new(&self.mover, &self.neighbours, &self.at_warm_up);
        let mut observer = |event: Event| {
            shares.event(&event);
            if let Event::Enter(phase) = event {
                self.progress.enter(phase);
            }
            ControlFlow::Continue(())
        };
        let mut connect = |_: &Vigil| door.knock().map(|end| Box::new(end) as Box<dyn Channel>);
        let result = source.migrate(&mut connect, &mut observer);
        drop(source);
        let neighbours = shares.neighbours();
        let mut report = match result {
            Ok((outcome, control)) => {
                let mut report = Report::new(workload, self.plan.vf_bytes, page_bytes, &outcome);
                self.judge(&mut report, hear(control));
                report
            }
            Err(error) => self.stayed(&error),
        };
        door.close();
        if let (Err(problem), None) = (visit.end(), &report.error) {
            report.error = Some(format!("on the target: {problem}"));
        }
        report.neighbours = neighbours;
        report
    }

    fn options(&self) -> Options {
        Options {
            // No throttle: that is asked for by an escape of the driver, of which nothing is known here. And no limit
            // that a slow kernel could miss.
            limits: Limits { pause: 0.5, grace: 600.0, time: 600.0, on_timeout: OnTimeout::Switchover },
            bandwidth: self.plan.bandwidth,
            cancel: self.progress.cancel.clone(),
            ..Options::new(u128::from(now()) << 32 ^ u128::from(self.plan.seed))
        }
    }

    fn failed(&self, why: alloc::string::String) -> Report {
        Report::failed(self.plan.workload.name().into(), self.plan.vf_bytes, why)
    }

    /// Compares the guest's result on the target with that of a guest that never moved.
    fn judge(self, report: &mut Report, outcome: Result<GuestOutcome, Error>) {
        match outcome {
            Ok(GuestOutcome { steps, result: Ok(result) }) => {
                report.guest_steps = Some(steps);
                match self.alone(steps) {
                    Ok(reference) => {
                        report.result_identical =
                            Some(reference.result == result && reference.steps == steps);
                    }
                    Err(problem) => report.error = Some(problem.0),
                }
            }
            Ok(GuestOutcome { result: Err(why), .. }) => {
                report.result_identical = Some(false);
                report.error = Some(format!("the guest failed on the target: {why}"));
            }
            Err(error) => report.error = Some(format!("the target did not tell the outcome: {error}")),
        }
        report.conclude();
    }

    /// The VM stayed: proves that it runs on to its right result, where there still is a device for it.
    fn stayed(self, error: &Error) -> Report {
        let mut report = Report::of_error(self.plan.workload.name().into(), self.plan.vf_bytes, error);
        if self.source.is_removed() {
            return report;
        }
        match self.mover.finish(None) {
            Ok(outcome) => {
                report.guest_steps = Some(outcome.steps);
                report.result_identical = self.alone(outcome.steps).ok().map(|alone| alone == outcome);
            }
            Err(problem) => report.error = Some(format!("{error}; the source VF does not run on: {problem}")),
        }
        report
    }

    /// The outcome of the mover's work on a VF that never moved, with the host to itself.
    fn alone(self, steps: u64) -> Result<dxgksim::guest::Outcome, Problem> {
        let Self { source, plan, mover, neighbours, .. } = self;
        let work = mover.work.clone();
        mover.destroy()?;
        neighbours.into_iter().try_for_each(Guest::destroy)?;
        reference(source, plan.vf, plan.vf_bytes, &work, steps)
    }
}

impl Progress {
    /// Lets time go by, unless the scenario is to end.
    fn rest(&self, ns: u64) -> Result<(), Problem> {
        let until = now().saturating_add(ns);
        while now() < until {
            if self.is_cancelled() {
                return Err(Problem("cancelled before the migration".into()));
            }
            sleep(5 * MILLISECOND);
        }
        Ok(())
    }
}

/// The guest's outcome, as the target tells it.
fn hear(mut control: Framed) -> Result<GuestOutcome, Error> {
    let outcome = control.expect_message(Kind::Outcome)?;
    control.send(Kind::End, &[])?;
    Ok(outcome)
}
