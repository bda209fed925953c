//! A program that freezes in mid-transaction and wakes up after its successor.

use lab::child::Ended;
use lab::ledger::Kind;
use lab::verdict::{Surprise, Verdict};

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
fn a_zombie_that_does_not_tell_that_it_was_fenced_is_not_as_announced() {
    // Ctrl-C is for the real one, which handles it.
    let script = "trap '' INT; REAL; exit 0";
    let outcome = play_instead("zombie", "same id", "eos-pipeline", script, "eos-pipeline");
    assert_eq!(outcome.verdict, Verdict::Holds);
    let failed = |surprise: &Surprise| matches!(surprise, Surprise::Failed(how) if how.ended == Ended::Status(0));
    assert!(matches!(outcome.surprises.as_slice(), [surprise] if failed(surprise)), "{:?}", outcome.surprises);
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
