//! The answer to a Produce is lost.

use lab::ledger::Kind;

use super::{as_announced, convicted, lacks, play, play_plain_pipeline, play_with};

#[test]
fn a_retry_is_a_duplicate_without_sequence_numbers_only() {
    for package in ["producer-at-least-once", "producer-exactly-once", "eos-producer", "eos-pipeline"] {
        as_announced(&play("ack-lost", "", package));
    }
    let outcome = play_with("ack-lost", "", "producer-at-least-once", "enable.idempotence=true");
    assert_eq!(lacks(&outcome), [Kind::Duplicated]);
}

#[test]
fn a_pipeline_that_is_not_idempotent_is_convicted() {
    assert_eq!(convicted(&play_plain_pipeline("ack-lost", "")), [Kind::Duplicated]);
}
