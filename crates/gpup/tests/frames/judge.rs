//! What must hold when an attempt has ended, whatever happened to its frames.
//!
//! The VM is not here and there, and not nowhere: only a source in doubt holds it still. The error is the one that the
//! fate calls for, and every wait has ended when its limit was over, by the clock.

use dxgksim::host::{MILLISECOND, SECOND};
use gpup::world::Guest;
use live_migration::handover::source::State;
use live_migration::wire::channel::{LinkError, SLICE_NS};
use live_migration::wire::frame::FrameError;
use live_migration::wire::framed::Framed;
use live_migration::{Error, Outcome, Phase, Visit};

use crate::bench::works_on;
use crate::fate::Fate;
use crate::spot::Role;
use crate::story::Story;
use crate::time::Side;
use crate::trial::{SETTLE_S, Trial};

/// How late the end of a wait may be noticed: a slice that had begun, one more of each other thread that looks, and the
/// readings in between.
const SLACK_NS: u64 = 5 * SLICE_NS;
/// How long an answer that nobody wants to wait for is waited for.
const ANSWER_NS: u64 = SECOND / 2;
/// Last words, and telling a target that may stand ready to discard the VM.
const WORDS_NS: u64 = 3 * SECOND;

/// Every claim, or which does not hold.
pub(crate) fn judge(trial: &Trial<'_>, guest: &Guest, standing: State) -> Result<(), String> {
    whereabouts(trial, guest, standing)?;
    right_error(trial)?;
    in_time(trial)
}

/// How an attempt ended, for counting.
pub(crate) fn ending(result: &Result<(Outcome, Framed), Error>) -> String {
    match result {
        Ok((outcome, _)) if outcome.was_in_doubt => "moved after doubt".into(),
        Ok(_) => "moved".into(),
        Err(Error::InDoubt { .. }) => "in doubt".into(),
        Err(Error::PauseTooLong(..)) => "pause too long".into(),
        Err(Error::Aborted(_)) => "given up by the target".into(),
        Err(Error::Frame(error)) => format!("{error:?}").split('{').next().unwrap_or_default().trim().into(),
        Err(error) => format!("{error:?}"),
    }
}

fn runs(visit: &Visit) -> bool {
    matches!(visit, Visit::Running(..) | Visit::Settled(..))
}

fn whereabouts(trial: &Trial<'_>, guest: &Guest, standing: State) -> Result<(), String> {
    let visits = trial.visits.lock().unwrap();
    let there = visits.iter().filter(|visit| runs(visit)).count();
    let (here_stands, ran_there) = (guest.vm.is_paused(), trial.log.ran_there());
    match (&trial.result, standing) {
        (Ok(_), State::There) => match &visits[..] {
            _ if there != 1 => return Err(format!("it moved, and runs {there} times on the target")),
            visits => visits.iter().try_for_each(|visit| match visit {
                Visit::Running(held, _) | Visit::Settled(held, _) => works_on(&held.vm),
                _ => Ok(()),
            })?,
        },
        (Err(Error::InDoubt { .. }), State::Committed) if here_stands => {}
        (Err(Error::InDoubt { .. } | Error::Left(_)), state) => {
            return Err(format!("in doubt, but {state:?}, and the VM here stands still: {here_stands}"));
        }
        (Err(error), State::Here) => {
            works_on(&guest.vm).map_err(|why| format!("{error:?}, and here {why}"))?;
            if ran_there || there > 0 {
                return Err(format!("two run: the source says {error:?}, and it ran on the target"));
            }
        }
        (result, state) => return Err(format!("{state:?} after {}", ending(result))),
    }
    if trial.log.ran_twice() { Err("two ran at a time".into()) } else { Ok(()) }
}

/// The phase that the attempt had come to.
fn last_phase(trial: &Trial<'_>) -> Phase {
    let before_the_end = trial.told.phases.iter().rev().find(|(phase, _)| *phase != Phase::End);
    before_the_end.map_or(Phase::Connect, |(phase, _)| *phase)
}

fn began(trial: &Trial<'_>, wanted: Phase) -> Option<u64> {
    trial.told.phases.iter().rev().find(|(phase, _)| *phase == wanted).map(|(_, at)| *at)
}

