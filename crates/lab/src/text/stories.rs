//! Headings and sentences of the story of a run.

use super::Lang::{self, En, Fr};
use crate::catalogue::Promise;
use crate::error::Error;
use crate::ledger::Kind;
use crate::outcome::Outcome;
use crate::verdict::Verdict;

/// What the parts of a story begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heading {
    /// What happens.
    Fault,
    /// What the guarantee promises.
    Promise,
    /// What has to show.
    Announced,
    /// Numbers.
    Books,
    /// The verdict.
    Verdict,
    /// Why it came out like this.
    Why,
    /// Why it should have come out otherwise.
    Normally,
    /// What a client of the user's own has done, by its requests, that explains the verdict.
    Because,
    /// How the program of the course fares.
    Compare,
    /// Properties that the lab has set.
    Settings,
}

impl Lang {
    /// What a part of a story begins with.
    pub(crate) fn heading(self, heading: Heading) -> &'static str {
        match (self, heading) {
            (En, Heading::Fault) => "fault",
            (En, Heading::Promise) => "promise",
            (En, Heading::Announced) => "must show",
            (En, Heading::Books) => "ledger",
            (En, Heading::Verdict) => "verdict",
            (En, Heading::Why) => "why",
            (En, Heading::Normally) => "normally",
            (En, Heading::Because) => "because",
            (En, Heading::Compare) => "compare",
            (En, Heading::Settings) => "lab sets",
            (Fr, Heading::Fault) => "panne",
            (Fr, Heading::Promise) => "promesse",
            (Fr, Heading::Announced) => "attendu",
            (Fr, Heading::Books) => "comptes",
            (Fr, Heading::Verdict) => "verdict",
            (Fr, Heading::Why) => "pourquoi",
            (Fr, Heading::Normally) => "normalement",
            (Fr, Heading::Because) => "parce que",
            (Fr, Heading::Compare) => "comparer",
            (Fr, Heading::Settings) => "réglages",
        }
    }

    /// Nothing is announced.
    pub(crate) fn nothing_announced(self) -> &'static str {
        self.pick("no anomaly", "aucune anomalie")
    }

    /// What may show besides.
    pub(crate) fn may_show(self, kinds: &[Kind]) -> String {
        let kinds: Vec<_> = kinds.iter().map(|kind| self.kind_announced(*kind)).collect();
        format!("{} {}", self.pick("may show:", "possible :"), kinds.join(", "))
    }

    /// Milliseconds, with one digit after the point.
    pub(crate) fn millis(self, micros: u64) -> String {
        let text = format!("{}.{}", micros / 1_000, micros % 1_000 / 100);
        self.pick(text.clone(), text.replace('.', ","))
    }

    /// A number of the books.
    pub(crate) fn number(self, what: Number, number: usize) -> String {
        let word = match (self, what) {
            (En, Number::Sent) => "sent",
            (En, Number::Acknowledged) => "acknowledged",
            (En, Number::Stored) => "stored",
            (En, Number::Input) => "in the input",
            (En, Number::Output) => "in the output",
            (En, Number::Processed) => "processed",
            (En, Number::AbortedInput) => "aborted in the input",
            (Fr, Number::Sent) => "envoyés",
            (Fr, Number::Acknowledged) => "acquittés",
            (Fr, Number::Stored) => "stockés",
            (Fr, Number::Input) => "dans l'entrée",
            (Fr, Number::Output) => "dans la sortie",
            (Fr, Number::Processed) => "traités",
            (Fr, Number::AbortedInput) => "avortés dans l'entrée",
        };
        // In French, none and one are singular.
        let word = if self == Fr && number < 2 { word.replacen("és", "é", 1) } else { word.to_owned() };
        format!("{number} {word}")
    }

    /// How many messages something is wrong with; also where it is none.
    pub(crate) fn count(self, kind: Kind, count: usize) -> String {
        let word = match (self, kind) {
            (Fr, Kind::Lost) if count > 1 => "perdus",
            (Fr, Kind::Duplicated) if count > 1 => "doublons",
            (Fr, Kind::Duplicated) => "doublon",
            (_, kind) => self.kind(kind),
        };
        format!("{count} {word}")
    }

    /// A mark, with the moment that shows it.
    pub(crate) fn mark_at(self, mark: &str, millis: &str) -> String {
        match self {
            En => format!("{mark}: at {millis} ms"),
            Fr => format!("{mark} : à {millis} ms"),
        }
    }

    /// The verdict against the promise, in a sentence.
    pub(crate) fn judgement(self, outcome: &Outcome) -> String {
        if outcome.held.is_some() {
            return self.judgement_of_held(outcome);
        }
        let guarantee = self.guarantee(outcome.guarantee());
        let expected = outcome.as_expected();
        let promise = outcome.promise();
        let shown = |forbidden| self.kinds_shown(outcome, forbidden);
        match &outcome.verdict {
            Verdict::Unknown(why) => self.not_decided(why),
            Verdict::Holds => {
                let allowed = shown(false);
                let allows = if allowed.is_empty() {
                    String::new()
                } else {
                    match self {
                        En => format!(" It does not forbid what showed: {allowed}."),
                        Fr => format!(" Elle n'interdit pas ce qui s'est produit : {allowed}."),
                    }
                };
                let forbids = self.forbidden(promise);
                match (self, expected) {
                    (En, true) => {
                        format!("HOLDS, as announced: {guarantee} forbids {forbids}, and that did not happen.{allows}")
                    }
                    (En, false) => format!("HOLDS, but the run is not as announced (below).{allows}"),
                    (Fr, true) => {
                        format!(
                            "TENUE, comme annoncé : « {guarantee} » interdit {forbids}, et cela ne s'est pas produit.{allows}"
                        )
                    }
                    (Fr, false) => {
                        format!("TENUE, mais l'expérience n'a pas donné ce qui était annoncé (ci-dessous).{allows}")
                    }
                }
            }
            Verdict::Violated(_) => {
                let broken = shown(true);
                match (self, expected) {
                    (En, true) => format!("VIOLATED, as announced: {guarantee} forbids this: {broken}."),
                    (En, false) => {
                        format!("VIOLATED, and not as announced (below): {guarantee} forbids this: {broken}.")
                    }
                    (Fr, true) => format!("VIOLÉE, comme annoncé : « {guarantee} » interdit ceci : {broken}."),
                    (Fr, false) => {
                        format!("VIOLÉE, et pas comme annoncé (ci-dessous) : « {guarantee} » interdit ceci : {broken}.")
                    }
                }
            }
        }
    }

    pub(super) fn not_decided(self, why: &Error) -> String {
        format!("{}{} {}", self.pick("NOT DECIDED", "PAS DE VERDICT"), self.colon(), self.error(why))
    }

    /// The kinds of anomalies that showed, of those that the promise forbids, or of the others.
    pub(super) fn kinds_shown(self, outcome: &Outcome, forbidden: bool) -> String {
        let promise = outcome.promise();
        let kinds = outcome.ledger.anomalies.iter().map(|anomaly| anomaly.kind);
        let mut kinds: Vec<_> = kinds.filter(|kind| promise.forbids(*kind) == forbidden).collect();
        kinds.sort();
        kinds.dedup();
        kinds.into_iter().map(|kind| self.kind(kind)).collect::<Vec<_>>().join(", ")
    }

    /// What a promise excludes.
    pub(super) fn forbidden(self, promise: Promise) -> String {
        let mut words = Vec::new();
        if promise.no_loss {
            words.push(self.pick("losses", "les pertes"));
        }
        if promise.no_duplicate {
            words.push(self.pick("duplicates", "les doublons"));
        }
        if promise.in_order {
            words.push(self.pick("disorder", "le désordre"));
        }
        if promise.atomic {
            words.push(self.pick("halves of transactions", "les moitiés de transaction"));
        }
        let last = words.pop().unwrap_or_default();
        if words.is_empty() {
            return last.to_owned();
        }
        format!("{}{}{last}", words.join(", "), self.pick(" and ", " et "))
    }

    /// Before what was announced and did not show, and what showed and was not announced.
    pub(crate) fn not_as_announced(self) -> &'static str {
        self.pick("NOT AS ANNOUNCED", "PAS COMME ANNONCÉ")
    }
}

/// A number of the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// Sent by the program.
    Sent,
    /// Acknowledged to it.
    Acknowledged,
    /// In a producer's topic.
    Stored,
    /// In a consumer's topic.
    Input,
    /// In a pipeline's output.
    Output,
    /// Told as processed.
    Processed,
    /// Of aborted transactions in the input.
    AbortedInput,
}
