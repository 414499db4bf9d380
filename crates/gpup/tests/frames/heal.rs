//! When the network works again: doubt is settled, what is left over goes, and the VM that lives moves once more.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gpup::world::Guest;
use live_migration::handover::Standing;
use live_migration::wire::channel::{Channel, LinkError, from_byte};
use live_migration::wire::framed::{Framed, Loopback};
use live_migration::wire::message::{Question, Resolution, Resolve};
use live_migration::wire::vigil::Vigil;
use live_migration::{Error, Event, Held, Source, Visit, put, saved};

use crate::bench::{make_vgpu, works_on};
use crate::guests::Log;
use crate::story::Story;
use crate::time::Side;
use crate::trial::{Plan, TARGET, Trial, attempt};

/// Where the VM is in the end.
enum Lives {
    Here(Guest),
    There(Held),
}

/// Settles what is left to settle, and lets the VM that lives show that it is right.
pub(crate) fn heal(mut trial: Trial<'_>, source: Source, guest: Guest) -> Result<(), String> {
    trial.net.heal();
    let (bench, again) = (trial.bench, trial.plan.again);
    let lives = settled(&mut trial, source, guest)?;
    if trial.log.ran_twice() {
        return Err("two ran at a time once it was settled".into());
    }
    // Links of the visits, which nobody needs any more.
    trial.visits.lock().unwrap().clear();
    let (guest, elsewhere) = match lives {
        Lives::Here(guest) => (guest, &bench.there),
        Lives::There(held) => (bench.guest(held.vgpu, held.vm), &bench.here),
    };
    works_on(&guest.vm)?;
    if again {
        let plan = Plan { again: false, ..Plan::new(Story::Plain) };
        let loader = Arc::new(gpup_guest::Loader);
        attempt(bench, elsewhere, &plan, guest, loader, &Log::default())
            .map_err(|why| format!("the next migration: {why}"))?;
    } else {
        bench.finish(guest)?;
    }
    if bench.is_empty() { Ok(()) } else { Err("a VF is left".into()) }
}

fn settled(trial: &mut Trial<'_>, source: Source, guest: Guest) -> Result<Lives, String> {
    match &trial.result {
        Ok(_) => {}
        Err(Error::InDoubt { .. }) if trial.plan.through_file => return through_file(trial, source, guest),
        Err(Error::InDoubt { .. }) => {
            let at_work = trial.time.at_work(Side::Source);
            let answer = source.settle(&mut trial.net.connector(), &mut trial.told, Duration::from_secs(60));
            drop(at_work);
            match answer {
                Ok(_) => {}
                Err(Error::Aborted(_)) => return discarded(trial, source, guest),
                Err(error) => return Err(format!("a doubt that could be settled was not: {error:?}")),
            }
        }
        Err(_) => return discarded(trial, source, guest),
    }
    drop(source);
    guest.destroy().map_err(|error| error.to_string())?;
    Ok(Lives::There(taken(trial)?))
}

/// The VM that runs on the target.
fn taken(trial: &Trial<'_>) -> Result<Held, String> {
    trial.time.wait_idle(Side::Target);
    let mut visits = trial.visits.lock().unwrap();
    let at = visits.iter().position(|visit| matches!(visit, Visit::Running(..) | Visit::Settled(..)));
    match at.map(|at| visits.remove(at)) {
        Some(Visit::Running(held, _) | Visit::Settled(held, _)) => Ok(held),
        _ => Err("it runs nowhere".into()),
    }
}

/// The VM is here; a target that could not be told holds it until an operator tells it.
fn discarded(trial: &Trial<'_>, source: Source, guest: Guest) -> Result<Lives, String> {
    match ask(trial, source.migration(), Question::Discard)? {
        Standing::Discarded | Standing::Unknown => Ok(Lives::Here(guest)),
        standing => Err(format!("the VM is here, and the target says {standing:?}")),
    }
}

/// The VM in doubt goes into a file, as when the source's process ends; then the target is asked.
fn through_file(trial: &mut Trial<'_>, source: Source, guest: Guest) -> Result<Lives, String> {
    let file = Memory::default();
    let wrong = |error: Error| format!("saving in doubt: {error:?}");
    source.save_in_doubt(Box::new(file.clone()), "nowhere", &mut trial.told).map_err(wrong)?;
    source.kept(&mut trial.told).map_err(wrong)?;
    let migration = source.migration();
    drop(source);
    guest.destroy().map_err(|error| error.to_string())?;
    match ask(trial, migration, Question::Discard)? {
        Standing::Running => return Ok(Lives::There(taken(trial)?)),
        Standing::Discarded => {}
        standing => return Err(format!("told to discard, the target says {standing:?}")),
    }
    let bytes = std::mem::take(&mut *file.0.lock().unwrap());
    let opened = saved::open(Box::new(Loopback::holding(bytes))).map_err(wrong)?;
    if opened.doubt.as_ref().map(|doubt| doubt.target) != Some(TARGET) {
        return Err("the file does not say who may have the VM".into());
    }
    let vgpu = make_vgpu(&trial.bench.here)?;
    let unpacker = Arc::new(gpup::pack::AnyUnpacker);
    let mut nobody = |_: Event| std::ops::ControlFlow::Continue(());
    let restored = saved::restore(opened, vgpu, &gpup_guest::Loader, unpacker, &mut nobody);
    let (mut held, _) = restored.map_err(wrong)?;
    held.run().map_err(wrong)?;
    Ok(Lives::Here(trial.bench.guest(held.vgpu, held.vm)))
}

/// Puts a question to the target, none of whose agents is at a connection any more.
fn ask(trial: &Trial<'_>, migration: u128, question: Question) -> Result<Standing, String> {
    let at_work = trial.time.at_work(Side::Source);
    let vigil = Vigil::patient();
    let mut link = Framed::new(connect(trial, &vigil)?, vigil);
    let answer = put(&mut link, Resolve { migration, question });
    drop((link, at_work));
    trial.time.wait_idle(Side::Target);
    match answer {
        Ok(Resolution { target: TARGET, standing }) => Ok(standing),
        answer => Err(format!("the target does not answer: {answer:?}")),
    }
}

fn connect(trial: &Trial<'_>, vigil: &Vigil) -> Result<Box<dyn Channel>, String> {
    use live_migration::Connect;
    trial.net.connector().connect(vigil).map_err(|error| error.to_string())
}

/// A file in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Channel for Memory {
    fn send(&mut self, parts: &[&[u8]], from: usize) -> Result<usize, LinkError> {
        let mut bytes = self.0.lock().unwrap();
        let before = bytes.len();
        from_byte(parts, from).for_each(|part| bytes.extend_from_slice(part));
        Ok(bytes.len() - before)
    }

    fn receive(&mut self, _out: &mut [u8]) -> Result<usize, LinkError> {
        Err(LinkError::Ended)
    }
}
