//! A batch is answered with an error.

use lab::ledger::Kind;

use super::{as_announced, convicted, lacks, play, play_plain_pipeline, play_with};

#[test]
fn an_error_for_now_changes_the_order_or_aborts() {
    for (variant, package) in [
        ("next stored", "producer-at-least-once"),
        ("one in flight", "producer-at-least-once"),
        ("next stored", "producer-exactly-once"),
        ("next stored", "eos-pipeline"),
        ("alone", "producer-exactly-once"),
        ("alone", "eos-producer"),
    ] {
        as_announced(&play("broker-error", variant, package));
    }
}

#[test]
fn an_error_for_good_is_reported_and_a_transaction_fails_whole() {
    for package in ["producer-at-least-once", "producer-exactly-once", "eos-producer", "eos-pipeline"] {
        as_announced(&play("broker-error", "refused", package));
    }
}

#[test]
fn sequence_numbers_keep_the_order_and_nothing_else_does() {
    for variant in ["next stored", "one in flight"] {
        let outcome = play_with("broker-error", variant, "producer-at-least-once", "enable.idempotence=true");
        assert_eq!(lacks(&outcome), [Kind::Reordered]);
    }
    assert_eq!(convicted(&play_plain_pipeline("broker-error", "next stored")), [Kind::Reordered]);
}
