//! An old EndTxn comes during the next transaction.

use lab::ledger::Kind;
use lab::outcome::Outcome;
use proxy::{Happening, Side};

use super::{as_announced, broken, play};

/// What the coordinator said of the abort.
fn abort(outcome: &Outcome) -> Option<i16> {
    let frames = || {
        outcome.trace.iter().filter_map(|event| match &event.happening {
            Happening::Frame(frame) => Some((event.number, frame)),
            _ => None,
        })
    };
    let (number, _) = frames().find(|(_, frame)| frame.side == Side::Request && frame.facts.commits == Some(false))?;
    frames().find(|(_, frame)| frame.request == Some(number))?.1.facts.error
}

#[test]
fn a_producers_open_transaction_is_committed_by_the_wrong_request() {
    for (variant, told) in [("then killed", None), ("then aborts", Some(48))] {
        let outcome = play("delayed-end", variant, "eos-producer");
        as_announced(&outcome);
        assert_eq!(broken(&outcome), [Kind::Uncommitted]);
        assert_eq!(abort(&outcome), told, "{variant}");
    }
    as_announced(&play("delayed-end", "then goes on", "eos-producer"));
}

#[test]
fn a_pipelines_results_are_duplicated_or_lost() {
    for (variant, kinds, told) in [
        ("then killed", &[Kind::Duplicated, Kind::Uncommitted][..], None),
        ("then goes on", &[Kind::Duplicated, Kind::Uncommitted], Some(48)),
        ("offsets first", &[Kind::Lost], None),
    ] {
        let outcome = play("delayed-end", variant, "eos-pipeline");
        as_announced(&outcome);
        assert_eq!(broken(&outcome), kinds, "{variant}");
        assert_eq!(abort(&outcome), told, "{variant}");
    }
}
