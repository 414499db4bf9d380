//! `gpup migrate --back`: the VF moves to the target and, while its guest works on, to the source again.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use anyhow::{Context, anyhow};
use gpup_scene::calls::calls;
use live_migration::wire::message::GuestOutcome;
use live_migration::{Error, Held, Options, Source};
use serde::Serialize;

use super::{LOOPBACK, Rest, Scene, options};
use crate::args::Migrate;
use crate::doubt;
use crate::exit::Failure;
use crate::interrupt;
use crate::json;
use crate::note::Note;
use crate::progress::Progress;
use crate::report::{self, Report, Verdict, Whereabouts};
use crate::serve::{ServeOptions, Server};
use crate::tcp::{Address, connector};
use crate::tell::say;
use crate::units::MigrationId;
use crate::watch::Watch;
use crate::world::{Guest, Machine, Work};

/// How long the target takes at most to say that the VM runs there: far longer than any machine needs.
const ARRIVAL: Duration = Duration::from_secs(600);
/// Where a failure happened.
const THERE: &str = "on the way there: ";
const BACK: &str = "on the way back, from the target, where the VF stayed: ";

/// Both ways; what was not begun is none.
#[derive(Serialize)]
struct Legs<'a> {
    there: &'a Report,
    back: Option<&'a Report>,
}

/// Moves the VF to `target` and back. A first move that fails ends as any migration does.
pub(super) fn migrate(
    mut scene: Scene<'_>,
    target: &Address,
    arrivals: &Receiver<Held>,
) -> Result<(), Failure> {
    let page_bytes = scene.mover.vgpu.dirty_page_bytes();
    let vf_bytes = scene.mover.vgpu.vram_bytes();
    let workload = scene.mover.vm.workload();
    let progress = Progress::new(page_bytes, scene.args.output.quiet);
    let mut watch = Watch::new(&scene.mover, &scene.neighbours, &scene.at_warm_up, progress);
    let source = scene.source()?;
    let moved = source.migrate(&mut connector(target), &mut watch);
    let neighbours = watch.neighbours();
    let (outcome, _control) = match moved {
        Ok(moved) => moved,
        Err(error @ Error::InDoubt { .. }) => {
            let report = Report::failed(workload, vf_bytes, error.to_string());
            return scene.keep_in_doubt(&source, target, report).map_err(|failure| failure.at(THERE));
        }
        Err(error) => {
            // Its seat is free for the guest that never moved only when nobody holds the VF any more.
            drop(source);
            return Err(failed(scene, error));
        }
    };
    drop(source);
    let mut there = Report::new(workload, vf_bytes, page_bytes, &outcome);
    scene.name_vram(&mut there);
    there.neighbours = neighbours;
    let held = arrivals.recv_timeout(ARRIVAL).context("the VM does not run on the target")?;
    // Its place is free for its return.
    let work = scene.mover.work.clone();
    let away = Guest { vgpu: held.vgpu.clone(), vm: held.vm.clone(), work };
    std::mem::replace(&mut scene.mover, away).destroy()?;
    interrupt::pause(scene.args.guest.cool_down.0)?;
    return_home(scene, held, there)
}

/// The first move failed: the VF stayed.
fn failed(scene: Scene<'_>, error: Error) -> Failure {
    let mut report = Report::of_error(scene.mover.vm.workload(), scene.mover.vgpu.vram_bytes(), &error);
    scene.name_vram(&mut report);
    let args = scene.args;
    let told = scene.stayed(&mut report).and_then(|rest| {
        report.calls = calls(rest.machine.adapter().contract());
        tell(args, &report, None);
        rest.clear()
    });
    match told {
        Ok(()) => Failure::from(error).at(THERE),
        Err(failure) => failure,
    }
}

