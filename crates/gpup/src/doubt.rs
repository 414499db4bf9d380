//! What the source does when the target cannot be reached: it keeps the VF and saves it, or asks for the guest's
//! outcome.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use live_migration::handover::Standing;
use live_migration::wire::frame::Kind;
use live_migration::wire::framed::Framed;
use live_migration::wire::message::{GuestOutcome, Question, Resolve};
use live_migration::wire::vigil::Vigil;
use live_migration::{Error, Event, Source, put};

use crate::args::Migrate;
use crate::exit::Failure;
use crate::files::Draft;
use crate::files::channel::Writer;
use crate::interrupt::{self, Hold};
use crate::progress::Progress;
use crate::tcp::{Address, connector};
use crate::tell::tell;
use crate::units::MigrationId;
use crate::world::{Guest, throttle};

/// Between two tries to reach the target.
const STEP: Duration = Duration::from_millis(100);
/// How long the target is asked between two tries to save a VF.
const ASKING: Duration = Duration::from_secs(2);
/// Between two tries to save a VF that no place has taken yet.
const RETRY: Duration = Duration::from_secs(2);

/// How a VM in doubt ends here.
pub(crate) enum End<T> {
    /// It is whole in this file.
    Saved(PathBuf),
    /// The target has answered.
    Settled(T),
    /// It could not be saved for this reason, and somebody gave it up.
    GivenUp(String),
}

/// Keeps a VM in doubt, which would be lost with this process, until it is in a file, the target answers `ask`, or
/// somebody who was told what is lost gives it up.
fn keep<T>(mut save: impl FnMut() -> Result<PathBuf, String>, mut ask: impl FnMut() -> Option<T>) -> End<T> {
    let hold = Hold::new();
    let mut said = String::new();
    loop {
        let why = match save() {
            Ok(file) => return End::Saved(file),
            Err(why) => why,
        };
        if why != said {
            tell!(
                "in doubt: {why}; the VF stays here, whole, and this goes on trying: make room, or let the target \
                 answer; pressed twice, Ctrl-C gives it up"
            );
        }
        said = why;
        hold.pause(RETRY);
        if hold.is_given_up() {
            return End::GivenUp(said);
        }
        if let Some(answer) = ask() {
            return End::Settled(answer);
        }
    }
}

impl<T> End<T> {
    /// Where the VM is, for people.
    pub(crate) fn place(&self, migration: MigrationId) -> String {
        match self {
            Self::Saved(file) => {
                let file = file.display();
                format!(
                    "the VF is saved whole in {file}: if the target does not run it, `gpup restore {file}` brings it \
                     back; `gpup resolve --to HOST:PORT --migration {migration}` asks the target"
                )
            }
            Self::GivenUp(why) => format!("the VF could not be saved and was given up: {why}"),
            Self::Settled(_) => "the target has answered".into(),
        }
    }
}

/// The failure of a migration that stays in doubt, its VM where `place` says.
pub(crate) fn failure(migration: MigrationId, place: &str) -> Failure {
    Failure::InDoubt(format!(
        "in doubt: the connection was cut while ownership passed (migration {migration}), and the target did not \
         answer; {place}"
    ))
}

/// Keeps the VM of `mover`, which `source` left in doubt: [`keep`] with the files and the target of the command line.
pub(crate) fn keep_whole(
    source: &Source,
    mover: &Guest,
    target: &Address,
    args: &Migrate,
) -> End<Result<Framed, Error>> {
    let id = MigrationId(source.migration());
    let mut progress = Progress::new(mover.vgpu.dirty_page_bytes(), args.output.quiet);
    let save = || save(source, args.in_doubt_file.as_deref(), id, target, &mut progress);
    let mut unthrottle = |event: Event| {
        if let Event::Throttle(speed) = event {
            let _ = throttle(&mover.vgpu, speed);
        }
        ControlFlow::Continue(())
    };
    let ask = || match source.settle(&mut connector(target), &mut unthrottle, ASKING) {
        Err(Error::InDoubt { .. }) => None,
        answer => Some(answer),
    };
    let end = keep(save, ask);
    if let End::Saved(_) = end
        && let Err(error) = source.kept(&mut |_: Event| ControlFlow::Continue(()))
    {
        tell!("the place of the VF on this host could not be given back: {error}");
    }
    end
}

/// Saves a VF in doubt: to `wanted`, by default a file named after the migration in the present directory; if that
/// fails, to the first of the other places that takes it.
fn save(
    source: &Source,
    wanted: Option<&Path>,
    migration: MigrationId,
    target: &Address,
    progress: &mut Progress,
) -> Result<PathBuf, String> {
    let mut failures = Vec::new();
    for path in places(wanted, migration) {
        match write(source, &path, target, progress) {
            Ok(()) => return Ok(path),
            Err(why) => failures.push(why),
        }
    }
    Err(failures.join("; "))
}

/// Where a VM in doubt may go, the best place first.
fn places(wanted: Option<&Path>, migration: MigrationId) -> Vec<PathBuf> {
    let name = PathBuf::from(format!("gpup-in-doubt-{migration}.vf"));
    let elsewhere = [Some(std::env::temp_dir()), std::env::home_dir()];
    let mut places: Vec<PathBuf> = wanted.map(Path::to_owned).into_iter().collect();
    places.push(name.clone());
    places.extend(elsewhere.into_iter().flatten().map(|folder| folder.join(&name)));
    places
}

/// Writes the VF to `path`, which must not exist.
fn write(source: &Source, path: &Path, target: &Address, progress: &mut Progress) -> Result<(), String> {
    let failed = |what: &dyn std::fmt::Display| format!("cannot write {}: {what}", path.display());
    let draft = Draft::of_vm(path, false).map_err(|error| failed(&error))?;
    let (writer, reason) = Writer::new(draft.file().try_clone().map_err(|error| failed(&error))?);
    let saved = source.save_in_doubt(Box::new(writer), &target.to_string(), progress);
    saved.map_err(|error| reason.get().map_or_else(|| failed(&error), |why| failed(why)))?;
    draft.commit().map_err(|error| failed(&error))
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
