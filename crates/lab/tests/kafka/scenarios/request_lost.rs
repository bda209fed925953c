//! A Produce is lost on its way.

use lab::ledger::Kind;

use super::{as_announced, convicted, lacks, play, play_instead, play_with};

#[test]
fn only_who_waits_for_no_answer_loses() {
    for package in
        ["producer-at-most-once", "producer-at-least-once", "producer-exactly-once", "eos-producer", "eos-pipeline"]
    {
        as_announced(&play("request-lost", "", package));
    }
}

#[test]
fn whether_it_waits_is_seen() {
    let outcome = play_with("request-lost", "", "producer-at-least-once", "acks=0");
    assert_eq!(convicted(&outcome), [Kind::Lost]);
    let outcome = play_instead("request-lost", "", "producer-at-most-once", "exec REAL", "producer-at-least-once");
    assert_eq!(lacks(&outcome), [Kind::Lost]);
}
