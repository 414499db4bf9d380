//! The figures of a run, as they are judged, printed and written.

use gpup_core::sched::Policy;
use gpup_core::sched::sim::Length;
use hdrhistogram::Histogram;
use serde::Serialize;

use super::model::{entitlement, vfs};
use super::record::{Record, VfRecord, WindowRecord};
use super::scenario::{Group, Role, Scenario, Wants};

/// A run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figures {
    /// What the scenario shows.
    pub(super) about: String,
    /// Its seed.
    pub(super) seed: u64,
    /// Virtual time, in seconds.
    pub(super) seconds: f64,
    /// VFs.
    pub(super) vfs: u32,
    /// Packets that ran.
    pub(super) packets: u64,
    /// The longest request, in seconds: what a bound is counted in.
    pub(super) longest_request: f64,
    /// By phase.
    pub(super) phases: Vec<Phase>,
    /// Changes of policy.
    pub(super) changes: Vec<Change>,
}

/// A phase. Parts are of the engine's time in it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Phase {
    /// What happens in it.
    pub(super) name: String,
    /// Begin and end, in seconds.
    pub(super) from: f64,
    pub(super) to: f64,
    /// Packets ran.
    pub(super) busy: f64,
    /// Of that, switches between VFs.
    pub(super) switches: f64,
    /// Slots kept free.
    pub(super) held: f64,
    /// The PF's everyday work.
    pub(super) pf: f64,
    /// Jain's index of the largest set of equal VFs that always want the engine, and how many they are.
    pub(super) jain: Option<(f64, usize)>,
    /// By VF.
    pub(super) vfs: Vec<Vf>,
    /// By migrating VF.
    pub(super) paging: Vec<Paging>,
}

/// A VF in a phase.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Vf {
    /// Which.
    pub(super) vf: u32,
    /// Number of its table in the scenario.
    pub(super) group: usize,
    /// It always wants the engine.
    pub(super) saturated: bool,
    /// Where it is in a migration of its own.
    pub(super) place: Place,
    /// Its guest's part.
    pub(super) share: f64,
    /// Its part by the weights of all.
    pub(super) entitled: f64,
    /// Its share as a part of what it had in the first phase.
    pub(super) kept: Option<f64>,
    /// Its packets.
    pub(super) packets: u64,
    /// What they waited, in seconds.
    pub(super) wait: Wait,
    /// The most it was owed of its entitlement, in longest requests.
    pub(super) owed: Option<f64>,
    /// Engine resets it caused.
    pub(super) resets: u64,
    #[serde(skip)]
    pub(super) waits: Histogram<u64>,
}

/// Where a VF is in a migration of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Place {
    /// It has none, now.
    Here,
    /// It migrates.
    Moves,
    /// It has left.
    Gone,
    /// It is still to come.
    Awaited,
}

impl Place {
    /// Of a VF at `time`.
    fn of(scenario: &Scenario, vf: u32, time: u64) -> Self {
        let Some(migration) = scenario.migrations.iter().find(|migration| migration.vf == vf) else {
            return Self::Here;
        };
        match migration.role {
            _ if (migration.prepare.0..migration.end.0).contains(&time) => Self::Moves,
            Role::Source if time >= migration.end.0 && !migration.cancelled => Self::Gone,
            Role::Target if time < migration.prepare.0 => Self::Awaited,
            _ => Self::Here,
        }
    }

    /// After the VF's number.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Here => "",
            Self::Moves => " moves",
            Self::Gone => " is gone",
            Self::Awaited => " is to come",
        }
    }
}

/// Waits, in seconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Wait {
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) max: f64,
}

impl Wait {
    /// Of these waits in ticks.
    pub(super) fn of(waits: &Histogram<u64>) -> Self {
        let at = |quantile| seconds(waits.value_at_quantile(quantile).min(waits.max()));
        Self { p50: at(0.5), p99: at(0.99), max: seconds(waits.max()) }
    }
}

/// The PF's paging for a VF in a phase.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Paging {
    /// For which VF.
    pub(super) vf: u32,
    /// It is paused.
    pub(super) paused: bool,
    /// What it got of the VF's share, and of time that nobody wanted.
    pub(super) of_share: f64,
    pub(super) of_idle: f64,
    /// What was granted to it of the VF's share, and what nobody wanted.
    pub(super) granted: f64,
    pub(super) unassigned: f64,
    /// What it got as a part of what it could get.
    pub(super) reached: f64,
}

