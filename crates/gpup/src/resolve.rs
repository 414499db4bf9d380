//! `gpup resolve`: an operator settles a migration in doubt.

use live_migration::handover::Standing;
use live_migration::put;
use live_migration::wire::frame::Kind;
use live_migration::wire::framed::Framed;
use live_migration::wire::message::{Question, Resolve as Word};
use live_migration::wire::vigil::Vigil;

use crate::args::Resolve;
use crate::exit::Failure;
use crate::json;
use crate::tcp::Address;
use crate::tell::say;

/// Runs the command.
pub(crate) fn run(args: &Resolve) -> Result<(), Failure> {
    let migration = args.migration.0;
    let target = Address::resolve(&args.to).map_err(Failure::usage)?;
    let question = match (args.run, args.discard) {
        (true, _) => Question::Run,
        (_, true) => Question::Discard,
        _ => Question::Look,
    };
    let answer = tell(&target, Word { migration, question })?;
    let state = match answer {
        Standing::UnderWay => "under-way",
        Standing::Running => "running",
        Standing::Ready => "ready",
        Standing::Discarded => "discarded",
        Standing::Unknown => "unknown",
    };
    json::set(&serde_json::json!({ "migration": args.migration.to_string(), "target": state }));
    let text = judge(args, answer)?;
    if args.output.speaks() {
        say!("{text}");
    }
    Ok(())
}

/// What the answer means for whoever asked.
fn judge(args: &Resolve, answer: Standing) -> Result<String, Failure> {
    let (to, id) = (&args.to, &args.migration);
    let failed = |text: String| Err(Failure::Failed(text));
    match (answer, args.run, args.discard) {
        (Standing::Running, _, true) => failed(format!(
            "{to} runs this VM, so it was not discarded: its saved copy must not be restored anywhere"
        )),
        (Standing::Running, ..) => {
            Ok(format!("{to} runs this VM: its saved copy must not be restored anywhere"))
        }
        (Standing::Discarded | Standing::Unknown, true, _) => {
            failed(format!("{to} holds nothing of migration {id}: nothing to run"))
        }
        (Standing::Discarded, ..) => Ok(format!(
            "{to} holds nothing of migration {id}: it has discarded the VM, so the source's VF, or `gpup restore` of \
             its saved copy, is the only one"
        )),
        (Standing::Unknown, ..) => Ok(format!(
            "{to} holds nothing of migration {id} and never did: if that is another target than the one it went to, \
             the VM may still run there"
        )),
        (Standing::Ready, false, false) => Ok(format!(
            "{to} holds this VM and does not run it: say --run if the source is gone for good, or --discard \
             before its saved copy is restored"
        )),
        (Standing::Ready, ..) => failed(format!("{to} still holds this VM in doubt: say it again")),
        (Standing::UnderWay, false, false) => Ok(format!("{to} is still at work on this migration")),
        (Standing::UnderWay, ..) => failed(format!(
            "{to} is still at work on this migration and lets go of it now: say it again in a moment"
        )),
    }
}

fn tell(target: &Address, word: Word) -> Result<Standing, Failure> {
    let unreachable = |error| {
        Failure::Failed(format!("no target answers at {target} ({error}): start it again, or check --to"))
    };
    let vigil = Vigil::patient();
    let mut link = Framed::new(Box::new(target.connect(&vigil).map_err(unreachable)?), vigil);
    let answer = put(&mut link, word).map_err(|error| Failure::Failed(format!("{target}: {error}")))?;
    // Whoever settled it does not wait for the guest's outcome.
    let _ = link.send(Kind::End, &[]);
    Ok(answer.standing)
}
