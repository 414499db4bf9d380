//! `gpup save`: quick migration, into a file.

use std::ops::ControlFlow;
use std::thread::sleep;

use anyhow::Context;
use live_migration::saved::{self, Saved, Standing};
use live_migration::wire::message::Hello;
use live_migration::{Error, Event, Observer};

use crate::args::Save;
use crate::exit::Failure;
use crate::files::Draft;
use crate::files::channel::Writer;
use crate::interrupt;
use crate::json;
use crate::migrate::packer;
use crate::note::Note;
use crate::progress::Progress;
use crate::report::Whereabouts;
use crate::spans::Spans;
use crate::tell::{say, tell};
use crate::units::{Bytes, count, random_name};
use crate::world::{Guest, Machine, Work, wait_started, work_of};

/// Runs the command.
pub(crate) fn run(args: &Save) -> Result<(), Failure> {
    let shown = args.file.display();
    if args.file.is_dir() {
        return Err(Failure::usage(format!("{shown} is a directory: name a file in it")));
    }
    if args.file.exists() && !args.force {
        return Err(Failure::usage(format!("{shown} exists: choose another name or add --force")));
    }
    args.host.check_vf(args.guest.vf)?;
    interrupt::flag();
    let work = work_of(&args.guest, args.host.vf_size.0)?;
    // Before the guest boots: a place that cannot be written to shows at once.
    let draft = Draft::of_vm(&args.file, args.force).with_context(|| format!("cannot write {shown}"))?;
    let machine = Machine::start(&args.host)?;
    let guest = machine.boot(args.guest.vf, &work)?;
    if !args.output.quiet {
        tell!("source: VF {} of {} runs {}", args.guest.vf, args.host.vf_size, guest.vm.workload());
    }
    wait_started(&guest)?;
    interrupt::pause(args.guest.warm_up.0)?;
    let hello = Hello {
        migration: random_name()?,
        vf_bytes: guest.vgpu.vram_bytes(),
        page_bytes: guest.vgpu.dirty_page_bytes(),
        streams: 1,
        prove: true,
        workload: guest.vm.workload(),
        note: Note::of(&args.guest, &args.host, &work).encode()?,
    };
    let standing = match save(args, &guest, &hello, draft) {
        Ok(standing) => standing,
        Err(failure) => return Err(ran_on(args, &machine, guest, &work, failure)),
    };
    let saved = standing.saved();
    let left = standing.leave();
    tell_saved(args, &hello, &saved);
    left.map_err(|error| {
        Failure::Failed(format!("the VF is whole in {shown}, but the driver does not let it go: {error}"))
    })?;
    guest.destroy()?;
    Ok(machine.stop()?)
}

/// Writes the VM to a file that is safe when this returns. On an error the VM runs on.
fn save(args: &Save, guest: &Guest, hello: &Hello, draft: Draft) -> Result<Standing, Failure> {
    let failed = |why: &dyn std::fmt::Display| {
        Failure::Failed(format!("cannot save to {}: {why}", args.file.display()))
    };
    let (writer, reason) = Writer::new(draft.file().try_clone().map_err(|error| failed(&error))?);
    let progress = Interruptible(Progress::new(hello.page_bytes, args.output.quiet));
    let mut spans = Spans::begin("save", hello.migration, Some(guest.vgpu.index()), progress);
    let standing = saved::save(
        &guest.vgpu,
        &guest.vm,
        hello,
        packer(args.compress),
        args.zero_pages.is_on(),
        Box::new(writer),
        &mut spans,
    );
    drop(spans.end(&standing));
    let standing = standing.map_err(|error| match reason.get() {
        Some(why) => failed(why),
        None if error == Error::Cancelled => Failure::Cancelled("cancelled: nothing was saved".into()),
        None => failed(&error),
    })?;
    draft.commit().map_err(|error| failed(&error))?;
    Ok(standing)
}

fn tell_saved(args: &Save, hello: &Hello, saved: &Saved) {
    let file = args.file.display();
    json::set(&serde_json::json!({
        "saved": true,
        "vm": Whereabouts::File,
        "file": file.to_string(),
        "bytes": saved.bytes,
        "pages": saved.pages,
        "zero_pages": saved.zero_pages,
    }));
    if args.output.speaks() {
        say!(
            "saved {} of VRAM to {file}: {} with {} ({} zero)",
            Bytes(hello.vf_bytes),
            Bytes(saved.bytes),
            count(saved.pages, "page"),
            saved.zero_pages
        );
    }
}

/// The VM stayed: proves that it ran on to its right result, and says so beside what failed.
fn ran_on(args: &Save, machine: &Machine, guest: Guest, work: &Work, failure: Failure) -> Failure {
    sleep(args.guest.cool_down.0);
    let outcome = guest.finish(None);
    let gone = guest.destroy();
    let same = outcome
        .and_then(|outcome| gone.map(|()| outcome))
        .map_err(anyhow::Error::from)
        .and_then(|outcome| Ok(machine.reference(args.guest.vf, work, outcome.steps)? == outcome));
    let failure = match &same {
        Ok(true) => failure.and("the VF ran on"),
        Ok(false) => failure.and("the VF ran on, but NOT to its right result"),
        Err(error) => failure.and(&format!("the VF does NOT run on: {error:#}")),
    };
    json::set(&serde_json::json!({
        "saved": false,
        "vm": Whereabouts::Source,
        "result_identical": same.ok(),
    }));
    failure
}

/// Shows what happens, and stops at Ctrl-C.
struct Interruptible(Progress);

impl Observer for Interruptible {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        match interrupt::pressed() {
            true => ControlFlow::Break(()),
            false => self.0.event(event),
        }
    }
}
