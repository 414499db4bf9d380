//! What the driver's escape tells of the VFs, and what that comes to between two samples.

use std::time::{Duration, Instant};

use dxgksim::dxgkrnl::Adapter;
use gpup_core::device::abi::NODES;
use gpup_core::migration::Phase;
use gpup_core::sched::Counters;
use gpup_kmd::escape::{Request, State, get_counters};
use serde::Serialize;

/// A VF at a moment.
#[derive(Clone, Copy)]
struct Seen {
    vf: u32,
    state: State,
    counters: [Counters; NODES],
}

/// A host's VFs at a moment.
pub(super) struct Sample {
    taken: Instant,
    vfs: Vec<Seen>,
}

impl Sample {
    /// Asks the driver.
    pub(super) fn take(adapter: &Adapter) -> Self {
        let vfs = (0..adapter.partition_count()).filter(|vf| adapter.has_vgpu(*vf));
        Self { taken: Instant::now(), vfs: vfs.filter_map(|vf| see(adapter, vf)).collect() }
    }

    /// Time since another.
    pub(super) fn since(&self, other: &Self) -> Duration {
        self.taken.saturating_duration_since(other.taken)
    }

    fn find(&self, vf: u32) -> Option<&Seen> {
        self.vfs.iter().find(|seen| seen.vf == vf)
    }
}

/// None if the VF has just gone.
fn see(adapter: &Adapter, vf: u32) -> Option<Seen> {
    let mut block = Request::State { vf }.encode();
    adapter.escape(&mut block).ok()?;
    let state = State::get(&block)?;
    let mut counters = [Counters::default(); NODES];
    for (node, counters) in (0..).zip(&mut counters) {
        let mut block = Request::Counters { vf, node }.encode();
        adapter.escape(&mut block).ok()?;
        *counters = get_counters(&block);
    }
    Some(Seen { vf, state, counters })
}

/// A VF on an engine, between two samples. Parts are of a second of the device's clock in a second.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    /// Which host.
    pub(super) host: &'static str,
    pub(super) vf: u32,
    /// Its engine.
    pub(super) engine: String,
    /// Where its migration is.
    pub(super) phase: &'static str,
    /// It is executed.
    pub(super) executes: bool,
    /// Engine time it was granted.
    pub(super) busy: f64,
    /// Its part of all engine time granted on this engine; none while nothing was.
    pub(super) share: Option<f64>,
    /// Its part by weight.
    pub(super) entitled: f64,
    pub(super) packets_per_second: f64,
    /// What its packets waited since its start or reset, in seconds: half of them, 99 of 100, the longest.
    pub(super) wait_p50: f64,
    pub(super) wait_p99: f64,
    pub(super) longest_wait: f64,
    /// Turns that ended for another VF although it had work left.
    pub(super) preemptions_per_second: f64,
    /// Engine resets since then.
    pub(super) resets: u64,
    /// The throttle, 1 = full speed.
    pub(super) speed: f64,
    /// The PF's paging for it, out of its share and out of time nobody wanted.
    pub(super) paging_share: f64,
    pub(super) paging_idle: f64,
}

/// What happened on a host between two samples.
pub(super) fn rows(host: &'static str, adapter: &Adapter, from: &Sample, to: &Sample) -> Vec<Row> {
    let ticks = to.since(from).as_nanos().max(1) as f64;
    let weights: u64 = to.vfs.iter().map(|seen| seen.state.weight).sum();
    let mut rows = Vec::new();
    for seen in &to.vfs {
        let before = from.find(seen.vf);
        for node in 0..NODES {
            let granted = |seen: &Seen| seen.counters[node].busy + seen.counters[node].paging_granted;
            let all: u64 = to.vfs.iter().map(|seen| grown(from.find(seen.vf), seen, granted)).sum();
            let of = |field: fn(&Counters) -> u64| grown(before, seen, |seen| field(&seen.counters[node]));
            let own = grown(before, seen, granted);
            let now = &seen.counters[node];
            let named = adapter.caps().nodes.get(node);
            rows.push(Row {
                host,
                vf: seen.vf,
                engine: named.map_or_else(|| node.to_string(), |node| node.label().to_owned()),
                phase: name(seen.state.phase),
                executes: seen.state.executes,
                busy: of(|counters| counters.busy) as f64 / ticks,
                share: (all > 0).then(|| own as f64 / all as f64),
                entitled: seen.state.weight as f64 / weights.max(1) as f64,
                packets_per_second: of(|counters| counters.packets) as f64 / ticks * 1e9,
                wait_p50: now.wait_p50 as f64 / 1e9,
                wait_p99: now.wait_p99 as f64 / 1e9,
                longest_wait: now.worst_wait as f64 / 1e9,
                preemptions_per_second: of(|counters| counters.preemptions) as f64 / ticks * 1e9,
                resets: now.resets,
                speed: seen.state.throttle as f64 / 1000.0,
                paging_share: of(|counters| counters.paging_granted) as f64 / ticks,
                paging_idle: of(|counters| counters.paging_idle) as f64 / ticks,
            });
        }
    }
    rows
}

/// How much a counter has grown; from nothing if the VF was reset or is new.
fn grown(before: Option<&Seen>, now: &Seen, of: impl Fn(&Seen) -> u64) -> u64 {
    let (before, now) = (before.map_or(0, &of), of(now));
    now.checked_sub(before).unwrap_or(now)
}

fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Idle => "-",
        Phase::SourcePrepared | Phase::ImmutableSaved => "brownout",
        Phase::MutableSized | Phase::MutableSaved => "blackout",
        Phase::TargetPrepared | Phase::ImmutableRestored | Phase::MutableRestored => "arriving",
    }
}
