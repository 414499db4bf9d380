//! The stretches of a scenario between two changes of policy.

use gpup_core::sched::Policy;

use super::scenario::{Migration, Role, Scenario};

/// A stretch in which no policy changes.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// What happens in it.
    pub(super) name: String,
    /// Begin, in ticks.
    pub(super) from: u64,
    /// End, in ticks.
    pub(super) to: u64,
    /// The migrating VFs and their policies.
    pub(super) migrating: Vec<(u32, Policy)>,
}

impl Window {
    /// Its length.
    pub(super) fn ticks(&self) -> u64 {
        self.to - self.from
    }

    /// A VF's policy, if it migrates.
    pub(super) fn policy(&self, vf: u32) -> Option<Policy> {
        self.migrating.iter().find(|(migrating, _)| *migrating == vf).map(|(_, policy)| *policy)
    }
}

/// All of a scenario's, in order; the first is what the others are compared with.
pub(super) fn windows(scenario: &Scenario) -> Vec<Window> {
    let mut bounds = vec![0, scenario.length.0];
    for migration in &scenario.migrations {
        bounds.extend([migration.prepare.0, migration.end.0]);
        bounds.extend(migration.pause.map(|pause| pause.0));
    }
    bounds.sort_unstable();
    bounds.dedup();
    let pairs = bounds.windows(2);
    pairs
        .map(|pair| Window { name: String::new(), ..window(scenario, pair[0], pair[1]) })
        .map(named(scenario))
        .collect()
}

fn window(scenario: &Scenario, from: u64, to: u64) -> Window {
    let policy = |migration: &Migration| {
        let policy = match (migration.role, migration.pause) {
            _ if from < migration.prepare.0 || from >= migration.end.0 => return None,
            (Role::Target, _) => Policy::Target,
            (Role::Source, Some(pause)) if from >= pause.0 => Policy::SourceBlackout,
            (Role::Source, _) => Policy::SourceBrownout,
        };
        Some((migration.vf, policy))
    };
    let migrating = scenario.migrations.iter().filter_map(policy).collect();
    Window { name: String::new(), from, to, migrating }
}

fn named(scenario: &Scenario) -> impl Fn(Window) -> Window {
    let first = scenario.migrations.iter().map(|migration| migration.prepare.0).min();
    let last = scenario.migrations.iter().map(|migration| migration.end.0).max();
    let alone = scenario.migrations.len() == 1;
    move |window| {
        let name = match (&window.migrating[..], first, last) {
            (_, None, _) | (_, _, None) => "all".into(),
            ([], Some(first), _) if window.to <= first => "before".into(),
            ([], _, Some(last)) if window.from >= last => "after".into(),
            ([], ..) => "between".into(),
            (migrating, ..) => {
                let one = |(vf, policy): &(u32, Policy)| match alone {
                    true => word(*policy).into(),
                    false => format!("VF {vf} {}", word(*policy)),
                };
                migrating.iter().map(one).collect::<Vec<_>>().join(", ")
            }
        };
        Window { name, ..window }
    }
}

fn word(policy: Policy) -> &'static str {
    match policy {
        Policy::Normal => "normal",
        Policy::SourceBrownout => "brownout",
        Policy::SourceBlackout => "blackout",
        Policy::Target => "target",
    }
}
