//! No broker.

use lab::ledger::Kind;

use super::{as_announced, lacks, play, play_with};

#[test]
fn producers_wait_or_say_what_they_gave_up() {
    for package in ["producer-at-most-once", "producer-at-least-once"] {
        as_announced(&play("broker-away", "to the end", package));
    }
    for package in ["producer-at-least-once", "producer-exactly-once", "eos-producer", "eos-pipeline"] {
        as_announced(&play("broker-away", "for a while", package));
    }
}

#[test]
fn consumers_go_on_where_they_were() {
    for package in ["consumer-at-most-once", "consumer-at-least-once", "consumer-exactly-once", "eos-consumer"] {
        as_announced(&play("broker-away", "for a while", package));
    }
}

#[test]
fn who_asks_for_an_answer_says_what_is_missing() {
    let outcome = play_with("broker-away", "to the end", "producer-at-most-once", "acks=1");
    assert_eq!(lacks(&outcome), [Kind::Lost]);
}
