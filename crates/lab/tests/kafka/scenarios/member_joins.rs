//! A member that joins while another is in the middle of its work.

use lab::ledger::Kind;

use super::{as_announced, convicted, play, play_instead};

#[test]
fn nothing_breaks() {
    as_announced(&play("member-joins", "", "eos-pipeline"));
}

#[test]
fn a_member_that_does_again_what_it_has_handed_over_is_convicted() {
    // Ctrl-C is for the real one, which handles it.
    let script = "trap '' INT; REAL; echo \"[$TOPIC p0@0] msg-0\"";
    let outcome = play_instead("member-joins", "", "consumer-at-most-once", script, "consumer-at-most-once");
    assert_eq!(convicted(&outcome), [Kind::Duplicated]);
}