/// A change of policy. Times are in seconds.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Change {
    /// What and when.
    pub(super) what: String,
    pub(super) at: f64,
    /// How long until it was in force.
    pub(super) in_force: Option<f64>,
    /// The longer of the VF's quantum and the packet that ran.
    pub(super) limit: f64,
    /// How long until paging's first packet.
    pub(super) first_paging: Option<f64>,
}

pub(super) fn seconds(ticks: u64) -> f64 {
    ticks as f64 / 1e9
}

/// The request of a VF in ticks.
fn request(scenario: &Scenario, group: &Group) -> u64 {
    let longest = group.packets.length().longest() + scenario.engine.switch.0;
    longest.max(u64::from(group.parameters().quantum_us) * 1000)
}

/// The longest request of all, in ticks.
pub(super) fn longest_request(scenario: &Scenario) -> u64 {
    let pf = scenario.pf.as_ref().map_or(0, |pf| {
        pf.packets.length().longest().max(scenario.engine.limits().pf_quantum) + scenario.engine.switch.0
    });
    scenario.groups.iter().map(|group| request(scenario, group)).max().unwrap_or(1).max(pf)
}

/// What packets may add to the longest request because they are longer than those before them led to expect.
pub(super) fn excess(scenario: &Scenario) -> u64 {
    let expected = scenario.engine.limits().packet;
    let of = |group: &Group| match group.packets.length() {
        Length::Fixed(ticks) => ticks.saturating_sub(expected),
        // The memory of the longest packet fades by 1/256 with each shorter one.
        Length::Uniform(_, ticks) => ticks.saturating_sub(expected).max(ticks / 20),
        Length::Mix(kinds) => faded(&kinds),
        Length::Replay(lengths) => lengths.into_iter().max().unwrap_or(0),
    };
    scenario.groups.iter().map(of).max().unwrap_or(0)
}

/// How much of the longest kind of a mix is forgotten until it comes again, which takes up to sixteen times as long
/// as usual.
fn faded(kinds: &[(u64, u32)]) -> u64 {
    let all: u64 = kinds.iter().map(|(_, often)| u64::from(*often)).sum();
    let Some(&(longest, often)) = kinds.iter().max() else { return 0 };
    let gap = 16.0 * all as f64 / f64::from(often);
    (longest as f64 * (1.0 - (255.0_f64 / 256.0).powf(gap))) as u64
}

/// The figures of `record`.
pub(super) fn figures(scenario: &Scenario, record: &Record) -> Figures {
    let groups = vfs(scenario);
    let unit = longest_request(scenario);
    let mut phases: Vec<Phase> = Vec::new();
    for window in &record.windows {
        let before = phases.first().map(|first| (&record.windows[0], first));
        let phase = phase(scenario, &groups, window, before, unit);
        phases.push(phase);
    }
    let change = |change: &super::record::Switched| Change {
        what: change.what.clone(),
        at: seconds(change.at),
        in_force: change.in_force.map(seconds),
        limit: seconds(request_of(&groups, change.vf).max(change.running)),
        first_paging: change.first_paging.map(seconds),
    };
    Figures {
        about: scenario.about.clone(),
        seed: scenario.seed,
        seconds: seconds(scenario.length.0),
        vfs: groups.len() as u32,
        packets: record.packets,
        longest_request: seconds(unit),
        phases,
        changes: record.switched.iter().map(change).collect(),
    }
}

/// A VF's quantum in ticks.
fn request_of(groups: &[&Group], vf: u32) -> u64 {
    u64::from(groups[vf as usize].parameters().quantum_us) * 1000
}

