//! What the source does when the target cannot be reached: it saves the VF, or asks for the guest's outcome.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use live_migration::handover::Standing;
use live_migration::wire::frame::Kind;
use live_migration::wire::framed::Framed;
use live_migration::wire::message::{GuestOutcome, Question, Resolve};
use live_migration::wire::vigil::Vigil;
use live_migration::{Error, Source, put};

use crate::interrupt;
use crate::progress::Progress;
use crate::tcp::{Address, FileWriter};
use crate::units::MigrationId;

/// Between two tries to reach the target.
const STEP: Duration = Duration::from_millis(100);

/// Saves a VF in doubt: to `wanted`, by default a file named after the migration in the present directory; if
/// that fails, to the directory for temporary files, as the VF would be lost with this process.
pub(crate) fn save(
    source: &Source,
    wanted: Option<PathBuf>,
    migration: MigrationId,
    target: &Address,
    progress: &mut Progress,
) -> Result<PathBuf, String> {
    let name = PathBuf::from(format!("gpup-in-doubt-{migration}.vf"));
    let elsewhere = std::env::temp_dir().join(&name);
    let wanted = wanted.unwrap_or(name);
    match write(source, &wanted, target, progress) {
        Ok(()) => Ok(wanted),
        Err(first) => match write(source, &elsewhere, target, progress) {
            Ok(()) => Ok(elsewhere),
            Err(second) => Err(format!("{first}; {second}")),
        },
    }
}

/// Writes the VF to `path`, which must not exist.
fn write(source: &Source, path: &Path, target: &Address, progress: &mut Progress) -> Result<(), String> {
    let failed = |what: &dyn std::fmt::Display| format!("cannot write {}: {what}", path.display());
    let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| failed(&error))?;
    let written = file.try_clone().map_err(|error| failed(&error)).and_then(|sync| {
        let writer = FileWriter::new(file);
        let failure = writer.failure();
        let saved = source.save_in_doubt(Box::new(writer), &target.to_string(), progress);
        saved.map_err(|error| failure.get().map_or_else(|| failed(&error), |why| failed(why)))?;
        sync.sync_all().map_err(|error| failed(&error))?;
        source.kept(progress).map_err(|error| failed(&error))
    });
    if written.is_err() {
        let _ = std::fs::remove_file(path);
    }
    written
}

/// Hears the guest's outcome on `control`, for as long as the target says that it is at work, or asks the target again
/// for `patience` if that is cut.
pub(crate) fn outcome(
    control: Framed,
    target: &Address,
    migration: u128,
    patience: Duration,
) -> Result<GuestOutcome, Error> {
    let vigil = control.vigil().apart();
    let mut heard = hear(control);
    let deadline = Instant::now() + patience;
    while heard.as_ref().is_err_and(Error::is_link) && Instant::now() < deadline && !interrupt::pressed() {
        sleep(STEP);
        heard = ask(target, migration, &vigil);
    }
    heard
}

fn hear(mut control: Framed) -> Result<GuestOutcome, Error> {
    let outcome = control.expect_message(Kind::Outcome)?;
    // The target waits for this word: without it the source might still come and ask.
    let _ = control.send(Kind::End, &[]);
    Ok(outcome)
}

fn ask(target: &Address, migration: u128, vigil: &Arc<Vigil>) -> Result<GuestOutcome, Error> {
    let mut link = Framed::new(Box::new(target.connect(vigil)?), vigil.clone());
    let resolution = put(&mut link, Resolve { migration, question: Question::Ask })?;
    match resolution.standing {
        Standing::Running => hear(link),
        _ => Err(Error::Protocol("the target no longer knows of the VM")),
    }
}
