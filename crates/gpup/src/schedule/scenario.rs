//! Scenario files: what shares the engine, and what migrates when. TOML; see `scenarios/`.

use gpup_core::sched::sim::{Demand, Length};
use gpup_core::sched::{Limits, Priority, VfParameters};
use serde::Deserialize;

use super::values::{Micros, Pair, Part, Ticks};

/// A scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    /// What it shows, in a line.
    pub(super) about: String,
    /// Seed of all random lengths and think times.
    #[serde(default = "one")]
    pub(super) seed: u64,
    /// Virtual time that is simulated.
    pub(super) length: Ticks,
    /// The engine.
    #[serde(default)]
    pub(super) engine: Engine,
    /// Groups of like VFs; they are numbered in this order.
    #[serde(rename = "vf")]
    pub(super) groups: Vec<Group>,
    /// The PF's everyday work; without it the PF has none.
    pub(super) pf: Option<Pf>,
    /// What migrates.
    #[serde(default, rename = "migration")]
    pub(super) migrations: Vec<Migration>,
}

/// The engine's limits; what is left out is as the driver has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Engine {
    packet: Option<Ticks>,
    chunk: Option<Ticks>,
    paging: Option<Part>,
    paging_limit: Option<Part>,
    patience: Option<Ticks>,
    pf_weight: Option<u32>,
    pf_quantum: Option<Ticks>,
    /// Turning the engine to another VF.
    #[serde(default)]
    pub(super) switch: Ticks,
}

impl Engine {
    /// As the scheduler takes them.
    pub(super) fn limits(&self) -> Limits {
        let usual = Limits::default();
        let ticks = |set: Option<Ticks>, usual| set.map_or(usual, |ticks| ticks.0);
        Limits {
            packet: ticks(self.packet, usual.packet),
            chunk: ticks(self.chunk, usual.chunk),
            paging_permille: self.paging.map_or(usual.paging_permille, |part| part.permille),
            paging_ppm: self.paging_limit.map_or(usual.paging_ppm, |part| part.permille * 1000),
            patience: ticks(self.patience, usual.patience),
            pf_weight: self.pf_weight.unwrap_or(usual.pf_weight),
            pf_quantum: ticks(self.pf_quantum, usual.pf_quantum),
        }
    }
}

/// Like VFs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    /// How many.
    #[serde(default = "one")]
    pub(super) count: u32,
    /// Against the other VFs'.
    pub(super) weight: Option<u32>,
    /// Engine time of a turn.
    pub(super) quantum: Option<Micros>,
    /// How far a packet may run past its turn.
    pub(super) preempt_timeout: Option<Micros>,
    #[serde(default)]
    priority: Slot,
    /// Most that each may take of the engine.
    pub(super) max: Option<Part>,
    /// Lengths of packets.
    pub(super) packets: Packets,
    /// When packets are wanted.
    #[serde(default)]
    pub(super) demand: Wants,
}

impl Group {
    /// As the scheduler takes them.
    pub(super) fn parameters(&self) -> VfParameters {
        let usual = VfParameters::default();
        let us = |set: Option<Micros>, usual: u32| {
            set.map_or(usual, |time| u32::try_from(time.0).expect("the scenario was checked"))
        };
        VfParameters {
            quantum_us: us(self.quantum, usual.quantum_us),
            preempt_timeout_us: us(self.preempt_timeout, usual.preempt_timeout_us),
            priority: match self.priority {
                Slot::Low => Priority::Low,
                Slot::Normal => Priority::Normal,
            },
            weight: self.weight.unwrap_or(usual.weight),
        }
    }
}

/// The PF's everyday work.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pf {
    /// Lengths of packets.
    pub(super) packets: Packets,
    /// When packets are wanted.
    #[serde(default)]
    pub(super) demand: Wants,
}

/// Priority by the administrators' names.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Slot {
    #[default]
    Low,
    Normal,
}

/// Lengths of packets.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Packets {
    /// All alike.
    Fixed(Ticks),
    /// Between the two.
    Uniform(Pair<Ticks, Ticks>),
    /// One of these lengths, as often as its number says.
    Mix(Vec<Pair<Ticks, u32>>),
}

impl Packets {
    /// As the model takes them.
    pub(super) fn length(&self) -> Length {
        match self {
            Self::Fixed(ticks) => Length::Fixed(ticks.0),
            Self::Uniform(Pair(low, high)) => Length::Uniform(low.0, high.0),
            Self::Mix(kinds) => {
                Length::Mix(kinds.iter().map(|Pair(ticks, often)| (ticks.0, *often)).collect())
            }
        }
    }

    /// The shortest and the longest; none of an empty mix.
    pub(super) fn span(&self) -> Option<(Ticks, Ticks)> {
        match self {
            Self::Fixed(ticks) => Some((*ticks, *ticks)),
            Self::Uniform(Pair(low, high)) => Some((*low, *high)),
            Self::Mix(kinds) => {
                let lengths = kinds.iter().map(|Pair(ticks, _)| *ticks);
                lengths.clone().min().zip(lengths.max())
            }
        }
    }
}

/// When packets are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Wants {
    /// Always.
    #[default]
    Saturated,
    /// Never.
    Silent,
    /// About so long after the last one has ended.
    Closed(Ticks),
}

impl Wants {
    /// As the model takes it.
    pub(super) fn demand(self) -> Demand {
        match self {
            Self::Saturated => Demand::Saturated,
            Self::Silent => Demand::Silent,
            Self::Closed(think) => Demand::Closed(think.0),
        }
    }
}

/// A VF that migrates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Migration {
    /// The VF.
    pub(super) vf: u32,
    /// Which side this engine is on.
    #[serde(default)]
    pub(super) role: Role,
    /// PrepareLiveMigration.
    pub(super) prepare: Ticks,
    /// The VF is paused; only on the source.
    pub(super) pause: Option<Ticks>,
    /// EndLiveMigration.
    pub(super) end: Ticks,
    /// Longest piece of paging, where shorter than the engine's.
    pub(super) chunk: Option<Ticks>,
    /// Steps of the convergence throttle.
    #[serde(default)]
    pub(super) throttle: Vec<Step>,
    /// The migration is cancelled, so that the VF runs on at its end.
    #[serde(default)]
    pub(super) cancelled: bool,
}

/// Which side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    /// The VF leaves.
    #[default]
    Source,
    /// The VF comes, and runs from the end on.
    Target,
}

/// A step of the throttle.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// When.
    pub(super) at: Ticks,
    /// To what part of full speed.
    pub(super) speed: Part,
}

fn one<T: From<u8>>() -> T {
    T::from(1)
}

/// Reads a file's text, unchecked; the error is one line that names the place and says what to write.
pub(super) fn parse(text: &str) -> Result<Scenario, String> {
    let line = |error: &toml::de::Error| {
        let before = error.span().map_or("", |span| &text[..span.start.min(text.len())]);
        format!("line {}", before.matches('\n').count() + 1)
    };
    let one_line = |error: &toml::de::Error| error.message().trim().replace('\n', ": ");
    let document = toml::Deserializer::parse(text)
        .map_err(|error| format!("{}: no TOML: {}", line(&error), one_line(&error)))?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let inner = error.inner();
        let place = match error.path().to_string().as_str() {
            "." => String::new(),
            path => format!(" {path}:"),
        };
        format!("{}:{place} {}", line(inner), one_line(inner))
    })
}
