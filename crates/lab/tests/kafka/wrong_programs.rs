//! The lab can convict: each of the wrong programs, under the scenario that `wrong.toml` names, by what it names, in words
//! that point to the mistake. Of the right programs, the matrix says that the same scenarios do not convict them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ValueEnum;
use lab::catalogue::Guarantee;
use lab::clues;
use lab::json::kind;
use lab::matrix::{self, Job};
use lab::outcome::Outcome;
use lab::own::{self, Client, Part};
use lab::stage::House;
use lab::text::Lang;
use lab::verdict::{Surprise, Verdict};
use toml_edit::{DocumentMut, Table};

use crate::lab::{clear, house};
use crate::support::program::example;
use crate::support::{is_otherwise, side_by_side, workspace};

/// So many at once, like the lab itself.
const AT_ONCE: usize = 16;

/// A wrong program, and what convicts it.
struct Wrong {
    table: Table,
    name: String,
    held_to: Option<Guarantee>,
    job: Job,
}

fn folder() -> PathBuf {
    workspace().join("wrong-programs")
}

fn wrongs() -> Vec<Wrong> {
    let text = fs::read_to_string(folder().join("wrong.toml")).unwrap();
    let table: DocumentMut = text.parse().unwrap();
    table["wrong"].as_array_of_tables().unwrap().iter().map(wrong).collect()
}

fn wrong(table: &Table) -> Wrong {
    let name = text(table, "name");
    let scenario = text(table, "scenario");
    let (held_to, jobs) = match table.get("in-place") {
        Some(_) => (None, matrix::jobs()),
        None => {
            let held = text(table, "held");
            let (guarantee, part) = held.split_once(' ').unwrap();
            let guarantee = Guarantee::from_str(guarantee, false).unwrap();
            let part = Part::from_str(part, false).unwrap();
            let (named, variant) = scenario.split_once('/').unwrap_or((&scenario, ""));
            (Some(guarantee), own::jobs(part, guarantee, &[named.to_owned()], Some(variant)))
        }
    };
    let program = table.get("in-place").map(|_| text(table, "in-place"));
    let wanted =
        |job: &Job| job.is_called(&scenario) && program.as_ref().is_none_or(|program| job.program.package == program);
    let job = jobs.into_iter().find(wanted).unwrap_or_else(|| panic!("{name}: there is no such run"));
    Wrong { table: table.clone(), name, held_to, job }
}

fn text(table: &Table, key: &str) -> String {
    table.get(key).and_then(|value| value.as_str()).unwrap_or_else(|| panic!("no {key}: {table:?}")).to_owned()
}

impl Wrong {
    fn run(&self, executable: &Path) -> Outcome {
        let words = vec![executable.to_str().unwrap().to_owned(), self.name.clone()];
        let house = House { command: Some(Client { words, held_to: self.held_to }), ..house() };
        let outcome = house.run(self.job.scenario, self.job.case, self.job.program);
        // Wrong as they are, some leave a member behind that their group waits for.
        let left = clear(house);
        if !left.is_empty() {
            crate::support::report(format_args!("{}: {left:?}", self.name));
        }
        outcome
    }
}

/// What stands against it, by name.
fn against(outcome: &Outcome) -> Vec<String> {
    let failed = |surprise: &Surprise| matches!(surprise, Surprise::Failed(_));
    match &outcome.verdict {
        Verdict::Violated(anomalies) => {
            let mut kinds: Vec<_> = anomalies.iter().map(|anomaly| kind(anomaly.kind).to_owned()).collect();
            kinds.dedup();
            kinds
        }
        Verdict::Unknown(why) => vec![why.name()],
        Verdict::Holds if outcome.surprises.iter().any(failed) => vec!["failed".to_owned()],
        Verdict::Holds => Vec::new(),
    }
}

