//! Every call in every phase.

use gpup_core::Error;
use gpup_core::migration::{Call, Phase, Role};
use gpup_core::sched::Policy;

/// The answer to every (phase, call), written down a second time.
fn expected(phase: Phase, call: Call) -> Result<Phase, Error> {
    use Call as C;
    use Phase as P;
    let busy = Err(Error::Busy);
    let wrong = Err(Error::WrongState);
    // One row a phase, in the order of Call::ALL: PrepareSource, PrepareTarget, SaveImmutableSize,
    // SaveImmutable, SaveMutableSize, SaveMutable, RestoreImmutable, RestoreMutable, End.
    let row: [Result<Phase, Error>; 9] = match phase {
        P::Idle => [
            Ok(P::SourcePrepared),
            Ok(P::TargetPrepared),
            wrong,
            wrong,
            wrong,
            wrong,
            wrong,
            wrong,
            Ok(P::Idle),
        ],
        P::SourcePrepared => [
            busy,
            busy,
            Ok(P::SourcePrepared),
            Ok(P::ImmutableSaved),
            Ok(P::MutableSized),
            wrong,
            wrong,
            wrong,
            Ok(P::Idle),
        ],
        P::ImmutableSaved => [
            busy,
            busy,
            Ok(P::ImmutableSaved),
            Ok(P::ImmutableSaved),
            Ok(P::MutableSized),
            wrong,
            wrong,
            wrong,
            Ok(P::Idle),
        ],
        P::MutableSized => [
            busy,
            busy,
            Ok(P::MutableSized),
            Ok(P::MutableSized),
            Ok(P::MutableSized),
            Ok(P::MutableSaved),
            wrong,
            wrong,
            Ok(P::Idle),
        ],
        P::MutableSaved => [
            busy,
            busy,
            Ok(P::MutableSaved),
            Ok(P::MutableSaved),
            Ok(P::MutableSized),
            Ok(P::MutableSaved),
            wrong,
            wrong,
            Ok(P::Idle),
        ],
        P::TargetPrepared => {
            [busy, busy, wrong, wrong, wrong, wrong, Ok(P::ImmutableRestored), wrong, Ok(P::Idle)]
        }
        P::ImmutableRestored => [
            busy,
            busy,
            wrong,
            wrong,
            wrong,
            wrong,
            Ok(P::ImmutableRestored),
            Ok(P::MutableRestored),
            Ok(P::Idle),
        ],
        P::MutableRestored => [busy, busy, wrong, wrong, wrong, wrong, wrong, wrong, Ok(P::Idle)],
    };
    let columns: [Call; 9] = [
        C::PrepareSource,
        C::PrepareTarget,
        C::SaveImmutableSize,
        C::SaveImmutable,
        C::SaveMutableSize,
        C::SaveMutable,
        C::RestoreImmutable,
        C::RestoreMutable,
        C::End,
    ];
    row[columns.iter().position(|column| *column == call).unwrap()]
}

#[test]
fn every_call_in_every_phase() {
    for phase in Phase::ALL {
        for call in Call::ALL {
            assert_eq!(phase.next(call), expected(phase, call), "{call} in {phase}");
        }
    }
}

#[test]
fn the_two_sequences_lead_home() {
    let source = [
        (Call::PrepareSource, Phase::SourcePrepared, Policy::SourceBrownout),
        (Call::SaveImmutableSize, Phase::SourcePrepared, Policy::SourceBrownout),
        (Call::SaveImmutable, Phase::ImmutableSaved, Policy::SourceBrownout),
        (Call::SaveMutableSize, Phase::MutableSized, Policy::SourceBlackout),
        (Call::SaveMutable, Phase::MutableSaved, Policy::SourceBlackout),
        (Call::End, Phase::Idle, Policy::Normal),
    ];
    let target = [
        (Call::PrepareTarget, Phase::TargetPrepared, Policy::Target),
        (Call::RestoreImmutable, Phase::ImmutableRestored, Policy::Target),
        (Call::RestoreMutable, Phase::MutableRestored, Policy::Target),
        (Call::End, Phase::Idle, Policy::Normal),
    ];
    for (sequence, role) in [(&source[..], Role::Source), (&target[..], Role::Target)] {
        let mut phase = Phase::default();
        for (call, next, policy) in sequence {
            phase = phase.next(*call).unwrap();
            assert_eq!((phase, phase.policy()), (*next, *policy), "{call}");
            assert_eq!(phase.role(), (phase != Phase::Idle).then_some(role));
        }
    }
}

#[test]
fn names_are_distinct() {
    let mut names: Vec<String> = Phase::ALL.iter().map(|phase| phase.to_string()).collect();
    names.extend(Call::ALL.iter().map(|call| call.to_string()));
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}
