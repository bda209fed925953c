//! A member that freezes while it works, and goes on when the group has gone on without it.

use lab::ledger::Kind;

use super::{as_announced, convicted, play, play_instead};

#[test]
fn what_could_not_be_committed_is_not_processed_at_most_once() {
    as_announced(&play("evicted", "session", "consumer-at-most-once"));
}

#[test]
fn a_consumer_that_commits_after_processing_is_no_consumer_at_most_once() {
    let outcome =
        play_instead("evicted", "instance id", "consumer-at-most-once", "exec REAL", "consumer-at-least-once");
    assert_eq!(convicted(&outcome), [Kind::Duplicated]);
}

#[test]
fn the_results_of_an_evicted_pipeline_are_aborted() {
    as_announced(&play("evicted", "session", "eos-pipeline"));
}

#[test]
fn without_group_metadata_they_count_and_the_group_goes_back() {
    let outcome = play("evicted", "no metadata", "eos-pipeline");
    as_announced(&outcome);
    assert_eq!(outcome.ledger.count(Kind::Duplicated), 20, "one half by the late commit, the other after it");
}
