//! Killed when the commit leaves.

use lab::ledger::Kind;

use super::{as_announced, convicted, play, play_plain_pipeline};

#[test]
fn a_producer_s_batch_is_there_once() {
    let outcome = play("killed-before-commit", "", "producer-exactly-once");
    as_announced(&outcome);
    assert_eq!(outcome.ledger.stored, 20);
}

#[test]
fn a_pipeline_does_its_work_twice_and_its_output_is_there_once() {
    let outcome = play("killed-before-commit", "", "eos-pipeline");
    as_announced(&outcome);
    assert_eq!(outcome.ledger.count(Kind::Repeated), 20);
    assert_eq!(outcome.ledger.stored, 20);
}

#[test]
fn without_a_transaction_the_output_is_there_twice() {
    let outcome = play_plain_pipeline("killed-before-commit", "");
    assert_eq!(convicted(&outcome), [Kind::Duplicated]);
    assert_eq!(outcome.ledger.count(Kind::Duplicated), 20);
}
