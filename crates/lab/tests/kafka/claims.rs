//! docs/claims.md: every command on that page is run, and its output is what the page says; and the French page says the
//! same of the same claims. So for docs/kafka-17754.md.

mod page;
mod proof;

use std::collections::BTreeMap;

use page::{Claim, Page};
use proof::Lang::{En, Fr};

#[test]
fn each_command_shows_what_the_page_of_its_language_says() {
    let mut proofs = Page::read("claims.md").proofs(En);
    proofs.extend(Page::read("kafka-17754.md").proofs(En));
    // The language is not the broker's: the French pages on one broker only, the faster one.
    if crate::lab::given().is_none() {
        proofs.extend(Page::read("claims.fr.md").proofs(Fr));
        proofs.extend(Page::read("kafka-17754.fr.md").proofs(Fr));
    }
    proof::check(proofs);
}

#[test]
fn both_languages_say_the_same_of_each_claim() {
    let (english, french) = (Page::read("claims.md"), Page::read("claims.fr.md"));
    let told = |page: &Page, words: [&'static str; 4]| {
        let told = |claim: &Claim| {
            let verdict = words.iter().position(|word| *word == claim.verdict).expect(&claim.id);
            (claim.id.clone(), (verdict, claim.quote.clone(), claim.command.clone(), claim.evidence.len()))
        };
        page.claims().iter().map(told).collect::<BTreeMap<_, _>>()
    };
    let english = told(&english, ["true", "incomplete", "false", "outdated"]);
    assert_eq!(english, told(&french, ["vrai", "incomplet", "faux", "dépassé"]));
    assert_eq!(Page::read("kafka-17754.md").commands(), Page::read("kafka-17754.fr.md").commands());
}

#[test]
fn the_verdicts_are_counted_and_whatever_is_not_true_has_its_correction() {
    for (name, verdicts) in [
        ("claims.md", ["true", "incomplete", "false", "outdated"]),
        ("claims.fr.md", ["vrai", "incomplet", "faux", "dépassé"]),
    ] {
        let page = Page::read(name);
        let claims = page.claims();
        for verdict in verdicts {
            let count = claims.iter().filter(|claim| claim.verdict == verdict).count();
            assert_eq!(page.row(verdict).last().unwrap(), &count.to_string(), "{name}: {verdict}");
        }
        let wrong: Vec<_> = claims.iter().filter(|claim| claim.verdict != verdicts[0]).map(|claim| &claim.id).collect();
        assert_eq!(page.corrected().iter().collect::<Vec<_>>(), wrong, "{name}");
    }
}