#[test]
fn each_wrong_program_is_convicted_in_words_that_point_to_the_mistake() {
    let executable = example("wrong-programs");
    let (all, begun) = (wrongs(), Instant::now());
    let outcomes = side_by_side(&all, AT_ONCE, |wrong| wrong.run(&executable));
    crate::support::report(format_args!("{} wrong programs were run in {:.1?}", all.len(), begun.elapsed()));
    let mut acquitted = Vec::new();
    for (wrong, outcome) in all.iter().zip(&outcomes) {
        let shows = text(&wrong.table, "shows");
        if !against(outcome).contains(&shows) {
            acquitted.push(format!("{}: {shows} is not among {:?}", wrong.name, against(outcome)));
        }
        if clues::because(outcome, Lang::En).is_empty() {
            acquitted.push(format!("{}: nothing points to the mistake", wrong.name));
        }
    }
    assert!(acquitted.is_empty(), "{}", acquitted.join("\n"));
    for (file, lang) in [("README.md", Lang::En), ("README.fr.md", Lang::Fr)] {
        let told = outcomes.iter().map(|outcome| told(outcome, lang)).collect();
        is_as_written(file, lang, &all, told);
    }
}

/// The sentences that point to the mistake, without the numbers that differ from run to run.
fn told(outcome: &Outcome, lang: Lang) -> String {
    let text = clues::because(outcome, lang).join(" ");
    let mut out: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let before = out.last().map(String::as_str).unwrap_or_default();
        let is_number = ["at", "à", "offset", "l'offset"].contains(&before) || word.contains("msg-");
        let digit = |c: char| c.is_ascii_digit();
        out.push(match (word.find(digit), word.rfind(digit)) {
            (Some(from), Some(to)) if is_number => format!("{}…{}", &word[..from], &word[to + 1..]),
            _ => word.to_owned(),
        });
    }
    out.join(" ")
}

/// Of a README, what stands below this line is made from the runs.
const BELOW: &str = "<!-- below: GOLDEN=write cargo test -p lab --test kafka wrong_programs -->\n";

fn is_as_written(file: &str, lang: Lang, all: &[Wrong], told: Vec<String>) {
    let path = folder().join(file);
    let written = fs::read_to_string(&path).unwrap();
    let (above, _) = written.split_once(BELOW).unwrap_or_else(|| panic!("{file} has no line {BELOW}"));
    let got = format!("{above}{BELOW}{}", tables(lang, all, told));
    if let Some(otherwise) = is_otherwise(&path, &got) {
        panic!("{otherwise}");
    }
}

fn tables(lang: Lang, all: &[Wrong], told: Vec<String>) -> String {
    let french = matches!(lang, Lang::Fr);
    let own = |wrong: &Wrong, key: &str| text(&wrong.table, &format!("{key}{}", if french { "fr" } else { "en" }));
    let mut out = String::new();
    out.push_str(if french {
        "\n| programme | la faute | ce qu'on exige de lui | scénario | ce qui se produit |\n|---|---|---|---|---|\n"
    } else {
        "\n| program | the mistake | held to | scenario | shows |\n|---|---|---|---|---|\n"
    });
    for wrong in all {
        let (name, file) = (&wrong.name, wrong.name.replace('-', "_"));
        let held = wrong.table.get("held").or(wrong.table.get("in-place")).and_then(|held| held.as_str()).unwrap();
        let (scenario, shows) = (text(&wrong.table, "scenario"), text(&wrong.table, "shows"));
        writeln!(out, "| [{name}]({file}.rs) | {} | {held} | {scenario} | {shows} |", own(wrong, "")).unwrap();
    }
    out.push_str(if french { "\n## Ce que dit le lab\n" } else { "\n## What the lab says\n" });
    for (wrong, told) in all.iter().zip(told) {
        writeln!(out, "\n**{}.** {}\n> {told}", wrong.name, own(wrong, "why-")).unwrap();
    }
    out
}

#[test]
fn there_are_more_than_fifteen_and_each_has_its_file() {
    let all = wrongs();
    assert!(all.len() > 15);
    let is_program = |name: &str| name.ends_with(".rs") && name != "main.rs";
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.filter(|name| is_program(name)).count(), all.len());
    for wrong in all {
        assert!(folder().join(format!("{}.rs", wrong.name.replace('-', "_"))).exists(), "{}", wrong.name);
    }
}
