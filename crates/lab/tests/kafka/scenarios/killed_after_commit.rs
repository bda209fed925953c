//! Killed when the commit is done, and the program does not know.

use lab::child::Ended;
use lab::ledger::Kind;

use super::{as_announced, broken, convicted, play, play_instead};

#[test]
fn a_producer_that_starts_over_sends_what_is_committed() {
    for (package, committed) in [("producer-exactly-once", 20), ("eos-producer", 3)] {
        let outcome = play("killed-after-commit", "", package);
        as_announced(&outcome);
        assert_eq!(broken(&outcome), [Kind::Duplicated], "{package}");
        assert_eq!(outcome.ledger.count(Kind::Duplicated), committed, "{package}");
    }
}

#[test]
fn offsets_in_the_transaction_resume_where_it_ended() {
    let outcome = play("killed-after-commit", "", "eos-pipeline");
    as_announced(&outcome);
    assert_eq!(outcome.instances[0].ended, Some(Ended::Signal(9)));
    let processed = outcome.instances[1].lines.iter().filter(|(_, line)| line.starts_with("process:")).count();
    assert!((10..20).contains(&processed), "the second half, and no more than the first transaction left: {processed}");
    assert_eq!(outcome.ledger.anomalies, []);
}

#[test]
fn a_consumer_that_commits_first_has_lost_the_message() {
    let package = "consumer-exactly-once";
    let outcome = play_instead("killed-after-commit", "", package, "exec REAL", "consumer-at-most-once");
    assert_eq!(convicted(&outcome), [Kind::Lost]);
    assert_eq!(outcome.ledger.count(Kind::Lost), 1);
}
