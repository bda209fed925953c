//! A Produce comes a second time, late.

use lab::ledger::Kind;
use lab::outcome::Outcome;
use proxy::Happening;

use super::{as_announced, lacks, play, play_with};

/// What the broker said of the copy.
fn answer(outcome: &Outcome) -> Option<i16> {
    outcome.trace.iter().find_map(|event| match &event.happening {
        Happening::Frame(frame) if frame.ours => frame.facts.partitions.first()?.error,
        _ => None,
    })
}

#[test]
fn a_copy_is_stored_recognised_or_refused() {
    let outcome = play("late-duplicate", "", "producer-at-least-once");
    as_announced(&outcome);
    assert_eq!(answer(&outcome), Some(0));
    for package in ["producer-exactly-once", "eos-producer"] {
        for (variant, told) in [("recent", 0), ("forgotten", 45)] {
            let outcome = play("late-duplicate", variant, package);
            as_announced(&outcome);
            assert_eq!(answer(&outcome), Some(told), "{package}, {variant}");
        }
    }
}

#[test]
fn sequence_numbers_are_seen() {
    let outcome = play_with("late-duplicate", "", "producer-at-least-once", "enable.idempotence=true");
    assert_eq!(lacks(&outcome), [Kind::Duplicated]);
}
