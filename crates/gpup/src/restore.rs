//! `gpup restore`: a saved VF comes back, and its guest finishes.

mod doubt;

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;

use anyhow::{Context, anyhow};
use live_migration::saved::open;
use live_migration::wire::message::PageVerdict;
use live_migration::{Error, Held, saved};

use crate::args::{HostArgs, Restore, Switch};
use crate::exit::Failure;
use crate::files::channel::Reader;
use crate::json;
use crate::note::Note;
use crate::pack::AnyUnpacker;
use crate::progress::Progress;
use crate::report::Verdict;
use crate::spans::Spans;
use crate::tell::say;
use crate::units::{Bytes, count};
use crate::world::{Machine, finish};

/// Runs the command.
pub(crate) fn run(args: &Restore) -> Result<(), Failure> {
    let input = File::open(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    let _turn = lock(&input, &args.file)?;
    let (reader, reason) = Reader::new(input);
    let refuse = |error| refuse(&args.file, reason.get(), error);
    let opened = open(Box::new(reader)).map_err(refuse)?;
    let hello = &opened.hello;
    let note = Note::decode(&hello.note).map_err(|error| {
        Failure::Failed(format!("{} is refused: {error}; nothing was restored", args.file.display()))
    })?;
    let host = HostArgs {
        vfs: note.vfs,
        vf_size: Bytes(hello.vf_bytes),
        vram: None,
        performant_tracking: if note.performant { Switch::On } else { Switch::Off },
        firmware: args.firmware,
        revision: args.revision,
    };
    let machine = Machine::start(&host)?;
    let vgpu = machine.create_vf(0, hello.vf_bytes)?;
    let progress = Progress::new(hello.page_bytes, args.output.quiet);
    let mut spans = Spans::begin("restore", hello.migration, Some(vgpu.index()), progress);
    let doubt = opened.doubt.clone();
    let restored = saved::restore(opened, vgpu, &gpup_guest::Loader, Arc::new(AnyUnpacker), &mut spans);
    drop(spans.end(&restored));
    let (held, pages) = restored.map_err(refuse)?;
    // Only now, when the copy has proved whole, is a target told to discard its own.
    if let Some(doubt) = doubt
        && let Err(failure) = doubt::settle(args, &doubt, held.hello.migration)
    {
        held.discard().map_err(|error| anyhow!("{error}"))?;
        return Err(failure);
    }
    finish_and_compare(args, held, pages, &note, machine)
}

/// The guest works on and finishes; its result is compared with that of a guest that was never saved.
fn finish_and_compare(
    args: &Restore,
    mut held: Held,
    pages: PageVerdict,
    note: &Note,
    machine: Machine,
) -> Result<(), Failure> {
    let shown = args.file.display();
    held.run().map_err(|error| Failure::Failed(format!("{shown}: the restored VF does not run: {error}")))?;
    sleep(args.cool_down.0);
    let outcome = finish(&held.vm, None)?;
    held.vm.stop();
    held.vgpu.destroy().map_err(|error| anyhow!("{error}"))?;
    let vf_bytes = held.hello.vf_bytes;
    // Its place is free only when nobody holds it any more.
    drop(held);
    let compared = note.work(vf_bytes).and_then(|work| {
        let reference = machine.reference(0, &work, outcome.steps).map_err(|error| format!("{error:#}"))?;
        Ok(reference == outcome)
    });
    let (verdict, result) = match &compared {
        Ok(true) => (Verdict::Identical, "is that of a guest that was never saved".into()),
        Ok(false) => (Verdict::Different, "DIFFERS from that of a guest that was never saved".into()),
        Err(why) => (Verdict::NotCompared, format!("was NOT COMPARED: {why}")),
    };
    json::set(&serde_json::json!({
        "verdict": verdict,
        "pages_compared": pages.compared,
        "guest_steps": outcome.steps,
        "result_identical": compared.as_ref().ok(),
    }));
    if args.output.speaks() {
        let (pages, steps) = (count(pages.compared, "page"), count(outcome.steps, "step"));
        say!("restored {shown}: {pages} identical, {steps} done, its guest's result {result}");
    }
    machine.stop().map_err(|error| Failure::from(error).after_the_move())?;
    match compared {
        Err(why) => Err(Failure::NotCompared(format!(
            "{shown} was restored and its guest finished, but its result was not compared: {why}"
        ))),
        Ok(_) => Failure::unless_identical(verdict),
    }
}

/// One restore of a file at a time: two at once would run its VM twice. Where the system cannot lock it, such as a pipe,
/// it is read as it is.
fn lock(input: &File, path: &Path) -> Result<Option<File>, Failure> {
    let Ok(held) = input.try_clone() else { return Ok(None) };
    match held.try_lock() {
        Ok(()) => Ok(Some(held)),
        Err(TryLockError::WouldBlock) => Err(Failure::Failed(format!(
            "{} is being restored by another process: the VF in it must not run twice",
            path.display()
        ))),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Why a file was refused: `reason` if it could not be read, or what is wrong with it.
fn refuse(file: &Path, reason: Option<&std::io::Error>, error: Error) -> Failure {
    let shown = file.display();
    if let Some(reason) = reason {
        return Failure::Failed(format!("cannot read {shown}: {reason}; nothing was restored"));
    }
    match error {
        Error::Incompatible(why) => Failure::Incompatible(format!("{shown} cannot be restored here: {why}")),
        error => Failure::Failed(format!("{shown} is refused: {error}; nothing was restored")),
    }
}
