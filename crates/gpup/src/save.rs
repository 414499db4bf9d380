//! `gpup save`: quick migration, into a file.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use live_migration::pages::list::Packer;
use live_migration::wire::message::Hello;
use live_migration::{Error, saved};

use crate::args::{Output, Save};
use crate::exit::Failure;
use crate::interrupt;
use crate::migrate::packer;
use crate::note::Note;
use crate::progress::Progress;
use crate::report::write_json;
use crate::spans::Spans;
use crate::tcp::FileWriter;
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
    let cancel = interrupt::flag();
    let work = work_of(&args.guest, args.host.vf_size.0)?;
    // Before the guest boots: a place that cannot be written to shows at once.
    let place = Place::open(&args.file)?;
    let result = boot_and_save(args, &work, &place);
    if result.is_err() {
        place.remove();
    }
    if cancel.load(std::sync::atomic::Ordering::Relaxed) && result.is_err() {
        return Err(Failure::Cancelled("cancelled: nothing was saved, and the VF ran on".into()));
    }
    result
}

fn boot_and_save(args: &Save, work: &Work, place: &Place) -> Result<(), Failure> {
    let machine = Machine::start(&args.host)?;
    let guest = machine.boot(args.guest.vf, work)?;
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
        note: Note::of(&args.guest, &args.host).encode()?,
    };
    let saved = write(&guest, &hello, packer(args.compress), args.zero_pages.is_on(), place, &args.output)
        .map_err(|why| {
            Failure::Failed(format!("cannot save to {}: {why}; the VF ran on", args.file.display()))
        })?;
    if let Some(path) = &args.output.json {
        write_json(
            &serde_json::json!({ "bytes": saved.bytes, "pages": saved.pages, "zero_pages": saved.zero_pages }),
            path,
        );
    }
    if args.output.speaks() {
        say!(
            "saved {} of VRAM to {}: {} with {} ({} zero)",
            Bytes(hello.vf_bytes),
            args.file.display(),
            Bytes(saved.bytes),
            count(saved.pages, "page"),
            saved.zero_pages
        );
    }
    guest.destroy()?;
    Ok(machine.stop()?)
}

fn write(
    guest: &Guest,
    hello: &Hello,
    packer: Option<Arc<dyn Packer>>,
    find_zero: bool,
    place: &Place,
    output: &Output,
) -> Result<saved::Saved, String> {
    let text = |error: std::io::Error| error.to_string();
    let writer = FileWriter::new(place.file.try_clone().map_err(text)?);
    let failure = writer.failure();
    let progress = Progress::new(hello.page_bytes, output.quiet);
    let mut spans = Spans::begin("save", hello.migration, Some(guest.vgpu.index()), progress);
    let saved = saved::save(&guest.vgpu, &guest.vm, hello, packer, find_zero, Box::new(writer), &mut spans);
    drop(spans.end(&saved));
    let saved = saved.map_err(|error: Error| failure.get().map_or(error.to_string(), ToString::to_string))?;
    place.keep().map_err(text)?;
    Ok(saved)
}

/// Where a file is written: a half-written one never bears the name asked for.
struct Place {
    file: File,
    name: PathBuf,
    /// None for what is no ordinary file, such as a pipe: it is written to as it is.
    part: Option<PathBuf>,
}

impl Place {
    fn open(name: &Path) -> Result<Self, Failure> {
        let ordinary = std::fs::metadata(name).map_or(true, |found| found.is_file());
        let part = ordinary.then(|| {
            let mut part = name.as_os_str().to_owned();
            part.push(".part");
            PathBuf::from(part)
        });
        let path = part.as_deref().unwrap_or(name);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .with_context(|| format!("cannot write {}", name.display()))?;
        Ok(Self { file, name: name.into(), part })
    }

    /// The file is whole: it gets its name.
    fn keep(&self) -> std::io::Result<()> {
        let Some(part) = &self.part else { return Ok(()) };
        self.file.sync_all()?;
        std::fs::rename(part, &self.name)
    }

    /// It is not, and goes.
    fn remove(&self) {
        if let Some(part) = &self.part {
            let _ = std::fs::remove_file(part);
        }
    }
}
