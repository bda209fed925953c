//! A transaction that stays open.

use lab::ledger::Kind;
use lab::scenario::Mark;

use super::{as_announced, convicted, play, play_instead};

#[test]
fn readers_stand_still_until_the_timeout_or_a_successor() {
    as_announced(&play("open-transaction", "timeout", "consumer-at-most-once"));
    as_announced(&play("open-transaction", "stable id", "eos-pipeline"));
}

#[test]
fn a_random_transactional_id_makes_the_successor_wait_and_a_stable_one_does_not() {
    let stalled = |variant| {
        let outcome = play("open-transaction", variant, "eos-consumer");
        as_announced(&outcome);
        outcome.marks.iter().any(|(mark, _)| *mark == Mark::Stalled)
    };
    assert!(stalled("own random id"));
    assert!(!stalled("own stable id"));
}

#[test]
fn who_does_not_wait_has_processed_what_is_aborted_later() {
    let script = "exec REAL -X isolation.level=read_uncommitted";
    let package = "consumer-exactly-once";
    let outcome = play_instead("open-transaction", "stable id", package, script, package);
    assert_eq!(convicted(&outcome), [Kind::AbortedProcessed]);
}
