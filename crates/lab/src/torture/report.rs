//! What came of the runs: a table for readers, an object for programs.
//!
//! ```text
//! { "program": "eos-pipeline", "seed": 7, "runs": 1000, "took_ms": 120000,
//!   "steps": 3102, "met": 2204, "kills": 512, "restarts": 2040,
//!   "marks": { "fenced": 310, "transaction_aborted": 402 },              in so many runs
//!   "found": [ { "found": "repeated", "runs": 412, "first": 1 } ],       which breaks no promise
//!   "violations": [ { "run": 17, "schedule": "…", "broken": ["lost"] } ],
//!   "undecided": [ { "run": 18, "schedule": "…", "why": "…" } ],
//!   "shrunk": { "run": 17, "schedule": "…", "outcome": { … } } }         null where nothing broke, or not again
//! ```
//!
//! `outcome` is as in `lab run --format json`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::schedule::Schedule;
use super::{Found, Results, Run, Shrunk};
use crate::catalogue::Program;
use crate::json;
use crate::layout::{pad, width, wrap};
use crate::ledger::Kind;
use crate::scenario::{Exhibit, Mark};
use crate::text::Lang;
use crate::verdict::Verdict;

/// What is shown, besides the runs.
pub(crate) struct Report<'r> {
    pub(crate) program: &'static Program,
    pub(crate) seed: u32,
    pub(crate) results: &'r Results,
    pub(crate) shrunk: Option<&'r Shrunk>,
}

/// How many violations, and how many undecided runs, are shown with their schedules.
const SHOWN: usize = 5;

impl Run {
    /// What broke the promise, each kind once.
    pub(crate) fn broken(&self) -> BTreeSet<Kind> {
        match &self.verdict {
            Verdict::Violated(anomalies) => anomalies.iter().map(|anomaly| anomaly.kind).collect(),
            _ => BTreeSet::new(),
        }
    }
}

impl Results {
    /// The runs in which the promise broke.
    pub(crate) fn violations(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|run| matches!(run.verdict, Verdict::Violated(_)))
    }

    /// The runs without a verdict.
    pub(crate) fn undecided(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|run| matches!(run.verdict, Verdict::Unknown(_)))
    }

    /// What showed, in how many runs, and in which first.
    pub(crate) fn found(&self) -> BTreeMap<Found, (usize, u32)> {
        count(self.runs.iter().map(|run| (run.number, run.found.iter().copied())))
    }

    /// What broke the promise, in how many runs, and in which first.
    fn broken(&self) -> BTreeMap<Kind, (usize, u32)> {
        count(self.runs.iter().map(|run| (run.number, run.broken().into_iter())))
    }

    fn marks(&self) -> BTreeMap<Mark, (usize, u32)> {
        count(self.runs.iter().map(|run| (run.number, run.marks.iter().copied())))
    }

    fn steps(&self) -> (usize, usize) {
        let met = self.runs.iter().flat_map(|run| &run.met);
        (met.clone().filter(|met| **met).count(), met.count())
    }

    fn kills(&self) -> usize {
        self.runs.iter().map(|run| run.kills).sum()
    }

    /// How many instances were started besides the first of each run.
    fn restarts(&self) -> usize {
        self.runs.iter().map(|run| run.instances.saturating_sub(1)).sum()
    }
}

fn count<T: Ord>(runs: impl Iterator<Item = (u32, impl Iterator<Item = T>)>) -> BTreeMap<T, (usize, u32)> {
    let mut counts = BTreeMap::new();
    for (run, shown) in runs {
        for what in shown {
            counts.entry(what).or_insert((0, run)).0 += 1;
        }
    }
    counts
}

impl Found {
    /// Its name where programs read it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Anomaly(kind) => json::kind(kind),
            Self::StartedOver => "started_over",
        }
    }
}

