//! Killed in the middle of a batch.

use lab::ledger::Kind;

use super::{as_announced, convicted, play, play_plain_pipeline};

#[test]
fn half_a_batch_is_printed_again_and_never_visible() {
    let outcome = play("batch-half-done", "", "eos-consumer");
    as_announced(&outcome);
    // Five lines are read; on Linux one more may be on its way, elsewhere all.
    assert!((5..=10).contains(&outcome.ledger.count(Kind::Duplicated)), "{:?}", outcome.ledger);
    for package in ["producer-exactly-once", "eos-pipeline"] {
        let outcome = play("batch-half-done", "", package);
        as_announced(&outcome);
        assert_eq!(outcome.ledger.stored, 20, "{package}");
    }
}

#[test]
fn without_a_transaction_that_half_is_there_twice() {
    let outcome = play_plain_pipeline("batch-half-done", "");
    assert_eq!(convicted(&outcome), [Kind::Duplicated]);
    assert!((5..=10).contains(&outcome.ledger.count(Kind::Duplicated)), "{:?}", outcome.ledger);
}
