//! Records of aborted transactions in the input.

use lab::ledger::Kind;

use super::{as_announced, broken, convicted, play, play_instead};

#[test]
fn read_committed_hides_them_and_is_the_default() {
    for package in ["consumer-at-least-once", "eos-pipeline"] {
        let outcome = play("aborted-input", "", package);
        as_announced(&outcome);
        assert_eq!(outcome.ledger.aborted_input, 12, "they are there");
    }
}

#[test]
fn read_uncommitted_breaks_exactly_once_and_nothing_else() {
    let outcome = play("aborted-input", "read_uncommitted", "eos-pipeline");
    as_announced(&outcome);
    assert_eq!(broken(&outcome), [Kind::AbortedProcessed]);
    as_announced(&play("aborted-input", "read_uncommitted", "consumer-at-most-once"));
}

#[test]
fn who_reads_uncommitted_records_is_convicted() {
    let script = "exec REAL -X isolation.level=read_uncommitted";
    let outcome = play_instead("aborted-input", "", "eos-pipeline", script, "eos-pipeline");
    assert_eq!(convicted(&outcome), [Kind::AbortedProcessed]);
}
