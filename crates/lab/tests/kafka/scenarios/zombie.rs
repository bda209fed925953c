//! A program that freezes in mid-transaction and wakes up after its successor.

use lab::ledger::Kind;

use super::{as_announced, convicted, play, play_instead};

#[test]
fn the_same_transactional_id_fences_it() {
    as_announced(&play("zombie", "same id", "producer-exactly-once"));
}

#[test]
fn under_another_id_a_producer_that_wakes_up_commits_its_batch_a_second_time() {
    let script = "TRANSACTIONAL_ID=$TRANSACTIONAL_ID-$$ exec REAL";
    let outcome = play_instead("zombie", "same id", "producer-exactly-once", script, "producer-exactly-once");
    assert_eq!(convicted(&outcome), [Kind::Duplicated]);
    assert_eq!(outcome.ledger.count(Kind::Duplicated), 20, "the whole batch");
}

#[test]
fn under_another_id_a_pipeline_is_stopped_by_the_group() {
    as_announced(&play("zombie", "two ids", "eos-pipeline"));
}

#[test]
fn a_pipeline_that_sends_no_group_metadata_writes_its_output_twice() {
    as_announced(&play("zombie", "two ids and no metadata", "eos-pipeline"));
}

#[test]
fn offsets_in_a_transaction_that_nobody_ends_stop_the_successor() {
    as_announced(&play("zombie", "random id and offsets sent", "eos-consumer"));
}