/// The table.
pub(crate) fn table(report: &Report<'_>, lang: Lang) -> String {
    let Report { program, seed, results, shrunk } = report;
    let title = format!("torture · {} · {} · --seed {seed}", program.package, lang.guarantee(program.guarantee));
    let mut text = format!("{title}\n{}\n", "─".repeat(width(&title)));
    let (met, steps) = results.steps();
    let mean = results.runs.iter().map(|run| run.took).sum::<std::time::Duration>()
        / u32::try_from(results.runs.len()).unwrap_or(1).max(1);
    let numbers = [
        (lang.torture_runs(), lang.torture_times(results.runs.len(), results.took, mean)),
        (lang.torture_steps(), lang.torture_of(met, steps)),
        (lang.torture_kills(), results.kills().to_string()),
        (lang.torture_restarts(), results.restarts().to_string()),
    ];
    let found = results.found();
    let broken = results.broken();
    let marks = results.marks();
    let words: Vec<(String, (usize, u32))> = marks
        .iter()
        .map(|(mark, counted)| (lang.mark(*mark).to_owned(), *counted))
        .chain(found.iter().map(|(found, counted)| (lang.found(*found), *counted)))
        .chain(broken.iter().map(|(kind, counted)| (lang.torture_broken(*kind), *counted)))
        .collect();
    let columns = numbers.iter().map(|(word, _)| width(word)).chain(words.iter().map(|(word, _)| width(word)));
    let columns = columns.max().unwrap_or_default() + 2;
    for (word, number) in numbers {
        text.push_str(&format!("{}{number}\n", pad(word, columns)));
    }
    let rows = |text: &mut String, heading: &str, rows: &[(String, (usize, u32))]| {
        if !rows.is_empty() {
            text.push_str(&format!("\n{heading}\n"));
        }
        for (word, (runs, first)) in rows {
            text.push_str(&format!("{}{}\n", pad(word, columns), lang.torture_count(*runs, *first)));
        }
    };
    let (of_marks, others) = words.split_at(marks.len().min(words.len()));
    let (of_found, of_broken) = others.split_at(found.len().min(others.len()));
    rows(&mut text, lang.torture_marks_heading(), of_marks);
    rows(&mut text, lang.torture_found_heading(), of_found);
    rows(&mut text, lang.torture_broken_heading(), of_broken);

    let undecided: Vec<&Run> = results.undecided().collect();
    let violations: Vec<&Run> = results.violations().collect();
    text.push('\n');
    for run in violations.iter().take(SHOWN) {
        let kinds: Vec<_> = run.broken().into_iter().map(|kind| lang.kind(kind)).collect();
        wrap(&mut text, "✗ ", 2, &lang.torture_violation(run.number, &kinds.join(", ")));
        steps_of(&mut text, &run.schedule, Some(&run.met), lang);
        again(&mut text, report, run.number, lang);
    }
    for run in undecided.iter().take(SHOWN) {
        if let Verdict::Unknown(why) = &run.verdict {
            wrap(&mut text, "? ", 2, &lang.torture_undecided(run.number, &lang.error(why)));
            steps_of(&mut text, &run.schedule, Some(&run.met), lang);
            again(&mut text, report, run.number, lang);
        }
    }
    if let Some(shrunk) = shrunk {
        wrap(&mut text, "", 0, &lang.torture_shrunk(shrunk.run));
        steps_of(&mut text, &shrunk.schedule, None, lang);
        wrap(&mut text, "", 0, &format!("  {}", lang.torture_schedule(&shrunk.schedule.to_string())));
        text.push('\n');
    }
    wrap(&mut text, "", 0, &lang.torture_summary(violations.len(), undecided.len()));
    text
}

fn again(text: &mut String, report: &Report<'_>, run: u32, lang: Lang) {
    let command = format!("lab torture {} --seed {} --replay {run}", report.program.package, report.seed);
    text.push_str(&format!("  {}\n\n", lang.torture_again(&command)));
}

/// A schedule, one line for each step.
pub(crate) fn steps_of(text: &mut String, schedule: &Schedule, met: Option<&[bool]>, lang: Lang) {
    wrap(text, "  ", 4, &lang.torture_setup(schedule));
    for (nth, step) in schedule.steps.iter().enumerate() {
        let is_met = met.is_none_or(|met| met.get(nth).copied().unwrap_or(false));
        let not = if is_met { "" } else { lang.torture_not_met() };
        wrap(text, &format!("  {}. ", nth + 1), 5, &format!("{}{not}", lang.step(*step)));
    }
}

/// The object.
pub(crate) fn object(report: &Report<'_>) -> Json {
    let Report { program, seed, results, shrunk } = report;
    let (met, steps) = results.steps();
    let marks: BTreeMap<_, _> =
        results.marks().into_iter().map(|(mark, (runs, _))| (json::exhibit(Exhibit::Mark(mark)), runs)).collect();
    let found = results.found().into_iter();
    json!({
        "program": program.package,
        "seed": seed,
        "runs": results.runs.len(),
        "took_ms": u64::try_from(results.took.as_millis()).unwrap_or(u64::MAX),
        "steps": steps,
        "met": met,
        "kills": results.kills(),
        "restarts": results.restarts(),
        "marks": marks,
        "found": found.map(|(found, (runs, first))| json!({ "found": found.name(), "runs": runs, "first": first })).collect::<Vec<_>>(),
        "violations": results.violations().map(|run| json!({
            "run": run.number,
            "schedule": run.schedule.to_string(),
            "broken": run.broken().into_iter().map(json::kind).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "undecided": results.undecided().map(|run| json!({
            "run": run.number,
            "schedule": run.schedule.to_string(),
            "why": match &run.verdict { Verdict::Unknown(why) => Some(Lang::En.error(why)), _ => None },
        })).collect::<Vec<_>>(),
        "shrunk": shrunk.map(|shrunk| json!({
            "run": shrunk.run,
            "schedule": shrunk.schedule.to_string(),
            "outcome": json::outcome(&shrunk.outcome),
        })),
    })
}

/// The object of one run.
pub(crate) fn one(run: &Run, outcome: &crate::outcome::Outcome) -> Json {
    json!({ "run": run.number, "schedule": run.schedule.to_string(), "met": run.met, "outcome": json::outcome(outcome) })
}
