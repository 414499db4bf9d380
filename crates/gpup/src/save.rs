//! `gpup save` and `gpup restore`: quick migration through a file.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;

use anyhow::{Context, anyhow};
use dxgksim::agent::file;
use dxgksim::agent::message::Hello;
use gpup_guest::{Pattern, Spec, Workload};
use serde::{Deserialize, Serialize};

use crate::args::{HostArgs, Restore, Save, Switch};
use crate::exit::Failure;
use crate::migrate::{migration_id, packer};
use crate::pack::AnyUnpacker;
use crate::progress::Progress;
use crate::report::{Verdict, write_json};
use crate::tcp::{FileReader, FileWriter};
use crate::units::Bytes;
use crate::world::{Machine, Work, finish};

/// What the tool notes in a file, so that the result can be proved after a restore.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    workload: String,
    seed: u64,
    dirty_rate: u64,
    pattern: String,
    image: Option<PathBuf>,
    fill: u8,
    image_bytes: u64,
    performant: bool,
}

/// `gpup save`
pub fn save(args: &Save) -> Result<(), Failure> {
    if args.file.exists() && !args.force {
        let file = args.file.display();
        return Err(Failure::usage(format!("{file} exists: choose another name or add --force")));
    }
    if args.guest.vf >= args.host.vfs {
        return Err(Failure::usage(format!("no VF {}: this host has VFs 0 to {}", args.guest.vf, args.host.vfs - 1)));
    }
    let work = Work::of(&args.guest, args.host.vf_size.0)?;
    let machine = Machine::start(&args.host)?;
    let guest = machine.boot(args.guest.vf, &work)?;
    guest.wait_started()?;
    sleep(args.guest.warm_up.0);
    let note = Note {
        workload: args.guest.workload.to_string(),
        seed: args.guest.seed,
        dirty_rate: args.guest.dirty_rate,
        pattern: args.guest.pattern.to_string(),
        image: args.guest.image.as_ref().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone())),
        fill: args.guest.fill,
        image_bytes: work.spec.image_bytes,
        performant: args.host.performant_tracking.is_on(),
    };
    let hello = Hello {
        migration: migration_id(),
        vf_bytes: guest.vgpu.vram_bytes(),
        page_bytes: guest.vgpu.dirty_page_bytes(),
        streams: 1,
        prove: true,
        workload: guest.vm.workload(),
        note: serde_json::to_vec(&note).context("the note")?,
    };
    // A half-written file never bears the name asked for.
    let part = args.file.with_extension("part");
    let out = create(&part)?;
    let sync = out.try_clone().context("the file")?;
    let mut progress = Progress::new(hello.page_bytes, args.output.quiet);
    let channel = Box::new(FileWriter::new(out));
    let packer = packer(args.compress);
    let saved =
        file::save(&guest.vgpu, &guest.vm, &hello, packer, args.zero_pages.is_on(), channel, &mut progress);
    drop(progress);
    let saved = saved.map_err(|error| {
        let _ = std::fs::remove_file(&part);
        anyhow!("cannot save to {}: {error}; the VF runs on", args.file.display())
    })?;
    sync.sync_all().and_then(|()| std::fs::rename(&part, &args.file)).context("the file")?;
    if let Some(path) = &args.output.json {
        write_json(
            &serde_json::json!({ "bytes": saved.bytes, "pages": saved.pages, "zero_pages": saved.zero_pages }),
            path,
        )?;
    }
    if !args.output.quiet {
        println!(
            "saved {} of VRAM to {}: {} in {} pages ({} zero)",
            Bytes(hello.vf_bytes),
            args.file.display(),
            Bytes(saved.bytes),
            saved.pages,
            saved.zero_pages
        );
    }
    guest.destroy()?;
    Ok(machine.stop()?)
}

fn create(path: &Path) -> anyhow::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// `gpup restore`
pub fn restore(args: &Restore) -> Result<(), Failure> {
    let shown = args.file.display();
    let input = File::open(&args.file).with_context(|| format!("cannot read {shown}"))?;
    let refuse = |error: dxgksim::agent::Error| match error {
        dxgksim::agent::Error::Incompatible(_) => Failure::Incompatible(format!("{shown}: {error}")),
        error => Failure::Failed(format!("{shown} is refused: {error}; nothing was restored")),
    };
    let (link, hello) = file::open(Box::new(FileReader::new(input))).map_err(refuse)?;
    let note: Note = serde_json::from_slice(&hello.note)
        .map_err(|_| Failure::Failed(format!("{shown} is refused: its note cannot be read")))?;
    let host = HostArgs {
        vfs: 1,
        vf_size: Bytes(hello.vf_bytes),
        vram: None,
        performant_tracking: if note.performant { Switch::On } else { Switch::Off },
        firmware: args.firmware,
        revision: None,
    };
    let machine = Machine::start(&host)?;
    let vgpu = machine.create_vf(0, hello.vf_bytes)?;
    let mut progress = Progress::new(hello.page_bytes, args.output.quiet);
    let restored =
        file::restore(link, hello, vgpu, &gpup_guest::Loader, Arc::new(AnyUnpacker), &mut progress);
    drop(progress);
    let (mut held, pages) = restored.map_err(refuse)?;
    held.run().map_err(refuse)?;
    sleep(args.cool_down.0);
    let outcome = finish(&held.vm, None)?;
    held.vm.stop();
    held.vgpu.destroy().map_err(|error| anyhow!("{error}"))?;
    let identical = match note.work(held.hello.vf_bytes)? {
        Some(work) => Some(machine.reference(0, &work, outcome.steps)? == outcome),
        None => None,
    };
    let verdict = match identical {
        Some(false) => Verdict::Different,
        _ => Verdict::Identical,
    };
    if let Some(path) = &args.output.json {
        write_json(
            &serde_json::json!({
                "verdict": verdict,
                "pages_compared": pages.compared,
                "guest_steps": outcome.steps,
                "result_identical": identical,
            }),
            path,
        )?;
    }
    if !args.output.quiet {
        let result = match identical {
            Some(true) => "its guest's result is that of a guest that was never saved",
            Some(false) => "its guest's RESULT DIFFERS from that of a guest that was never saved",
            None => "its guest's result was not compared: the image is not there",
        };
        println!("restored {shown}: {} pages identical, {} steps done, {result}", pages.compared, outcome.steps);
    }
    machine.stop()?;
    Failure::unless_identical(verdict)
}

impl Note {
    /// The saved guest's work, to be done again for comparison; none if its image is no longer there.
    fn work(&self, vf_bytes: u64) -> anyhow::Result<Option<Work>> {
        let parse = |what: &str| anyhow!("the file's note has a strange {what}");
        let workload: Workload = self.workload.parse().map_err(|_| parse("workload"))?;
        let pattern: Pattern = self.pattern.parse().map_err(|_| parse("pattern"))?;
        let spec =
            Spec { seed: self.seed, dirty_rate: self.dirty_rate, pattern, ..Spec::new(workload, vf_bytes) };
        match (&self.image, self.fill) {
            (Some(path), _) if !path.exists() => Ok(None),
            (image, fill) => Work::with_image(spec, image.as_deref(), fill).map(Some),
        }
    }
}