fn phase(
    scenario: &Scenario,
    groups: &[&Group],
    record: &WindowRecord,
    before: Option<(&WindowRecord, &Phase)>,
    unit: u64,
) -> Phase {
    let all = record.window.ticks() as f64;
    let part = |ticks: u64| ticks as f64 / all;
    let mut place = 0;
    let group_of: Vec<usize> = scenario
        .groups
        .iter()
        .flat_map(|group| {
            place += 1;
            std::iter::repeat_n(place - 1, group.count as usize)
        })
        .collect();
    let vf = |(vf, (of, group)): (u32, (&VfRecord, &&Group))| {
        let share = part(of.guest);
        let had = before.map(|(_, phase)| phase.vfs[vf as usize].share).filter(|share| *share > 0.0);
        Vf {
            vf,
            group: group_of[vf as usize],
            saturated: group.demand == Wants::Saturated,
            place: Place::of(scenario, vf, record.window.from),
            share,
            entitled: entitlement(scenario, group),
            kept: had.map(|had| share / had),
            packets: of.packets,
            wait: Wait::of(&of.waits),
            owed: of.owed.map(|owed| owed.max(0.0) / unit as f64),
            resets: of.resets,
            waits: of.waits.clone(),
        }
    };
    let vfs: Vec<Vf> = (0..).zip(record.vfs.iter().zip(groups)).map(vf).collect();
    let held: u64 = record.vfs.iter().map(|vf| vf.held).sum();
    let paging = record.window.migrating.iter().map(|&(vf, policy)| {
        let used_before = before.map_or(0.0, |(_, phase)| phase.vfs[vf as usize].share);
        paging(scenario, record, vf, policy, &vfs[vf as usize], used_before)
    });
    Phase {
        name: record.window.name.clone(),
        from: seconds(record.window.from),
        to: seconds(record.window.to),
        busy: 1.0 - part(record.idle) - part(held),
        switches: part(record.switch),
        held: part(held),
        pf: part(record.pf),
        jain: jain(scenario, groups, &vfs),
        paging: paging.collect(),
        vfs,
    }
}

fn paging(
    scenario: &Scenario,
    record: &WindowRecord,
    vf: u32,
    policy: Policy,
    guest: &Vf,
    used_before: f64,
) -> Paging {
    let all = record.window.ticks() as f64;
    let of = &record.vfs[vf as usize];
    let paused = policy != Policy::SourceBrownout;
    let granted = if paused { guest.entitled } else { in_brownout(scenario, vf, guest, used_before) };
    let unassigned = if paused { unused(record, guest.entitled) } else { unwanted(record) };
    let (of_share, of_idle) = (of.paging_share as f64 / all, of.paging_idle as f64 / all);
    Paging {
        vf,
        paused,
        of_share,
        of_idle,
        granted,
        unassigned,
        reached: (of_share + of_idle) / (granted + unassigned).clamp(f64::MIN_POSITIVE, most(scenario)),
    }
}

/// The most of the engine that the paging for one VF may take.
fn most(scenario: &Scenario) -> f64 {
    f64::from(scenario.engine.limits().paging_ppm) / 1e6
}

/// What paging is granted of a running VF's share: a set part, and what a throttled guest may not have. The VF's node
/// is held to what it used before, if that was less than its share.
fn in_brownout(scenario: &Scenario, vf: u32, guest: &Vf, used_before: f64) -> f64 {
    let node = guest.entitled.min(used_before);
    let set = node * f64::from(scenario.engine.limits().paging_permille) / 1000.0;
    let throttled = scenario.migrations.iter().any(|one| one.vf == vf && !one.throttle.is_empty());
    if throttled { set.max(node - guest.share) } else { set }
}

/// Each migrating VF's part of the time that nobody wanted.
fn unwanted(record: &WindowRecord) -> f64 {
    let idle_class: u64 = record.vfs.iter().map(|vf| vf.paging_idle).sum();
    (record.idle + idle_class) as f64 / record.window.ticks() as f64 / record.window.migrating.len() as f64
}

/// What the others left of the engine beyond the share of a paused VF.
fn unused(record: &WindowRecord, share: f64) -> f64 {
    let moves = |vf: usize| record.window.policy(vf as u32).is_some();
    let others =
        record.vfs.iter().enumerate().filter(|(vf, _)| !moves(*vf)).map(|(_, vf)| vf.guest + vf.held);
    let used = (others.sum::<u64>() + record.pf) as f64 / record.window.ticks() as f64;
    ((1.0 - used) / record.window.migrating.len() as f64 - share).max(0.0)
}

/// Jain's index of the largest set of VFs of one weight that always want the engine.
fn jain(scenario: &Scenario, groups: &[&Group], vfs: &[Vf]) -> Option<(f64, usize)> {
    let leaves = |vf: u32| scenario.migrations.iter().any(|migration| migration.vf == vf);
    let equal = |weight: u32| -> Vec<f64> {
        let like = |vf: &&Vf| {
            let group = groups[vf.vf as usize];
            group.parameters().weight == weight && vf.saturated && group.max.is_none() && !leaves(vf.vf)
        };
        vfs.iter().filter(like).map(|vf| vf.share).collect()
    };
    let sets = groups.iter().map(|group| equal(group.parameters().weight));
    let shares = sets.max_by_key(Vec::len).filter(|shares| shares.len() > 1)?;
    let (sum, squares) = shares.iter().fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
    Some((sum * sum / (shares.len() as f64 * squares), shares.len()))
}