fn right_error(trial: &Trial<'_>) -> Result<(), String> {
    let Some((spot, fate)) = trial.plan.fault else { return right_ending_of_story(trial) };
    let phase = last_phase(trial);
    let wrong = || Err(format!("the wrong end in {phase:?}: {}", ending(&trial.result)));
    if !trial.net.faults_left().is_empty() {
        return right_ending_of_story(trial);
    }
    let right = match &trial.result {
        Ok(_) => !fate.is_strange() || (spot.from == Side::Target && fate.arrives()),
        Err(Error::InDoubt { .. }) => {
            phase == Phase::Commit
                && (fate.is_strange()
                    || fate.takes_time()
                    || matches!(fate, Fate::GoneBefore | Fate::GoneAfter))
        }
        // The target refuses what comes twice.
        Err(Error::Aborted(_)) if phase == Phase::Commit => fate == Fate::Twice,
        Err(_) if phase == Phase::Commit => false,
        Err(error) if trial.plan.story.ends_with(error) => true,
        Err(error) if fate == Fate::StuckAndCancelled => *error == Error::Cancelled,
        Err(error) => {
            // The source only sends on its data streams, so it may learn from the limits alone that one is cut.
            let waits = fate.takes_time() || matches!(spot.role, Role::Stream(_));
            (waits && is_late(error, phase, trial)) || is_cut(error, fate)
        }
    };
    if right { Ok(()) } else { wrong() }
}

fn right_ending_of_story(trial: &Trial<'_>) -> Result<(), String> {
    let doubt = matches!(trial.plan.story, Story::CommitLost | Story::AnswerLost);
    match &trial.result {
        Ok((outcome, _)) if outcome.was_in_doubt == doubt => Ok(()),
        Err(error) if trial.plan.story.ends_with(error) => Ok(()),
        result => Err(format!("the story ends otherwise: {}", ending(result))),
    }
}

/// Whether `error` is that of the limit that holds in `phase`.
fn is_late(error: &Error, phase: Phase, trial: &Trial<'_>) -> bool {
    match (phase, error) {
        (Phase::Connect | Phase::Prepare | Phase::Immutable, Error::OutOfTime) => true,
        (Phase::Brownout, Error::NotConverging) => true,
        // A pause may be longer than anybody is silent there.
        (_, Error::Frame(FrameError::Link(LinkError::Silent(_)))) => trial.plan.story == Story::Slow,
        (Phase::Pause | Phase::LastPages | Phase::Mutable | Phase::Restore, Error::PauseTooLong(_, at)) => {
            *at == phase
        }
        (Phase::Proof, Error::PauseTooLong(_, Phase::Proof)) => true,
        _ => false,
    }
}

/// Whether `error` is that of a connection that was cut, or of what came twice.
fn is_cut(error: &Error, fate: Fate) -> bool {
    match error {
        Error::Frame(FrameError::Link(LinkError::Closed)) => !matches!(fate, Fate::Late(_) | Fate::Stuck),
        Error::Frame(FrameError::OutOfOrder { .. }) => fate == Fate::Twice,
        Error::Aborted(_) => {
            matches!(fate, Fate::Twice | Fate::CutBefore | Fate::CutAfter | Fate::TargetSeesCut)
        }
        _ => false,
    }
}

fn ns(seconds: f64) -> u64 {
    (seconds * SECOND as f64) as u64
}

fn in_time(trial: &Trial<'_>) -> Result<(), String> {
    let limits = trial.plan.story.limits();
    let (pause, time) = (ns(limits.pause + limits.grace), ns(limits.time));
    let claim = |what: &str, from: u64, to: u64, limit: u64| {
        let took = to.saturating_sub(from);
        if took <= limit + SLACK_NS {
            return Ok(());
        }
        Err(format!("{what} took {} ms, not {} ms", took / MILLISECOND, limit / MILLISECOND))
    };
    let cancelled = trial.net.cancelled_at();
    if let Some(commit) = began(trial, Phase::Commit) {
        if let Some(cancelled) = cancelled.filter(|at| *at >= commit) {
            return claim("the end of doubt that was asked for", cancelled, trial.end, ANSWER_NS + SLICE_NS);
        }
        return claim("settling", commit, trial.end, SETTLE_S * SECOND);
    }
    let Some(back) = trial.told.taken_back else {
        return if trial.result.is_ok() { Ok(()) } else { Err("the VM was not taken back".into()) };
    };
    if let (Some(cancelled), Err(Error::Cancelled)) = (cancelled, &trial.result) {
        claim("hearing that an end is wanted", cancelled, back, 0)?;
    }
    match last_phase(trial) {
        Phase::Connect | Phase::Prepare | Phase::Immutable => {
            claim("the beginning", trial.begin, back, time)?;
        }
        Phase::Brownout => claim("the brownout", began(trial, Phase::Brownout).unwrap_or(0), back, time)?,
        Phase::Proof => claim("the proof", began(trial, Phase::Proof).unwrap_or(0), back, pause)?,
        _ => claim("the pause", began(trial, Phase::Pause).unwrap_or(0), back, pause)?,
    }
    claim("telling the target", back, trial.end, WORDS_NS)
}
