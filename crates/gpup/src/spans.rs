//! A migration as spans of the crate `tracing`, made from what an agent tells.
//!
//! ```text
//! migration   side, migration, vf; error, if it failed
//!   phase       phase; ns, where steps of it are measured
//!     iteration   number, pages; zero_pages, bytes and ns when it is done
//!   pause       around the phases in which the source's guest stands still; ns, the proof left out
//! ```
//! Each step that the agent measures is an event with the very readings of the clock that the report is made of. The
//! spans are entered on the agent's thread, so what the driver tells there lies within them.

use std::ops::ControlFlow;

use live_migration::converge::Iteration;
use live_migration::{Error, Event, Observer, Phase, Step};
use tracing::field::{Empty, display};
use tracing::span::EnteredSpan;
use tracing::{info, info_span};

use crate::units::MigrationId;

/// An observer, and the spans of what it observes. Dropped on the thread that made it.
pub(crate) struct Spans<O> {
    iteration: Option<EnteredSpan>,
    phase: Option<EnteredSpan>,
    phase_ns: u64,
    pause: Option<EnteredSpan>,
    pause_ns: u64,
    migration: EnteredSpan,
    inner: O,
}

impl<O: Observer> Spans<O> {
    /// Begins a migration: `side` is source, target, save or restore; `vf` the VF, where it is known already.
    pub(crate) fn begin(side: &'static str, migration: u128, vf: Option<u32>, inner: O) -> Self {
        let id = MigrationId(migration);
        let span = info_span!(target: "gpup", "migration", side, migration = %id, vf, error = Empty);
        Self {
            iteration: None,
            phase: None,
            phase_ns: 0,
            pause: None,
            pause_ns: 0,
            migration: span.entered(),
            inner,
        }
    }

    /// The migration has ended. Gives the observer back.
    pub(crate) fn end<T>(self, result: &Result<T, Error>) -> O {
        if let Err(error) = result {
            self.migration.record("error", display(error));
        }
        self.inner
    }

    fn enter(&mut self, phase: Phase) {
        self.iteration = None;
        self.phase = None;
        match phase {
            Phase::Pause => self.pause = Some(info_span!(target: "gpup", "pause", ns = Empty).entered()),
            Phase::End => {
                if let Some(pause) = self.pause.take() {
                    pause.record("ns", self.pause_ns);
                }
            }
            _ => {}
        }
        self.phase_ns = 0;
        self.phase = Some(info_span!(target: "gpup", "phase", %phase, ns = Empty).entered());
    }

    fn iterate(&mut self, number: u32, pages: u64) {
        let span = info_span!(
            target: "gpup", "iteration", number, pages, zero_pages = Empty, bytes = Empty, ns = Empty
        );
        self.iteration = Some(span.entered());
    }

    fn iterated(&mut self, it: &Iteration) {
        if let Some(span) = self.iteration.take() {
            span.record("zero_pages", it.zero_pages);
            span.record("bytes", it.bytes);
            span.record("ns", (it.seconds * 1e9).round() as u64);
        }
    }

    fn measured(&mut self, step: Step, from: u64, to: u64) {
        let ns = to.saturating_sub(from);
        info!(target: "gpup", step = step.name(), from_ns = from, to_ns = to, "measured");
        self.pause_ns += if step.is_pause() { ns } else { 0 };
        self.phase_ns += ns;
        if let Some(phase) = &self.phase {
            phase.record("ns", self.phase_ns);
        }
    }
}

impl<O: Observer> Observer for Spans<O> {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Enter(phase) => self.enter(phase),
            Event::Iterate { number, pages } => self.iterate(number, pages),
            Event::Iterated(it) => self.iterated(&it),
            Event::Measured { step, from, to } => self.measured(step, from, to),
            _ => {}
        }
        self.inner.event(event)
    }
}
