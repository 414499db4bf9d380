//! `gpup resolve`: an operator settles a migration in doubt.

use std::net::SocketAddr;

use live_migration::Error;
use live_migration::wire::channel::LinkError;
use live_migration::wire::frame::{Framed, Kind};
use live_migration::wire::message::{Resolution, Resolve as Word};

use crate::args::Resolve;
use crate::exit::Failure;
use crate::report::write_json;
use crate::tcp::{Tcp, resolve};
use crate::tell::say;

/// Runs the command.
pub(crate) fn run(args: &Resolve) -> Result<(), Failure> {
    let migration = args.migration.0;
    let target = resolve(&args.to).map_err(Failure::usage)?;
    let word = match (args.run, args.discard) {
        (true, _) => Word::Commit(migration),
        (_, true) => Word::Discard(migration),
        _ => Word::Ask(migration),
    };
    let answer = tell(target, word)?;
    if let Some(path) = &args.output.json {
        let state = match answer {
            Resolution::Running => "running",
            Resolution::Ready => "ready",
            Resolution::Unknown => "unknown",
        };
        write_json(&serde_json::json!({ "migration": args.migration.to_string(), "target": state }), path);
    }
    let text = judge(args, answer)?;
    if args.output.speaks() {
        say!("{text}");
    }
    Ok(())
}

/// What the answer means for whoever asked.
fn judge(args: &Resolve, answer: Resolution) -> Result<String, Failure> {
    let (to, id) = (&args.to, &args.migration);
    let failed = |text: String| Err(Failure::Failed(text));
    match (answer, args.run, args.discard) {
        (Resolution::Running, _, true) => failed(format!(
            "{to} runs this VM, so it was not discarded: its saved copy must not be restored anywhere"
        )),
        (Resolution::Running, ..) => {
            Ok(format!("{to} runs this VM: its saved copy must not be restored anywhere"))
        }
        (Resolution::Unknown, true, _) => {
            failed(format!("{to} holds nothing of migration {id}: nothing to run"))
        }
        (Resolution::Unknown, ..) => Ok(format!(
            "{to} holds nothing of migration {id}: the source's VF, or `gpup restore` of its saved copy, \
             is the only one"
        )),
        (Resolution::Ready, false, false) => Ok(format!(
            "{to} holds this VM and does not run it: say --run if the source is gone for good, or --discard \
             before its saved copy is restored"
        )),
        (Resolution::Ready, ..) => failed(format!("{to} still holds this VM in doubt: say it again")),
    }
}

fn tell(target: SocketAddr, word: Word) -> Result<Resolution, Failure> {
    let unreachable = |error| {
        Failure::Failed(format!("no target answers at {target} ({error}): start it again, or check --to"))
    };
    let mut link = Framed::new(Box::new(Tcp::connect(target).map_err(unreachable)?));
    let answer = link
        .send_message(Kind::Resolve, &word)
        .and_then(|()| link.expect_message(Kind::Resolution))
        .map_err(|error| match error {
            error if error.is_link() && error != Error::from(LinkError::TimedOut) => {
                Failure::Failed(format!(
                    "{target} is still at work on this migration and cannot tell yet: ask again in a minute"
                ))
            }
            error => Failure::Failed(format!("{target}: {error}")),
        })?;
    // Whoever settled it does not wait for the guest's outcome.
    let _ = link.send(Kind::End, &[]);
    Ok(answer)
}
