//! More answers are lost than there are retries.

use lab::ledger::Kind;

use super::{as_announced, convicted, lacks, play, play_plain_pipeline, play_with};

#[test]
fn a_failed_delivery_may_be_stored_six_times() {
    let outcome = play("retries-exhausted", "", "producer-at-least-once");
    as_announced(&outcome);
    assert_eq!(outcome.ledger.count(Kind::Duplicated), 5);
    for package in ["producer-exactly-once", "eos-producer", "eos-pipeline"] {
        as_announced(&play("retries-exhausted", "", package));
    }
}

#[test]
fn one_more_retry_and_sequence_numbers_are_seen() {
    let outcome = play_with("retries-exhausted", "", "producer-at-least-once", "retries=6");
    assert_eq!(lacks(&outcome), [Kind::Failed]);
    let outcome = play_with("retries-exhausted", "", "producer-at-least-once", "retries=6;enable.idempotence=true");
    assert_eq!(lacks(&outcome), [Kind::Failed, Kind::Duplicated]);
    assert_eq!(convicted(&play_plain_pipeline("retries-exhausted", "")), [Kind::Duplicated]);
}
