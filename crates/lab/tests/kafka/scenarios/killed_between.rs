//! Killed between the processing and the commit.

use lab::child::Ended;
use lab::ledger::Kind;
use lab::outcome::Outcome;

use super::{as_announced, convicted, play, play_instead, play_plain_pipeline};

#[test]
fn one_message_is_lost_or_processed_twice() {
    let of_the_sixth = |outcome: &Outcome, kind| {
        as_announced(outcome);
        let [anomaly] = &outcome.ledger.anomalies[..] else { panic!("{:?}", outcome.ledger.anomalies) };
        assert_eq!((anomaly.kind, anomaly.value.to_string(), anomaly.times), (kind, "msg-5".to_owned(), 1));
    };
    of_the_sixth(&play("killed-between", "after", "consumer-at-most-once"), Kind::Lost);
    of_the_sixth(&play("killed-between", "before", "consumer-at-least-once"), Kind::Duplicated);
}

#[test]
fn each_has_its_harmless_side() {
    for (variant, package) in [("before", "consumer-at-most-once"), ("after", "consumer-at-least-once")] {
        let outcome = play("killed-between", variant, package);
        as_announced(&outcome);
        assert_eq!(outcome.instances[0].ended, Some(Ended::Signal(9)), "{package}");
        assert_eq!(outcome.ledger.anomalies, [], "{package}");
    }
}

#[test]
fn the_wrong_order_is_convicted() {
    let instead = |variant, package, real| play_instead("killed-between", variant, package, "exec REAL", real);
    let outcome = instead("before", "consumer-at-most-once", "consumer-at-least-once");
    assert_eq!(convicted(&outcome), [Kind::Duplicated]);
    let outcome = instead("after", "consumer-at-least-once", "consumer-at-most-once");
    assert_eq!(convicted(&outcome), [Kind::Lost]);
}

#[test]
fn without_a_transaction_the_output_is_there_twice() {
    as_announced(&play("killed-between", "before", "eos-pipeline"));
    assert_eq!(convicted(&play_plain_pipeline("killed-between", "before")), [Kind::Duplicated]);
}
