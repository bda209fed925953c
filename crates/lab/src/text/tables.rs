//! Headings, legend and summary of the table.

use std::time::Duration;

use super::Lang::{self, En, Fr};
use crate::ledger::Kind;

impl Lang {
    /// Above the rows.
    pub(crate) fn scenario_heading(self) -> &'static str {
        self.pick("scenario", "scénario")
    }

    /// Whatever stands in a cell without a number.
    pub(crate) fn legend_holds(self) -> &'static str {
        self.pick("✓ the guarantee holds", "✓ garantie tenue")
    }

    /// A cell with the number of what the guarantee allows.
    pub(crate) fn legend_allowed(self, cell: &str) -> String {
        match self {
            En => format!("{cell}: holds, and allows this"),
            Fr => format!("{cell} : tenue, et permet cela"),
        }
    }

    /// A cell with the number of what breaks the guarantee.
    pub(crate) fn legend_broken(self, cell: &str) -> String {
        match self {
            En => format!("{cell}: broken by this, as announced"),
            Fr => format!("{cell} : violée par cela, comme annoncé"),
        }
    }

    /// Another result than announced.
    pub(crate) fn legend_unexpected(self) -> &'static str {
        self.pick("!! NOT AS ANNOUNCED, see below", "!! PAS COMME ANNONCÉ, voir plus bas")
    }

    /// No verdict.
    pub(crate) fn legend_unknown(self) -> &'static str {
        self.pick("? not decided, see below", "? pas de verdict, voir plus bas")
    }

    /// An empty cell.
    pub(crate) fn legend_none(self) -> &'static str {
        self.pick("· not concerned", "· pas concerné")
    }

    /// What a word in a cell counts.
    pub(crate) fn legend_kind(self, kind: Kind) -> String {
        let what = match (self, kind) {
            (En, Kind::Lost) => "messages lost",
            (En, Kind::Duplicated) => "copies too many",
            (En, Kind::Reordered) => "messages out of order",
            (En, Kind::AbortedVisible) => "aborted, and visible",
            (En, Kind::Uncommitted) => "visible, commit never asked for",
            (En, Kind::AbortedProcessed) => "aborted, and processed",
            (En, Kind::Torn) => "missing from a transaction that is visible in part",
            (En, Kind::Half) => "its result visible, its offset not committed",
            (En, Kind::Phantom) => "sent by nobody",
            (En, Kind::Misplaced) => "not where the program says",
            (En, Kind::OtherPartition) => "in another partition",
            (En, Kind::OtherKey) => "with another key",
            (En, Kind::Failed) => "reported as failed",
            (En, Kind::Aborted) => "reported as aborted",
            (En, Kind::Unacknowledged) => "never acknowledged",
            (En, Kind::Missing) => "not done",
            (En, Kind::NotCommitted) => "processed, offset not committed",
            (En, Kind::Repeated) => "processed again",
            (Fr, Kind::Lost) => "messages perdus",
            (Fr, Kind::Duplicated) => "doublons",
            (Fr, Kind::Reordered) => "messages dans le désordre",
            (Fr, Kind::AbortedVisible) => "avortés, mais visibles",
            (Fr, Kind::Uncommitted) => "visibles, commit jamais demandé",
            (Fr, Kind::AbortedProcessed) => "avortés, mais traités",
            (Fr, Kind::Torn) => "absents d'une transaction visible en partie",
            (Fr, Kind::Half) => "résultat visible, offset pas commité",
            (Fr, Kind::Phantom) => "envoyés par personne",
            (Fr, Kind::Misplaced) => "absents de la place annoncée",
            (Fr, Kind::OtherPartition) => "dans une autre partition",
            (Fr, Kind::OtherKey) => "avec une autre clé",
            (Fr, Kind::Failed) => "annoncés comme échoués",
            (Fr, Kind::Aborted) => "annoncés comme avortés",
            (Fr, Kind::Unacknowledged) => "jamais acquittés",
            (Fr, Kind::Missing) => "pas faits",
            (Fr, Kind::NotCommitted) => "traités, offset non commité",
            (Fr, Kind::Repeated) => "traités à nouveau",
        };
        format!("{} = {what}", self.kind_short(kind))
    }

    /// Above the cells that are not as announced.
    pub(crate) fn unexpected_heading(self, count: usize) -> String {
        match self {
            En => format!("NOT AS ANNOUNCED, OR NOT DECIDED ({count})"),
            Fr => format!("PAS COMME ANNONCÉ, OU SANS VERDICT ({count})"),
        }
    }

    /// How many runs came out as announced.
    pub(crate) fn totals(self, runs: usize, as_announced: usize, unknown: usize) -> String {
        let other = runs.saturating_sub(as_announced).saturating_sub(unknown);
        let mut parts = Vec::new();
        if as_announced == runs {
            parts.push(match (self, runs) {
                (En, 1) => "as announced".to_owned(),
                (Fr, 1) => "comme annoncé".to_owned(),
                (En, _) => "all as announced".to_owned(),
                (Fr, _) => "toutes comme annoncé".to_owned(),
            });
        } else {
            parts.push(format!("{as_announced} {}", self.pick("as announced", "comme annoncé")));
            if other > 0 {
                parts.push(format!("{other} {}", self.pick("NOT AS ANNOUNCED", "PAS COMME ANNONCÉ")));
            }
            if unknown > 0 {
                parts.push(format!("{unknown} {}", self.pick("not decided", "sans verdict")));
            }
        }
        let parts = parts.join(", ");
        match (self, runs) {
            (En, 1) => format!("1 run: {parts}."),
            (Fr, 1) => format!("1 exécution : {parts}."),
            (En, _) => format!("{runs} runs: {parts}."),
            (Fr, _) => format!("{runs} exécutions : {parts}."),
        }
    }

    /// Before the guarantees that broke.
    pub(crate) fn broken_heading(self) -> &'static str {
        self.pick(
            "Broken, as announced, under a fault that this guarantee does not survive:",
            "Violées, comme annoncé, par une panne que cette garantie ne supporte pas :",
        )
    }

    /// Before the properties that the lab has set.
    pub(crate) fn settings_heading(self) -> &'static str {
        self.pick(
            "Set by the lab, so that runs are short and comparable (where and why: lab list):",
            "Fixé par le lab, pour des exécutions courtes et comparables (où et pourquoi : lab list) :",
        )
    }

    /// How long it took.
    pub(crate) fn durations(self, all: Duration, longest: Duration, what: &str) -> String {
        let (all, longest) = (self.seconds(all), self.seconds(longest));
        match self {
            En => format!("{all} s in all, several runs at a time; the longest took {longest} s ({what})."),
            Fr => format!("{all} s en tout, plusieurs exécutions à la fois ; la plus longue : {longest} s ({what})."),
        }
    }

    /// Seconds, with one digit after the point.
    pub(crate) fn seconds(self, duration: Duration) -> String {
        let text = format!("{:.1}", duration.as_secs_f64());
        self.pick(text.clone(), text.replace('.', ","))
    }

    /// How to see the story of a cell.
    pub(crate) fn story_of_a_cell(self, command: &str) -> String {
        match self {
            En => format!("The story of a cell: {command}"),
            Fr => format!("Le récit d'une case : {command}"),
        }
    }

    /// Which seed the names came from.
    pub(crate) fn seed(self, seed: u32) -> String {
        match self {
            En => format!("Seed: {seed}."),
            Fr => format!("Graine : {seed}."),
        }
    }
}