/// The VM, `scene.mover` on the target, moves to the source.
fn return_home(scene: Scene<'_>, held: Held, mut there: Report) -> Result<(), Failure> {
    let Scene { args, machine, mover, neighbours, target_vram, .. } = scene;
    let machine = Arc::new(machine);
    let cool_down = args.guest.cool_down.0;
    let serving = ServeOptions { cool_down, quiet: true, hand_over: None };
    let server = Server::bind(&LOOPBACK, machine.clone(), serving)?;
    let address = server.address().into();
    let serve = std::thread::spawn(move || {
        let visits = server.run(Some(1));
        server.close().and(visits)
    });
    let options = Options {
        cancel: interrupt::flag(),
        note: Note::of(&args.guest, &args.host, &mover.work).encode()?,
        ..options(&args.how)?
    };
    let source = Source::new(held.vgpu.clone(), held.vm.clone(), options);
    drop(held);
    let progress = Progress::new(mover.vgpu.dirty_page_bytes(), args.output.quiet);
    let mut watch = Watch::new(&mover, &[], &[0], progress);
    let migration = source.migration();
    let moved = source.migrate(&mut connector(&address), &mut watch);
    drop(watch);
    if let Err(Error::InDoubt { .. }) = moved {
        return Err(keep_on_the_way_back(&source, &mover, &address, args, &there));
    }
    drop(source);
    let (workload, vf_bytes) = (mover.vm.workload(), mover.vgpu.vram_bytes());
    let (outcome, control) = moved.map_err(|error| {
        let back = Report::of_error(workload.clone(), vf_bytes, &error);
        tell(args, &there, Some(&back));
        Failure::from(error).at(BACK).after_the_move()
    })?;
    let mut back = Report::new(workload, vf_bytes, mover.vgpu.dirty_page_bytes(), &outcome);
    (back.source_vram, back.target_vram) = (target_vram, Some(machine.vram()));
    let end = doubt::outcome(control, &address, migration, args.how.settle.0);
    serve.join().map_err(|_| anyhow!("the source's server died"))??;
    let work = mover.work.clone();
    mover.destroy()?;
    neighbours.into_iter().try_for_each(Guest::destroy)?;
    let machine = Arc::into_inner(machine).ok_or_else(|| anyhow!("something still uses the source"))?;
    judge(args, &machine, &work, end, [&mut there, &mut back])?;
    tell(args, &there, Some(&back));
    conclude(args, machine, &there, &back)
}

/// Nobody knows whether the VM is back: as after a first move, it is kept.
fn keep_on_the_way_back(
    source: &Source,
    mover: &Guest,
    address: &Address,
    args: &Migrate,
    there: &Report,
) -> Failure {
    let id = MigrationId(source.migration());
    let end = doubt::keep_whole(source, mover, address, args);
    let failure = doubt::failure(id, &end.place(id));
    let mut back = Report::failed(mover.vm.workload(), mover.vgpu.vram_bytes(), failure.to_string());
    (back.vm, back.was_in_doubt) = (Whereabouts::InDoubt, true);
    if let doubt::End::Saved(file) = &end {
        back.in_doubt_file = Some(file.display().to_string());
    }
    tell(args, there, Some(&back));
    failure.at(BACK)
}

/// Compares the guest's result after both moves with that of a guest that never moved.
fn judge(
    args: &Migrate,
    machine: &Machine,
    work: &Work,
    end: Result<GuestOutcome, Error>,
    legs: [&mut Report; 2],
) -> Result<(), Failure> {
    let (steps, same, error) = match end {
        Ok(GuestOutcome { steps, result: Ok(result) }) => {
            let reference = machine.reference(args.guest.vf, work, steps)?;
            (Some(steps), Some(reference.result == result && reference.steps == steps), None)
        }
        Ok(GuestOutcome { result: Err(why), .. }) => {
            (None, Some(false), Some(format!("the guest failed: {why}")))
        }
        Err(error) => (None, None, Some(format!("the guest's outcome is not known: {error}"))),
    };
    for leg in legs {
        (leg.guest_steps, leg.result_identical) = (steps, same);
        leg.error.clone_from(&error);
        leg.conclude();
    }
    Ok(())
}

/// Says how both ways went.
fn tell(args: &Migrate, there: &Report, back: Option<&Report>) {
    json::set(&Legs { there, back });
    if args.output.speaks() {
        say!("There:");
        report::print(there);
        if let Some(back) = back {
            say!("\nAnd back:");
            report::print(back);
        }
    }
}

/// Stops the host: the driver must have kept every rule, and both ways must have been proved.
fn conclude(args: &Migrate, machine: Machine, there: &Report, back: &Report) -> Result<(), Failure> {
    Rest { args, machine }.clear().map_err(Failure::after_the_move)?;
    let worst =
        [there, back].map(|leg| leg.verdict).into_iter().find(|verdict| *verdict != Verdict::Identical);
    Failure::unless_identical(worst.unwrap_or(Verdict::Identical))
}
