//! What the model runs: the step functions of the crate, and a careful operator.

use live_migration::handover::Standing;
use live_migration::handover::source::{self, Source};
use live_migration::handover::target::{self, Target};

/// One step of the source's side.
pub(crate) type SourceStep = fn(Source, source::Event) -> (Source, source::Action);
/// One step of the target's side.
pub(crate) type TargetStep = fn(Target, target::Event) -> (Target, target::Action);

/// The rules of the world. [`Rules::REAL`] are those that hold; a near miss breaks one.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) source: SourceStep,
    pub(crate) target: TargetStep,
    pub(crate) operator: Operator,
    /// What another process at the target's address may say: anything, as it may know another VM by that name.
    pub(crate) impostor: &'static [Standing],
    /// The second attempt has the first one's name.
    pub(crate) names_are_reused: bool,
    /// A target forgets the VM when it has run it.
    pub(crate) target_forgets: bool,
    /// The file goes when it has been read, before its VM runs.
    pub(crate) file_goes_early: bool,
}

/// Who types `gpup resolve` and `gpup restore`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// Says `--run` only when nothing of the VM is left with the source and nobody restores or runs it;
    /// `--discard` only when it is elsewhere too; `--force` only when the target is dead; restores once at a time.
    Careful,
    /// Says `--run` whenever a target has the VM.
    RunsBlindly,
    /// Says `--force` whenever it restores.
    ForcesBlindly,
    /// Restores the file twice at the same time.
    RestoresTwice,
}

impl Rules {
    /// The code that runs, and an operator who knows what the report says.
    pub(crate) const REAL: Self = Self {
        source: Source::step,
        target: Target::step,
        operator: Operator::Careful,
        impostor: &[
            Standing::UnderWay,
            Standing::Ready,
            Standing::Running,
            Standing::Discarded,
            Standing::Unknown,
        ],
        names_are_reused: false,
        target_forgets: false,
        file_goes_early: false,
    };
}

/// How far the faults go, so that the states can be counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Migrations, one after another.
    pub(crate) attempts: usize,
    /// Words on their way on connections on which nobody waits, at a time.
    pub(crate) strays: usize,
    /// Crashes in all. Every process crashes once at most.
    pub(crate) crashes: u8,
}
