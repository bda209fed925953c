//! The commit, or its answer, is lost on the way.

use lab::ledger::Kind;

use super::{as_announced, convicted, play, play_instead};

#[test]
fn a_commit_is_repeated_without_harm() {
    for package in ["eos-producer", "eos-pipeline", "consumer-at-most-once"] {
        for variant in ["request", "answer"] {
            as_announced(&play("commit-lost", variant, package));
        }
    }
}

#[test]
fn who_takes_a_lost_answer_for_a_failure_sends_all_again() {
    let again = "REAL; exec REAL";
    let outcome = play_instead("commit-lost", "answer", "producer-exactly-once", again, "producer-exactly-once");
    assert_eq!(convicted(&outcome), [Kind::Duplicated]);
}
