//! What must hold of a run, and whether it did.

use gpup_core::sched::Policy;
use serde::Serialize;

use super::figures::{Figures, Phase, excess, seconds};
use super::record::Record;
use super::scenario::{Role, Scenario};
use super::window::Window;
use crate::units;

/// Change of a neighbour's share that is none.
const SAME: f64 = 0.01;
/// Least Jain's index of equal VFs that always want the engine.
const JAIN: f64 = 0.9999;
/// What paging gets of what it could get: in a brownout, and for a VF that is paused.
const REACHED: [f64; 2] = [0.95, 0.99];

/// A target.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Target {
    /// What was asked of what.
    pub(super) what: String,
    /// What it came to, and what it had to.
    pub(super) found: String,
    pub(super) wanted: String,
    /// Whether it holds.
    pub(super) holds: bool,
}

/// Judges a run.
pub(super) fn judge(scenario: &Scenario, record: &Record, figures: &Figures) -> Vec<Target> {
    let windows = record.windows.iter().map(|record| &record.window);
    let mut targets = Vec::new();
    for (window, phase) in windows.zip(&figures.phases) {
        let judge = Judge { scenario, figures, window, phase };
        targets.extend(judge.neighbours_keep());
        targets.extend(judge.entitlement());
        targets.extend(judge.lag());
        targets.extend(judge.jain());
        targets.extend(judge.paging());
    }
    targets.extend(in_force(figures));
    targets
}

/// A policy is in force within the longer of a quantum and the packet that ran.
fn in_force(figures: &Figures) -> impl Iterator<Item = Target> {
    figures.changes.iter().map(|change| Target {
        what: format!("{} in force", change.what),
        found: change.in_force.map_or("never".into(), |after| format!("after {}", units::seconds(after))),
        wanted: format!("within {}", units::seconds(change.limit)),
        holds: change.in_force.is_some_and(|after| after <= change.limit),
    })
}

fn percent(part: f64) -> String {
    format!("{:.2} %", part * 100.0)
}

/// One phase.
struct Judge<'a> {
    scenario: &'a Scenario,
    figures: &'a Figures,
    window: &'a Window,
    phase: &'a Phase,
}

impl Judge<'_> {
    fn target(&self, what: &str, found: String, wanted: String, holds: bool) -> Target {
        Target { what: format!("{}: {what}", self.phase.name), found, wanted, holds }
    }

    /// What a request may shift of a share of `part` in a window of `seconds`: 2r / (share x window).
    fn shift(&self, part: f64, seconds: f64) -> f64 {
        2.0 * self.figures.longest_request / (part * seconds)
    }

    fn seconds(&self) -> f64 {
        seconds(self.window.ticks())
    }

    /// Neighbours that always want the engine have in every phase what they had in the first.
    fn neighbours_keep(&self) -> Option<Target> {
        let first = self.figures.phases.first()?;
        if self.window.from == 0 {
            return None;
        }
        let window = self.seconds().min(first.to - first.from);
        // What a VF left unused before is paging's own in a pause: neighbours that soaked it up have no claim.
        let comparable = self.scenario.migrations.iter().all(|migration| {
            let policy = self.window.policy(migration.vf);
            let busy = self.figures.phases[0].vfs[migration.vf as usize].saturated;
            match (migration.role, policy) {
                (Role::Target, _) => false,
                (Role::Source, Some(Policy::SourceBlackout)) => busy,
                (Role::Source, _) => true,
            }
        });
        let neighbours = self.phase.vfs.iter().filter(|vf| {
            vf.saturated && !self.scenario.migrations.iter().any(|migration| migration.vf == vf.vf)
        });
        let kept = |vf: &super::figures::Vf| {
            let kept = vf.kept?;
            Some((kept, 1.0 - SAME - self.shift(vf.entitled, window)))
        };
        let worst = neighbours.filter_map(kept).min_by(|a, b| (a.0 - a.1).total_cmp(&(b.0 - b.1)))?;
        comparable.then(|| {
            let (kept, limit) = worst;
            let found = format!("{} of before at the least", percent(kept));
            self.target("busy neighbours keep", found, format!("at least {}", percent(limit)), kept >= limit)
        })
    }

    /// Who always wants the engine has its part by weight.
    fn entitlement(&self) -> Option<Target> {
        let capped = |vf: u32| {
            let group = &self.scenario.groups[self.phase.vfs[vf as usize].group];
            group.max.is_some() || self.scenario.migrations.iter().any(|migration| migration.vf == vf)
        };
        let owed =
            (self.figures.longest_request + seconds(self.scenario.engine.limits().chunk)) / self.seconds();
        let busy = self.phase.vfs.iter().filter(|vf| vf.saturated && !capped(vf.vf));
        let parts = busy.map(|vf| (vf.share / vf.entitled, 1.0 - owed / vf.entitled));
        let (found, limit) = parts.min_by(|a, b| (a.0 - a.1).total_cmp(&(b.0 - b.1)))?;
        let wanted = format!("at least {}", percent(limit));
        Some(self.target(
            "busy VFs get",
            format!("{} of their entitlement at the least", percent(found)),
            wanted,
            found >= limit,
        ))
    }

    /// Nobody is ever owed more than a request and a chunk.
    fn lag(&self) -> Option<Target> {
        let worst = self.phase.vfs.iter().filter_map(|vf| vf.owed).reduce(f64::max)?;
        let more = self.scenario.engine.limits().chunk + excess(self.scenario);
        let limit = 1.0 + seconds(more) / self.figures.longest_request;
        Some(self.target(
            "owed at the most",
            format!("{worst:.3} longest requests"),
            format!("at most {limit:.3}"),
            worst <= limit,
        ))
    }

    /// Equal VFs get equal shares.
    fn jain(&self) -> Option<Target> {
        let (index, count) = self.phase.jain?;
        let part = self.phase.vfs.iter().filter(|vf| vf.saturated).map(|vf| vf.entitled).reduce(f64::min)?;
        // In a window too short to tell, what a request may shift.
        let limit = JAIN.min(1.0 - self.shift(part, self.seconds()).powi(2));
        Some(self.target(
            &format!("Jain's index of {count} equal busy VFs"),
            format!("{index:.6}"),
            format!("at least {limit:.6}"),
            index >= limit,
        ))
    }

    /// Paging reaches what is unassigned and what is granted to it.
    fn paging(&self) -> Vec<Target> {
        let target = |paging: &super::figures::Paging| {
            let could = paging.granted + paging.unassigned;
            let shift = self.shift(could.max(f64::MIN_POSITIVE), self.seconds()) / 2.0;
            let limit = REACHED[usize::from(paging.paused)] - shift;
            let of = if paging.paused { "the VF's share and of" } else { "what is granted and" };
            self.target(
                &format!("paging for VF {} gets", paging.vf),
                format!("{} of {of} unassigned", percent(paging.reached)),
                format!("at least {}", percent(limit)),
                paging.reached >= limit,
            )
        };
        self.phase.paging.iter().map(target).collect()
    }
}
