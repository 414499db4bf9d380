//! The operator, the names or the file broken.

use super::{TWO, leads};
use crate::explore::shortest;
use crate::properties::{copy_stays, one_runs};
use crate::rules::{Operator, Rules};

#[test]
fn an_operator_says_run_though_the_source_took_the_vm_back() {
    let rules = Rules { operator: Operator::RunsBlindly, ..Rules::REAL };
    leads(rules, one_runs, &["target lets go", "source fails", "operator says Run", "Run arrives late"]);
}

#[test]
fn an_operator_forces_though_the_target_runs_the_vm() {
    let rules = Rules { operator: Operator::ForcesBlindly, ..Rules::REAL };
    leads(
        rules,
        one_runs,
        &[
            "source hears Ready",
            "target hears Commit",
            "source hears no answer",
            "source gives up",
            "file is durable",
            "source has saved",
            "operator restores",
            "operator forces",
        ],
    );
}

/// Nothing in the hand-over knows of the other restore: a file is for one.
#[test]
fn an_operator_restores_twice() {
    let rules = Rules { operator: Operator::RestoresTwice, ..Rules::REAL };
    leads(
        rules,
        one_runs,
        &[
            "source hears Ready",
            "source hears no answer",
            "source gives up",
            "file is durable",
            "source has saved",
            "operator restores",
            "operator restores",
            "host 0 crashes",
            "operator forces",
            "operator forces",
        ],
    );
}

#[test]
fn a_file_goes_before_its_vm_runs() {
    let rules = Rules { file_goes_early: true, ..Rules::REAL };
    leads(
        rules,
        copy_stays,
        &[
            "target fails",
            "source hears Ready",
            "source hears no answer",
            "source gives up",
            "file is durable",
            "source has saved",
            "operator restores",
        ],
    );
}

/// The target answers of the attempt that it has discarded, and the source takes it for the one under way.
#[test]
fn a_second_attempt_has_the_first_ones_name() {
    let rules = Rules { names_are_reused: true, ..Rules::REAL };
    let way = shortest(rules, TWO, one_runs());
    let expected = [
        "target hears Hello",
        "target lets go",
        "source fails, says Discard",
        "source tries host 0",
        "target hears Hello (second attempt)",
        "source hears Welcome",
        "source pauses",
        "target hears All (second attempt)",
        "source hears Ready",
        "target hears Commit (second attempt)",
        "source hears no answer",
        "source asks",
        "Ask of source arrives",
        "source hears Discarded",
    ];
    assert_eq!(way, expected);
}
